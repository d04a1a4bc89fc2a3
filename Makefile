# What people do with this project, each on its own: a target does its own set-up first.
# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps build geo-data demo test conformance fuzz soak flap instructions load bench lint
.PHONY: format install pictures uninstall clean

# Debian 12 packages. This is the one place that names them.
# What the unpacked toolchain itself needs to run and to link:
PACKAGES_TOOLCHAIN := binutils gcc libc6-dev libncurses6 libstdc++-12-dev
PACKAGES_BUILD := libmaxminddb-dev libcurl4-openssl-dev libsystemd-dev libyaml-dev pkg-config
PACKAGES_DATA  := tzdata
PACKAGES_TESTS := bind9 bind9-dnsutils bind9-utils knot knot-dnssecutils knot-dnsutils \
    dnsdist fish gdnsd haproxy ldnsutils man-db mandoc nsd openssl unbound valgrind zsh
# Only what `make bench` measures beside geodnsd, and with.
PACKAGES_BENCH := iproute2 knot-module-geoip util-linux
# Only its files are taken: the package depends on the Tor daemon, which nobody needs here.
PACKAGES_UNPACKED := tor-geoipdb

SWIFT ?= $(shell tools/find-swift)
# The programs hold the Swift runtime, so that they run where no toolchain is; and they are optimised
# as a whole when they are linked, because what a query passes through lies in many targets.
RELEASE := -c release --static-swift-stdlib --experimental-lto-mode full

# What `make build` leaves, and `make install` takes.
BUILT   ?= .build/release
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
BINDIR  ?= $(PREFIX)/bin
UNITDIR ?= $(PREFIX)/lib/systemd/system
DATADIR ?= $(PREFIX)/share
MANDIR  ?= $(DATADIR)/man
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR  ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d
EXTRADIR ?= $(DATADIR)/geodns
PROGRAMS_USER  := geodns-check geodns-mmdb
PROGRAMS_ADMIN := geodnsctl geodnsd

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

deps: ## Install the Debian packages that are missing
	@tools/install-packages $(PACKAGES_TOOLCHAIN) $(PACKAGES_BUILD) $(PACKAGES_DATA) \
	    $(PACKAGES_TESTS) --unpack $(PACKAGES_UNPACKED)

build: deps ## Build the programs, optimised: .build/release
	$(SWIFT) build $(RELEASE)

geo-data: deps ## Build geo-data/world-country.mmdb, if it is missing or older than its sources
	@tools/build-geo-data $(SWIFT) build $(RELEASE)

demo: deps build geo-data ## Show what it does; CHECK=1 asserts each step
	@CHECK='$(CHECK)' Tests/Demo/demo

test: deps geo-data ## Run all tests; SANITIZE=address or SANITIZE=thread: under that sanitizer
	$(if $(SANITIZE),tools/test-sanitized $(SANITIZE) )$(SWIFT) test

# At most ten minutes or so for the 200 zones of 1,000 questions.
ZONES ?= 200
QUERIES ?= 1000
conformance: deps ## Compare with Knot, NSD and BIND over random zones (ZONES, QUERIES, SEED)
	@SWIFT='$(SWIFT)' RELEASE='$(RELEASE)' Tests/Conformance/run --zones $(ZONES) --queries $(QUERIES) \
	    $(if $(SEED),--seed $(SEED))

SECONDS ?= 60
fuzz: deps ## Fuzz whatever takes bytes from outside, each for SECONDS (TARGET: only that)
	@SWIFT='$(SWIFT)' Tests/Fuzz/run $(SECONDS) $(TARGET)

soak: MINUTES ?= 60
soak: deps ## Good and hostile traffic and reloads every second for MINUTES (SANITIZE as for test)
	@SWIFT='$(SWIFT)' RELEASE='$(RELEASE)' SANITIZE='$(SANITIZE)' \
	    Tests/Soak/run --minutes $(MINUTES)

RATE ?= 10000
REGIONS ?= 200
flap: MINUTES ?= 5
flap: deps ## REGIONS fail and return at random for 5 MINUTES, RATE answers/s compared with them (SEED)
	@SWIFT='$(SWIFT)' RELEASE='$(RELEASE)' SANITIZE='$(SANITIZE)' \
	    Tests/Soak/run flap --minutes $(MINUTES) --rate $(RATE) --regions $(REGIONS) \
	    $(if $(SEED),--seed $(SEED))

# Instructions, not seconds: repeatable, whatever else the machine does.
instructions: deps geo-data ## Count instructions per query against thresholds (RECORD=1 sets them)
	$(SWIFT) build $(RELEASE) --product geodnsd
	$(SWIFT) build $(RELEASE) --product benchmark
	@"$$($(SWIFT) build $(RELEASE) --show-bin-path)/benchmark" instructions \
	    $(if $(RECORD),--record)

load: deps geo-data ## Load a million names, 10,000 zones, a database, beside NSD, Knot and gdnsd: seconds, megabytes
	$(SWIFT) build $(RELEASE) --product geodnsd
	$(SWIFT) build $(RELEASE) --product benchmark
	@"$$($(SWIFT) build $(RELEASE) --show-bin-path)/benchmark" load

# Ratios of one run: for a machine without other work.
ROUNDS ?= 15
bench: deps geo-data ## Measure beside gdnsd and Knot DNS, into docs/performance.md (root; ROUNDS, CURVES=1)
	@tools/install-packages $(PACKAGES_BENCH)
	@[[ -z '$(CURVES)' ]] || SWIFT='$(SWIFT)' RELEASE='$(RELEASE)' Tests/Benchmarks/run curves
	@SWIFT='$(SWIFT)' RELEASE='$(RELEASE)' Tests/Benchmarks/run peers --rounds $(ROUNDS)

# The maps of docs/steering.md: name of the picture, what to ask.
PICTURES := near near-without-fra:near,--down,fra full:full,--down,fra,--demand,700 shared second listed measured ordered release sticky
comma := ,
pictures: build geo-data ## Draw the maps of docs/steering.md
	@for picture in $(PICTURES); do \
	    words=$${picture#*:}; name=$${words%%,*}; options=$${words#"$$name"}; \
	    .build/release/geodns-check --zones docs/steering/gslb.example.com.zone \
	        --geo-data geo-data/world-country.mmdb $${options//$(comma)/ } \
	        --map "docs/steering/$${picture%%:*}.svg" "$$name.gslb.example.com"; \
	done

lint: deps ## Check the form of the sources; build everything, warnings being errors
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests
	@for script in .ci/run $(filter-out %.c %.py,$(wildcard tools/*)) Tests/Demo/demo Tests/*/run; do bash -n "$$script"; done
	$(SWIFT) build --build-tests

format: ## Bring the sources into form
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

install: build ## Install programs, manual, completions, unit, settings if there are none (PREFIX, DESTDIR)
	install -d '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(UNITDIR)'
	install -m 755 $(BUILT)/geodnsd '$(DESTDIR)$(SBINDIR)/'
	install -m 755 $(BUILT)/geodnsctl $(BUILT)/geodns-check \
	    $(BUILT)/geodns-mmdb '$(DESTDIR)$(BINDIR)/'
	install -d '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(MANDIR)/man8' '$(DESTDIR)$(BASHDIR)' \
	    '$(DESTDIR)$(ZSHDIR)' '$(DESTDIR)$(FISHDIR)'
	for name in $(PROGRAMS_USER); do \
	    $(BUILT)/$$name --manual > '$(DESTDIR)$(MANDIR)'/man1/$$name.1; done
	for name in $(PROGRAMS_ADMIN); do \
	    $(BUILT)/$$name --manual > '$(DESTDIR)$(MANDIR)'/man8/$$name.8; done
	for name in $(PROGRAMS_USER) $(PROGRAMS_ADMIN); do \
	    $(BUILT)/$$name --completion bash > '$(DESTDIR)$(BASHDIR)'/$$name; \
	    $(BUILT)/$$name --completion zsh > '$(DESTDIR)$(ZSHDIR)'/_$$name; \
	    $(BUILT)/$$name --completion fish > '$(DESTDIR)$(FISHDIR)'/$$name.fish; done
	sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@BINDIR@|$(BINDIR)|g' \
	    -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' packaging/geodnsd.service.in \
	    > '$(DESTDIR)$(UNITDIR)/geodnsd.service'
	chmod 644 '$(DESTDIR)$(UNITDIR)/geodnsd.service'
	install -m 644 packaging/geodnsd.socket '$(DESTDIR)$(UNITDIR)/'
	install -D -m 644 packaging/xdp.conf '$(DESTDIR)$(EXTRADIR)/xdp.conf'
	install -d '$(DESTDIR)$(SYSCONFDIR)/geodns/zones' '$(DESTDIR)$(SYSCONFDIR)/geodns/geo-data'
	test -e '$(DESTDIR)$(SYSCONFDIR)/geodns/geodnsd.yaml' || \
	    install -m 644 packaging/geodnsd.yaml '$(DESTDIR)$(SYSCONFDIR)/geodns/'

uninstall: ## Remove what `make install` installed, but for /etc/geodns
	rm -f '$(DESTDIR)$(SBINDIR)/geodnsd' '$(DESTDIR)$(BINDIR)/geodnsctl' \
	    '$(DESTDIR)$(BINDIR)/geodns-check' '$(DESTDIR)$(BINDIR)/geodns-mmdb' \
	    '$(DESTDIR)$(UNITDIR)/geodnsd.service' '$(DESTDIR)$(UNITDIR)/geodnsd.socket' \
	    '$(DESTDIR)$(EXTRADIR)/xdp.conf'
	for name in $(PROGRAMS_USER) $(PROGRAMS_ADMIN); do \
	    rm -f '$(DESTDIR)$(MANDIR)'/man?/$$name.? '$(DESTDIR)$(BASHDIR)'/$$name \
	        '$(DESTDIR)$(ZSHDIR)'/_$$name '$(DESTDIR)$(FISHDIR)'/$$name.fish; done

clean: ## Remove everything that was built
	rm -rf .build geo-data/world-country.mmdb
