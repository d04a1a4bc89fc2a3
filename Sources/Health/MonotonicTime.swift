/// A moment on a clock that never steps back, in nanoseconds since an arbitrary start; only
/// differences mean something. The core is handed these, it never asks for the time itself.
package struct MonotonicTime: Hashable, Comparable, Sendable, BitwiseCopyable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// A duration too long to count (292 years) ends at the last moment there is.
    package static func + (moment: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (sum, overflow) = moment.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }

    package static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, at most `Int64.max`.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// Whole milliseconds, rounded up, so that waiting that long never ends too early.
    package var milliseconds: Int64 {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest > 0 ? whole + 1 : whole
    }

    /// As an operator writes it: `3 s`, `1.5 s`, `200 ms`.
    package var inWords: String {
        let count = milliseconds
        if count < 1000 { return "\(count) ms" }
        if count % 1000 == 0 { return "\(count / 1000) s" }
        var fraction = String(count % 1000 + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(count / 1000).\(fraction) s"
    }
}
