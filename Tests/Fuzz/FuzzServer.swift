import Addressing
import DNSWire
import Geography
import Health
import Loader
import Responder
import Steering
import Zones

extension Snapshot {
    /// With every probe's state unknown, which counts as up.
    convenience init(zones: ZoneTable, plan: SteeringPlan) {
        let probes = plan.probes.indices.map { ProbeIdentifier($0) }
        self.init(
            zones: zones, answers: AnswerTable(plan, health: HealthTable(), probes: probes))
    }
}

/// A responder that is new for every question, so that what it answers depends on the question
/// alone.
struct FuzzServer: Sendable {
    let snapshot: Snapshot

    /// Seconds since 1970 that cookies are made at.
    static let now: UInt32 = 1_750_000_000
    static let cookieSecret =
        CookieSecret("e5e973e5a6b2a43f48e7dc849e37bfcf") ?? CookieSecret.random()
    private static let settings = ResponderSettings(
        identity: "fuzzed", version: "geodns", cookieSecrets: CookieSecrets(current: cookieSecret))

    static let clients = [
        IPAddress(ipv4: 0xcb00_7101), IPAddress(ipv4: 0xc633_6401),
        IPAddress("2001:db8:2::1") ?? IPAddress(ipv4: 0), IPAddress(ipv4: 0x7f00_0001),
    ]

    private func makeResponder() -> Responder {
        var responder = Responder(
            SnapshotCell(snapshot, settings: FuzzServer.settings), seed: 1,
            streamIdleTimeout: .seconds(15))
        responder.refresh()
        responder.setTime(FuzzServer.now, monotonic: MonotonicTime(nanoseconds: 0))
        return responder
    }

    /// The response to `message`. The memory it is written to holds `fill` everywhere; `earlier` is
    /// answered before it by the same responder, so that scratch memory is not as new.
    func answer(
        _ message: [UInt8], from client: IPAddress, over channel: Channel, fill: UInt8 = 0,
        after earlier: [UInt8]? = nil
    ) -> [UInt8] {
        var responder = makeResponder()
        let byteCountMax =
            channel == .stream
            ? Responder.streamByteCountMax : Responder.datagramByteCountMax
        var buffer = [UInt8](repeating: fill, count: byteCountMax)
        var span = buffer.mutableSpan
        if let earlier {
            _ = responder.respond(to: earlier.span, from: client, over: channel, into: &span)
        }
        let count = responder.respond(to: message.span, from: client, over: channel, into: &span)
        return Array(buffer[..<count])
    }

    /// The response to `message`, and what is wrong with it.
    func judge(
        _ message: [UInt8], from client: IPAddress, over channel: Channel
    ) -> (response: [UInt8], fault: String?) {
        let response = answer(message, from: client, over: channel)
        if let fault = responseFault(response, to: message, over: channel) {
            return (response, "\(fault): \(message) got \(response)")
        }
        let again = answer(
            message, from: client, over: channel, fill: 0xee, after: FuzzServer.busyQuery)
        return (
            response,
            again == response ? nil : "\(message) got \(response), and then \(again)"
        )
    }

    /// One whose answer fills much of the scratch memory, and draws no random number.
    private static let busyQuery = Message.query(
        DomainName("a.b.dname.example.com") ?? .root, .aaaa, identifier: 0xffff,
        payloadByteCountMax: 4096, subnet: ([203, 0, 113, 0], 24))

    // MARK: - The zones of most targets

    static let shared = FuzzServer(snapshot: snapshot)

    private static let snapshot: Snapshot = {
        let (world, problems) = ZoneLoader.load(
            zones: [("example.com", zone), ("child.example.com", childZone)], source: places)
        guard let world else { fatalError("\(problems)") }
        return Snapshot(zones: world.zones, plan: world.plan)
    }()

    static let places = MemoryLocationSource(
        [
            ("203.0.113.0/24", "JP", "AS", 35.7, 139.7),
            ("198.51.100.0/25", "DE", "EU", 52.5, 13.4),
            ("2001:db8:2::/48", "US", "NA", 38.9, -77.4),
        ].compactMap { prefix, country, continent, latitude, longitude in
            guard let prefix = Prefix(prefix) else { return nil }
            return (
                prefix,
                Place(
                    continent: continent, country: country,
                    coordinates: Coordinates(latitude: latitude, longitude: longitude))
            )
        })

    /// Everything a question can meet: steering, wildcards, cuts, aliases, large RRsets.
    static let zone =
        """
        $TTL 1h
        @         SOA    ns1 hostmaster 1 2h 30m 2w 1m
                  NS     ns1
                  NS     ns.outside.example.
                  MX     10 mail
                  MX     20 mail.outside.example.
                  CAA    0 issue "ca.example"
        ns1       A      192.0.2.53
                  AAAA   2001:db8::53
        www       A      192.0.2.1
                  AAAA   2001:db8::1
                  TXT    "text" "more text"
                  HTTPS  1 . alpn=h2
        mail      A      192.0.2.25
        alias     CNAME  chain
        chain     CNAME  www
        out       CNAME  www.outside.example.
        loop1     CNAME  loop2
        loop2     CNAME  loop1
        cross     CNAME  x.child
        *.wild    A      192.0.2.3
                  TXT    "of a wildcard"
        *.walias  CNAME  www
        a.b.deep  A      192.0.2.4
        sub       NS     ns.sub
                  NS     ns.other
                  DS     1 13 2 \(String(repeating: "ab", count: 32))
        ns.sub    A      192.0.2.54
        ns.other  AAAA   2001:db8::54
        child     NS     ns.child
        ns.child  A      192.0.2.55
        dname     DNAME  wild
        dloop     DNAME  d.dloop
        dlong     DNAME  \(String(repeating: "\(String(repeating: "l", count: 50)).", count: 4))wild
        \\000odd  A      192.0.2.5
        \\.dot    A      192.0.2.6
        web       CHECK  tcp 80
        nrt       REGION 35.76 140.39 check=web
                  A      198.51.100.30
                  AAAA   2001:db8:3::10
        fra       REGION 50.03 8.57
                  A      198.51.100.20
                  A      198.51.100.21
                  AAAA   2001:db8:2::10
        iad       REGION 38.95 -77.45
                  A      198.51.100.10
        app       60/10  GEO nearest fra nrt iad
        *.gwild   60     GEO nearest fra nrt
        fail      30     GEO failover nrt fra
        share     30     GEO weighted fra:3 nrt:1 by=client
        nested    30     GEO failover app fail
        ext       30     GEO failover edge.vendor.example.
        toext     CNAME  ext
        where     MAP    continent=AS nrt
                  MAP    default fra iad
        mapped    30     GEO map=where fra nrt iad

        """
        + (0..<40).map { "large TXT \"number \($0), \(String(repeating: "x", count: 60))\"\n" }
        .joined()
        + (0..<900).map { "huge TXT \"number \($0), \(String(repeating: "y", count: 20))\"\n" }
        .joined()
        + (0..<30).map { "cut NS ns\($0).cut\nns\($0).cut A 192.0.2.\($0 + 100)\n" }.joined()

    private static let childZone = """
        $TTL 1h
        @         SOA    ns hostmaster 1 2h 30m 2w 1m
                  NS     ns
        ns        A      192.0.2.55
        x         A      192.0.2.56
        back      CNAME  www.example.com.

        """

    /// Names worth asking for, in presentation format.
    static let names =
        [
            "www", "app", "alias", "chain", "out", "loop1", "cross", "a.wild", "wild", "b.a.walias",
            "deep", "b.deep", "a.b.deep", "sub", "x.sub", "child", "x.child", "back.child", "dname",
            "a.dname", "x.dloop", "x.dlong", "nrt", "*.gwild", "q.gwild", "fail", "share", "nested",
            "ext", "toext", "mapped", "large", "huge", "cut", "y.cut", "nothing", "web", "where",
            "*",
            "\\000odd", "\\.dot", "ns1",
        ].compactMap { DomainName($0 + ".example.com") }
        + [
            "example.com", "com", ".", "www.example.org", "version.bind", "id.server",
            "\(String(repeating: "a", count: 63)).example.com",
            String(repeating: "\(String(repeating: "b", count: 30)).", count: 7)
                + "dlong.example.com",
        ].compactMap { DomainName($0) }

    static let types: [RRType] = [
        .a, .aaaa, .ns, .soa, .mx, .txt, .any, .cname, .dname, .ds, .https, .geo, .opt,
        RRType(rawValue: 0), RRType(rawValue: 65280), RRType(rawValue: 252),
    ]
}
