package import Addressing
import Tables

/// Where the COOKIE option of a query stands (RFC 7873 §4): eight bytes of client cookie, and
/// perhaps a server cookie of eight to 32 bytes.
package struct Cookie: Sendable, BitwiseCopyable {
    /// Where its data starts in the message.
    package var offset: UInt16
    /// 8, or 16 to 40.
    package var byteCount: UInt8

    /// IANA "DNS EDNS0 Option Codes".
    package static let optionCode: UInt16 = 10
    /// Of the option's data in a response: client cookie, version, reserved, timestamp, hash
    /// (RFC 9018 §4).
    package static let responseByteCount = 24

    /// Nil for a length that cannot be (RFC 7873 §5.2.2).
    init?(in range: Range<Int>) {
        guard range.count == 8 || (16...40).contains(range.count), range.lowerBound <= 0xffff
        else { return nil }
        offset = UInt16(range.lowerBound)
        byteCount = UInt8(range.count)
    }

    package var hasServerCookie: Bool { byteCount > 8 }
}

/// What server cookies are made with: 16 bytes, the same on all servers behind one address
/// (RFC 9018 §5).
package struct CookieSecret: Sendable, BitwiseCopyable, Equatable {
    /// First and last eight bytes, the first byte of each lowest.
    private var high: UInt64
    private var low: UInt64

    /// One that nobody knows: good until the server ends.
    package static func random() -> CookieSecret {
        CookieSecret(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From 32 hexadecimal digits, as BIND's `cookie-secret` has it; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 32, text.utf8.count == 32 else { return nil }
        func word(_ digits: ArraySlice<Int>) -> UInt64 {
            stride(from: digits.startIndex, to: digits.endIndex, by: 2).reversed()
                .reduce(0) { $0 << 8 | UInt64(digits[$1] << 4 | digits[$1 + 1]) }
        }
        self.init(high: word(digits[..<16]), low: word(digits[16...]))
    }

    /// The hash of RFC 9018 §4.4, over client cookie, `front` and the client's address.
    ///
    /// All words have the wire's first byte lowest, the hash too. `front` is the first eight bytes
    /// of a server cookie: version, reserved, timestamp.
    package func hash(client: UInt64, front: UInt64, address: IPAddress) -> UInt64 {
        var hash = SipHash(key: (high, low))
        hash.add(client)
        hash.add(front)
        let first = UInt64(truncatingIfNeeded: address.bits >> 64).byteSwapped
        if address.family == .ipv4 { return hash.finish(first, byteCount: 20) }
        hash.add(first)
        hash.add(UInt64(truncatingIfNeeded: address.bits).byteSwapped)
        return hash.finish(0, byteCount: 32)
    }
}

/// The secrets in use: cookies are made with the current one; those made with the one before stay
/// good, so that a change does not look like an attack (RFC 9018 §5).
package struct CookieSecrets: Sendable, BitwiseCopyable, Equatable {
    package var current: CookieSecret
    package var previous: CookieSecret?

    package init(current: CookieSecret, previous: CookieSecret? = nil) {
        self.current = current
        self.previous = previous
    }

    /// How old a server cookie may be, and how far in the future, for clocks that differ:
    /// RFC 9018 §4.3, in seconds.
    private static var goodAges: ClosedRange<Int32> { -300...3600 }
    private static var freshAges: ClosedRange<Int32> { 0...1800 }

    /// The first eight bytes of a server cookie made at `now`, in seconds since 1970: version 1,
    /// three bytes of zero, the timestamp.
    package static func front(now: UInt32) -> UInt64 {
        1 | UInt64(now.byteSwapped) << 32
    }

    /// What is thought of the cookie of a query.
    package enum Verdict: Sendable, BitwiseCopyable {
        /// It holds no server cookie, or not one that a secret made for this client, not too long
        /// ago.
        case bad
        /// One that the client is to replace by a fresh one.
        case good
        /// One that may go back as it came: made with the current secret, and no older than half
        /// an hour (RFC 9018 §4.3).
        case fresh
    }

    /// `address` is whom the query came from, `now` in seconds since 1970, modulo 2^32.
    package func judge(
        _ cookie: Cookie, in message: Span<UInt8>, from address: IPAddress, now: UInt32
    ) -> Verdict {
        guard cookie.byteCount == Cookie.responseByteCount else { return .bad }
        let offset = Int(cookie.offset)
        let client = message.word(at: offset)
        let front = message.word(at: offset + 8)
        let hash = message.word(at: offset + 16)
        // The reserved bytes are hashed as they came (RFC 9018 §4.2), but go back as zeros; the age
        // is serial number arithmetic (§4.3, RFC 1982).
        let time = UInt32(truncatingIfNeeded: front >> 32).byteSwapped
        let age = Int32(bitPattern: now &- time)
        guard front & 0xff == 1, CookieSecrets.goodAges.contains(age) else { return .bad }
        if current.hash(client: client, front: front, address: address) == hash {
            let isFresh = CookieSecrets.freshAges.contains(age) && front & 0xffff_ffff == 1
            return isFresh ? .fresh : .good
        }
        guard let previous,
            previous.hash(client: client, front: front, address: address) == hash
        else { return .bad }
        return .good
    }
}
