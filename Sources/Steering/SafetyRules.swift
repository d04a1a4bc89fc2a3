import DNSWire
package import Health

/// What an override must leave of every GEO name: so many regions, and so much of the capacity of
/// all of them.
package struct SafetyRules: Hashable, Sendable {
    /// 0: any number will do.
    package var minimumRegions: Int
    /// Percent; 0: any will do.
    package var minimumCapacity: Int

    package init(minimumRegions: Int = 0, minimumCapacity: Int = 0) {
        self.minimumRegions = minimumRegions
        self.minimumCapacity = minimumCapacity
    }

    /// What is against them, a sentence for each GEO name and rule: names that have less of
    /// something `after` than `before`, and too little. `states`: of the endpoints, by their
    /// checks. A name that has fewer regions than the rule wants must keep those that it has.
    package func objections(
        in plan: SteeringPlan, _ states: [HealthState], before: OverrideEffect,
        after: OverrideEffect
    ) -> [String] {
        guard minimumRegions > 0 || minimumCapacity > 0 else { return [] }
        return plan.names.indices.flatMap { name -> [String] in
            var all = DestinationSearch(plan, states: nil, effect: OverrideEffect())
            var now = DestinationSearch(plan, states: states, effect: before)
            var then = DestinationSearch(plan, states: states, effect: after)
            all.visit(name)
            now.visit(name)
            then.visit(name)
            return objections(
                plan.names[name].name, all.sites, now: now.sites, then: then.sites)
        }
    }

    private func objections(
        _ name: DomainName, _ all: Set<Destination>, now: Set<Destination>, then: Set<Destination>
    ) -> [String] {
        var objections: [String] = []
        let names = then.map(\.label).sorted().joined(separator: " ")
        let left = names.isEmpty ? "" : " (\(names))"
        if then.count < now.count, then.count < min(minimumRegions, all.count) {
            objections.append(
                "\(name) would be left with \(then.count) of \(all.count) regions\(left), and "
                    + "minimum-regions is \(minimumRegions)")
        }
        let isCounted = all.allSatisfy { $0.capacity != nil }
        func sum(_ sites: Set<Destination>) -> UInt64 {
            sites.reduce(0) { $0 + (isCounted ? UInt64($1.capacity ?? 0) : 1) }
        }
        let (whole, before, rest) = (sum(all), sum(now), sum(then))
        if rest < before, rest * 100 < whole * UInt64(minimumCapacity) {
            let unit = isCounted ? "of its capacity" : "regions, all counting alike"
            objections.append(
                "\(name) would be left with \(rest) of \(whole) \(unit), "
                    + "\(rest * 100 / max(whole, 1)) %\(left), and minimum-capacity is "
                    + "\(minimumCapacity) %")
        }
        return objections
    }
}

/// What clients of a name may be sent to: a region, or an endpoint that stands in none.
private struct Destination: Hashable {
    var label: String
    var capacity: UInt32?
}

/// Collects them, down through nested names.
private struct DestinationSearch {
    let plan: SteeringPlan
    /// Nil: all are well.
    let states: [HealthState]?
    let effect: OverrideEffect
    private(set) var sites: Set<Destination> = []
    private var seen: Set<Int> = []

    init(_ plan: SteeringPlan, states: [HealthState]?, effect: OverrideEffect) {
        self.plan = plan
        self.states = states
        self.effect = effect
    }

    mutating func visit(_ name: Int) {
        guard seen.insert(name).inserted else { return }
        let selector = plan.selectors[plan.names[name].selector]
        let weights = effect.weights[name] ?? selector.weights
        var isWeighted = false
        if case .weighted = selector.method { isWeighted = true }
        for (position, target) in selector.targets.enumerated() {
            // With all sites counted, those without a share at the moment count too.
            if isWeighted, states != nil, weights[position] == 0 { continue }
            if let state = effect.states[target], !state.isOpen { continue }
            switch target {
            case .endpoint(let index):
                let state = effect.states[target] ?? states?[index] ?? .up
                if state.isOpen { sites.insert(destination(of: index)) }
            case .name(let index): visit(index)
            case .external: sites.insert(Destination(label: selector.labels[position]))
            }
        }
    }

    private func destination(of endpoint: Int) -> Destination {
        guard let region = plan.endpoints[endpoint].region else {
            return Destination(label: plan.endpoints[endpoint].label)
        }
        return Destination(
            label: plan.regions[region].label, capacity: plan.regions[region].record.capacity)
    }
}
