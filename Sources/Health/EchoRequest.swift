package import Addressing

/// One ICMP echo request and the reply that belongs to it (RFC 792, RFC 4443 §4).
///
/// The kernel gives datagram sockets an identifier of its own, so replies are known by the token in
/// their data.
package struct EchoRequest: Sendable {
    package var family: IPAddress.Family
    /// Drawn at random for each probe.
    package var token: UInt64

    package init(_ family: IPAddress.Family, token: UInt64) {
        self.family = family
        self.token = token
    }

    private var requestType: UInt8 { family == .ipv4 ? 8 : 128 }
    private var replyType: UInt8 { family == .ipv4 ? 0 : 129 }

    /// Type, code, checksum, identifier, sequence number, data. The checksum of ICMPv6 is the
    /// kernel's (RFC 3542 §3.1).
    package var bytes: [UInt8] {
        var bytes: [UInt8] = [requestType, 0, 0, 0, UInt8(truncatingIfNeeded: token >> 8)]
        bytes += [UInt8(truncatingIfNeeded: token), 0, 1]
        bytes += data
        if family == .ipv4 {
            let sum = EchoRequest.checksum(bytes)
            bytes[2] = UInt8(sum >> 8)
            bytes[3] = UInt8(truncatingIfNeeded: sum)
        }
        return bytes
    }

    private var data: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: token >> (56 - 8 * UInt64($0))) }
    }

    /// Whether a received packet is the reply. Raw IPv4 sockets hand over the IP header too
    /// (raw(7)), and every other ICMP packet from there.
    package func isAnswered(by packet: [UInt8], hasHeader: Bool) -> Bool {
        var message = packet[...]
        if hasHeader {
            guard let first = packet.first, first >> 4 == 4 else { return false }
            message = packet.dropFirst(4 * Int(first & 0x0f))
        }
        guard message.count == 16, message.first == replyType else { return false }
        return message.dropFirst(8).elementsEqual(data)
    }

    /// The Internet checksum (RFC 1071) of an even number of bytes.
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }
}
