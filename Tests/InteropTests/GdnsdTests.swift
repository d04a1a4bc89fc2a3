import Addressing
import DNSWire
import DatabaseBuilder
import Foundation
import TestSupport
import Testing

extension Interop {
    /// gdnsd and `geodnsd` with the same database, datacenters, lists and networks, and the same
    /// questions to both.
    @Suite(.needs(.gdnsd)) struct BesideGdnsd {
        /// The world as `make geo-data` builds it: 1.13 million networks, and an order of
        /// datacenters for each of 249 countries.
        @Test(
            .enabled(
                if: FileManager.default.fileExists(atPath: SteeringPair.worldDatabase),
                "geo-data/world-country.mmdb is missing: make geo-data"))
        func theWorldAndAListForEachCountry() throws {
            var generator = SeededGenerator(seed: 6)
            let lists = RegionLists(&generator, countries: RegionLists.allCountries)
            let pair = try SteeringPair(
                lists: lists, database: Data(contentsOf: URL(filePath: SteeringPair.worldDatabase)))
            try pair.expectAgreement(over: (0..<50_000).map { _ in generator.clientSubnet() })
        }

        /// States and cities, which a database of countries has not, and nested networks.
        @Test func statesCitiesAndNetworks() throws {
            var generator = SeededGenerator(seed: 7)
            var database = DatabaseBuilder()
            for _ in 0..<3_000 {
                let subnet = generator.clientSubnet()
                let length = generator.number(subnet.address.family == .ipv4 ? 8...28 : 20...64)
                let prefix = Prefix(subnet.address, length: min(length, subnet.length))
                let place = database.intern(generator.place().value)
                database.insert(prefix, place)
            }
            let lists = RegionLists(
                &generator, countries: ["US", "CA", "DE", "JP"], isDetailed: true)
            let pair = try SteeringPair(
                lists: lists,
                database: Data(
                    try database.encode(
                        .init(databaseType: "geodns-City", description: "Test", buildEpoch: 1))))
            try pair.expectAgreement(over: (0..<50_000).map { _ in generator.clientSubnet() })
        }
    }
}

/// Where datacenters stand, and in which order the clients of a place are to have them.
private struct RegionLists {
    static let regions: [(name: String, latitude: Double, longitude: Double)] = [
        ("iad", 38.95, -77.45), ("sjc", 37.36, -121.93), ("gru", -23.43, -46.47),
        ("lhr", 51.47, -0.45), ("fra", 50.03, 8.57), ("jnb", -26.13, 28.23),
        ("nrt", 35.76, 140.39), ("syd", -33.95, 151.18),
    ]
    /// Every country of ISO 3166-1.
    static let allCountries: [String] = {
        let letters = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { Character(UnicodeScalar($0)) }
        return letters.flatMap { first in letters.map { String([first, $0]) } }
            .filter { CountryTables.continent(of: $0) != nil }
    }()
    static let states = ["CA", "TX", "ON", "BE"]
    static let cities = ["Alpha", "Beta", "Gamma"]

    /// Selectors of a MAP line, and where they stand in the tree of a gdnsd map.
    var places: [(selector: String, path: [String], order: [String])] = []
    var networks: [(prefix: Prefix, order: [String])] = []

    init(
        _ generator: inout SeededGenerator, countries: [String], isDetailed: Bool = false
    ) {
        func order() -> [String] {
            Array(Self.regions.map(\.name).shuffled(using: &generator).prefix(3))
        }
        places.append(("default", [], order()))
        for continent in Set(countries.compactMap(CountryTables.continent)).sorted() {
            places.append(("continent=" + continent, [continent], order()))
        }
        for country in countries {
            guard let continent = CountryTables.continent(of: country) else { continue }
            places.append(("country=" + country, [continent, country], order()))
            for state in isDetailed ? Self.states : [] {
                let path = [continent, country, state]
                places.append(("subdivision=\(country)-\(state)", path, order()))
                // The third city has no line of its own.
                for city in Self.cities.prefix(2) {
                    let selector = "city=\(country)-\(state)/\(city)"
                    places.append((selector, path + [city], order()))
                }
            }
        }
        var seen: Set<Prefix> = []
        while networks.count < (isDetailed ? 300 : 50) {
            let subnet = generator.clientSubnet()
            let length = generator.number(subnet.address.family == .ipv4 ? 6...26 : 18...60)
            var prefix = Prefix(subnet.address, length: min(length, subnet.length))
            // Every other inside of one that is there.
            if let outer = networks.randomElement(using: &generator), generator.once(in: 2) {
                let inner = min(
                    outer.prefix.length + generator.number(0...6), outer.prefix.family.bitCount)
                prefix = Prefix(generator.address(in: outer.prefix), length: inner)
            }
            // gdnsd wants the IPv4 network instead.
            guard prefix.address.bits >> 112 != 0x2002 || prefix.family == .ipv4 else { continue }
            if seen.insert(prefix).inserted { networks.append((prefix, order())) }
        }
    }

    /// Lines of the zone language.
    var mapLines: String {
        (places.map { ($0.selector, $0.order) }
            + networks.map { ("net=\($0.prefix)", $0.order) })
            .map { "atlas MAP \($0.0) \($0.1.joined(separator: " "))\n" }.joined()
    }

    /// `map` and `nets` of a gdnsd map: the tree of places, each node's own order its `default`.
    var gdnsdMap: String {
        func node(_ path: [String]) -> String {
            let own = places.first { $0.path == path }.map { list($0.order) }
            let children = places.filter {
                $0.path.count == path.count + 1 && $0.path.starts(with: path)
            }
            if children.isEmpty, let own { return own }
            let inner = children.compactMap { child in
                child.path.last.map { "\"\($0)\" => \(node(child.path))" }
            }
            return "{ " + (["default => " + (own ?? "[]")] + inner).joined(separator: ", ") + " }"
        }
        let nets = networks.map { "\($0.prefix) => \(list($0.order))" }
        return "map => \(node([])), nets => { \(nets.joined(separator: ", ")) }"
    }

    private func list(_ order: [String]) -> String { "[" + order.joined(separator: ", ") + "]" }
}

extension SeededGenerator {
    /// A client's prefix as resolvers pass it on, whole addresses too: anywhere in unicast IPv4,
    /// and in the parts of IPv6 that the registries give out.
    fileprivate mutating func clientSubnet() -> Prefix {
        if once(in: 2) {
            let address = UInt32(number(1...223)) << 24 | UInt32(number(0...0xff_ffff))
            return Prefix(IPAddress(ipv4: address), length: pick([24, 32]))
        }
        let first = pick([
            0x2001, 0x2002, 0x2400 + number(0...15), 0x2600 + number(0...7), 0x2800,
            0x2a00 + number(0...15), 0x2c0f,
        ])
        let low = UInt128.random(in: 0...UInt128.max >> 16, using: &self)
        return Prefix(IPAddress(ipv6: UInt128(first) << 112 | low), length: pick([56, 128]))
    }

    /// What a City database may say, with gaps.
    fileprivate mutating func place() -> LocationRecord {
        var place = LocationRecord()
        if once(in: 20) { return place }
        let country = pick(["US", "CA", "DE", "JP", "FR", "BR"])
        place.continent = CountryTables.continent(of: country)
        if once(in: 10) { return place }
        place.country = country
        // Never without: where gdnsd takes the order as written, we take the country's coordinates
        // from its other records.
        (place.latitude, place.longitude) = (
            Double(number(-900...900)) / 10, Double(number(-1800...1800)) / 10
        )
        if once(in: 3) { return place }
        place.subdivision = pick(RegionLists.states)
        if once(in: 3) { return place }
        place.city = pick(RegionLists.cities)
        return place
    }
}

/// A `geodnsd` and a gdnsd that should answer alike: `near` goes to the nearest datacenter,
/// `listed` by the lists.
private struct SteeringPair {
    static let worldDatabase = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "geo-data/world-country.mmdb").path
    private static let zoneName = "gslb.example.com"
    private static let head = """
        $TTL 1h
        @ SOA ns1 hostmaster 1 2h 30m 2w 1m
          NS ns1
        ns1 A 192.0.2.53

        """

    private let ours: TestServer
    private let folder: TemporaryFolder
    private let theirs: RunningProcess
    private let theirPort: UInt16

    init(lists: RegionLists, database: Data) throws {
        folder = try TemporaryFolder()
        let path = folder.path + "/city.mmdb"
        try Self.readableByGdnsd(database).write(to: URL(filePath: path))
        let names = RegionLists.regions.map(\.name)
        let regions = RegionLists.regions.enumerated().map { number, region in
            "\(region.name) REGION \(region.latitude) \(region.longitude)\n"
                + " A 198.51.100.\(number + 1)\n"
        }
        ours = try TestServer(
            zones: [
                (
                    Self.zoneName + ".zone",
                    Self.head + regions.joined() + lists.mapLines
                        + "near GEO nearest \(names.joined(separator: " "))\nlisted GEO map=atlas\n"
                )
            ],
            geoData: path)
        let places = RegionLists.regions.map { "\($0.name) => [\($0.latitude), \($0.longitude)]" }
        let targets = names.enumerated().map {
            "\($0.element) => { addrs_v4 => { a => 198.51.100.\($0.offset + 1) } }"
        }
        let datacenters = "datacenters => [\(names.joined(separator: ", "))]"
        theirPort = freePort(on: "127.0.0.1")
        try folder.write(
            """
            options => {
              listen => 127.0.0.1:\(theirPort), udp_threads => 1, tcp_threads => 1,
              run_dir => \(folder.path)/run, state_dir => \(folder.path)/state
            }
            plugins => { geoip => {
              maps => {
                near => {
                  geoip2_db => \(path), \(datacenters), auto_dc_limit => 0,
                  auto_dc_coords => { \(places.joined(separator: ", ")) }
                }
                listed => { geoip2_db => \(path), \(datacenters), \(lists.gdnsdMap) }
              }
              resources => {
                near => { map => near, dcmap => { \(targets.joined(separator: ", ")) } }
                listed => { map => listed, dcmap => { \(targets.joined(separator: ", ")) } }
              }
            } }

            """, to: "etc/config")
        try folder.write(
            Self.head + "near 30 DYNA geoip!near\nlisted 30 DYNA geoip!listed\n",
            to: "etc/zones/" + Self.zoneName)
        for name in ["run", "state"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/\(name)", withIntermediateDirectories: false)
        }
        theirs = try RunningProcess(
            try #require(Needed.gdnsd.path), ["-c", folder.path + "/etc", "start"])
        guard theirs.waitForOutput("DNS listeners started") else {
            theirs.stop()
            throw NotReady(description: theirs.text)
        }
    }

    /// gdnsd takes coordinates only from a database whose type has "City" in its name: another
    /// type, of the same length.
    private static func readableByGdnsd(_ database: Data) -> Data {
        var database = database
        let (own, city) = (Data("geodns-World-Country".utf8), Data("geodns-City-AsCountry".utf8))
        if let place = database.range(of: own, options: .backwards) {
            database.replaceSubrange(place, with: city.prefix(own.count))
        }
        return database
    }

    /// The same target for every client, and a scope of ours that is never longer than theirs,
    /// unless theirs takes in networks of which no client can come: to those the resolver's place
    /// counts with us, and scopes must not overlap (RFC 7871 §7.2.1).
    func expectAgreement(over subnets: [Prefix]) throws {
        defer { theirs.stop() }
        for name in ["near", "listed"] {
            let domain = try #require(DomainName("\(name).\(Self.zoneName)"))
            let own = try AnswerStream(port: ours.port).ask(domain, of: subnets)
            let other = try AnswerStream(port: theirPort).ask(domain, of: subnets)
            var differences: [String] = []
            for (index, subnet) in subnets.enumerated() {
                let (own, other) = (own[index], other[index])
                let isLonger =
                    if let own, let other, own.scope > other.scope {
                        !isNearSpecialPrefix(subnet.address, Int(other.scope))
                    } else { false }
                if own == nil || own?.address != other?.address || isLonger {
                    differences.append(
                        "\(name) \(subnet): \(own.map(String.init(describing:)) ?? "-") and "
                            + "\(other.map(String.init(describing:)) ?? "-")")
                }
            }
            #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(20))")
        }
    }

    /// Whether the network so wide around an address holds any of those, or lies in one.
    private func isNearSpecialPrefix(_ address: IPAddress, _ scope: Int) -> Bool {
        let (address, scope) =
            address.embeddedIPv4.map { ($0.address, max(scope - $0.offset, 0)) }
            ?? (address, scope)
        let network = Prefix(address.masked(to: scope), length: scope)
        return IPAddress.specialPrefixes.contains {
            network.contains($0) || $0.contains(address)
        }
    }
}

/// Many queries over one socket, with a bounded number on their way.
private struct AnswerStream {
    /// One address, and the scope of the client subnet.
    struct Answer: Equatable {
        var address: [UInt8]
        var scope: UInt8
    }

    private static let onTheirWay = 64
    let port: UInt16

    /// The answer for each subnet; nil where none came that could be read.
    func ask(_ name: DomainName, of subnets: [Prefix]) throws -> [Answer?] {
        let socket = try #require(DNSClient(port: port).datagramSocket(seconds: 2))
        defer { close(socket) }
        var answers: [Answer?] = Array(repeating: nil, count: subnets.count)
        var buffer = [UInt8](repeating: 0, count: 4096)
        for start in stride(from: 0, to: subnets.count, by: Self.onTheirWay) {
            let window = start..<min(start + Self.onTheirWay, subnets.count)
            for index in window {
                let subnet = subnets[index]
                let query = Message.query(
                    name, .a, identifier: UInt16(truncatingIfNeeded: index),
                    subnet: (subnet.address.bytes, UInt8(subnet.length)))
                try #require(send(socket, query, query.count, 0) == query.count)
            }
            let start = 12 + name.wire.count + 4
            for _ in window {
                let count = recv(socket, &buffer, buffer.count, 0)
                guard count >= 12 else { break }
                let low = Int(buffer[0]) << 8 | Int(buffer[1])
                guard let index = window.first(where: { $0 & 0xffff == low }) else { continue }
                answers[index] = Self.answer(in: buffer[..<count], at: start)
            }
        }
        return answers
    }

    /// Of a response with one A record under a pointer, and an OPT record with one option.
    private static func answer(in response: ArraySlice<UInt8>, at start: Int) -> Answer? {
        let opt = start + 16
        guard response.count >= opt + 19, response[start] >= 0xc0, response[7] == 1,
            response[opt + 2] == RRType.opt.rawValue, response[opt + 12] == 8
        else { return nil }
        return Answer(
            address: Array(response[start + 12..<start + 16]), scope: response[opt + 18])
    }
}
