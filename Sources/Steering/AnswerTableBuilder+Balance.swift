import Health
import Zones

// Shares by what front doors tell of their load, and by how fast they answer probes.
extension AnswerTableBuilder {
    /// What a policy compares, over the weight of the target; less is better. A target of which
    /// nothing is known counts as the mean of the others; nil: nothing is known of any.
    private func scores(
        _ members: [Int], _ weights: [UInt32], _ selector: Selector, _ balance: Balance
    ) -> [Double]? {
        let figures = members.map { member -> Double? in
            guard case .endpoint(let index) = selector.targets[member] else { return nil }
            // One more, so that weights count for those that are idle, too.
            return balance == .responseTime
                ? endpointFigures[index].milliseconds
                : endpointFigures[index].connections.map { $0 + 1 }
        }
        let known = zip(figures, weights).compactMap { figure, weight in
            figure.map { $0 / Double(weight) }
        }
        guard !known.isEmpty else { return nil }
        let mean = known.reduce(0, +) / Double(known.count)
        return zip(figures, weights).map { figure, weight in
            figure.map { $0 / Double(weight) } ?? mean
        }
    }

    /// The weights by which shares are dealt under a policy that balances: those of the least
    /// loaded, or what two choices come to. All above 0 before; some are 0 after.
    func balanced(
        _ weights: [UInt32], _ members: [Int], _ selector: Selector
    ) -> [UInt32] {
        guard let balance = selector.balance, members.count > 1 else { return weights }
        let scores = scores(members, weights, selector, balance)
        if balance == .twoChoices { return AnswerTableBuilder.twoChoices(weights, scores) }
        guard let scores, let least = scores.min() else { return weights }
        // Reports are some seconds old: who is about as good shares, and nobody is flooded.
        let limit = least * (1 + AnswerTableBuilder.tolerance)
        return zip(weights, scores).map { $1 <= limit ? $0 : 0 }
    }

    /// How much more than the least counts as the same.
    private static var tolerance: Double { 0.25 }

    /// How often each wins when two different ones are drawn by weight, and the less loaded of them
    /// is taken; of two alike, and where nothing is known, the one drawn first.
    static func twoChoices(_ weights: [UInt32], _ scores: [Double]?) -> [UInt32] {
        guard let scores else { return weights }
        let total = weights.reduce(0.0) { $0 + Double($1) }
        var wins = weights.map { _ in 0.0 }
        for (first, weight) in weights.enumerated() {
            let share = Double(weight) / total
            let rest = total - Double(weight)
            for (second, other) in weights.enumerated() where second != first {
                let chance = share * Double(other) / rest
                wins[scores[second] < scores[first] ? second : first] += chance
            }
        }
        return scaled(wins)
    }
}
