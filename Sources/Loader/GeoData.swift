package import Addressing
package import Diagnostics
package import GeoSources
package import Geography
import ZoneFile

/// All that tells where clients are: a location database, and geofeeds that correct it.
package struct GeoData: LocationSource {
    /// The database's; nil: there is none.
    package let metadata: MaxMindDatabase.Metadata?
    package let places: [Place]
    /// Lines of geofeeds.
    package let correctionCount: Int
    private let ipv4: Partition
    private let ipv6: Partition
    private let systemFiles: SystemFiles?
    private let corrections: [Prefix: SourceLocation]
    /// Lengths of their prefixes, the longest first.
    private let correctionLengths: [Int]

    /// Nothing is known: every client's place is unknown, and names answer in the order their
    /// targets are written.
    package static let none = GeoData(nil, corrections: [])

    package var isNone: Bool { metadata == nil && correctionCount == 0 }

    /// `path` is a database or the directory that it is in, nil: none; `geofeeds` are files. Nil
    /// where anything is an error. `noted` is told of the files.
    package static func load(
        _ path: String?, geofeeds: [String] = [], noting noted: ReadFiles? = nil
    ) -> (data: GeoData?, diagnostics: [Diagnostic]) {
        if let path {
            if (try? FileSystem.isDirectory(path)) == true {
                noted?.note(folder: path)
            } else {
                noted?.note(path, FileSystem.stamp(of: path))
            }
        }
        for file in geofeeds { noted?.note(file, FileSystem.stamp(of: file)) }
        var diagnostics: [Diagnostic] = []
        var database: MaxMindDatabase?
        if let path {
            do throws(GeoSourceError) {
                database = try MaxMindDatabase.load(path: path)
            } catch {
                diagnostics.append(Diagnostic(.error, at: nil, "\(error)"))
            }
        }
        let (entries, problems) = read(geofeeds)
        diagnostics += problems
        guard !diagnostics.hasErrors else { return (nil, diagnostics) }
        let known = KnownPlaces(entries.isEmpty ? [] : database?.places ?? [])
        if database != nil { diagnostics += known.doubts(about: entries) }
        let corrections = entries.map { (entry: $0, place: known.place(of: $0)) }
        return (GeoData(database, corrections: corrections), diagnostics)
    }

    private static func read(
        _ geofeeds: [String]
    ) -> (entries: [GeofeedEntry], diagnostics: [Diagnostic]) {
        var entries: [GeofeedEntry] = []
        var diagnostics: [Diagnostic] = []
        var known: [Prefix: SourceLocation] = [:]
        for file in geofeeds {
            do throws(FileError) {
                let (found, problems) = parseGeofeed(try FileSystem.read(file), file: file)
                diagnostics += problems
                for entry in found {
                    if let first = known[entry.prefix] {
                        let what =
                            "\(entry.prefix) is in another feed already, at \(first); one of the "
                            + "two must go"
                        diagnostics.append(Diagnostic(.error, at: entry.location, what))
                    }
                    if IPAddress.embeddingPrefixes.contains(where: { $0.contains(entry.prefix) }) {
                        let what =
                            "addresses in \(entry.prefix) are looked up as the IPv4 addresses that "
                            + "they carry, so this says nothing; write the IPv4 prefix"
                        diagnostics.append(Diagnostic(.warning, at: entry.location, what))
                    }
                }
                for entry in found { known[entry.prefix] = entry.location }
                entries += found
            } catch {
                diagnostics.append(Diagnostic(.error, at: nil, "geofeed: \(error)"))
            }
        }
        return (entries, diagnostics)
    }

    private init(_ database: MaxMindDatabase?, corrections: [(entry: GeofeedEntry, place: Place)]) {
        var places = database?.places ?? [.unknown]
        var overrides: [PrefixOverride] = []
        if !corrections.isEmpty {
            var indexes = Dictionary(
                places.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            for (entry, place) in corrections {
                let index = indexes[place] ?? places.count
                if index == places.count {
                    indexes[place] = index
                    places.append(place)
                }
                overrides.append(PrefixOverride(entry.prefix, line: index))
            }
        }
        metadata = database?.metadata
        systemFiles = database?.systemFiles
        self.places = places
        ipv4 = (database?.partition(of: .ipv4) ?? .unknown(.ipv4)).corrected(by: overrides)
        ipv6 = (database?.partition(of: .ipv6) ?? .unknown(.ipv6)).corrected(by: overrides)
        correctionCount = corrections.count
        self.corrections = Dictionary(
            corrections.map { ($0.entry.prefix, $0.entry.location) },
            uniquingKeysWith: { first, _ in first })
        correctionLengths = Set(corrections.map(\.entry.prefix.length)).sorted(by: >)
    }

    package func partition(of family: IPAddress.Family) -> Partition {
        family == .ipv4 ? ipv4 : ipv6
    }

    package func autonomousSystems() throws(NoAutonomousSystems) -> AutonomousSystems {
        guard let systemFiles else { throw .noDatabase }
        return try systemFiles.autonomousSystems()
    }

    /// The same for accounts, where they are at hand: nil where it is unlikely that any is found.
    package var systemsAtHand: AutonomousSystems? {
        systemFiles?.isPromising == true ? try? autonomousSystems() : nil
    }

    /// The line of a geofeed that says where an address is, and its prefix; nil: the database says.
    package func correction(of address: IPAddress) -> (prefix: Prefix, line: SourceLocation)? {
        let (looked, offset) = address.embeddedIPv4 ?? (address, 0)
        for length in correctionLengths where length <= looked.family.bitCount {
            guard let line = corrections[Prefix(looked, length: length)] else { continue }
            return (Prefix(address, length: offset + length), line)
        }
        return nil
    }
}

/// Coordinates and continents that a database has for countries, subdivisions and cities: a geofeed
/// has none.
private struct KnownPlaces {
    private struct Found {
        var place: Place
        /// The database has it for all of the area, not for some place within.
        var isWhole: Bool
    }

    /// By ISO 3166 code, or that, a slash and a name in lower case.
    private var areas: [String: Found] = [:]

    init(_ places: [Place]) {
        for place in places where place.coordinates != nil {
            guard let country = place.country else { continue }
            let subdivision = place.subdivision
            note(country, place, isWhole: subdivision == nil && place.city == nil)
            if let subdivision { note(subdivision, place, isWhole: place.city == nil) }
            guard let city = place.city?.lowercased() else { continue }
            for area in [country, subdivision].compactMap(\.self) {
                note("\(area)/\(city)", place, isWhole: true)
            }
        }
    }

    private mutating func note(_ area: String, _ place: Place, isWhole: Bool) {
        guard let known = areas[area], known.isWhole || !isWhole else {
            areas[area] = Found(place: place, isWhole: isWhole)
            return
        }
    }

    /// Of the narrowest area that the database has.
    func place(of entry: GeofeedEntry) -> Place {
        guard let country = entry.country else { return .unknown }
        let area = entry.subdivision ?? country
        let cityKey = entry.city.map { "\(area)/\($0.lowercased())" }
        let found = [cityKey, entry.subdivision, country].compactMap(\.self)
            .lazy.compactMap { areas[$0] }.first
        return Place(
            continent: areas[country]?.place.continent, country: country,
            subdivision: entry.subdivision, city: entry.city,
            coordinates: found?.place.coordinates)
    }

    /// Once for each country.
    func doubts(about entries: [GeofeedEntry]) -> [Diagnostic] {
        var reported: Set<String> = []
        return entries.compactMap { entry in
            guard let country = entry.country, areas[country] == nil,
                reported.insert(country).inserted
            else { return nil }
            return Diagnostic(
                .warning, at: entry.location,
                "the location database has no place in \(country), so these clients have no "
                    + "coordinates: by distance they are as good as unknown")
        }
    }
}
