import Frames
import Synchronization
package import XDP

/// What has become of the frames of one interface since the start, all its queues together.
package struct FrameStatistics: Sendable {
    /// Of frames that the program took.
    package var received: UInt64 = 0
    package var answered: UInt64 = 0
    /// Queries that nothing is said to.
    package var unanswered: UInt64 = 0
    /// Replies that found no room to leave.
    package var lost: UInt64 = 0
    /// Taken, but not ours: the filter says that they should have been passed.
    package var foreign: UInt64 = 0
    /// Of datagrams from proxies, part of `unanswered`.
    package var proxyHeadersRejected: UInt64 = 0
    /// By `DropReason`, and by `PassReason`.
    package var dropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
    package var passed = [UInt64](repeating: 0, count: PassReason.allCases.count)
    /// What the kernel says, up to a second ago.
    package var kernel = XDPQueue.Statistics()

    package init() {}
}

/// The counters of one queue: its thread alone writes them, anybody reads.
final class FrameCounters: Sendable {
    private let received = Atomic<UInt64>(0)
    private let answered = Atomic<UInt64>(0)
    private let unanswered = Atomic<UInt64>(0)
    private let lost = Atomic<UInt64>(0)
    private let foreign = Atomic<UInt64>(0)
    private let proxyHeadersRejected = Atomic<UInt64>(0)
    private let dropped = InlineArray<5, Atomic<UInt64>> { _ in Atomic(0) }
    private let kernel = Mutex(XDPQueue.Statistics())

    func add(_ tally: FrameTally, proxyHeadersRejected rejectedCount: Int) {
        answered.advance(by: tally.sentCount)
        received.advance(by: tally.receivedCount)
        // All of what follows is rare.
        guard tally.sentCount != tally.receivedCount else { return }
        unanswered.advance(by: tally.unansweredCount)
        lost.advance(by: tally.lostCount)
        foreign.advance(by: tally.foreignCount)
        proxyHeadersRejected.advance(by: rejectedCount)
        for index in dropped.indices { dropped[index].advance(by: tally.dropped[index]) }
    }

    /// Called about once a second.
    func note(_ statistics: XDPQueue.Statistics) { kernel.withLock { $0 = statistics } }

    func add(to sum: inout FrameStatistics) {
        sum.received += received.load(ordering: .relaxed)
        sum.answered += answered.load(ordering: .relaxed)
        sum.unanswered += unanswered.load(ordering: .relaxed)
        sum.lost += lost.load(ordering: .relaxed)
        sum.foreign += foreign.load(ordering: .relaxed)
        sum.proxyHeadersRejected += proxyHeadersRejected.load(ordering: .relaxed)
        for index in dropped.indices {
            sum.dropped[index] += dropped[index].load(ordering: .relaxed)
        }
        let kernel = kernel.withLock { $0 }
        sum.kernel.ringFull += kernel.ringFull
        sum.kernel.fillEmpty += kernel.fillEmpty
        sum.kernel.dropped += kernel.dropped
        sum.kernel.invalid += kernel.invalid
        sum.kernel.isZeroCopy = kernel.isZeroCopy
    }
}
