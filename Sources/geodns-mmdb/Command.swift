import Configuration

/// What the command line asks for.
enum Command {
    case worldCountry(WorldCountryInputs, output: String)
    case fromCSV(input: String, output: String)

    static let program = Program(
        name: "geodns-mmdb", summary: "Builds location databases for geodns.",
        operands: "COMMAND",
        commands: [
            Program.Command(
                "world-country",
                "Tor's range tables and tzdata's zone.tab become a country database"),
            Program.Command(
                "from-csv",
                "lines prefix,continent,country,subdivision,city,latitude,longitude[,asn] become "
                    + "a city database"),
        ],
        options: [
            Option("output", "FILE", "the database to write"),
            Option("input", "FILE", "from-csv: the lines"),
            Option("ipv4", "FILE", "world-country: Tor's table of IPv4 ranges"),
            Option("ipv6", "FILE", "world-country: Tor's table of IPv6 ranges"),
            Option("zone-tab", "FILE", "world-country: tzdata's zone.tab, for coordinates"),
            Option(
                "iso3166-tab", "FILE",
                "world-country: names of countries (default: iso3166.tab beside zone.tab)"),
        ],
        notes: [
            "The database's build time is SOURCE_DATE_EPOCH, or the newest input file's.",
            "Exit status: 0 written, 1 a file is at fault, 2 wrong usage.",
        ])

    init(_ arguments: Arguments) throws(UsageError) {
        guard let verb = arguments.operands.first else {
            throw UsageError("a command is missing")
        }
        guard arguments.operands.count == 1 else {
            throw UsageError("unknown argument '\(arguments.operands[1])'")
        }
        func required(_ option: String) throws(UsageError) -> String {
            guard let value = arguments.last(option), !value.isEmpty else {
                throw UsageError("\(verb): --\(option) is missing")
            }
            return value
        }
        switch verb {
        case "world-country":
            let zoneTab = try required("zone-tab")
            self = .worldCountry(
                WorldCountryInputs(
                    ipv4: try required("ipv4"), ipv6: try required("ipv6"), zoneTab: zoneTab,
                    names: arguments.last("iso3166-tab") ?? sibling(of: zoneTab)),
                output: try required("output"))
        case "from-csv":
            self = .fromCSV(input: try required("input"), output: try required("output"))
        default:
            throw UsageError("unknown command '\(verb)'")
        }
    }
}

/// Paths of `world-country`.
struct WorldCountryInputs {
    let ipv4: String
    let ipv6: String
    let zoneTab: String
    let names: String
}

/// `iso3166.tab` in the same directory.
private func sibling(of zoneTab: String) -> String {
    guard let slash = zoneTab.lastIndex(of: "/") else { return "iso3166.tab" }
    return zoneTab[...slash] + "iso3166.tab"
}
