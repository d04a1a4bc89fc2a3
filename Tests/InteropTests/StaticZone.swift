import DNSWire

/// A zone without GEO that has every case of the lookup algorithm in it (RFC 1034 §4.3.2,
/// RFC 4592), and the questions that reach them all.
enum StaticZone {
    static let origin = "example.com"

    static let text = ##"""
        $TTL 1h
        @           SOA   ns1 hostmaster 7 2h 30m 2w 5m
                    NS    ns1
                    NS    ns.example.net.
                    MX    10 mail
                    MX    20 mail.example.net.
                    TXT   "v=spf1 -all" "a second string"
                    CAA   0 issue "ca.example.net"
                    CAA   128 iodef "mailto:security@example.com"
        ns1         A     192.0.2.53
                    AAAA  2001:db8::53
        mail   2h   A     192.0.2.25
        www         A     192.0.2.1
                    A     192.0.2.2
                    A     192.0.2.3
                    AAAA  2001:db8::1
        _sip._tcp   SRV   10 60 5060 sip
                    SRV   20 0 5060 sip.example.net.
        sip         A     192.0.2.60
        pointer     PTR   www
        generic     TYPE65280 \# 4 0a000001
                    TYPE65281 \# 0
        MiXed       A     192.0.2.4
        dot\.ted    TXT   "one label"
        sp\032ace   TXT   "a blank"
        \000\255    TXT   "bytes"

        ; Aliases: in the zone, out of it, to nothing, round in a circle, into a child.
        alias       CNAME www
        chain       CNAME alias
        outside     CNAME www.example.net.
        dangling    CNAME nothing
        toent       CNAME b.c.ent
        towild      CNAME something.wild
        tochild     CNAME host.child
        tocut       CNAME child
        tonodata    CNAME mail
        round1      CNAME round2
        round2      CNAME round1

        ; Empty non-terminals: c.ent, b.c.ent, ent.
        a.b.c.ent   TXT   "deep"

        ; Wildcards (RFC 4592 §2.2.1 has most of these).
        *.wild      A     192.0.2.10
                    TXT   "synthesised"
        exact.wild  A     192.0.2.11
        x.ent.wild  A     192.0.2.12
        *.mx        MX    10 mail
        *.alias2    CNAME www
        *.away      CNAME www.example.net.
        *.hole      CNAME nothing
        *.self      CNAME x.self
        below.*.star TXT  "the asterisk is an empty non-terminal"
        *.outer     TXT   "outer"
        *.in.outer  A     192.0.2.13

        ; Redirected names (RFC 6672): in the zone, out of it, into a child, and occluded ones.
        old         DNAME wild
                    A     192.0.2.14
        under.old   TXT   "occluded"
        *.old       A     192.0.2.15
        away2.dname DNAME example.net.
        tochild.dname DNAME child
        toold       CNAME x.old
        twice.dname DNAME old

        ; Delegations: glue in the child, glue of a sibling, none, of the parent's own data.
        child       NS    ns1.child
                    NS    ns2.child
        ns1.child   A     192.0.2.100
                    AAAA  2001:db8::100
        ns2.child   A     192.0.2.101
        sibling     NS    ns1.child
        foreign     NS    ns.example.net.
        parents     NS    ns1
        deep.deleg  NS    ns.deep.deleg
        ns.deep.deleg A   192.0.2.102
        occluded.child TXT "below the cut"

        """##
        + (0..<recordCount).map {
            "large TXT \"\($0) \(String(repeating: "x", count: 100))\"\n"
        }.joined()

    /// Of the name `large`: about 1,300 bytes, more than any datagram of ours holds.
    private static let recordCount = 11

    /// Names of the zone, below them, beside them, and in other letters.
    static let names: [String] = {
        let inside = [
            "ns1", "mail", "www", "_sip._tcp", "_tcp", "sip", "pointer", "generic", "mixed",
            "MIXED",
            #"dot\.ted"#, "dot.ted", #"sp\032ace"#, #"\000\255"#,
            "alias", "chain", "outside", "dangling", "toent", "towild", "tochild", "tocut",
            "tonodata",
            "round1",
            "ent", "c.ent", "b.c.ent", "a.b.c.ent", "x.a.b.c.ent", "x.c.ent",
            "wild", "*.wild", "one.wild", "two.one.wild", "*.*.wild", "exact.wild", "x.exact.wild",
            "ent.wild", "x.ent.wild", "y.ent.wild", "x.*.wild",
            "mx", "one.mx", "one.alias2", "one.away", "one.hole", "x.self",
            "star", "x.star", "*.star", "below.*.star", "x.*.star", "below.x.star",
            "x.outer", "in.outer", "x.in.outer", "*.in.outer", "x.y.in.outer", "in.x.outer",
            "old", "OLD", "x.old", "exact.old", "y.x.old", "under.old", "*.old", "ent.old",
            "dname", "x.dname", "away2.dname", "x.away2.dname", "x.tochild.dname", "toold",
            "x.twice.dname", "under.twice.dname",
            "child", "CHILD", "x.child", "ns1.child", "ns2.child", "occluded.child", "a.b.child",
            "sibling", "x.sibling", "foreign", "x.foreign", "parents", "deleg", "deep.deleg",
            "x.deep.deleg", "ns.deep.deleg", "x.deleg",
            "nothing", "a.nothing", "x.www", "www.www", "zzz",
        ]
        let random = (0..<12).map { number in
            let letters = (0..<Int.random(in: 1...63)).map { _ in UInt8.random(in: 0x61...0x7a) }
            return String(decoding: letters, as: UTF8.self)
                + ["", ".wild", ".child", ".ent"][number % 4]
        }
        return [origin, origin.uppercased()] + (inside + random).map { "\($0).\(origin)" }
    }()

    static let types: [RRType] = [
        .a, .ns, .cname, .soa, .ptr, .mx, .txt, .aaaa, .srv, .ds, .caa, .dname,
        RRType(rawValue: 65280), RRType(rawValue: 65281), RRType(rawValue: 99),
    ]
}
