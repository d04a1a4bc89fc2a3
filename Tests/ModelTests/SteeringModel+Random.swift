import Addressing
import Geography
import TestSupport

extension SteeringModel {
    /// A zone of a few regions, names that nest, maps and places, from a seed.
    static func random(_ random: inout SeededGenerator) -> SteeringModel {
        var model = SteeringModel()
        model.addNetworks(&random)
        for number in 0..<random.number(2...6) {
            model.endpoints.append(endpoint("r\(number)", isRegion: true, &random))
        }
        for number in 0..<random.number(0...2) {
            model.endpoints.append(endpoint("p\(number)", isRegion: false, &random))
        }
        for number in 0..<random.number(0...2) { model.addMap("map\(number)", &random) }
        model.addTimes(&random)
        for number in 0..<random.number(2...6) { model.addGeo("g\(number)", &random) }
        return model
    }

    /// A few bases, so that prefixes nest and lie side by side; IPv6 forms of IPv4 among them.
    private static let bases = [
        "203.0.113.0", "203.0.112.255", "10.0.0.1", "2001:db8::", "2001:db8:ffff::1", "2400::",
        "2002:cb00:7100::", "64:ff9b::203.0.113.9", "2001::", "192.168.0.0", "fd00::1",
    ].compactMap(IPAddress.init)

    static func prefix(_ random: inout SeededGenerator) -> Prefix {
        let base = random.pick(bases)
        let width = base.family.bitCount
        let length = random.pick([0, 8, 16, 20, 24, width, random.number(0...width)])
        return Prefix(
            IPAddress(
                leftAligned: base.bits ^ (UInt128(random.number(0...3)) << UInt128(128 - 24)),
                family: base.family), length: length)
    }

    /// Near the bases, or anywhere.
    static func client(_ random: inout SeededGenerator) -> IPAddress {
        switch random.number(0...3) {
        case 0: IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
        case 1: IPAddress(ipv6: UInt128.random(in: 0...UInt128.max, using: &random))
        default: random.address(in: prefix(&random))
        }
    }

    private static func point(_ random: inout SeededGenerator) -> Coordinates {
        Coordinates(
            latitude: Double(random.number(-90 * 64...90 * 64)) / 64,
            longitude: Double(random.number(-180 * 64...180 * 64)) / 64)
    }

    private mutating func addNetworks(_ random: inout SeededGenerator) {
        for _ in 0..<random.number(0...10) {
            let (country, continent) = random.pick([
                ("DE", "EU"), ("FR", "EU"), ("US", "NA"), ("JP", "AS"), ("ZA", "AF"),
            ])
            var place = Place(continent: continent, country: country)
            if random.number(0...3) > 0 { place.coordinates = SteeringModel.point(&random) }
            if random.number(0...2) == 0 { place.subdivision = "\(country)-1" }
            if random.number(0...3) == 0 { place.city = "Town" }
            networks.append((SteeringModel.prefix(&random), place))
        }
        for _ in 0..<random.number(1...6) {
            systems.append((SteeringModel.prefix(&random), UInt32(random.number(64500...64502))))
        }
    }

    private static func endpoint(
        _ label: String, isRegion: Bool, _ random: inout SeededGenerator
    ) -> Endpoint {
        let isChecked = isRegion && random.number(0...4) > 0
        let number = UInt32(label.utf8.reduce(0) { $0 &* 31 &+ UInt32($1) } & 0xff)
        let counts = random.pick([(1, 0), (1, 1), (3, 2), (0, 1), (2, 0)])
        let ipv4 = (0..<counts.0).map { IPAddress(ipv4: 0xC633_0000 | number << 8 | UInt32($0)) }
        let ipv6 = (0..<counts.1).map {
            IPAddress(ipv6: 0x2001_0db8 << 96 | UInt128(number) << 64 | UInt128($0 + 1))
        }
        var endpoint = Endpoint(
            label: label,
            addresses: (ipv4 + ipv6).map { Address(address: $0, isChecked: isChecked) })
        guard isRegion else { return endpoint }
        endpoint.require = random.pick(["any", "any", "all", "2", "50%", "34%"])
        // Two regions in one place now and then: ties go to the one written first.
        let here = random.pick([
            point(&random), point(&random), Coordinates(latitude: 50, longitude: 8.5),
        ])
        endpoint.site = Site(here, bias: random.pick([0, 0, 30, -40]))
        return endpoint
    }

    private var regionLabels: [String] { endpoints.filter { $0.site != nil }.map(\.label) }

    /// Some of `labels`, in any order, each once.
    private func some(_ labels: [String], _ random: inout SeededGenerator) -> [String] {
        Array(labels.shuffled(using: &random).prefix(random.number(1...labels.count)))
    }

    private mutating func addMap(_ label: String, _ random: inout SeededGenerator) {
        var selectors = ["default"]
        for selector in [
            "continent=EU", "continent=AF", "country=DE", "country=US", "subdivision=US-1",
            "city=US-1/Town", "city=FR/Town", "asn=64500", "asn=64501",
        ] where Bool.random(using: &random) { selectors.append(selector) }
        for _ in 0..<random.number(0...4) {
            let net = "net=\(SteeringModel.prefix(&random))"
            if !selectors.contains(net) { selectors.append(net) }
        }
        var lines = selectors.map { selector in
            let answer =
                switch random.number(0...4) {
                case 0: ["nearest"]
                case 1: ["none"]
                default: some(regionLabels, &random)
                }
            return MapLine(selector: selector, answer: answer)
        }
        lines[0].answer = random.pick([["nearest"], some(regionLabels, &random)])
        // A map that names no target at all would need a GEO that does.
        lines.append(MapLine(selector: "country=ZA", answer: some(regionLabels, &random)))
        maps.append((label, lines))
    }

    /// Each target once for a prefix, and not for all.
    private mutating func addTimes(_ random: inout SeededGenerator) {
        for _ in 0..<random.number(0...6) {
            let prefix = SteeringModel.prefix(&random)
            guard !times.contains(where: { $0.prefix == prefix }) else { continue }
            for label in some(regionLabels, &random) {
                times.append((prefix, label, Double(random.number(0...400)) / 2))
            }
        }
    }

    private mutating func addGeo(_ label: String, _ random: inout SeededGenerator) {
        let external = ["edge.example.net.", "edge.example.org."]
        let known = endpoints.map(\.label) + geos.map(\.label) + external
        var geo = Geo(label: label, policy: .failover, targets: [])
        switch random.number(0...13) {
        case 0: geo.policy = .nearest
        case 1: geo.policy = .weighted(byClient: true)
        case 2: geo.policy = .weighted(byClient: false)
        case 3 where !maps.isEmpty: geo.policy = .map(random.pick(maps).label)
        case 4: geo.policy = .hash
        case 5: geo.policy = .random
        case 6: geo.policy = .roundRobin
        case 7: geo.policy = .all
        case 8: geo.policy = .leastConnections
        case 9: geo.policy = .leastResponseTime
        case 10: geo.policy = .twoChoices
        case 11, 12: geo.policy = .fastest
        default: break
        }
        if random.number(0...2) == 0 { geo.answers = random.number(1...3) }
        // What is answered together has addresses.
        let candidates = geo.answerCount > 1 ? endpoints.map(\.label) : known
        switch geo.policy {
        case .nearest, .fastest: geo.targets = some(regionLabels, &random).map { ($0, 1) }
        case .map:
            if Bool.random(using: &random) {
                geo.targets = some(regionLabels, &random).map { ($0, 1) }
            }
        case .failover, .all: geo.targets = some(candidates, &random).map { ($0, 1) }
        default:
            geo.targets = some(candidates, &random).map { ($0, random.pick([0, 1, 5, 90])) }
            geo.targets[0].weight = 10
        }
        if random.number(0...2) == 0 { geo.backups = Array(some(known, &random).prefix(2)) }
        geo.lastResort = random.pick(["all", "all", "first", "none", random.pick(known)])
        geo.panic = random.pick([0, 0, 34, 50, 100])
        geo.ramps = random.number(0...2) == 0 && geo.policy != .all
        geo.skip = random.pick([0, 0, 0, 1, 2])
        geo.within = random.pick([0, 0, 10, 100])
        geo.isIndependent = random.number(0...3) == 0
        geo.usesClientSubnet = random.number(0...4) > 0
        geo.ttlMin = random.pick([5, 10, 30])
        geo.ttlMax = geo.ttlMin + random.pick([0, 30])
        geos.append(geo)
    }

    /// A fresh draw of what is down.
    mutating func drawHealth(_ random: inout SeededGenerator) {
        let oneIn = random.pick([1, 2, 4, 100])
        down = []
        for address in endpoints.flatMap(\.addresses) where random.number(1...oneIn) == 1 {
            down.insert(address.address)
        }
        figures = [:]
        for endpoint in endpoints where random.number(0...3) > 0 {
            figures[endpoint.label] = (
                random.pick([nil, 0, 10, 12, 100]), random.pick([nil, 5, 6, 50])
            )
        }
        ramping = [:]
        for endpoint in endpoints where random.number(0...2) == 0 {
            ramping[endpoint.label] = random.pick([0, 35, 95])
        }
    }
}
