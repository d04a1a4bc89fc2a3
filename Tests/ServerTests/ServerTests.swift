import TestSupport
import Testing

@Suite(.serialized) struct StartAndStop {
    static let zone = """
        $TTL 1h
        @    SOA ns1 hostmaster 1 2h 30m 2w 1m
             NS  ns1
        ns1  A   192.0.2.53
        www  A   192.0.2.1
        """

    @Test func servesAndStops() throws {
        let server = try TestServer(zones: [("example.com.zone", StartAndStop.zone)])
        #expect(server.client.addresses("www.example.com") == ["192.0.2.1"])
        #expect(server.client.addresses("www.example.com", overStream: true) == ["192.0.2.1"])
        let (status, text) = try server.control("status")
        #expect(status == 0)
        #expect(text.contains("example.com. serial 1"))
        #expect(server.process.stop() == 0)
    }
}
