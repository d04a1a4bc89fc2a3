/// A record type this server knows by name. Types that are not in the table travel as RFC 3597
/// has it: `TYPE65280 \# 4 0a000001`.
package struct RRTypeDescriptor: Sendable {
    package let type: RRType
    package let mnemonic: String
    package let fields: [RDATAField]
    /// What each field is called, one for one: for messages and the documentation.
    package let fieldNames: [String]
    /// Where the type is defined.
    package let reference: String

    private init(
        _ type: RRType, _ mnemonic: String, _ reference: String,
        _ fields: [(kind: RDATAField, name: String)]
    ) {
        self.type = type
        self.mnemonic = mnemonic
        self.reference = reference
        self.fields = fields.map { $0.kind }
        self.fieldNames = fields.map { $0.name }
    }

    /// By type number.
    private static let byType = Dictionary(
        uniqueKeysWithValues: all.indices.map { (all[$0].type, $0) })

    /// Nil for a type that travels as RFC 3597 has it.
    package static func of(_ type: RRType) -> RRTypeDescriptor? { byType[type].map { all[$0] } }

    /// In the order of their numbers.
    package static let all: [RRTypeDescriptor] = hosts + services + security

    /// Names, addresses and those who answer for them.
    private static let hosts: [RRTypeDescriptor] = [
        .init(.a, "A", "RFC 1035 §3.4.1", [(.ipv4, "address")]),
        .init(.ns, "NS", "RFC 1035 §3.3.11", [(.compressibleName, "name server")]),
        .init(.cname, "CNAME", "RFC 1035 §3.3.1", [(.compressibleName, "canonical name")]),
        .init(
            .soa, "SOA", "RFC 1035 §3.3.13",
            [
                (.compressibleName, "primary server"), (.compressibleName, "mailbox"),
                (.uint32, "serial"), (.duration, "refresh"), (.duration, "retry"),
                (.duration, "expire"), (.duration, "minimum"),
            ]),
        .init(.ptr, "PTR", "RFC 1035 §3.3.12", [(.compressibleName, "name")]),
        .init(
            .hinfo, "HINFO", "RFC 1035 §3.3.2",
            [(.characterString, "CPU"), (.characterString, "operating system")]),
        .init(
            .mx, "MX", "RFC 1035 §3.3.9",
            [(.uint16, "preference"), (.compressibleName, "exchange")]),
        .init(.txt, "TXT", "RFC 1035 §3.3.14", [(.characterStrings, "text")]),
        .init(.rp, "RP", "RFC 1183 §2.2", [(.name, "mailbox"), (.name, "name of the TXT record")]),
        .init(.afsdb, "AFSDB", "RFC 1183 §1", [(.uint16, "subtype"), (.name, "host name")]),
        .init(.aaaa, "AAAA", "RFC 3596 §2.1", [(.ipv6, "address")]),
        .init(.loc, "LOC", "RFC 1876", [(.location, "location")]),
    ]

    /// Where services are found.
    private static let services: [RRTypeDescriptor] = [
        .init(
            .srv, "SRV", "RFC 2782",
            [(.uint16, "priority"), (.uint16, "weight"), (.uint16, "port"), (.name, "target")]),
        .init(
            .naptr, "NAPTR", "RFC 3403 §4.1",
            [
                (.uint16, "order"), (.uint16, "preference"), (.characterString, "flags"),
                (.characterString, "services"), (.characterString, "regular expression"),
                (.name, "replacement"),
            ]),
        .init(.kx, "KX", "RFC 2230 §3", [(.uint16, "preference"), (.name, "exchanger")]),
        .init(
            .cert, "CERT", "RFC 4398 §2",
            [
                (.certificateType, "certificate type"), (.uint16, "key tag"),
                (.algorithm, "algorithm"), (.base64, "certificate"),
            ]),
        .init(.dname, "DNAME", "RFC 6672 §2.1", [(.name, "target")]),
    ]

    /// Keys, signatures and digests; and what came after them.
    private static let security: [RRTypeDescriptor] = [
        .init(.ds, "DS", "RFC 4034 §5", delegationSigner),
        .init(
            .sshfp, "SSHFP", "RFC 4255 §3",
            [
                (.uint8, "key algorithm"), (.uint8, "fingerprint type"),
                (.digest(.sshfp), "fingerprint"),
            ]),
        .init(
            .rrsig, "RRSIG", "RFC 4034 §3",
            [
                (.rrType, "type covered"), (.algorithm, "algorithm"), (.uint8, "labels"),
                (.duration, "original TTL"), (.timestamp, "signature expiration"),
                (.timestamp, "signature inception"), (.uint16, "key tag"), (.name, "signer's name"),
                (.base64, "signature"),
            ]),
        .init(
            .nsec, "NSEC", "RFC 4034 §4",
            [(.name, "next domain name"), (.typeBitmap(mayBeEmpty: false), "types")]),
        .init(.dnskey, "DNSKEY", "RFC 4034 §2", publicKey),
        .init(.dhcid, "DHCID", "RFC 4701 §3", [(.base64, "identifier")]),
        .init(
            .nsec3, "NSEC3", "RFC 5155 §3",
            [
                (.uint8, "hash algorithm"), (.uint8, "flags"), (.uint16, "iterations"),
                (.hexadecimalWithLength, "salt"),
                (.base32HexWithLength, "next hashed owner name"),
                (.typeBitmap(mayBeEmpty: true), "types"),
            ]),
        .init(
            .nsec3param, "NSEC3PARAM", "RFC 5155 §4",
            [
                (.uint8, "hash algorithm"), (.uint8, "flags"), (.uint16, "iterations"),
                (.hexadecimalWithLength, "salt"),
            ]),
        .init(.tlsa, "TLSA", "RFC 6698 §2", certificateAssociation),
        .init(.smimea, "SMIMEA", "RFC 8162 §2", certificateAssociation),
        .init(.cds, "CDS", "RFC 7344 §3.1", delegationSigner),
        .init(.cdnskey, "CDNSKEY", "RFC 7344 §3.2", publicKey),
        .init(.openpgpkey, "OPENPGPKEY", "RFC 7929 §2", [(.base64, "key")]),
        .init(
            .csync, "CSYNC", "RFC 7477 §2.1",
            [(.uint32, "SOA serial"), (.uint16, "flags"), (.typeBitmap(mayBeEmpty: true), "types")]),
        .init(
            .zonemd, "ZONEMD", "RFC 8976 §2",
            [
                (.uint32, "serial"), (.uint8, "scheme"), (.uint8, "hash algorithm"),
                (.digest(.zonemd), "digest"),
            ]),
        .init(.svcb, "SVCB", "RFC 9460 §2", serviceBinding),
        .init(.https, "HTTPS", "RFC 9460 §9", serviceBinding),
        .init(.spf, "SPF", "RFC 7208 §3.1 (obsolete: use TXT)", [(.characterStrings, "text")]),
        .init(.eui48, "EUI48", "RFC 7043 §3", [(.hyphenated(byteCount: 6), "address")]),
        .init(.eui64, "EUI64", "RFC 7043 §4", [(.hyphenated(byteCount: 8), "address")]),
        .init(
            .uri, "URI", "RFC 7553 §4",
            [(.uint16, "priority"), (.uint16, "weight"), (.nonEmptyText, "target")]),
        .init(
            .caa, "CAA", "RFC 8659 §4.1",
            [(.uint8, "flags"), (.tag, "tag"), (.text, "value")]),
    ]

    private static let delegationSigner: [(kind: RDATAField, name: String)] = [
        (.uint16, "key tag"), (.algorithm, "algorithm"), (.uint8, "digest type"),
        (.digest(.ds), "digest"),
    ]
    private static let publicKey: [(kind: RDATAField, name: String)] = [
        (.uint16, "flags"), (.uint8, "protocol"), (.algorithm, "algorithm"),
        (.base64, "public key"),
    ]
    private static let certificateAssociation: [(kind: RDATAField, name: String)] = [
        (.uint8, "certificate usage"), (.uint8, "selector"), (.uint8, "matching type"),
        (.digest(.tlsa), "certificate association data"),
    ]
    private static let serviceBinding: [(kind: RDATAField, name: String)] = [
        (.uint16, "priority"), (.name, "target"), (.serviceParameters, "parameters"),
    ]
}
