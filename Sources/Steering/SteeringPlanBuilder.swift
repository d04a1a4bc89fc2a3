package import Addressing
import DNSWire
package import Diagnostics
package import Geography
import Health
package import Zones

/// Resolves the steering records of all zones against each other: names to indexes, checks to
/// probes, places to orders; and reports everything that does not fit.
package struct SteeringPlanBuilder {
    let drafts: [ZoneDraft]
    /// Of the autonomous systems that maps name.
    let systemNetworks: [UInt32: [Prefix]]
    private let table: ZoneTable
    let zones: ZoneTable.View
    private(set) var directory: SteeringDirectory
    private(set) var diagnostics: [Diagnostic] = []
    private var reported: Set<Diagnostic> = []
    /// Of those that were reported here.
    private var errorCount = 0
    /// For each GEO name to what other names it leads; nothing for one with errors.
    var links: [[Link]] = []

    /// A target, backup or last resort of a GEO name that is no endpoint, and where that is
    /// written.
    struct Link {
        var target: Target
        var label: String
        var location: SourceLocation
    }

    /// Something is missing because it could not be read: there is no plan, and no further error.
    private(set) var isIncomplete = false
    private var probes: [Probe] = []
    private var probeIndexes: [Probe: Int] = [:]
    private var regions: [Region] = []
    private(set) var endpoints: [Endpoint] = []
    private var endpointIndexes: [EndpointKey: Int] = [:]
    private var resolved: [ResolvedKey: Resolved] = [:]
    private(set) var selectors: [Selector] = []
    private var selectorIndexes: [Selector: Int] = [:]
    private(set) var names: [GeoName] = []
    /// What the GEO record before came to; nil: it has a problem, or leads to other names.
    private var last: (zone: Int, selector: Int, demand: Double?)?
    var rankings: [Ranking] = []
    var rankingIndexes: [RankingKey: Int] = [:]
    let keepsLines: Bool
    var lines: [Int: PolicyLines] = [:]

    /// The plan of `drafts`, whose ordinary records are in `table`; nil with the reasons when a
    /// record has an error. `systemNetworks`: the networks of autonomous systems that maps name.
    /// With `keepsLines` accounts tell the lines that policies go by.
    package static func build(
        _ drafts: [ZoneDraft], table: ZoneTable, source: some LocationSource,
        systemNetworks: [UInt32: [Prefix]] = [:], keepsLines: Bool = false
    ) -> (plan: SteeringPlan?, diagnostics: [Diagnostic]) {
        var builder = SteeringPlanBuilder(drafts, table, systemNetworks, keepsLines: keepsLines)
        builder.addRegions()
        for (zone, draft) in drafts.enumerated() {
            for geo in draft.geos { builder.add(geo, zone: zone, source: source) }
        }
        builder.checkNesting()
        builder.checkExternals()
        builder.checkHints()
        builder.checkCheckReferences()
        builder.checkMapTargets()
        builder.warnOfUnused()
        guard !builder.diagnostics.hasErrors, !builder.isIncomplete else {
            return (nil, builder.diagnostics)
        }
        let plan = SteeringPlan(
            probes: builder.probes, regions: builder.regions, endpoints: builder.endpoints,
            selectors: builder.selectors, names: builder.names, rankings: builder.rankings,
            lines: builder.lines)
        return (plan, builder.diagnostics)
    }

    private init(
        _ drafts: [ZoneDraft], _ table: ZoneTable, _ systemNetworks: [UInt32: [Prefix]],
        keepsLines: Bool
    ) {
        self.keepsLines = keepsLines
        self.drafts = drafts
        self.systemNetworks = systemNetworks
        self.table = table
        // SAFETY: `table` is held beside it.
        zones = unsafe table.view
        directory = SteeringDirectory(drafts)
        diagnostics = directory.diagnostics
    }

    mutating func report(
        _ severity: Diagnostic.Severity, _ location: SourceLocation, _ message: String
    ) {
        let diagnostic = Diagnostic(severity, at: location, message)
        // A map is looked at once for each GEO that uses it.
        guard reported.insert(diagnostic).inserted else { return }
        diagnostics.append(diagnostic)
        if severity == .error { errorCount += 1 }
    }

    mutating func report(_ location: SourceLocation, _ message: String) {
        report(.error, location, message)
    }

    /// Something is not there at `name`, unless it is there and could not be read.
    mutating func report(
        missing name: DomainName, _ location: SourceLocation, _ message: String
    ) {
        if directory.isUnreadable(name) {
            isIncomplete = true
        } else {
            report(location, message)
        }
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
                let addresses = addresses(at: entry.owner)
                guard !addresses.isEmpty else {
                    report(
                        missing: entry.owner, entry.location,
                        "region \(label) has no address; "
                            + (obstacle(at: entry.owner)
                                ?? "give \(entry.owner) an A or AAAA record"))
                    continue
                }
                checkRequirement(entry, addresses)
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

    func addresses(at name: DomainName) -> [IPAddress] {
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
        var names = checks.map(\.name)
        if checks.isEmpty { names = [name] }
        if !hasChecks(names), let record { names = record.checks.map(\.name) }
        if !hasChecks(names), record?.checks.isEmpty == true, let region, region < regions.count {
            names = [regions[region].name]
        }
        let addresses = addresses(at: name).map { address in
            Endpoint.Address(address: address, checks: groups(names, of: address))
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

    func capacity(ofRegion region: Int) -> UInt32? {
        region < regions.count ? regions[region].record.capacity : nil
    }

    func check(of probe: Int) -> CheckSpecification { probes[probe].check }

    private func hasChecks(_ names: [DomainName]) -> Bool {
        names.contains { !directory.checks(at: $0).isEmpty }
    }

    private mutating func groups(
        _ names: [DomainName], of address: IPAddress
    ) -> [Endpoint.CheckGroup] {
        names.compactMap { name in
            let probes = directory.checks(at: name).map { probe($0, address) }
            guard !probes.isEmpty else { return nil }
            return Endpoint.CheckGroup(probes: probes, quorum: directory.quorum(at: name))
        }
    }

    // MARK: - GEO names

    /// A target that could be resolved, with what a policy needs to know of it.
    struct Resolved {
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
        // Every GEO record keeps its number, even one with errors, which has no selector.
        var name = GeoName(
            name: geo.owner, selector: -1, ttl: geo.value.ttl, location: geo.location)
        var links: [Link] = []
        let before = last
        let diagnosticCount = diagnostics.count
        defer {
            names.append(name)
            self.links.append(links)
            let isPlain = name.selector >= 0 && links.isEmpty && !isIncomplete
            last =
                isPlain && diagnostics.count == diagnosticCount
                ? (zone, name.selector, name.demand) : nil
        }
        if record.repeatsLast, let before, before.zone == zone {
            (name.selector, name.demand) = (before.selector, before.demand)
            return
        }

        var references = record.targets
        var map: MapReference?
        if case .map(let mapName) = record.policy {
            guard let found = directory.map(mapName.name) else {
                report(
                    missing: mapName.name, mapName.location,
                    "no MAP record at \(mapName.name); add its lines there, or name another map")
                return
            }
            map = found
            if references.isEmpty { references = found.targets }
            if references.isEmpty {
                report(
                    mapName.location,
                    "neither this GEO nor the map \(mapName.name) names a target; name them here, "
                        + "before the keys")
                return
            }
        } else if references.isEmpty {
            report(geo.location, "GEO names no target; name at least one region or name")
            return
        }
        warnOfIgnoredWords(record, map: map)
        let errorsBefore = errorCount
        let targets = references.compactMap { resolve($0, for: geo, zone: zone) }
        let backups = record.backups.compactMap { backup($0, for: geo, zone: zone) }
        let lastResort = lastResort(record, geo: geo, zone: zone)
        func link(_ resolved: Resolved) -> Link? {
            if case .endpoint = resolved.target { return nil }
            return Link(
                target: resolved.target, label: resolved.label, location: resolved.location)
        }
        links =
            targets.compactMap(link) + backups.compactMap(link)
            + (lastResort.flatMap(link).map { [$0] } ?? [])
        guard errorCount == errorsBefore else { return }
        guard !targets.isEmpty else {
            // Without a service it is the regions that lack something, and that was reported.
            let hasFaulty = references.contains {
                directory.region($0.name) != nil && directory.regionIndexes[$0.name] == nil
            }
            guard record.service != nil, !hasFaulty else { return }
            report(
                record.serviceLocation ?? geo.location,
                "none of the regions has the service \(serviceName(record)); give "
                    + "\(serviceName(record)).<region> an A or AAAA record")
            return
        }
        let spills = spills(record, targets)
        name.demand = record.demand.map(Double.init)
        guard
            let (method, reason) = method(
                record, of: geo.owner, map: map, targets: targets, spills: spills, zone: zone,
                source: source)
        else { return }
        let selector = Selector(
            method: method, targets: targets.map(\.target), labels: targets.map(\.label),
            weights: targets.map(\.weight), backups: backups.map(\.target),
            backupLabels: backups.map(\.label),
            lastResort: lastResort.map { .target($0.target, label: $0.label) }
                ?? record.lastResort.plain,
            usesClientSubnet: record.usesClientSubnet, reason: reason, hold: record.hold,
            answers: record.answers ?? (record.policy == .all ? GeoRecord.answersMax : 1),
            ramp: record.policy == .all ? .zero : record.ramp, panic: record.panic,
            by: record.byLocation == nil ? .client : record.by,
            skip: record.policy.hasOrder ? record.skip : 0,
            within: record.policy.hasDistances ? record.within : 0,
            isIndependent: record.isIndependent, balance: record.policy.balance, spills: spills)
        warnOfUnknownLoad(selector, record, of: geo.location)
        checkAnswers(selector, targets, record)
        if case .weighted = method { checkWeights(selector, of: geo, zone: zone) }
        if let known = selectorIndexes[selector] {
            name.selector = known
        } else {
            name.selector = selectors.count
            selectorIndexes[selector] = selectors.count
            selectors.append(selector)
        }
    }

    /// Queries draw below the sum, in 32 bits.
    private mutating func checkWeights(
        _ selector: Selector, of geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>,
        zone: Int
    ) {
        let sum = selector.weights.reduce(UInt64(0)) { $0 + UInt64($1) }
        if sum == 0 {
            report(
                geo.location,
                "every target of \(directory.label(geo.owner, zone: zone)) has weight 0; give at "
                    + "least one a share")
        } else if sum > UInt64(UInt32.max) {
            report(
                geo.location,
                "the weights add up to \(sum), more than \(UInt32.max); divide them all by the same"
            )
        }
    }

    private func serviceName(_ record: GeoRecord) -> String {
        (record.service ?? []).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    /// What a target comes to, wherever it is written: most names of a zone name the same ones.
    private struct ResolvedKey: Hashable {
        /// In the letters in which it is written, as labels are.
        var name: [UInt8]
        var zone: Int
        var service: [[UInt8]]?
        var checks: [DomainName]
    }

    /// Nil, without a report, for a region that lacks the service asked for.
    private mutating func resolve(
        _ reference: TargetReference,
        for geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>, zone: Int
    ) -> Resolved? {
        let record = geo.value.record
        let key = ResolvedKey(
            name: reference.name.wire, zone: zone, service: record.service,
            checks: record.checks.map(\.name))
        guard var known = resolved[key] else {
            let made = resolveAnew(reference, record, zone: zone)
            if let made { resolved[key] = made }
            return made
        }
        known.weight = reference.weight
        known.location = reference.location
        return known
    }

    private mutating func resolveAnew(
        _ reference: TargetReference, _ record: GeoRecord, zone: Int
    ) -> Resolved? {
        guard !directory.isUnreadable(reference.name) else {
            isIncomplete = true
            return nil
        }
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
            report(
                missing: reference.name, reference.location,
                unknownTarget(reference.name, label: label))
            return nil
        }
        let endpoint = endpoint(
            at: reference.name, label: label, region: nil, record: nil, checks: record.checks)
        return resolved(.endpoint(endpoint))
    }

    /// What to say of a name that is no target.
    func unknownTarget(_ name: DomainName, label: String) -> String {
        if let obstacle = obstacle(at: name) {
            return "target \(label) has no address: \(obstacle)"
        }
        if directory.map(name) != nil {
            return "target \(label) is a MAP; write map=\(label) as the policy, or name a region"
        }
        return
            "unknown target \(label): \(name) is no REGION, no GEO, and has no A or AAAA record; "
            + "a name outside the zone ends in a dot"
    }

    /// Why a name in our zones cannot have addresses of its own; nil when they are just not there.
    private func obstacle(at name: DomainName) -> String? {
        guard let node = zones.node(named: name) else { return nil }
        let cut = zones.nodes[node].cut
        if cut != ZoneTable.none {
            return "the NS records at \(zones.ownerName(of: Int(cut))) delegate it to other servers"
        }
        if zones.rrset(.cname, at: node) != nil { return "it is a CNAME; name what it points to" }
        return nil
    }

    /// A backup in which the service is missing is left out, and never noticed until it is needed.
    private mutating func backup(
        _ reference: NameReference,
        for geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>, zone: Int
    ) -> Resolved? {
        let target = TargetReference(reference.name, at: reference.location)
        let errorsBefore = errorCount
        if let resolved = resolve(target, for: geo, zone: zone) { return resolved }
        if errorCount == errorsBefore { reportNoService(reference, geo.value.record, zone: zone) }
        return nil
    }

    /// Nil when it is none of ours, too: `all`, `first` and `none` name no target.
    private mutating func lastResort(
        _ record: GeoRecord, geo: ZoneDraft.Steering<(record: GeoRecord, ttl: TTLRange)>, zone: Int
    ) -> Resolved? {
        guard case .name(let reference) = record.lastResort else { return nil }
        return backup(reference, for: geo, zone: zone)
    }

    private mutating func reportNoService(
        _ reference: NameReference, _ record: GeoRecord, zone: Int
    ) {
        guard directory.regionIndexes[reference.name] != nil else { return }
        let label = directory.label(reference.name, zone: zone)
        let service = serviceName(record)
        report(
            reference.location,
            "\(label) lacks the service \(service); give \(service).\(label) an A or AAAA record")
    }
}

extension GeoRecord.LastResort {
    /// As a selector has it where no name is given.
    fileprivate var plain: Selector.LastResort {
        switch self {
        case .all, .name: .all
        case .first: .first
        case .none: .none
        }
    }
}
