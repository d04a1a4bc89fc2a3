import Addressing
import DatabaseBuilder
import Foundation
import Geography
import Loader
import TestSupport
import Testing

/// A location database with a subdivision and a city, and what geofeeds make of it.
private struct Corrected {
    let folder: TemporaryFolder
    let databaseFile: String

    init() throws {
        folder = try TemporaryFolder()
        var builder = DatabaseBuilder()
        let rows: [(String, LocationRecord)] = [
            ("192.0.2.0/24", place("US", "NA", 37.75, -97.82)),
            ("198.51.100.0/24", place("DE", "EU", 51, 10)),
            ("203.0.113.0/24", place("JP", "AS", 35.69, 139.69)),
            ("10.0.0.0/16", place("US", "NA", 32.78, -96.8, "TX", "Dallas")),
            ("10.1.0.0/16", place("US", "NA", 34.05, -118.24, "CA", "Los Angeles")),
            ("10.2.0.0/16", place("US", "NA", 36.5, -119.5, "CA")),
            ("2001:db8:2::/48", place("DE", "EU", 51, 10)),
        ]
        for (prefix, record) in rows {
            builder.insert(try #require(Prefix(prefix)), record.value)
        }
        let bytes = try builder.encode(
            .init(databaseType: "Test-City", description: "", buildEpoch: 1_700_000_000))
        databaseFile = try folder.write(bytes, to: "world.mmdb")
    }

    func load(_ feeds: String...) throws -> (data: GeoData?, problems: [String]) {
        let files = try feeds.enumerated().map { try folder.write($1, to: "feed\($0).csv") }
        let (data, problems) = GeoData.load(databaseFile, geofeeds: files)
        let words = problems.map {
            $0.description.replacingOccurrences(of: folder.path + "/", with: "")
        }
        return (data, words)
    }
}

private func place(
    _ country: String, _ continent: String, _ latitude: Double, _ longitude: Double,
    _ subdivision: String? = nil, _ city: String? = nil
) -> LocationRecord {
    LocationRecord(
        continent: continent, country: country, subdivision: subdivision, city: city,
        latitude: latitude, longitude: longitude)
}

extension GeoData {
    fileprivate func place(_ address: String) throws -> Place {
        places[lookup(try #require(IPAddress(address))).place]
    }
}

@Suite struct GeofeedsAndTheDatabase {
    private let corrected: Corrected

    init() throws { corrected = try Corrected() }

    /// A feed has no coordinates: they are the city's, else the subdivision's, else the country's.
    @Test func coordinatesComeFromTheDatabase() throws {
        let (data, problems) = try corrected.load(
            """
            203.0.113.0/26,US,US-TX,dallas,
            203.0.113.64/26,US,US-CA,Sacramento,
            203.0.113.128/26,US,US-NY,Albany,
            203.0.113.192/26,US,,Los Angeles,
            """)
        #expect(problems == [])
        let geoData = try #require(data)
        func expect(_ address: String, _ subdivision: String?, _ city: String, _ latitude: Double)
            throws
        {
            let place = try geoData.place(address)
            #expect(place.country == "US" && place.continent == "NA")
            #expect(place.subdivision == subdivision && place.city == city)
            #expect(place.coordinates?.latitude == latitude, "\(address)")
        }
        try expect("203.0.113.1", "US-TX", "dallas", 32.78)
        try expect("203.0.113.65", "US-CA", "Sacramento", 36.5)
        try expect("203.0.113.129", "US-NY", "Albany", 37.75)
        try expect("203.0.113.193", nil, "Los Angeles", 34.05)
    }

    /// The longest prefix of all feeds wins over the database, also over longer networks in it.
    @Test func aFeedWinsWhateverTheDatabaseSaysInside() throws {
        let (data, problems) = try corrected.load(
            "10.0.0.0/8,DE\n2001:db8::/32,JP\n", "10.1.0.0/17,JP\n10.1.0.0/24,,,,\n")
        #expect(problems == [])
        let geoData = try #require(data)
        #expect(try geoData.place("10.0.5.1").country == "DE")
        #expect(try geoData.place("10.200.5.1").country == "DE")
        #expect(try geoData.place("10.1.5.1").country == "JP")
        #expect(try geoData.place("10.1.0.1") == .unknown)
        #expect(try geoData.place("10.1.128.1").country == "DE")
        #expect(try geoData.place("2001:db8:2::1").country == "JP")
        #expect(try geoData.place("198.51.100.1").country == "DE")
        #expect(try geoData.place("::ffff:10.1.5.1").country == "JP")
        func line(_ address: String) throws -> String? {
            geoData.correction(of: try #require(IPAddress(address))).map { found in
                let file = found.line.file.split(separator: "/").last ?? ""
                return "\(found.prefix) \(file):\(found.line.line)"
            }
        }
        #expect(try line("10.1.0.1") == "10.1.0.0/24 feed1.csv:2")
        #expect(try line("10.1.5.1") == "10.1.0.0/17 feed1.csv:1")
        #expect(try line("10.9.5.1") == "10.0.0.0/8 feed0.csv:1")
        #expect(try line("64:ff9b::10.9.5.1") == "64:ff9b::a00:0/104 feed0.csv:1")
        #expect(try line("198.51.100.1") == nil)
    }

    /// Against a search from one line to the next.
    @Test(arguments: 0..<8 as Range<UInt64>) func randomFeedsAreWhatASlowSearchFinds(_ seed: UInt64)
        throws
    {
        var random = SeededGenerator(seed: seed)
        var lines: [(prefix: Prefix, country: String)] = []
        while lines.count < 40 {
            let base = random.pick(["10.0.0.0", "10.1.2.0", "203.0.113.0", "198.51.0.0"])
            let bits = UInt128(random.number(0...255)) << UInt128(128 - 24)
            let address = IPAddress(
                leftAligned: try #require(IPAddress(base)).bits ^ bits, family: .ipv4)
            let prefix = Prefix(address, length: random.number(4...32))
            guard !lines.contains(where: { $0.prefix == prefix }) else { continue }
            lines.append((prefix, random.pick(["DE", "JP", "US", ""])))
        }
        let feed = lines.map { "\($0.prefix),\($0.country)\n" }.joined()
        let (data, _) = try corrected.load(feed)
        let geoData = try #require(data)
        let (plain, _) = GeoData.load(corrected.databaseFile)
        for _ in 0..<500 {
            let address = random.address(in: random.pick(lines).prefix)
            let best = lines.filter { $0.prefix.contains(address) }
                .max { $0.prefix.length < $1.prefix.length }
            let country = try #require(best).country
            let found = geoData.lookup(address)
            #expect(geoData.places[found.place].country ?? "" == country, "\(address)\n\(feed)")
            #expect(geoData.correction(of: address)?.prefix == best?.prefix)
        }
        // What no line names is as the database has it; the leaves are still a partition.
        for _ in 0..<500 {
            let address = IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
            guard !lines.contains(where: { $0.prefix.contains(address) }) else { continue }
            let before = plain.map { $0.places[$0.lookup(address).place] }
            #expect(geoData.places[geoData.lookup(address).place] == before)
        }
        for family in IPAddress.Family.allCases {
            var next: UInt128 = 0
            geoData.forEachLeaf(of: family) { bits, length, _ in
                #expect(bits == next)
                next = length == 0 ? 0 : bits &+ (1 << UInt128(128 - length))
            }
            #expect(next == 0)
        }
    }

    @Test func whatIsWrongIsSaidWithItsPlace() throws {
        #expect(
            try corrected.load("192.0.2.0/24,DE,FR-1\n", "::/0,XX\n").problems == [
                "feed0.csv:1:17: error: the region FR-1 is not in the country DE"
            ])
        let twice = try corrected.load("192.0.2.0/24,DE\n", "# mine\n192.0.2.0/24,FR\n")
        #expect(twice.data == nil)
        #expect(
            twice.problems == [
                "feed1.csv:2:1: error: 192.0.2.0/24 is in another feed already, at feed0.csv:1:1; one of the "
                    + "two must go"
            ])
        let doubtful = try corrected.load("192.0.2.0/24,NZ\n192.0.2.0/25,NZ\n::ffff:0:0/96,DE\n")
        #expect(doubtful.data != nil)
        #expect(doubtful.problems.count == 2)
        func warns(_ words: String) -> Bool { doubtful.problems.contains { $0.hasPrefix(words) } }
        #expect(warns("feed0.csv:1:1: warning: the location database has no place in NZ"))
        #expect(warns("feed0.csv:3:1: warning: addresses in ::ffff:"))
        let (missing, problems) = GeoData.load(nil, geofeeds: ["/nonexistent/own.csv"])
        #expect(missing == nil)
        #expect(
            problems.map(\.description) == [
                "error: geofeed: cannot read /nonexistent/own.csv: No such file or directory"
            ])
    }

    /// Without a database countries are known, and nothing of where they are.
    @Test func aFeedAloneTellsCountries() throws {
        let file = try corrected.folder.write("192.0.2.0/24,DE,DE-BE,Berlin,\n", to: "own.csv")
        let (data, problems) = GeoData.load(nil, geofeeds: [file])
        #expect(problems == [])
        let geoData = try #require(data)
        #expect(
            try geoData.place("192.0.2.1")
                == Place(country: "DE", subdivision: "DE-BE", city: "Berlin"))
        #expect(try geoData.place("192.0.3.1") == .unknown)
        #expect(geoData.metadata == nil && !geoData.isNone)
    }
}

/// What the programs make of systems and geofeeds.
@Suite struct PlacesInThePrograms {
    private let checked: CheckedZone

    init() throws {
        checked = try CheckedZone(
            zoneHead + """
                fra   REGION 50.03 8.57
                      A 198.51.100.20
                nrt   REGION 35.76 140.39
                      A 198.51.100.30
                app   GEO nearest fra nrt
                www   GEO map=atlas
                atlas MAP default     nearest
                      MAP country=JP  nrt
                      MAP asn=64500   fra
                      MAP asn=64999   nrt

                """)
        var builder = DatabaseBuilder()
        builder.insert(
            try #require(Prefix("203.0.113.0/25")),
            LocationRecord(autonomousSystemNumber: 64500).value)
        let bytes = try builder.encode(
            .init(databaseType: "GeoLite2-ASN", description: "", buildEpoch: 1_700_000_000))
        try checked.folder.write(bytes, to: "geo-data/asn.mmdb")
        try checked.folder.write(try smallDatabase(), to: "geo-data/world.mmdb")
        try checked.folder.write("203.0.113.192/26,DE,,,\n203.0.113.128/26,,,,\n", to: "own.csv")
    }

    private var path: String { checked.folder.path }

    private func check(_ words: String...) throws -> (status: Int32?, text: String) {
        let (status, text) = try run(
            "geodns-check", ["--zones", path + "/zones", "--geo-data", path + "/geo-data"] + words)
        return (status, text.replacingOccurrences(of: path + "/", with: ""))
    }

    private func run(_ program: String, _ words: [String]) throws -> (status: Int32?, text: String)
    {
        try RunningProcess.run(Programs.own(program), words)
    }

    @Test func theAccountTellsTheSystem() throws {
        let (status, text) = try check("--from", "203.0.113.7", "www.example.com")
        #expect(status == 0)
        #expect(
            text.contains(
                "zones/example.com.zone:14:7: warning: AS64999 has no network in the database of "
                    + "autonomous systems: this line is for nobody"))
        #expect(
            text.contains(
                "203.0.113.0/24 of Test-City: JP, continent AS, 35.69 139.69, AS64500\n"))
        #expect(text.contains("scope      /25: holds for 203.0.113.0/25"))
        #expect(text.contains("198.51.100.20"))
        let json = try check(
            "--json", "--from", "203.0.113.7", "--from", "203.0.113.200", "www.example.com")
        #expect(json.text.contains(#""longitude":139.69,"asn":64500},"candidates""#))
        #expect(json.text.contains(#""longitude":139.69},"candidates""#))
    }

    @Test func theAccountTellsTheLineOfAGeofeed() throws {
        let feed = ["--geofeed", path + "/own.csv"]
        let placed = try check(feed[0], feed[1], "--from", "203.0.113.200", "app.example.com")
        #expect(
            placed.text.contains("203.0.113.192/26 of own.csv:1:1: DE, continent EU, 50.11 8.68\n"))
        #expect(placed.text.contains("198.51.100.20"))
        let unplaced = try check(feed[0], feed[1], "--from", "203.0.113.130", "app.example.com")
        #expect(unplaced.text.contains("203.0.113.128/26 of own.csv:2:1: not to be placed\n"))
        let json = try check(
            feed[0], feed[1], "--json", "--from", "203.0.113.200", "app.example.com")
        #expect(json.text.contains(#""network":"203.0.113.192/26""#))
        #expect(json.text.contains(#""longitude":8.68,"geofeed":""#))
        #expect(json.text.contains(#"own.csv:1:1"},"candidates""#))
        // Lines of a batch are told apart by it.
        let clients = try checked.folder.write(
            "203.0.113.7\n203.0.113.200\n203.0.113.130\n", to: "clients")
        let batch = try check(
            feed[0], feed[1], "--json", "--from", "@" + clients, "app.example.com")
        let lines = batch.text.split(separator: "\n").filter { $0.hasPrefix("{") }
        #expect(lines.count == 3)
        #expect(lines[0].contains(#""asn":64500"#) && !lines[0].contains("geofeed"))
        #expect(lines[1].contains("own.csv:1:1") && lines[2].contains("own.csv:2:1"))
        // All clients at once go by it, too.
        let matrix = try check(feed[0], feed[1], "--matrix", "app.example.com")
        #expect(matrix.status == 0)
        #expect(matrix.text.contains("DE"))
    }

    @Test func aZoneThatGoesBySystemsWantsThem() throws {
        let (status, text) = try checked.check([])
        #expect(status == 1)
        #expect(
            text.contains(
                "example.com.zone:13:7: error: `asn=` cannot be told: \(path)/world.mmdb: error: no network "
                    + "here is in an autonomous system; put a database of them (.mmdb of an ASN type) "
                    + "beside the location database"))
    }

    @Test func theServerTakesBoth() throws {
        let server = try TestServer(
            zones: [
                (
                    "example.com.zone",
                    try String(contentsOfFile: path + "/zones/example.com.zone", encoding: .utf8)
                )
            ], geoData: path + "/geo-data", arguments: ["--geofeed", path + "/own.csv"])
        func answers(_ name: String, _ subnet: String) -> [String]? {
            server.client.addresses(name, subnet: subnet)
        }
        #expect(answers("www.example.com", "203.0.113.7/32") == ["198.51.100.20"])
        #expect(answers("app.example.com", "203.0.113.7/32") == ["198.51.100.30"])
        #expect(answers("app.example.com", "203.0.113.200/32") == ["198.51.100.20"])
        #expect(try server.control("status").text.contains("; 2 lines of geofeeds\n"))
        // A mistake in a feed changes nothing.
        try checked.folder.write("203.0.113.192/26,GERMANY\n", to: "own.csv")
        let failed = try server.control("reload")
        #expect(failed.status == 1)
        #expect(failed.text.contains("own.csv:1:18: error: country is a two-letter code"))
        #expect(answers("app.example.com", "203.0.113.200/32") == ["198.51.100.20"])
        try checked.folder.write("203.0.113.192/26,JP\n", to: "own.csv")
        #expect(try server.control("reload").status == 0)
        #expect(answers("app.example.com", "203.0.113.200/32") == ["198.51.100.30"])
        // As does a database of systems that is gone.
        try FileManager.default.removeItem(atPath: path + "/geo-data/asn.mmdb")
        #expect(try server.control("reload").status == 1)
        #expect(answers("www.example.com", "203.0.113.7/32") == ["198.51.100.20"])
    }
}
