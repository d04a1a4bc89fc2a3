import Addressing
import DNSWire
import Foundation
import Health
import HealthMonitor
import TestSupport
import Testing

@testable import HealthMonitor

/// A UDP socket that takes everything and answers nothing.
private final class SilentSocket {
    let port: UInt16
    private let descriptor: Int32

    init(on address: String) throws {
        port = freePort(on: address)
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var here = sockaddr_in()
        here.sin_family = sa_family_t(AF_INET)
        here.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &here.sin_addr)
        let status = withUnsafePointer(to: &here) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
    }

    deinit { close(descriptor) }
}

/// One probe of every kind, against something real on loopback.
@Suite struct KindTests {
    private func probed(
        _ check: CheckSpecification, at text: String = "127.0.0.1"
    ) throws -> (state: HealthState, words: String) {
        let watcher = Watcher()
        let identifier = try watcher.watch(Probe(check, of: try address(text)))
        defer { watcher.monitor.stop() }
        return (watcher.monitor.table[identifier], try watcher.report(of: identifier).words)
    }

    // MARK: - tcp

    @Test func tcpSendsAndReceives() throws {
        let door = try ScriptedDoor("127.0.3.1", .respond(Array("+PONG\r\n".utf8)))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.tcp, port: door.port)
        check.send = Array("PING\r\n".utf8)
        check.receive = Array("+PONG".utf8)
        #expect(try probed(check, at: "127.0.3.1") == (.up, "connected, answer as expected"))
        check.receive = Array("+PANG".utf8)
        let other = try probed(check, at: "127.0.3.1")
        #expect(other == (.down, "connection closed, and the answer is not as expected"))
        door.behave(then: .close)
        #expect(try probed(check, at: "127.0.3.1").state == .down)
        check.receive = []
        check.send = []
        #expect(try probed(check, at: "127.0.3.1") == (.up, "connected"))
    }

    @Test func tcpWaitsForAGreetingAsLongAsItMay() throws {
        let door = try ScriptedDoor("127.0.3.2", .greet(Array("220 mail".utf8)))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.tcp, port: door.port, timeout: .milliseconds(300))
        check.receive = Array("220 ".utf8)
        #expect(try probed(check, at: "127.0.3.2").state == .up)
        check.receive = Array("250 ".utf8)
        #expect(
            try probed(check, at: "127.0.3.2")
                == (.down, "answer is not as expected within 300 ms"))
        door.behave(then: .hang)
        #expect(try probed(check, at: "127.0.3.2") == (.down, "no answer within 300 ms"))
    }

    @Test func aPeerThatTalksWithoutEndIsCutOff() throws {
        let door = try ScriptedDoor(
            "127.0.3.3", .greet([UInt8](repeating: 0x78, count: 1 << 20)))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.tcp, port: door.port)
        check.receive = Array("y".utf8)
        #expect(
            try probed(check, at: "127.0.3.3")
                == (.down, "nothing expected within the first 64 KiB"))
    }

    // MARK: - dns

    private static let zone = """
        $TTL 1h
        @     SOA ns1 hostmaster 1 2h 30m 2w 1m
              NS  ns1
        ns1   A   192.0.2.53
        www   A   192.0.2.1
              A   192.0.2.2
        alias CNAME www
        text  TXT "ready"
        big   TXT \((0..<40).map { _ in "\"" + String(repeating: "x", count: 60) + "\"" }.joined(separator: " "))
        """

    @Test func dnsAsksARealServer() throws {
        let server = try TestServer(zones: [("example.zone", KindTests.zone)])
        func found(
            _ name: String, _ type: RRType, tcp: Bool = false, codes: [UInt16] = [],
            data: [[UInt8]] = []
        ) throws -> (state: HealthState, words: String) {
            let question = DNSQuestion(
                try #require(DomainName(name)), type, isOverTCP: tcp, expectedCodes: codes,
                expectedData: data)
            return try probed(.quick(.dns(question), port: server.port))
        }
        for tcp in [false, true] {
            #expect(try found("www.example.", .a, tcp: tcp) == (.up, "NOERROR, 2 answers"))
            #expect(
                try found("www.example.", .aaaa, tcp: tcp)
                    == (.down, "NOERROR without an answer"))
            #expect(
                try found("www.example.", .a, tcp: tcp, data: [[192, 0, 2, 2]])
                    == (.up, "NOERROR, the answer expected"))
            #expect(
                try found("www.example.", .a, tcp: tcp, data: [[192, 0, 2, 3]])
                    == (.down, "NOERROR, but not the answer expected"))
            #expect(
                try found("none.example.", .a, tcp: tcp, codes: [3]) == (.up, "NXDOMAIN"))
            #expect(try found("other.test.", .a, tcp: tcp) == (.down, "REFUSED"))
        }
        #expect(
            try found("text.example.", .txt, data: [[5] + Array("ready".utf8)]).state == .up)
        // Too long for a datagram: asked again over TCP.
        #expect(try found("big.example.", .txt) == (.up, "NOERROR, 1 answer"))
    }

    @Test func aClosedPortIsUnreachableAndASilentOneTimesOut() throws {
        let question = DNSQuestion(try #require(DomainName("www.example.")), .a)
        let port = freePort(on: "127.0.3.4")
        #expect(
            try probed(.quick(.dns(question), port: port), at: "127.0.3.4")
                == (.down, "port unreachable"))
        let silent = try SilentSocket(on: "127.0.3.5")
        #expect(
            try probed(
                .quick(.dns(question), port: silent.port, timeout: .milliseconds(200)),
                at: "127.0.3.5") == (.down, "no answer within 200 ms"))
    }

    // MARK: - ping

    private static let mayPing =
        HealthMonitor.obstacles(
            to: [
                Probe(CheckSpecification(.ping), of: IPAddress(ipv4: 0x7f00_0001)),
                Probe(CheckSpecification(.ping), of: IPAddress(ipv6: 1)),
            ]
        ).isEmpty

    @Test(
        .enabled(if: mayPing, "needs CAP_NET_RAW, or its group in net.ipv4.ping_group_range"),
        arguments: ["127.0.3.6", "::1"])
    func pingIsAnswered(text: String) throws {
        let found = try probed(.quick(.ping, port: 0), at: text)
        #expect(found == (.up, "echo reply"))
    }

    /// 240.0.0.0/4 is reserved and never routed (RFC 1112 §4).
    @Test(.enabled(if: mayPing, "needs CAP_NET_RAW, or its group in net.ipv4.ping_group_range"))
    func pingOfNobodyFails() throws {
        let found = try probed(
            .quick(.ping, port: 0, timeout: .milliseconds(200)), at: "240.0.0.1")
        #expect(found.state == .down)
    }

    // MARK: - file

    @Test func aFileHoldsTheState() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        var check = CheckSpecification.quick(.file(path: path), port: 0, fall: 2, rise: 2)
        check.ageMax = .seconds(3600)
        let watcher = Watcher()
        let identifier = try watcher.watch(Probe(check, of: try address("192.0.2.1")))
        #expect(
            try watcher.report(of: identifier).words
                == "cannot read \(path): no such file or directory")
        #expect(watcher.monitor.table[identifier] == .down)
        for (word, state) in [
            ("up", HealthState.up), ("degraded", .degraded), ("up", .up), ("drain", .drain),
            ("down", .down),
        ] {
            try folder.write(word + " # told\n", to: "state")
            #expect(await watcher.isTold(identifier, is: state))
            #expect(watcher.transitions.last?.transition?.reason == "file says \(word): told")
        }
        try folder.write("up\n", to: "state")
        #expect(await watcher.isTold(identifier, is: .up))
        let past = Date(timeIntervalSinceNow: -7200)
        try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: path)
        #expect(await watcher.isTold(identifier, is: .down))
        #expect(watcher.transitions.last?.transition?.reason.hasPrefix("file is 72") == true)
        watcher.monitor.stop()
        let folderFound = try probed(.quick(.file(path: folder.path), port: 0))
        #expect(folderFound == (.down, "cannot read \(folder.path): not a regular file"))
    }

    // MARK: - exec

    private func script(_ text: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.path + "/probe"
        try folder.write("#!/bin/sh\n" + text, to: "probe")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    @Test(arguments: [
        ("exit 0", HealthState.up, "exit status 0"),
        ("echo $1 $# $(env | wc -l)", .up, "exit status 0: 192.0.2.1 1 2"),
        ("echo full; echo more; exit 3", .down, "exit status 3: full"),
        ("kill -9 $$", .down, "ended by signal 9"),
        ("head -c 1000000 /dev/zero; exit 4", .down, "exit status 4"),
        ("cat; ls /proc/self/fd | wc -l; exit 5", .down, "exit status 5: 4"),
    ])
    func theExitStatusDecides(text: String, state: HealthState, words: String) throws {
        let folder = try TemporaryFolder()
        let program = try script(text, in: folder)
        let found = try probed(.quick(.exec(program: program), port: 0), at: "192.0.2.1")
        #expect(found == (state, words))
    }

    /// The program and what it has started are gone afterwards: the lock that they held is free.
    @Test func aProgramThatDoesNotEndIsKilledWithItsChildren() async throws {
        let folder = try TemporaryFolder()
        let program = try script(
            "sleep 1000 & echo $! > \(folder.path)/child; wait", in: folder)
        let found = try probed(
            .quick(.exec(program: program), port: 0, timeout: .milliseconds(300)),
            at: "192.0.2.1")
        #expect(found == (.down, "did not end within 300 ms"))
        let text = try String(contentsOfFile: folder.path + "/child", encoding: .utf8)
        let child = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(await eventually { kill(child, 0) != 0 || isZombie(child) })
    }

    private func isZombie(_ process: pid_t) -> Bool {
        let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return text?.contains(") Z ") == true
    }

    /// What cannot be run says nothing about the front door.
    @Test func aProgramThatIsNotThereIsAnObstacle() async throws {
        let check = CheckSpecification.quick(.exec(program: "/nonexistent/probe"), port: 0)
        let probe = Probe(check, of: try address("192.0.2.1"))
        #expect(
            HealthMonitor.obstacles(to: [probe]) == [
                "CHECK exec: cannot run /nonexistent/probe: no such file or directory"
            ])
        let watcher = Watcher()
        let identifiers = watcher.monitor.watch([probe])
        #expect(
            try await eventually {
                try watcher.report(of: identifiers[0]).words
                    == "cannot run /nonexistent/probe: no such file or directory"
            })
        #expect(watcher.monitor.table[identifiers[0]] == .unknown)
        watcher.monitor.stop()
    }

    /// More programs than run at once: all get their turn.
    @Test func programsWaitForEachOther() throws {
        let folder = try TemporaryFolder()
        let program = try script(
            """
            cd \(folder.path)
            touch running/$$; ls running | wc -l >> seen; sleep 0.05; rm running/$$
            """, in: folder)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/running", withIntermediateDirectories: true)
        let check = CheckSpecification(
            .exec(program: program), every: .seconds(60), timeout: .seconds(20))
        let watcher = Watcher()
        let probes = (0..<50).map { Probe(check, of: IPAddress(ipv4: 0xC000_0200 + $0)) }
        let identifiers = watcher.monitor.watch(probes)
        #expect(watcher.monitor.waitForFirstResults(of: identifiers, atMost: .patience))
        #expect(identifiers.allSatisfy { watcher.monitor.table[$0] == .up })
        watcher.monitor.stop()
        let seen = try String(contentsOfFile: folder.path + "/seen", encoding: .utf8)
        let counts = seen.split(separator: "\n").compactMap { Int($0) }
        #expect(counts.count >= 50)
        #expect(try #require(counts.max()) <= Flights.programCountMax)
    }

    // MARK: - http, with what the newer keys say

    private func page(_ body: String, status: Int = 200) -> ScriptedDoor.Act {
        .respond(
            Array("HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
    }

    @Test func theBodyIsLookedAt() throws {
        let door = try ScriptedDoor("127.0.3.7", page("<p>version 4.17 is well</p>"))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.http(path: "/"), port: door.port)
        check.contains = Array("is well".utf8)
        check.pattern = "version [0-9]+\\."
        #expect(
            try probed(check, at: "127.0.3.7") == (.up, "status 200, body as expected"))
        door.behave(then: page("version x is well"))
        #expect(
            try probed(check, at: "127.0.3.7")
                == (.down, "status 200, but the body does not match version [0-9]+\\."))
        door.behave(then: page(String(repeating: "x", count: 1 << 20) + "version 4. is well"))
        #expect(
            try probed(check, at: "127.0.3.7")
                == (.down, "status 200, but 'is well' is not in the first 65536 bytes of the body"))
    }

    @Test func headersAreBounded() throws {
        let lines = (0..<3000).map { "X-\($0): \(String(repeating: "y", count: 40))\r\n" }.joined()
        let door = try ScriptedDoor(
            "127.0.3.8", .respond(Array("HTTP/1.1 200 OK\r\n\(lines)\r\n".utf8)))
        defer { door.refuse() }
        #expect(
            try probed(.quick(.http(path: "/"), port: door.port), at: "127.0.3.8")
                == (.down, "more than 64 KiB of headers"))
    }

    @Test(arguments: HTTPMethod.allCases) func methodsAreSent(method: HTTPMethod) throws {
        let server = try LoopbackServer(.status(200))
        defer { server.stop() }
        var check = CheckSpecification.quick(.http(path: "/x"), port: server.port)
        check.method = method
        #expect(try probed(check).state == .up)
        #expect(
            server.visits.first?.request.hasPrefix("\(method.rawValue) /x HTTP/1.1\r\n") == true)
    }

    @Test func http2WithoutTLSTakesTheFrontDoorAtItsWord() throws {
        let door = try ScriptedDoor("127.0.3.9", .http2(status: 200))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.http(path: "/"), port: door.port)
        check.usesHTTP2 = true
        #expect(try probed(check, at: "127.0.3.9") == (.up, "status 200"))
        door.behave(then: .http2(status: 500))
        #expect(
            try probed(check, at: "127.0.3.9") == (.down, "status 500, expected 200-299"))
        door.behave(then: .answer(status: 200))
        #expect(try probed(check, at: "127.0.3.9").state == .down)
    }

    // MARK: - load

    @Test func aLoadReportIsRead() throws {
        let door = try ScriptedDoor("127.0.3.10", page(#"{"queue":3,"errorRate":0.5}"#))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.load(path: "/load"), port: door.port)
        #expect(try probed(check, at: "127.0.3.10") == (.up, "errorRate 0.5, queue 3"))
        check.loadLimits.errorRate = 0.02
        #expect(
            try probed(check, at: "127.0.3.10")
                == (.degraded, "errorRate 0.5, above max-error-rate=0.02"))
        door.behave(then: page("drain\n"))
        #expect(try probed(check, at: "127.0.3.10") == (.drain, "says drain"))
        door.behave(then: page("up\n", status: 503))
        #expect(
            try probed(check, at: "127.0.3.10") == (.down, "status 503, expected 200-299"))
        check.loadLimits = LoadLimits()
        check.metrics = [LoadMetric(.queue, "queue_length")]
        door.behave(then: page("queue_length{a=\"b\"} 4\n"))
        #expect(try probed(check, at: "127.0.3.10") == (.up, "queue 4"))
        // An exposition may be long, but not without end.
        let others = (0..<40_000).map { "other_\($0) 1\n" }.joined()
        door.behave(then: page(others + "queue_length 5\n"))
        #expect(try probed(check, at: "127.0.3.10") == (.up, "queue 5"))
        door.behave(then: page(others + others + "queue_length 5\n"))
        #expect(
            try probed(check, at: "127.0.3.10")
                == (.down, "a load report of more than 1048576 bytes"))
    }

    @Test func strainTakesDownAfterFall() async throws {
        let door = try ScriptedDoor("127.0.3.11", page(#"{"queue":3}"#))
        defer { door.refuse() }
        var check = CheckSpecification.quick(.load(path: "/"), port: door.port)
        check.loadLimits.queue = 10
        let watcher = Watcher()
        let identifier = try watcher.watch(Probe(check, of: try address("127.0.3.11")))
        door.behave(then: page(#"{"queue":30}"#))
        #expect(await watcher.isTold(identifier, is: .down))
        door.behave(then: page(#"{"queue":3}"#))
        #expect(await watcher.isTold(identifier, is: .up))
        watcher.monitor.stop()
        #expect(watcher.transitions.compactMap(\.transition?.to) == [.up, .degraded, .down, .up])
    }
}
