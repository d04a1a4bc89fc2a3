import Geography
import Zones

// What is dealt among clients where a target does not get all of its own.
extension AnswerTableBuilder {
    /// Percent of its clients that a target gets under this selector; 100: all.
    func part(of target: Target, by selector: Selector) -> UInt32 {
        guard selector.ramp > .zero, case .endpoint(let index) = target,
            overrides.states[target] == nil
        else { return 100 }
        return ramping[SteeringPlan.Ramp(endpoint: index, length: selector.ramp)] ?? 100
    }

    /// The answer for clients whose order of targets is `order`, of which some are up. `reach`: see
    /// `Ranking`.
    mutating func sharedChoice(
        _ selector: Selector, _ order: [Int], _ reach: [Int]?, _ up: [Bool]
    ) -> Choice {
        var places = order.indices.filter { up[order[$0]] }
        // Who leaves out the best still wants one that is up.
        places.removeFirst(min(selector.skip, places.count - 1))
        let members = places.map { order[$0] }
        let equalCount = reach.map { reach in places.count { $0 <= reach[places[0]] } } ?? 1
        guard equalCount > 1 else { return rampedChoice(members, selector) }
        let dealt = dealtShares(
            Array(members[..<equalCount]), then: Array(members[equalCount...]), selector,
            selector.reason)
        return deal(dealt, selector.by == .query ? .sharesByQuery : .sharesByClient, selector)
    }

    /// Shares of `members`, positions in the selector's targets. Where several answer together,
    /// each is followed by those behind it, round in a circle, and then by `rest`.
    func dealtWeights(
        _ members: [Int], _ selector: Selector, _ reason: Reason
    ) -> (members: [Int], weights: [UInt32]) {
        var own = members.map { selector.weights[$0] }
        // Equals are so whatever their weights.
        if !selector.hasWeights { own = own.map { _ in 1 } }
        var weights = graded(own, members, selector)
        guard reason != .lastResort else { return (members, weights) }
        weights = balanced(weights, members, selector)
        let parts = members.map { part(of: selector.targets[$0], by: selector) }
        let ramped = AnswerTableBuilder.ramped(weights, parts)
        return (
            zip(members, ramped).filter { $0.1 > 0 }.map(\.0), ramped.filter { $0 > 0 }
        )
    }

    mutating func dealtShares(
        _ members: [Int], then rest: [Int], _ selector: Selector, _ reason: Reason
    ) -> [ShareState] {
        let (members, weights) = dealtWeights(members, selector, reason)
        var sum: UInt32 = 0
        return members.indices.map { index in
            sum += weights[index]
            let answered = members[index...] + members[..<index] + rest
            return ShareState(
                choice: spilledChoice(Array(answered), selector, reason),
                cumulativeWeight: sum, weight: weights[index],
                hash: Rendezvous.hash(of: selector.labels[members[index]]))
        }
    }

    /// The answer for clients who would get the first of `members`, positions of targets that are
    /// up, best first. While that one ramps, clients it does not get yet go on to the next.
    private mutating func rampedChoice(_ members: [Int], _ selector: Selector) -> Choice {
        var steps: [ShareState] = []
        for (index, member) in members.enumerated() {
            let part = part(of: selector.targets[member], by: selector)
            let reason = index == 0 ? selector.reason : .ramp
            let rest = spilledChoice(Array(members[index...]), selector, reason)
            if part == 100, index == 0 { return rest }
            steps.append(step(rest, selector.labels[member], part: part))
            if part == 100 { break }
            // Where all are ramping, the best gets who is left.
            if index == members.count - 1 {
                let best = spilledChoice(members, selector, selector.reason)
                steps.append(step(best, selector.labels[members[0]], part: 100))
            }
        }
        return deal(steps, selector.by == .query ? .rampByQuery : .rampByClient, selector)
    }

    private func step(_ choice: Choice, _ label: String, part: UInt32) -> ShareState {
        ShareState(
            choice: choice, cumulativeWeight: 0,
            weight: part == 100 ? .max : UInt32((UInt64(part) << 32) / 100),
            hash: Rendezvous.hash(of: label))
    }

    /// A choice that is made among `steps` for each client or query.
    mutating func deal(
        _ steps: [ShareState], _ method: SelectorState.Method, _ selector: Selector
    ) -> Choice {
        deals.append(
            SelectorState(
                method: method, usesClientSubnet: selector.usesClientSubnet, table: 0,
                firstChoice: 0, firstShare: UInt32(shares.count), shareCount: UInt32(steps.count),
                totalWeight: steps.last?.cumulativeWeight ?? 0))
        shares += steps
        return Choice(kind: .dealt, reason: selector.reason, index: UInt32(deals.count - 1))
    }

    /// The weights under which each ramping member has the percentage `parts` says of the share
    /// that it has by `weights`, and the others share the rest by theirs.
    ///
    /// With shares s = w/∑w, and S the sum of the weights of those that do not ramp, a ramping
    /// member of part p gets the weight s·p·S / (1 − ∑s·p). Growing, a weight draws clients
    /// from the others, and moves none among them (`Rendezvous`).
    static func ramped(_ weights: [UInt32], _ parts: [UInt32]) -> [UInt32] {
        guard parts.contains(where: { $0 < 100 }) else { return weights }
        let total = weights.reduce(0.0) { $0 + Double($1) }
        let own = zip(weights, parts).map { Double($0) / total * Double($1) / 100 }
        let steady = zip(weights, parts).reduce(0.0) { $0 + ($1.1 == 100 ? Double($1.0) : 0) }
        let taken = zip(own, parts).reduce(0.0) { $0 + ($1.1 < 100 ? $1.0 : 0) }
        // All are ramping: by their parts alone, and as if none were when none has any yet.
        guard steady > 0 else {
            return taken > 0 ? scaled(own) : weights
        }
        return scaled(
            zip(weights, zip(own, parts)).map { weight, ramp in
                ramp.1 == 100 ? Double(weight) : ramp.0 * steady / (1 - taken)
            })
    }

    /// To whole numbers below 2³² together, as fine as may be; who has a share keeps one.
    static func scaled(_ weights: [Double]) -> [UInt32] {
        let factor = 0x1p31 / weights.reduce(0, +)
        return weights.map { $0 > 0 ? max(UInt32($0 * factor), 1) : 0 }
    }
}
