/// Keeps a target out that goes up and down again and again: route flap damping (RFC 2439) for
/// targets of answers.
///
/// Each time that it goes down costs a penalty of 1, which decays with a half-life. Two within one
/// half-life or so, and the target is held until the penalty has decayed to what a single failure
/// costs: a first failure is never held against anybody. The penalty has a ceiling, so that nothing
/// is held longer than four half-lives; `longest` is that time.
package struct HoldDown: Hashable, Sendable {
    /// The longest time out.
    package let longest: Duration
    package private(set) var penalty = 0.0
    /// When `penalty` was right.
    package private(set) var time = MonotonicTime(nanoseconds: 0)
    /// Nil: it is not held.
    package private(set) var heldUntil: MonotonicTime?

    /// Half-lives in `longest`.
    private static var halfLifeCount: Int { 4 }
    /// From here on a target is held (RFC 2439 §4.2, "cutoff threshold"): two failures, the first
    /// of which may have lost a fifth of its penalty.
    private static var cutoff: Double { 1.8 }
    /// Below this it is let go ("reuse threshold").
    private static var reuse: Double { 1 }
    /// What decays to `reuse` in `longest`.
    private static var ceiling: Double { Double(1 << halfLifeCount) }

    package init(longest: Duration) { self.longest = longest }

    /// As it was at `time`, perhaps in a process before this one; nil when it cannot have been.
    package init?(
        longest: Duration, penalty: Double, at time: MonotonicTime, until: MonotonicTime?,
        now: MonotonicTime
    ) {
        guard longest > .zero, (0...HoldDown.ceiling).contains(penalty),
            until.map({ $0 - time <= longest * 2 }) ?? true
        else { return nil }
        self.longest = longest
        self.penalty = penalty
        // Of a clock that was set back in between nothing may be held for longer.
        self.time = min(time, now)
        heldUntil = until.map { min($0, now + longest) }
    }

    /// The target has gone down. Held already, it is held longer.
    package mutating func wentDown(at now: MonotonicTime) {
        decay(to: now)
        penalty = min(penalty + 1, HoldDown.ceiling)
        guard penalty >= HoldDown.cutoff else { return }
        // The least number of ticks after which the penalty is no more than `reuse`.
        var rest = penalty
        var tickCount = 0
        while rest > HoldDown.reuse, tickCount < HoldDown.tickCountMax {
            rest *= HoldDown.tickFactor
            tickCount += 1
        }
        heldUntil = now + tick * tickCount
    }

    /// Whether it is kept out at that moment, although it is up.
    package mutating func isHeld(at now: MonotonicTime) -> Bool {
        guard let heldUntil else { return false }
        if heldUntil > now { return true }
        self.heldUntil = nil
        return false
    }

    /// Nothing is left to remember.
    package mutating func isForgotten(at now: MonotonicTime) -> Bool {
        decay(to: now)
        return !isHeld(at: now) && penalty < 0.1
    }

    // MARK: - Decay

    /// Decay goes in steps, as RFC 2439 §4.8.6 has it: 32 in a half-life.
    private var tick: Duration { longest / (HoldDown.halfLifeCount * 32) }
    private static var tickCountMax: Int { halfLifeCount * 32 }
    /// 2^(−1/32)
    private static var tickFactor: Double { 0.978_572_062_087_700_1 }

    private mutating func decay(to now: MonotonicTime) {
        guard tick > .zero, now > time else { return }
        let passed = (now - time).nanoseconds / tick.nanoseconds
        guard passed > 0 else { return }
        // After sixteen half-lives less than 2⁻¹² of the ceiling is left.
        guard passed < 16 * 32 else {
            penalty = 0
            time = now
            return
        }
        for _ in 0..<passed { penalty *= HoldDown.tickFactor }
        time = time + tick * Int(passed)
    }
}
