/// What is known about one probe, for status pages and logs.
package struct ProbeReport: Sendable {
    package var identifier: ProbeIdentifier
    package var probe: Probe
    /// State, run lengths, the last result and the last transition (from, to, reason, time).
    package var machine: CheckMachine
    /// Why this machine could not probe at all last time (no file descriptors left…); nil when it
    /// could. Says nothing about the front door, so the state is untouched by it.
    package var obstacle: String?

    package init(
        identifier: ProbeIdentifier, probe: Probe, machine: CheckMachine, obstacle: String? = nil
    ) {
        self.identifier = identifier
        self.probe = probe
        self.machine = machine
        self.obstacle = obstacle
    }

    package var state: HealthState { machine.state }
    /// When the state last changed; nil before the first result.
    package var since: MonotonicTime? { machine.lastChange }
    package var transition: CheckMachine.Transition? { machine.lastTransition }
    package var lastResult: ProbeResult? { machine.lastResult }
    /// Words for the last result: "status 200", "connection refused", "not probed yet".
    package var words: String { obstacle ?? lastResult?.reason ?? "not probed yet" }
    /// How long the last probe took.
    package var milliseconds: Int64? { lastResult?.duration.milliseconds }
    package var consecutiveFailures: Int { machine.consecutiveFailures }
    package var consecutiveSuccesses: Int { machine.consecutiveSuccesses }
}
