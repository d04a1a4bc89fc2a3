import DNSWire
import Diagnostics
import Geography
import Zones

// Methods and rankings: from a policy and its resolved targets to orders by place.
extension SteeringPlanBuilder {
    mutating func method(
        _ record: GeoRecord, of owner: DomainName, map: MapReference?, targets: [Resolved],
        zone: Int, source: some LocationSource
    ) -> (Selector.Method, Reason)? {
        switch record.policy {
        case .failover: return (.failover, .failover)
        case .weighted: return (.weighted(by: record.by), .weighted)
        case .hash: return (.weighted(by: .client), .hash)
        case .random: return (.weighted(by: .query), .weighted)
        case .roundRobin: return (.weighted(by: .turn), .weighted)
        case .all: return (.all, .all)
        case .leastConnections, .leastResponseTime: return (.weighted(by: record.by), .load)
        case .twoChoices: return (.weighted(by: .query), .load)
        case .nearest:
            guard let sites = sites(of: targets, at: nil) else { return nil }
            return (
                .ranked(
                    ranking: ranking(
                        RankingKey(sites: sites, lines: nil, within: record.within), source)),
                .nearest
            )
        case .map:
            guard let map else { return nil }
            guard var key = rankingKey(map, targets, of: owner, zone: zone) else { return nil }
            key.within = record.within
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
                    + "have them, so name one, or use another policy")
            isComplete = false
        }
        return isComplete ? targets.map(\.site) : nil
    }

    private mutating func rankingKey(
        _ map: MapReference, _ targets: [Resolved], of owner: DomainName, zone: Int
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
                if positions.isEmpty {
                    report(
                        .warning, line.location,
                        "no target of this line is a target of the GEO at \(owner), so clients "
                            + "there get no address from it; add one, or write `none`")
                }
                lines.append(
                    .init(selector: line.value.selector, answer: .order(positions)))
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
}
