// When too little is up, what is up would drown: health is ignored (`panic=`).
extension AnswerTableBuilder {
    /// Fewer than so many percent of the capacity are up; of the targets, when one of them has no
    /// capacity that is told. With nothing up at all it is not for this to say what is answered,
    /// but for backups and the last resort.
    func panics(_ selector: Selector, _ up: [Bool]) -> Bool {
        guard selector.panic > 0 else { return false }
        let served = selector.targets.indices.filter { position in
            isThere(selector.targets[position], by: selector)
                && (!selector.hasWeights || selector.weights[position] > 0)
        }
        let capacities = served.map { capacity(of: selector.targets[$0]) }
        let sizes =
            capacities.contains(nil)
            ? capacities.map { _ in UInt64(1) } : capacities.map { UInt64($0 ?? 1) }
        let total = sizes.reduce(0, +)
        let open = zip(served, sizes).reduce(0) { $0 + (up[$1.0] ? $1.1 : 0) }
        return open > 0 && open * 100 < total * UInt64(selector.panic)
    }

    private func capacity(of target: Target) -> UInt32? {
        guard case .endpoint(let index) = target, let region = plan.endpoints[index].region
        else { return nil }
        return plan.regions[region].record.capacity
    }
}
