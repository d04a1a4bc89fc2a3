import Addressing
import DNSWire
import Frames
import Geography
import Health
import Loader
import Responder
import TestSupport
import Testing

@testable import XDP

/// The responder behind a queue: it says what it says behind a socket.
@Suite(.enabled(if: Cable.obstacle == nil, "\(Cable.obstacle ?? "")"))
struct ResponderTests {
    private static let zone = """
        $TTL 3600
        @      SOA   ns1 hostmaster 1 7200 1800 1209600 60
               NS    ns1
        ns1    A     192.0.2.53
        www    A     192.0.2.1
               AAAA  2001:db8::80
        app    GEO   nearest jp de
        jp     REGION 35.7 139.7
               A     192.0.2.10
        de     REGION 52.5 13.4
               A     192.0.2.11
        *.wild A     192.0.2.3
        sub    NS    ns.sub
        ns.sub A     192.0.2.54
        alias  CNAME www
        large  TXT   \((0..<12).map { "\"\($0) \(String(repeating: "x", count: 240))\"" }
            .joined(separator: "\n       TXT   "))

        """

    private static let places = MemoryLocationSource(
        [("203.0.113.0/24", 35.7, 139.7), ("2001:db8:2::/48", 52.5, 13.4)]
            .compactMap { prefix, latitude, longitude in
                guard let prefix = Prefix(prefix) else { return nil }
                return (
                    prefix,
                    Place(
                        continent: "AS", country: "JP",
                        coordinates: Coordinates(latitude: latitude, longitude: longitude))
                )
            })

    private static let cell: SnapshotCell? = {
        let (world, problems) = ZoneLoader.load(zones: [("example.com", zone)], source: places)
        guard let world else {
            Issue.record("\(problems)")
            return nil
        }
        var policy = DatagramPolicy()
        policy.byteCountMax = 4096
        policy.byteCountMaxWithoutCookie = 4096
        return SnapshotCell(
            world.snapshot(HealthTable(), probes: []),
            settings: ResponderSettings(
                cookieSecrets: CookieSecrets(current: .random()), policy: policy))
    }()

    private static func makeResponder(_ cell: SnapshotCell) -> Responder {
        var responder = Responder(cell, seed: 1)
        responder.setTime(1_750_000_000, monotonic: MonotonicTime(nanoseconds: 0))
        return responder
    }

    private static let clients = ["203.0.113.9", "198.51.100.7", "10.99.1.2"]
    private static let clients6 = ["2001:db8:2::9", "2001:db8::2", "fe80::7"]

    /// Good queries and bad ones: from the frame come the same bytes as from a socket's memory, and
    /// no more of them than fit a packet.
    @Test func `answers over AF_XDP are those over sockets`() throws {
        let cell = try #require(ResponderTests.cell)
        let large = try #require(DomainName("large.example.com"))
        let mtu = 1500
        let (faults, count, truncatedCount) = try Cable.run(mtu: mtu) { cable in
            var responder = ResponderTests.makeResponder(cell)
            var reference = ResponderTests.makeResponder(cell)
            var server = try CableQueue()

            var mutator = PacketMutator(seed: 8)
            var faults: [String] = []
            var (count, truncatedCount) = (0, 0)
            for round in 0..<100 {
                var expected: [(query: [UInt8], answer: [UInt8])] = []
                for number in 0..<50 {
                    let isIPv4 = mutator.roll(2) == 0
                    let texts = isIPv4 ? ResponderTests.clients : ResponderTests.clients6
                    guard let client = IPAddress(texts[mutator.roll(3)]) else { continue }
                    // The last of a round is answered, so that nothing is waited for in vain.
                    let payload =
                        number == 0
                        ? Message.query(large, .txt, payloadByteCountMax: 4096)
                        : number < 49
                            ? Array(mutator.packet().prefix(1400)) : Message.query(.root, .a)
                    var frame = WireFrame(
                        from: client, to: isIPv4 ? Crafted.server4 : Crafted.server6,
                        payload: payload)
                    frame.sourcePort = UInt16(1 + round * 50 + number)
                    try cable.send(frame.bytes)
                    let room = mtu - (isIPv4 ? 28 : 48)
                    let answer = ResponderTests.answer(
                        payload, from: client, room: min(room, 4096), with: &reference)
                    if !answer.isEmpty { expected.append((frame.bytes, answer)) }
                }
                var replies: [[UInt8]] = []
                let deadline = ContinuousClock.now + .seconds(patienceSeconds)
                while replies.count < expected.count, ContinuousClock.now < deadline {
                    _ = server.answer { query, client, response in
                        responder.respond(
                            to: query, from: client, over: .datagram, into: &response)
                    }
                    while let frame = cable.receive() {
                        if ResponderTests.isAnswer(frame) { replies.append(frame) }
                    }
                }
                if replies.count != expected.count {
                    faults.append("\(replies.count) replies, not \(expected.count)")
                }
                for (reply, (query, answer)) in zip(replies, expected) {
                    count += 1
                    if answer[2] & 2 != 0 { truncatedCount += 1 }
                    if let fault = fault(ofReplyFrame: reply, to: query, payload: answer) {
                        faults.append("\(fault): \(query) got \(reply), not \(answer)")
                    }
                }
            }
            return (faults, count, truncatedCount)
        }
        #expect(faults == [])
        #expect(count > 3000 && truncatedCount >= 100)
    }

    private static func answer(
        _ query: [UInt8], from client: IPAddress, room: Int, with responder: inout Responder
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: room)
        var span = bytes.mutableSpan
        let count = responder.respond(to: query.span, from: client, over: .datagram, into: &span)
        return Array(bytes[..<count])
    }

    /// From port 53 over UDP: not what the kernel says by itself.
    private static func isAnswer(_ frame: [UInt8]) -> Bool {
        guard frame.count >= 60 else { return false }
        if frame[12] == 8, frame[13] == 0 { return frame[23] == 17 && frame[35] == 53 }
        return frame[12] == 0x86 && frame[20] == 17 && frame[55] == 53
    }

    /// A packet is shorter than what the requestor and the settings would take: TC, and within it.
    @Test(arguments: [512, 548, 1232, 1452, 1472]) func `a response fits the room it gets`(
        _ room: Int
    ) throws {
        var responder = ResponderTests.makeResponder(try #require(ResponderTests.cell))
        let name = try #require(DomainName("large.example.com"))
        let query = Message.query(name, .txt, payloadByteCountMax: 4096)
        let client = IPAddress(ipv4: 0xcb00_7109)
        let bytes = ResponderTests.answer(query, from: client, room: room, with: &responder)
        let message = try #require(Message(bytes))
        #expect(message.isTruncated && message.answers.isEmpty)
        let whole = ResponderTests.answer(query, from: client, room: 4096, with: &responder)
        let untruncated = try #require(Message(whole))
        #expect(untruncated.answers.count == 12)
    }
}
