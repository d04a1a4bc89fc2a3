import Addressing
import DNSWire
import DatabaseBuilder
import Geography
import Steering
import TestSupport
import Testing

/// The kind of map that large deployments have: an ordered list for every country, lists for states
/// and cities, networks and autonomous systems besides, on a database of thousands of networks.
private struct CountryTable {
    static let regions = ["iad", "sjc", "gru", "lhr", "fra", "jnb", "nrt", "syd"]
    static let states = ["A", "B", "C"]
    static let cities = ["Alpha", "Beta"]
    /// Every country of ISO 3166-1.
    static let countries: [String] = {
        let letters = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { Character(UnicodeScalar($0)) }
        return letters.flatMap { first in letters.map { String([first, $0]) } }
            .filter { CountryTables.continent(of: $0) != nil }
    }()

    var lists: [String: [String]] = [:]
    var nets: [Prefix: [String]] = [:]
    var places: [Prefix: Place] = [:]
    var systems: [Prefix: UInt32] = [:]

    init(_ random: inout SeededGenerator) {
        func list(_ selector: String) {
            lists[selector] = Array(Self.regions.shuffled(using: &random).prefix(3))
        }
        list("default")
        for continent in ["AF", "AN", "AS", "EU", "NA", "OC", "SA"] {
            list("continent=\(continent)")
        }
        for country in Self.countries {
            if random.number(0...9) > 0 { list("country=\(country)") }
            for state in Self.states where random.number(0...3) == 0 {
                list("subdivision=\(country)-\(state)")
                list("city=\(country)-\(state)/Alpha")
            }
        }
        for number in 0..<200 { list("asn=\(64_500 + number)") }
        while nets.count < 500 {
            nets[prefix(&random, 8...28, 20...56)] = Array(
                Self.regions.shuffled(using: &random).prefix(2))
        }
        while places.count < 4000 { places[prefix(&random, 8...24, 20...48)] = place(&random) }
        while systems.count < 3000 {
            // Some of which no line speaks.
            systems[prefix(&random, 8...24, 20...48)] = UInt32(random.number(64_500...64_799))
        }
    }

    /// In a part of the space, so that much of it nests.
    private func prefix(
        _ random: inout SeededGenerator, _ ipv4: ClosedRange<Int>, _ ipv6: ClosedRange<Int>
    ) -> Prefix {
        let address = CountryTable.address(&random)
        return Prefix(address, length: random.number(address.family == .ipv4 ? ipv4 : ipv6))
    }

    static func address(_ random: inout SeededGenerator) -> IPAddress {
        if random.number(0...2) > 0 {
            return IPAddress(ipv4: 0x5000_0000 | UInt32.random(in: 0...0x07ff_ffff, using: &random))
        }
        let low = UInt128.random(in: 0...UInt128.max, using: &random) >> 24
        return IPAddress(ipv6: 0x2a00 << 112 | low)
    }

    private func place(_ random: inout SeededGenerator) -> Place {
        let country = random.pick(Self.countries)
        var place = Place(continent: CountryTables.continent(of: country), country: country)
        place.coordinates = Coordinates(
            latitude: Double(random.number(-80...80)), longitude: Double(random.number(-180...180)))
        if random.number(0...1) == 0 {
            place.subdivision = "\(country)-\(random.pick(Self.states))"
        }
        if random.number(0...1) == 0 { place.city = random.pick(Self.cities) }
        return place
    }

    var zoneText: String {
        var text = ""
        for (number, region) in Self.regions.enumerated() {
            text += "\(region) REGION \(number) \(number)\n A 192.0.2.\(number + 1)\n"
        }
        for (selector, list) in lists.sorted(by: { $0.key < $1.key }) {
            text += "atlas MAP \(selector) \(list.joined(separator: " "))\n"
        }
        for (prefix, list) in nets {
            text += "atlas MAP net=\(prefix) \(list.joined(separator: " "))\n"
        }
        return text + "www GEO map=atlas\n"
    }

    // MARK: - The slow model

    /// One bit less each time.
    private func longest<Value>(_ rows: [Prefix: Value], _ address: IPAddress) -> Value? {
        for length in (8...min(address.family.bitCount, 56)).reversed() {
            if let value = rows[Prefix(address, length: length)] { return value }
        }
        return nil
    }

    func list(for address: IPAddress) -> [String]? {
        if let list = longest(nets, address) { return list }
        if let number = longest(systems, address), let list = lists["asn=\(number)"] { return list }
        let place = longest(places, address) ?? .unknown
        let selectors: [String?] = [
            place.subdivision.flatMap { area in place.city.map { "city=\(area)/\($0)" } },
            place.subdivision.map { "subdivision=\($0)" }, place.country.map { "country=\($0)" },
            place.continent.map { "continent=\($0)" }, "default",
        ]
        return selectors.compactMap { $0.flatMap { lists[$0] } }.first
    }
}

@Suite struct CountryTablesOfLargeDeployments {
    /// 249 countries, some 190 states and cities each, 200 systems, 500 networks: 100,000 clients.
    @Test(arguments: [6, 7] as [UInt64]) func everyClientGetsWhatTheSlowModelSays(_ seed: UInt64)
        throws
    {
        var random = SeededGenerator(seed: seed)
        let table = CountryTable(&random)
        #expect(CountryTable.countries.count > 200)
        let source = MemoryLocationSource(
            table.places.map { ($0.key, $0.value) },
            systems: table.systems.map { ($0.key, $0.value) })
        let world = try load([("example.com", zone(table.zoneText))], source: source)
        let answers = world.snapshot().answers
        var draws = RandomSource(seed: 1)
        var previous: (prefix: Prefix, target: String)?
        var counts: [String: Int] = [:]
        for number in 0..<50_000 {
            let address = CountryTable.address(&random)
            let decision = answers.decide(
                name: 0, client: Client(source: IPAddress(ipv4: 1), subnet: address),
                random: &draws)
            guard case .endpoint(let index) = decision.outcome else {
                Issue.record("\(address): no target")
                continue
            }
            let target = answers.plan.endpoints[index].label
            #expect(target == table.list(for: address)?.first, "seed \(seed): \(address)")
            counts[target, default: 0] += 1
            // The scope holds: others in it get the same, and scopes are the same or apart.
            guard number % 8 == 0 else { continue }
            let scope = Prefix(address, length: decision.scope)
            let neighbour = random.address(in: scope)
            #expect(table.list(for: neighbour)?.first == target, "seed \(seed): \(neighbour)")
            if let previous, previous.prefix != scope {
                #expect(
                    !previous.prefix.contains(scope) && !scope.contains(previous.prefix),
                    "seed \(seed): \(scope) and \(previous.prefix)")
            }
            previous = (scope, target)
        }
        #expect(counts.count == CountryTable.regions.count)
    }
}

@Suite struct EqualDistances {
    /// Two regions in one town, and one far away.
    private func answers(_ keys: String) throws -> AnswerTable {
        let text = zone(
            """
            one   REGION 50 8
                  A 192.0.2.1
            two   REGION 50 8
                  A 192.0.2.2
            three REGION 50 9
                  A 192.0.2.3
            www   GEO nearest one two three \(keys)

            """)
        let place = Place(country: "DE", coordinates: Coordinates(latitude: 52, longitude: 8))
        let source = MemoryLocationSource([(try #require(Prefix("80.0.0.0/5")), place)])
        return try load([("example.com", text)], source: source).snapshot().answers
    }

    private func targets(_ answers: AnswerTable, seed: UInt64) -> [Int] {
        var random = SeededGenerator(seed: 1)
        var draws = RandomSource(seed: seed)
        return (0..<50_000).map { _ in
            let address = IPAddress(
                ipv4: 0x5000_0000 | UInt32.random(in: 0...0x07ff_ffff, using: &random))
            let decision = answers.decide(
                name: 0, client: Client(source: address), random: &draws)
            if case .endpoint(let index) = decision.outcome { return index }
            return -1
        }
    }

    /// Within a percent, each has its half, and each client its own whatever is drawn.
    @Test func areSharedFairlyAndStably() throws {
        let answers = try answers("within=1%")
        let first = targets(answers, seed: 1)
        #expect(abs(Double(first.count { $0 == 0 }) / 50_000 - 0.5) < 0.01)
        #expect(first.allSatisfy { $0 == 0 || $0 == 1 })
        #expect(targets(answers, seed: 2) == first)
    }

    /// Without `within=` the one written first goes before, on every server alike.
    @Test func areInTheOrderWrittenWithoutWithin() throws {
        #expect(targets(try answers(""), seed: 1).allSatisfy { $0 == 0 })
    }
}

@Suite struct JointFamilies {
    /// Whatever is down, of whichever family: A and AAAA are of the same target.
    @Test(arguments: 0..<12 as Range<UInt64>) func neverPart(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x10e7)
        var bothCount = 0
        for number in 0..<10 {
            var model = SteeringModel.random(&random)
            let world = try load(
                [("example.com", model.zoneText)], source: model.source, files: model.files)
            for _ in 0..<4 {
                model.drawHealth(&random)
                let snapshot = world.snapshot(down: model.down)
                let answers = snapshot.answers
                for geo in model.geos where !model.isDrawn(geo.label) && !model.isApart(geo.label) {
                    let name = try world.geo("\(geo.label).example.com")
                    let client = Client(source: SteeringModel.client(&random))
                    var draws = RandomSource(seed: 1)
                    let ipv4 = answers.decide(name: name, client: client, random: &draws)
                    let ipv6 = answers.decide(
                        name: name + answers.ipv6NameOffset, client: client, random: &draws)
                    #expect(
                        answers.label(of: ipv4.outcome) == answers.label(of: ipv6.outcome),
                        "seed \(seed), world \(number): \(geo.label) for \(client)\n\(model.zoneText)"
                    )
                    bothCount += 1
                }
            }
        }
        #expect(bothCount > 10)
    }
}

extension SteeringModel {
    /// Whether any step from here decides A and AAAA apart.
    func isApart(_ label: String) -> Bool {
        guard let geo = geo(label) else { return false }
        return geo.isIndependent
            || (targets(of: geo) + geo.backups + [geo.lastResort]).contains { isApart($0) }
    }
}
