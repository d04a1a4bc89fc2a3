package import Addressing

/// What `geodnsd` is told on its command line.
package struct ServerSettings: Sendable {
    package enum LogFormat: String, Sendable {
        case text, json
    }

    /// A folder of `*.zone` files, or one such file.
    package var zones: String
    /// A location database, or the folder it is in; nil: every client's place is unknown.
    package var geoData: String?
    package var listen: [ListenAddress]
    /// Path of the control socket.
    package var control: String
    package var workerCount: Int?
    package var logFormat: LogFormat
    /// Certificate authorities that https checks trust; nil: the system's.
    package var certificateAuthorities: String?
    /// Which of several servers this is, 1 to 255 bytes; nil: nobody is told.
    package var identity: String?
    /// What `version.bind` answers, 1 to 255 bytes; nil: it is refused.
    package var versionText: String?
    /// A file of one or two secrets for server cookies; nil: one that is drawn at the start.
    package var cookieSecret: String?
    /// Build everything, report, and end.
    package var checkOnly: Bool

    package static let defaultZones = "/etc/geodns/zones"
    package static let defaultGeoData = "/etc/geodns/geo-data"
    package static let defaultControl = "/run/geodns/control.sock"

    package static let defaultVersionText = "geodns \(Program.version)"
    private static let textByteCountMax = 255

    package static let program = Program(
        name: "geodnsd",
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
            Option(
                "listen", "ADDR[@PORT]", mayRepeat: true,
                "serve UDP and TCP there (default 0.0.0.0@53 and [::]@53)"),
            Option("control", "PATH", "control socket (default \(defaultControl))"),
            Option("workers", "N", "threads that answer (default: one for each CPU)"),
            Option("log", "json|text", "format of the log on standard error (default text)"),
            Option(
                "ca-file", "FILE",
                "certificate authorities for https checks (default: the system's)"),
            Option(
                "identity", "TEXT",
                "answer NSID, id.server and hostname.bind with it (default: none)"),
            Option(
                "version-text", "TEXT|none",
                "answer version.bind and version.server with it (default \(defaultVersionText))"),
            Option(
                "cookie-secret", "FILE",
                "32 hexadecimal digits a line, shared by servers behind one address: the secret "
                    + "for DNS cookies, and the one before it (default: a random one)"),
            Option(
                "check", nil, isForCommandLineOnly: true,
                "read everything, report every problem, and end"),
        ],
        notes: [
            "SIGHUP reads zones, location database and cookie secrets again; what is being served stays when they",
            "have an error. SIGTERM answers what has come in and ends with status 0.",
            "Exit status: 0 fine, 1 a problem was found, 2 wrong usage.",
        ])

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
        control = arguments.last("control") ?? ServerSettings.defaultControl
        certificateAuthorities = arguments.last("ca-file")
        identity = try ServerSettings.text(arguments, "identity")
        let version = try ServerSettings.text(arguments, "version-text")
        versionText = version == "none" ? nil : version ?? ServerSettings.defaultVersionText
        cookieSecret = arguments.last("cookie-secret")
        checkOnly = arguments.has("check")

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

        workerCount = nil
        if let text = arguments.last("workers") {
            guard let count = Int(text), (1...1024).contains(count) else {
                throw arguments.error("workers", text, "expected a number from 1 to 1024")
            }
            workerCount = count
        }
        let format = arguments.last("log") ?? "text"
        guard let logFormat = LogFormat(rawValue: format) else {
            throw arguments.error("log", format, "expected json or text")
        }
        self.logFormat = logFormat
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
