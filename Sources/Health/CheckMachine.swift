/// The state of one probe as a value: results go in, transitions come out.
///
/// HAProxy's meaning of `fall`, `rise`, `every` (`inter`) and `fast` (`fastinter`), with one
/// difference: the very first result decides at once, so that a server that has probed everything
/// once knows something about everything.
package struct CheckMachine: Hashable, Sendable {
    package struct Transition: Hashable, Sendable {
        package var from: HealthState
        package var to: HealthState
        /// The words of the result that tipped it.
        package var reason: String
        package var time: MonotonicTime
    }

    package let specification: CheckSpecification
    package private(set) var state: HealthState = .unknown
    /// Failures since the last success; counted on past `fall`.
    package private(set) var consecutiveFailures = 0
    /// Successes since the last failure; counted on past `rise`.
    package private(set) var consecutiveSuccesses = 0
    package private(set) var lastTransition: Transition?
    package private(set) var lastResult: ProbeResult?
    /// When `lastResult` came in.
    package private(set) var lastResultTime: MonotonicTime?

    package init(_ specification: CheckSpecification) { self.specification = specification }

    /// When `state` last changed; nil before the first result.
    package var lastChange: MonotonicTime? { lastTransition?.time }

    /// The last results contradict the state, but not yet often enough to change it.
    package var isInTransition: Bool {
        switch state {
        case .unknown: false
        case .up: consecutiveFailures > 0
        case .down: consecutiveSuccesses > 0
        }
    }

    /// From the start of one probe to the start of the next: `every` while firmly up, else `fast`.
    package var nextDelay: Duration {
        state == .up && !isInTransition ? specification.every : specification.fast
    }

    /// Takes in one result; returns the change of state it caused, if any.
    package mutating func received(
        _ result: ProbeResult, at time: MonotonicTime
    ) -> Transition? {
        lastResult = result
        lastResultTime = time
        switch result.verdict {
        case .passed:
            consecutiveSuccesses += 1
            consecutiveFailures = 0
        case .failed:
            consecutiveFailures += 1
            consecutiveSuccesses = 0
        }
        guard let next = stateAfterRun, next != state else { return nil }
        let transition = Transition(from: state, to: next, reason: result.reason, time: time)
        state = next
        lastTransition = transition
        return transition
    }

    /// The state the current run of results asks for; nil while the run is too short.
    private var stateAfterRun: HealthState? {
        let isFirst = state == .unknown
        if consecutiveFailures >= (isFirst ? 1 : specification.fall), consecutiveFailures > 0 {
            return .down
        }
        if consecutiveSuccesses >= (isFirst ? 1 : specification.rise), consecutiveSuccesses > 0 {
            return .up
        }
        return nil
    }
}
