import DNSWire
import TestSupport
import Testing

/// The tests of RFC 8906 §8, and those of ISC's EDNS compliance tester
/// (gitlab.isc.org/isc-projects/DNS-Compliance-Testing), against a running server.
@Suite(.serialized) struct Compliance {
    static let identity = "frankfurt-1"

    private func makeServer() throws -> TestServer {
        let zone = """
            $TTL 1h
            @     SOA ns1 hostmaster 1 2h 30m 2w 1m
                  NS  ns1
            ns1   A   192.0.2.53

            """
        let large = (0..<20).map { "large TXT \"number \($0), and the rest of a long line\"\n" }
        return try TestServer(
            zones: [("example.com.zone", zone + large.joined())],
            arguments: ["--identity", Compliance.identity])
    }

    @Test func everyProbeIsAnsweredAsExpected() throws {
        let server = try makeServer()
        let probes =
            ComplianceProbe.plain + ComplianceProbe.edns + ComplianceProbe.laterEDNS
            + ComplianceProbe.types
        for probe in probes { try check(probe, server.client) }
        #expect(probes.count > 100)
        #expect(server.process.isRunning)
    }

    private func check(_ probe: ComplianceProbe, _ client: DNSClient) throws {
        let query = try probe.ask.bytes()
        let response =
            probe.isStream ? client.exchangeOverStream([query]).first : client.exchange(query)
        let place: Comment = "\(probe.title): \(probe.source)"
        guard let response, let message = Message(response) else {
            Issue.record("no response: \(place)")
            return
        }
        #expect(message.identifier == Ask.identifier, place)
        #expect(message.isResponse, place)
        #expect(message.opcode == probe.ask.opcode, place)
        #expect(message.responseCode == probe.code.rawValue, place)
        checkFlags(message, probe, place)
        checkEDNS(message, probe, place)
        #expect(message.answers.contains { $0.type == .soa } == probe.hasSOA, place)
        let isOtherOpcode = probe.ask.opcode != 0
        #expect((message.question != nil) == (probe.ask.hasQuestion && !isOtherOpcode), place)
        if probe.code != .noError {
            #expect(message.answers.isEmpty && message.authorities.isEmpty, place)
        }
        if !probe.isStream {
            #expect(response.count <= max(512, Int(probe.ask.edns?.payload ?? 0)), place)
        }
    }

    /// RD comes back for QUERY; RA, Z, AD and CD are never set.
    private func checkFlags(_ message: Message, _ probe: ComplianceProbe, _ place: Comment) {
        #expect(message.isAuthoritative == probe.isAuthoritative, place)
        #expect(message.isTruncated == probe.isTruncated, place)
        let recursionDesired = probe.ask.opcode == 0 ? probe.ask.flags & 0x0100 : 0
        #expect(message.flags & 0x0100 == recursionDesired, place)
        #expect(message.flags & 0x00f0 == 0, place)
    }

    /// OPT for OPT, of version 0, with no flag but DO, and the expected options.
    private func checkEDNS(_ message: Message, _ probe: ComplianceProbe, _ place: Comment) {
        #expect((message.opt != nil) == (probe.ask.edns != nil), place)
        #expect(message.additionals.count == (probe.ask.edns == nil ? 0 : 1), place)
        guard let edns = probe.ask.edns else { return }
        #expect(message.ednsVersion == 0, place)
        #expect(message.ednsFlags == edns.flags & 0x8000, place)
        #expect(message.opt?.class == 1232, place)
        #expect(Set(message.options.map(\.code)) == probe.options, place)
        #expect(message.options.count == probe.options.count, place)
        if probe.options.contains(3) {
            #expect(message.option(3) == Array(Compliance.identity.utf8), place)
        }
        if probe.options.contains(8) { #expect(message.option(8) == [0, 1, 0, 0], place) }
        if probe.options.contains(10) {
            let cookie = message.option(10) ?? []
            #expect(
                cookie.count == 24 && cookie.prefix(12) == [1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0])
        }
    }
}
