/// A resource record type (IANA "Resource Record (RR) TYPEs").
@frozen @usableFromInline
package struct RRType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package let rawValue: UInt16

    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = RRType(rawValue: 1)
    package static let ns = RRType(rawValue: 2)
    package static let cname = RRType(rawValue: 5)
    package static let soa = RRType(rawValue: 6)
    package static let ptr = RRType(rawValue: 12)
    package static let mx = RRType(rawValue: 15)
    package static let txt = RRType(rawValue: 16)
    package static let aaaa = RRType(rawValue: 28)
    package static let srv = RRType(rawValue: 33)
    package static let opt = RRType(rawValue: 41)
    package static let ds = RRType(rawValue: 43)
    package static let any = RRType(rawValue: 255)
    package static let caa = RRType(rawValue: 257)

    // Ours, from the range for private use (RFC 6895 §3.1): see the zone language.
    package static let region = RRType(rawValue: 65401)
    package static let check = RRType(rawValue: 65402)
    package static let geo = RRType(rawValue: 65403)
    package static let map = RRType(rawValue: 65404)

    /// Where RDATA of this type holds names that may be compressed: so many bytes first, then so
    /// many names. Nil: nowhere. Follows from the descriptors; written out because every answer
    /// asks.
    package var compressibleNames: (offset: Int, count: Int)? {
        switch self {
        case .ns, .cname, .ptr: (0, 1)
        case .mx: (2, 1)
        case .soa: (0, 2)
        default: nil
        }
    }

    /// The four types of the zone language; never answered on the wire as data.
    package var isSteering: Bool { (65401...65404).contains(rawValue) }

    /// Types that only a question may hold: OPT and 128…255 (RFC 6895 §3.1).
    package var isMetaOrQuestionType: Bool { self == .opt || (128...255).contains(rawValue) }
}

/// One field of a record's RDATA: the one description that parsing, printing and name compression
/// follow.
package enum RDATAField: Sendable {
    case uint8
    case uint16
    case uint32
    /// A 32-bit number of seconds, written as a TTL: `1h30m` or plain seconds.
    case duration
    case ipv4
    case ipv6
    /// A name that may be compressed (the types of RFC 1035, RFC 3597 §4).
    case compressibleName
    /// A name that must not be compressed.
    case name
    /// One or more character-strings to the end of the RDATA (RFC 1035 §3.3.14).
    case characterStrings
    /// CAA's tag: a length byte and that many letters or digits (RFC 8659 §4.1).
    case tag
    /// The rest of the RDATA as one quoted string without a length byte (CAA's value).
    case text
}

/// A record type this server knows by name. Types that are not in the table travel as RFC 3597
/// has it: `TYPE65280 \# 4 0a000001`.
package struct RRTypeDescriptor: Sendable {
    package let type: RRType
    package let mnemonic: String
    package let fields: [RDATAField]
    /// What each field is called, one for one: for messages.
    package let fieldNames: [String]

    package static let all: [RRTypeDescriptor] = [
        .init(.a, "A", [(.ipv4, "address")]),
        .init(.ns, "NS", [(.compressibleName, "name server")]),
        .init(.cname, "CNAME", [(.compressibleName, "canonical name")]),
        .init(
            .soa, "SOA",
            [
                (.compressibleName, "primary server"), (.compressibleName, "mailbox"),
                (.uint32, "serial"), (.duration, "refresh"), (.duration, "retry"),
                (.duration, "expire"), (.duration, "minimum"),
            ]),
        .init(.ptr, "PTR", [(.compressibleName, "name")]),
        .init(.mx, "MX", [(.uint16, "preference"), (.compressibleName, "exchange")]),
        .init(.txt, "TXT", [(.characterStrings, "text")]),
        .init(.aaaa, "AAAA", [(.ipv6, "address")]),
        .init(
            .srv, "SRV",
            [(.uint16, "priority"), (.uint16, "weight"), (.uint16, "port"), (.name, "target")]),
        .init(.caa, "CAA", [(.uint8, "flags"), (.tag, "tag"), (.text, "value")]),
    ]

    private init(
        _ type: RRType, _ mnemonic: String, _ fields: [(kind: RDATAField, name: String)]
    ) {
        self.type = type
        self.mnemonic = mnemonic
        self.fields = fields.map { $0.kind }
        self.fieldNames = fields.map { $0.name }
    }

    /// Nil for a type that travels as RFC 3597 has it.
    package static func of(_ type: RRType) -> RRTypeDescriptor? { all.first { $0.type == type } }
}

extension RRType: CustomStringConvertible {
    /// Names that a question or a message may show beside those of the table.
    private static let others: [(type: RRType, mnemonic: String)] = [
        (.opt, "OPT"), (.ds, "DS"), (.any, "ANY"),
        (.region, "REGION"), (.check, "CHECK"), (.geo, "GEO"), (.map, "MAP"),
    ]

    /// The mnemonic, or `TYPE123` (RFC 3597 §5).
    @usableFromInline package var description: String {
        RRTypeDescriptor.of(self)?.mnemonic
            ?? RRType.others.first { $0.type == self }?.mnemonic
            ?? "TYPE\(rawValue)"
    }

    /// From a mnemonic or `TYPE123`, case ignored; nil for anything else.
    @usableFromInline package init?(_ text: String) {
        let name = text.uppercased()
        if let descriptor = RRTypeDescriptor.all.first(where: { $0.mnemonic == name }) {
            self = descriptor.type
        } else if let other = RRType.others.first(where: { $0.mnemonic == name }) {
            self = other.type
        } else if name.hasPrefix("TYPE"),
            name.utf8.dropFirst(4).allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(name.dropFirst(4))
        {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }
}
