package import Health

/// Shares of a weighted name as an operator has set them, and perhaps moves them.
package struct WeightOrder: Hashable, Sendable {
    package struct Share: Hashable, Sendable {
        /// The target, as the zone writes it.
        package var label: String
        package var weight: UInt32

        package init(_ label: String, _ weight: UInt32) {
            self.label = label
            self.weight = weight
        }
    }

    /// Targets that are not here have the zone's weight.
    package var shares: [Share]
    package var shift: Shift?

    package init(_ shares: [Share], shift: Shift? = nil) {
        self.shares = shares
        self.shift = shift
    }

    /// One for each label, in order; their sum fits into 32 bits when that of `zone` does.
    package func weights(of labels: [String], zone: [UInt32]) -> [UInt32] {
        var result = zip(labels, zone).map { label, weight in
            UInt64(shares.first { $0.label == label }?.weight ?? weight)
        }
        if let shift, let source = labels.firstIndex(of: shift.source),
            let destination = labels.firstIndex(of: shift.destination)
        {
            // As small as they can be written exactly.
            let divisor = UInt64(Shift.greatestCommonDivisor(shift.moved, Shift.whole))
            let (whole, moved) = (UInt64(Shift.whole) / divisor, UInt64(shift.moved) / divisor)
            let given = result[source] * moved
            result = result.map { $0 * whole }
            result[source] -= given
            result[destination] += given
        }
        let sum = result.reduce(0, +)
        let divisor = (sum + UInt64(UInt32.max) - 1) / UInt64(UInt32.max)
        guard divisor > 1 else { return result.map { UInt32($0) } }
        // Rounded up, for nobody's share may vanish. Dividing by one more makes up for that: with a
        // divisor of at most 10,000 it leaves room for 400,000 roundings.
        return result.map { UInt32(($0 + divisor) / (divisor + 1)) }
    }

    /// Some target gets clients.
    package func isUseful(for labels: [String], zone: [UInt32]) -> Bool {
        weights(of: labels, zone: zone).contains { $0 > 0 }
    }
}

/// Moves the share of one target to another, step by step: a state machine that is handed the
/// time. It takes one step at a time: time in which nobody watched, as between two processes, does
/// not count.
package struct Shift: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case running(next: MonotonicTime)
        case paused(because: String)
        case done
    }

    /// Labels of targets.
    package var source: String
    package var destination: String
    /// Of the share that `source` had at the beginning, in hundredths of a percent.
    package var step: Int
    package var pace: Duration
    /// How much of it is with `destination` by now, in the same unit.
    package var moved = 0
    package var phase: Phase
    /// No weights were set before: when it is aborted, the zone's hold again.
    package var isFromZone: Bool

    /// 100 %.
    package static let whole = 10_000

    /// Takes its first step at once.
    package init(
        from source: String, to destination: String, step: Int, pace: Duration, isFromZone: Bool,
        at now: MonotonicTime
    ) {
        self.source = source
        self.destination = destination
        self.step = step
        self.pace = pace
        self.isFromZone = isFromZone
        phase = .running(next: now)
    }

    /// When it is to be told the time; nil when nothing will happen by itself.
    package var nextStep: MonotonicTime? {
        if case .running(let next) = phase { next } else { nil }
    }

    /// Takes the step that is due; false when none is.
    package mutating func advance(to now: MonotonicTime) -> Bool {
        guard case .running(let next) = phase, next <= now else { return false }
        moved = min(moved + step, Shift.whole)
        // A pace after it was due, or after now when that is long past.
        let following = next + pace
        phase =
            moved == Shift.whole
            ? .done : .running(next: following > now ? following : now + pace)
        return true
    }

    package mutating func pause(because reason: String) {
        guard case .running = phase else { return }
        phase = .paused(because: reason)
    }

    /// The next step comes a pace later: what has been moved is to be looked at first.
    package mutating func resume(at now: MonotonicTime) {
        guard case .paused = phase else { return }
        phase = .running(next: now + pace)
    }

    /// As another process goes on with it: not before a pace has passed, unless it is due later.
    package mutating func wakeUp(at now: MonotonicTime) {
        guard case .running(let next) = phase, next <= now else { return }
        phase = .running(next: now + pace)
    }

    /// `30 %`, `2.5 %`
    package static func percent(_ hundredths: Int) -> String {
        var fraction = "\(hundredths % 100 + 100)".dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(hundredths / 100) %" : "\(hundredths / 100).\(fraction) %"
    }

    /// Hundredths, of `10%`, `2.5%`; nil for anything else, and outside of 0.01…100 %.
    package static func hundredths(_ text: String) -> Int? {
        guard text.hasSuffix("%") else { return nil }
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), (1...3).contains(parts[0].count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let units = Int(parts[0])
        else { return nil }
        var fraction = 0
        if parts.count == 2 {
            guard parts[1].count <= 2, let digits = Int(parts[1]) else { return nil }
            fraction = parts[1].count == 1 ? digits * 10 : digits
        }
        let value = units * 100 + fraction
        return (1...whole).contains(value) ? value : nil
    }

    static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return max(a, 1)
    }
}
