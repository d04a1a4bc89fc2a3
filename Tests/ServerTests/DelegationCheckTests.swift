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
        referral: String, first: String? = nil, second: String? = nil, json: Bool = false,
        _ words: [String]? = nil
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
                ["--zones", file, "--geo-data", "none", "--delegation"]
                    + (words ?? ["--resolver", parent]) + (json ? ["--json"] : []))
        }
    }

    // MARK: - From the root

    /// Knot serves a root, and NSD the zones com and net below it. The servers of example.com are
    /// named in net, so that com has no addresses for them.
    private func hierarchy() throws -> (hints: String, processes: [RunningProcess], TemporaryFolder)
    {
        let folder = try TemporaryFolder()
        let head = "$TTL 1h\n@ SOA ns.com. hostmaster.com. 1 2h 30m 2w 1m\n"
        let (root, top) = (network + ".11", network + ".12")
        try folder.write(
            head + "@ NS a.root-servers.test.\na.root-servers.test. A \(root)\n"
                + "com. NS ns.com.\nnet. NS ns.com.\nns.com. A \(top)\n", to: "root.zone")
        try folder.write(
            head + "@ NS ns\nns A \(top)\nexample NS ns1.example.net.\n", to: "com.zone")
        try folder.write(head + "@ NS ns.com.\nns1.example A \(parent)\n", to: "net.zone")
        let hints = try folder.write(
            "; root servers\n.  3600000  NS  A.ROOT-SERVERS.TEST.\n"
                + "A.ROOT-SERVERS.TEST.  3600000  A  \(root)\n", to: "named.root")
        let knot = try folder.write(
            """
            server:
                rundir: "\(folder.path)"
                listen: \(root)@53
            log:
              - target: stderr
                any: info
            database:
                storage: "\(folder.path)"
            zone:
              - domain: .
                file: "\(folder.path)/root.zone"

            """, to: "knot.conf")
        let zones = ["com", "net"].map {
            "zone:\n    name: \"\($0)\"\n    zonefile: \"\(folder.path)/\($0).zone\"\n"
        }
        let nsd = try folder.write(
            """
            server:
                ip-address: \(top)@53
                server-count: 1
                username: ""
                chroot: ""
                zonesdir: "\(folder.path)"
                database: ""
                pidfile: "\(folder.path)/nsd.pid"
                xfrdfile: "\(folder.path)/xfrd.state"
                xfrdir: "\(folder.path)"
                zonelistfile: "\(folder.path)/zone.list"
            remote-control:
                control-enable: no

            """ + zones.joined(), to: "nsd.conf")
        let processes = [
            try RunningProcess(try #require(Programs.find("knotd")), ["-c", knot]),
            try RunningProcess(try #require(Programs.find("nsd")), ["-d", "-c", nsd]),
        ]
        for (process, word) in zip(processes, ["server started", "nsd started"]) {
            try #require(process.waitForOutput(word), "\(process.text)")
        }
        return (hints, processes, folder)
    }

    @Test(
        .enabled(
            if: Programs.find("knotd") != nil && Programs.find("nsd") != nil, "install knot and nsd"
        ))
    func theWayIsFoundFromTheRootServers() throws {
        let (hints, processes, folder) = try hierarchy()
        defer { for process in processes { process.stop() } }
        let words = ["--root-hints", hints]
        let good = try walk(referral: goodReferral, first: child(), second: child(), words)
        #expect(good.status == 0, "\(good.text)")
        #expect(good.text.hasPrefix("gslb.example.com., in example.com. at ns1.example.com.\n"))
        #expect(good.text.contains("fine     NS: ns1.gslb.example.com. ns2.gslb.example.com.,"))
        let lame = try walk(referral: goodReferral, first: child(), second: nil, words)
        #expect(lame.status == 1)
        #expect(lame.text.contains("PROBLEM  ns2.gslb.example.com.  \(second)  UDP: connection"))
        withExtendedLifetime(folder) {}
    }

    @Test func withoutRootServersNoParentIsFound() throws {
        let folder = try TemporaryFolder()
        let hints = try folder.write("A.ROOT. 3600 A \(network).99\n", to: "named.root")
        let lost = try walk(referral: goodReferral, ["--root-hints", hints])
        #expect(lost.status == 1)
        #expect(lost.text.contains("no parent zone is found from the root servers"))
        let empty = try folder.write("; nothing\n", to: "empty.root")
        let refused = try walk(referral: goodReferral, ["--root-hints", empty])
        #expect(refused.status == 1)
        #expect(refused.text.contains("geodns-check: --root-hints \(empty): no address in it;"))
        let both = try walk(
            referral: goodReferral, ["--root-hints", hints, "--resolver", parent])
        #expect(both.status == 2)
        #expect(both.text.contains("--resolver and --root-hints: one of them"))
    }

    // MARK: - Through a resolver

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

/// The addresses built in are those that IANA publishes, as far as this machine has its list.
@Test(
    .enabled(
        if: FileManager.default.fileExists(atPath: "/usr/share/dns/root.hints"),
        "install dns-root-data"))
func theRootServersBuiltInAreIANAs() throws {
    let published = try String(contentsOfFile: "/usr/share/dns/root.hints", encoding: .utf8)
        .split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            return words.count == 4 && words[2].hasPrefix("A") ? String(words[3]) : nil
        }
    let source = try String(
        contentsOfFile: Programs.packageFolder + "/Sources/geodns-check/RootWalk.swift",
        encoding: .utf8)
    let builtIn = source.matches(of: #/"([0-9a-f:]+:[0-9a-f:]+|[0-9]+(?:\.[0-9]+){3})"/#)
    #expect(published.count == 26)
    #expect(Set(builtIn.map { String($0.1) }) == Set(published))
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
