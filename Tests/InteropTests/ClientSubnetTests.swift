import DNSWire
import TestSupport
import Testing

extension Interop {
    /// EDNS Client Subnet through a resolver that passes it on, and that keeps answers for as wide
    /// a network as their scope allows (RFC 7871 §7.3).
    @Suite(.needs(.unbound)) struct ClientSubnets {
        private func resolver(_ server: TestServer) throws -> Resolver {
            try Resolver(
                .unbound, stubs: [.init(zone: TestWorld.zoneName)], port: server.port,
                .init(
                    lines: ["send-client-subnet: 127.0.0.1", "max-client-subnet-ipv4: 24"],
                    modules: "subnetcache iterator"))
        }

        @Test func cacheFollowsTheScope() throws {
            let server = try TestWorld.server()
            let resolver = try resolver(server)

            /// Asks for a client in `subnet`; how many questions that took upstream.
            func ask(_ subnet: String, _ address: String, scope: Int) throws -> Int {
                let before = try server.counter("datagrams received")
                let message = try #require(
                    resolver.ask("app.\(TestWorld.zoneName)", subnet: subnet))
                #expect(
                    message.answers.map(\.summary) == ["app.\(TestWorld.zoneName). A \(address)"],
                    "\(subnet)")
                #expect(message.clientSubnetScope == scope, "\(subnet)")
                return try server.counter("datagrams received") - before
            }

            // 203.0.112.0/20 is in Japan, and its neighbour is not known.
            #expect(try ask("203.0.113.0/24", "192.0.2.30", scope: 20) == 1)
            #expect(try ask("203.0.113.0/24", "192.0.2.30", scope: 20) == 0)
            #expect(try ask("203.0.127.0/24", "192.0.2.30", scope: 20) == 0)
            // Outside of it: asked for anew.
            let germany = try #require(
                server.client.ask("app.\(TestWorld.zoneName)", subnet: "198.51.100.0/24"))
            let scope = try #require(germany.clientSubnetScope)
            #expect(try ask("198.51.100.0/24", "192.0.2.20", scope: scope) == 1)
            #expect(try ask("198.51.100.0/24", "192.0.2.20", scope: scope) == 0)
            // Still there.
            #expect(try ask("203.0.112.0/24", "192.0.2.30", scope: 20) == 0)
        }

        /// What holds for everybody has scope 0 (RFC 7871 §7.2.1): kept once.
        @Test func staticAnswersAreKeptForEverybody() throws {
            let server = try TestWorld.server()
            let resolver = try resolver(server)
            for (subnet, upstream) in [("203.0.113.0/24", 1), ("198.51.100.0/24", 0)] {
                let before = try server.counter("datagrams received")
                let message = try #require(
                    resolver.ask("nrt.\(TestWorld.zoneName)", subnet: subnet))
                #expect(
                    message.answers.map(\.summary) == ["nrt.\(TestWorld.zoneName). A 192.0.2.30"])
                #expect(try server.counter("datagrams received") - before == upstream)
            }
        }

        /// A client that wants not to be placed sends a prefix of 0 (RFC 7871 §7.1.2): the
        /// resolver's own address decides.
        @Test func emptyPrefixIsTheResolversPlace() throws {
            let server = try TestWorld.server()
            let resolver = try resolver(server)
            let message = try #require(
                resolver.ask("app.\(TestWorld.zoneName)", subnet: "0.0.0.0/0"))
            #expect(message.answers.map(\.summary) == ["app.\(TestWorld.zoneName). A 192.0.2.30"])
        }
    }
}
