/// An IPv4 or IPv6 address.
///
/// The bits are left-aligned, so that prefixes, tries and scopes count from the top in both
/// families: an IPv4 address stands in the top 32 bits of `bits`, the rest is zero.
@frozen @usableFromInline
package struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The address family; raw values are IANA's address family numbers, as in RFC 7871 §6.
    @frozen @usableFromInline
    package enum Family: UInt8, Sendable, BitwiseCopyable, CaseIterable {
        case ipv4 = 1
        case ipv6 = 2

        /// 32 or 128.
        @inlinable package var bitCount: Int { self == .ipv4 ? 32 : 128 }

        /// As operators know it.
        package var name: String { self == .ipv4 ? "IPv4" : "IPv6" }
    }

    @usableFromInline package var bits: UInt128
    @usableFromInline package var family: Family

    @inlinable package init(leftAligned bits: UInt128, family: Family) {
        self.bits = bits
        self.family = family
    }

    /// The value of `198.51.100.1` is 0xC633_6401.
    @inlinable package init(ipv4 value: UInt32) {
        self.init(leftAligned: UInt128(value) << 96, family: .ipv4)
    }

    @inlinable package init(ipv6 value: UInt128) {
        self.init(leftAligned: value, family: .ipv6)
    }

    /// The top 32 bits: the whole address in IPv4.
    @inlinable package var ipv4Value: UInt32 { UInt32(truncatingIfNeeded: bits >> 96) }

    /// 4 or 16.
    @inlinable package var byteCount: Int { family == .ipv4 ? 4 : 16 }

    /// The byte at `index`, 0 being the first on the wire.
    @inlinable package func byte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * index))
    }

    /// As on the wire: 4 or 16 bytes.
    package var bytes: [UInt8] { (0..<byteCount).map(byte) }

    /// From 4 or 16 bytes in network order; nil for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var bits: UInt128 = 0
        for byte in bytes { bits = bits << 8 | UInt128(byte) }
        if bytes.count == 4 {
            self.init(leftAligned: bits << 96, family: .ipv4)
        } else {
            self.init(leftAligned: bits, family: .ipv6)
        }
    }

    /// The same address with every bit past the first `length` cleared.
    @inlinable package func masked(to length: Int) -> IPAddress {
        IPAddress(leftAligned: bits & IPAddress.mask(length), family: family)
    }

    /// `length` ones from the top, 0…128.
    @inlinable static func mask(_ length: Int) -> UInt128 {
        length == 0 ? 0 : UInt128.max << UInt128(128 - length)
    }
}

extension IPAddress {
    /// Prefixes of the IPv6 forms that `embeddedIPv4` knows.
    package static let embeddingPrefixes: [Prefix] = [
        Prefix(IPAddress(ipv6: 0xffff << 32), length: 96),
        Prefix(IPAddress(ipv6: 0x0064_ff9b << 96), length: 96),
        Prefix(IPAddress(ipv6: 0x2001 << 112), length: 32),
        Prefix(IPAddress(ipv6: 0x2002 << 112), length: 16),
    ]

    /// The IPv4 address inside an IPv6 form that carries one, and how many bits of the IPv6
    /// address stand before it: mapped (::ffff:0:0/96, RFC 4291 §2.5.5.2), NAT64
    /// (64:ff9b::/96, RFC 6052), 6to4 (2002::/16, RFC 3056) and Teredo (2001::/32, RFC 4380 §4,
    /// where the client's address is stored inverted). Nil for every other address.
    @inlinable package var embeddedIPv4: (address: IPAddress, offset: Int)? {
        guard family == .ipv6 else { return nil }
        let top = UInt32(truncatingIfNeeded: bits >> 96)
        if bits >> 32 == 0xffff || bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000 {
            return (IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)), 96)
        }
        if top >> 16 == 0x2002 {
            return (IPAddress(ipv4: UInt32(truncatingIfNeeded: bits >> 80)), 16)
        }
        if top == 0x2001_0000 {
            return (IPAddress(ipv4: ~UInt32(truncatingIfNeeded: bits)), 96)
        }
        return nil
    }
}

// MARK: - Presentation format

extension IPAddress: LosslessStringConvertible {
    /// Dotted decimal (four decimal numbers, no leading zeros) or RFC 4291 §2.2 text; no zone
    /// identifier. Nil for anything else.
    @usableFromInline package init?(_ text: String) {
        self.init(utf8: text.utf8.span)
    }

    /// The same from the bytes of a text: a zone file may hold a million of them.
    package init?(utf8 text: Span<UInt8>) {
        if let value = IPAddress.parseIPv4(text, from: 0) {
            self.init(ipv4: value)
        } else {
            guard let value = IPAddress.parseIPv6(text) else { return nil }
            self.init(ipv6: value)
        }
    }

    /// IPv6 as RFC 5952 recommends.
    @usableFromInline package var description: String {
        var text: [UInt8] = []
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends what `description` is: lists of clients are written by the million.
    package func write(to text: inout [UInt8]) {
        switch family {
        case .ipv4: IPAddress.writeIPv4(ipv4Value, to: &text)
        case .ipv6: writeIPv6(to: &text)
        }
    }

    private static func writeIPv4(_ value: UInt32, to text: inout [UInt8]) {
        var shift: UInt32 = 24
        while shift > 0 {
            text.append(decimal: UInt8(truncatingIfNeeded: value >> shift))
            text.append(UInt8(ascii: "."))
            shift -= 8
        }
        text.append(decimal: UInt8(truncatingIfNeeded: value))
    }

    /// All of `text` from `start` on.
    private static func parseIPv4(_ text: Span<UInt8>, from start: Int) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digitCount = 0
        var dotCount = 0
        for index in start..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                guard digitCount > 0, octet <= 255 else { return nil }
                value = value << 8 | octet
                octet = 0
                digitCount = 0
                dotCount += 1
            } else {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10, digitCount < 3, octet > 0 || digitCount == 0 else { return nil }
                octet = octet &* 10 &+ UInt32(digit)
                digitCount += 1
            }
        }
        guard dotCount == 3, digitCount > 0, octet <= 255 else { return nil }
        return value << 8 | octet
    }

    private static func parseIPv6(_ text: Span<UInt8>) -> UInt128? {
        let colon = UInt8(ascii: ":")
        var value: UInt128 = 0
        var groupCount = 0
        /// Groups before the `::`.
        var gap: Int?
        var position = 0
        if text.count >= 2, text[0] == colon, text[1] == colon {
            gap = 0
            position = 2
        }
        while position < text.count {
            let start = position
            var group: UInt128 = 0
            while position < text.count, let digit = hexadecimalDigit(text[position]) {
                guard position - start < 4 else { return nil }
                group = group << 4 | UInt128(digit)
                position += 1
            }
            if position < text.count, text[position] == UInt8(ascii: ".") {
                guard let ipv4 = parseIPv4(text, from: start) else { return nil }
                value = value << 32 | UInt128(ipv4)
                groupCount += 2
                break
            }
            guard position > start, groupCount < 8 else { return nil }
            value = value << 16 | group
            groupCount += 1
            if position == text.count { break }
            guard text[position] == colon, position + 1 < text.count else { return nil }
            position += 1
            if text[position] == colon {
                guard gap == nil else { return nil }
                gap = groupCount
                position += 1
            }
        }
        guard let gap else { return groupCount == 8 ? value : nil }
        guard groupCount <= 7 else { return nil }
        let low = UInt128(16 * (groupCount - gap))
        return (value >> low) << UInt128(16 * (8 - gap)) | value & ~(UInt128.max << low)
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        let digit = byte &- UInt8(ascii: "0")
        if digit < 10 { return digit }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    private func writeIPv6(to text: inout [UInt8]) {
        if bits >> 32 == 0xffff {
            text += "::ffff:".utf8
            return IPAddress.writeIPv4(UInt32(truncatingIfNeeded: bits), to: &text)
        }
        let gap = longestRunOfZeros
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                text += "::".utf8
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound { text.append(UInt8(ascii: ":")) }
            text.append(hexadecimal: group(index))
            index += 1
        }
    }

    /// 16 bits; 0 is the first.
    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * index))
    }

    /// Of groups, at least two long, the first of equals (RFC 5952 §4.2); else 0..<0.
    private var longestRunOfZeros: Range<Int> {
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}

extension [UInt8] {
    /// Without leading zeros.
    package mutating func append(decimal value: UInt8) {
        if value >= 100 { append(UInt8(ascii: "0") + value / 100) }
        if value >= 10 { append(UInt8(ascii: "0") + value / 10 % 10) }
        append(UInt8(ascii: "0") + value % 10)
    }

    /// Without leading zeros.
    fileprivate mutating func append(hexadecimal value: UInt16) {
        var shift = value == 0 ? 0 : (15 - value.leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt16(shift) & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }
}
