import Addressing
import DNSWire
import Geography
import Health
import Responder
import TestSupport
import Testing

/// The short way and the long one, byte by byte: two responders over the same snapshot, one of
/// which never takes the short way. Every other pair has a rate limit, which is reached.
@Suite struct StraightAnswers {
    private static let seeds: [UInt64] = Array(0..<20)

    @Test(arguments: seeds) func ofRandomZones(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x1e4)
        for number in 0..<20 {
            let (model, text) = ZoneModel.random(&random)
            var pair = Pair(
                try load([("example.com", text)]).snapshot(), seed: seed,
                limits: number % 2 == 0 ? nil : limits(&random))
            for _ in 0..<60 {
                let name = try #require(DomainName(wire: ZoneModel.wire(model.question(&random))))
                let type = random.pick([RRType.a, .aaaa, .a, .aaaa, .txt, .any, .ds, .https, .soa])
                let client = SteeringModel.client(&random)
                pair.ask(
                    query(name, type, client, &random), from: client,
                    "seed \(seed), zone \(number): \(name) \(type)\n\(text)")
            }
            pair.compareTotals()
        }
    }

    @Test(arguments: seeds) func ofRandomSteering(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x2e4)
        for number in 0..<20 {
            var model = SteeringModel.random(&random)
            model.drawHealth(&random)
            let world = try load(
                [("example.com", model.zoneText)],
                source: model.source, files: model.files)
            var pair = Pair(
                world.snapshot(down: model.down), seed: seed,
                limits: number % 2 == 0 ? nil : limits(&random))
            for _ in 0..<60 {
                let label = random.pick(model.geos).label
                let name = try #require(DomainName("\(label).example.com"))
                let type = random.pick([RRType.a, .aaaa, .a, .aaaa, .txt, .any, .https])
                let client = SteeringModel.client(&random)
                pair.ask(
                    query(name, type, client, &random), from: client,
                    "seed \(seed), world \(number): \(name) \(type)\n\(model.zoneText)")
            }
            pair.compareTotals()
        }
    }

    /// Fifty addresses do not fit into 512 bytes: the draw that chose them counts once.
    @Test func ofAnswersThatMayNotFit() throws {
        let many = (1...50).map { number in
            "large A 198.51.100.\(number)\nlarge AAAA 2001:db8::\(number)\n"
        }.joined()
        let text = zone(
            many + "small A 192.0.2.1\n"
                + "www 30 GEO weighted large:1 small:1 other.example.net.:1\n")
        var random = SeededGenerator(seed: 3)
        var pair = Pair(try load([("example.com", text)]).snapshot(), seed: 7)
        for _ in 0..<2000 {
            let name = try #require(DomainName(random.pick(["www", "large"]) + ".example.com"))
            let client = IPAddress(ipv4: 0xc000_0202)
            pair.ask(
                query(name, random.pick([RRType.a, .aaaa]), client, &random), from: client,
                "\(name)")
        }
        pair.compareTotals()
    }

    /// The names of the SOA are compressed as well as they can be, whatever the question holds.
    @Test(arguments: [
        "ns1 host", "@ @", "ns1 host.ns1", "NS1 Host.nS1", "ns.example.net. host.example.net.",
        "ns.example.net. host.ns.example.net.", "ns.other.com. host.other.com.", ". .",
        "com. example.com.", "a.b.c.d.ns1 a.b.c.d.ns1", "x.wwwww\\.example.com. www",
        "averyveryverylonglabel host.averyveryverylonglabel",
        "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17 host",
    ]) func ofNegativeAnswers(names: String) throws {
        let text = """
            $TTL 1h
            @ SOA \(names) 1 2h 30m 2w 1m
            @ NS ns1
            ns1 A 192.0.2.1
            ns1.www A 192.0.2.1
            only4 30 GEO nearest eu us
            some 30 GEO weighted eu:1 us:1
            none 30 GEO nearest eu us
            none HTTPS 1 . alpn=h2
            eu REGION 50 8
               A 198.51.100.1
            us REGION 40 -75
               A 198.51.100.2
            *.wild TXT "x"
            alias CNAME www
            sub NS ns.sub
            ns.sub A 192.0.2.3

            """
        var random = SeededGenerator(seed: 11)
        for (origin, isLimited) in [("example.com", false), (".", false), ("example.com", true)] {
            // Nothing is outside of the root zone.
            let more = origin == "." ? "" : "out 30 GEO weighted eu:1 other.example.net.:1\n"
            var pair = Pair(
                try load([(origin, text + more)]).snapshot(), seed: 7,
                limits: isLimited ? limits(&random) : nil)
            let labels = [
                "@", "ns1", "x.ns1", "NS1", "x.nS1", "xns1", "www", "x.www", "ns1.www", "only4",
                "some", "out", "none", "x.wild", "alias", "x", "d.ns1", "c.d.ns1", "x.d.ns1",
                "averyveryverylonglabel", "x.averyveryverylonglabel", "y.example", "Xwwwww",
                "x.17", "host", "a.host", "host.ns1", "sub", "x.sub",
                Array(repeating: "a", count: 31).joined(separator: "."),
                Array(repeating: "a", count: 61).joined(separator: "."),
                Array(repeating: "a", count: 120).joined(separator: "."),
                Array(repeating: String(repeating: "b", count: 60), count: 3)
                    .joined(separator: "."),
            ]
            let client = IPAddress(ipv4: 0xc000_0202)
            for _ in 0..<3000 {
                let label = random.pick(labels)
                let suffix = origin == "." ? "." : ".\(origin)."
                let name = try #require(DomainName(label == "@" ? "\(origin)" : label + suffix))
                let type = random.pick([RRType.a, .aaaa, .txt, .https, .mx, .soa, .cname, .any])
                pair.ask(query(name, type, client, &random), from: client, "\(name) \(type)")
            }
            pair.compareTotals()
        }
    }

    @Test(arguments: seeds) func ofMutatedPackets(_ seed: UInt64) throws {
        let text = zone(
            """
            www A 192.0.2.1
            app 30 GEO nearest eu us
            eu REGION 50 8
               A 198.51.100.1
               AAAA 2001:db8::1
            us REGION 40 -75
               A 198.51.100.2
            *.wild A 192.0.2.2
            sub NS ns1.sub
            ns1.sub A 192.0.2.3
            alias CNAME www

            """)
        var mutator = PacketMutator(seed: seed)
        var pair = Pair(
            try load([("example.com", text)]).snapshot(), seed: seed,
            limits: seed % 2 == 0 ? nil : RateLimits(rate: 10, key: (seed, 2)))
        for _ in 0..<500 {
            pair.ask(mutator.goodQuery(), from: IPAddress(ipv4: 0xc000_0202), "a good query")
            pair.ask(mutator.packet(), from: IPAddress(ipv4: 0xc000_0202), "a bad one")
        }
        pair.compareTotals()
    }

    /// What is read ahead changes no answer, whatever the packets are.
    @Test(arguments: seeds) func afterReadingAhead(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x3e4)
        var mutator = PacketMutator(seed: seed)
        let (_, text) = ZoneModel.random(&random)
        let steered =
            "app 30 GEO nearest eu us\neu REGION 50 8\n A 192.0.2.1\n"
            + "us REGION 40 -75\n A 192.0.2.2\n"
        for zones in [
            [("example.com", text)], [("example.org", zone(steered))], [],
        ] {
            let snapshot = zones.isEmpty ? Snapshot.empty : try load(zones).snapshot()
            var pair = Pair(snapshot, seed: seed)
            for count in [0, 1, 2, 64, 70] {
                let packets = (0..<count).map { number in
                    number % 2 == 0 ? mutator.goodQuery() : mutator.packet()
                }
                pair.expect(packets + [[], [0], [UInt8](repeating: 63, count: 600)])
                for packet in packets {
                    pair.ask(packet, from: IPAddress(ipv4: 0xc000_0202), "after reading ahead")
                }
            }
            pair.compareTotals()
        }
    }

    /// Some are held back, some slip; for some clients there is no limit.
    private func limits(_ random: inout SeededGenerator) -> RateLimits {
        var limits = RateLimits(rate: random.number(1...4), key: (random.next(), random.next()))
        limits.slip = random.number(0...3)
        if random.number(0...3) == 0 { limits.exempt = [SteeringModel.prefix(&random)] }
        limits.ipv4PrefixLength = random.number(1...32)
        limits.ipv6PrefixLength = random.number(1...64)
        return limits
    }

    /// With EDNS or without, of any size, with options or without.
    private func query(
        _ name: DomainName, _ type: RRType, _ client: IPAddress, _ random: inout SeededGenerator
    ) -> [UInt8] {
        let prefix = SteeringModel.prefix(&random)
        var query = Message.query(
            name, type, identifier: UInt16(random.number(0...0xffff)),
            payloadByteCountMax: UInt16(random.pick([0, 512, 600, 1232, 4096])),
            subnet: random.number(0...1) == 0
                ? nil : (prefix.address.bytes, UInt8(prefix.length)))
        // RD, and what follows it: none of it may be given back.
        query[2] = UInt8(random.pick([0, 1]))
        query[3] = UInt8(random.pick([0, 0x10, 0x20, 0x40]))
        let optionsEnd = query.count
        let questionEnd = 12 + name.wire.count + 4
        switch random.number(0...7) {
        case 0...1:
            // Without EDNS.
            query[11] = 0
            query.removeSubrange(questionEnd...)
        case 2:
            // DO.
            query[questionEnd + 7] = 0x80
        case 3...4:
            // NSID; a cookie; an option that nobody knows.
            let option: [UInt8] = random.pick([
                [0, 3, 0, 0], cookie(of: client, &random), [0xff, 0xf0, 0, 1, 9],
            ])
            query += option
            let length = optionsEnd + option.count - questionEnd - 11
            query[questionEnd + 10] = UInt8(length)
        case 5:
            // Most have a cookie and nothing else.
            query.removeSubrange((questionEnd + 11)...)
            query += cookie(of: client, &random)
            query[questionEnd + 10] = UInt8(query.count - questionEnd - 11)
        default: break
        }
        return query
    }

    /// The option: a client cookie alone, or a server cookie with it, good ones of any age, others
    /// of any length.
    private func cookie(of client: IPAddress, _ random: inout SeededGenerator) -> [UInt8] {
        let clientCookie = random.next()
        var words = [clientCookie]
        switch random.number(0...4) {
        case 0: break
        case 1: words += [random.next()]
        case 2: words += [random.next(), random.next()]
        case 3: words += (0..<random.number(3...5)).map { _ in random.next() }
        default:
            let front = CookieSecrets.front(
                now: Pair.time - UInt32(random.pick([0, 1800, 1801, 3600, 3601])))
            words += [front, Pair.secret.hash(client: clientCookie, front: front, address: client)]
        }
        let data = words.flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        return [0, 10, 0, UInt8(data.count)] + data
    }
}

private struct Pair: ~Copyable {
    /// What both make cookies with, in seconds since 1970 when.
    static let secret = CookieSecret.random()
    static let time: UInt32 = 1_000_000

    private let cells: (SnapshotCell, SnapshotCell)
    private var straight: Responder
    private var atLength: Responder
    private var askedCount: Int64 = 0

    /// `limits` comes twenty milliseconds nearer with each query.
    init(_ snapshot: Snapshot, seed: UInt64, limits: RateLimits? = nil) {
        let settings = ResponderSettings(
            identity: "one", cookieSecrets: CookieSecrets(current: Pair.secret),
            rateLimits: limits)
        cells = (
            SnapshotCell(
                snapshot, settings: settings), SnapshotCell(snapshot, settings: settings)
        )
        straight = Responder(cells.0, seed: seed)
        atLength = Responder(cells.1, seed: seed, goesStraight: false)
    }

    mutating func ask(_ query: [UInt8], from source: IPAddress, _ comment: Comment) {
        askedCount += 1
        let now = MonotonicTime(nanoseconds: askedCount * 20_000_000)
        straight.setTime(Pair.time, monotonic: now)
        atLength.setTime(Pair.time, monotonic: now)
        let one = Pair.ask(&straight, query, source)
        let other = Pair.ask(&atLength, query, source)
        #expect(one == other, comment)
    }

    /// One of the two reads ahead.
    mutating func expect(_ packets: [[UInt8]]) {
        for packet in packets { straight.expect(packet.span) }
        straight.readAhead()
    }

    func compareTotals() { #expect(cells.0.totals == cells.1.totals) }

    private static func ask(
        _ responder: inout Responder, _ query: [UInt8], _ source: IPAddress
    ) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Responder.datagramByteCountMax)
        var span = buffer.mutableSpan
        let count = responder.respond(to: query.span, from: source, over: .datagram, into: &span)
        return Array(buffer[..<count])
    }
}
