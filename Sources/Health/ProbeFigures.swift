/// What the probes of one check of one address have measured, smoothed: what `least-connections`
/// and its like go by.
package struct ProbeFigures: Hashable, Sendable {
    /// Of the front door's own report.
    package var connections: Double?
    /// From the start of a probe to its verdict.
    package var milliseconds: Double?
    /// Of the report: what is held against a capacity, requests a second, else connections.
    package var load: Double?
    /// What it says it can carry.
    package var capacity: Double?

    package init(
        connections: Double? = nil, milliseconds: Double? = nil, load: Double? = nil,
        capacity: Double? = nil
    ) {
        self.connections = connections
        self.milliseconds = milliseconds
        self.load = load
        self.capacity = capacity
    }

    /// The part that one result has: a single slow probe is a quarter of the truth, and after eight
    /// of them nine tenths are theirs.
    private static var share: Double { 0.25 }

    /// Takes in the result of a probe that was answered; `withLoad`: and what is held against a
    /// capacity.
    mutating func take(_ result: ProbeResult, withLoad: Bool) {
        if let load = result.load {
            connections = ProbeFigures.smooth(connections, load[.connections])
            if withLoad {
                self.load = ProbeFigures.smooth(
                    self.load, load[.requestsPerSecond] ?? load[.connections])
                // It is said, not measured.
                capacity = load[.capacity]
            }
        }
        let measured = Double(result.duration.nanoseconds) / 1_000_000
        milliseconds = ProbeFigures.smooth(milliseconds, measured)
    }

    private static func smooth(_ before: Double?, _ measured: Double?) -> Double? {
        guard let before, let measured else { return measured }
        return before + (measured - before) * share
    }

    /// No difference that would be worth new answers: a tenth, one connection, half a millisecond;
    /// of what is held against a capacity a hundredth.
    func isAbout(_ other: ProbeFigures) -> Bool {
        func isAbout(
            _ one: Double?, _ other: Double?, least: Double = 0, part: Double = 0.1
        ) -> Bool {
            guard let one, let other else { return one == nil && other == nil }
            return abs(one - other) <= max(least, max(one, other) * part)
        }
        return isAbout(connections, other.connections, least: 1)
            && isAbout(milliseconds, other.milliseconds, least: 0.5)
            && isAbout(load, other.load, part: 0.01) && capacity == other.capacity
    }
}
