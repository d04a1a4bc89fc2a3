import Addressing
import DNSWire
import Geography
import Health
import Loader
import Responder
import TestSupport
import Testing

/// A responder in this process with a policy against abuse, and with a time of its own.
struct Policed: ~Copyable {
    private var responder: Responder
    private let cell: SnapshotCell
    /// Whom the next query comes from.
    var client = IPAddress(ipv4: 0xc633_6464)  // 198.51.100.100
    /// Milliseconds since the start.
    var now: Int64 = 0

    static let zones: [(origin: String, text: String)] = [
        (
            "example.com",
            """
            $TTL 3600
            @      SOA   ns1 hostmaster 1 7200 1800 1209600 60
                   NS    ns1
            ns1    A     192.0.2.53
            www    A     192.0.2.1
            mail   A     192.0.2.2
            *.any  A     192.0.2.3
            old    DNAME www
            child  NS    ns.child
            ns.child A   192.0.2.54
            alias  CNAME www
            long   TXT   "\(String(repeating: "x", count: 250))"
                   TXT   "\(String(repeating: "y", count: 250))"
                   TXT   "\(String(repeating: "z", count: 250))"
            longer TXT   \((0..<12).map { "\"\($0) \(String(repeating: "x", count: 240))\"" }
                .joined(separator: "\n       TXT   "))

            """
        ),
        (
            "example.net",
            """
            $TTL 3600
            @      SOA   ns1 hostmaster 1 7200 1800 1209600 60
                   NS    ns1
            ns1    A     192.0.2.53

            """
        ),
    ]

    init(
        limits: RateLimits? = nil, policy: DatagramPolicy = DatagramPolicy(),
        reportAgent: String? = nil, workerCount: Int = 1
    ) throws {
        let (world, problems) = ZoneLoader.load(
            zones: Policed.zones, source: MemoryLocationSource([]))
        let loaded = try #require(world, "\(problems)")
        cell = SnapshotCell(
            loaded.snapshot(HealthTable(), probes: []),
            settings: ResponderSettings(
                cookieSecrets: CookieSecrets(current: .random()), policy: policy,
                rateLimits: limits, reportAgent: reportAgent.flatMap { DomainName($0) }))
        responder = Responder(cell, seed: 1, workerCount: workerCount)
    }

    /// The response; nil: silence.
    mutating func ask(_ ask: Ask, over channel: Channel = .datagram) throws -> Message? {
        let query = try ask.bytes()
        var bytes = [UInt8](repeating: 0xee, count: Responder.streamByteCountMax)
        var span = bytes.mutableSpan
        setTime()
        let count = responder.respond(to: query.span, from: client, over: channel, into: &span)
        guard count > 0 else { return nil }
        let message: Message = try #require(Message(Array(bytes[..<count])))
        return message
    }

    private mutating func setTime() {
        responder.setTime(
            UInt32(1_559_731_985 + now / 1000),
            monotonic: MonotonicTime(nanoseconds: now * 1_000_000))
    }

    mutating func ask(
        _ name: String, _ type: RRType = .a, over channel: Channel = .datagram
    ) throws -> Message? {
        try ask(Ask(name: name, type: type, edns: .init()), over: channel)
    }

    /// A good server cookie for the client, learned over TCP.
    mutating func learnCookie() throws -> [UInt8] {
        let response = try ask(.withCookie(Policed.clientCookie), over: .stream)
        return try #require(response?.option(10))
    }

    static let clientCookie: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    /// What the log is told, as it is called once a second.
    mutating func events() -> [RateLimitEvent] {
        setTime()
        responder.reportRateLimits()
        return cell.rateLimitReports.take().events
    }

    var untoldCount: UInt64 {
        mutating get {
            setTime()
            responder.reportRateLimits()
            return cell.rateLimitReports.take().untoldCount
        }
    }

    func count(_ name: String) -> UInt64? {
        cell.totals.rows.first { $0.name == name }?.value
    }
}

extension Ask {
    static func withCookie(
        _ cookie: [UInt8], name: String = "www.example.com", type: RRType = .a
    ) -> Ask {
        Ask(name: name, type: type, edns: .init(options: [.init(code: 10, data: cookie)]))
    }
}
