import DNSWire

extension SteeringPlan {
    /// The same plan with other weights and capacities: what would be if the zones said so.
    ///
    /// `weights`: for numbers of GEO names, a weight for each target of their selector, with a sum
    /// that fits 32 bits. `capacities`: for indexes of regions.
    package func changed(weights: [Int: [UInt32]], capacities: [Int: UInt32]) -> SteeringPlan {
        var regions = regions
        for (index, capacity) in capacities { regions[index].record.capacity = capacity }
        var names = names
        var selectors = selectors
        // Other names may share the selector: they keep it.
        for (number, weights) in weights {
            var selector = selectors[names[number].selector]
            precondition(weights.count == selector.targets.count, "a weight for each target")
            selector.weights = weights
            names[number].selector = selectors.count
            selectors.append(selector)
        }
        return SteeringPlan(
            probes: probes, regions: regions, endpoints: endpoints, selectors: selectors,
            names: names, rankings: rankings, lines: lines)
    }

    /// The region an operator means by `label`: relative to its zone or in full.
    package func region(labelled label: String) -> Int? {
        let full = DomainName(label)
        return regions.firstIndex { $0.label == label || $0.name == full }
    }
}
