import Addressing
package import Health
import Zones

// From the table of probes to the state of a target.
extension Endpoint {
    /// One for each address.
    func addressStates(_ health: HealthTable, _ probes: [ProbeIdentifier]) -> [HealthState] {
        addresses.map { address in
            var state = HealthState.unknown
            for checks in address.checks {
                var counts = HealthStateCounts()
                for probe in checks.probes { counts.add(health[probes[probe]]) }
                state = state.worse(counts.ofChecks(quorum: checks.quorum))
            }
            return address.checks.isEmpty ? .up : state
        }
    }

    /// Positions of the addresses of a family.
    func members(_ family: IPAddress.Family) -> [Int] {
        addresses.indices.filter { addresses[$0].address.family == family }
    }

    /// An endpoint is up when each family it has meets its requirement: a region whose IPv4 front
    /// doors are dead is no good to clients that have only IPv4.
    func state(_ addressStates: [HealthState]) -> HealthState {
        let states = (state(addressStates, of: .ipv4), state(addressStates, of: .ipv6))
        guard let ipv4 = states.0 else { return states.1 ?? .up }
        return ipv4.worse(states.1 ?? ipv4)
    }

    /// By the addresses of one family alone; nil: it has none.
    func state(_ addressStates: [HealthState], of family: IPAddress.Family) -> HealthState? {
        var counts = HealthStateCounts()
        for index in addresses.indices where addresses[index].address.family == family {
            counts.add(addressStates[index])
        }
        guard counts.total > 0 else { return nil }
        return counts.ofAddresses(needed: require.count(of: counts.total))
    }
}

extension SteeringPlan {
    /// The state of each endpoint; `probes[i]` names the plan's probe i in `health`.
    package func endpointStates(
        _ health: HealthTable, _ probes: [ProbeIdentifier]
    ) -> [HealthState] {
        endpoints.map { $0.state($0.addressStates(health, probes)) }
    }
}
