import Glibc
import Health
import Responder
import SystemCalls

/// One thread's whole world: its sockets, its memory, its responder. Nothing in it is shared but
/// the counters, which only it writes, and the signal to stop.
struct Worker: ThreadBody, ~Copyable {
    /// Full batches taken from one socket before connections get their turn.
    private static let consecutiveBatchCountMax = 16

    /// Connections served before datagrams get a turn: 4 KiB of queries each may take a fraction
    /// of a millisecond, while a socket's buffer holds a few hundred datagrams where
    /// net.core.rmem_max is as the kernel has it.
    private static let consecutiveConnectionCountMax = 16

    /// Batches taken from one socket when the server stops, and rounds of accepting at one
    /// listener: what the kernel's queues hold, not what a flood adds meanwhile.
    private static let lastRoundCountMax = 128

    /// How often idle connections are looked for, and how long a worker that nobody asks may hold
    /// a snapshot that has been replaced.
    private static let tickMilliseconds: Int32 = 1000

    private let limits: TransportLimits
    private let counters: WorkerCounters
    private var poller: Poller
    private var sockets: WorkerSockets
    private var batch: DatagramBatch
    private var connections: StreamConnections
    private var responder: Responder
    private var areListenersPaused = false
    private var nextTick = MonotonicTime.now()

    /// `poller` watches `sockets`: see `Poller.watching`.
    init(
        _ sockets: WorkerSockets, poller: consuming Poller, responder: consuming Responder,
        limits: TransportLimits, proxies: ProxySources, counters: WorkerCounters
    ) {
        self.limits = limits
        self.counters = counters
        self.sockets = sockets
        self.poller = poller
        batch = DatagramBatch(
            responseByteCountMax: responder.datagramByteCountMax, proxies: proxies)
        self.responder = responder
        connections = StreamConnections(limits: limits, proxies: proxies, counters: counters)
    }

    /// Serves until the stop signal, then finishes what has begun.
    mutating func run() {
        while serveEvents(waitingMilliseconds: Worker.tickMilliseconds) {}
        finish()
    }

    /// Waits for events and serves each a bounded amount. False when told to stop.
    private mutating func serveEvents(waitingMilliseconds: Int32) -> Bool {
        let count = poller.wait(milliseconds: waitingMilliseconds)
        responder.refresh()
        let now = MonotonicTime.now()
        responder.setTime(UInt32(truncatingIfNeeded: time(nil)), monotonic: now)
        var isStopping = false
        var connectionCount = 0
        for index in 0..<count {
            switch poller.source(index) {
            case .stopSignal:
                isStopping = true
            case .datagramSocket(let index):
                serveDatagrams(sockets.datagram[index].number)
            case .listeningSocket(let index):
                accept(from: sockets.listening[index], at: .now)
            case .connection(let index):
                connections.serve(index, with: &responder, poller: poller, at: .now)
                connectionCount += 1
                if connectionCount % Worker.consecutiveConnectionCountMax == 0 {
                    for socket in sockets.datagram { serveDatagrams(socket.number) }
                }
            }
        }
        if now >= nextTick { tick(at: now) }
        return !isStopping
    }

    private mutating func tick(at now: MonotonicTime) {
        nextTick = now + .milliseconds(Worker.tickMilliseconds)
        connections.tick(at: .now)
        responder.reportRateLimits()
        if areListenersPaused { setListenersPaused(false) }
    }

    // MARK: - Datagrams

    /// Batch after batch while they come full: then more is waiting.
    private mutating func serveDatagrams(_ socket: Int32) {
        for _ in 0..<Worker.consecutiveBatchCountMax {
            guard serveBatch(socket) == DatagramBatch.slotCount else { return }
        }
    }

    /// Returns how many datagrams were received.
    private mutating func serveBatch(_ socket: Int32) -> Int {
        guard case .success(let count) = batch.receive(from: socket) else { return 0 }
        responder.refresh()
        batch.answer(with: &responder)
        let sentCount = batch.send(to: socket)
        counters.datagramsReceived.advance(by: count)
        counters.datagramsAnswered.advance(by: sentCount)
        if batch.rejectedHeaderCount > 0 {
            counters.proxyHeadersRejected.advance(by: batch.rejectedHeaderCount)
        }
        return count
    }

    // MARK: - Connections

    private mutating func accept(from listener: FileDescriptor, at now: ContinuousClock.Instant) {
        // Without a descriptor or memory the listener would report its waiting client for ever.
        if connections.accept(from: listener, poller: poller, at: now) == .exhausted {
            setListenersPaused(true)
        }
    }

    private mutating func setListenersPaused(_ isPaused: Bool) {
        areListenersPaused = isPaused
        for (index, socket) in sockets.listening.enumerated() {
            poller.change(
                socket, as: .listeningSocket(index), reading: !isPaused, writing: false)
        }
    }

    // MARK: - Stopping

    /// Answers what waits in the sockets' buffers, completes what connections have asked, and
    /// returns when all is written or the time for it is over.
    private mutating func finish() {
        let deadline = ContinuousClock.now + limits.stopTimeout
        for socket in sockets.datagram {
            for _ in 0..<Worker.lastRoundCountMax where serveBatch(socket.number) == 0 { break }
        }
        for listener in sockets.listening {
            for _ in 0..<Worker.lastRoundCountMax
            where connections.accept(from: listener, poller: poller, at: .now) != .some { break }
        }
        // A closed listener has left the poller: from here on only connections report.
        poller.forgetDatagramSockets()
        sockets = WorkerSockets()
        connections.stop(with: &responder, poller: poller, at: .now)
        while !connections.isEmpty, ContinuousClock.now < deadline {
            finishConnections(until: deadline)
        }
    }

    private mutating func finishConnections(until deadline: ContinuousClock.Instant) {
        let left = (deadline - ContinuousClock.now) / .milliseconds(1)
        let count = poller.wait(milliseconds: Int32(max(1, left)))
        for index in 0..<count {
            guard case .connection(let index) = poller.source(index) else { continue }
            connections.serve(index, with: &responder, poller: poller, at: .now)
        }
    }
}
