import Zones

// Selectors that spill: what each answer is counted as, and who is handed on. Every choice of such
// a selector is a deal, whose number of the slot the workers count.
extension AnswerTableBuilder {
    /// The part of a selector's clients that is being made.
    struct Slot {
        var number: Int
        /// By position of the target what is lost by it, against the best of all.
        var extras: [UInt16]
    }

    /// The slot for order `index` of a selector, at its place in the plan; nil: it does not spill.
    func slot(_ selector: Selector, _ policy: Int, order: [Int], index: Int) -> Slot? {
        guard selector.spills, policy < plan.selectors.count,
            let first = plan.slots(of: policy)?.lowerBound
        else { return nil }
        let ranks: [UInt16]
        var count = 1
        if case .ranked(let ranking) = selector.method {
            ranks = plan.rankings[ranking].extras[index]
            count = plan.rankings[ranking].orders.count
        } else {
            ranks = Spill.extras(order.map { _ in nil })
        }
        var extras = [UInt16](repeating: 0, count: selector.targets.count)
        for (place, position) in order.enumerated() { extras[position] = ranks[place] }
        let family = selector.isIndependent ? family : 0
        return Slot(number: first + family * count + index, extras: extras)
    }

    /// The answer for clients who would get the first of `members`, positions of targets that are
    /// up, best first.
    mutating func spilledChoice(
        _ members: [Int], _ selector: Selector, _ reason: Reason
    ) -> Choice {
        let targets = members.map { selector.targets[$0] }
        guard let slot else { return choice(targets, of: selector, reason) }
        let head = slot.extras[members[0]]
        var options = members.map { member in
            Spill.Source.Option(
                target: member, region: region(of: selector.targets[member]),
                extra: slot.extras[member] > head ? slot.extras[member] - head : 0)
        }
        // Equals may stand in any order; what is far comes last.
        options = options.enumerated().sorted {
            ($0.element.extra, $0.offset) < ($1.element.extra, $1.offset)
        }.map(\.element)
        // Health is not to be trusted then.
        if reason == .panic { options = [options[0]] }
        let source = Spill.Source(
            key: Spill.Key(slot: slot.number, head: members[0]), portion: 0, options: options)
        var steps: [ShareState] = []
        var rest = 1.0
        for (option, part) in source.parts(spill) {
            let position = options[option].target
            let isHead = position == members[0]
            let weight = rest > 0 ? min(part / rest, 1) : 1
            steps.append(
                ShareState(
                    choice: choice(
                        [selector.targets[position]], of: selector, isHead ? reason : .spill),
                    cumulativeWeight: 0,
                    weight: weight >= 1 ? .max : UInt32(weight * 0x1p32),
                    hash: Spill.hash(of: selector.labels[position])))
            rest -= part
        }
        return deal(steps, of: source, selector)
    }

    /// Of clients for whom none of the targets is up: what answers for them is counted, and keeps
    /// all of them.
    mutating func countedChoice(_ choice: Choice, _ target: Target?, _ selector: Selector) -> Choice
    {
        guard let slot, choice.kind != .nothing else { return choice }
        let option = Spill.Source.Option(
            target: -1, region: target.flatMap { region(of: $0) }, extra: 0)
        let step = ShareState(choice: choice, cumulativeWeight: 0, weight: .max, hash: 0)
        return deal(
            [step],
            of: Spill.Source(
                key: Spill.Key(slot: slot.number, head: -1), portion: 0, options: [option]),
            selector)
    }

    private mutating func deal(
        _ steps: [ShareState], of source: Spill.Source, _ selector: Selector
    ) -> Choice {
        // That of a joint selector is the same for A and AAAA.
        if family == 0 || selector.isIndependent { spillSources[deals.count] = source }
        var choice = deal(
            steps, selector.by == .query ? .spillByQuery : .spillByClient, selector)
        deals[Int(choice.index)].table = UInt32(source.key.slot)
        // Special is only who is handed on.
        choice.reason = .default
        return choice
    }

    private func region(of target: Target) -> Int? {
        guard case .endpoint(let index) = target else { return nil }
        return plan.endpoints[index].region
    }

    /// Finds what part of its slot each source is that `choice` leads to.
    mutating func measureSources(_ choice: Choice, portion: Double = 1) {
        guard choice.kind == .dealt else { return }
        let index = Int(choice.index)
        if spillSources[index] != nil {
            spillSources[index]?.portion += portion
            return
        }
        let deal = deals[index]
        var rest = portion
        for place in deal.picks(of: plan).shares {
            let share = shares[place]
            var part = rest
            switch deal.method {
            case .rampByClient, .rampByQuery:
                let isLast = place == Int(deal.firstShare) + Int(deal.shareCount) - 1
                if !isLast { part = rest * Double(share.weight) * 0x1p-32 }
                rest -= part
            default: part = portion * Double(share.weight) / Double(deal.totalWeight)
            }
            measureSources(share.choice, portion: part)
        }
    }
}

extension Spill {
    /// Not what ramps draw by: who has come back is not who is handed on.
    static func hash(of label: String) -> UInt64 {
        RandomSource.mix(Rendezvous.hash(of: label) ^ 2)
    }
}

extension AnswerTable {
    /// What is to be planned for the demand of each slot of the plan, in the unit of capacities.
    /// `capacities`: of each region; nil: those of the zones.
    package func spillPlan(demands: [Double], capacities: [Double?]? = nil) -> SpillPlan {
        SpillPlan(
            spillSources, demands: demands,
            capacities: capacities ?? plan.regions.map { $0.record.capacity.map(Double.init) })
    }
}
