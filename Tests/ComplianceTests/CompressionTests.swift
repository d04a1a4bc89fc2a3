import DNSWire
import TestSupport
import Testing

/// Names inside RDATA, as they go over the wire: compressed in the types of RFC 1035, and in no
/// others (RFC 3597 §4).
@Suite(.serialized, .timeLimit(.minutes(2))) struct Compression {
    /// `x.example.com.` has 15 bytes; compressed 4: its first label, and a pointer to the question.
    private static let records: [(type: RRType, rdata: String, byteCount: Int)] = [
        (.ns, "ns1.example.com.", 4 + 2),
        (.soa, "ns1.example.com. x.example.com. 1 2 3 4 5", 6 + 4 + 20),
        (.cname, "x.example.com.", 4),
        (.ptr, "x.example.com.", 4),
        (.mx, "1 x.example.com.", 2 + 4),
        (.rp, "x.example.com. x.example.com.", 15 + 15),
        (.afsdb, "1 x.example.com.", 2 + 15),
        (.srv, "1 2 3 x.example.com.", 6 + 15),
        (.naptr, "1 2 \"\" \"\" \"\" x.example.com.", 7 + 15),
        (.kx, "1 x.example.com.", 2 + 15),
        (.dname, "x.example.com.", 15),
        (.rrsig, "A 13 3 60 20370101000000 20260101000000 1 x.example.com. AAAA", 18 + 15 + 3),
        (.nsec, "x.example.com. A", 15 + 3),
        (.svcb, "1 x.example.com.", 2 + 15),
        (.https, "1 x.example.com.", 2 + 15),
    ]

    private static func owner(_ type: RRType) -> String {
        type == .soa || type == .ns ? "example.com." : "\(type).example.com."
    }

    @Test func everyTypeWithANameIsHere() {
        let types = RRTypeDescriptor.all.filter { descriptor in
            descriptor.fields.contains { field in
                switch field {
                case .name, .compressibleName: true
                default: false
                }
            }
        }
        #expect(Set(types.map(\.type)) == Set(Compression.records.map(\.type)))
    }

    @Test func namesAreCompressedWhereTheyMayBe() throws {
        let lines = Compression.records.map {
            "\(Compression.owner($0.type)) 60 \($0.type) \($0.rdata)"
        }
        let server = try TestServer(
            zones: [
                ("example.com.zone", (lines + ["ns1 60 A 192.0.2.1", ""]).joined(separator: "\n"))
            ])
        for record in Compression.records {
            let ask = Ask(name: Compression.owner(record.type), type: record.type)
            let query = try ask.bytes()
            let response = try #require(server.client.exchange(query))
            // Owner, type, class, TTL, RDLENGTH.
            let fixed = Array(response.dropFirst(query.count).prefix(12))
            #expect(fixed.starts(with: [0xc0, 12]), "\(record.type): the owner is the question")
            #expect(
                fixed.suffix(2) == [0, UInt8(record.byteCount)], "\(record.type) \(record.rdata)")
            #expect(response.count == query.count + 12 + record.byteCount, "\(record.type)")
        }
    }

    /// The CNAME of a DNAME points to the DNAME's own RDATA, which is not compressed (RFC 6672 §2.5).
    @Test func synthesizedNamesPointToTheDNAME() throws {
        let server = try TestServer(
            zones: [
                (
                    "example.com.zone",
                    """
                    @   60 SOA ns1 hostmaster 1 2 3 4 5
                        60 NS  ns1
                    ns1 60 A   192.0.2.1
                    old 60 DNAME a-rather-long-target.example.net.

                    """
                )
            ])
        let query = try Ask(name: "www.old.example.com", type: .a).bytes()
        let response = try #require(server.client.exchange(query))
        let target = try #require(DomainName("a-rather-long-target.example.net."))
        // DNAME: a pointer to the question's `old`; CNAME: the question, `www` and a pointer.
        #expect(response.count == query.count + 12 + target.wire.count + 12 + 4 + 2)
        let cname = try #require(Message(response)?.answers.last)
        #expect(DomainName(wire: cname.rdata)?.description == "www.\(target)")
    }
}
