/// What is known about one probed address.
package enum HealthState: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// Not probed yet; treated as up.
    case unknown
    case up
    /// It works, and something is wrong: it says so itself, its certificate ends soon, or its load
    /// is above a limit.
    case degraded
    /// It works, and wants no more clients.
    case drain
    case down

    /// Clients may be sent there.
    package var isOpen: Bool {
        switch self {
        case .unknown, .up, .degraded: true
        case .drain, .down: false
        }
    }
}

/// The state of every probe at one moment: a value, published whole.
package struct HealthTable: Sendable, Equatable {
    private var states: [HealthState]
    /// Percent, for those that have less than the whole of their weight.
    private var weights: [Int: UInt8] = [:]
    private var timesToChange: [Int: Duration] = [:]
    private var figures: [Int: ProbeFigures] = [:]
    /// Goes up with every change, so that of two copies the later one can be told.
    package private(set) var version: UInt64 = 0
    /// Goes up with every change of a state or a weight.
    package private(set) var stateVersion: UInt64 = 0
    /// The same for `timeToChangeOf`.
    package private(set) var timeVersion: UInt64 = 0
    /// The same for `figuresOf`.
    package private(set) var figureVersion: UInt64 = 0

    package init(_ states: [HealthState] = []) { self.states = states }

    /// `unknown` for a probe the table does not hold.
    package subscript(probe: ProbeIdentifier) -> HealthState {
        get { probe.index < states.count ? states[probe.index] : .unknown }
        set {
            if probe.index >= states.count {
                let missing = probe.index + 1 - states.count
                states.append(contentsOf: repeatElement(.unknown, count: missing))
            }
            states[probe.index] = newValue
            version += 1
            stateVersion += 1
        }
    }

    /// The part of its weight that a front door shall have, 1…100 percent: less for `degraded`.
    package subscript(weightOf probe: ProbeIdentifier) -> UInt8 {
        get { weights[probe.index] ?? 100 }
        set {
            guard newValue != self[weightOf: probe] else { return }
            weights[probe.index] = newValue == 100 ? nil : newValue
            version += 1
            stateVersion += 1
        }
    }

    /// `CheckMachine.timeToChange`; nil while the state is firm.
    package subscript(timeToChangeOf probe: ProbeIdentifier) -> Duration? {
        get { timesToChange[probe.index] }
        set {
            guard newValue != timesToChange[probe.index] else { return }
            timesToChange[probe.index] = newValue
            version += 1
            timeVersion += 1
        }
    }

    /// What was measured; nil: nothing, or nobody wants to know (`Watchlist.wantsFigures`).
    package subscript(figuresOf probe: ProbeIdentifier) -> ProbeFigures? {
        get { figures[probe.index] }
        set {
            guard newValue != figures[probe.index] else { return }
            figures[probe.index] = newValue
            version += 1
            figureVersion += 1
        }
    }

    /// What a degraded front door weighs that does not say itself.
    package static var degradedWeight: UInt8 { 50 }
}
