import Addressing
import DNSWire
package import Diagnostics
package import Geography
import Health
package import Zones

/// Resolves the steering records of all zones against each other: names to indexes, checks to
/// probes, places to orders; and reports everything that does not fit.
package struct SteeringPlanBuilder {
    let drafts: [ZoneDraft]
    let zones: ZoneTable.View
    private var directory: SteeringDirectory
    private var diagnostics: [Diagnostic] = []

    private var probes: [Probe] = []
    private var probeIndexes: [Probe: Int] = [:]
    private var regions: [Region] = []
    private var endpoints: [Endpoint] = []
    private var endpointIndexes: [EndpointKey: Int] = [:]
    private var selectors: [Selector] = []
    private var selectorIndexes: [Selector: Int] = [:]
    private var names: [GeoName] = []
    private var rankings: [Ranking] = []
    private var rankingIndexes: [RankingKey: Int] = [:]

    /// The plan of `drafts`, whose ordinary records are in `table`; nil with the reasons when a
    /// record has an error.
    package static func build(
        _ drafts: [ZoneDraft], table: ZoneTable, source: some LocationSource
    ) -> (plan: SteeringPlan?, diagnostics: [Diagnostic]) {
        var builder = SteeringPlanBuilder(drafts, table)
        builder.addRegions()
        for (zone, draft) in drafts.enumerated() {
            for geo in draft.geos { builder.add(geo, zone: zone, source: source) }
        }
        builder.checkNesting()
        builder.checkUnusedReferences()
        guard !builder.diagnostics.hasErrors else { return (nil, builder.diagnostics) }
        let plan = SteeringPlan(
            probes: builder.probes, regions: builder.regions, endpoints: builder.endpoints,
            selectors: builder.selectors, names: builder.names, rankings: builder.rankings)
        return (plan, builder.diagnostics)
    }

    private init(_ drafts: [ZoneDraft], _ table: ZoneTable) {
        self.drafts = drafts
        zones = table.view
        directory = SteeringDirectory(drafts)
        diagnostics = directory.diagnostics
    }

    private mutating func report(_ location: SourceLocation, _ message: String) {
        diagnostics.append(Diagnostic(.error, at: location, message))
    }

    // MARK: - Endpoints and checks

    private struct EndpointKey: Hashable {
        var name: DomainName
        /// Its checks may be those of the region.
        var region: Int?
        var checks: [DomainName]
    }

    private mutating func addRegions() {
        for (zone, draft) in drafts.enumerated() {
            for entry in draft.regions {
                guard directory.region(entry.owner)?.location == entry.location else { continue }
                let label = directory.label(entry.owner, zone: zone)
                guard !addresses(at: entry.owner).isEmpty else {
                    report(
                        entry.location,
                        "region \(label) has no address; give \(entry.owner) an A or AAAA record")
                    continue
                }
                let endpoint = endpoint(
                    at: entry.owner, label: label, region: regions.count,
                    record: entry.value, checks: [])
                regions.append(
                    Region(
                        name: entry.owner, label: label, record: entry.value, endpoint: endpoint))
                directory.regionIndexes[entry.owner] = regions.count - 1
            }
        }
    }

    private func addresses(at name: DomainName) -> [IPAddress] {
        guard let node = zones.node(named: name), zones.nodes[node].cut == ZoneTable.none
        else { return [] }
        return [RRType.a, .aaaa].flatMap { type in
            zones.rrset(type, at: node).map { rrset in
                zones.rdata(of: rrset).compactMap { IPAddress(bytes: $0) }
            } ?? []
        }
    }

    /// The endpoint with the addresses at `name`. Which checks it has: those told by `checks`
    /// (a GEO's `check=`), else the CHECK records at the name, else the region's.
    private mutating func endpoint(
        at name: DomainName, label: String, region: Int?, record: RegionRecord?,
        checks: [NameReference]
    ) -> Int {
        let key = EndpointKey(name: name, region: region, checks: checks.map(\.name))
        if let known = endpointIndexes[key] { return known }
        var specifications = checks.flatMap { resolve($0) }
        if checks.isEmpty { specifications = directory.checks(at: name) }
        if specifications.isEmpty, let record {
            specifications = record.checks.flatMap { resolve($0) }
        }
        if specifications.isEmpty, record?.checks.isEmpty == true, let region,
            region < regions.count
        {
            specifications = directory.checks(at: regions[region].name)
        }
        let addresses = addresses(at: name).map { address in
            Endpoint.Address(
                address: address, probes: specifications.map { probe($0, address) })
        }
        endpoints.append(
            Endpoint(
                name: name, label: label, region: region, addresses: addresses,
                require: record?.require ?? .any))
        endpointIndexes[key] = endpoints.count - 1
        return endpoints.count - 1
    }

    private mutating func probe(_ check: CheckSpecification, _ address: IPAddress) -> Int {
        let probe = Probe(check, of: address)
        if let known = probeIndexes[probe] { return known }
        probes.append(probe)
        probeIndexes[probe] = probes.count - 1
        return probes.count - 1
    }

    private func resolve(_ reference: NameReference) -> [CheckSpecification] {
        directory.checks(at: reference.name)
    }

    /// Names of checks that are not there, wherever they are written, used or not.
    private mutating func checkUnusedReferences() {
        for draft in drafts {
            let references =
                draft.regions.flatMap(\.value.checks) + draft.geos.flatMap(\.value.record.checks)
            for reference in references where directory.checks(at: reference.name).isEmpty {
                report(
                    reference.location,
                    "no CHECK record at \(reference.name); add one there, or name another")
            }
        }
    }

    // MARK: - GEO names

    /// A target that could be resolved, with what a policy needs to know of it.
    private struct Resolved {
        var target: Target
        var name: DomainName
        var label: String
        var weight: UInt32
        var site: Site?
        var location: SourceLocation
    }

    private mutating func add(
        _ geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>, zone: Int,
        source: some LocationSource
    ) {
        let record = geo.value.record
        // Every GEO record keeps its number, even one with errors.
        var name = GeoName(
            name: geo.owner, selector: 0, ttl: geo.value.ttl, location: geo.location)
        defer { names.append(name) }

        var references = record.targets
        var map: MapReference?
        if case .map(let mapName) = record.policy {
            guard let found = directory.map(mapName.name) else {
                report(
                    mapName.location,
                    "no MAP record at \(mapName.name); add its lines there, or name another")
                return
            }
            map = found
            if references.isEmpty { references = found.targets }
        } else if references.isEmpty {
            report(geo.location, "GEO names no target; name at least one region or name")
            return
        }
        let errorsBefore = diagnostics.count
        let targets = references.compactMap { resolve($0, for: geo, zone: zone) }
        guard diagnostics.count == errorsBefore else { return }
        guard !targets.isEmpty else {
            // Without a service it is the regions that lack something, and that was reported.
            guard record.service != nil else { return }
            report(
                geo.location,
                "none of the targets has the service \(serviceName(record)); give "
                    + "\(serviceName(record)).<region> an address")
            return
        }
        checkExternal(targets, geo, zone: zone)
        guard
            let (method, reason) = method(record, map: map, targets: targets, source: source)
        else { return }
        let backups = record.backups.compactMap {
            resolve(TargetReference($0.name, at: $0.location), for: geo, zone: zone)
        }
        let selector = Selector(
            method: method, targets: targets.map(\.target), labels: targets.map(\.label),
            weights: targets.map(\.weight), backups: backups.map(\.target),
            backupLabels: backups.map(\.label),
            lastResort: lastResort(record, geo: geo, zone: zone),
            usesClientSubnet: record.usesClientSubnet, reason: reason)
        if case .weighted = method { checkWeights(selector.weights, at: geo.location) }
        if let known = selectorIndexes[selector] {
            name.selector = known
        } else {
            name.selector = selectors.count
            selectorIndexes[selector] = selectors.count
            selectors.append(selector)
        }
    }

    /// Queries draw below the sum, in 32 bits.
    private mutating func checkWeights(_ weights: [UInt32], at location: SourceLocation) {
        let sum = weights.reduce(UInt64(0)) { $0 + UInt64($1) }
        if sum == 0 {
            report(location, "every target has weight 0; give at least one a share")
        } else if sum > UInt64(UInt32.max) {
            report(
                location,
                "the weights add up to \(sum), more than \(UInt32.max); divide them all by the same"
            )
        }
    }

    private func serviceName(_ record: GeoRecord) -> String {
        (record.service ?? []).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    /// Nil, without a report, for a region that lacks the service asked for.
    private mutating func resolve(
        _ reference: TargetReference,
        for geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>, zone: Int
    ) -> Resolved? {
        let record = geo.value.record
        let label = directory.label(reference.name, zone: zone)
        func resolved(_ target: Target, site: Site? = nil) -> Resolved {
            Resolved(
                target: target, name: reference.name, label: label, weight: reference.weight,
                site: site, location: reference.location)
        }
        if let entry = directory.region(reference.name) {
            // A region with an error of its own has been reported.
            guard let region = directory.regionIndexes[reference.name] else { return nil }
            let site = Site(
                Coordinates(latitude: entry.value.latitude, longitude: entry.value.longitude),
                bias: entry.value.bias)
            var owner = reference.name
            for part in (record.service ?? []).reversed() {
                guard let longer = owner.prepending(part) else { return nil }
                owner = longer
            }
            guard !addresses(at: owner).isEmpty else { return nil }
            let endpoint = endpoint(
                at: owner, label: directory.label(owner, zone: zone), region: region,
                record: entry.value, checks: record.checks)
            return resolved(.endpoint(endpoint), site: site)
        }
        if let number = directory.geo(reference.name) { return resolved(.name(number)) }
        guard directory.isWithinZones(reference.name) else {
            return resolved(.external(reference.name))
        }
        guard !addresses(at: reference.name).isEmpty else {
            report(reference.location, unknownTarget(reference.name, label: label))
            return nil
        }
        let endpoint = endpoint(
            at: reference.name, label: label, region: nil, record: nil, checks: record.checks)
        return resolved(.endpoint(endpoint))
    }

    private func unknownTarget(_ name: DomainName, label: String) -> String {
        if let node = zones.node(named: name), zones.rrset(.cname, at: node) != nil {
            return "target \(label) is a CNAME; name what it points to"
        }
        return "unknown target \(label): \(name) is no REGION, no GEO, and has no A or AAAA record"
    }

    /// A CNAME in the answer holds for every type: it cannot stand at the apex or beside other
    /// records (RFC 1034 §3.6.2, RFC 1912 §2.4).
    private mutating func checkExternal(
        _ targets: [Resolved], _ geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>,
        zone: Int
    ) {
        guard
            let external = targets.first(where: {
                if case .external = $0.target { true } else { false }
            })
        else { return }
        if geo.owner == drafts[zone].origin {
            report(
                external.location,
                "\(external.label) lies outside this server's zones and would be answered as CNAME, "
                    + "which the apex of a zone cannot be")
        } else if let node = zones.node(named: geo.owner), zones.rrsets(at: node).count > 1 {
            report(
                external.location,
                "\(external.label) lies outside this server's zones and would be answered as CNAME, "
                    + "but \(geo.owner) has other records; a CNAME must stand alone")
        }
    }

    private mutating func lastResort(
        _ record: GeoRecord, geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>, zone: Int
    ) -> Selector.LastResort {
        switch record.lastResort {
        case .all: return .all
        case .first: return .first
        case .none: return .none
        case .name(let reference):
            let resolved = resolve(
                TargetReference(reference.name, at: reference.location), for: geo, zone: zone)
            return resolved.map { .target($0.target, label: $0.label) } ?? .all
        }
    }

    // MARK: - Methods and rankings

    private mutating func method(
        _ record: GeoRecord, map: MapReference?, targets: [Resolved],
        source: some LocationSource
    ) -> (Selector.Method, Reason)? {
        switch record.policy {
        case .failover: return (.failover, .failover)
        case .weighted: return (.weighted(by: record.by), .weighted)
        case .nearest:
            guard let sites = sites(of: targets, at: nil) else { return nil }
            return (
                .ranked(ranking: ranking(RankingKey(sites: sites, lines: nil), source)), .nearest
            )
        case .map:
            guard let map else { return nil }
            guard let key = rankingKey(map, targets) else { return nil }
            return (.ranked(ranking: ranking(key, source)), .map)
        }
    }

    /// Every target's site; reports the targets that have none, at `location` or where they are
    /// written.
    private mutating func sites(of targets: [Resolved], at location: SourceLocation?) -> [Site?]? {
        var isComplete = true
        for target in targets where target.site == nil {
            report(
                location ?? target.location,
                "target \(target.label) has no coordinates, which `nearest` needs; only regions "
                    + "have them")
            isComplete = false
        }
        return isComplete ? targets.map(\.site) : nil
    }

    private mutating func rankingKey(
        _ map: MapReference, _ targets: [Resolved]
    ) -> RankingKey? {
        var lines: [RankingKey.Line] = []
        var isComplete = true
        for line in map.lines {
            switch line.value.answer {
            case .none: lines.append(.init(selector: line.value.selector, answer: .order([])))
            case .nearest:
                isComplete = sites(of: targets, at: line.location) != nil && isComplete
                lines.append(.init(selector: line.value.selector, answer: .nearest))
            case .targets(let references):
                // A GEO that lists targets narrows the map to them; a region without the service
                // is left out.
                let positions = references.compactMap { reference in
                    targets.firstIndex { $0.name == reference.name }
                }
                lines.append(.init(selector: line.value.selector, answer: .order(positions)))
            }
        }
        return isComplete ? RankingKey(sites: targets.map(\.site), lines: lines) : nil
    }

    private mutating func ranking(_ key: RankingKey, _ source: some LocationSource) -> Int {
        if let known = rankingIndexes[key] { return known }
        rankings.append(RankingBuilder.build(key, source: source))
        rankingIndexes[key] = rankings.count - 1
        return rankings.count - 1
    }

    // MARK: - Nesting

    /// GEO names that lead back to themselves, or through more names than one decision may pass.
    private mutating func checkNesting() {
        guard !diagnostics.hasErrors else { return }
        // Longest way down from each name; nil while it is being followed.
        var depths: [Int?] = Array(repeating: -1, count: names.count)
        for name in names.indices where depths[name] == -1 { follow(name, &depths) }
    }

    private mutating func follow(_ start: Int, _ depths: inout [Int?]) {
        // An explicit stack: nesting in the input never becomes recursion here.
        var stack: [(name: Int, next: Int)] = [(start, 0)]
        depths[start] = nil
        while let top = stack.last {
            let children = nestedNames(of: top.name)
            guard top.next < children.count else {
                let deepest = children.compactMap { depths[$0] }.max() ?? 0
                depths[top.name] = deepest + 1
                if deepest + 1 > SteeringPlan.nestingMax {
                    report(
                        names[top.name].location,
                        "GEO names nest more than \(SteeringPlan.nestingMax) deep from here")
                }
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next += 1
            let child = children[top.next]
            if depths[child] == nil {
                let loop = stack.drop { $0.name != child }.map { names[$0.name].name.description }
                report(
                    names[top.name].location,
                    "a cycle of GEO names: \((loop + [names[child].name.description]).joined(separator: " -> "))"
                )
            } else if depths[child] == -1 {
                depths[child] = nil
                stack.append((child, 0))
            }
        }
    }

    private func nestedNames(of name: Int) -> [Int] {
        let selector = selectors[names[name].selector]
        var targets = selector.targets + selector.backups
        if case .target(let target, _) = selector.lastResort { targets.append(target) }
        return targets.compactMap { if case .name(let number) = $0 { number } else { nil } }
    }
}
