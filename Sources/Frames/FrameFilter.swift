import Addressing
import Tables

/// Tells the queries among the frames of one interface.
package struct FrameFilter: Sendable, BitwiseCopyable {
    /// Of the interface: 48 bits, the first on the wire at the top. Never a group's.
    package let hardwareAddress: UInt64
    /// Where we listen.
    package let port: UInt16
    /// The memory for one frame.
    package let frameByteCountMax: Int

    package init(hardwareAddress: UInt64, port: UInt16, frameByteCountMax: Int) {
        precondition(hardwareAddress >> 48 == 0 && hardwareAddress >> 40 & 1 == 0)
        self.hardwareAddress = hardwareAddress
        self.port = port
        self.frameByteCountMax = frameByteCountMax
    }

    /// What `frame`, from the first byte of its Ethernet header on, is: the table is at
    /// `FrameVerdict`.
    package func read(_ frame: Span<UInt8>) -> FrameVerdict {
        guard
            frame.count >= FrameLayout.payloadStart(.ipv4) + FrameLayout.dnsByteCount
        else { return .pass(.short) }
        guard frame.count <= frameByteCountMax else { return .pass(.long) }
        guard frame.word(at: 0).bigEndian >> 16 == hardwareAddress else {
            return .pass(.hardwareAddress)
        }
        switch FrameLayout.family(frame) {
        case .ipv4: return readIPv4(frame)
        case .ipv6: return readIPv6(frame)
        case nil: return .pass(.etherType)
        }
    }

    private func readIPv4(_ frame: Span<UInt8>) -> FrameVerdict {
        guard frame[14] == 0x45 else { return .pass(.header) }
        // MF and offset; DF and the reserved bit say nothing about this packet.
        guard frame.uint16(at: 20) & 0x3fff == 0 else { return .pass(.fragment) }
        guard frame[23] == FrameLayout.udp else { return .pass(.transport) }
        guard frame.uint16(at: 36) == port else { return .pass(.port) }

        let totalByteCount = Int(frame.uint16(at: 16))
        guard totalByteCount <= frame.count - FrameLayout.ethernetByteCount,
            totalByteCount >= FrameLayout.ipv4ByteCount + FrameLayout.udpByteCount
        else { return .drop(.length) }
        let header = FrameLayout.ethernetByteCount
        guard InternetChecksum.of(frame, from: header, byteCount: FrameLayout.ipv4ByteCount) == 0
        else { return .drop(.headerChecksum) }
        return readUDP(
            frame, from: IPAddress(ipv4: frame.uint32(at: 26)),
            to: IPAddress(ipv4: frame.uint32(at: 30)),
            byteCountMax: totalByteCount - FrameLayout.ipv4ByteCount)
    }

    private func readIPv6(_ frame: Span<UInt8>) -> FrameVerdict {
        guard
            frame.count >= FrameLayout.payloadStart(.ipv6) + FrameLayout.dnsByteCount
        else { return .pass(.short) }
        guard frame[14] >> 4 == 6 else { return .pass(.header) }
        guard frame[20] == FrameLayout.udp else { return .pass(.transport) }
        guard frame.uint16(at: 56) == port else { return .pass(.port) }

        let payloadByteCount = Int(frame.uint16(at: 18))
        guard
            payloadByteCount
                <= frame.count - FrameLayout.ethernetByteCount - FrameLayout.ipv6ByteCount,
            payloadByteCount >= FrameLayout.udpByteCount
        else { return .drop(.length) }
        guard frame.uint16(at: 60) != 0 else { return .drop(.noChecksum) }
        return readUDP(
            frame, from: IPAddress(ipv6: frame.uint128(at: 22)),
            to: IPAddress(ipv6: frame.uint128(at: 38)), byteCountMax: payloadByteCount)
    }

    /// `byteCountMax` is what IP leaves for UDP.
    private func readUDP(
        _ frame: Span<UInt8>, from source: IPAddress, to destination: IPAddress, byteCountMax: Int
    ) -> FrameVerdict {
        let start = FrameLayout.payloadStart(source.family) - FrameLayout.udpByteCount
        let byteCount = Int(frame.uint16(at: start + 4))
        guard byteCount >= FrameLayout.udpByteCount, byteCount <= byteCountMax else {
            return .drop(.length)
        }
        // The group bit of the sender's hardware address.
        guard frame[6] & 1 == 0, source != destination, source.mayBeSource else {
            return .drop(.source)
        }
        let sourcePort = frame.uint16(at: start)
        guard sourcePort != 0 else { return .drop(.sourcePort) }
        return .query(
            FrameQuery(
                source: source, destination: destination, sourcePort: sourcePort,
                destinationPort: port, payloadByteCount: byteCount - FrameLayout.udpByteCount))
    }
}

extension IPAddress {
    /// See `DropReason.source`.
    fileprivate var mayBeSource: Bool {
        switch family {
        case .ipv4:
            let first = ipv4Value >> 24
            return first != 0 && first != 127 && first < 224
        case .ipv6:
            return bits > 1 && bits >> 120 != 0xff && bits >> 32 != 0xffff
        }
    }
}

extension Span<UInt8> {
    /// Sixteen bytes in network order from `index`, which must all lie within the span.
    fileprivate func uint128(at index: Int) -> UInt128 {
        UInt128(word(at: index).bigEndian) << 64 | UInt128(word(at: index + 8).bigEndian)
    }
}
