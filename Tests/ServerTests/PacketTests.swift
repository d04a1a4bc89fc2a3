import Addressing
import DNSWire
import Geography
import Health
import Loader
import Responder
import TestSupport
import Testing

/// A zone in which packets can find everything: steering, wildcards, cuts, chains, large sets.
let packetZone =
    zoneHead + """
        www    A     192.0.2.1
               AAAA  2001:db8::1
               MX    10 www
               TXT   "text"
        alias  CNAME chain
        chain  CNAME www
        *.wild A     192.0.2.3
        sub    NS    ns.sub
        ns.sub A     192.0.2.54
        fra    REGION 50.03 8.57
               A     198.51.100.20
               AAAA  2001:db8:2::10
        nrt    REGION 35.76 140.39
               A     198.51.100.30
        app    60/10 GEO nearest fra nrt
        cdn    GEO   weighted edge.vendor.net.:1 app:1

        """
    + (0..<100).map { "large TXT \"number \($0), and some more text to make it long enough\"\n" }
    .joined()

/// 200,000 packets through the responder itself.
@Suite struct ResponderPackets {
    private func makeResponder() throws -> Responder {
        let (world, problems) = ZoneLoader.load(
            zones: [("example.com", packetZone)], source: MemoryLocationSource([]))
        let loaded = try #require(world, "\(problems)")
        return Responder(SnapshotCell(loaded.snapshot(HealthTable(), probes: [])), seed: 1)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4]) func everyResponseKeepsTheRules(seed: UInt64) throws {
        var responder = try makeResponder()
        var mutator = PacketMutator(seed: seed)
        var buffer = [UInt8](repeating: 0xee, count: Responder.streamByteCountMax)
        let clients = [IPAddress(ipv4: 0xcb00_7101), try #require(IPAddress("2001:db8:2::1"))]
        var answeredCount = 0
        var codes: [UInt16: Int] = [:]
        for number in 0..<50_000 {
            let packet = number % 10 == 0 ? mutator.goodQuery() : mutator.packet()
            let isStream = number % 3 == 0
            var span = buffer.mutableSpan
            let count = responder.respond(
                to: packet.span, from: clients[number & 1], over: isStream ? .stream : .datagram,
                into: &span)
            guard count > 0 else {
                #expect(packet.count < 12 || packet[2] & 0x80 != 0, "silence for \(packet)")
                continue
            }
            answeredCount += 1
            let response = Array(buffer[..<count])
            let fault = fault(
                of: response, to: packet,
                byteCountMax: isStream ? 65_535 : limit(of: packet, response))
            #expect(fault == nil, "seed \(seed), packet \(number): \(packet) got \(response)")
            codes[Message(response)?.responseCode ?? 0xffff, default: 0] += 1
        }
        #expect(answeredCount > 30_000)
        // All kinds of answers were among them.
        for code in [
            ResponseCode.noError, .formatError, .nameError, .notImplemented, .refused, .badVersion,
        ] {
            #expect((codes[code.rawValue] ?? 0) > 20, "\(code): \(codes)")
        }
    }

    /// 512 without EDNS in the response, which then was not readable in the query; at most 1232.
    private func limit(of query: [UInt8], _ response: [UInt8]) -> Int {
        guard let message = Message(response),
            message.additionals.contains(where: { $0.type == .opt })
        else { return 512 }
        // What the query said stands in its own OPT, if that can be read.
        let payload = Message(query)?.additionals.first { $0.type == .opt }?.class
        return min(max(Int(payload ?? 1232), 512), 1232)
    }
}

/// 10,000 packets to a running server, half of them over each transport.
@Suite(.serialized) struct ServerPackets {
    /// The next good query is answered, over both transports.
    private func isAnswered(_ server: TestServer) -> Bool {
        server.process.isRunning
            && server.client.addresses("www.example.com") == ["192.0.2.1"]
            && server.client.addresses("www.example.com", overStream: true) == ["192.0.2.1"]
    }

    @Test func noPacketOverUDPHarms() throws {
        let server = try TestServer(zones: [("example.com.zone", packetZone)])
        var mutator = PacketMutator(seed: 5)
        var answeredCount = 0
        for round in 0..<50 {
            let socket = try QuerySocket(server.client)
            var sent: [UInt16: [[UInt8]]] = [:]
            for _ in 0..<100 {
                let packet = mutator.packet()
                // A datagram of no bytes may be sent, too.
                try socket.send(packet)
                if packet.count >= 2 {
                    sent[UInt16(packet[0]) << 8 | UInt16(packet[1]), default: []].append(packet)
                }
            }
            // A query that is answered ends the round: what came before is answered before, or
            // by the other worker soon after.
            try socket.send(
                Message.query(try #require(DomainName("www.example.com")), .a, identifier: 0xfffe))
            while let response = socket.receiveMessage() {
                let identifier = UInt16(response[0]) << 8 | UInt16(response[1])
                if identifier == 0xfffe, Message(response)?.answers.count == 1 { break }
                answeredCount += 1
                let candidates = sent[identifier] ?? []
                let faults = candidates.map { fault(of: response, to: $0, byteCountMax: 1232) }
                #expect(faults.contains(nil), "round \(round): \(response): \(faults)")
            }
            #expect(isAnswered(server), "round \(round)")
        }
        #expect(answeredCount > 2_500)
        #expect(server.process.stop() == 0)
    }

    @Test func noPacketOverTCPHarms() throws {
        let server = try TestServer(zones: [("example.com.zone", packetZone)])
        var mutator = PacketMutator(seed: 6)
        var answeredCount = 0
        for round in 0..<250 {
            // Twenty messages on a connection; now and then the framing is broken as well.
            let socket = try QuerySocket(server.client, isStream: true)
            var expected: [[UInt8]] = []
            for _ in 0..<20 {
                let packet = mutator.packet()
                // A frame without bytes closes the connection; that has its own tests.
                guard !packet.isEmpty else { continue }
                do { try socket.send(packet) } catch { break }
                if packet.count >= 12, packet[2] & 0x80 == 0 { expected.append(packet) }
            }
            for packet in expected {
                guard let response = socket.receiveMessage() else {
                    Issue.record("round \(round): no response to \(packet)")
                    break
                }
                answeredCount += 1
                let fault = fault(of: response, to: packet, byteCountMax: 65_535)
                #expect(fault == nil, "round \(round): \(packet) got \(response)")
            }
            if mutator.roll(4) == 0 {
                try? socket.sendRaw(
                    [UInt8](repeating: UInt8(mutator.roll(256)), count: mutator.roll(500)))
            }
            if round % 25 == 0 { #expect(isAnswered(server), "round \(round)") }
        }
        #expect(isAnswered(server))
        #expect(answeredCount > 2_500)
        #expect(server.process.stop() == 0)
    }
}
