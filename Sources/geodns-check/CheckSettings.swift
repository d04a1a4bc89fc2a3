import Addressing
import Configuration
import DNSWire
import Loader

/// What `geodns-check` is told on its command line.
struct CheckSettings {
    var zones: String
    /// Nil: every client's place is unknown.
    var geoData: String?
    var names: [DomainName]
    var types: [RRType]
    var clients: [Prefix]
    /// Labels of regions and targets that count as down.
    var down: [String]
    /// A file of what clients must get.
    var expectations: String?
    var writesJSON: Bool
    /// What is wanted besides answers to clients; nil: nothing.
    var survey: Survey?

    /// A look at the whole address space.
    enum Survey: Equatable {
        /// Who is sent where.
        case matrix
        /// One target after the other is taken as down.
        case each
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
            Option("type", "TYPE", mayRepeat: true, "record type asked for (default A)"),
            Option(
                "from", "IP|CIDR|@FILE", mayRepeat: true,
                "client the query comes from; @FILE: one to a line"),
            Option("down", "TARGET", mayRepeat: true, "take this region or target as down"),
            Option("matrix", nil, "who is sent where: every country, and what its addresses get"),
            Option(
                "each", nil,
                "take one target after the other as down: who moves where, and what nobody takes over"
            ),
            Option(
                "compare", "ZONES",
                "how much of the address space gets other answers with these zones"),
            Option("compare-geo", "FILE|DIR", "the same, with this location database"),
            Option("max-moved", "PERCENT", "more than this gets other answers: exit status 1"),
            Option(
                "expect", "FILE",
                "what clients must get, `CLIENT NAME TYPE -> ANSWER…` a line; ZONE.expect beside a zone is "
                    + "always looked at"),
            Option("json", nil, "JSON, one object to a line (docs/json.md)"),
        ],
        notes: [
            "Without NAME the zones are checked, and every problem is shown as file:line:column; "
                + "--matrix, --each and --compare take all GEO names.",
            "No probe is sent: every target counts as up but those given with --down.",
            "Exit status: 0 fine, 1 errors were found (--each: a failure that nobody takes over; "
                + "--max-moved: passed), 2 wrong usage.",
        ])

    init(_ arguments: Arguments) throws(UsageError) {
        zones = arguments.last("zones") ?? ServerSettings.defaultZones
        let geoData = arguments.last("geo-data") ?? ServerSettings.defaultGeoData
        self.geoData = geoData == "none" ? nil : geoData
        down = arguments.all("down")
        writesJSON = arguments.has("json")
        expectations = arguments.last("expect")
        if expectations != nil, geoData == "none" {
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
        for text in arguments.all("from") { try addClients(text) }
        try readSurvey(arguments)
        guard survey == nil else { return }
        if !clients.isEmpty, names.isEmpty {
            throw UsageError("--from needs a NAME to ask for")
        }
        if !names.isEmpty, clients.isEmpty {
            throw UsageError("who asks? give --from IP, --from CIDR or --from @FILE")
        }
    }

    private mutating func readSurvey(_ arguments: Arguments) throws(UsageError) {
        var surveys: [Survey] = []
        if arguments.has("matrix") { surveys.append(.matrix) }
        if arguments.has("each") { surveys.append(.each) }
        if let zones = arguments.last("compare") { surveys.append(.zones(zones)) }
        if let file = arguments.last("compare-geo") { surveys.append(.geoData(file)) }
        guard surveys.count <= 1 else {
            throw UsageError("--matrix, --each, --compare and --compare-geo: one at a time")
        }
        survey = surveys.first
        if survey != nil {
            guard geoData != nil else {
                throw UsageError("the address space cannot be divided without --geo-data")
            }
            guard clients.isEmpty else {
                throw UsageError("--from asks for one client; --matrix and the like take them all")
            }
        }
        guard let text = arguments.last("max-moved") else { return }
        switch survey {
        case .zones, .geoData: break
        default: throw UsageError("--max-moved needs --compare or --compare-geo")
        }
        let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
        guard let percent = Double(digits), (0...100).contains(percent) else {
            throw UsageError("--max-moved \(text): expected a percentage like 2%, from 0 to 100")
        }
        movedPortionMax = percent / 100
    }

    private mutating func addClients(_ text: String) throws(UsageError) {
        guard text.hasPrefix("@") else {
            guard let prefix = Prefix(text) else {
                throw UsageError(
                    "--from \(text): expected an address like 133.11.0.1 or a prefix like "
                        + "203.0.113.0/24 without bits beyond its length")
            }
            clients.append(prefix)
            return
        }
        let path = String(text.dropFirst())
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(path)
        } catch {
            throw UsageError("--from \(text): \(error)")
        }
        // Bytes, not characters: to a String, CR LF is one character.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var faultCount = 0
        for (index, line) in lines.enumerated() {
            let content = line.prefix { $0 != UInt8(ascii: "#") }.trimmed
            guard !content.isEmpty else { continue }
            let word = String(decoding: content, as: UTF8.self)
            if let prefix = Prefix(word) {
                clients.append(prefix)
            } else {
                let column = 1 + content.startIndex - line.startIndex
                printError(
                    "\(path):\(index + 1):\(column): error: expected an address like 133.11.0.1 or a "
                        + "prefix like 203.0.113.0/24 without bits beyond its length, found "
                        + "'\(word)'")
                faultCount += 1
            }
        }
        if faultCount > 0 {
            throw UsageError(
                "--from \(text): \(faultCount) \(faultCount == 1 ? "line" : "lines") to mend")
        }
    }
}

extension ArraySlice<UInt8> {
    /// Without blanks at both ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        var rest = drop(while: \.isBlank)
        while rest.last?.isBlank == true { rest.removeLast() }
        return rest
    }
}

extension UInt8 {
    /// A blank, a tab or a carriage return.
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0d }
}
