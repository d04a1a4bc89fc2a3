import Tables

/// The checksum of IPv4 and UDP (RFC 1071).
///
/// The sum does not depend on byte order (§2 B) nor on how many bits are added at a time (§2 C):
/// words are added as they lie in memory, and what is carried out at the top is added below.
enum InternetChecksum {
    /// Over `byteCount` bytes from `start`, and two numbers that stand in a pseudo-header. Of bytes
    /// that hold their own right checksum it is 0.
    static func of(
        _ bytes: Span<UInt8>, from start: Int, byteCount: Int, _ first: UInt16 = 0,
        _ second: UInt16 = 0
    ) -> UInt16 {
        precondition(start >= 0 && byteCount >= 0 && byteCount <= bytes.count &- start)
        var sum = UInt64(first.bigEndian) &+ UInt64(second.bigEndian)
        let rest = byteCount & 7
        let wordsEnd = start &+ byteCount &- rest
        // SAFETY: from `start` to `wordsEnd`, within the span: checked above.
        sum = unsafe bytes.withUnsafeBytes { bytes in
            var (sum, index) = (sum, start)
            while index < wordsEnd {
                sum = add(sum, unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index &+= 8
            }
            return sum
        }
        if rest > 0 {
            sum = add(sum, bytes.lastBytes(rest, before: wordsEnd &+ rest).littleEndian)
        }
        sum = sum & 0xffff_ffff &+ sum >> 32
        sum = sum & 0xffff &+ sum >> 16
        sum = sum & 0xffff &+ sum >> 16
        sum = sum & 0xffff &+ sum >> 16
        return UInt16(bigEndian: ~UInt16(truncatingIfNeeded: sum))
    }

    @inline(__always)
    private static func add(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let (partial, carries) = sum.addingReportingOverflow(word)
        return partial &+ (carries ? 1 : 0)
    }
}
