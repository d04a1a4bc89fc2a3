package import Addressing

/// What the OPT record of a query says (RFC 6891 §6.1), but for the options that carry data: those
/// stand in `Query`, so that this is small enough for registers.
package struct EDNS: Sendable, BitwiseCopyable {
    /// What the requestor takes over UDP, at least 512 (RFC 6891 §6.2.3).
    package var payloadByteCountMax: Int
    package var version: UInt8
    package var isDNSSECOK: Bool
    /// NSID: the requestor asks who answers (RFC 5001 §2.1).
    package var wantsServerIdentifier = false
    /// The requestor asks how long a TCP connection may be idle (RFC 7828 §3.2.1).
    package var wantsKeepalive = false

    /// IANA "DNS EDNS0 Option Codes".
    package static let serverIdentifierCode: UInt16 = 3
    package static let keepaliveCode: UInt16 = 11
    package static let extendedErrorCode: UInt16 = 15
    package static let reportChannelCode: UInt16 = 18

    /// From type, class and TTL of the OPT record, as one number (RFC 6891 §6.1.2, §6.1.3).
    @inline(__always)
    init(fixed: UInt64) {
        payloadByteCountMax = max(512, Int(truncatingIfNeeded: fixed &>> 32 & 0xffff))
        version = UInt8(truncatingIfNeeded: fixed &>> 16)
        isDNSSECOK = fixed & 0x8000 != 0
    }
}

extension Query {
    /// Reads the options in `range`. False when one is cut short, or one that this server knows is
    /// malformed; others are ignored (RFC 6891 §6.1.2).
    ///
    /// Of several cookies the first counts (RFC 7873 §5.2), and so of several client subnets.
    mutating func readOptions(
        _ message: Span<UInt8>, in range: Range<Int>, into edns: inout EDNS
    ) -> Bool {
        var position = range.lowerBound
        while position < range.upperBound {
            guard range.upperBound &- position >= 4 else { return false }
            // Code and length.
            let head = message.uint32(at: position)
            let start = position &+ 4
            let end = start &+ Int(head & 0xffff)
            guard end <= range.upperBound,
                readOption(
                    UInt16(truncatingIfNeeded: head &>> 16), message, in: start..<end, into: &edns)
            else { return false }
            position = end
        }
        return true
    }

    private mutating func readOption(
        _ code: UInt16, _ message: Span<UInt8>, in range: Range<Int>, into edns: inout EDNS
    ) -> Bool {
        switch code {
        case ClientSubnet.optionCode:
            guard let subnet = ClientSubnet(message, in: range) else { return false }
            clientSubnet = clientSubnet ?? subnet
        case Cookie.optionCode:
            guard let found = Cookie(in: range) else { return false }
            cookie = cookie ?? found
        case EDNS.serverIdentifierCode:
            edns.wantsServerIdentifier = true
        case EDNS.keepaliveCode:
            edns.wantsKeepalive = true
        default:
            break
        }
        return true
    }
}

/// EDNS Client Subnet as a query carries it (RFC 7871 §6).
package struct ClientSubnet: Sendable, BitwiseCopyable {
    /// Bits past `sourcePrefixLength` are zero.
    package var address: IPAddress
    package var sourcePrefixLength: Int
    /// As the query has it: 1, 2, or 0 beside an empty prefix. It comes back as it was.
    package var familyNumber: UInt16

    /// IANA "DNS EDNS0 Option Codes".
    package static let optionCode: UInt16 = 8

    /// Nil for what RFC 7871 §6 and §7.1.1 call malformed: an unknown family, a prefix longer than
    /// the address, a scope in a query, too few or too many address bytes, or bits set past the
    /// prefix. Family 0 goes with an empty prefix, as some resolvers send it.
    @inline(__always)
    init?(_ message: Span<UInt8>, in range: Range<Int>) {
        let byteCount = range.upperBound &- range.lowerBound
        guard byteCount >= 4 else { return nil }
        // Family, source prefix length, scope prefix length.
        let head = message.uint32(at: range.lowerBound)
        let number = UInt16(truncatingIfNeeded: head &>> 16)
        let length = Int(head &>> 8 & 0xff)
        guard head & 0xff == 0, number <= 2, number != 0 || length == 0 else { return nil }
        let family: IPAddress.Family = number == 2 ? .ipv6 : .ipv4
        guard length <= family.bitCount,
            byteCount &- 4 == ClientSubnet.byteCount(ofPrefix: length),
            // As there are no bytes to spare, only the last one can hold bits past the prefix.
            length & 7 == 0 || message[range.upperBound &- 1] & (0xff &>> UInt8(length & 7)) == 0
        else { return nil }
        let bits = message.leadingBits(range.lowerBound &+ 4..<range.upperBound)
        let address = IPAddress(leftAligned: bits, family: family)
        self.init(address: address, sourcePrefixLength: length, familyNumber: number)
    }

    /// What nearly all are, with fewer instructions: IPv4, with one to four bytes of the address.
    /// `range`, of at least eight bytes, is that of the option with its code and length. Nil for
    /// any other, which may be well-formed.
    @inline(__always)
    init?(shortOption message: Span<UInt8>, in range: Range<Int>) {
        let byteCount = range.upperBound &- range.lowerBound &- 8
        guard byteCount >= 1, byteCount <= 4 else { return nil }
        // Code, length, family, source prefix length, scope prefix length.
        let head = message.word(at: range.lowerBound).byteSwapped
        let length = head &>> 8 & 0xff
        let wanted =
            UInt64(ClientSubnet.optionCode) << 48 | UInt64(byteCount &+ 4) << 32 | 1 << 16
            | length << 8
        // The eight bytes that end with the last one, those before the address shifted out.
        let bits =
            message.word(at: range.upperBound &- 8).byteSwapped &<< UInt64(64 &- 8 &* byteCount)
        // As the prefix has so many bytes, it is at most 32 long.
        guard head == wanted, Int(length &+ 7) &>> 3 == byteCount, bits &<< length == 0 else {
            return nil
        }
        self.init(
            address: IPAddress(leftAligned: UInt128(bits) << 64, family: .ipv4),
            sourcePrefixLength: Int(length), familyNumber: 1)
    }

    /// Of the address, as it stands in the option: only what the prefix needs.
    package var addressByteCount: Int { ClientSubnet.byteCount(ofPrefix: sourcePrefixLength) }

    private static func byteCount(ofPrefix length: Int) -> Int { (length &+ 7) &>> 3 }

    private init(address: IPAddress, sourcePrefixLength: Int, familyNumber: UInt16) {
        self.address = address
        self.sourcePrefixLength = sourcePrefixLength
        self.familyNumber = familyNumber
    }
}

/// Extended DNS Errors that this server gives (RFC 8914 §4).
package enum ExtendedError: UInt16, Sendable, BitwiseCopyable {
    /// The requestor may not have this.
    case prohibited = 18
    case notAuthoritative = 20
    case notSupported = 21
}

extension Span<UInt8> {
    /// Up to 16 bytes in network order, left-aligned; what they do not fill is zero. At least seven
    /// bytes stand before them.
    @inline(__always)
    fileprivate func leadingBits(_ range: Range<Int>) -> UInt128 {
        let byteCount = range.upperBound &- range.lowerBound
        guard byteCount > 0 else { return 0 }
        // The eight bytes that end with the last one, those before shifted out.
        let last = word(at: range.upperBound &- 8).byteSwapped
        guard byteCount > 8 else { return UInt128(last &<< UInt64(64 &- 8 &* byteCount)) << 64 }
        let rest = last &<< UInt64(128 &- 8 &* byteCount)
        return UInt128(word(at: range.lowerBound).byteSwapped) << 64 | UInt128(rest)
    }
}
