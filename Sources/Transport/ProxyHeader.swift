package import Addressing

/// The binary header in front of a query that a proxy passes on: version 2 of the PROXY protocol
/// (haproxy.org, doc/proxy-protocol.txt, section 2.2). Bytes in, verdict out.
///
///     offset  bytes
///          0     12  signature
///         12      1  version, 2, in the upper half; command in the lower: 0 LOCAL, 1 PROXY
///         13      1  family in the upper half: 0 unspecified, 1 IPv4, 2 IPv6, 3 UNIX;
///                    transport in the lower: 0 unspecified, 1 stream, 2 datagram
///         14      2  count of the bytes behind it
///         16         source address, destination address, source port, destination port; then
///                    more (TLVs, section 2.2), which is skipped
package enum ProxyHeader {
    package enum Verdict: Equatable {
        /// These may be the first bytes of a header; there are more to come.
        case incomplete
        /// The query begins behind `byteCount` bytes. `client` is who sent it; nil: the peer itself
        /// (LOCAL), or somebody whose address is of no use here.
        case header(byteCount: Int, client: IPAddress?)
        /// This is no header, or one that contradicts itself.
        case malformed
    }

    /// The count of bytes behind the fixed part has 16 bits.
    package static let byteCountMax = fixedByteCount + 65_535

    private static let fixedByteCount = 16
    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    /// Looks at what stands at the start of `bytes`.
    ///
    /// "The receiver must not start to parse an address before the whole address block is
    /// received": only what is wrong in the first 16 bytes is told before. A stream's header may
    /// come with a datagram and the other way round, as proxies translate.
    package static func decode(_ bytes: Span<UInt8>) -> Verdict {
        for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] {
            return .malformed
        }
        guard bytes.count >= fixedByteCount else { return .incomplete }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        let byteCount = fixedByteCount + length
        let addressByteCount: Int
        switch (bytes[12], bytes[13] >> 4, bytes[13] & 0xf) {
        // LOCAL: "discard the protocol block including the family which is ignored".
        case (0x20, _, _): addressByteCount = 0
        // "A receiver is not required to implement other ones, provided that it automatically
        // falls back to the UNSPEC mode": a UNIX socket's path says nothing here.
        case (0x21, 0, 0...2), (0x21, 1...2, 0), (0x21, 3, 0...2): addressByteCount = 0
        case (0x21, 1, 1...2): addressByteCount = 4
        case (0x21, 2, 1...2): addressByteCount = 16
        default: return .malformed
        }
        let portByteCount = 2
        guard addressByteCount == 0 || length >= 2 * (addressByteCount + portByteCount) else {
            return .malformed
        }
        guard bytes.count >= byteCount else { return .incomplete }
        return .header(byteCount: byteCount, client: address(bytes, addressByteCount))
    }

    /// The source address; nil for `byteCount` 0.
    private static func address(_ bytes: Span<UInt8>, _ byteCount: Int) -> IPAddress? {
        guard byteCount > 0 else { return nil }
        var bits: UInt128 = 0
        for index in 0..<byteCount { bits = bits << 8 | UInt128(bytes[fixedByteCount + index]) }
        // A proxy that listens for both families on one socket knows its IPv4 clients as mapped
        // addresses (RFC 4291 §2.5.5.2). As such all of them would be in one /56.
        let isIPv4 = byteCount == 4 || bits >> 32 == 0xffff
        return isIPv4 ? IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)) : IPAddress(ipv6: bits)
    }
}

/// The peers that a header is expected from, and read from: nobody else may say who it speaks for.
package struct ProxySources: Sendable {
    private let prefixes: [Prefix]
    /// Whether there are none: what most servers look at, once for each datagram.
    package let isEmpty: Bool

    package init(_ prefixes: [Prefix] = []) {
        self.prefixes = prefixes
        isEmpty = prefixes.isEmpty
    }

    @inline(__always)
    package func contains(_ peer: IPAddress) -> Bool { !isEmpty && isListed(peer) }

    @inline(never)
    private func isListed(_ peer: IPAddress) -> Bool {
        for prefix in prefixes where prefix.contains(peer) { return true }
        return false
    }
}
