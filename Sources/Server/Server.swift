import Administration
import CLinux
package import Configuration
import DNSWire
import Diagnostics
import Glibc
import Health
import HealthMonitor
import Loader
import Responder
import Steering
package import SystemCalls
import Transport

/// `geodnsd` from start to end: load, probe, serve; reload when told, stop when told.
///
/// It is the only part that knows all the others. Everything slow happens here, on the main thread,
/// while the workers answer from the last snapshot.
package final class Server {
    let settings: ServerSettings
    let log: Log
    let startTime = WallClock.now()
    let serving: Serving
    let journal: Journal
    let monitor: HealthMonitor
    /// Nil: nothing is kept.
    private let keeper: StateKeeper?
    var workers: Workers?
    /// Nil: no `--xdp`.
    let frames: FrameKeeper?
    var geoData = GeoData.none
    var lastReload = "none since the start"
    /// For cookies, when no file has one: it stays through reloads.
    private let drawnSecrets = CookieSecrets(current: .random())
    private let signals: SignalSource
    private(set) var isStopping = false
    private let rateLimits: RateLimits?
    private var limitedFlows = LimitedFlowLog()
    /// A SIGHUP came during a reload: what it read may be older than the signal.
    private var isReloadDue = false
    /// Of sockets that this process was started with.
    private let inheritedDescriptors: [Int32]
    /// Which files of data have been read, and whether they have changed.
    var watch = FileWatch()
    var lastLook = MonotonicTime.now()

    package init(_ settings: ServerSettings) throws(Errno) {
        self.settings = settings
        rateLimits = RateLimits(settings.abuse)
        // Before there are threads that may look at the environment, which this changes.
        inheritedDescriptors = try settings.checkOnly ? [] : ServiceManager.takeDescriptors()
        // Before the monitor's thread is made: threads inherit which signals are blocked.
        signals = try SignalSource()
        let log = Log(settings.logFormat)
        self.log = log
        // Before all other threads, so that none of them has its rights.
        frames = try Server.frameKeeper(settings, log)
        let journal = Journal(log, couriers: Server.couriers(settings, log))
        self.journal = journal
        let serving = Serving(journal)
        self.serving = serving
        let keeper = settings.state.map { StateKeeper(folder: $0, log) }
        self.keeper = keeper
        monitor = HealthMonitor(
            certificateAuthorities: settings.certificateAuthorities,
            anchors: settings.checkOnly ? [] : settings.anchors.map(\.probe),
            onChange: { table in
                defer { keeper?.noteChange() }
                return serving.update(table)
            },
            onTransition: { Server.record($0, in: journal) },
            onIsolation: { Server.record($0, in: journal) })
    }

    private static func couriers(_ settings: ServerSettings, _ log: Log) -> [Courier] {
        guard !settings.checkOnly else { return [] }
        let authorities = settings.certificateAuthorities
        let programs = settings.notifiedPrograms.map { program in
            Courier(program, log) { Receivers.run(program, with: $0, $1) }
        }
        return programs
            + settings.notifiedURLs.map { url in
                Courier(url, log) {
                    Receivers.post($0, to: url, certificateAuthorities: authorities, $1)
                }
            }
    }

    /// One check of one address has changed its state.
    private static func record(_ report: ProbeReport, in journal: Journal) {
        var fields = [("address", report.probe.address.description)]
        if report.probe.check.port > 0 { fields.append(("port", "\(report.probe.check.port)")) }
        fields.append(("state", report.state.name))
        fields.append(
            report.state == .down
                ? ("failures", "\(report.consecutiveFailures)")
                : ("successes", "\(report.consecutiveSuccesses)"))
        fields.append(("check", report.probe.check.summary))
        journal.record(
            report.state == .down ? .warning : .info, report.isAnchor ? "anchor" : "check",
            report.transition?.reason ?? report.words, fields, evidence: report.evidence)
    }

    /// This server is cut off, or no longer.
    private static func record(_ news: Watchlist.IsolationChange, in journal: Journal) {
        let fields = [("family", news.family.name)]
        switch news.change {
        case .cutOff:
            journal.record(
                .error, "cut-off",
                "this server is cut off: front doors that do not answer keep their state", fields)
        case .reconnected:
            journal.record(.info, "reconnected", "failures count again", fields)
        case .givenUp:
            journal.record(
                .error, "reconnected",
                "nothing has answered for long, and there is no anchor to tell why: failures count "
                    + "again", fields)
        case .anchorsAreWrong:
            journal.record(
                .warning, "reconnected",
                "front doors answer and no anchor does: failures count again; take other anchors",
                fields)
        }
    }

    /// Runs until told to stop. Returns the exit status.
    package func run() -> Int32 {
        clinux_map_large_blocks()
        let descriptorCountMax = raiseDescriptorLimit()
        guard let world = load() else { return 1 }
        if settings.checkOnly {
            for zone in world.summaries {
                log.write(
                    .info, "zone-fine", "",
                    [("zone", "\(zone.origin)"), ("serial", "\(zone.serial)"), ("file", zone.file)])
            }
            return 0
        }
        do {
            let workerCount = settings.workerCount ?? Server.processorCount
            let inherited = try InheritedSockets(inheritedDescriptors)
            try inherited.check(areAmong: settings.listen)
            if !inheritedDescriptors.isEmpty {
                log.write(.info, "inherited", "", [("sockets", "\(inheritedDescriptors.count)")])
            }
            let listeners = try Listeners(
                settings.listen, workerCount: workerCount, inherited: inherited)
            let control = try ControlSocket(path: settings.control)
            let memory = keeper?.recall() ?? HealthMemory()
            let overrides = keeper?.recallOverrides() ?? Overrides()
            guard let probes = firstResults(of: world, remembering: memory) else {
                monitor.stop()
                journal.stop()
                log.write(.info, "stopped", "before the first probes had ended")
                return 0
            }
            serve(world, geoData, probes: probes, remembering: memory, overrides: overrides)
            var generator = SystemRandomNumberGenerator()
            let workers = try Workers(
                listeners, snapshots: serving.snapshots, seed: generator.next(),
                limits: transportLimits(
                    workerCount: workerCount, descriptorCountMax: descriptorCountMax),
                proxies: ProxySources(settings.proxySources))
            self.workers = workers
            frames?.start(
                listen: workers.boundAddresses, snapshots: serving.snapshots,
                seed: generator.next(), proxies: ProxySources(settings.proxySources))
            startKeeping(known: overrides)
            announce(workers)
            loop(control)
            ServiceManager.stopping()
            // The sockets are there for what comes meanwhile.
            frames?.stop()
            workers.stop()
            monitor.stop()
            keeper?.stop()
            journal.stop()
            log.write(.info, "stopped")
            return 0
        } catch {
            log.write(.error, "start", "\(error)")
            monitor.stop()
            journal.stop()
            return 1
        }
    }

    /// Every TCP connection and every probe takes a descriptor: use as many as are allowed, and
    /// return how many those are.
    private func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(resource, &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// TCP connections take half of the descriptors, as probes leave it (`HealthMonitor`). Were
    /// they all taken, neither reloads nor the control socket would have one.
    private func transportLimits(workerCount: Int, descriptorCountMax: Int) -> TransportLimits {
        let keptForOthers = 256
        let share = max(1, (descriptorCountMax - keptForOthers) / 2 / workerCount)
        var limits = TransportLimits()
        limits.connectionCountMax = min(settings.tcpConnectionCountMax, share)
        limits.connectionCountPerPrefixMax = settings.tcpConnectionCountPerPrefixMax
        limits.idleTimeout = .seconds(settings.tcpIdleSeconds)
        if share < settings.tcpConnectionCountMax {
            log.write(
                .warning, "descriptors",
                "the limit of open files leaves fewer TCP connections than tcp-connections; raise it "
                    + "(ulimit -n, systemd: LimitNOFILE=)",
                [
                    ("limit", "\(descriptorCountMax)"), ("workers", "\(workerCount)"),
                    ("connections", "\(share)"),
                ])
        }
        return limits
    }

    private static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    private func announce(_ workers: Workers) {
        for address in workers.boundAddresses {
            log.write(.info, "listening", "", [("address", "\(address)")])
        }
        let upCount = serving.current?.answers.endpointIsUp.count { $0 } ?? 0
        log.write(
            .info, "ready", "",
            [
                ("zones", "\(serving.current?.world.summaries.count ?? 0)"),
                ("targets-up", "\(upCount) of \(serving.current?.world.plan.endpoints.count ?? 0)"),
            ])
        ServiceManager.ready()
    }

    private func loop(_ control: borrowing ControlSocket) {
        while !isStopping {
            if isReloadDue {
                isReloadDue = false
                reload(isForced: false)
                continue
            }
            var waits = [
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: control.pollDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            logRateLimits()
            lookAtFiles()
            guard !isReloadDue, !isStopping else { continue }
            guard unsafe poll(&waits, UInt(waits.count), loopMilliseconds) > 0 else { continue }
            if waits[0].revents != 0 {
                takeSignals()
            } else if waits[1].revents != 0 {
                control.serve { handle($0, from: $1) }
            }
        }
    }

    /// Workers tell once a second what they limit; files are looked at now and then.
    private var loopMilliseconds: Int32 {
        let untilLook = nextLook.map { max(1, Int32(($0 - .now()) / .milliseconds(1)) + 1) }
        guard rateLimits != nil else { return untilLook ?? -1 }
        return min(untilLook ?? 1000, 1000)
    }

    private func logRateLimits() {
        let (events, untoldCount) = serving.snapshots.rateLimitReports.take()
        for line in limitedFlows.take(events, untoldCount: untoldCount) {
            log.write(line.level, "rate-limit", line.message, line.fields)
        }
    }

    func takeSignals() {
        while true {
            switch signals.next() {
            case SIGHUP: isReloadDue = true
            case SIGTERM, SIGINT: isStopping = true
            default: return
            }
        }
    }

    private func handle(_ words: [String], from user: UInt32?) -> ControlReply {
        if words[0] == "events" { return events(words.dropFirst()) }
        if words[0] == "overrides" { return overrides(words.dropFirst()) }
        if OverrideCommand.words.contains(words[0]) {
            return order(words, by: UserName.of(user))
        }
        if words == ["reload", "force"] { return reload(isForced: true) }
        guard words.count == 1 else {
            return .failed("\(words[0]) takes no arguments")
        }
        switch words[0] {
        case "status": return .ok(status())
        case "regions": return .ok(regions())
        case "reload": return reload(isForced: false)
        case "stop":
            isStopping = true
            return .ok("stopping\n")
        default:
            return .failed(
                "unknown command \(words[0]); there are status, regions, events, overrides, "
                    + OverrideCommand.words.joined(separator: ", ") + ", reload, stop")
        }
    }

    // MARK: - Loading

    /// The world as the files are now; nil after every problem has been logged.
    private func load() -> World? {
        let (loaded, diagnostics) = loadAll()
        for diagnostic in diagnostics {
            log.write(diagnostic.severity == .error ? .error : .warning, "zone", "\(diagnostic)")
        }
        guard let loaded else { return nil }
        geoData = loaded.geoData
        use(loaded.secrets)
        return loaded.world
    }

    struct Loaded {
        var world: World
        var geoData: GeoData
        var secrets: CookieSecrets
    }

    func loadAll() -> (loaded: Loaded?, [Diagnostic]) {
        let before = watch.look()
        let read = ReadFiles()
        let (loaded, problems) = loadAll(noting: read)
        watch.loaded(read, lookingBefore: before, isGood: loaded != nil)
        return (loaded, problems)
    }

    private func loadAll(noting read: ReadFiles) -> (loaded: Loaded?, [Diagnostic]) {
        let (geoData, geoProblems) = GeoData.load(
            settings.geoData, geofeeds: settings.geofeeds, noting: read)
        guard let geoData else { return (nil, geoProblems) }
        let (world, zoneProblems) = ZoneLoader.load(
            settings.zones, source: geoData, noting: read)
        let (secrets, problems) =
            settings.cookieSecret.map { CookieSecretFile.read($0) } ?? (drawnSecrets, [])
        // What this machine cannot probe would count as up for ever.
        let probes = settings.anchors.map(\.probe) + (world?.plan.probes ?? [])
        let obstacles = HealthMonitor.obstacles(to: probes)
            .map { Diagnostic(.error, at: nil, $0) }
        let all = problems + geoProblems + zoneProblems + obstacles
        guard let world, let secrets, obstacles.isEmpty else { return (nil, all) }
        return (Loaded(world: world, geoData: geoData, secrets: secrets), all)
    }

    private var policy: DatagramPolicy {
        var policy = DatagramPolicy()
        policy.cookies = settings.abuse.demandsCookies ? .demand : .offer
        policy.byteCountMax = settings.abuse.byteCountMax
        policy.byteCountMaxWithoutCookie = settings.abuse.byteCountMaxWithoutCookie
        return policy
    }

    func use(_ secrets: CookieSecrets) {
        serving.snapshots.publish(
            ResponderSettings(
                identity: settings.identity, version: settings.versionText,
                cookieSecrets: secrets, policy: policy, rateLimits: rateLimits,
                reportAgent: settings.reportAgent, epochReaders: settings.epochReaders))
    }

    func wantFigures(of plan: SteeringPlan) {
        monitor.wantFigures(plan.balances, loads: plan.slotCount > 0)
    }

    /// Watches the probes of `world`, and waits for the first result of each that is new: the first
    /// answer of a new region is already right. What is remembered of a probe is not waited for.
    /// Nil when the server was told to stop meanwhile.
    func firstResults(
        of world: World, remembering memory: HealthMemory = HealthMemory()
    ) -> [ProbeIdentifier]? {
        wantFigures(of: world.plan)
        let probes = monitor.watch(world.plan.probes, remembering: memory)
        let longest = world.plan.probes.map(\.check.timeout).max() ?? .zero
        if !waitForFirstResults(of: probes, until: .now + longest + .seconds(1)) {
            if isStopping { return nil }
            log.write(.warning, "probes", "not every first probe has ended; those count as up")
        }
        return probes
    }

    /// Serves `world`, then stops the probes that are no longer needed.
    func serve(
        _ world: World, _ geoData: GeoData, probes: [ProbeIdentifier],
        remembering memory: HealthMemory = HealthMemory(), overrides: Overrides = Overrides()
    ) {
        serving.adopt(
            world, probes: probes, health: monitor.table, remembered: memory,
            overrides: overrides,
            partition: geoData.partition((serving.current?.overrides ?? overrides).limits))
        monitor.retain(only: Set(probes))
        // A change that came meanwhile went to the world before, and belongs to this one too.
        serving.update(monitor.table)
        // So that the monitor knows when to come next.
        monitor.refresh()
        // What loading has left, which is about as much as what it has made.
        clinux_release_free_memory()
    }

    private func startKeeping(known: Overrides) {
        let (monitor, serving) = (monitor, serving)
        keeper?.start(known: known) {
            var memory = monitor.memory
            memory.holds = serving.current?.holds.memory ?? []
            memory.ramps = serving.current?.ramps.memory ?? []
            return memory
        } overrides: {
            serving.current?.overrides ?? known
        }
    }

    /// Nil when what was ordered outlives this process, else why it does not. A disk that hangs is
    /// not waited for long: signals are to be looked at.
    func keepOverrides() -> String? {
        guard let keeper else {
            return "this holds until geodnsd ends: it runs without --state"
        }
        return keeper.keepOverrides(atMost: .seconds(1)).map {
            "this holds, but may be lost when geodnsd ends: \($0)"
        }
    }

    /// A front door may take its whole timeout, a minute perhaps: signals are looked at meanwhile.
    private func waitForFirstResults(
        of probes: [ProbeIdentifier], until deadline: ContinuousClock.Instant
    ) -> Bool {
        while !monitor.waitForFirstResults(of: probes, atMost: .milliseconds(100)) {
            takeSignals()
            if isStopping || ContinuousClock.now >= deadline { return false }
        }
        return true
    }
}
