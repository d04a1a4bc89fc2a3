package import Addressing

/// Every address from `first` through `last`, both included, of one family.
package struct AddressRange: Hashable, Sendable {
    package let first: IPAddress
    package let last: IPAddress

    /// Nil unless both are of one family and in order.
    package init?(_ first: IPAddress, through last: IPAddress) {
        guard first.family == last.family, first.bits <= last.bits else { return nil }
        self.first = first
        self.last = last
    }

    /// The fewest prefixes that cover the range and nothing else, in address order.
    package var prefixes: [Prefix] {
        var result: [Prefix] = []
        forEachPrefix { result.append($0) }
        return result
    }

    /// As `prefixes`, without an array.
    package func forEachPrefix(_ body: (Prefix) -> Void) {
        let bitCount = first.family.bitCount
        // Right-aligned from here on: `low...high`, at most 2^bitCount addresses.
        let shift = UInt128(128 - bitCount)
        var low = first.bits >> shift
        let high = last.bits >> shift
        while true {
            // The largest block that starts at `low`: bounded by its alignment and by what is left.
            // A remainder of 2^k - 1 allows a block of 2^k addresses; `high - low` cannot overflow.
            let alignment = min(low.trailingZeroBitCount, bitCount)
            let left = high - low
            let fitting = left == .max ? 128 : 127 - (left + 1).leadingZeroBitCount
            let hostBitCount = min(alignment, fitting)
            body(
                Prefix(
                    IPAddress(leftAligned: low << shift, family: first.family),
                    length: bitCount - hostBitCount))
            let block = hostBitCount == 128 ? UInt128.max : (1 << UInt128(hostBitCount)) - 1
            guard low + block < high else { return }
            low += block + 1
        }
    }
}
