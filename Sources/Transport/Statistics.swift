import Synchronization

/// What the transports have done since they started, all workers together.
package struct TransportStatistics: Equatable, Sendable {
    package var datagramsReceived: UInt64 = 0
    package var datagramsAnswered: UInt64 = 0
    /// Received and not answered: no query, from port 0, too long, without the header
    /// that a proxy has to send, or the reply could not leave.
    package var datagramsDropped: UInt64 = 0
    package var connectionsOpened: UInt64 = 0
    package var connectionsClosed: UInt64 = 0
    /// Closed to make room for a new one; counted in `connectionsClosed` too.
    package var connectionsLimited: UInt64 = 0
    /// Closed because a query or its response took too long; counted in `connectionsClosed` too.
    package var connectionsSlow: UInt64 = 0
    /// Datagrams dropped and connections closed, as a listed proxy did not say whom it speaks for.
    package var proxyHeadersRejected: UInt64 = 0
    package var streamQueries: UInt64 = 0
    package var streamResponses: UInt64 = 0

    package init() {}
}

/// The counters of one worker: it alone writes them, anybody reads.
final class WorkerCounters: Sendable {
    let datagramsReceived = Atomic<UInt64>(0)
    let datagramsAnswered = Atomic<UInt64>(0)
    let connectionsOpened = Atomic<UInt64>(0)
    let connectionsClosed = Atomic<UInt64>(0)
    let connectionsLimited = Atomic<UInt64>(0)
    let connectionsSlow = Atomic<UInt64>(0)
    let proxyHeadersRejected = Atomic<UInt64>(0)
    let streamQueries = Atomic<UInt64>(0)
    let streamResponses = Atomic<UInt64>(0)

    func add(to sum: inout TransportStatistics) {
        // Answered before received, so that a batch counted in between makes dropped too large
        // for a moment, never negative.
        let answered = datagramsAnswered.load(ordering: .acquiring)
        let received = datagramsReceived.load(ordering: .relaxed)
        sum.datagramsReceived += received
        sum.datagramsAnswered += answered
        sum.datagramsDropped += received - answered
        // Closed before opened, for the same reason.
        sum.connectionsClosed += connectionsClosed.load(ordering: .acquiring)
        sum.connectionsOpened += connectionsOpened.load(ordering: .relaxed)
        sum.connectionsLimited += connectionsLimited.load(ordering: .relaxed)
        sum.connectionsSlow += connectionsSlow.load(ordering: .relaxed)
        sum.proxyHeadersRejected += proxyHeadersRejected.load(ordering: .relaxed)
        sum.streamQueries += streamQueries.load(ordering: .relaxed)
        sum.streamResponses += streamResponses.load(ordering: .relaxed)
    }
}

extension Atomic where Value == UInt64 {
    /// An addition by the only writer: a plain load and store, no locked instruction. Releasing,
    /// so that counters are seen in the order they were written; on x86-64 that costs nothing.
    func advance(by count: Int = 1) {
        store(load(ordering: .relaxed) &+ UInt64(count), ordering: .releasing)
    }
}
