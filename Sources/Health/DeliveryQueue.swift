/// Messages on their way to somebody who may be slow, away, or unwilling: in order, one at a time,
/// tried again after longer and longer breaks, and never more of them than so many. A value;
/// whoever carries the messages tells it the time.
package struct DeliveryQueue: Sendable {
    private var waiting: [[UInt8]] = []
    /// The message being tried.
    private var current: [UInt8]?
    private var isUnderWay = false
    private var failureCount = 0
    private var notBefore: MonotonicTime?
    /// Messages given up, or pushed out by later ones.
    package private(set) var droppedCount = 0

    /// What a receiver that is away for long has lost is the oldest.
    package static var countMax: Int { 1000 }
    /// About five minutes, with the breaks below.
    package static var attemptCountMax: Int { 10 }
    private static var firstBreak: Duration { .seconds(1) }
    private static var longestBreak: Duration { .seconds(60) }

    package init() {}

    /// Messages that have not arrived yet.
    package var count: Int { waiting.count + (current == nil ? 0 : 1) }

    package mutating func add(_ message: [UInt8]) {
        waiting.append(message)
        if waiting.count > DeliveryQueue.countMax {
            waiting.removeFirst()
            droppedCount += 1
        }
    }

    /// The message to try now; then `delivered` or `failed` is due. Nil while there is none, one is
    /// being tried, or a break is on.
    package mutating func take(at now: MonotonicTime) -> [UInt8]? {
        guard !isUnderWay, notBefore.map({ $0 <= now }) ?? true else { return nil }
        if current == nil, !waiting.isEmpty { current = waiting.removeFirst() }
        isUnderWay = current != nil
        return current
    }

    /// When to ask `take` again although nothing was added; nil: not before something is.
    package var nextAttempt: MonotonicTime? { current == nil || isUnderWay ? nil : notBefore }

    package mutating func delivered() {
        current = nil
        isUnderWay = false
        failureCount = 0
        notBefore = nil
    }

    /// `isFinal`: the receiver does not want this message; the next is tried at once.
    package mutating func failed(isFinal: Bool, at now: MonotonicTime) {
        failureCount += 1
        isUnderWay = false
        if isFinal || failureCount >= DeliveryQueue.attemptCountMax {
            current = nil
            droppedCount += 1
            // A receiver that has been away for so long is not asked more often for it.
            notBefore = isFinal ? nil : now + DeliveryQueue.longestBreak
            failureCount = 0
            return
        }
        let doublings = min(failureCount - 1, 6)
        notBefore =
            now + min(DeliveryQueue.firstBreak * (1 << doublings), DeliveryQueue.longestBreak)
    }
}
