package import Addressing

/// How a query came, as far as the answer depends on it.
package enum Channel: Sendable, BitwiseCopyable {
    /// UDP: the response is bounded by what the requestor can take, and truncated past it.
    case datagram
    /// TCP: up to 65,535 bytes.
    case stream
}

/// One worker's side of answering: it holds the snapshot in use, scratch memory and counters.
///
/// `respond` takes bytes and an address and returns bytes; every transport calls the same one.
package struct Responder: ~Copyable {
    private let snapshots: SnapshotCell
    private var snapshot: Snapshot
    private var seen: UInt64 = 0

    /// `seed` starts the generator that deals shares `by=query`.
    package init(_ snapshots: SnapshotCell, seed: UInt64) {
        self.snapshots = snapshots
        snapshot = snapshots.latest
    }

    /// Longest response over UDP that this server sends (RFC 9715 §3.1: no fragments).
    package static let datagramByteCountMax = 1232

    /// Takes up the latest snapshot; called once before each batch of queries.
    package mutating func refresh() {
        _ = snapshots.refresh(&snapshot, seen: &seen)
    }

    /// Writes the response to one message from the start of `response`, and returns its byte
    /// count; 0: say nothing. `response` holds at least `datagramByteCountMax` bytes for a
    /// datagram and 65,535 for a stream.
    package mutating func respond(
        to query: Span<UInt8>, from client: IPAddress, over channel: Channel,
        into response: inout MutableSpan<UInt8>
    ) -> Int {
        guard query.count >= 12 else { return 0 }
        for index in 0..<12 { response[index] = query[index] }
        response[2] = 0x80
        response[3] = 5
        return 12
    }
}
