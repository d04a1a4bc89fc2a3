import Addressing
package import Health
import Zones

// From the table of probes to the state of a target.
extension Endpoint {
    /// One for each address.
    func addressStates(_ health: HealthTable, _ probes: [ProbeIdentifier]) -> [HealthState] {
        addresses.map { address in
            .worst(
                address.checks.map { checks in
                    .ofChecks(checks.probes.map { health[probes[$0]] }, quorum: checks.quorum)
                })
        }
    }

    /// Positions of the IPv4 addresses, and of the IPv6 addresses.
    var families: [[Int]] {
        IPAddress.Family.allCases.map { family in
            addresses.indices.filter { addresses[$0].address.family == family }
        }
    }

    /// An endpoint is up when each family it has meets its requirement: a region whose IPv4 front
    /// doors are dead is no good to clients that have only IPv4.
    func state(_ addressStates: [HealthState]) -> HealthState {
        .worst(families.filter { !$0.isEmpty }.map { state(addressStates, members: $0) })
    }

    /// By the addresses of one family alone.
    func state(_ addressStates: [HealthState], members: [Int]) -> HealthState {
        .ofAddresses(
            members.map { addressStates[$0] }, needed: require.count(of: members.count))
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
