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
        switch family {
        case .ipv4: "\(byte(0)).\(byte(1)).\(byte(2)).\(byte(3))"
        case .ipv6: ipv6Description
        }
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

    private var ipv6Description: String {
        if bits >> 32 == 0xffff {
            return "::ffff:" + IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)).description
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        // The longest run of zero groups, at least two long, the first of equals (RFC 5952 §4.2).
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty
            ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }
}
