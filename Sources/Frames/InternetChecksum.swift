import Tables

/// The checksum of IPv4 and UDP (RFC 1071).
///
/// The sum does not depend on byte order (§2 B) nor on how many bits are added at a time (§2 C), so
/// that words are added as they lie in memory.
enum InternetChecksum {
    /// Over `byteCount` bytes from `start`, at most 65,535, and two numbers that stand in a
    /// pseudo-header. Of bytes that hold their own right checksum it is 0.
    static func of(
        _ bytes: Span<UInt8>, from start: Int, byteCount: Int, _ first: UInt16 = 0,
        _ second: UInt16 = 0
    ) -> UInt16 {
        var sum = UInt64(first.bigEndian) &+ UInt64(second.bigEndian)
        let end = start + byteCount
        var index = start
        // 32 bits at a time: 16,384 of them and their carries are far from 64 bits.
        while index &+ 8 <= end {
            let word = bytes.word(at: index)
            sum &+= word & 0xffff_ffff
            sum &+= word >> 32
            index &+= 8
        }
        if index < end {
            let word = bytes.lastBytes(end &- index, before: end).littleEndian
            sum &+= word & 0xffff_ffff
            sum &+= word >> 32
        }
        sum = sum & 0xffff_ffff &+ sum >> 32
        sum = sum & 0xffff &+ sum >> 16
        sum = sum & 0xffff &+ sum >> 16
        sum = sum & 0xffff &+ sum >> 16
        return UInt16(bigEndian: ~UInt16(truncatingIfNeeded: sum))
    }
}
