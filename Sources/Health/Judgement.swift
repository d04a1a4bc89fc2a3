// From the states of probes to that of what they probe: an address, and the addresses of a target.
extension HealthState {
    /// The state of an address by the checks at one name, of which so many must pass.
    ///
    /// An order to drain holds whoever gives it. An address whose quorum is met only with the help
    /// of degraded checks is degraded itself.
    package static func ofChecks(_ states: [HealthState], quorum: Int) -> HealthState {
        let downCount = states.count { $0 == .down }
        if states.count - downCount < min(quorum, states.count) { return .down }
        if states.contains(.drain) { return .drain }
        let cleanCount = states.count { $0 == .up || $0 == .unknown }
        if cleanCount < min(quorum, states.count) { return .degraded }
        return states.allSatisfy { $0 == .unknown } && !states.isEmpty ? .unknown : .up
    }

    /// The state of an address by several names' checks, all of which must be met: the worst.
    package static func worst(_ states: [HealthState]) -> HealthState {
        states.max { $0.gravity < $1.gravity } ?? .up
    }

    /// The state of a target of which so many addresses must be up; with fewer up than that, those
    /// that are degraded or drain help out.
    package static func ofAddresses(_ states: [HealthState], needed: Int) -> HealthState {
        let counts = [HealthState.up, .degraded, .drain].map { limit in
            states.count { $0.gravity <= limit.gravity }
        }
        if counts[0] >= needed { return .up }
        if counts[1] >= needed { return .degraded }
        return counts[2] >= needed ? .drain : .down
    }

    private var gravity: Int {
        switch self {
        case .unknown: 0
        case .up: 1
        case .degraded: 2
        case .drain: 3
        case .down: 4
        }
    }

    /// As operators read it.
    package var name: String {
        switch self {
        case .unknown: "unknown"
        case .up: "up"
        case .degraded: "degraded"
        case .drain: "drain"
        case .down: "down"
        }
    }
}
