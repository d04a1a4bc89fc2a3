import DNSWire
package import Health

/// How much there is to carry, as far as that is known, and who is handed on because of it: a value
/// that is told what was answered and what front doors report, and handed the time.
///
/// *How much of it comes from whom* is what the workers have counted in the last minutes, and at
/// the start how many addresses there are. *How much it is together* is what `demand=` says; where
/// front doors report their load, that corrects it, for each region by itself, little by little:
/// what was moved shows in reports only when caches have let go of it.
package struct SpillTable: Sendable {
    /// Between two looks at counts and reports.
    package static let pace = Duration.seconds(5)
    /// Answers count for so long, about.
    private static let memorySeconds = 600.0
    /// And what is known of addresses weighs as much as so many answers.
    private static let addressWeight = 100.0
    /// After so long reports show most of what answers have moved.
    private static let lagSeconds = 60.0
    /// Which part of what a report is off it corrects at each look: little while it may only be
    /// late, for so long after what is answered has changed.
    private static let (correction, lateCorrection) = (0.1, 0.01)
    private static let lateness = Duration.seconds(180)
    /// At the start all of it: nothing was moved yet, and nothing is known but reports.
    private static let firstLookCount = 12
    /// More than that is not believed of one report: half, and twice as much.
    private static let offMax = 2.0
    /// Nothing is for ever: a place that is quiet for hours is not taken for none at all, and
    /// counts again some minutes after it has come back.
    private static let scaleMin = 0.01
    /// Of all demand: what may move and not count as a change.
    private static let smallMove = 0.01
    /// At most this part of any source changes at each look when nothing is too full.
    private static let step = 0.05
    /// Changes below it are left alone, and so much may a region be over before it is looked at
    /// anew.
    private static let tolerance = 0.01

    /// Of each slot: answers, of which old ones count less.
    private var counts: [Double]
    private var lastSums: [UInt32]
    /// Of each slot: what reports have made of what was first supposed.
    private var scales: [Double]
    /// What all clients of each selector make together before that; nil: not known yet.
    private var levels: [Double?]
    /// What each region should report by now; nil: it does not report.
    private var expected: [Double?]
    private var lastLook: MonotonicTime?
    private var lookCount = 0
    /// What regions reported before anybody was handed on, and who was up.
    private var beginning: Beginning?
    /// When what is answered has changed; nil: it has not since the start.
    private var lastChange: MonotonicTime?
    /// What was up then.
    private var lastSources: [Spill.Source] = []

    private struct Beginning {
        var reported: [Double?]
        var sources: [Spill.Source]
        var levels: [Double?]
    }

    package private(set) var shares = Spill.Shares()
    /// What that comes to; nil: it is not known how much there is to carry.
    package private(set) var load: RegionLoads?

    package init(_ plan: SteeringPlan) {
        counts = Array(repeating: 0, count: plan.slotCount)
        lastSums = Array(repeating: 0, count: plan.slotCount)
        scales = Array(repeating: 1, count: plan.slotCount)
        levels = plan.selectors.indices.map { index in
            let told = plan.names.filter { $0.selector == index }.compactMap(\.demand)
            return told.isEmpty ? nil : told.reduce(0, +)
        }
        expected = plan.regions.map { _ in nil }
    }

    /// When to look again; nil: nothing spills.
    package var nextLook: MonotonicTime? {
        counts.isEmpty ? nil : lastLook.map { $0 + SpillTable.pace }
    }

    /// Takes in what was counted since the last look, under `answers`, and what is reported now.
    package mutating func look(
        _ answers: AnswerTable, sums: [UInt32], _ reports: [RegionReport], at now: MonotonicTime
    ) {
        guard !counts.isEmpty, sums.count == counts.count else { return }
        let seconds = lastLook.map { Double((now - $0).nanoseconds) / 1e9 } ?? 0
        lastLook = now
        let kept = SpillTable.memorySeconds / (SpillTable.memorySeconds + seconds)
        for slot in counts.indices {
            counts[slot] = counts[slot] * kept + Double(sums[slot] &- lastSums[slot])
        }
        lastSums = sums
        lookCount += 1
        setLevels(answers, reports)
        correct(answers, reports, seconds: seconds, at: now)
        plan(answers, reports, mayReturn: true, at: now)
    }

    /// What is up has changed: who would make a region too full is handed on at once.
    package mutating func adapt(
        _ answers: AnswerTable, _ reports: [RegionReport], at now: MonotonicTime
    ) {
        guard !counts.isEmpty else { return }
        if lastLook == nil { lastLook = now }
        if answers.spillSources != lastSources {
            if !lastSources.isEmpty { lastChange = now }
            lastSources = answers.spillSources
        }
        setLevels(answers, reports)
        plan(answers, reports, mayReturn: false, at: now)
    }

    // MARK: - How much

    /// Of each slot, in the unit of capacities; nil while that is not known of any.
    private func demands(_ plan: SteeringPlan) -> [Double]? {
        guard levels.contains(where: { $0 != nil }) else { return nil }
        var demands = [Double](repeating: 0, count: counts.count)
        for (selector, level) in levels.enumerated() {
            guard let level, let slots = plan.slots(of: selector) else { continue }
            for (slot, part) in zip(slots, parts(of: selector, plan)) {
                demands[slot] = level * part * scales[slot]
            }
        }
        return demands
    }

    /// Which part of a selector's clients each of its slots has; together 1.
    private func parts(of selector: Int, _ plan: SteeringPlan) -> [Double] {
        guard let slots = plan.slots(of: selector) else { return [] }
        let own = slots.map { counts[$0] }
        var addresses = own.map { _ in 1.0 }
        if case .ranked(let ranking) = plan.selectors[selector].method {
            let known = plan.rankings[ranking].addressCounts
            // Twice where A and AAAA have slots of their own.
            if known.contains(where: { $0 > 0 }) {
                addresses = addresses.indices.map { known[$0 % known.count] }
            }
        }
        let total = addresses.reduce(0, +)
        let weighed = zip(own, addresses).map { $0 + SpillTable.addressWeight * $1 / total }
        let sum = weighed.reduce(0, +)
        return weighed.map { $0 / sum }
    }

    /// Names of which nothing is told share what regions report, by their answers, the first time
    /// that any does.
    private mutating func setLevels(_ answers: AnswerTable, _ reports: [RegionReport]) {
        let plan = answers.plan
        let open = levels.indices.filter { levels[$0] == nil && plan.slots(of: $0) != nil }
        guard !open.isEmpty, reports.contains(where: { $0.load != nil }) else { return }
        let weights = open.map { selector in
            SpillTable.addressWeight
                + (plan.slots(of: selector) ?? 0..<0).reduce(0) { $0 + counts[$1] }
        }
        let total = weights.reduce(0, +)
        // As if all of it were one, to see how much of that reports can tell of.
        let known = demands(plan) ?? counts.map { _ in 0 }
        for (selector, weight) in zip(open, weights) { levels[selector] = weight / total }
        let all = demands(plan) ?? known
        let supposed = SpillPlan.loads(
            answers.spillSources, demands: zip(all, known).map { $0 - $1 }, shares,
            regionCount: reports.count)
        let told = SpillPlan.loads(
            answers.spillSources, demands: known, shares, regionCount: reports.count)
        var (sum, one) = (0.0, 0.0)
        for (region, report) in reports.enumerated() {
            guard let load = report.load else { continue }
            sum += max(load - told[region], 0)
            one += supposed[region]
        }
        for selector in open {
            // Of nothing no part can be told.
            levels[selector] =
                one > 0 && sum > 0 ? (levels[selector] ?? 0) * sum / one : nil
        }
        guard let demands = demands(plan) else { return }
        let reported = reports.map(\.load)
        if shares.isEmpty {
            beginning = Beginning(
                reported: reported, sources: answers.spillSources, levels: levels)
        }
        match(answers.spillSources, demands, reported, shares)
    }

    /// What reports say is so: `reported`, of each region, under `shares`.
    private mutating func match(
        _ sources: [Spill.Source], _ demands: [Double], _ reported: [Double?],
        _ shares: Spill.Shares
    ) {
        let loads = SpillPlan.loads(
            sources, demands: demands, shares, regionCount: reported.count)
        let factors = zip(reported, loads).map { report, load in
            load > 0 ? report.map { $0 / load } : nil
        }
        apply(factors, sources, loads, shares)
    }

    /// What regions reported at the start, before anybody was handed on, divided anew among their
    /// clients: addresses were a guess, and by now answers have been counted. False when that no
    /// longer tells anything: others are up.
    private mutating func beginAnew(_ answers: AnswerTable) -> Bool {
        guard let beginning, beginning.sources == answers.spillSources,
            beginning.levels == levels
        else { return false }
        scales = scales.map { _ in 1 }
        guard let demands = demands(answers.plan) else { return false }
        match(beginning.sources, demands, beginning.reported, Spill.Shares())
        return true
    }

    /// Of a region that reports more than it should its clients make more than was supposed.
    private mutating func correct(
        _ answers: AnswerTable, _ reports: [RegionReport], seconds: Double, at now: MonotonicTime
    ) {
        guard var demands = demands(answers.plan) else { return }
        let sources = answers.spillSources
        if lastChange == nil, lookCount <= SpillTable.firstLookCount {
            expected = reports.map(\.load)
            beginning?.reported = reports.map(\.load)
            match(sources, demands, reports.map(\.load), shares)
            return
        }
        let isNew = lookCount <= SpillTable.firstLookCount && beginAnew(answers)
        if isNew { demands = self.demands(answers.plan) ?? demands }
        let isLate = lastChange.map { now - $0 < SpillTable.lateness } ?? false
        let correction = isLate ? SpillTable.lateCorrection : SpillTable.correction
        let loads = SpillPlan.loads(
            sources, demands: demands, shares, regionCount: reports.count)
        let wanted = SpillPlan.loads(
            sources, demands: demands, Spill.Shares(), regionCount: reports.count)
        let pace = seconds / (SpillTable.lagSeconds + seconds)
        var factors = [Double?](repeating: nil, count: reports.count)
        for (region, report) in reports.enumerated() {
            guard let load = report.load else {
                expected[region] = nil
                continue
            }
            // What reports for the first time is taken at its word.
            guard let before = expected[region] else {
                expected[region] = load
                continue
            }
            let now = before + (loads[region] - before) * pace
            expected[region] = now
            guard now > 0 else { continue }
            // It may be late: then it lies between what was and what is to be. What lies beyond
            // both is true.
            let (least, most) = (
                min(now, loads[region], wanted[region]), max(now, loads[region], wanted[region])
            )
            let beyond = SpillTable.believed(load / min(max(load, least), most))
            if isNew {
                // Of the next look, which begins anew again.
                if let before = beginning?.reported[region] {
                    beginning?.reported[region] = before * beyond
                }
                continue
            }
            let off = SpillTable.believed(load / now)
            factors[region] =
                1 + correction * (off - 1) + (SpillTable.correction - correction) * (beyond - 1)
        }
        apply(factors, sources, loads, shares)
    }

    /// What a report is as a multiple of what it was to be, as far as one report is believed.
    private static func believed(_ off: Double) -> Double {
        // 0 / 0: nothing is reported, and nothing was to be.
        off.isNaN ? 1 : min(max(off, 1 / offMax), offMax)
    }

    private mutating func apply(
        _ factors: [Double?], _ sources: [Spill.Source], _ loads: [Double],
        _ shares: Spill.Shares
    ) {
        let told = factors.indices.filter { factors[$0] != nil }
        let whole = told.reduce(0) { $0 + loads[$1] }
        guard whole > 0 else { return }
        // Regions that do not tell follow the others.
        let mean = told.reduce(0) { $0 + (factors[$1] ?? 1) * loads[$1] } / whole
        var changes = [Double](repeating: 0, count: scales.count)
        for source in sources {
            for (option, part) in source.parts(shares) {
                let factor = source.options[option].region.flatMap { factors[$0] } ?? mean
                changes[source.key.slot] += source.portion * part * (factor - 1)
            }
        }
        for slot in scales.indices {
            scales[slot] = max(scales[slot] * (1 + changes[slot]), SpillTable.scaleMin)
        }
    }

    // MARK: - Who is handed on

    /// What is too full is relieved at once. Who may return does so by degrees, when `mayReturn`.
    private mutating func plan(
        _ answers: AnswerTable, _ reports: [RegionReport], mayReturn: Bool, at now: MonotonicTime
    ) {
        guard let demands = demands(answers.plan) else { return }
        let sources = answers.spillSources
        let capacities = reports.map(\.capacity)
        let best = SpillPlan(sources, demands: demands, capacities: capacities)
        let loads = SpillPlan.loads(
            sources, demands: demands, shares, regionCount: capacities.count)
        let isOver = loads.indices.contains { region in
            capacities[region].map {
                loads[region] > $0 * best.overloads[region] * (1 + SpillTable.tolerance)
            } ?? false
        }
        if isOver {
            shares = best.shares
        } else if mayReturn {
            approach(best.shares, sources)
        }
        noteMove(sources, demands, from: loads, at: now)
        load = RegionLoads(
            wanted: best.wanted,
            carried: SpillPlan.loads(
                sources, demands: demands, shares, regionCount: capacities.count),
            capacities: capacities, overloads: best.overloads,
            moves: SpillPlan.moves(sources, demands, shares))
    }

    private mutating func noteMove(
        _ sources: [Spill.Source], _ demands: [Double], from before: [Double],
        at now: MonotonicTime
    ) {
        let after = SpillPlan.loads(
            sources, demands: demands, shares, regionCount: before.count)
        let moved = zip(before, after).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
        let whole = demands.reduce(0, +)
        if moved > whole * SpillTable.smallMove { lastChange = now }
    }

    /// A step from what is to what is best. What lies between two ways that overload nobody
    /// overloads nobody either.
    private mutating func approach(_ best: Spill.Shares, _ sources: [Spill.Source]) {
        guard shares != best else { return }
        var changes: [Spill.Key: [(target: Int, before: Double, after: Double)]] = [:]
        var most = 0.0
        for source in sources {
            let now = parts(of: source, shares)
            let then = parts(of: source, best)
            let own = source.options.indices.map { index in
                (target: source.options[index].target, before: now[index], after: then[index])
            }
            changes[source.key] = own
            for change in own { most = max(most, abs(change.after - change.before)) }
        }
        // Small differences are left alone, but nobody stays away for ever.
        if most < SpillTable.tolerance, !best.isEmpty { return }
        guard most > SpillTable.step else {
            shares = best
            return
        }
        let pace = SpillTable.step / most
        var next = Spill.Shares()
        for (key, own) in changes {
            let portions = own.map { change in
                Spill.Portion(
                    target: change.target,
                    part: change.before + (change.after - change.before) * pace)
            }.filter { $0.part > 0 }
            if portions.first.map({ $0.target == key.head && $0.part == 1 }) ?? true { continue }
            next.portions[key] = portions
        }
        shares = next
    }

    /// For each option.
    private func parts(of source: Spill.Source, _ shares: Spill.Shares) -> [Double] {
        var result = [Double](repeating: 0, count: source.options.count)
        for (option, part) in source.parts(shares) { result[option] = part }
        return result
    }
}

/// What regions carry, for people.
package struct RegionLoads: Equatable, Sendable {
    /// If nothing were handed on, and as it is; of each region, in the unit of capacities.
    package var wanted: [Double]
    package var carried: [Double]
    /// Nil: unlimited.
    package var capacities: [Double?]
    /// By how much a region carries more than it can because all that could help are full, too; 1:
    /// it does not.
    package var overloads: [Double]
    package var moves: [SpillPlan.Move: Double]

    /// Regions that hand clients on.
    package var spilling: Set<Int> { Set(moves.keys.map(\.from)) }
    /// Regions that carry more than they can.
    package var overloaded: Set<Int> {
        Set(overloads.indices.filter { overloads[$0] > 1 })
    }
}

extension SpillTable {
    /// What is known of the slots of one plan, for another one: a reload forgets nothing that is
    /// still there. What regions should report begins anew.
    package func moved(from plan: SteeringPlan, to next: SteeringPlan) -> SpillTable {
        var table = SpillTable(next)
        let known = Dictionary(
            zip(plan.slotKeys, counts.indices), uniquingKeysWith: { first, _ in first })
        var slots: [Int: Int] = [:]
        for (slot, key) in next.slotKeys.enumerated() {
            guard let before = known[key] else { continue }
            table.counts[slot] = counts[before]
            table.scales[slot] = scales[before]
            slots[before] = slot
        }
        for selector in next.selectors.indices where table.levels[selector] == nil {
            let name = next.names.first { $0.selector == selector }?.name
            let before = plan.names.first { $0.name == name }?.selector
            table.levels[selector] = before.flatMap { levels[$0] }
        }
        for (key, portions) in shares.portions {
            // Positions are those of the targets, which the slot's key tells.
            guard let slot = slots[key.slot] else { continue }
            table.shares.portions[Spill.Key(slot: slot, head: key.head)] = portions
        }
        table.lastLook = lastLook
        table.lookCount = lookCount
        table.lastChange = lastChange
        return table
    }
}

extension SteeringPlan {
    /// What a slot is known by from one plan to the next.
    fileprivate struct SlotKey: Hashable {
        var name: DomainName
        var labels: [String]
        var order: [Int]
        var extras: [UInt16]
        /// Tells those of A and of AAAA apart.
        var half: Int
    }

    /// One for each slot.
    fileprivate var slotKeys: [SlotKey] {
        var keys: [SlotKey] = []
        for (index, selector) in selectors.enumerated() {
            guard let slots = slots(of: index),
                let name = names.first(where: { $0.selector == index })?.name
            else { continue }
            var orders: [(order: [Int], extras: [UInt16])] = [([], [])]
            if case .ranked(let ranking) = selector.method {
                orders = Array(zip(rankings[ranking].orders, rankings[ranking].extras))
                    .map { (order: $0.0, extras: $0.1) }
            }
            for place in 0..<slots.count {
                let (order, extras) = orders[place % orders.count]
                keys.append(
                    SlotKey(
                        name: name, labels: selector.labels, order: order, extras: extras,
                        half: place / orders.count))
            }
        }
        return keys
    }
}
