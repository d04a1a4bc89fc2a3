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
    var networks: [(prefix: Prefix, place: Place)] = []
    var down: Set<IPAddress> = []

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

    private func text(of geo: Geo) -> String {
        var words = [geo.label, "\(geo.ttlMax)/\(geo.ttlMin)", "GEO"]
        switch geo.policy {
        case .nearest: words.append("nearest")
        case .failover: words.append("failover")
        case .weighted: words.append("weighted")
        case .map(let map): words.append("map=\(map)")
        }
        words += geo.targets.map { $0.weight == 1 ? $0.label : "\($0.label):\($0.weight)" }
        if geo.policy == .weighted(byClient: true) { words.append("by=client") }
        if !geo.backups.isEmpty { words.append("backup=" + geo.backups.joined(separator: ",")) }
        if geo.lastResort != "all" { words.append("last-resort=\(geo.lastResort)") }
        if !geo.usesClientSubnet { words.append("ecs=off") }
        return words.joined(separator: " ")
    }

    // MARK: - Health

    func endpoint(_ label: String) -> Endpoint? { endpoints.first { $0.label == label } }

    func geo(_ label: String) -> Geo? { geos.first { $0.label == label } }

    func isUp(_ address: Address) -> Bool { !address.isChecked || !down.contains(address.address) }

    func isUp(_ label: String) -> Bool {
        if let endpoint = endpoint(label) {
            return IPAddress.Family.allCases.allSatisfy { family in
                let members = endpoint.addresses.filter { $0.address.family == family }
                let needed = needed(endpoint.require, of: members.count)
                return members.isEmpty || members.count { isUp($0) } >= needed
            }
        }
        guard let geo = geo(label) else { return true }
        let served = isWeighted(geo) ? shares(of: geo) : targets(of: geo)
        return (served + geo.backups).contains { isUp($0) }
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
        if endpoint(label) != nil { return isUp(label) }
        guard let geo = geo(label) else { return true }
        return targets(of: geo).allSatisfy { isSteady($0) }
    }

    /// The addresses answered: those that are up; all of an endpoint that is down.
    func answered(_ label: String, _ family: IPAddress.Family) -> Set<IPAddress> {
        guard let endpoint = endpoint(label) else { return [] }
        let all = endpoint.addresses.filter { $0.address.family == family }
        return Set(all.filter { isUp($0) || !isUp(label) }.map(\.address))
    }

    // MARK: - Places and orders

    func place(of address: IPAddress) -> Place {
        longest(networks, address)?.place ?? .unknown
    }

    private func longest(
        _ rows: [(prefix: Prefix, place: Place)], _ address: IPAddress
    ) -> (prefix: Prefix, place: Place)? {
        var best: (prefix: Prefix, place: Place)?
        for row in rows where row.prefix.contains(address) {
            if row.prefix.length >= best?.prefix.length ?? 0 { best = row }
        }
        return best
    }

    /// Labels of the targets in the order in which they are tried for this address.
    func order(_ geo: Geo, _ address: IPAddress) -> [String] {
        let place = place(of: address)
        let listed = targets(of: geo)
        guard case .map(let name) = geo.policy else { return byDistance(listed, place) }
        guard let line = line(lines(of: name), address, place) else { return [] }
        switch line.answer {
        case ["none"]: return []
        case ["nearest"]: return byDistance(listed, place)
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

    private func byDistance(_ labels: [String], _ place: Place) -> [String] {
        guard let here = place.coordinates else { return labels }
        let rows = labels.enumerated().map { index, label in
            (
                distance: endpoint(label)?.site.map {
                    $0.biased(kilometers: haversine(here, $0.coordinates))
                } ?? 0,
                index: index, label: label
            )
        }
        return rows.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }.map(\.label)
    }

    /// The widest prefix around `address` in which every address has its order, found from where
    /// orders may change. An IPv6 form that carries IPv4 is looked up as that.
    func scope(_ geo: Geo, _ address: IPAddress) -> Int {
        if let (inside, offset) = address.embeddedIPv4 { return offset + scope(geo, inside) }
        let wanted = order(geo, address)
        let starts = changes(geo, address.family)
        var scope = 0
        for (index, start) in starts.enumerated() {
            let here = IPAddress(leftAligned: start, family: address.family)
            let carriesIPv4 = here.embeddedIPv4 != nil
            guard carriesIPv4 || order(geo, here) != wanted else { continue }
            // The end of the stretch that differs which is nearer to `address`.
            let end = index + 1 < starts.count ? starts[index + 1] - 1 : UInt128.max
            let nearest = address.bits < start ? start : end
            scope = max(scope, (address.bits ^ nearest).leadingZeroBitCount + 1)
        }
        return min(scope, address.family.bitCount)
    }

    /// First addresses of stretches of one order.
    private func changes(_ geo: Geo, _ family: IPAddress.Family) -> [UInt128] {
        var prefixes = networks.map(\.prefix)
        if family == .ipv6 { prefixes += IPAddress.embeddingPrefixes }
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

    /// One step: what may be chosen (several where shares are drawn; none: NODATA), and why.
    func choices(_ geo: Geo, _ address: IPAddress) -> (labels: [String], reason: String) {
        let labels = targets(of: geo)
        var order = labels
        var reason = "failover"
        switch geo.policy {
        case .failover: break
        case .nearest:
            reason = "nearest"
            order = self.order(geo, address)
        case .map:
            reason = "map"
            order = self.order(geo, address)
        case .weighted:
            let shares = shares(of: geo)
            let up = shares.filter { isUp($0) }
            if !up.isEmpty { return (up, "weighted") }
            if let backup = geo.backups.first(where: { isUp($0) }) { return ([backup], "backup") }
            if geo.lastResort == "all" { return (shares, "last-resort") }
        }
        if let best = order.first(where: { isUp($0) }), !isWeighted(geo) { return ([best], reason) }
        if order.isEmpty { return ([], reason) }
        if let backup = geo.backups.first(where: { isUp($0) }) { return ([backup], "backup") }
        switch geo.lastResort {
        case "all": return ([order[0]], "last-resort")
        case "first": return ([labels[0]], "last-resort")
        case "none": return ([], "last-resort")
        default: return ([geo.lastResort], "last-resort")
        }
    }

    func isWeighted(_ geo: Geo) -> Bool { if case .weighted = geo.policy { true } else { false } }

    /// Whether any step from here is drawn anew for each query.
    func isDrawn(_ label: String) -> Bool {
        guard let geo = geo(label) else { return false }
        return geo.policy == .weighted(byClient: false)
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
