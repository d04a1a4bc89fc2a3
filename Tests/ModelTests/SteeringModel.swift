import Addressing
import Geography
import Glibc

/// A zone's steering in plain values, and what it must answer: slow, obvious, without tables.
struct SteeringModel {
    struct Address {
        var address: IPAddress
        /// `web` is checked; a region without `check=` never is.
        var isChecked: Bool
    }
    struct Endpoint {
        var label: String
        var site: Site?
        /// `any`, `all`, `2`, `50%`
        var require = "any"
        var addresses: [Address]
    }
    enum Policy: Equatable {
        case nearest
        case failover
        case weighted(byClient: Bool)
        case map(String)
        case hash
        case random
        case roundRobin
        case all
        case leastConnections
        case leastResponseTime
        case twoChoices
        case fastest
    }
    struct Geo {
        var label: String
        var policy: Policy
        var targets: [(label: String, weight: Int)]
        var backups: [String] = []
        /// `all`, `first`, `none` or a label.
        var lastResort = "all"
        var usesClientSubnet = true
        var ttlMax = 30
        var ttlMin = 30
        /// Nil: not written.
        var answers: Int?
        /// 0: not written.
        var panic = 0
        var ramps = false
        var skip = 0
        /// Percent; 0: not written.
        var within = 0
        var isIndependent = false

        /// Targets that answer together.
        var answerCount: Int { answers ?? (policy == .all ? 32 : 1) }
    }
    struct MapLine {
        /// As in the zone file: `country=DE`, `net=10.0.0.0/8`, `default`.
        var selector: String
        /// Labels; `nearest` or `none` alone.
        var answer: [String]
    }

    var endpoints: [Endpoint] = []
    var geos: [Geo] = []
    var maps: [(label: String, lines: [MapLine])] = []
    /// Rows of the file that `fastest` goes by.
    var times: [(prefix: Prefix, label: String, milliseconds: Double)] = []
    var networks: [(prefix: Prefix, place: Place)] = []
    /// Autonomous systems, by number.
    var systems: [(prefix: Prefix, number: UInt32)] = []
    var down: Set<IPAddress> = []
    /// Targets that came back not long ago, and the percentage of their clients that they get.
    var ramping: [String: Int] = [:]
    /// What is measured of each address of a target that is checked.
    var figures: [String: (connections: Double?, milliseconds: Double?)] = [:]

    // MARK: - As a zone file

    var zoneText: String {
        var text = ""
        for endpoint in endpoints {
            if let site = endpoint.site {
                let check = endpoint.addresses.contains { $0.isChecked } ? " check=web" : ""
                text += "\(endpoint.label) REGION \(decimal(site.coordinates.latitude)) "
                text += "\(decimal(site.coordinates.longitude)) bias=\(site.bias)"
                text += " require=\(endpoint.require)\(check)\n"
            }
            for address in endpoint.addresses {
                let type = address.address.family == .ipv4 ? "A" : "AAAA"
                text += "\(endpoint.label) \(type) \(address.address)\n"
            }
        }
        for map in maps {
            for line in map.lines {
                text += "\(map.label) MAP \(line.selector) \(line.answer.joined(separator: " "))\n"
            }
        }
        for geo in geos { text += self.text(of: geo) + "\n" }
        return zone(text)
    }

    /// Coordinates are multiples of 1/64 degree: exact in both notations.
    private func decimal(_ value: Double) -> String { "\(value)" }

    var source: MemoryLocationSource { MemoryLocationSource(networks, systems: systems) }

    var files: [String: String] {
        let rows = times.map { "\($0.prefix),\($0.label),\($0.milliseconds)\n" }
        return ["times.csv": rows.joined()]
    }

    private func text(of geo: Geo) -> String {
        var words = [geo.label, "\(geo.ttlMax)/\(geo.ttlMin)", "GEO"]
        switch geo.policy {
        case .nearest: words.append("nearest")
        case .failover: words.append("failover")
        case .weighted: words.append("weighted")
        case .map(let map): words.append("map=\(map)")
        case .hash: words.append("hash")
        case .random: words.append("random")
        case .roundRobin: words.append("round-robin")
        case .all: words.append("all")
        case .leastConnections: words.append("least-connections")
        case .leastResponseTime: words.append("least-response-time")
        case .twoChoices: words.append("two-choices")
        case .fastest: words.append("fastest")
        }
        words += geo.targets.map { $0.weight == 1 ? $0.label : "\($0.label):\($0.weight)" }
        if geo.policy == .weighted(byClient: true) { words.append("by=client") }
        if !geo.backups.isEmpty { words.append("backup=" + geo.backups.joined(separator: ",")) }
        if geo.lastResort != "all" { words.append("last-resort=\(geo.lastResort)") }
        if !geo.usesClientSubnet { words.append("ecs=off") }
        if geo.panic > 0 { words.append("panic=\(geo.panic)%") }
        if geo.policy == .fastest { words.append("rtt=times.csv") }
        if geo.skip > 0 { words.append("skip=\(geo.skip)") }
        if geo.within > 0 { words.append("within=\(geo.within)%") }
        if geo.isIndependent { words.append("family=independent") }
        if geo.ramps { words.append("ramp=1m") }
        if let answers = geo.answers { words.append("answers=\(answers)") }
        return words.joined(separator: " ")
    }

    // MARK: - Health

    func endpoint(_ label: String) -> Endpoint? { endpoints.first { $0.label == label } }

    func geo(_ label: String) -> Geo? { geos.first { $0.label == label } }

    func isUp(_ address: Address) -> Bool { !address.isChecked || !down.contains(address.address) }

    /// As `geo` sees it when that family is asked for.
    func isUp(_ label: String, seenBy geo: Geo, _ family: IPAddress.Family) -> Bool {
        if let endpoint = endpoint(label) {
            return geo.isIndependent
                ? isUp(endpoint, family) ?? false
                : IPAddress.Family.allCases.allSatisfy { isUp(endpoint, $0) ?? true }
        }
        guard let child = self.geo(label) else { return true }
        let served = dealsShares(child) ? shares(of: child) : targets(of: child)
        return (served + child.backups).contains { isUp($0, seenBy: child, family) }
    }

    /// Nil: it has none of that family.
    private func isUp(_ endpoint: Endpoint, _ family: IPAddress.Family) -> Bool? {
        let members = endpoint.addresses.filter { $0.address.family == family }
        let needed = needed(endpoint.require, of: members.count)
        return members.isEmpty ? nil : members.count { isUp($0) } >= needed
    }

    private func isThere(_ label: String, _ geo: Geo, _ family: IPAddress.Family) -> Bool {
        guard geo.isIndependent, let endpoint = endpoint(label) else { return true }
        return isUp(endpoint, family) != nil
    }

    private func shares(of geo: Geo) -> [String] {
        geo.targets.filter { $0.weight > 0 }.map(\.label)
    }

    /// Those written; a map without any brings its own, as first named.
    func targets(of geo: Geo) -> [String] {
        guard geo.targets.isEmpty, case .map(let name) = geo.policy else {
            return geo.targets.map(\.label)
        }
        var result: [String] = []
        for label in lines(of: name).flatMap(\.answer)
        where label != "none" && label != "nearest" && !result.contains(label) {
            result.append(label)
        }
        return result
    }

    private func lines(of map: String) -> [MapLine] { maps.first { $0.label == map }?.lines ?? [] }

    private func needed(_ require: String, of total: Int) -> Int {
        if require == "any" { return 1 }
        if require == "all" { return total }
        if require.hasSuffix("%") {
            let percent = Double(require.dropLast()) ?? 0
            return max(1, Int((Double(total) * percent / 100).rounded(.up)))
        }
        return min(Int(require) ?? 1, total)
    }

    /// Everything a name may lead to by its targets is up.
    func isSteady(_ label: String) -> Bool {
        if let endpoint = endpoint(label) {
            return IPAddress.Family.allCases.allSatisfy { isUp(endpoint, $0) ?? true }
        }
        guard let geo = geo(label) else { return true }
        return targets(of: geo).allSatisfy { isSteady($0) && part($0, geo) == 100 }
    }

    /// The addresses answered: those that are up; all of an endpoint that is down.
    func answered(
        _ label: String, seenBy geo: Geo, _ family: IPAddress.Family
    ) -> Set<IPAddress> {
        guard let endpoint = endpoint(label) else { return [] }
        let all = endpoint.addresses.filter { $0.address.family == family }
        let isClosed = !isUp(label, seenBy: geo, family)
        return Set(all.filter { isUp($0) || isClosed }.map(\.address))
    }

    // MARK: - Places and orders

    func place(of address: IPAddress) -> Place {
        longest(networks.map { ($0.prefix, $0.place) }, address)?.1 ?? .unknown
    }

    private func longest<Fact>(
        _ rows: [(prefix: Prefix, Fact)], _ address: IPAddress
    ) -> (prefix: Prefix, Fact)? {
        var best: (prefix: Prefix, Fact)?
        for row in rows where row.prefix.contains(address) {
            if row.prefix.length >= best?.prefix.length ?? 0 { best = row }
        }
        return best
    }

    /// Labels of the targets in the order in which they are tried for this address.
    func order(_ geo: Geo, _ address: IPAddress) -> [String] {
        let place = place(of: address)
        let listed = targets(of: geo)
        guard case .map(let name) = geo.policy else { return byCost(listed, geo, address) }
        guard let line = line(lines(of: name), address, place) else { return [] }
        switch line.answer {
        case ["none"]: return []
        case ["nearest"]: return byCost(listed, geo, address)
        default: return line.answer.filter(listed.contains)
        }
    }

    private func line(_ lines: [MapLine], _ address: IPAddress, _ place: Place) -> MapLine? {
        var best: (line: MapLine, length: Int)?
        for line in lines where line.selector.hasPrefix("net=") {
            guard let prefix = Prefix(String(line.selector.dropFirst(4))), prefix.contains(address)
            else { continue }
            if prefix.length >= best?.length ?? 0 { best = (line, prefix.length) }
        }
        if let best { return best.line }
        if let system = longest(systems.map { ($0.prefix, $0.number) }, address)?.1,
            let line = lines.first(where: { $0.selector == "asn=\(system)" })
        {
            return line
        }
        let wanted = [
            place.city.map { "city=\(place.subdivision ?? "")/\($0)" },
            place.city.map { "city=\(place.country ?? "")/\($0)" },
            place.subdivision.map { "subdivision=\($0)" }, place.country.map { "country=\($0)" },
            place.continent.map { "continent=\($0)" }, "default",
        ]
        for selector in wanted {
            if let selector, let line = lines.first(where: { $0.selector == selector }) {
                return line
            }
        }
        return nil
    }

    private func byCost(_ labels: [String], _ geo: Geo, _ address: IPAddress) -> [String] {
        let rows = labels.enumerated().map { index, label in
            (cost: cost(label, geo, address), index: index, label: label)
        }
        return rows.sorted { ($0.cost, $0.index) < ($1.cost, $1.index) }.map(\.label)
    }

    /// Milliseconds as measured for the longest prefix, or guessed at 50 km each; without a place
    /// endless.
    private func cost(_ label: String, _ geo: Geo, _ address: IPAddress) -> Double {
        guard let site = endpoint(label)?.site else { return .infinity }
        if geo.policy == .fastest,
            let row = times.filter({ $0.label == label && $0.prefix.contains(address) })
                .max(by: { $0.prefix.length < $1.prefix.length })
        {
            return site.biased(kilometers: row.milliseconds)
        }
        guard let here = place(of: address).coordinates else { return .infinity }
        return site.biased(kilometers: haversine(here, site.coordinates)) / 50
    }

    /// What the answer depends on: for each place of the order, too, how many from there on are
    /// equals.
    private func orderAndEquals(_ geo: Geo, _ address: IPAddress) -> [String] {
        let order = order(geo, address)
        let equals = order.indices.map { equalCount(Array(order[$0...]), geo, address) }
        return order + equals.map(String.init) + (isSpecial(geo, address) ? ["special"] : [])
    }

    /// A private network or the like that nothing is known of: whoever asks for it is looked up.
    func isSpecial(_ geo: Geo, _ address: IPAddress) -> Bool {
        let address = address.embeddedIPv4?.address ?? address
        guard IPAddress.specialPrefixes.contains(where: { $0.contains(address) }),
            place(of: address) == .unknown
        else { return false }
        // Where nothing is known of anybody, nobody is told apart.
        var prefixes = networks.map(\.prefix)
        switch geo.policy {
        case .nearest: break
        case .fastest:
            let rows = times.filter { targets(of: geo).contains($0.label) }
            if rows.contains(where: { $0.prefix.contains(address) }) { return false }
            prefixes += rows.map(\.prefix)
        case .map(let name):
            guard line(lines(of: name), address, .unknown)?.selector == "default" else {
                return false
            }
            for line in lines(of: name) where line.selector.contains("net=") {
                prefixes += [Prefix(String(line.selector.dropFirst(4)))].compactMap(\.self)
            }
            prefixes += systems.filter { system in
                lines(of: name).contains { $0.selector == "asn=\(system.number)" }
                    && self.systems.last { $0.prefix == system.prefix }?.number == system.number
            }.map(\.prefix)
        default: return false
        }
        return !prefixes.isEmpty
    }

    /// The widest prefix around `address` in which every address has its order, found from where
    /// orders may change. An IPv6 form that carries IPv4 is looked up as that.
    func scope(_ geo: Geo, _ address: IPAddress) -> Int {
        if let (inside, offset) = address.embeddedIPv4 { return offset + scope(geo, inside) }
        let wanted = orderAndEquals(geo, address)
        let starts = changes(geo, address.family)
        var scope = 0
        for (index, start) in starts.enumerated() {
            let here = IPAddress(leftAligned: start, family: address.family)
            let carriesIPv4 = here.embeddedIPv4 != nil
            guard carriesIPv4 || orderAndEquals(geo, here) != wanted else { continue }
            // The end of the stretch that differs which is nearer to `address`.
            let end = index + 1 < starts.count ? starts[index + 1] - 1 : UInt128.max
            let nearest = address.bits < start ? start : end
            scope = max(scope, (address.bits ^ nearest).leadingZeroBitCount + 1)
        }
        return min(scope, address.family.bitCount)
    }

    /// First addresses of stretches of one order.
    private func changes(_ geo: Geo, _ family: IPAddress.Family) -> [UInt128] {
        var prefixes = networks.map(\.prefix) + systems.map(\.prefix)
        prefixes += IPAddress.specialPrefixes
        if family == .ipv6 { prefixes += IPAddress.embeddingPrefixes }
        if geo.policy == .fastest { prefixes += times.map(\.prefix) }
        if case .map(let name) = geo.policy {
            for line in lines(of: name)
            where line.selector.hasPrefix("net=") {
                if let prefix = Prefix(String(line.selector.dropFirst(4))) {
                    prefixes.append(prefix)
                }
            }
        }
        var starts: Set<UInt128> = [0]
        for prefix in prefixes where prefix.family == family {
            starts.insert(prefix.address.bits)
            if let end = prefix.end { starts.insert(end.bits) }
        }
        return starts.sorted()
    }

    // MARK: - Deciding

    /// What one step may choose: targets that answer together, of which the first is the one that
    /// was picked (none: NODATA), and why.
    struct Choice: Equatable {
        var labels: [String]
        var reason: String
    }

    /// Several where shares are drawn or hashed, or where a target ramps.
    struct Step {
        var choices: [Choice]
        /// Which of them is told by the client's prefix.
        var isHashed = false
    }

    func step(_ geo: Geo, _ address: IPAddress, _ family: IPAddress.Family) -> Step {
        let labels = targets(of: geo)
        let isInPanic = isInPanic(geo, family)
        var reason: String
        var order = labels
        switch geo.policy {
        case .failover: reason = "failover"
        case .all: reason = "all"
        case .nearest: (reason, order) = ("nearest", self.order(geo, address))
        case .fastest: (reason, order) = ("fastest", self.order(geo, address))
        case .map: (reason, order) = ("map", self.order(geo, address))
        case .hash: (reason, order) = ("hash", shares(of: geo))
        case .weighted, .random, .roundRobin: (reason, order) = ("weighted", shares(of: geo))
        case .leastConnections, .leastResponseTime, .twoChoices:
            (reason, order) = ("load", shares(of: geo))
        }
        if isInPanic { reason = "panic" }
        let up = order.filter {
            isInPanic ? isThere($0, geo, family) : isUp($0, seenBy: geo, family)
        }
        let isByClient = [.hash, .weighted(byClient: true)].contains(geo.policy)
        func only(_ labels: [String], _ reason: String) -> Step {
            Step(choices: [Choice(labels: Array(labels.prefix(geo.answerCount)), reason: reason)])
        }
        if !up.isEmpty {
            if dealsShares(geo) {
                let dealt = windows(leastLoaded(up, geo), then: [], geo, reason)
                return Step(choices: dealt, isHashed: isByClient)
            }
            return best(of: up, geo, address, reason)
        }
        if order.isEmpty && !dealsShares(geo) { return only([], reason) }
        if let backup = geo.backups.first(where: { isUp($0, seenBy: geo, family) }) {
            return only([backup], "backup")
        }
        let there = order.filter { isThere($0, geo, family) }
        let rest = there.isEmpty ? order : there
        switch geo.lastResort {
        case "all" where dealsShares(geo):
            let dealt = windows(rest, then: [], geo, "last-resort")
            return Step(choices: dealt, isHashed: isByClient)
        case "all": return only(rest, "last-resort")
        case "first": return only([labels[0]], "last-resort")
        case "none": return only([], "last-resort")
        default: return only([geo.lastResort], "last-resort")
        }
    }

    /// Those that get any clients: within a quarter of the least; all but the one that loses every
    /// draw of two.
    private func leastLoaded(_ labels: [String], _ geo: Geo) -> [String] {
        let isTime = geo.policy == .leastResponseTime
        guard isTime || [.leastConnections, .twoChoices].contains(geo.policy), labels.count > 1
        else { return labels }
        var scores = labels.map { label -> Double? in
            guard let figures = figures[label],
                endpoint(label)?.addresses.contains(where: { $0.isChecked && isUp($0) }) ?? false
            else { return nil }
            let weight = Double(geo.targets.first { $0.label == label }?.weight ?? 1)
            return isTime
                ? figures.milliseconds.map { $0 / weight }
                : figures.connections.map { ($0 + 1) / weight }
        }
        let known = scores.compactMap(\.self)
        guard !known.isEmpty else { return labels }
        scores = scores.map { $0 ?? known.reduce(0, +) / Double(known.count) }
        let least = scores.compactMap(\.self).min() ?? 0
        return zip(labels, scores).filter { _, score in
            let score = score ?? 0
            return geo.policy == .twoChoices
                ? scores.contains { $0 ?? 0 > score } || scores.count { $0 == score } > 1
                : score <= least * 1.25
        }.map(\.0)
    }

    /// Some of what may be served is up, and that is less than `panic=` wants.
    private func isInPanic(_ geo: Geo, _ family: IPAddress.Family) -> Bool {
        let served = (dealsShares(geo) ? shares(of: geo) : targets(of: geo))
            .filter { isThere($0, geo, family) }
        let upCount = served.count { isUp($0, seenBy: geo, family) }
        return upCount > 0 && Double(upCount) / Double(served.count) < Double(geo.panic) / 100
    }

    /// Percent of its clients that a target gets.
    func part(_ label: String, _ geo: Geo) -> Int { geo.ramps ? ramping[label] ?? 100 : 100 }

    /// Each with those behind it, round in a circle, and the rest. Of what ramps, those that have
    /// any clients yet.
    private func windows(
        _ labels: [String], then rest: [String], _ geo: Geo, _ reason: String
    ) -> [Choice] {
        var dealt = labels
        let begun = labels.filter { part($0, geo) > 0 }
        if !["panic", "last-resort"].contains(reason), !begun.isEmpty { dealt = begun }
        return dealt.indices.map {
            Choice(
                labels: Array((dealt[$0...] + dealt[..<$0] + rest).prefix(geo.answerCount)),
                reason: reason)
        }
    }

    /// The best, or one that is about as good, or while it ramps the next for some of its clients.
    private func best(
        of all: [String], _ geo: Geo, _ address: IPAddress, _ reason: String
    ) -> Step {
        let up = Array(all.dropFirst(min(geo.policy == .all ? 0 : geo.skip, all.count - 1)))
        let equalCount = equalCount(up, geo, address)
        if equalCount > 1 {
            let dealt = windows(
                Array(up[..<equalCount]), then: Array(up[equalCount...]), geo, reason)
            return Step(choices: dealt, isHashed: true)
        }
        var choices: [Choice] = []
        for (index, label) in up.enumerated() {
            let part = reason == "panic" ? 100 : part(label, geo)
            if part > 0 {
                choices.append(
                    Choice(
                        labels: Array(up[index...].prefix(geo.answerCount)),
                        reason: index == 0 ? reason : "ramp"))
            }
            if part == 100 { return Step(choices: choices, isHashed: index > 0) }
        }
        choices.append(Choice(labels: Array(up.prefix(geo.answerCount)), reason: reason))
        return Step(choices: choices, isHashed: true)
    }

    /// How many of the first are within so many percent of the best one's distance.
    private func equalCount(_ up: [String], _ geo: Geo, _ address: IPAddress) -> Int {
        guard geo.within > 0, !up.isEmpty else { return 1 }
        switch geo.policy {
        case .nearest, .fastest: break
        case .map(let name):
            let line = line(lines(of: name), address, place(of: address))
            guard line?.answer == ["nearest"] else { return 1 }
        default: return 1
        }
        let costs = up.map { cost($0, geo, address) }
        let limit = costs[0] * (1 + Double(geo.within) / 100)
        return costs[0].isFinite ? costs.count { $0 <= limit } : 1
    }

    func dealsShares(_ geo: Geo) -> Bool {
        switch geo.policy {
        case .nearest, .fastest, .failover, .map, .all: false
        default: true
        }
    }

    /// Whether any step from here is drawn anew for each query.
    func isDrawn(_ label: String) -> Bool {
        guard let geo = geo(label) else { return false }
        return dealsShares(geo) && ![.weighted(byClient: true), .hash].contains(geo.policy)
            || (targets(of: geo) + geo.backups + [geo.lastResort]).contains { isDrawn($0) }
    }
}

/// With the C library's functions; in kilometers.
func haversine(_ from: Coordinates, _ to: Coordinates) -> Double {
    func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
    let (phi1, phi2) = (radians(from.latitude), radians(to.latitude))
    let a =
        pow(sin((phi2 - phi1) / 2), 2) + cos(phi1) * cos(phi2)
        * pow(sin(radians(to.longitude - from.longitude) / 2), 2)
    return 2 * 6371.0088 * asin(min(1, sqrt(a)))
}
