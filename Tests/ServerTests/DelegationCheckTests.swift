import Foundation
import TestSupport
import Testing

/// `geodns-check --delegation`: from the parent's servers to the zone's, all on port 53 of loopback
/// addresses of their own.
@Suite(
    .enabled(if: canBind("127.67.0.0", port: 53), "port 53 on loopback is taken, or kept for root"))
struct DelegationChecks {
    /// Of this test; nobody else uses it.
    private let network = "127.67.\(UInt8.random(in: 0...255))"
    private var parent: String { network + ".1" }
    private var first: String { network + ".2" }
    private var second: String { network + ".3" }

    private func child(_ lines: String = "") -> String {
        """
        $TTL 1h
        @    SOA ns1 hostmaster 7 2h 30m 2w 1m
             NS  ns1
             NS  ns2
        ns1  A   \(first)
        ns2  A   \(second)
        \(lines)
        """ + "\n"
    }

    private var goodReferral: String {
        "gslb NS ns1.gslb\ngslb NS ns2.gslb\nns1.gslb A \(first)\nns2.gslb A \(second)\n"
    }

    private func serve(_ file: String, _ zone: String, at address: String) throws -> TestServer {
        try TestServer(zones: [(file, zone)], arguments: ["--listen", "\(address)@53"])
    }

    /// What the walk tells, with these running.
    private func walk(
        referral: String, first: String? = nil, second: String? = nil, json: Bool = false
    ) throws -> (status: Int32?, text: String) {
        let parentZone = """
            $TTL 1h
            @    SOA ns1 hostmaster 1 2h 30m 2w 1m
                 NS  ns1
            ns1  A   \(parent)
            """
        let servers = [
            try serve("example.com.zone", parentZone + "\n" + referral, at: parent),
            try first.map { try serve("gslb.example.com.zone", $0, at: self.first) },
            try second.map { try serve("gslb.example.com.zone", $0, at: self.second) },
        ]
        let folder = try TemporaryFolder()
        let file = try folder.write(child(), to: "gslb.example.com.zone")
        return try withExtendedLifetime((servers, folder)) {
            try RunningProcess.run(
                Programs.own("geodns-check"),
                [
                    "--zones", file, "--geo-data", "none", "--delegation", "--resolver", parent,
                ] + (json ? ["--json"] : []))
        }
    }

    @Test func aGoodDelegationIsFine() throws {
        let (status, text) = try walk(referral: goodReferral, first: child(), second: child())
        #expect(status == 0)
        let (ns1, ns2) = ("ns1.gslb.example.com.", "ns2.gslb.example.com.")
        let missing = "no IPv6 address: resolvers without the other family do not reach it"
        #expect(
            text == """
                gslb.example.com., in example.com. at ns1.example.com.
                  fine     NS: \(ns1) \(ns2), at the parent and here
                  fine     \(ns1)  glue: \(first), as here
                  note     \(ns1)  \(missing)
                  fine     \(ns1)  \(first)  UDP, TCP, EDNS 1232, serial 7
                  fine     \(ns2)  glue: \(second), as here
                  note     \(ns2)  \(missing)
                  fine     \(ns2)  \(second)  UDP, TCP, EDNS 1232, serial 7

                """)
    }

    @Test func whatIsWrongIsNamed() throws {
        let referral = "gslb NS ns1.gslb\ngslb NS ns3.gslb\nns1.gslb A \(network).9\n"
        let (status, text) = try walk(referral: referral, first: child(), second: child())
        #expect(status == 1)
        for finding in [
            "PROBLEM  ns3.gslb.example.com.  example.com. names it, and the zone here does not",
            "PROBLEM  ns2.gslb.example.com.  the zone here names it, and example.com. does not",
            "PROBLEM  ns1.gslb.example.com.  glue is \(network).9, and here it has \(first)",
            "PROBLEM  ns3.gslb.example.com.  no glue at the parent: nobody finds it",
            "PROBLEM  ns1.gslb.example.com.  \(network).9  UDP: connection refused",
        ] {
            #expect(text.contains(finding), "\(finding)\n\(text)")
        }
    }

    @Test func serversThatAreAwayOrBehindAreNamed() throws {
        let old = child().replacing("hostmaster 7", with: "hostmaster 6")
        let (status, text) = try walk(referral: goodReferral, first: old, second: nil)
        #expect(status == 1)
        #expect(
            text.contains("note     ns1.gslb.example.com.  \(first)  serial 6, and here it is 7"))
        #expect(text.contains("PROBLEM  ns2.gslb.example.com.  \(second)  UDP: connection refused"))
    }

    @Test func findingsComeAsJSON() throws {
        let schema = try JSONSchema(
            path: Programs.packageFolder + "/docs/geodns-check.schema.json")
        let (status, text) = try walk(
            referral: goodReferral, first: child(), second: nil, json: true)
        #expect(status == 1)
        let objects = try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        for object in objects {
            #expect(schema.faults(of: object, definition: "finding") == [])
        }
        #expect(objects.filter { $0["level"] as? String == "problem" }.count == 1)
    }

    @Test func aParentWithoutADelegationIsTold() throws {
        let (status, text) = try walk(referral: "", first: child(), second: child())
        #expect(status == 1)
        #expect(
            text.contains(
                "PROBLEM  ns1.example.com.  \(parent)  the parent's server knows of no delegation"))
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
