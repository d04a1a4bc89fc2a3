import DNSWire
import TestSupport
import Testing

extension Interop {
    /// What this program is for, seen through a resolver's cache: a front door dies, and once the
    /// TTL has run out the resolver says the other.
    @Suite(.needs(.unbound), .needs(.named)) struct Failover {
        private static func zone(port: UInt16) -> String {
            """
            $TTL 1h
            @    SOA    ns1 hostmaster 1 2h 30m 2w 1m
                 NS     ns1
            ns1  A      127.0.0.1
            web  CHECK  http / port=\(port) every=1s fast=200ms timeout=1s fall=2 rise=1
            nrt  REGION 35.76 140.39 check=web
                 A      127.30.0.1
            fra  REGION 50.03 8.57 check=web
                 A      127.40.0.1
            app  1      GEO nearest fra nrt
            """
        }

        @Test(arguments: Resolver.Kind.allCases)
        func answerMovesAndComesBack(_ kind: Resolver.Kind) throws {
            let tokyo = try TestFrontDoor("127.30.0.1")
            let frankfurt = try TestFrontDoor("127.40.0.1", port: tokyo.port)
            let folder = try TemporaryFolder()
            let server = try TestServer(
                zones: [("\(TestWorld.zoneName).zone", Self.zone(port: tokyo.port))],
                geoData: try TestWorld.database(in: folder))
            let resolver = try Resolver(
                kind, stubs: [.init(zone: TestWorld.zoneName)], port: server.port)
            let name = "app.\(TestWorld.zoneName)"

            let before = try #require(resolver.ask(name))
            #expect(before.answers.map(\.summary) == ["\(name). A 127.30.0.1"])
            #expect(before.answers.allSatisfy { $0.ttl <= 1 })

            tokyo.process.stop()
            #expect(
                eventually { resolver.client.addresses(name) == ["127.40.0.1"] },
                "\(server.process.text)")

            let again = try TestFrontDoor("127.30.0.1", port: tokyo.port)
            #expect(
                eventually { resolver.client.addresses(name) == ["127.30.0.1"] },
                "\(server.process.text)")
            #expect(again.process.isRunning && frankfurt.process.isRunning)
        }
    }
}
