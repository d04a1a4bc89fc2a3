import Addressing
import Tables

extension FrameQuery {
    /// The longest payload of a reply, in bytes, so that its packet is no longer than `mtu` and its
    /// frame no longer than the memory it is written to. Past it a response is truncated (TC),
    /// never cut into fragments: RFC 9715 §3.1. Not negative.
    package func replyByteCountMax(mtu: Int, frameByteCountMax: Int) -> Int {
        let packet = mtu - (payloadStart - FrameLayout.ethernetByteCount)
        let most = FrameQuery.packetByteCountMax - (payloadStart - FrameLayout.ethernetByteCount)
        return max(0, min(packet, most, frameByteCountMax - payloadStart))
    }

    /// IPv4 has 16 bits for it; IPv6 could have 40 more bytes.
    private static let packetByteCountMax = 65_535

    /// Makes the frame of this query that of its reply, whose `byteCount` bytes stand where the
    /// query's payload stood (`payloadStart`); returns how many bytes to send.
    ///
    /// `frame` is all the memory there is for the frame, at least 60 bytes: what
    /// `replyByteCountMax` allows must not be exceeded. The headers are written anew out of what
    /// was read: nothing of the query is in them but who sent it, no ECN, traffic class or flow
    /// label. DF is set, and the identification is 0, which then says nothing (RFC 6864 §4.1): a
    /// reply in fragments could be completed by somebody else (RFC 9715 §1). It goes to the
    /// hardware that sent the query.
    package func writeReply(_ byteCount: Int, in frame: inout MutableSpan<UInt8>) -> Int {
        let end = payloadStart + byteCount
        precondition(byteCount >= 0 && end <= frame.count)
        precondition(end - FrameLayout.ethernetByteCount <= FrameQuery.packetByteCountMax)
        swapHardwareAddresses(&frame)
        let udpByteCount = UInt16(FrameLayout.udpByteCount + byteCount)
        /// Where the addresses begin that are part of UDP's pseudo-header; UDP follows them.
        let addresses: Int
        switch source.family {
        case .ipv4:
            addresses = 26
            writeIPv4(UInt16(FrameLayout.ipv4ByteCount) + udpByteCount, &frame)
        case .ipv6:
            addresses = 22
            writeIPv6(udpByteCount, &frame)
        }
        let udp = payloadStart - FrameLayout.udpByteCount
        store(
            UInt64(destinationPort) << 48 | UInt64(sourcePort) << 32 | UInt64(udpByteCount) << 16,
            at: udp, in: &frame)
        let checksum = InternetChecksum.of(
            frame.span, from: addresses, byteCount: end - addresses, UInt16(FrameLayout.udp),
            udpByteCount)
        // Zero would say that there is none (RFC 768, RFC 8200 §8.1).
        store(checksum == 0 ? 0xffff : checksum, at: udp + 6, in: &frame)
        // Nothing of who was answered before leaves as padding.
        if end < FrameLayout.byteCountMin {
            for index in end..<FrameLayout.byteCountMin { frame[index] = 0 }
        }
        return max(end, FrameLayout.byteCountMin)
    }

    private func swapHardwareAddresses(_ frame: inout MutableSpan<UInt8>) {
        let first = frame.span.word(at: 0).bigEndian
        let receiver = first >> 16
        let sender = (first & 0xffff) << 32 | UInt64(frame.span.uint32(at: 8))
        store(sender << 16 | receiver >> 32, at: 0, in: &frame)
        store(UInt32(truncatingIfNeeded: receiver), at: 8, in: &frame)
    }

    private func writeIPv4(_ totalByteCount: UInt16, _ frame: inout MutableSpan<UInt8>) {
        // Version 4 and five words of header, no service; the total length; no identification, DF.
        store(0x4500 << 48 | UInt64(totalByteCount) << 32 | 0x4000, at: 14, in: &frame)
        // TTL, protocol, no checksum yet.
        store(FrameQuery.hopLimit << 56 | UInt64(FrameLayout.udp) << 48, at: 22, in: &frame)
        store(
            UInt64(destination.ipv4Value) << 32 | UInt64(source.ipv4Value), at: 26, in: &frame)
        let checksum = InternetChecksum.of(
            frame.span, from: FrameLayout.ethernetByteCount, byteCount: FrameLayout.ipv4ByteCount)
        store(checksum, at: 24, in: &frame)
    }

    private func writeIPv6(_ payloadByteCount: UInt16, _ frame: inout MutableSpan<UInt8>) {
        // Version 6, no traffic class, no flow label; payload length, next header, hop limit.
        store(
            6 << 60 | UInt64(payloadByteCount) << 16 | UInt64(FrameLayout.udp) << 8
                | FrameQuery.hopLimit, at: 14, in: &frame)
        store(destination.bits, at: 22, in: &frame)
        store(source.bits, at: 38, in: &frame)
    }

    /// What the kernel gives its own packets (RFC 1340, "IP time to live": 64).
    private static let hopLimit: UInt64 = 64
}

/// Writes `value` in network order from `index` on, all within `frame`.
private func store<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, at index: Int, in frame: inout MutableSpan<UInt8>
) {
    precondition(index >= 0 && index <= frame.count - MemoryLayout<Value>.size)
    // SAFETY: within the span, checked above; bytes are of any value.
    unsafe frame.withUnsafeMutableBytes { bytes in
        unsafe bytes.storeBytes(of: value.bigEndian, toByteOffset: index, as: Value.self)
    }
}
