package import Addressing
import DNSWire
import Steering
import Zones

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
/// Reading order: here, `Responder+Lookup` (RFC 1034 §4.3.2), `Responder+Encoding`.
package struct Responder: ~Copyable {
    private let snapshots: SnapshotCell
    private var snapshot: Snapshot
    private var seen: UInt64 = 0
    private let counters: AnswerCounters

    /// Windows on `snapshot`, which this value holds.
    var zones: ZoneTable.View
    var steering: SteeringView

    // Scratch memory of one query.
    var name = QuestionName()
    var query = Query()
    var answer = Answer()
    /// A name that a CNAME led to.
    var chased = QuestionName()
    var random: RandomSource

    /// `seed` starts the generator that deals shares `by=query`.
    package init(_ snapshots: SnapshotCell, seed: UInt64) {
        self.snapshots = snapshots
        snapshot = snapshots.latest
        // SAFETY: `snapshot` is held beside its views, and replaced together with them.
        zones = unsafe snapshot.zones.view
        steering = unsafe snapshot.answers.view
        counters = snapshots.makeCounters()
        random = RandomSource(seed: seed)
    }

    /// Longest response over UDP that this server sends (RFC 9715 §3.1: no fragments).
    package static let datagramByteCountMax = 1232
    /// Longest response over UDP without EDNS (RFC 1035 §4.2.1).
    static let plainDatagramByteCountMax = 512
    /// Longest message over TCP: the length prefix has 16 bits (RFC 1035 §4.2.2).
    package static let streamByteCountMax = 65_535

    /// Takes up the latest snapshot; called once before each batch of queries.
    package mutating func refresh() {
        guard snapshots.refresh(&snapshot, seen: &seen) else { return }
        // SAFETY: `snapshot` is held beside its views, and replaced together with them.
        zones = unsafe snapshot.zones.view
        steering = unsafe snapshot.answers.view
    }

    /// Writes the response to one message from the start of `response`, and returns its byte
    /// count; 0: say nothing. `response` holds at least `datagramByteCountMax` bytes for a
    /// datagram and 65,535 for a stream.
    package mutating func respond(
        to message: Span<UInt8>, from client: IPAddress, over channel: Channel,
        into response: inout MutableSpan<UInt8>
    ) -> Int {
        answer.reset()
        switch query.decode(message, name: &name) {
        case .ignore:
            counters.countIgnored()
            return 0
        case .reject(let code):
            answer.code = code
        case .query:
            find(for: Client(source: client, subnet: usableSubnet))
        }
        var writer = MessageWriter(&response)
        writer.limit = min(writer.limit, byteCountMax(over: channel))
        let isTruncated = encode(message, into: &writer)
        count(isTruncated: isTruncated)
        return writer.count
    }

    /// A source prefix of 0 says that the client does not want to be placed (RFC 7871 §7.1.2): the
    /// resolver's own address is used.
    private var usableSubnet: IPAddress? {
        guard let subnet = query.edns?.clientSubnet, subnet.sourcePrefixLength > 0
        else { return nil }
        return subnet.address
    }

    private func byteCountMax(over channel: Channel) -> Int {
        switch channel {
        case .stream: Responder.streamByteCountMax
        case .datagram:
            min(
                query.edns?.payloadByteCountMax ?? Responder.plainDatagramByteCountMax,
                Responder.datagramByteCountMax)
        }
    }

    private func count(isTruncated: Bool) {
        counters.countQuery()
        counters.count(answer.code)
        if isTruncated { counters.countTruncated() }
        if query.edns?.clientSubnet != nil { counters.countClientSubnet() }
    }

    func countSteered(_ reason: Reason) { counters.count(reason) }
}
