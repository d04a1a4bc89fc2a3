/// The state of one probe as a value: results go in, transitions come out.
///
/// HAProxy's meaning of `fall`, `rise`, `every` (`inter`) and `fast` (`fastinter`), with one
/// difference: the very first result decides at once, so that a server that has probed everything
/// once knows something about everything.
///
/// Between up and down there are two more states. `degraded` is entered at the first warning, for
/// it costs little, and left after `rise` results without one, so that a figure that hovers about
/// its limit does not flap. `drain` is an order, not a measurement: it holds at once, and ends at
/// once. Both are left for `down` after `fall` failures, like `up`.
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
    /// Those of them that had nothing to complain about, since the last that had.
    package private(set) var consecutivePasses = 0
    package private(set) var lastTransition: Transition?
    package private(set) var lastResult: ProbeResult?
    /// When `lastResult` came in; also that of a process before this one.
    package private(set) var lastResultTime: MonotonicTime?

    package init(_ specification: CheckSpecification) { self.specification = specification }

    /// One that goes on from what is remembered: `fall` and `rise` count from there.
    package init(_ specification: CheckSpecification, from memory: HealthMemory.Entry) {
        self.specification = specification
        state = memory.state
        lastTransition = Transition(
            from: .unknown, to: memory.state, reason: memory.reason, time: memory.since)
        lastResultTime = memory.seen
    }

    /// When `state` last changed; nil before the first result.
    package var lastChange: MonotonicTime? { lastTransition?.time }

    /// The last results contradict the state, but not yet often enough to change it.
    package var isInTransition: Bool {
        switch state {
        case .unknown: false
        case .up, .drain: consecutiveFailures > 0
        case .degraded: consecutiveFailures > 0 || consecutivePasses > 0
        case .down: consecutiveSuccesses > 0
        }
    }

    /// The least time in which the state can change, while that is in question: it is down, or the
    /// last results contradict it. Nil while it is firm.
    ///
    /// As many results as it takes still, all but the first of which come a pace after the one
    /// before; the first may come at any moment.
    package var timeToChange: Duration? {
        let resultCount =
            switch state {
            case .unknown: 0
            case .up, .degraded:
                consecutiveFailures > 0 ? max(specification.fall - consecutiveFailures, 1) : 0
            case .drain: 1
            case .down: max(specification.rise - consecutiveSuccesses, 1)
            }
        return resultCount > 0 ? specification.fast * (resultCount - 1) : nil
    }

    /// From the start of one probe to the start of the next: `every` while firmly up, else `fast`.
    package var nextDelay: Duration {
        switch state {
        case .unknown, .down: specification.fast
        case .up, .degraded, .drain: isInTransition ? specification.fast : specification.every
        }
    }

    /// Takes in one result; returns the change of state it caused, if any.
    package mutating func received(
        _ result: ProbeResult, at time: MonotonicTime
    ) -> Transition? {
        lastResult = result
        lastResultTime = time
        if result.verdict.isSuccess {
            consecutiveSuccesses += 1
            consecutiveFailures = 0
        } else {
            consecutiveFailures += 1
            consecutiveSuccesses = 0
        }
        consecutivePasses = result.verdict == .passed ? consecutivePasses + 1 : 0
        let next = state(after: result.verdict)
        guard next != state else { return nil }
        let transition = Transition(from: state, to: next, reason: result.reason, time: time)
        state = next
        lastTransition = transition
        return transition
    }

    /// Failures since then were no fault of the front door's: what they led to is undone. Returns
    /// true when there was something to undo.
    package mutating func excuseFailures(since start: MonotonicTime, at time: MonotonicTime) -> Bool
    {
        let hadFailures = consecutiveFailures > 0
        consecutiveFailures = 0
        guard state == .down, let last = lastTransition, last.to == .down, last.time >= start,
            last.from != .unknown
        else { return hadFailures }
        state = last.from
        lastTransition = Transition(
            from: .down, to: last.from, reason: "this server was cut off", time: time)
        return true
    }

    /// The state that a result leads to, its run counted already.
    private func state(after verdict: ProbeResult.Verdict) -> HealthState {
        if state == .unknown { return verdict.state }
        if consecutiveFailures >= specification.fall { return .down }
        if state == .down {
            return consecutiveSuccesses >= specification.rise ? verdict.state : .down
        }
        switch verdict {
        case .failed: return state
        case .passed:
            let isTooSoon = state == .degraded && consecutivePasses < specification.rise
            return isTooSoon ? .degraded : .up
        case .degraded, .drained, .strained: return verdict.state
        }
    }
}

extension ProbeResult.Verdict {
    /// The state of a front door of which this is all that is known.
    fileprivate var state: HealthState {
        switch self {
        case .passed: .up
        case .degraded, .strained: .degraded
        case .drained: .drain
        case .failed: .down
        }
    }
}
