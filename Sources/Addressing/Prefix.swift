/// An address prefix, `203.0.113.0/24`: the bits past `length` are zero.
@frozen @usableFromInline
package struct Prefix: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package let address: IPAddress
    /// 0…32 or 0…128.
    @usableFromInline package let length: Int

    /// Bits past `length` are cleared.
    @inlinable package init(_ address: IPAddress, length: Int) {
        precondition((0...address.family.bitCount).contains(length))
        self.address = address.masked(to: length)
        self.length = length
    }

    @inlinable package var family: IPAddress.Family { address.family }

    /// The whole address as a prefix: /32 or /128.
    package init(_ address: IPAddress) {
        self.init(address, length: address.family.bitCount)
    }

    @inlinable package func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.masked(to: length).bits == address.bits
    }

    /// True for itself too.
    @inlinable package func contains(_ other: Prefix) -> Bool {
        other.length >= length && contains(other.address)
    }

    /// The lower (`bit` 0) or upper half; the prefix must not be a whole address.
    @inlinable package func half(_ bit: Int) -> Prefix {
        let set = bit == 0 ? 0 : UInt128(1) << UInt128(127 - length)
        return Prefix(
            IPAddress(leftAligned: address.bits | set, family: family), length: length + 1)
    }
}

extension Prefix: LosslessStringConvertible {
    /// `address/length`, or a bare address for the longest prefix. Nil when it is neither, or when
    /// bits past the length are set: a typing error more often than not.
    @usableFromInline package init?(_ text: String) {
        self.init(utf8: text.utf8.span)
    }

    /// The same from the bytes of a text: a list of clients may hold millions of them.
    package init?(utf8 text: Span<UInt8>) {
        var slash = 0
        while slash < text.count, text[slash] != UInt8(ascii: "/") { slash += 1 }
        guard let address = IPAddress(utf8: text.extracting(0..<slash)) else { return nil }
        guard slash < text.count else {
            self.init(address)
            return
        }
        let digits = slash + 1..<text.count
        // 128 has three.
        guard (1...3).contains(digits.count) else { return nil }
        var length = 0
        for index in digits {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            length = length * 10 + Int(digit)
        }
        guard length <= address.family.bitCount, address.masked(to: length) == address
        else { return nil }
        self.init(address, length: length)
    }

    @usableFromInline package var description: String { "\(address)/\(length)" }

    /// Appends what `description` is.
    package func write(to text: inout [UInt8]) {
        address.write(to: &text)
        text.append(UInt8(ascii: "/"))
        text.append(decimal: UInt8(truncatingIfNeeded: length))
    }
}
