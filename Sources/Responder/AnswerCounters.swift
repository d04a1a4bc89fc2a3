import DNSWire
import Steering
import Synchronization

/// What one responder has answered; written by its worker alone, read by anyone.
final class AnswerCounters: Sendable {
    let queries = Atomic<UInt64>(0)
    let ignored = Atomic<UInt64>(0)
    let truncated = Atomic<UInt64>(0)
    let withClientSubnet = Atomic<UInt64>(0)
    let withCookie = Atomic<UInt64>(0)
    let withGoodCookie = Atomic<UInt64>(0)
    let noError = Atomic<UInt64>(0)
    let formatError = Atomic<UInt64>(0)
    let nameError = Atomic<UInt64>(0)
    let notImplemented = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let badVersion = Atomic<UInt64>(0)
    let badCookie = Atomic<UInt64>(0)
    let limited = Atomic<UInt64>(0)
    let limitedSlipped = Atomic<UInt64>(0)
    let steered = Atomic<UInt64>(0)
    let overridden = Atomic<UInt64>(0)
    let backup = Atomic<UInt64>(0)
    let lastResort = Atomic<UInt64>(0)
    let panic = Atomic<UInt64>(0)
    let spilled = Atomic<UInt64>(0)

    func count(_ code: ResponseCode) {
        switch code {
        case .noError: noError.increment()
        case .formatError: formatError.increment()
        case .nameError: nameError.increment()
        case .notImplemented: notImplemented.increment()
        case .refused: refused.increment()
        case .badVersion: badVersion.increment()
        case .badCookie: badCookie.increment()
        case .serverFailure, .nameExists: break
        }
    }

    func count(_ reason: Reason) {
        steered.increment()
        // Not `==`: that of another module's enum is called through its witness table.
        switch reason {
        case .override: overridden.increment()
        case .backup: backup.increment()
        case .lastResort: lastResort.increment()
        case .panic: panic.increment()
        case .spill: spilled.increment()
        default: break
        }
    }
}

extension Atomic<UInt64> {
    /// For the only writer: a relaxed load and store become one plain increment.
    fileprivate func increment() {
        store(load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}

extension AnswerCounters {
    func countQuery() { queries.increment() }
    func countIgnored() { ignored.increment() }
    func countTruncated() { truncated.increment() }
    func countClientSubnet() { withClientSubnet.increment() }

    /// A response that the rate limit held back; `slips`: it went out without what was asked.
    func countLimited(slips: Bool) {
        limited.increment()
        if slips { limitedSlipped.increment() }
    }

    func count(_ state: CookieState) {
        guard state != .none else { return }
        withCookie.increment()
        if state == .good { withGoodCookie.increment() }
    }
}

/// Sums of what responders counted.
package struct AnswerTotals: Sendable, Equatable {
    /// Name and value, in the order they are shown.
    package private(set) var rows: [(name: String, value: UInt64)] = []

    package init() {}

    mutating func add(_ counters: AnswerCounters) {
        let values: [(String, UInt64)] = [
            ("queries", counters.queries.load(ordering: .relaxed)),
            ("ignored", counters.ignored.load(ordering: .relaxed)),
            ("truncated", counters.truncated.load(ordering: .relaxed)),
            ("with client subnet", counters.withClientSubnet.load(ordering: .relaxed)),
            ("with cookie", counters.withCookie.load(ordering: .relaxed)),
            ("with good server cookie", counters.withGoodCookie.load(ordering: .relaxed)),
            ("NOERROR", counters.noError.load(ordering: .relaxed)),
            ("FORMERR", counters.formatError.load(ordering: .relaxed)),
            ("NXDOMAIN", counters.nameError.load(ordering: .relaxed)),
            ("NOTIMP", counters.notImplemented.load(ordering: .relaxed)),
            ("REFUSED", counters.refused.load(ordering: .relaxed)),
            ("BADVERS", counters.badVersion.load(ordering: .relaxed)),
            ("BADCOOKIE", counters.badCookie.load(ordering: .relaxed)),
            ("rate limited", counters.limited.load(ordering: .relaxed)),
            ("rate limited, slipped", counters.limitedSlipped.load(ordering: .relaxed)),
            ("steered", counters.steered.load(ordering: .relaxed)),
            ("steered by an override", counters.overridden.load(ordering: .relaxed)),
            ("steered to a backup", counters.backup.load(ordering: .relaxed)),
            ("steered as last resort", counters.lastResort.load(ordering: .relaxed)),
            ("steered in panic", counters.panic.load(ordering: .relaxed)),
            ("steered past a full region", counters.spilled.load(ordering: .relaxed)),
        ]
        if rows.isEmpty { rows = values.map { ($0.0, 0) } }
        for (index, value) in values.enumerated() { rows[index].value += value.1 }
    }

    package static func == (left: AnswerTotals, right: AnswerTotals) -> Bool {
        left.rows.elementsEqual(right.rows, by: ==)
    }
}
