import Foundation
import TestSupport
import Testing

extension Interop {
    /// TCP as clients of others speak it.
    @Suite struct Streams {
        private static let app = "app.\(TestWorld.zoneName)"

        /// RFC 7766 §6.2.1: one connection for several queries.
        @Test(.needs(.kdig)) func kdigKeepsAConnection() throws {
            let server = try TestWorld.server()
            let names = (0..<50).map { "n\($0).wild.\(TestWorld.zoneName)" }
            let (status, text) = try Needed.kdig.run(
                ["@127.0.0.1", "-p", "\(server.port)", "+tcp", "+keepopen", "+norecurse"] + names)
            #expect(status == 0, "\(text)")
            #expect(text.matches(of: /status: NOERROR/).count == names.count, "\(text)")
            #expect(try server.counter("TCP queries") == names.count)
            #expect(try server.counter("TCP connections") == 1)
        }

        /// RFC 7413: the first connection gets a cookie, the second has its query in the SYN. The
        /// kernel's switch is changed in a network namespace, so that only root can run this.
        @Test(.needs(.kdig), .needsNamespace) func fastOpen() throws {
            let text = try TestWorld.inNamespace(
                "ip link set lo up; echo 3 > /proc/sys/net/ipv4/tcp_fastopen",
                """
                for try in 1 2; do
                    "\(Needed.kdig.path ?? "")" +tcp +fastopen +short @127.0.0.1 -p 5300 \(Self.app)
                done
                cat /proc/net/netstat
                """)
            #expect(text.matches(of: /192\.0\.2\.[23]0/).count == 2, "\(text)")
            let rows = text.split(separator: "\n").filter { $0.hasPrefix("TcpExt:") }
                .map { $0.split(separator: " ") }
            try #require(rows.count == 2, "\(text)")
            let column = try #require(rows[0].firstIndex(of: "TCPFastOpenPassive"))
            #expect(rows[1][column] == "1", "connections that brought their query along")
        }
    }
}
