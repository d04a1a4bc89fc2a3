package import Addressing
package import Geography

/// Random numbers from a seed, so that a failure comes back: SplitMix64 (Steele, Lea, Flood,
/// OOPSLA 2014).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// A number of the range, every one as likely.
    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// True once in `count` times.
    package mutating func once(in count: Int) -> Bool { number(1...count) == 1 }

    /// One of a list that is not empty.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(0...elements.count - 1)]
    }

    /// Anywhere on Earth.
    package mutating func coordinates() -> Coordinates {
        Coordinates(
            latitude: Double.random(in: -90...90, using: &self),
            longitude: Double.random(in: -180...180, using: &self))
    }

    /// Anywhere inside, the two ends included.
    package mutating func address(in prefix: Prefix) -> IPAddress {
        let width = prefix.family.bitCount
        let unused = prefix.family == .ipv4 ? UInt128.max << 96 : UInt128.max
        let noise = UInt128.random(in: 0...UInt128.max, using: &self)
        let low =
            prefix.length == width ? 0 : (noise & unused) & (UInt128.max >> UInt128(prefix.length))
        return IPAddress(leftAligned: prefix.address.bits | low, family: prefix.family)
    }
}

extension Prefix {
    /// The last address inside.
    package var last: IPAddress {
        let unused = family == .ipv4 ? UInt128.max << 96 : UInt128.max
        let host = length == 128 ? 0 : (UInt128.max >> UInt128(length)) & unused
        return IPAddress(leftAligned: address.bits | host, family: family)
    }

    /// The address after the last one inside; nil at the end of the space.
    package var end: IPAddress? {
        guard length > 0 else { return nil }
        let (sum, isOver) = address.bits.addingReportingOverflow(1 << UInt128(128 - length))
        return isOver ? nil : IPAddress(leftAligned: sum, family: family)
    }

    /// One bit shorter.
    package var widened: Prefix { Prefix(address, length: length - 1) }

    package func overlaps(_ other: Prefix) -> Bool { contains(other) || other.contains(self) }
}
