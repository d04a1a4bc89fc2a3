/// One field of a record's RDATA: the one description that parsing, printing and name compression
/// follow.
package enum RDATAField: Sendable {
    case uint8
    case uint16
    case uint32
    /// A 32-bit number of seconds, written as a TTL: `1h30m` or plain seconds.
    case duration
    /// A 32-bit point in time, written `YYYYMMDDHHmmSS` in UTC (RFC 4034 §3.2).
    case timestamp
    /// A DNSSEC algorithm: 8 bits, written as its number or its mnemonic (RFC 4034 appendix A.1).
    case algorithm
    /// A kind of certificate: 16 bits, written as its number or its mnemonic (RFC 4398 §2.1).
    case certificateType
    /// 16 bits, written as a mnemonic or `TYPE123`.
    case rrType
    case ipv4
    case ipv6
    /// So many bytes, written as pairs of hexadecimal digits with hyphens (RFC 7043).
    case hyphenated(byteCount: Int)
    /// A name that may be compressed (the types of RFC 1035, RFC 3597 §4).
    case compressibleName
    /// A name that must not be compressed.
    case name
    /// One character-string (RFC 1035 §3.3).
    case characterString
    /// One or more character-strings to the end of the RDATA (RFC 1035 §3.3.14).
    case characterStrings
    /// CAA's tag: a length byte and that many letters or digits (RFC 8659 §4.1).
    case tag
    /// The rest of the RDATA as one quoted string without a length byte (CAA's value).
    case text
    /// The same, and not empty (URI's target, RFC 7553 §4.4).
    case nonEmptyText
    /// The rest of the RDATA in base64, in as many words as one likes; at least one byte.
    case base64
    /// The rest of the RDATA in hexadecimal, in as many words as one likes. The byte before it says
    /// what it is; the length that this asks for, where that is known.
    case digest(DigestKind)
    /// A length byte and that many bytes in hexadecimal, `-` for none (NSEC3's salt, RFC 5155
    /// §3.3).
    case hexadecimalWithLength
    /// A length byte and that many bytes, at least one, in base32hex without padding (NSEC3's next
    /// hashed owner name, RFC 5155 §3.3).
    case base32HexWithLength
    /// The rest of the RDATA as a set of types (RFC 4034 §4.1.2), which NSEC never has empty.
    case typeBitmap(mayBeEmpty: Bool)
    /// The rest of the RDATA as `key=value` words (RFC 9460 §2.1).
    case serviceParameters
    /// All of LOC (RFC 1876 §2).
    case location
}

/// What the byte before a digest means.
package enum DigestKind: Sendable {
    /// DS and CDS digest types (IANA "DS RR Type Digest Algorithms").
    case ds
    /// SSHFP fingerprint types (RFC 4255 §3.1.2, RFC 6594 §3.2).
    case sshfp
    /// TLSA and SMIMEA matching types (RFC 6698 §2.1.3).
    case tlsa
    /// ZONEMD hash algorithms (RFC 8976 §5.3).
    case zonemd

    /// What the length of the digest must be, by the byte before it; at least one byte for a kind
    /// this program does not know.
    package func byteCounts(_ kind: UInt8) -> ClosedRange<Int> {
        let known: Int? =
            switch (self, kind) {
            case (.ds, 1), (.sshfp, 1): 20
            case (.ds, 2), (.ds, 3), (.sshfp, 2), (.tlsa, 1): 32
            case (.ds, 4), (.zonemd, 1): 48
            case (.tlsa, 2), (.zonemd, 2): 64
            default: nil
            }
        if let known { return known...known }
        // A ZONEMD digest has at least 12 bytes, whatever its kind (RFC 8976 §2.2.4).
        return (self == .zonemd ? 12 : 1)...65535
    }
}

/// Numbers that have names in presentation format.
package enum NumberMnemonics {
    /// IANA "DNS Security Algorithm Numbers".
    package static let algorithms: [(number: UInt16, mnemonic: String)] = [
        (0, "DELETE"), (1, "RSAMD5"), (2, "DH"), (3, "DSA"), (4, "ECC"), (5, "RSASHA1"),
        (6, "DSA-NSEC3-SHA1"), (6, "NSEC3DSA"), (7, "RSASHA1-NSEC3-SHA1"), (7, "NSEC3RSASHA1"),
        (8, "RSASHA256"), (10, "RSASHA512"), (12, "ECC-GOST"), (12, "ECCGOST"),
        (13, "ECDSAP256SHA256"), (14, "ECDSAP384SHA384"), (15, "ED25519"), (16, "ED448"),
        (252, "INDIRECT"), (253, "PRIVATEDNS"), (254, "PRIVATEOID"),
    ]
    /// RFC 4398 §2.1.
    package static let certificateTypes: [(number: UInt16, mnemonic: String)] = [
        (1, "PKIX"), (2, "SPKI"), (3, "PGP"), (4, "IPKIX"), (5, "ISPKI"), (6, "IPGP"),
        (7, "ACPKIX"), (8, "IACPKIX"), (253, "URI"), (254, "OID"),
    ]
}

extension RDATAField {
    /// The field takes the words to the end of the record.
    package var takesManyWords: Bool {
        switch self {
        case .characterStrings, .base64, .digest, .typeBitmap, .serviceParameters, .location: true
        default: false
        }
    }

    /// The field may be written with no word at all.
    package var mayBeAbsent: Bool {
        switch self {
        case .typeBitmap(let mayBeEmpty): mayBeEmpty
        case .serviceParameters: true
        default: false
        }
    }
}

extension RDATAField {
    /// How the field is written, for the documentation; empty where its name says it.
    package var form: String {
        switch self {
        case .uint8: "0…255"
        case .uint16: "0…65535"
        case .uint32: "0…4294967295"
        case .duration: "seconds, or 1h30m"
        case .timestamp: "YYYYMMDDHHmmSS"
        case .algorithm: "number or mnemonic"
        case .certificateType: "number or mnemonic"
        case .rrType: "mnemonic or TYPE123"
        case .ipv4: "192.0.2.1"
        case .ipv6: "2001:db8::1"
        case .hyphenated(let byteCount): "\(byteCount) bytes, 00-00-5e…"
        case .compressibleName, .name: "name"
        case .characterString: "string"
        case .characterStrings: "one or more strings"
        case .tag: "letters and digits"
        case .text, .nonEmptyText: "string"
        case .base64: "base64"
        case .digest: "hexadecimal"
        case .hexadecimalWithLength: "hexadecimal, or -"
        case .base32HexWithLength: "base32hex"
        case .typeBitmap: "mnemonics"
        case .serviceParameters: "key=value …"
        case .location: "52 14 5 N 0 8 50 E 10m 1m 10000m 10m"
        }
    }
}
