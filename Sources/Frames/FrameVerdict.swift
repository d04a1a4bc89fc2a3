package import Addressing

/// What becomes of an Ethernet frame that a network card has received.
///
/// Two look at it: a program in the kernel, which hands us the frames that are ours and passes
/// the others on to the kernel as if we were not there; and `FrameFilter.read`, which says the
/// same of the same frame, and then does what the kernel does for those who read from a socket.
/// A line of this table is tried after those above it.
///
/// | frame | becomes |
/// |---|---|
/// | too short for all headers and that of DNS: 54 bytes, with IPv6 74 | passed, `short` |
/// | longer than the memory for one frame | passed, `long` |
/// | to another hardware address, or to a group or everybody | passed, `hardwareAddress` |
/// | ARP; a VLAN tag (802.1Q, 802.1ad); MPLS; whatever else is not IP | passed, `etherType` |
/// | IPv4 with options; another version than the EtherType says | passed, `header` |
/// | a fragment in IPv4, the first too: the kernel puts them together | passed, `fragment` |
/// | TCP, ICMP; any extension header of IPv6, fragments among them | passed, `transport` |
/// | to another port | passed, `port` |
/// | to another address, such as those of who is behind a router | passed, `address` |
/// | to a queue of the card that has no socket of ours | passed, `queue` |
/// | IP or UDP says less than its own header, or more than there is | dropped, `length` |
/// | an IPv6 payload length of zero (a jumbogram, RFC 2675) | dropped, `length` |
/// | the checksum of the IPv4 header is wrong | dropped, `headerChecksum` |
/// | IPv6 without a checksum in UDP (RFC 8200 §8.1) | dropped, `noChecksum` |
/// | from an address, of hardware or IP, that nobody can send from: below | dropped, `source` |
/// | from port 0, where nobody listens | dropped, `sourcePort` |
/// | anything else | a query |
///
/// Padding behind the IP packet, which Ethernet needs for frames of less than 60 bytes, and bytes
/// behind what UDP says is its length, are no part of a query.
///
/// Not looked at is UDP's checksum: what a neighbour on the same machine sends does not have one
/// yet, as its card would compute it (the field then holds the sum of the pseudo-header, and
/// nothing in the frame tells the two apart). Nor are TTL, traffic class, ECN, DF and the
/// reserved bit of IPv4, as in the kernel. What DNS makes of the payload, a response or three
/// bytes, is up to the responder, as it is for sockets.
///
/// Where a card takes VLAN tags off (`rxvlan`), a tag is not seen here.
package enum FrameVerdict: Equatable, Sendable, BitwiseCopyable {
    case query(FrameQuery)
    case pass(PassReason)
    case drop(DropReason)
}

/// Why a frame is left to the kernel. The raw values are the indexes of the program's counters.
package enum PassReason: UInt32, Sendable, BitwiseCopyable, CaseIterable {
    case short = 0
    case long = 1
    case hardwareAddress = 2
    case etherType = 3
    case header = 4
    case fragment = 5
    case transport = 6
    case port = 7
    /// Only the program tells: it alone knows the addresses.
    case address = 8
    /// Only the program tells: it alone knows the sockets.
    case queue = 9
}

/// Why a frame that the program took is not answered.
package enum DropReason: UInt32, Sendable, BitwiseCopyable, CaseIterable {
    case length = 0
    case headerChecksum = 1
    case noChecksum = 2
    /// A group as hardware address. In IPv4 (RFC 6890 §2.2.2, "Source: False"; RFC 1122 §3.2.1.3):
    /// 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/4, 240.0.0.0/4. In IPv6: ::, ::1, ff00::/8, and
    /// ::ffff:0:0/96, which rules for IPv4 addresses would take for one (RFC 4942 §2.2). In both:
    /// the address that it is sent to.
    case source = 3
    case sourcePort = 4
}

extension PassReason {
    /// As metrics call it.
    package var label: String {
        switch self {
        case .short: "short"
        case .long: "long"
        case .hardwareAddress: "hardware-address"
        case .etherType: "ethertype"
        case .header: "header"
        case .fragment: "fragment"
        case .transport: "transport"
        case .port: "port"
        case .address: "address"
        case .queue: "queue"
        }
    }
}

extension DropReason {
    /// As metrics call it.
    package var label: String {
        switch self {
        case .length: "length"
        case .headerChecksum: "header-checksum"
        case .noChecksum: "no-checksum"
        case .source: "source"
        case .sourcePort: "source-port"
        }
    }
}

/// A UDP datagram in its frame. All headers have their plain size, so that the family tells where
/// everything lies.
package struct FrameQuery: Equatable, Sendable, BitwiseCopyable {
    package let source: IPAddress
    package let destination: IPAddress
    package let sourcePort: UInt16
    package let destinationPort: UInt16
    package let payloadByteCount: Int

    package init(
        source: IPAddress, destination: IPAddress, sourcePort: UInt16, destinationPort: UInt16,
        payloadByteCount: Int
    ) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.payloadByteCount = payloadByteCount
    }

    /// Where the payload lies in the frame.
    package var payload: Range<Int> { payloadStart..<payloadStart + payloadByteCount }

    /// Where the payload would lie if the frame were one; nil for another type or too few bytes.
    @_lifetime(copy frame)
    package static func payload(ofUnchecked frame: Span<UInt8>) -> Span<UInt8>? {
        guard let family = FrameLayout.family(frame) else { return nil }
        let start = FrameLayout.payloadStart(family)
        return start <= frame.count ? frame.extracting(droppingFirst: start) : nil
    }

    /// Of the query and of its reply: 42 or 62.
    package var payloadStart: Int { FrameLayout.payloadStart(source.family) }
}

/// Where things lie in a frame without tags, options and extension headers (RFC 894, RFC 791 §3.1,
/// RFC 8200 §3, RFC 768).
enum FrameLayout {
    static let ethernetByteCount = 14
    static let ipv4ByteCount = 20
    static let ipv6ByteCount = 40
    static let udpByteCount = 8
    /// A message without its header is no query.
    static let dnsByteCount = 12
    /// Shortest frame, without its check sequence (IEEE 802.3 §4.2.3.3).
    static let byteCountMin = 60

    static let ipv4: UInt16 = 0x0800
    static let ipv6: UInt16 = 0x86dd
    static let udp: UInt8 = 17

    /// Of the packet inside; nil: it is none of IP, or there is a tag before it.
    static func family(_ frame: Span<UInt8>) -> IPAddress.Family? {
        guard frame.count >= ethernetByteCount else { return nil }
        switch frame.uint16(at: 12) {
        case ipv4: return .ipv4
        case ipv6: return .ipv6
        default: return nil
        }
    }

    static func payloadStart(_ family: IPAddress.Family) -> Int {
        ethernetByteCount + (family == .ipv4 ? ipv4ByteCount : ipv6ByteCount) + udpByteCount
    }
}
