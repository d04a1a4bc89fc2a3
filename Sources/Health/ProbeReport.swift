/// What is known about one probe, for status pages and logs.
package struct ProbeReport: Sendable {
    /// A result, and when it came in.
    package struct Evidence: Hashable, Sendable {
        package var result: ProbeResult
        package var time: MonotonicTime

        package init(_ result: ProbeResult, at time: MonotonicTime) {
            self.result = result
            self.time = time
        }
    }

    package var identifier: ProbeIdentifier
    package var probe: Probe
    /// State, run lengths, the last result and the last transition (from, to, reason, time).
    package var machine: CheckMachine
    /// Why this machine could not probe at all last time (no file descriptors left…); nil when it
    /// could. Says nothing about the front door, so the state is untouched by it.
    package var obstacle: String?
    /// The last results, the latest last; at most five.
    package var evidence: [Evidence]
    /// It is no front door of ours (`Isolation`).
    package var isAnchor: Bool

    package init(
        identifier: ProbeIdentifier, probe: Probe, machine: CheckMachine, obstacle: String? = nil,
        evidence: [Evidence] = [], isAnchor: Bool = false
    ) {
        self.identifier = identifier
        self.probe = probe
        self.machine = machine
        self.obstacle = obstacle
        self.evidence = evidence
        self.isAnchor = isAnchor
    }

    package var state: HealthState { machine.state }
    /// When the state last changed; nil before the first result.
    package var since: MonotonicTime? { machine.lastChange }
    package var transition: CheckMachine.Transition? { machine.lastTransition }
    package var lastResult: ProbeResult? { machine.lastResult }
    /// Words for the last result: "status 200", "connection refused", "not probed yet".
    package var words: String {
        if let words = obstacle ?? lastResult?.reason { return words }
        return transition.map { "remembered: \($0.reason)" } ?? "not probed yet"
    }
    /// How long the last probe took.
    package var milliseconds: Int64? { lastResult?.duration.milliseconds }
    package var consecutiveFailures: Int { machine.consecutiveFailures }
    package var consecutiveSuccesses: Int { machine.consecutiveSuccesses }
}
