import Health
import Zones

// How long an answer may be kept.
extension AnswerTableBuilder {
    /// Seconds for which nothing can change about an endpoint, as far as its checks tell: `.max`
    /// while its state is firm, and how soon it may be another while that is in question; `.max`,
    /// too, where every TTL is fixed.
    ///
    /// An address that is down at a target that is up for all that does not put it in question.
    func calmSeconds(
        _ endpoint: Endpoint, _ state: HealthState, _ health: HealthTable,
        _ probes: [ProbeIdentifier]
    ) -> UInt32 {
        guard plan.hasTTLRanges else { return .max }
        let least = endpoint.addresses.flatMap(\.probes).compactMap { index in
            health[probes[index]].isOpen == state.isOpen
                ? health[timeToChangeOf: probes[index]] : nil
        }.min()
        guard let least else { return state.isOpen ? .max : 0 }
        return UInt32(clamping: least.components.seconds)
    }

    /// The same for each selector: the least of all that it may lead to. What is held or ramps may
    /// change at any moment.
    func calmSeconds() -> [UInt32] {
        let spilling = Set(spill.portions.keys.map(\.slot))
        var calm = policies.enumerated().map { policy, selector in
            if isSpilling(policy, spilling) { return UInt32(0) }
            return selector.targets.map { target in
                guard case .endpoint(let index) = target else {
                    return overrides.states[target]?.isOpen == false ? 0 : UInt32.max
                }
                let isFree =
                    !isHeld(target, by: selector) && part(of: target, by: selector) == 100
                return isFree ? endpointCalm[index] : 0
            }.min() ?? .max
        }
        // Nesting is bounded and without cycles.
        for _ in 0..<SteeringPlan.nestingMax {
            for (index, selector) in policies.enumerated() {
                for case .name(let name) in selector.targets {
                    calm[index] = min(calm[index], calm[policyIndexes[name]])
                }
            }
        }
        return calm
    }
}

extension AnswerTableBuilder {
    /// Whether some of its clients are handed on: how many may be another matter soon.
    private func isSpilling(_ policy: Int, _ slots: Set<Int>) -> Bool {
        guard policy < plan.selectors.count, let own = plan.slots(of: policy) else { return false }
        return slots.contains { own.contains($0) }
    }
}

extension TTLRange {
    /// The maximum while all is firm; else no longer than nothing can change, and no shorter than
    /// the minimum.
    func clamp(_ calm: UInt32) -> UInt32 {
        Swift.max(minimum, Swift.min(maximum, calm))
    }
}
