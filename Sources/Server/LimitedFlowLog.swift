import Configuration
import Responder

/// Makes log lines of what the workers tell of their rate limits: each limits a client for itself,
/// and the log says once that it begins, and once that it is over.
///
/// It tells of a fixed number at a time, however many workers there are. As each stays for
/// `LimitedFlows.quietTime`, an attack on everybody makes some ten lines a second.
struct LimitedFlowLog {
    struct Line {
        var level: Log.Level
        var message: String
        var fields: [(name: String, value: String)]
    }

    private static var countMax: Int { 32 }

    /// What at least one worker limits.
    private struct State {
        var workerCount = 0
        var droppedCount: UInt64 = 0
        var slippedCount: UInt64 = 0
    }
    private var states: [RateLimitEvent.Flow: State] = [:]
    /// Responses held back that no line has told of.
    private var untoldCount: UInt64 = 0

    /// `untoldCount`: responses held back that no event tells of.
    mutating func take(_ events: [RateLimitEvent], untoldCount more: UInt64) -> [Line] {
        untoldCount += more
        var lines = events.compactMap { take($0) }
        if untoldCount > 0 {
            lines.append(
                Line(
                    level: .warning,
                    message: "more clients are limited than are told one by one",
                    fields: [("responses", "\(untoldCount)")]))
            untoldCount = 0
        }
        return lines
    }

    private mutating func take(_ event: RateLimitEvent) -> Line? {
        guard let held = event.held else { return begin(event.flow) }
        guard var state = states[event.flow] else {
            untoldCount += held.droppedCount + held.slippedCount
            return nil
        }
        state.workerCount -= 1
        state.droppedCount += held.droppedCount
        state.slippedCount += held.slippedCount
        states[event.flow] = state.workerCount > 0 ? state : nil
        guard state.workerCount == 0 else { return nil }
        return Line(
            level: .info, message: "ends",
            fields: fields(event.flow) + [
                ("dropped", "\(state.droppedCount)"), ("slipped", "\(state.slippedCount)"),
            ])
    }

    private mutating func begin(_ flow: RateLimitEvent.Flow) -> Line? {
        if states[flow] != nil {
            states[flow]?.workerCount += 1
            return nil
        }
        guard states.count < LimitedFlowLog.countMax else { return nil }
        states[flow] = State(workerCount: 1)
        return Line(level: .warning, message: "begins", fields: fields(flow))
    }

    private func fields(_ flow: RateLimitEvent.Flow) -> [(name: String, value: String)] {
        [("client", "\(flow.prefix)"), ("answer", flow.kind.name)]
            + (flow.name.map { [("name", "\($0)")] } ?? [])
    }
}

extension RateLimits {
    /// Nil: no limit.
    init?(_ settings: AbuseSettings) {
        guard settings.rate > 0 else { return nil }
        self.init(rate: settings.rate, key: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
        slip = settings.slip
        ipv4PrefixLength = settings.ipv4PrefixLength
        ipv6PrefixLength = settings.ipv6PrefixLength
        exempt = settings.exempt
    }
}
