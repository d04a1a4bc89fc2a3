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
    package static let hinfo = RRType(rawValue: 13)
    package static let mx = RRType(rawValue: 15)
    package static let txt = RRType(rawValue: 16)
    package static let rp = RRType(rawValue: 17)
    package static let afsdb = RRType(rawValue: 18)
    package static let aaaa = RRType(rawValue: 28)
    package static let loc = RRType(rawValue: 29)
    package static let srv = RRType(rawValue: 33)
    package static let naptr = RRType(rawValue: 35)
    package static let kx = RRType(rawValue: 36)
    package static let cert = RRType(rawValue: 37)
    package static let dname = RRType(rawValue: 39)
    package static let opt = RRType(rawValue: 41)
    package static let ds = RRType(rawValue: 43)
    package static let sshfp = RRType(rawValue: 44)
    package static let rrsig = RRType(rawValue: 46)
    package static let nsec = RRType(rawValue: 47)
    package static let dnskey = RRType(rawValue: 48)
    package static let dhcid = RRType(rawValue: 49)
    package static let nsec3 = RRType(rawValue: 50)
    package static let nsec3param = RRType(rawValue: 51)
    package static let tlsa = RRType(rawValue: 52)
    package static let smimea = RRType(rawValue: 53)
    package static let cds = RRType(rawValue: 59)
    package static let cdnskey = RRType(rawValue: 60)
    package static let openpgpkey = RRType(rawValue: 61)
    package static let csync = RRType(rawValue: 62)
    package static let zonemd = RRType(rawValue: 63)
    package static let svcb = RRType(rawValue: 64)
    package static let https = RRType(rawValue: 65)
    package static let spf = RRType(rawValue: 99)
    package static let eui48 = RRType(rawValue: 108)
    package static let eui64 = RRType(rawValue: 109)
    package static let any = RRType(rawValue: 255)
    package static let uri = RRType(rawValue: 256)
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

    /// Whether there is a name in RDATA of this type that may be compressed.
    package var mayCompress: Bool {
        // The types below 64 of `compressibleNames`, one bit each.
        let types: UInt64 = 1 << 2 | 1 << 5 | 1 << 12 | 1 << 15 | 1 << 6
        return rawValue < 64 && types &>> UInt64(rawValue) & 1 != 0
    }

    /// The four types of the zone language; never answered on the wire as data.
    package var isSteering: Bool { (65401...65404).contains(rawValue) }

    /// Types that only a question may hold: OPT and 128…255 (RFC 6895 §3.1).
    package var isMetaOrQuestionType: Bool { self == .opt || (128...255).contains(rawValue) }
}

extension RRType: CustomStringConvertible {
    /// Names that a question, a type bitmap or a zone file may show beside those of the table (IANA
    /// "Resource Record (RR) TYPEs"). RDATA of these is written as RFC 3597 has it.
    package static let withoutDescriptor: [(type: RRType, mnemonic: String)] =
        [
            (3, "MD"), (4, "MF"), (7, "MB"), (8, "MG"), (9, "MR"), (10, "NULL"), (11, "WKS"),
            (14, "MINFO"), (19, "X25"), (20, "ISDN"), (21, "RT"), (22, "NSAP"), (24, "SIG"),
            (25, "KEY"), (26, "PX"), (27, "GPOS"), (30, "NXT"), (38, "A6"), (40, "SINK"),
            (41, "OPT"), (42, "APL"), (45, "IPSECKEY"), (55, "HIP"), (56, "NINFO"), (57, "RKEY"),
            (58, "TALINK"), (104, "NID"), (105, "L32"), (106, "L64"), (107, "LP"), (249, "TKEY"),
            (250, "TSIG"), (251, "IXFR"), (252, "AXFR"), (255, "ANY"), (258, "AVC"), (259, "DOA"),
            (260, "AMTRELAY"), (261, "RESINFO"), (32768, "TA"), (32769, "DLV"),
            (65401, "REGION"), (65402, "CHECK"), (65403, "GEO"), (65404, "MAP"),
        ].map { (RRType(rawValue: $0.0), $0.1) }

    /// The mnemonic, or `TYPE123` (RFC 3597 §5).
    @usableFromInline package var description: String {
        RRTypeDescriptor.of(self)?.mnemonic
            ?? RRType.withoutDescriptor.first { $0.type == self }?.mnemonic
            ?? "TYPE\(rawValue)"
    }

    /// From a mnemonic or `TYPE123`, case ignored; nil for anything else.
    @usableFromInline package init?(_ text: String) {
        let name = text.uppercased()
        if let descriptor = RRTypeDescriptor.all.first(where: { $0.mnemonic == name }) {
            self = descriptor.type
        } else if let other = RRType.withoutDescriptor.first(where: { $0.mnemonic == name }) {
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
