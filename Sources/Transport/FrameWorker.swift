import CLinux
import Frames
import Glibc
import Health
import Responder
import Synchronization
import SystemCalls
import XDP

/// One thread's whole world for one receive queue of an interface: what `Worker` is for sockets.
struct FrameWorker: ThreadBody, ~Copyable {
    /// Full batches answered before the clock is read again.
    private static let consecutiveBatchCountMax = 16

    /// Batches answered when it stops: what the ring holds.
    private static let lastBatchCountMax = XDPQueue.ringCount / XDPQueue.batchCount

    /// How often figures are noted, and how long a queue that nobody asks may hold a snapshot that
    /// has been replaced.
    private static let tickMilliseconds: Int32 = 1000

    /// When replies are offered again that could not leave, as the interface is down or its queue
    /// full; and how often, at the end.
    private static let retryMilliseconds: Int32 = 5
    private static let lastRetryCountMax = 20

    private var queue: XDPQueue
    private let filter: FrameFilter
    private let shared: Shared
    private let counters: FrameCounters
    private var rules: DatagramRules
    private var responder: Responder
    private var hasWaitingReplies = false
    private var nextTick = MonotonicTime.now()

    /// What the threads of an interface are told.
    final class Shared: Sendable {
        /// Longest packet now.
        let mtu: Atomic<Int>
        private let stopSignal: FileDescriptor

        init(mtu: Int) throws(Errno) {
            self.mtu = Atomic(mtu)
            stopSignal = try FileDescriptor { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) }
        }

        /// Nobody reads it, so that one write tells every thread.
        func stop() { _ = eventfd_write(stopSignal.number, 1) }

        /// Readable when it is time to stop.
        var stopDescriptor: Int32 { stopSignal.number }
    }

    init(
        _ queue: consuming XDPQueue, filter: FrameFilter, shared: Shared,
        responder: consuming Responder, proxies: ProxySources, counters: FrameCounters
    ) {
        self.queue = queue
        self.filter = filter
        self.shared = shared
        self.counters = counters
        rules = DatagramRules(proxies)
        self.responder = responder
    }

    /// Answers until told to stop, then what has come in by then.
    mutating func run() {
        // It has all it needs. Whether that worked is told by who starts this.
        try? Capabilities.usedForXDP.giveUp()
        while !wait() { serve() }
        finish()
    }

    private borrowing func wait() -> Bool {
        queue.wait(
            or: shared.stopDescriptor,
            milliseconds: hasWaitingReplies
                ? FrameWorker.retryMilliseconds : FrameWorker.tickMilliseconds)
    }

    private mutating func serve() {
        let now = MonotonicTime.now()
        responder.setTime(UInt32(truncatingIfNeeded: time(nil)), monotonic: now)
        for _ in 0..<FrameWorker.consecutiveBatchCountMax {
            guard serveBatch() == XDPQueue.batchCount else { break }
        }
        if now >= nextTick {
            nextTick = now + .milliseconds(FrameWorker.tickMilliseconds)
            responder.reportRateLimits()
            counters.note(queue.statistics)
        }
    }

    /// Returns how many frames were received.
    private mutating func serveBatch() -> Int {
        responder.refresh()
        rules.rejectedHeaderCount = 0
        let tally = FrameWorker.answer(
            &queue, filter, mtu: shared.mtu.load(ordering: .relaxed), &rules, &responder)
        hasWaitingReplies = tally.waitingCount > 0
        counters.add(tally, proxyHeadersRejected: rules.rejectedHeaderCount)
        return tally.receivedCount
    }

    /// Not a method: the closure would hold all of it, and with it the queue.
    private static func answer(
        _ queue: inout XDPQueue, _ filter: FrameFilter, mtu: Int, _ rules: inout DatagramRules,
        _ responder: inout Responder
    ) -> FrameTally {
        let count = queue.receive()
        if responder.readsAhead {
            queue.forEachPayload(of: 0..<count) { responder.expect($0) }
            responder.readAhead()
        }
        return queue.answer(count, filter, mtu: mtu) { query, peer, response in
            rules.answer(query, from: peer, with: &responder, into: &response)
        }
    }

    /// The program has been taken off the interface: nothing more comes.
    private mutating func finish() {
        for _ in 0..<FrameWorker.lastBatchCountMax where serveBatch() == 0 { break }
        for _ in 0..<FrameWorker.lastRetryCountMax where hasWaitingReplies {
            usleep(UInt32(FrameWorker.retryMilliseconds) * 1000)
            hasWaitingReplies = queue.flush() > 0
        }
        counters.note(queue.statistics)
    }
}
