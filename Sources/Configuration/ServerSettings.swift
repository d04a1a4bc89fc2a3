package import Addressing
package import DNSWire

/// What `geodnsd` is told on its command line.
package struct ServerSettings: Sendable {
    package enum LogFormat: String, Sendable {
        case text, json
    }

    /// A folder of `*.zone` files, or one such file.
    package var zones: String
    /// A location database, or the folder it is in; nil: every client's place is unknown.
    package var geoData: String?
    /// Files that correct it.
    package var geofeeds: [String]
    /// How often files of data are looked at, and how long they must have been quiet to be read
    /// again; nil: never.
    package var watchSeconds: Int?
    package var listen: [ListenAddress]
    /// Interfaces whose queries are answered past the kernel's sockets.
    package var xdp: [XDPSetting]
    /// Path of the control socket.
    package var control: String
    /// The folder in which health is remembered; nil: it is not.
    package var state: String?
    /// Who is told of changes of health: programs by their path, and URLs.
    package var notifiedPrograms: [String]
    package var notifiedURLs: [String]
    /// What answers outside whenever this server is not cut off.
    package var anchors: [AnchorSetting]
    /// What operators' orders must leave of every GEO name: regions, and percent of the capacity;
    /// 0: nothing.
    package var minimumRegions: Int
    package var minimumCapacity: Int
    /// A reload may change the answers of so many clients, of 1; nil: of any.
    package var movedPortionMax: Double?
    package var workerCount: Int?
    package var logFormat: LogFormat
    /// Certificate authorities that https checks trust; nil: the system's.
    package var certificateAuthorities: String?
    /// Which of several servers this is, 1 to 255 bytes; nil: nobody is told.
    package var identity: String?
    /// Who may ask for the epoch; empty: nobody.
    package var epochReaders: [Prefix]
    /// What `version.bind` answers, 1 to 255 bytes; nil: it is refused.
    package var versionText: String?
    /// A file of one or two secrets for server cookies; nil: one that is drawn at the start.
    package var cookieSecret: String?
    /// TCP connections of each worker, and of these, of the clients in one prefix.
    package var tcpConnectionCountMax: Int
    package var tcpConnectionCountPerPrefixMax: Int
    /// How long a TCP connection may be without a query.
    package var tcpIdleSeconds: Int
    /// Peers that put a PROXY header before each query.
    package var proxySources: [Prefix]
    package var abuse: AbuseSettings
    /// The agent domain of DNS error reporting (RFC 9567); nil: resolvers are not told of any.
    package var reportAgent: DomainName?
    /// Build everything, report, and end.
    package var checkOnly: Bool

    package static let defaultZones = "/etc/geodns/zones"
    package static let defaultGeoData = "/etc/geodns/geo-data"
    package static let defaultWatchSeconds = 5
    package static let defaultControl = "/run/geodns/control.sock"

    package static let defaultVersionText = "geodns \(Program.version)"
    package static let defaultTCPConnectionCountMax = 1024
    package static let defaultTCPConnectionCountPerPrefixMax = 64
    package static let defaultTCPIdleSeconds = 10
    private static let textByteCountMax = 255

    package static let program = Program(
        name: "geodnsd", section: 8,
        summary: "Answers DNS queries with the nearest datacenter that is up.",
        options: [
            Option(
                "config", "FILE", isForCommandLineOnly: true,
                "YAML file of these settings, under these names; the command line wins"),
            Option(
                "zones", "DIR",
                "folder of NAME.zone files, or one such file (default \(defaultZones))"),
            Option(
                "geo-data", "FILE|DIR",
                "location database (.mmdb), or its folder (default \(defaultGeoData)); "
                    + "`none`: no database"),
            geofeedOption,
            Option(
                "watch", "SECONDS|off",
                "look so often whether location databases, geofeeds and files that zones name have "
                    + "changed, and reload once they are quiet "
                    + "(default \(defaultWatchSeconds))"),
            Option(
                "listen", "ADDR[@PORT]", mayRepeat: true,
                "serve UDP and TCP there (default 0.0.0.0@53 and [::]@53)"),
            Option(
                "xdp", "IFNAME[@PORT]", mayRepeat: true,
                "answer queries that come in there over AF_XDP, past the kernel's sockets, which stay "
                    + "behind it (default: none)"),
            Option("control", "PATH", "control socket (default \(defaultControl))"),
            Option(
                "state", "DIR|none",
                "folder to remember health in, for the next start (default: $STATE_DIRECTORY, which "
                    + "systemd sets; without it none)"),
            Option(
                "anchor", "CHECK", mayRepeat: true,
                "something outside that answers whenever this server is not cut off: ping ADDRESS, "
                    + "tcp ADDRESS@PORT or dns ADDRESS[@PORT] (default: none)"
            ).under("health"),
            Option(
                "notify-exec", "PROGRAM", mayRepeat: true,
                "run it for each event of health, with the event as JSON for its argument"),
            Option(
                "notify-url", "URL", mayRepeat: true, "post each event of health there, as JSON"),
            Option(
                "minimum-regions", "N",
                "refuse a drain and the like that would leave a GEO name fewer regions (default 0)"
            ).under("orders and reloads"),
            Option(
                "minimum-capacity", "P%",
                "refuse one that would leave a GEO name less of the capacity of its regions "
                    + "(default 0%)"),
            Option(
                "max-moved", "PERCENT",
                "refuse a reload after which more of the address space would get other answers under any GEO "
                    + "name, unless it is forced (default: none is refused)"),
            Option("workers", "N", "threads that answer (default: one for each CPU)")
                .under("the machine"),
            Option("log", "json|text", "format of the log on standard error (default text)"),
            Option(
                "ca-file", "FILE",
                "certificate authorities for https checks (default: the system's)"),
            Option(
                "identity", "TEXT",
                "answer NSID, id.server and hostname.bind with it (default: none)"
            ).under("what it tells about itself"),
            Option(
                "epoch-to", "PREFIX", mayRepeat: true,
                "answer epoch.geodns (class CH, TXT) to these clients: numbers that servers share which have "
                    + "the same zones, places, overrides and health (default: to nobody)"),
            Option(
                "version-text", "TEXT|none",
                "answer version.bind and version.server with it (default \(defaultVersionText))"),
            Option(
                "cookie-secret", "FILE",
                "32 hexadecimal digits a line, shared by servers behind one address: the secret "
                    + "for DNS cookies, and the one before it (default: a random one)"
            ).under("abuse"),
        ] + AbuseSettings.options + [
            reportAgentOption,
            Option(
                "tcp-connections", "N",
                "TCP connections of each worker (default \(defaultTCPConnectionCountMax))"
            ).under("TCP and proxies"),
            Option(
                "tcp-connections-per-prefix", "N",
                "of these, from one IPv4 /24 or IPv6 /56 "
                    + "(default \(defaultTCPConnectionCountPerPrefixMax))"),
            Option(
                "tcp-idle", "SECONDS",
                "close a TCP connection without a query for this long "
                    + "(default \(defaultTCPIdleSeconds))"),
            Option(
                "proxy-from", "PREFIX", mayRepeat: true,
                "proxies and load balancers that put a PROXY protocol header, version 2, before "
                    + "every query: it says who asks (default: none)"),
            Option(
                "check", nil, isForCommandLineOnly: true,
                "read everything, report every problem, and end"
            ).under("in place of serving"),
        ],
        notes: [
            "SIGHUP reads zones, location database and cookie secrets again; what is being served stays "
                + "when they have an error. SIGTERM answers what has come in and ends with status 0.",
            "Exit status: 0 fine, 1 a problem was found, 2 wrong usage.",
        ])

    /// Of the checker, too.
    package static let geofeedOption = Option(
        "geofeed", "FILE", mayRepeat: true,
        "corrections of the location database (RFC 8805): prefix,country,region,city "
            + "(default: none)")

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.operands.isEmpty else {
            throw UsageError("unexpected \(arguments.operands[0]); every setting is an option")
        }
        var arguments = arguments
        if let file = arguments.last("config") {
            try arguments.read(settingsFile: file, for: ServerSettings.program.options)
        }
        zones = arguments.last("zones") ?? ServerSettings.defaultZones
        let geoData = arguments.last("geo-data") ?? ServerSettings.defaultGeoData
        self.geoData = geoData == "none" ? nil : geoData
        geofeeds = arguments.all("geofeed")
        watchSeconds = try ServerSettings.watchSeconds(arguments)
        control = arguments.last("control") ?? ServerSettings.defaultControl
        let state = arguments.last("state") ?? environment("STATE_DIRECTORY")
        self.state = state == "none" ? nil : state
        anchors = []
        for text in arguments.all("anchor") {
            guard let anchor = AnchorSetting(text) else {
                throw arguments.error("anchor", text, AnchorSetting.expectation)
            }
            if !anchors.contains(anchor) { anchors.append(anchor) }
        }
        notifiedPrograms = arguments.all("notify-exec")
        for path in notifiedPrograms where !path.hasPrefix("/") {
            throw arguments.error("notify-exec", path, "expected a path that begins with /")
        }
        notifiedURLs = arguments.all("notify-url")
        for url in notifiedURLs where !url.hasPrefix("http://") && !url.hasPrefix("https://") {
            throw arguments.error(
                "notify-url", url, "expected a URL that begins with https:// or http://")
        }
        certificateAuthorities = arguments.last("ca-file")
        identity = try ServerSettings.text(arguments, "identity")
        let version = try ServerSettings.text(arguments, "version-text")
        versionText = version == "none" ? nil : version ?? ServerSettings.defaultVersionText
        cookieSecret = arguments.last("cookie-secret")
        abuse = try AbuseSettings(arguments)
        reportAgent = try ServerSettings.reportAgent(arguments)
        checkOnly = arguments.has("check")
        tcpConnectionCountMax =
            try ServerSettings.number(arguments, "tcp-connections", 1...1_000_000)
            ?? ServerSettings.defaultTCPConnectionCountMax
        tcpConnectionCountPerPrefixMax =
            try ServerSettings.number(arguments, "tcp-connections-per-prefix", 1...1_000_000)
            ?? ServerSettings.defaultTCPConnectionCountPerPrefixMax
        // RFC 7828 §3.1 tells clients in 16 bits, in units of 100 ms.
        tcpIdleSeconds =
            try ServerSettings.number(arguments, "tcp-idle", 1...6553)
            ?? ServerSettings.defaultTCPIdleSeconds

        var listen: [ListenAddress] = []
        for text in arguments.all("listen") {
            guard let address = ListenAddress(text) else {
                throw arguments.error(
                    "listen", text,
                    "expected an IP address and perhaps a port, like 192.0.2.53@53 or "
                        + "[2001:db8::53]@53")
            }
            listen.append(address)
        }
        if listen.isEmpty {
            listen = ["0.0.0.0", "[::]"].compactMap { ListenAddress($0) }
        }
        self.listen = listen
        xdp = try XDPSetting.all(arguments, listen: listen)

        minimumRegions = try ServerSettings.number(arguments, "minimum-regions", 0...1_000_000) ?? 0
        minimumCapacity = try ServerSettings.percent(arguments, "minimum-capacity") ?? 0
        movedPortionMax = try arguments.portion("max-moved")
        workerCount = try ServerSettings.number(arguments, "workers", 1...1024)
        proxySources = try ServerSettings.prefixes(arguments, "proxy-from")
        epochReaders = try ServerSettings.prefixes(arguments, "epoch-to")

        let format = arguments.last("log") ?? "text"
        guard let logFormat = LogFormat(rawValue: format) else {
            throw arguments.error("log", format, "expected json or text")
        }
        self.logFormat = logFormat
    }

    private static func prefixes(
        _ arguments: Arguments, _ option: String
    ) throws(UsageError) -> [Prefix] {
        var prefixes: [Prefix] = []
        for text in arguments.all(option) {
            guard let prefix = Prefix(text) else {
                throw arguments.error(
                    option, text,
                    "expected an IP address or a prefix without bits behind it, like 192.0.2.7 "
                        + "or 2001:db8:7::/64")
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private static func number(
        _ arguments: Arguments, _ option: String, _ range: ClosedRange<Int>
    ) throws(UsageError) -> Int? {
        guard let text = arguments.last(option) else { return nil }
        // Int's own parser would take a sign.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
            range.contains(number)
        else {
            throw arguments.error(
                option, text,
                "expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func watchSeconds(_ arguments: Arguments) throws(UsageError) -> Int? {
        guard let text = arguments.last("watch") else { return defaultWatchSeconds }
        if text == "off" { return nil }
        guard let seconds = Int(text), (1...86_400).contains(seconds), text.first != "+" else {
            throw arguments.error("watch", text, "expected off, or a number from 1 to 86400")
        }
        return seconds
    }

    /// `50%`
    private static func percent(
        _ arguments: Arguments, _ option: String
    ) throws(UsageError) -> Int? {
        guard let text = arguments.last(option) else { return nil }
        let digits = text.dropLast()
        guard text.hasSuffix("%"), (1...3).contains(digits.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
            number <= 100
        else { throw arguments.error(option, text, "expected 0% to 100%") }
        return number
    }

    /// Travels as one character-string (RFC 1035 §3.3).
    private static func text(
        _ arguments: Arguments, _ option: String
    ) throws(UsageError) -> String? {
        guard let text = arguments.last(option) else { return nil }
        guard (1...textByteCountMax).contains(text.utf8.count) else {
            throw arguments.error(
                option, text, "expected 1 to \(textByteCountMax) bytes, got \(text.utf8.count)")
        }
        return text
    }
}
