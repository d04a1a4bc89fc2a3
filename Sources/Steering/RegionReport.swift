import Addressing
package import Health

/// What the front doors of a region tell of their load (`CHECK load`), and what it can carry.
package struct RegionReport: Equatable, Sendable {
    /// In the unit of capacities; nil: none of them tells.
    package var load: Double?
    /// As they say, else as the zone does, and of a degraded region the part that it is worth; nil:
    /// unlimited.
    package var capacity: Double?

    package init(load: Double? = nil, capacity: Double? = nil) {
        self.load = load
        self.capacity = capacity
    }
}

extension SteeringPlan {
    /// One for each region. `probes[i]` names the plan's probe i in `health`.
    package func regionReports(
        _ health: HealthTable, _ probes: [ProbeIdentifier]
    ) -> [RegionReport] {
        var addresses = regions.map { _ in [IPAddress: Endpoint.Address]() }
        for endpoint in endpoints {
            guard let region = endpoint.region else { continue }
            for address in endpoint.addresses { addresses[region][address.address] = address }
        }
        return regions.indices.map { index in
            let region = regions[index]
            func total(_ figure: (ProbeFigures) -> Double?) -> Double? {
                greatestSum(Array(addresses[index].values), health, probes, figure)
            }
            var capacity = total(\.capacity) ?? region.record.capacity.map(Double.init)
            let endpoint = endpoints[region.endpoint]
            if endpoint.state(endpoint.addressStates(health, probes)) == .degraded {
                capacity = capacity.map { $0 * Double(endpoint.weight(health, probes)) / 100 }
            }
            return RegionReport(load: total(\.load), capacity: capacity)
        }
    }

    /// Of all addresses of one family, or of the other: as a rule the same machines have both.
    /// Those that are open and do not tell count like those that do. Nil: nobody tells.
    private func greatestSum(
        _ addresses: [Endpoint.Address], _ health: HealthTable, _ probes: [ProbeIdentifier],
        _ figure: (ProbeFigures) -> Double?
    ) -> Double? {
        IPAddress.Family.allCases.compactMap { family -> Double? in
            let open = addresses.filter { address in
                address.address.family == family
                    && address.probes.allSatisfy { health[probes[$0]].isOpen }
            }
            // In an order that stays: sums of fractions depend on it.
            let told = open.compactMap { address in
                address.probes.compactMap { health[figuresOf: probes[$0]].flatMap(figure) }.max()
            }.sorted()
            guard !told.isEmpty else { return nil }
            return told.reduce(0, +) / Double(told.count) * Double(open.count)
        }.max()
    }
}

extension Endpoint {
    /// Percent: each address has the least that a check of it says, and the mean of them counts.
    func weight(_ health: HealthTable, _ probes: [ProbeIdentifier]) -> UInt32 {
        let parts = addresses.map { address in
            address.probes.map { UInt32(health[weightOf: probes[$0]]) }.min() ?? 100
        }
        return parts.isEmpty ? 100 : max(parts.reduce(0, +) / UInt32(parts.count), 1)
    }
}
