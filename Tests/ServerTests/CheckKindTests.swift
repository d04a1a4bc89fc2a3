import DNSWire
import Foundation
import TestSupport
import Testing

/// A network namespace of its own needs root, and a container may forbid it even then.
private let hasNamespaces: Bool = {
    guard geteuid() == 0, let unshare = Programs.find("unshare"),
        Programs.find("setpriv") != nil, Programs.find("ip") != nil
    else { return false }
    return (try? RunningProcess.run(unshare, ["-n", "true"]).status) == 0
}()

/// The kinds of check from the zone file to the answers, and what `geodnsctl regions` tells.
@Suite struct CheckKindTests {
    private static let zoneHead = """
        $TTL 1h
        @     SOA ns1 hostmaster 1 2h 30m 2w 1m
              NS  ns1
        ns1   A   192.0.2.53

        """

    @Test func aStateFileMovesTheAnswers() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("up\n", to: "iad")
        let server = try TestServer(
            zones: [
                (
                    "example.zone",
                    CheckKindTests.zoneHead + """
                        iad  CHECK  file \(path) every=100ms fast=100ms fall=2
                             REGION 38.95 -77.45
                             A 192.0.2.1
                        fra  REGION 50.03 8.57
                             A 192.0.2.2
                        app  1 GEO failover iad fra

                        """
                )
            ])
        #expect(server.client.addresses("app.example.") == ["192.0.2.1"])
        for (word, address) in [
            ("drain", "192.0.2.2"), ("up", "192.0.2.1"), ("degraded", "192.0.2.1"),
            ("down", "192.0.2.2"),
        ] {
            try folder.write(word + " # planned\n", to: "iad")
            #expect(
                eventually {
                    (try? server.control("regions").text.contains("file says \(word)")) == true
                        && server.client.addresses("app.example.") == [address]
                }, "\(word): \(server.process.text)")
            #expect(server.process.waitForOutput(word == "up" ? "up target=iad" : " \(word)"))
        }
        let regions = try server.control("regions").text
        #expect(regions.contains(#/iad +down +192\.0\.2\.1 +file:\S+/iad +down/#))
        #expect(regions.contains("file says down: planned"))
    }

    @Test func aQuorumKeepsAnAddressUp() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b", "c"] { try folder.write("up\n", to: name) }
        let checks = ["a", "b", "c"].map { name in
            "     CHECK file \(folder.path)/\(name) every=100ms fast=100ms fall=1 rise=1"
        }.joined(separator: "\n")
        let server = try TestServer(
            zones: [
                (
                    "example.zone",
                    CheckKindTests.zoneHead + """
                        iad  REGION 38.95 -77.45
                             A 192.0.2.1
                        \(checks) quorum=2
                        fra  REGION 50.03 8.57
                             A 192.0.2.2
                        app  1 GEO failover iad fra

                        """
                )
            ])
        func shows(_ state: String, times count: Int, answer: String) -> Bool {
            eventually {
                guard let text = try? server.control("regions").text else { return false }
                let pattern = " file:\\S+ +\(state) "
                let found = try? text.matches(of: Regex(pattern)).count
                return found == count && server.client.addresses("app.example.") == [answer]
            }
        }
        #expect(shows("up", times: 3, answer: "192.0.2.1"))
        try folder.write("down\n", to: "a")
        #expect(shows("down", times: 1, answer: "192.0.2.1"))
        try folder.write("down\n", to: "b")
        #expect(shows("down", times: 2, answer: "192.0.2.2"))
    }

    /// `hold=`, told by the log and both reports. Held for an hour at most: nothing here waits.
    @Test func aTargetThatFlapsIsHeld() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("up\n", to: "iad")
        let server = try TestServer(
            zones: [
                (
                    "example.zone",
                    CheckKindTests.zoneHead + """
                        iad  CHECK  file \(path) every=100ms fast=100ms fall=1 rise=1
                             REGION 38.95 -77.45
                             A 192.0.2.1
                        fra  REGION 50.03 8.57
                             A 192.0.2.2
                        app  1 GEO failover iad fra hold=1h
                        free 1 GEO failover iad fra

                        """
                )
            ])
        func tell(_ word: String) throws {
            try folder.write(word + "\n", to: "next")
            // In one step, so that no probe sees half a file.
            try #require(rename(folder.path + "/next", path) == 0)
            let told = eventually {
                (try? server.control("regions").text.contains("file says \(word)")) == true
            }
            #expect(told, "\(word)")
        }
        for word in ["down", "up", "down", "up"] { try tell(word) }
        #expect(server.process.waitForOutput(" held: it keeps going up and down"))
        #expect(eventually { server.client.addresses("free.example.") == ["192.0.2.1"] })
        #expect(server.client.addresses("app.example.") == ["192.0.2.2"])
        #expect(try server.control("regions").text.contains(#/iad +held +192\.0\.2\.1 /#))
        #expect(try server.control("status").text.contains(#/held +iad until 20[0-9-]+T/#))
        // The counting survives a reload.
        #expect(try server.control("reload").status == 0)
        #expect(server.client.addresses("app.example.") == ["192.0.2.2"])
    }

    /// Without CAP_NET_RAW it is `net.ipv4.ping_group_range` that decides (icmp(7)).
    @Test(
        .enabled(if: hasNamespaces, "needs root, unshare, setpriv, ip and network namespaces"),
        arguments: [true, false])
    func pingNeedsLeave(isAllowed: Bool) throws {
        let folder = try TemporaryFolder()
        try folder.write(
            CheckKindTests.zoneHead + """
                iad  CHECK  ping
                     REGION 38.95 -77.45
                     A 127.0.0.1
                     AAAA ::1
                app  GEO failover iad

                """, to: "zones/example.zone")
        let command = """
            ip link set lo up
            echo \(isAllowed ? "0 0" : "1 0") > /proc/sys/net/ipv4/ping_group_range
            exec setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$@"
            """
        let server = try RunningProcess(
            try #require(Programs.find("unshare")),
            [
                "-n", "sh", "-ec", command, "sh", Programs.own("geodnsd"), "--zones",
                folder.path + "/zones", "--geo-data", "none", "--listen", "127.0.0.1@0",
                "--control", folder.path + "/control",
            ])
        defer { server.stop() }
        if isAllowed {
            #expect(server.waitForOutput(" ready"), "\(server.text)")
            #expect(server.text.contains("check: echo reply address=127.0.0.1 state=up"))
            #expect(server.text.contains("check: echo reply address=::1 state=up"))
        } else {
            #expect(server.waitForExit() == 1)
            #expect(server.text.contains("this server may not send IPv4 ICMP"))
            #expect(server.text.contains("this server may not send IPv6 ICMP"))
        }
    }

    /// A server that cannot run a check would serve its targets as up for ever: it does not start.
    @Test func aCheckThatCannotBeRunIsAnErrorAtLoad() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            CheckKindTests.zoneHead + """
                iad  CHECK  exec /nonexistent/probe
                     REGION 38.95 -77.45
                     A 192.0.2.1
                app  GEO failover iad

                """, to: "zones/example.zone")
        let server = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--listen",
                "127.0.0.1@0", "--control", folder.path + "/control",
            ])
        #expect(server.waitForExit() == 1)
        #expect(
            server.text.contains(
                "CHECK exec: cannot run /nonexistent/probe: no such file or directory"))
    }
}
