import Addressing
import DNSWire
import Foundation
import TestSupport
import Testing

@testable import XDP

/// The built server on a cable: what it says over AF_XDP is what it says over its sockets.
@Suite(.enabled(if: Cable.obstacle == nil, "\(Cable.obstacle ?? "")"), .serialized)
struct GeodnsdTests {
    @Test func `queries over the cable are answered past the sockets`() throws {
        let (answers, text, log) = try Cable.run { cable in
            let server = try CableServer()
            let answers = try [Crafted.server4, Crafted.server6].map {
                try cable.ask(Cable.soa, to: $0)
            }
            return (answers, try server.control("status"), server.process.text)
        }
        for answer in answers {
            let message = try #require(Message(answer))
            #expect(message.answers.map(\.type) == [.soa] && message.isAuthoritative)
        }
        #expect(log.contains(#/xdp: .*past the sockets.* mode=native queues=1 addresses=2/#))
        #expect(text.contains(#/xdp xdp0  +native, queues 1, port 53, addresses 2\n/#))
        #expect(text.contains(#/xdp xdp0 answered  +2\n/#))
        #expect(text.contains(#/datagrams answered  +2\n/#))
    }

    // MARK: - The same answers

    private static func names(_ texts: [String], _ type: RRType) -> [[UInt8]] {
        texts.compactMap { DomainName($0) }.map { Message.query($0, type) }
    }

    private static func clients(_ texts: [String]) -> [IPAddress] {
        texts.compactMap { IPAddress($0) }
    }

    /// The testers' questions, then random ones, good and bad.
    private static func queries() throws -> [CableQuery] {
        let probes =
            ComplianceProbe.plain + ComplianceProbe.edns + ComplianceProbe.laterEDNS
            + ComplianceProbe.types
        var queries = try probes.map {
            CableQuery(client: Cable.client4, payload: try $0.ask.bytes())
        }
        var mutator = PacketMutator(seed: 53)
        let clients = clients(["203.0.113.9", "198.51.100.7", "2001:db8:2::9", "2001:db8:3::9"])
        for _ in 0..<1500 {
            let client = clients[mutator.roll(clients.count)]
            queries.append(CableQuery(client: client, payload: mutator.goodQuery()))
            let bad = Array(mutator.packet().prefix(1400))
            // Less than a header is the kernel's, and nothing is said to it.
            if bad.count >= 12 { queries.append(CableQuery(client: client, payload: bad)) }
        }
        return queries
    }

    /// Server cookies say the second in which they were made: what differs is asked again.
    @Test func `answers are those of the sockets, byte for byte`() throws {
        let queries = try GeodnsdTests.queries()
        let (answers, counts) = try Cable.run { cable in
            let server = try CableServer(["--identity", "frankfurt-1"])
            try Cable.ip("route add default via 10.99.1.2")
            try Cable.ip("-6 route add default via 2001:db8::2")
            var answers = try cable.askBothWays(queries)
            for _ in 0..<5 {
                let different = answers.indices.filter { answers[$0].xdp != answers[$0].sockets }
                if different.isEmpty { break }
                let again = try cable.askBothWays(different.map { queries[$0] })
                for (index, answer) in zip(different, again) { answers[index] = answer }
            }
            return (answers, try server.answered())
        }
        for (query, answer) in zip(queries, answers) {
            #expect(answer.xdp == answer.sockets, "\(query)")
        }
        let said = answers.count { $0.xdp != nil }
        #expect(said > 2000 && said < answers.count)
        #expect(counts.xdp >= said && counts.all - counts.xdp >= said)
    }

    @Test func `a proxy's header says who asks, and without one it is not answered`() throws {
        // TCP/UDP over IPv4 from 203.0.113.9 to anywhere.
        let header: [UInt8] = [
            0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x12, 0,
            12, 203, 0, 113, 9, 192, 0, 2, 1, 0x10, 0, 0, 53,
        ]
        let question = try #require(GeodnsdTests.names(["app.example.com"], .a).first)
        let (answers, rejected) = try Cable.run { cable in
            let server = try CableServer(["--proxy-from", "10.99.1.7"])
            try Cable.ip("route add default via 10.99.1.2")
            try Cable.ip("neigh add 10.99.1.7 lladdr 02:00:00:00:00:02 dev \(Cable.server)")
            let proxy = IPAddress(ipv4: 0x0a63_0107)
            let answers = try cable.askBothWays([
                CableQuery(client: proxy, payload: header + question),
                CableQuery(client: proxy, payload: question),
                CableQuery(client: Cable.client4, payload: question),
                CableQuery(client: Cable.client4, payload: header + question),
            ])
            return (answers, try server.status("PROXY headers missing or wrong"))
        }
        let addresses = answers.map { answer in
            answer.xdp.flatMap { Message($0) }?.answers.first?.rdata
        }
        #expect(addresses == [[192, 0, 2, 11], nil, [192, 0, 2, 10], nil])
        for answer in answers { #expect(answer.xdp == answer.sockets) }
        #expect(rejected == "2")
    }

    @Test func `rate limits hold on both ways`() throws {
        let question = try #require(GeodnsdTests.names(["www.example.com"], .a).first)
        let (answers, limited) = try Cable.run { cable in
            let server = try CableServer(["--rrl-rate", "2", "--rrl-slip", "2"])
            try Cable.ip("route add default via 10.99.1.2")
            let client = IPAddress(ipv4: 0xcb00_7109)
            let queries = [CableQuery](
                repeating: CableQuery(client: client, payload: question), count: 40)
            return (try cable.askBothWays(queries), try server.control("status"))
        }
        for way in [\BothAnswers.xdp, \.sockets] {
            let messages = answers.map { $0[keyPath: way].flatMap { Message($0) } }
            let whole = messages.count { $0.map { !$0.isTruncated } ?? false }
            let truncated = messages.count { $0?.isTruncated ?? false }
            #expect(whole >= 1 && whole < 20, "\(whole)")
            #expect(truncated >= 10 && messages.count { $0 == nil } >= 10)
        }
        #expect(limited.contains(#/limit/#))
    }

    // MARK: - Frames

    /// Who answers a frame with a real query in it. Of the sockets there is none at the second
    /// address, and nothing is said to less than a header.
    @Test func `crafted frames are answered, passed or dropped as listed`() throws {
        let silent: Set<String> = [
            "our other address, ipv4", "shorter than a header, ipv4", "shorter than a header, ipv6",
        ]
        let cases = Crafted.all(asking: Cable.soa)
        let (found, status) = try Cable.run { cable in
            let server = try CableServer()
            var found: [Crafted.Answer] = []
            var before = try server.answered()
            for crafted in cases {
                for frame in crafted.frames { try cable.send(frame) }
                // Both ways, and answered: so is what was before them.
                _ = try cable.ask(
                    [
                        CableQuery(client: Cable.client4, payload: Cable.soa)
                            .frame(port: 60_000, isForSockets: false),
                        CableQuery(client: Cable.client4, payload: Cable.soa)
                            .frame(port: 60_001, isForSockets: true),
                        CableQuery(client: Cable.client6, payload: Cable.soa)
                            .frame(port: 60_002, isForSockets: true),
                    ], until: [60_000, 60_001, 60_002])
                let after = try server.answered()
                let xdp = after.xdp - before.xdp - 1
                let sockets = after.all - before.all - 3 - xdp
                found.append(xdp > 0 ? .xdp : sockets > 0 ? .kernel : .nobody)
                before = after
            }
            return (found, try server.control("status"))
        }
        for (crafted, answer) in zip(cases, found) {
            let expected = silent.contains(crafted.name) ? .nobody : crafted.answer
            #expect(answer == expected, "\(crafted.name)")
        }
        #expect(
            status.contains(
                #/dropped  +length \d+, header-checksum 1, no-checksum 1, source \d+, /#
            ))
        #expect(
            status.contains(
                #/passed .*short \d+.*ethertype \d+, header .*fragment \d+.*transport .*port \d+/#
            ))
    }

    // MARK: - What may happen to it

    @Test func `killed and started again, it goes on`() throws {
        let (link, count) = try Cable.run { cable in
            let first = try CableServer()
            _ = try cable.ask(Cable.soa)
            first.process.send(SIGKILL)
            _ = first.process.waitForExit()
            let link = try Cable.ip("-d link show \(Cable.server)")
            let second = try CableServer()
            for _ in 0..<10 { _ = try cable.ask(Cable.soa) }
            return (link, try second.answered().xdp)
        }
        #expect(!link.contains("prog/"))
        #expect(count == 10)
    }

    @Test func `reloads lose no query`() throws {
        let (count, answers) = try Cable.run { cable in
            let server = try CableServer()
            var answers = 0
            for round in 0..<40 {
                let ports = (0..<50).map { 3000 + UInt16($0) }
                let frames = ports.map {
                    CableQuery(client: Cable.client4, payload: Cable.soa)
                        .frame(port: $0, isForSockets: false)
                }
                if round % 4 == 0 { server.process.send(SIGHUP) }
                answers += try cable.ask(frames, until: Set(ports)).count
            }
            return (try server.answered().xdp, answers)
        }
        #expect(count == 2000 && answers == 2000)
    }

    @Test func `the link and its MTU may change, and each is told once`() throws {
        let (log, status, long) = try Cable.run { cable in
            let server = try CableServer(["--udp-size", "4096"])
            _ = try cable.ask(Cable.soa)
            try Cable.ip("link set \(Cable.server) down")
            guard server.process.waitForOutput("link is down") else {
                throw Cable.Failed(description: server.process.text)
            }
            let status = try server.status("xdp \(Cable.server)")
            try Cable.ip("link set \(Cable.server) up")
            try Cable.ip("link set \(Cable.server) mtu 1300")
            guard server.process.waitForOutput("mtu=1300"),
                server.process.waitForOutput("link is up")
            else { throw Cable.Failed(description: server.process.text) }
            let name = DomainName("large.example.com") ?? .root
            let long = try cable.ask(Message.query(name, .txt, payloadByteCountMax: 4096))
            try Cable.ip("addr add 10.99.1.4/24 dev \(Cable.server)")
            return (server.process.text, status, long)
        }
        for words in ["link is down", "link is up", "mtu=1300"] {
            #expect(log.ranges(of: words).count == 1, "\(words): \(log)")
        }
        #expect(status.hasSuffix("LINK DOWN"))
        #expect(Message(long)?.isTruncated == true)
    }

    @Test func `addresses of a wildcard may come and go`() throws {
        let server5 = IPAddress(ipv4: 0x0a63_0105)
        let (answer, log, after) = try Cable.run { cable in
            let server = try CableServer(listen: ["0.0.0.0", "[::]"])
            let before = try server.status("xdp \(Cable.server)")
            try Cable.ip("addr add 10.99.1.5/24 dev \(Cable.server)")
            guard server.process.waitForOutput("addresses have changed") else {
                throw Cable.Failed(description: before + server.process.text)
            }
            let answer = try cable.ask(Cable.soa, to: server5)
            let count = try server.answered()
            try Cable.ip("addr del 10.99.1.5/24 dev \(Cable.server)")
            _ = eventually {
                server.process.text.ranges(of: "addresses have changed").count >= 2
            }
            return (answer, server.process.text, count)
        }
        #expect(Message(answer)?.answers.isEmpty == false)
        #expect(after.xdp >= 1)
        #expect(log.ranges(of: "addresses have changed").count >= 2, "\(log)")
    }

    @Test func `an interface that goes away is told once, and the server goes on`() throws {
        let (log, status, isRunning, exit) = try Cable.run { cable in
            let server = try CableServer()
            _ = try cable.ask(Cable.soa)
            try Cable.ip("link del \(Cable.server)")
            guard server.process.waitForOutput("the interface is gone") else {
                throw Cable.Failed(description: server.process.text)
            }
            let status = try server.control("status")
            return (
                server.process.text, status, server.process.isRunning, server.process.stop()
            )
        }
        #expect(log.ranges(of: "the interface is gone").count == 1)
        #expect(
            status.contains(#/xdp xdp0  +off, the sockets answer alone: the interface is gone/#))
        #expect(status.contains(#/xdp xdp0 answered  +1\n/#))
        #expect(isRunning && exit == 0)
    }

    // MARK: - Rights

    @Test func `what rights are missing is told, and the sockets answer`() throws {
        let setpriv = try #require(Programs.find("setpriv"))
        let (answer, log, status) = try Cable.run { cable in
            let server = try CableServer(
                wrapper: [setpriv, "--bounding-set=-bpf,-net_admin,-sys_admin"])
            let answer = try cable.ask(Cable.soa)
            return (answer, server.process.text, try server.control("status"))
        }
        #expect(Message(answer)?.answers.isEmpty == false)
        #expect(log.contains("missing CAP_NET_ADMIN, CAP_BPF"), "\(log)")
        #expect(
            status.contains(#/xdp xdp0  +off, the sockets answer alone: xdp0: making the maps/#))
        #expect(status.contains(#/datagrams answered  +1\n/#))
    }

    /// CapEff and CapPrm in proc_pid_status(5).
    @Test func `rights are given up by every thread`() throws {
        let (sets, count) = try Cable.run { cable in
            let server = try CableServer()
            _ = try cable.ask(Cable.soa)
            let folder = "/proc/\(server.process.identifier)/task"
            let tasks = try FileManager.default.contentsOfDirectory(atPath: folder)
            let sets = try tasks.flatMap { task in
                try String(contentsOfFile: "\(folder)/\(task)/status", encoding: .utf8)
                    .matches(of: #/Cap(?:Eff|Prm):\s+([0-9a-f]+)/#)
                    .map { UInt64($0.1, radix: 16) ?? 0 }
            }
            return (sets, tasks.count)
        }
        #expect(sets.count == 2 * count && count >= 5)
        // CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_BPF.
        let holding = sets.filter { set in
            [12, 13, 14, 21, 39].contains { set >> UInt64($0) & 1 == 1 }
        }
        // ThreadSanitizer has a thread of its own, which knows nothing of ours.
        let isWatched = ProcessInfo.processInfo.environment["TSAN_OPTIONS"] != nil
        #expect(holding.count <= (isWatched ? 2 : 0))
    }

    @Test func `an interface that is not there leaves the sockets`() throws {
        let (answer, log) = try Cable.run { cable in
            let server = try CableServer(xdp: ["--xdp", "nosuch0"])
            return (try cable.ask(Cable.soa), server.process.text)
        }
        #expect(Message(answer)?.answers.isEmpty == false)
        #expect(
            log.contains(
                "the sockets answer alone: nosuch0: looking at the interface: no such device"))
    }
}
