package import Addressing

/// RCODE, as far as a server answers with one (RFC 1035 §4.1.1, RFC 6891 §9 for BADVERS).
package enum ResponseCode: UInt16, Sendable, BitwiseCopyable, CaseIterable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
    /// YXDOMAIN: a DNAME makes a name that is too long (RFC 2136 §2.2, RFC 6672 §2.2).
    case nameExists = 6
    /// Extended: the upper eight bits travel in OPT.
    case badVersion = 16

    /// As `dig` prints it.
    package var mnemonic: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .nameExists: "YXDOMAIN"
        case .badVersion: "BADVERS"
        }
    }
}

/// EDNS Client Subnet as a query carries it (RFC 7871 §6).
package struct ClientSubnet: Sendable, BitwiseCopyable {
    /// Bits past `sourcePrefixLength` are zero.
    package var address: IPAddress
    package var sourcePrefixLength: Int
    /// As the query has it: 1, 2, or 0 beside an empty prefix. It comes back as it was.
    package var familyNumber: UInt16
}

/// What the OPT record of a query says (RFC 6891 §6.1).
package struct EDNS: Sendable, BitwiseCopyable {
    /// What the requestor takes over UDP, at least 512 (RFC 6891 §6.2.3).
    package var payloadByteCountMax: Int
    package var version: UInt8
    package var isDNSSECOK: Bool
    package var clientSubnet: ClientSubnet?
}

/// A query message, decoded in place; its name is in the `QuestionName` it was decoded with.
package struct Query: Sendable, BitwiseCopyable {
    package var type = RRType(rawValue: 0)
    package var `class`: UInt16 = 0
    /// Where the question ends in the message; 12 when there is no readable question.
    package var questionEnd = Query.headerByteCount
    package var edns: EDNS?

    package static let headerByteCount = 12
    /// RFC 1035 §3.2.4
    package static let classIN: UInt16 = 1
    /// RFC 1035 §3.2.5: `*`
    package static let classAny: UInt16 = 255

    package enum Verdict: Sendable, BitwiseCopyable {
        case query
        /// Not a query, or too short to be answered: silence.
        case ignore
        /// Answer with this code and nothing else.
        case reject(ResponseCode)
    }

    package init() {}

    /// Decodes `message`; malformed input is a verdict, never an error.
    ///
    /// Bytes after the last record are ignored, as other servers do.
    package mutating func decode(
        _ message: Span<UInt8>, name: inout QuestionName
    ) -> Verdict {
        self = Query()
        guard message.count >= Query.headerByteCount, message[2] & 0x80 == 0 else { return .ignore }
        guard message[2] & 0x78 == 0 else { return .reject(.notImplemented) }
        guard message.uint16(at: 4) == 1 else { return .reject(.formatError) }
        guard let nameEnd = name.read(message, at: Query.headerByteCount),
            nameEnd + 4 <= message.count
        else { return .reject(.formatError) }
        type = RRType(rawValue: message.uint16(at: nameEnd))
        `class` = message.uint16(at: nameEnd + 2)
        questionEnd = nameEnd + 4
        return decodeRecords(message)
    }

    /// Walks over the records after the question; only OPT in the additional section matters.
    private mutating func decodeRecords(_ message: Span<UInt8>) -> Verdict {
        let before = Int(message.uint16(at: 6)) + Int(message.uint16(at: 8))
        let total = before + Int(message.uint16(at: 10))
        var position = questionEnd
        var index = 0
        while index < total {
            guard let ownerEnd = skipName(message, at: position), ownerEnd + 10 <= message.count
            else { return .reject(.formatError) }
            let dataStart = ownerEnd + 10
            let dataEnd = dataStart + Int(message.uint16(at: ownerEnd + 8))
            guard dataEnd <= message.count else { return .reject(.formatError) }
            if message.uint16(at: ownerEnd) == RRType.opt.rawValue {
                // One OPT, owned by the root, in the additional section (RFC 6891 §6.1.1).
                guard edns == nil, index >= before, ownerEnd == position + 1,
                    decodeOPT(message, fixed: ownerEnd, options: dataStart..<dataEnd)
                else { return .reject(.formatError) }
            }
            position = dataEnd
            index += 1
        }
        if let edns, edns.version != 0 { return .reject(.badVersion) }
        return .query
    }

    /// False when an option is cut short or a client subnet is malformed.
    private mutating func decodeOPT(
        _ message: Span<UInt8>, fixed: Int, options: Range<Int>
    ) -> Bool {
        var edns = EDNS(
            payloadByteCountMax: max(512, Int(message.uint16(at: fixed + 2))),
            version: message[fixed + 5], isDNSSECOK: message[fixed + 6] & 0x80 != 0)
        defer { self.edns = edns }
        var position = options.lowerBound
        while position < options.upperBound {
            guard position + 4 <= options.upperBound else { return false }
            let start = position + 4
            let end = start + Int(message.uint16(at: position + 2))
            guard end <= options.upperBound else { return false }
            if message.uint16(at: position) == ClientSubnet.optionCode, edns.version == 0 {
                guard let subnet = ClientSubnet(message, in: start..<end) else { return false }
                edns.clientSubnet = subnet
            }
            position = end
        }
        return true
    }

    /// The position after the name at `start`, which may be compressed; nil when cut short.
    private func skipName(_ message: Span<UInt8>, at start: Int) -> Int? {
        var position = start
        while position < message.count {
            let length = Int(message[position])
            if length == 0 { return position + 1 }
            if length >= 0xc0 { return position + 2 }
            guard length <= DomainName.labelByteCountMax else { return nil }
            position += 1 + length
        }
        return nil
    }
}

extension ClientSubnet {
    /// IANA "DNS EDNS0 Option Codes".
    package static let optionCode: UInt16 = 8

    /// Nil for what RFC 7871 §6 and §7.1.1 call malformed: an unknown family, a prefix longer than
    /// the address, a scope in a query, too few or too many address bytes, or bits set past the
    /// prefix. Family 0 goes with an empty prefix, as some resolvers send it.
    init?(_ message: Span<UInt8>, in range: Range<Int>) {
        guard range.count >= 4 else { return nil }
        let number = message.uint16(at: range.lowerBound)
        let length = Int(message[range.lowerBound + 2])
        guard message[range.lowerBound + 3] == 0 else { return nil }
        guard number != 0 || length == 0 else { return nil }
        guard number <= 2,
            let family = number == 0 ? .ipv4 : IPAddress.Family(rawValue: UInt8(number)),
            length <= family.bitCount, range.count - 4 == (length + 7) / 8
        else { return nil }
        var bits: UInt128 = 0
        var index = range.lowerBound + 4
        var shift: UInt128 = 120
        while index < range.upperBound {
            bits |= UInt128(message[index]) << shift
            shift &-= 8
            index += 1
        }
        let address = IPAddress(leftAligned: bits, family: family)
        guard address.masked(to: length) == address else { return nil }
        self.init(address: address, sourcePrefixLength: length, familyNumber: number)
    }
}

extension Span<UInt8> {
    /// Two bytes in network order; both must lie within the span.
    package func uint16(at index: Int) -> UInt16 {
        UInt16(self[index]) << 8 | UInt16(self[index + 1])
    }
}
