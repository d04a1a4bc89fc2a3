import DNSWire

/// The zone that is served, in two versions that are reloaded in turn, and the questions whose
/// answers are right under both, or under one of them as a whole.
struct SoakZone: Sendable {
    static let origin = "soak.example"

    /// Of the front doors' checks.
    let checkPort: UInt16
    static let doors = ["127.9.0.1", "127.9.0.2"]

    /// `version` is 1 or 2; every reload has another serial.
    func text(version: Int, serial: Int) -> String {
        let others = (0..<2000).map { "v\(version)-\($0) A 192.0.2.\($0 % 250)\n" }
        return """
            $TTL 1h
            @         SOA    ns1 hostmaster \(serial) 2h 30m 2w 1m
                      NS     ns1
            ns1       A      192.0.2.53
            www       A      192.0.2.1
                      AAAA   2001:db8::1
            alias     CNAME  chain
            chain     CNAME  www
            *.wild    A      192.0.2.3
            a.b.deep  A      192.0.2.4
            sub       NS     ns.sub
            ns.sub    A      192.0.2.54
            dname     DNAME  wild
            ; The two records of an answer come from one world, not from two.
            mixed     \(version)00 CNAME mixture
            mixture   \(version)00 A     192.0.2.\(version)
            only\(version)     A      192.0.2.\(version)
            fra       REGION 50.03 8.57
                      A      198.51.100.20
                      AAAA   2001:db8:2::10
            nrt       REGION 35.76 140.39
                      A      198.51.100.30
                      AAAA   2001:db8:3::10
            app       60     GEO nearest fra nrt
            *.gwild   60     GEO nearest fra nrt
            share     60     GEO weighted fra:3 nrt:1
            web       CHECK  http port=\(checkPort) every=1s fast=200ms timeout=800ms rise=1
            door1     REGION 50.03 8.57 check=web
                      A      \(SoakZone.doors[0])
            door2     REGION 35.76 140.39 check=web
                      A      \(SoakZone.doors[1])
            fail      30/5   GEO failover door1 door2

            """ + SoakZone.texts("large", 12) + SoakZone.texts("huge", 200)
                + (version == 1 ? others : others.reversed()).joined()
    }

    /// Each is a line that must keep the whole from being served.
    static let mistakes = [
        "www CNAME elsewhere\n", "broken A 192.0.2.300\n", "lost GEO nearest nowhere\n",
        "$INCLUDE missing.zone\n", "@ SOA ns1 hostmaster 1 1h 1h 1h 1h\n", "open ( A\n",
    ]

    private static func texts(_ owner: String, _ count: Int) -> String {
        (0..<count).map { "\(owner) TXT \"\(textOf($0))\"\n" }.joined()
    }

    private static func textOf(_ number: Int) -> String {
        "\(number) " + String(repeating: "x", count: 180)
    }

    /// Places of clients: the first is nearest to fra, the second to nrt.
    static let places = """
        203.0.113.0/24,EU,DE,,,50.11,8.68
        198.51.100.0/24,AS,JP,,,35.69,139.69

        """

    static let questions: [Question] = {
        func record(_ owner: String, _ ttl: Int, _ rest: String) -> String {
            "\(owner).\(origin). \(ttl) \(rest)"
        }
        func just(_ records: String...) -> Question.Answer {
            Question.Answer(records: Set(records))
        }
        let www = record("www", 3600, "A 192.0.2.1")
        let chain = [
            record("alias", 3600, "CNAME chain.\(origin)."),
            record("chain", 3600, "CNAME www.\(origin)."), www,
        ]
        func mixed(_ version: Int) -> Question.Answer {
            just(
                record("mixed", version * 100, "CNAME mixture.\(origin)."),
                record("mixture", version * 100, "A 192.0.2.\(version)"))
        }
        func texts(_ owner: String, _ count: Int) -> Question.Answer {
            Question.Answer(
                records: Set(
                    (0..<count).map { record(owner, 3600, "TXT \"\(textOf($0))\"") }))
        }
        let nameError = Question.Answer(code: 3)
        let europe: [UInt8] = [203, 0, 113, 0]
        let japan: [UInt8] = [198, 51, 100, 0]
        return [
            Question("www.\(origin)", .a, just(www)),
            Question("www.\(origin)", .aaaa, just(record("www", 3600, "AAAA 2001:db8::1"))),
            Question("www.\(origin)", .mx, just()),
            Question("alias.\(origin)", .a, Question.Answer(records: Set(chain))),
            Question("q.wild.\(origin)", .a, just(record("q.wild", 3600, "A 192.0.2.3"))),
            Question("b.deep.\(origin)", .a, just()),
            Question("nothing.\(origin)", .a, nameError),
            Question("x.sub.\(origin)", .a, just()),
            Question(
                "d.dname.\(origin)", .a,
                just(
                    record("dname", 3600, "DNAME wild.\(origin)."),
                    record("d.dname", 3600, "CNAME d.wild.\(origin)."),
                    record("d.wild", 3600, "A 192.0.2.3"))),
            Question("mixed.\(origin)", .a, mixed(1), mixed(2)),
            Question(
                "only1.\(origin)", .a, just(record("only1", 3600, "A 192.0.2.1")), nameError),
            Question(
                "only2.\(origin)", .a, just(record("only2", 3600, "A 192.0.2.2")), nameError),
            Question("large.\(origin)", .txt, texts("large", 12), isTruncated: true),
            Question("huge.\(origin)", .txt, texts("huge", 200), isTruncated: true),
            Question(
                "app.\(origin)", .a, subnet: europe,
                just(record("app", 60, "A 198.51.100.20"))),
            Question(
                "app.\(origin)", .aaaa, subnet: japan,
                just(record("app", 60, "AAAA 2001:db8:3::10"))),
            Question(
                "r.gwild.\(origin)", .a, subnet: japan,
                just(record("r.gwild", 60, "A 198.51.100.30"))),
            Question(
                "share.\(origin)", .a, just(record("share", 60, "A 198.51.100.20")),
                just(record("share", 60, "A 198.51.100.30"))),
            Question(
                "fail.\(origin)", .a, just(record("fail", 30, "A \(doors[0])")),
                just(record("fail", 5, "A \(doors[0])")), just(record("fail", 5, "A \(doors[1])"))),
            Question("www.example.org", .a, Question.Answer(code: 5)),
        ].compactMap { $0 }
    }()
}
