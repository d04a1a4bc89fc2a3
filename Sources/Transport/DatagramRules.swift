import Addressing
import Responder

/// What every datagram goes through, whether it came from a socket or in a frame.
struct DatagramRules {
    /// Longest datagram: an Ethernet frame's worth. No requestor sends more to a server that says
    /// 1232 (RFC 6891 §6.2.5); longer ones are dropped.
    static let queryByteCountMax = 1500

    private let proxies: ProxySources
    /// Datagrams that a proxy has to put a header before, and did not.
    var rejectedHeaderCount = 0

    init(_ proxies: ProxySources) { self.proxies = proxies }

    /// Writes the response to `datagram` from the start of `response`, and returns its byte count;
    /// 0: say nothing.
    @inline(__always)
    mutating func answer(
        _ datagram: Span<UInt8>, from peer: IPAddress, with responder: inout Responder,
        into response: inout MutableSpan<UInt8>
    ) -> Int {
        var (query, client) = (datagram, peer)
        if proxies.contains(peer) {
            guard case .header(let byteCount, let source) = ProxyHeader.decode(datagram) else {
                rejectedHeaderCount += 1
                return 0
            }
            query = datagram.extracting(droppingFirst: byteCount)
            if let source { client = source }
        }
        return responder.respond(to: query, from: client, over: .datagram, into: &response)
    }
}
