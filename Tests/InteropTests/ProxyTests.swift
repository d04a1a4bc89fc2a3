import DNSWire
import Foundation
import TestSupport
import Testing

extension Interop {
    /// Load balancers that pass queries on with a PROXY header: the answer is that of the client's
    /// place, not of the balancer's.
    @Suite struct Proxies {
        private static let app = "app.\(TestWorld.zoneName)"
        /// Where the balancers send from; the location database does not know it.
        private static let source = "127.0.0.77"

        private func server(alsoOn address: String? = nil) throws -> TestServer {
            try TestWorld.server(
                alsoOn: address, arguments: ["--proxy-from", Proxies.source, "--proxy-from", "::1"])
        }

        /// What a client at `place` gets from `port`, over UDP or TCP.
        private func ask(
            _ port: UInt16, from place: String, overStream: Bool, _ words: String...
        ) throws -> String {
            let (status, text) = try Needed.kdig.run(
                [
                    "@127.0.0.1", "-p", "\(port)", "-b", place, "+norecurse",
                    overStream ? "+tcp" : "+notcp",
                ] + words + [Proxies.app])
            #expect(status == 0, "\(text)")
            return text
        }

        private func expectPlaces(of port: UInt16, overStream: Bool) throws {
            for (place, address) in [
                (TestWorld.tokyo, "192.0.2.30"), (TestWorld.frankfurt, "192.0.2.20"),
            ] {
                let text = try ask(port, from: place, overStream: overStream)
                #expect(text.contains(address), "\(place), over TCP: \(overStream)\n\(text)")
                #expect(text.contains("status: NOERROR"))
            }
        }

        // MARK: - kdig writes a header itself

        @Test(.needs(.kdig), arguments: [false, true])
        func kdigNamesAClient(overStream: Bool) throws {
            let server = try server()
            for (client, address) in [
                ("203.0.113.9", "192.0.2.30"), ("198.51.100.9", "192.0.2.20"),
            ] {
                let text = try ask(
                    server.port, from: Proxies.source, overStream: overStream,
                    "+proxy=\(client)@40000-127.0.0.1@\(server.port)")
                #expect(text.contains(address), "\(text)")
            }
            #expect(try server.counter("PROXY headers missing or wrong") == 0)
        }

        /// An IPv6 proxy for IPv4 clients.
        @Test(.needs(.kdig), arguments: ["+notcp", "+tcp"])
        func familiesMayDiffer(transport: String) throws {
            let port = freePort(on: "::1")
            let server = try server(alsoOn: "[::1]@\(port)")
            let (status, text) = try Needed.kdig.run([
                "@::1", "-p", "\(port)", transport, "+norecurse",
                "+proxy=203.0.113.9@40000-192.0.2.1@53", Proxies.app,
            ])
            #expect(status == 0, "\(text)")
            #expect(text.contains("192.0.2.30"), "\(text)")
            #expect(try server.counter("PROXY headers missing or wrong") == 0)
        }

        @Test(.needs(.kdig)) func headersFromOthersAreNotRead() throws {
            let server = try server()
            // From Frankfurt, claiming Tokyo: as a message it makes no sense.
            let (status, text) = try Needed.kdig.run([
                "@127.0.0.1", "-p", "\(server.port)", "-b", TestWorld.frankfurt, "+timeout=1",
                "+retry=0", "+proxy=203.0.113.9@40000-127.0.0.1@53", Proxies.app,
            ])
            #expect(status != 0, "\(text)")
            #expect(!text.contains("192.0.2."), "\(text)")
            // Without a header it is answered, from its own place.
            let plain = try ask(server.port, from: TestWorld.frankfurt, overStream: false)
            #expect(plain.contains("192.0.2.20"))
            #expect(try server.counter("PROXY headers missing or wrong") == 0)
        }

        @Test(.needs(.kdig)) func proxiesHaveToSendOne() throws {
            let server = try server()
            for transport in ["+notcp", "+tcp"] {
                let (status, text) = try Needed.kdig.run([
                    "@127.0.0.1", "-p", "\(server.port)", "-b", Proxies.source, "+timeout=1",
                    "+retry=0", transport, Proxies.app,
                ])
                #expect(status != 0, "\(text)")
                #expect(!text.contains("192.0.2."), "\(text)")
            }
            #expect(try server.counter("PROXY headers missing or wrong") >= 2)
        }

        /// A server cookie belongs to the client's address (RFC 9018 §4.4), not to the proxy's.
        @Test(.needs(.kdig)) func cookiesAreTheClients() throws {
            let server = try server()
            func ask(_ client: String, _ cookie: String) throws -> String {
                try self.ask(
                    server.port, from: Proxies.source, overStream: false,
                    "+proxy=\(client)@40000-127.0.0.1@53", "+cookie=\(cookie)")
            }
            let first = try ask("203.0.113.9", "0102030405060708")
            let found = try #require(first.firstMatch(of: /COOKIE: ([0-9A-Fa-f]{48})/), "\(first)")
            let cookie = String(found.1)
            _ = try ask("203.0.113.10", cookie)
            #expect(try server.counter("with good server cookie") == 0)
            _ = try ask("203.0.113.9", cookie)
            #expect(try server.counter("with good server cookie") == 1)
        }

        // MARK: - Balancers

        @Test(.needs(.dnsdist), .needs(.kdig), arguments: [false, true])
        func dnsdist(overIPv6: Bool) throws {
            let ipv6Port = freePort(on: "::1")
            let server = try server(alsoOn: "[::1]@\(ipv6Port)")
            let backend =
                overIPv6
                ? "address='[::1]:\(ipv6Port)'"
                : "address='127.0.0.1:\(server.port)', source='\(Proxies.source)'"
            let balancer = try Balancer(.dnsdist) { port in
                """
                setLocal('127.0.0.1:\(port)')
                newServer{\(backend), useProxyProtocol=true, checkInterval=1}
                """
            }
            for overStream in [false, true] {
                try expectPlaces(of: balancer.port, overStream: overStream)
            }
            // Its own probes say LOCAL.
            #expect(try server.counter("PROXY headers missing or wrong") == 0)
        }

        @Test(.needs(.haproxy), .needs(.kdig)) func haproxy() throws {
            let server = try server()
            let balancer = try Balancer(.haproxy) { port in
                """
                defaults
                    mode tcp
                    timeout connect 5s
                    timeout client 20s
                    timeout server 20s
                frontend dns
                    bind 127.0.0.1:\(port)
                    default_backend geodns
                backend geodns
                    source \(Proxies.source)
                    default-server send-proxy-v2 check check-send-proxy inter 200ms
                    server one 127.0.0.1:\(server.port)

                """
            }
            try expectPlaces(of: balancer.port, overStream: true)
            // Its probes connect, send a header, and leave.
            let before = try server.counter("TCP connections")
            #expect(try eventually { try server.counter("TCP connections") >= before + 3 })
            #expect(try server.counter("PROXY headers missing or wrong") == 0)
        }
    }
}

/// A load balancer on loopback, in front of a server of the test.
private final class Balancer {
    let process: RunningProcess
    let port: UInt16
    private let folder: TemporaryFolder

    /// `configuration` is given the port to listen on.
    init(_ program: Needed, _ configuration: (UInt16) -> String) throws {
        folder = try TemporaryFolder()
        // A port that is free now may be taken a moment later.
        for _ in 0..<3 {
            let port = freePort(on: "127.0.0.1")
            let file = try folder.write(configuration(port), to: "\(program.rawValue).conf")
            let process = try RunningProcess(
                try #require(program.path),
                program == .dnsdist
                    ? ["-C", file, "--supervised", "--disable-syslog"] : ["-db", "-f", file])
            let client = DNSClient(port: port)
            // Both listen before they know that the server behind them is up.
            if eventually({ client.ask("app.\(TestWorld.zoneName)", overStream: true) != nil }) {
                self.process = process
                self.port = port
                return
            }
            process.stop()
            guard process.text.contains("in use") else {
                throw NotReady(description: "\(program):\n\(process.text)")
            }
        }
        throw NotReady(description: "\(program) found no free port")
    }

    deinit { process.stop() }
}
