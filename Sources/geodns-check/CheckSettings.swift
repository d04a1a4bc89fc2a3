import Addressing
import Configuration
import DNSWire
import Loader
import SystemCalls

/// What `geodns-check` is told on its command line.
struct CheckSettings {
    var zones: String
    /// Nil: every client's place is unknown.
    var geoData: String?
    /// Files that correct it.
    var geofeeds: [String]
    var names: [DomainName]
    var types: [RRType]
    var clients: [Prefix]
    /// Where more of them come from.
    var streams: [LineStream]
    var changes: Changes
    /// Running servers to compare with.
    var servers: [ListenAddress]
    /// Whether the way from the zones' parents to their servers is looked at, and through which
    /// resolvers.
    var walksDelegation: Bool
    var resolvers: [ListenAddress]
    /// A file of root servers, in place of resolvers; `iana`: those built in.
    var rootHints: String?
    /// Whether the zones' checks are made, rather than everything taken for up.
    var sendsProbes: Bool
    /// A folder in which a server keeps what it knows; nil: nothing is known.
    var state: String?
    /// A PEM file; nil: the system's.
    var certificateAuthorities: String?
    var demand: DemandSetting?
    /// A file of what clients must get.
    var expectations: String?
    var writesJSON: Bool
    var writesCSV: Bool
    /// A line for each answer, in place of an account of it.
    var isBatch: Bool { writesCSV || !streams.isEmpty }
    /// Answers are told with the lines that they come from.
    var showsLines: Bool { !names.isEmpty && survey == nil && (writesJSON || !isBatch) }
    /// What is wanted besides answers to clients; nil: nothing.
    var survey: Survey?

    /// How much there is to carry.
    enum DemandSetting {
        /// Lines of a prefix and a count.
        case file(String)
        /// All addresses together.
        case total(Double)
    }

    /// A look at all clients.
    enum Survey: Equatable {
        /// Who is sent where.
        case matrix
        /// The same as a picture, in this file.
        case map(String)
        /// Who would be faster elsewhere, by the measurements in this file.
        case roundTrips(String)
        /// One target after the other is taken as down.
        case each
        /// How much changes with what is supposed.
        case whatIf
        /// How much changes with the zones there.
        case zones(String)
        /// How much changes with the location database there.
        case geoData(String)
    }
    /// Of the address space; more than that is a problem.
    var movedPortionMax: Double?

    static let program = Program(
        name: "geodns-check",
        summary: "Checks zones; with NAME, tells what geodnsd would answer to whom, and why.",
        operands: "[NAME…]",
        options: [
            Option(
                "zones", "DIR",
                "folder of NAME.zone files, or one such file (default \(ServerSettings.defaultZones))"
            ),
            Option(
                "geo-data", "FILE|DIR",
                "location database (.mmdb), or its folder (default \(ServerSettings.defaultGeoData)); "
                    + "`none`: no database"),
            ServerSettings.geofeedOption,
            Option(
                "expect", "FILE",
                "what clients must get, `CLIENT NAME TYPE -> ANSWER…` a line; ZONE.expect beside a zone is "
                    + "always looked at"),
            Option(
                "from", "IP|CIDR|@FILE|-", mayRepeat: true,
                "client the query comes from; @FILE, or - for standard input: one to a line, any "
                    + "number, and a line of CSV for each answer"
            ).under("what clients get"),
            Option("type", "TYPE", mayRepeat: true, "record type asked for (default A)"),
            Option("json", nil, "JSON, one object to a line (docs/json.md)"),
            Option("csv", nil, "answers to clients as CSV, one to a line (docs/json.md)"),
        ] + Changes.options + [
            Option(
                "state", "DIR",
                "take health and orders from what a server has kept in its --state: answers are those "
                    + "of now, and the account tells since when and by whom"),
            Option(
                "probe", nil,
                "make the zones' checks, once and now, show each phase, and take what has failed for "
                    + "down"),
            Option(
                "ca-file", "FILE",
                "certificate authorities for https checks (default: the system's)"),
            Option("matrix", nil, "who is sent where: every country, and what its addresses get")
                .under("all clients at once"),
            Option(
                "map", "FILE.svg",
                "the same for one NAME as a map of the world; -: to standard output"),
            Option(
                "each", nil,
                "take one target after the other as down: who moves where, and what nobody takes over"
            ),
            Option(
                "demand", "FILE|N",
                "how much there is to carry: lines of `prefix,count`, or N, spread over all "
                    + "addresses"),
            Option(
                "rtt", "FILE",
                "who gets a target that is not the fastest, by lines of `prefix,target,milliseconds`"
            ),
            Option(
                "compare", "ZONES",
                "how much of the address space gets other answers with these zones"
            ).under("before a change"),
            Option("compare-geo", "FILE|DIR", "the same, with this location database"),
            Option("max-moved", "PERCENT", "more than this gets other answers: exit status 1"),
            Option(
                "server", "ADDR[@PORT]", mayRepeat: true,
                "ask this running server, too, and tell what it answers otherwise; several are "
                    + "compared with each other"
            ).under("running servers"),
            Option(
                "delegation", nil,
                "is each zone delegated as it should be: name servers, glue, and every server's UDP, "
                    + "TCP, EDNS and serial"),
            Option(
                "resolver", "ADDR[@PORT]", mayRepeat: true,
                "find parents of zones through this resolver (default: those of /etc/resolv.conf)"),
            Option(
                "root-hints", "FILE|iana",
                "find them from the root servers down, without a resolver: those in this file, which has "
                    + "the form of IANA's named.root, or for the word iana those built in"),
        ],
        notes: [
            "Without NAME the zones are checked, and every problem is shown as file:line:column; "
                + "--matrix, --each and --compare take all GEO names.",
            "With --from, --down and the like change what those clients get; without it they ask "
                + "what if: who moves, and who carries how much.",
            "Without --probe and --state every target counts as up but those given with --down.",
            "Exit status: 0 fine, 1 errors were found (--each and what if: clients that nobody takes "
                + "over, or more than a capacity; --max-moved: passed; --server: a difference; --probe: a failure; "
                + "--delegation: a problem), "
                + "2 wrong usage.",
        ])

    init(_ arguments: Arguments) throws(UsageError) {
        zones = arguments.last("zones") ?? ServerSettings.defaultZones
        let geoData = arguments.last("geo-data") ?? ServerSettings.defaultGeoData
        self.geoData = geoData == "none" ? nil : geoData
        geofeeds = arguments.all("geofeed")
        changes = try Changes(arguments)
        demand = try CheckSettings.demand(arguments)
        sendsProbes = arguments.has("probe")
        state = arguments.last("state")
        certificateAuthorities = arguments.last("ca-file")
        servers = try CheckSettings.addresses("server", arguments)
        walksDelegation = arguments.has("delegation")
        resolvers = try CheckSettings.addresses("resolver", arguments)
        rootHints = arguments.last("root-hints")
        if !walksDelegation, !resolvers.isEmpty || rootHints != nil {
            throw UsageError("--resolver and --root-hints are for --delegation")
        }
        if !resolvers.isEmpty, rootHints != nil {
            throw UsageError("--resolver and --root-hints: one of them")
        }
        writesJSON = arguments.has("json")
        writesCSV = arguments.has("csv")
        if writesJSON, writesCSV { throw UsageError("--json and --csv: one of them") }
        expectations = arguments.last("expect")
        if expectations != nil, geoData == "none", geofeeds.isEmpty {
            throw UsageError("--expect needs places: --geo-data FILE")
        }
        names = []
        for text in arguments.operands {
            guard let name = DomainName(text) else {
                throw UsageError("\(text) is no domain name")
            }
            names.append(name)
        }
        types = []
        for text in arguments.all("type") {
            guard let type = RRType(text) else {
                throw UsageError("--type \(text): expected a record type, like A, AAAA or TYPE65")
            }
            types.append(type)
        }
        if types.isEmpty { types = [.a] }
        clients = []
        streams = []
        for text in arguments.all("from") { try addClients(text) }
        try readSurvey(arguments)
        if walksDelegation {
            guard survey == nil, clients.isEmpty, streams.isEmpty, servers.isEmpty else {
                throw UsageError(
                    "--delegation looks at zones: NAME is one, and nobody asks (--from)")
            }
            return
        }
        guard survey == nil else { return }
        let isAsked = !clients.isEmpty || !streams.isEmpty
        if isAsked, names.isEmpty {
            throw UsageError("--from needs a NAME to ask for")
        }
        if !names.isEmpty, !isAsked {
            throw UsageError("who asks? give --from IP, --from CIDR or --from @FILE")
        }
    }

    private static func addresses(
        _ option: String, _ arguments: Arguments
    ) throws(UsageError) -> [ListenAddress] {
        var addresses: [ListenAddress] = []
        for text in arguments.all(option) {
            guard let address = ListenAddress(text), address.port != 0 else {
                throw UsageError(
                    "--\(option) \(text): expected an address, and perhaps a port, like "
                        + "192.0.2.53@53 or [2001:db8::53]@53")
            }
            addresses.append(address)
        }
        return addresses
    }

    private static func demand(_ arguments: Arguments) throws(UsageError) -> DemandSetting? {
        guard let text = arguments.last("demand") else { return nil }
        guard let total = Double(text) else { return .file(text) }
        guard total > 0, total.isFinite else {
            throw UsageError("--demand \(text): expected a file, or a number above 0")
        }
        return .total(total)
    }

    private mutating func readSurvey(_ arguments: Arguments) throws(UsageError) {
        var surveys: [Survey] = []
        if arguments.has("matrix") { surveys.append(.matrix) }
        if let path = arguments.last("map") { surveys.append(.map(path)) }
        if let path = arguments.last("rtt") { surveys.append(.roundTrips(path)) }
        if arguments.has("each") { surveys.append(.each) }
        if let zones = arguments.last("compare") { surveys.append(.zones(zones)) }
        if let file = arguments.last("compare-geo") { surveys.append(.geoData(file)) }
        guard surveys.count <= 1 else {
            throw UsageError(
                "--matrix, --map, --rtt, --each, --compare and --compare-geo: one at a time")
        }
        if case .map = surveys.first, names.count != 1 || writesJSON {
            throw UsageError("--map draws one NAME, and no JSON")
        }
        survey = surveys.first
        let isWhatIf = changes.moveClients || !changes.capacities.isEmpty || demand != nil
        if survey == nil, clients.isEmpty, streams.isEmpty, expectations == nil, isWhatIf {
            survey = .whatIf
        }
        if survey == nil, demand != nil {
            guard expectations == nil, servers.isEmpty else {
                throw UsageError(
                    "--demand is for answers to clients and what if, not for --expect or --server")
            }
            guard geoData != nil else {
                throw UsageError("--demand cannot be laid out without --geo-data")
            }
        }
        if survey != nil {
            guard geoData != nil else {
                throw UsageError("the address space cannot be divided without --geo-data")
            }
            guard clients.isEmpty, streams.isEmpty else {
                throw UsageError("--from asks for one client; --matrix and the like take them all")
            }
        }
        if !servers.isEmpty, survey != nil || writesCSV || names.isEmpty {
            throw UsageError("--server needs a NAME to ask for and --from, and no --csv")
        }
        if survey != nil, writesCSV { throw UsageError("--csv is for answers to clients (--from)") }
        movedPortionMax = try arguments.portion("max-moved")
        switch survey {
        case .zones, .geoData: break
        default:
            if movedPortionMax != nil {
                throw UsageError("--max-moved needs --compare or --compare-geo")
            }
        }
    }

    static let clientExpectation =
        "expected an address like 133.11.0.1 or a prefix like 203.0.113.0/24 without bits beyond "
        + "its length"

    private mutating func addClients(_ text: String) throws(UsageError) {
        if text == "-" || text.hasPrefix("@") {
            let path = text == "-" ? text : String(text.dropFirst())
            do throws(Errno) {
                streams.append(try LineStream(path))
            } catch {
                throw UsageError("--from \(text): cannot read \(path): \(error)")
            }
            return
        }
        guard let prefix = Prefix(text) else {
            throw UsageError("--from \(text): \(CheckSettings.clientExpectation)")
        }
        clients.append(prefix)
    }
}
