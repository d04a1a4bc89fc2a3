// From the states of probes to that of what they probe: an address, and the addresses of a target.
extension HealthState {
    /// The worse of the two: that of an address by several names' checks, all of which must be met.
    package func worse(_ other: HealthState) -> HealthState {
        gravity < other.gravity ? other : self
    }

    fileprivate var gravity: Int {
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

/// How many checks of an address, or addresses of a target, are in each state. Every change of
/// health counts those of every target: without an array of them.
package struct HealthStateCounts: Sendable {
    /// By gravity.
    private var counts = SIMD8<Int>()

    package init(_ states: [HealthState] = []) {
        for state in states { add(state) }
    }

    package mutating func add(_ state: HealthState) { counts[state.gravity] &+= 1 }

    /// How many there are.
    package var total: Int { counts.wrappedSum() }

    private func count(_ state: HealthState) -> Int { counts[state.gravity] }

    /// The state of an address by the checks at one name, of which so many must pass.
    ///
    /// An order to drain holds whoever gives it. An address whose quorum is met only with the help
    /// of degraded checks is degraded itself.
    package func ofChecks(quorum: Int) -> HealthState {
        let needed = min(quorum, total)
        if total - count(.down) < needed { return .down }
        if count(.drain) > 0 { return .drain }
        if count(.up) + count(.unknown) < needed { return .degraded }
        return total > 0 && count(.unknown) == total ? .unknown : .up
    }

    /// The state of a target of which so many addresses must be up; with fewer up than that, those
    /// that are degraded or drain help out.
    package func ofAddresses(needed: Int) -> HealthState {
        var sum = count(.unknown) + count(.up)
        if sum >= needed { return .up }
        sum += count(.degraded)
        if sum >= needed { return .degraded }
        return sum + count(.drain) >= needed ? .drain : .down
    }
}
