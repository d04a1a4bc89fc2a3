/// What the probes of one check of one address have measured, smoothed: what `least-connections`
/// and its like go by.
package struct ProbeFigures: Hashable, Sendable {
    /// Of the front door's own report.
    package var connections: Double?
    /// From the start of a probe to its verdict.
    package var milliseconds: Double?

    package init(connections: Double? = nil, milliseconds: Double? = nil) {
        self.connections = connections
        self.milliseconds = milliseconds
    }

    /// The part that one result has: a single slow probe is a quarter of the truth, and after eight
    /// of them nine tenths are theirs.
    private static var share: Double { 0.25 }

    /// Takes in the result of a probe that was answered.
    mutating func take(_ result: ProbeResult) {
        if let load = result.load {
            connections = ProbeFigures.smooth(connections, load[.connections])
        }
        let measured = Double(result.duration.nanoseconds) / 1_000_000
        milliseconds = ProbeFigures.smooth(milliseconds, measured)
    }

    private static func smooth(_ before: Double?, _ measured: Double?) -> Double? {
        guard let before, let measured else { return measured }
        return before + (measured - before) * share
    }

    /// No difference that would be worth new answers: a tenth, one connection, half a millisecond.
    func isAbout(_ other: ProbeFigures) -> Bool {
        func isAbout(_ one: Double?, _ other: Double?, least: Double) -> Bool {
            guard let one, let other else { return one == nil && other == nil }
            return abs(one - other) <= max(least, max(one, other) / 10)
        }
        return isAbout(connections, other.connections, least: 1)
            && isAbout(milliseconds, other.milliseconds, least: 0.5)
    }
}
