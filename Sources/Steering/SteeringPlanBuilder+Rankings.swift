import Addressing
import DNSWire
import Diagnostics
import Geography
import Zones

// Methods and rankings: from a policy and its resolved targets to orders by place.
extension SteeringPlanBuilder {
    mutating func method(
        _ record: GeoRecord, of owner: DomainName, map: MapReference?, targets: [Resolved],
        spills: Bool, zone: Int, source: some LocationSource
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
        case .fastest:
            guard let sites = sites(of: targets, at: nil, for: "`fastest`") else { return nil }
            var key = RankingKey(
                sites: sites, lines: nil, within: record.within, hasExtras: spills)
            if let times = record.roundTripTimes { key.measurements = measurements(times, targets) }
            return (.ranked(ranking: ranking(key, source)), .fastest)
        case .nearest:
            guard let sites = sites(of: targets, at: nil) else { return nil }
            return (
                .ranked(
                    ranking: ranking(
                        RankingKey(
                            sites: sites, lines: nil, within: record.within, hasExtras: spills),
                        source)),
                .nearest
            )
        case .map:
            guard let map else { return nil }
            guard var key = rankingKey(map, targets, of: owner, zone: zone) else { return nil }
            key.within = record.within
            key.hasExtras = spills
            return (.ranked(ranking: ranking(key, source)), .map)
        }
    }

    /// Every target's site; reports the targets that have none, at `location` or where they are
    /// written.
    private mutating func sites(
        of targets: [Resolved], at location: SourceLocation?, for policy: String = "`nearest`"
    ) -> [Site?]? {
        var isComplete = true
        for target in targets where target.site == nil {
            report(
                location ?? target.location,
                "target \(target.label) has no coordinates, which \(policy) needs; only regions "
                    + "have them, so name one, or use another policy")
            isComplete = false
        }
        return isComplete ? targets.map(\.site) : nil
    }

    /// Times of a file by prefix and target. What a prefix lacks it has from the shorter ones
    /// around it; several rows for the same are one, by their samples.
    private mutating func measurements(
        _ times: RoundTripTimes, _ targets: [Resolved]
    ) -> [RankingKey.Measurement] {
        var sums: [Prefix: [(time: Double, samples: Double, rows: [SourceLocation])]] = [:]
        let positions = Dictionary(
            targets.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for row in times.rows {
            guard let position = positions[row.target.name] else {
                // The file may serve other names, too.
                if directory.region(row.target.name) == nil {
                    report(
                        missing: row.target.name, row.target.location,
                        "target \(row.target.name) is no region; name one, or leave the row out")
                }
                continue
            }
            let samples = Double(row.samples)
            sums[row.prefix, default: Array(repeating: (0, 0, []), count: targets.count)][position]
                .time += row.milliseconds * samples
            sums[row.prefix]?[position].samples += samples
            if keepsLines { sums[row.prefix]?[position].rows.append(row.target.location) }
        }
        if sums.isEmpty {
            report(
                .warning, times.location,
                "no row is about a target of this GEO: it goes by distance alone")
        }
        var result: [RankingKey.Measurement] = []
        var sources: [PolicyLines.Measurement] = []
        var around: [Int] = []
        let prefixes = sums.keys.sorted {
            ($0.family.rawValue, $0.address.bits, $0.length)
                < ($1.family.rawValue, $1.address.bits, $1.length)
        }
        for prefix in prefixes {
            while let last = around.last, !result[last].prefix.contains(prefix) {
                around.removeLast()
            }
            let own = sums[prefix] ?? []
            let wider = around.last.map { result[$0].times }
            let merged = own.indices.map { position in
                own[position].samples > 0
                    ? own[position].time / own[position].samples : wider?[position] ?? -1
            }
            if keepsLines {
                let widerTrips = around.last.map { sources[$0].roundTrips }
                let trips = own.indices.map { position -> PolicyLines.RoundTrip? in
                    guard own[position].samples > 0 else { return widerTrips?[position] }
                    return PolicyLines.RoundTrip(
                        milliseconds: merged[position], rows: own[position].rows)
                }
                sources.append(PolicyLines.Measurement(prefix: prefix, roundTrips: trips))
            }
            around.append(result.count)
            result.append(RankingKey.Measurement(prefix: prefix, times: merged))
        }
        if keepsLines { lines[names.count] = PolicyLines(sources) }
        return result
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
        if keepsLines {
            self.lines[names.count] = PolicyLines(
                lines, at: map.lines.map(\.location), systemNetworks: systemNetworks)
        }
        return isComplete ? RankingKey(sites: targets.map(\.site), lines: lines) : nil
    }

    private mutating func ranking(_ key: RankingKey, _ source: some LocationSource) -> Int {
        if let known = rankingIndexes[key] { return known }
        rankings.append(
            RankingBuilder.build(key, source: source, systemNetworks: systemNetworks))
        rankingIndexes[key] = rankings.count - 1
        return rankings.count - 1
    }
}
