import Addressing
import DNSWire
import Diagnostics
import Health
import Zones

// What can be told only when every GEO name is resolved, and what is written to no effect.

// MARK: - Nesting

extension SteeringPlanBuilder {
    /// GEO names that lead back to themselves, or through more names than one decision may pass.
    mutating func checkNesting() {
        // Longest way down from each name; nil while it is being followed.
        var depths: [Int?] = Array(repeating: -1, count: names.count)
        for name in names.indices where depths[name] == -1 { follow(name, &depths) }
    }

    private mutating func follow(_ start: Int, _ depths: inout [Int?]) {
        // An explicit stack: nesting in the input never becomes recursion here.
        var stack: [(name: Int, next: Int)] = [(start, 0)]
        depths[start] = nil
        while let top = stack.last {
            let children = nested(in: top.name)
            guard top.next < children.count else {
                let depth = 1 + (children.compactMap { depths[$0.name] }.max() ?? 0)
                depths[top.name] = depth
                // Names that lead here go too deep as well: one report tells it all.
                if depth == SteeringPlan.nestingMax + 1 {
                    report(
                        names[top.name].location,
                        "GEO names nest more than \(SteeringPlan.nestingMax) deep from here; let "
                            + "\(names[top.name].name) name regions sooner")
                }
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next += 1
            let child = children[top.next]
            if depths[child.name] == nil {
                let loop = stack.drop { $0.name != child.name }.map { $0.name } + [child.name]
                let path = loop.map { names[$0].name.description }.joined(separator: " -> ")
                report(
                    child.location,
                    "a cycle of GEO names: \(path); name a region in place of one of them")
            } else if depths[child.name] == -1 {
                depths[child.name] = nil
                stack.append((child.name, 0))
            }
        }
    }

    private func nested(in name: Int) -> [(name: Int, location: SourceLocation)] {
        links[name].compactMap { link in
            if case .name(let number) = link.target { (number, link.location) } else { nil }
        }
    }
}

// MARK: - Names outside our zones

extension SteeringPlanBuilder {
    /// An outside name is answered as CNAME, which holds for every type: it cannot stand at the
    /// apex or beside other records (RFC 1034 §3.6.2, RFC 1912 §2.4), nor can a name that leads
    /// to one through others.
    mutating func checkExternals() {
        let origins = Set(drafts.map(\.origin))
        for name in names.indices {
            let owner = names[name].name
            let isApex = origins.contains(owner)
            let hasCompany =
                zones.node(named: owner).map { zones.rrsets(at: $0).count > 1 } ?? false
            guard isApex || hasCompany, let external = firstExternal(from: name) else { continue }
            let through =
                external.link.label == external.label
                ? "" : ", to which \(external.link.label) leads,"
            report(
                external.link.location,
                "\(external.label)\(through) lies outside this server's zones and would be answered as CNAME, "
                    + (isApex
                        ? "which the apex \(owner) cannot be; name targets with addresses here"
                        : "but \(owner) has other records; a CNAME must stand alone"))
        }
    }

    /// The link of `name` that is, or leads to, a name outside; and that name.
    private func firstExternal(from name: Int) -> (label: String, link: Link)? {
        for link in links[name] {
            if let label = externals(behind: link) { return (label, link) }
        }
        return nil
    }

    private func externals(behind link: Link) -> String? {
        var waiting = [link]
        var seen: Set<Int> = []
        while let next = waiting.popLast() {
            switch next.target {
            case .external: return next.label
            case .name(let number):
                if seen.insert(number).inserted { waiting += links[number] }
            case .endpoint: break
            }
        }
        return nil
    }
}

// MARK: - References

extension SteeringPlanBuilder {
    /// Names of checks that are not there, wherever they are written, used or not.
    mutating func checkCheckReferences() {
        for draft in drafts {
            let references =
                draft.regions.flatMap(\.value.checks) + draft.geos.flatMap(\.value.record.checks)
            for reference in references where directory.checks(at: reference.name).isEmpty {
                report(
                    missing: reference.name, reference.location,
                    "no CHECK record at \(reference.name); add one there, or name another")
            }
        }
    }

    /// Targets of maps, also of those that no GEO takes from the map.
    mutating func checkMapTargets() {
        for (zone, draft) in drafts.enumerated() {
            for line in draft.mapLines {
                guard case .targets(let targets) = line.value.answer else { continue }
                for target in targets {
                    let isKnown =
                        directory.region(target.name) != nil || directory.geo(target.name) != nil
                        || !directory.isWithinZones(target.name)
                        || !addresses(at: target.name).isEmpty
                    if !isKnown {
                        let label = directory.label(target.name, zone: zone)
                        report(
                            missing: target.name, target.location,
                            unknownTarget(target.name, label: label))
                    }
                    warnOfWeight(target, "a MAP")
                }
            }
        }
    }

    /// More than all of them cannot be up.
    mutating func checkRequirement(
        _ region: ZoneDraft.Steering<RegionRecord>, _ addresses: [IPAddress]
    ) {
        guard case .count(let count) = region.value.require else { return }
        let most =
            IPAddress.Family.allCases.map { family in
                addresses.count { $0.family == family }
            }.max() ?? 0
        guard count > most else { return }
        report(
            .warning, region.location,
            "require=\(count), and no more than \(most) "
                + "\(most == 1 ? "address" : "addresses") of one family; all must be up then")
    }
}

// MARK: - Several answers

extension SteeringPlanBuilder {
    /// What is answered together must be addresses.
    mutating func checkAnswers(_ selector: Selector, _ targets: [Resolved], _ record: GeoRecord) {
        guard selector.answers > 1 else { return }
        let words = record.policy == .all ? "`all`" : "`answers=`"
        for target in targets {
            switch target.target {
            case .endpoint: break
            case .name:
                report(
                    target.location,
                    "target \(target.label) is a GEO name, and \(words) puts the addresses of several "
                        + "targets together; name regions, or names with A or AAAA records")
            case .external:
                report(
                    target.location,
                    "target \(target.label) would be answered as CNAME, and \(words) puts the addresses of "
                        + "several targets together; name regions, or names with A or AAAA records")
            }
        }
        if record.policy == .all, record.answers == nil, targets.count > selector.answers {
            report(
                .warning, targets[selector.answers].location,
                "`all` answers with \(selector.answers) targets at most, and here are "
                    + "\(targets.count); the first that are up are answered")
        }
    }
}

// MARK: - Load

extension SteeringPlanBuilder {
    /// A policy that goes by what no check of its targets tells.
    mutating func warnOfUnknownLoad(
        _ selector: Selector, _ record: GeoRecord, of location: SourceLocation
    ) {
        guard let balance = selector.balance else { return }
        let checks = selector.targets.flatMap { target -> [CheckSpecification] in
            guard case .endpoint(let index) = target else { return [] }
            return endpoints[index].addresses.flatMap(\.probes).map { check(of: $0) }
        }
        let isTold = checks.contains { check in
            if balance == .responseTime { return check.isOfTheNetwork }
            if case .load = check.kind { return true }
            return false
        }
        guard !isTold else { return }
        report(
            .warning, location,
            balance == .responseTime
                ? "\(record.policy.words) goes by the time that probes take, and no target is probed; "
                    + "add a CHECK"
                : "\(record.policy.words) goes by the connections that front doors report, and no target "
                    + "has a CHECK load; add one")
    }
}

// MARK: - To no effect

extension SteeringPlanBuilder {
    /// Words of one GEO record that its policy makes nothing of.
    mutating func warnOfIgnoredWords(_ record: GeoRecord, map: MapReference?) {
        if !record.policy.hasWeights {
            for target in record.targets { warnOfWeight(target, record.policy.words) }
        }
        let isDealt =
            [.weighted, .leastConnections, .leastResponseTime].contains(record.policy)
            || record.ramp > .zero && !record.policy.hasWeights
            || record.within > 0 && record.policy.hasDistances
            || record.spills == true && record.policy.hasOrder
        if !isDealt, let location = record.byLocation {
            report(
                .warning, location,
                "by= has no effect under \(record.policy.words); only weighted and least-… deal "
                    + "their shares one way or the other, and targets that ramp, are equals or "
                    + "spill (ramp=, within=, spill=)"
            )
        }
        if record.policy == .all, let location = record.rampLocation {
            report(
                .warning, location,
                "ramp= has no effect under all: every target is answered to every client")
        }
        if !record.policy.hasOrder, let location = record.skipLocation {
            report(
                .warning, location,
                "skip= has no effect under \(record.policy.words): it has no order whose best could "
                    + "be left out")
        }
        if !record.policy.hasDistances, let location = record.withinLocation {
            report(
                .warning, location,
                "within= has no effect under \(record.policy.words): only nearest, fastest, or a map "
                    + "that says nearest, go by distance")
        }
        if record.policy != .fastest, let times = record.roundTripTimes {
            report(
                .warning, times.location,
                "rtt= has no effect under \(record.policy.words): only fastest goes by it")
        }
        let references = record.targets + (map?.targets ?? [])
        if let location = record.serviceLocation,
            !references.contains(where: { directory.region($0.name) != nil })
        {
            report(
                .warning, location,
                "service= has no effect: it stands before the names of regions, and no target is one"
            )
        }
    }

    private mutating func warnOfWeight(_ target: TargetReference, _ place: String) {
        guard target.weight != 1 else { return }
        report(
            .warning, target.location,
            "the weight \(target.weight) has no effect under \(place); weighted, hash, random, "
                + "round-robin, two-choices and least-… deal shares by weight"
        )
    }

    /// Checks and maps that nothing refers to: a slip in a name, as a rule.
    mutating func warnOfUnused() {
        var used = Set(endpoints.map(\.name))
        for draft in drafts {
            used.formUnion(draft.regions.flatMap(\.value.checks).map(\.name))
            for geo in draft.geos {
                used.formUnion(geo.value.record.checks.map(\.name))
                if case .map(let map) = geo.value.record.policy { used.insert(map.name) }
            }
        }
        // With errors, what should use them may be what could not be read.
        guard !diagnostics.hasErrors, !isIncomplete else { return }
        for draft in drafts {
            for check in draft.checks where !used.contains(check.owner) {
                report(
                    .warning, check.location,
                    "nothing is checked by this: no region or GEO says check=\(check.owner), and no "
                        + "target has that name")
            }
            for line in draft.mapLines where used.insert(line.owner).inserted {
                report(
                    .warning, line.location,
                    "no GEO says map=\(line.owner): this map has no effect")
            }
        }
    }
}

extension GeoRecord.Policy {
    /// It deals shares by weight.
    fileprivate var hasWeights: Bool {
        switch self {
        case .nearest, .fastest, .failover, .map, .all: false
        default: true
        }
    }

    /// Targets are tried one after the other.
    var hasOrder: Bool {
        switch self {
        case .nearest, .fastest, .failover, .map: true
        default: false
        }
    }

    /// What its shares go by, besides weights.
    var balance: Balance? {
        switch self {
        case .leastConnections: .connections
        case .leastResponseTime: .responseTime
        case .twoChoices: .twoChoices
        default: nil
        }
    }

    /// They may be tried by distance.
    var hasDistances: Bool {
        switch self {
        case .nearest, .fastest, .map: true
        default: false
        }
    }

    var words: String {
        switch self {
        case .nearest: "nearest"
        case .failover: "failover"
        case .weighted: "weighted"
        case .map: "map="
        case .hash: "hash"
        case .random: "random"
        case .roundRobin: "round-robin"
        case .all: "all"
        case .fastest: "fastest"
        case .leastConnections: "least-connections"
        case .leastResponseTime: "least-response-time"
        case .twoChoices: "two-choices"
        }
    }
}
