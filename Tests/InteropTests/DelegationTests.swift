import DNSWire
import Foundation
import TestSupport
import Testing

extension Interop {
    /// A company's zone on one server delegates `gslb` to another, as in production; the resolver
    /// knows the first only, and finds the second by the referral's glue.
    @Suite struct Delegated {
        static let parentZone = """
            $TTL 1h
            @         SOA    ns1 hostmaster 1 2h 30m 2w 1m
                      NS     ns1
            ns1       A      127.0.0.1
            www       CNAME  app.gslb
            static    A      192.0.2.1
            """

        /// `childPort` nil: that of the parent.
        private func check(
            _ kind: Resolver.Kind, childPort: UInt16? = nil
        ) throws {
            let child = "127.66.\(UInt8.random(in: 0...255)).\(UInt8.random(in: 1...254))"
            let parentServer = try TestServer(
                zones: [
                    (
                        "example.com.zone",
                        Self.parentZone + "\ngslb NS ns1.gslb\nns1.gslb A \(child)\n"
                    )
                ])
            let childServer = try TestWorld.server(
                alsoOn: "\(child)@\(childPort ?? parentServer.port)")
            let resolver = try Resolver(
                kind, stubs: [.init(zone: "example.com")], port: parentServer.port)

            let alias = try #require(resolver.ask("www.example.com"))
            #expect(
                alias.answers.map(\.summary) == [
                    "www.example.com. CNAME app.gslb.example.com.",
                    "app.gslb.example.com. A 192.0.2.30",
                ])
            let address = try #require(resolver.ask("app.gslb.example.com", .aaaa))
            #expect(
                address.answers.map(\.summary) == ["app.gslb.example.com. AAAA 2001:db8:3::10"])
            let missing = try #require(resolver.ask("nothing.gslb.example.com"))
            #expect(missing.codeName == "NXDOMAIN")
            #expect(
                missing.authorities.map(\.owner)
                    == [DomainName("gslb.example.com")].compactMap(\.self))
            let parents = try #require(resolver.ask("static.example.com"))
            #expect(parents.answers.map(\.summary) == ["static.example.com. A 192.0.2.1"])

            #expect(try parentServer.counter("datagrams received") > 0)
            #expect(try childServer.counter("datagrams received") > 0)
        }

        /// BIND asks every server on the one port that its configuration names.
        @Test(.needs(.named)) func throughBIND() throws {
            try check(.bind)
        }

        /// unbound asks servers that a referral names on port 53, and nowhere else.
        @Test(
            .needs(.unbound),
            .enabled(
                if: canBind("127.66.0.0", port: 53),
                "port 53 on loopback is taken, or kept for root"))
        func throughUnbound() throws {
            try check(.unbound, childPort: 53)
        }
    }
}

/// Whether a UDP socket can be bound there now.
private func canBind(_ address: String, port: UInt16) -> Bool {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(socket) }
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    inet_pton(AF_INET, address, &target.sin_addr)
    return withUnsafePointer(to: &target) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
