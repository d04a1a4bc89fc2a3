/// What the command line asks for.
enum Command {
    case help
    case worldCountry(WorldCountryInputs, output: String)
    case fromCSV(input: String, output: String)

    static let usage = """
        usage: geodns-mmdb world-country --ipv4 FILE --ipv6 FILE --zone-tab FILE
                                         [--iso3166-tab FILE] --output FILE
               geodns-mmdb from-csv --input FILE --output FILE

        world-country  Tor's range tables and tzdata's zone.tab become a country database.
                       --iso3166-tab: names of countries; default: beside zone.tab.
        from-csv       Lines prefix,continent,country,subdivision,city,latitude,longitude[,asn]
                       become a city database.

        The database's build time is SOURCE_DATE_EPOCH, or the newest input file's.
        """

    init(_ arguments: ArraySlice<String>) throws(UsageError) {
        guard let verb = arguments.first else { throw UsageError("a command is missing") }
        switch verb {
        case "--help", "-h", "help":
            self = .help
        case "world-country":
            let options = try Options(
                arguments.dropFirst(),
                names: ["--ipv4", "--ipv6", "--zone-tab", "--iso3166-tab", "--output"])
            let zoneTab = try options.required("--zone-tab")
            self = .worldCountry(
                WorldCountryInputs(
                    ipv4: try options.required("--ipv4"), ipv6: try options.required("--ipv6"),
                    zoneTab: zoneTab,
                    names: options.optional("--iso3166-tab") ?? sibling(of: zoneTab)),
                output: try options.required("--output"))
        case "from-csv":
            let options = try Options(arguments.dropFirst(), names: ["--input", "--output"])
            self = .fromCSV(
                input: try options.required("--input"), output: try options.required("--output"))
        default:
            throw UsageError("unknown command '\(verb)'")
        }
    }
}

struct UsageError: Error {
    let message: String

    init(_ message: String) { self.message = message }
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

/// `--name value` and `--name=value`, each name at most once.
private struct Options {
    private var values: [String: String] = [:]

    init(_ arguments: ArraySlice<String>, names: Set<String>) throws(UsageError) {
        var rest = arguments
        while let argument = rest.popFirst() {
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard names.contains(name) else { throw UsageError("unknown argument '\(argument)'") }
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst(), !value.isEmpty
            else { throw UsageError("\(name) needs a value") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw UsageError("\(name) is given twice")
            }
        }
    }

    func optional(_ name: String) -> String? { values[name] }

    func required(_ name: String) throws(UsageError) -> String {
        guard let value = values[name] else { throw UsageError("\(name) is missing") }
        return value
    }
}
