import Addressing
import DNSWire
import Foundation
import TestSupport

/// A whole `geodnsd` at its end of the cable: over AF_XDP, with its sockets behind it.
final class CableServer {
    static let zone = """
        $TTL 1h
        @      SOA   ns1 hostmaster 1 2h 30m 2w 1m
               NS    ns1
        ns1    A     192.0.2.53
        www    A     192.0.2.1
               AAAA  2001:db8::80
        app    30 GEO map=where
        where  MAP   default jp
               MAP   net=203.0.113.0/24 de
               MAP   net=2001:db8:2::/48 de
        jp     REGION 35.7 139.7
               A     192.0.2.10
        de     REGION 52.5 13.4
               A     192.0.2.11
        *.wild A     192.0.2.3
        sub    NS    ns.sub
        ns.sub A     192.0.2.54
        alias  CNAME www
        large  TXT   \((0..<12).map { "\"\($0) \(String(repeating: "x", count: 240))\"" }
            .joined(separator: "\n       TXT   "))

        """

    let process: RunningProcess
    private let folder: TemporaryFolder

    /// `wrapper`: words before those that start it. It listens on the addresses of `Crafted`.
    init(
        _ arguments: [String] = [], xdp: [String] = ["--xdp", Cable.server],
        listen: [String] = ["\(Crafted.server4)", "\(Crafted.server6)"], wrapper: [String] = []
    ) throws {
        folder = try TemporaryFolder()
        try folder.write(CableServer.zone, to: "zones/example.com.zone")
        let command =
            wrapper + [
                Programs.own("geodnsd"), "--zones", folder.path + "/zones", "--geo-data", "none",
                "--control", folder.path + "/control.sock", "--workers", "1", "--state", "none",
            ] + listen.flatMap { ["--listen", $0] } + xdp + arguments
        process = try RunningProcess(command[0], Array(command.dropFirst()))
        guard process.waitForOutput(" ready") else {
            process.stop()
            throw Cable.Failed(description: "geodnsd did not get ready:\n\(process.text)")
        }
    }

    deinit { process.stop() }

    func control(_ words: String...) throws -> String {
        let (status, text) = try RunningProcess.run(
            Programs.own("geodnsctl"), ["--control", folder.path + "/control.sock"] + words)
        guard status == 0 else { throw Cable.Failed(description: text) }
        return text
    }

    /// What `status` says in the row `name`.
    func status(_ name: String) throws -> String {
        let rows = try control("status").split(separator: "\n")
        guard let row = rows.first(where: { $0.hasPrefix(name + "  ") }) else { return "" }
        return row.dropFirst(name.count).trimmingCharacters(in: .whitespaces)
    }

    /// Of answers over AF_XDP, and of all over UDP.
    func answered() throws -> (xdp: Int, all: Int) {
        let (xdp, all) = try (status("xdp \(Cable.server) answered"), status("datagrams answered"))
        guard let xdp = Int(xdp), let all = Int(all) else {
            throw Cable.Failed(description: "not as expected:\n\(try control("status"))")
        }
        return (xdp, all)
    }
}

/// A query, and who sends it.
struct CableQuery: Sendable {
    var client: IPAddress
    var payload: [UInt8]

    /// In a frame that is taken past the sockets, or in one that is not.
    func frame(port: UInt16, isForSockets: Bool) -> [UInt8] {
        let isIPv4 = client.family == .ipv4
        var frame = WireFrame(
            from: client, to: isIPv4 ? Crafted.server4 : Crafted.server6, payload: payload)
        frame.sourcePort = port
        if isForSockets, isIPv4 { frame.options = [1, 1, 1, 0] }
        if isForSockets, !isIPv4 {
            frame.transport = 60
            frame.options = [17, 0, 1, 4, 0, 0, 0, 0]
        }
        return frame.bytes
    }
}

/// What came back to either way of asking; nil: nothing.
struct BothAnswers: Sendable, Equatable {
    var xdp: [UInt8]?
    var sockets: [UInt8]?
}

extension Cable {
    static let soa: [UInt8] = DomainName("example.com").map { Message.query($0, .soa) } ?? []
    static let client4 = IPAddress(ipv4: 0x0a63_0102)
    static let client6 = IPAddress(ipv6: 0x2001_0db8 << 96 | 2)

    /// From port 53 over UDP: to which port, and what; nil for anything else.
    static func reply(_ frame: [UInt8]) -> (port: UInt16, payload: [UInt8])? {
        guard frame.count > 42 else { return nil }
        let isIPv4 = frame[12] == 8 && frame[13] == 0 && frame[23] == 17
        let isIPv6 = frame[12] == 0x86 && frame[20] == 17 && frame.count > 62
        guard isIPv4 || isIPv6 else { return nil }
        let udp = isIPv4 ? 34 : 54
        func number(_ index: Int) -> Int { Int(frame[index]) << 8 | Int(frame[index + 1]) }
        guard number(udp) == 53, number(udp + 4) > 8, udp + number(udp + 4) <= frame.count
        else { return nil }
        return (UInt16(number(udp + 2)), Array(frame[(udp + 8)..<(udp + number(udp + 4))]))
    }

    /// Sends `frames`, and waits until an answer has come to each of `ports`: what has come, by
    /// port.
    func ask(_ frames: [[UInt8]], until ports: Set<UInt16>) throws -> [UInt16: [UInt8]] {
        for frame in frames { try send(frame) }
        var answers: [UInt16: [UInt8]] = [:]
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        while !ports.isSubset(of: answers.keys) {
            guard ContinuousClock.now < deadline else {
                throw Cable.Failed(
                    description: "nothing comes to \(ports.subtracting(answers.keys))")
            }
            while let frame = receive() {
                if let reply = Cable.reply(frame) { answers[reply.port] = reply.payload }
            }
            usleep(200)
        }
        return answers
    }

    /// Asks one query past the sockets, over and over until it is answered.
    func ask(_ query: [UInt8], to address: IPAddress = Crafted.server4) throws -> [UInt8] {
        var frame = WireFrame(
            from: address.family == .ipv4 ? Cable.client4 : Cable.client6, to: address,
            payload: query)
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        while ContinuousClock.now < deadline {
            frame.sourcePort = frame.sourcePort == 60_000 ? 40_000 : frame.sourcePort + 1
            try send(frame.bytes)
            for _ in 0..<100 {
                while let received = receive() {
                    if let reply = Cable.reply(received) { return reply.payload }
                }
                usleep(1000)
            }
        }
        throw Cable.Failed(description: "no answer")
    }

    /// Asks each query both ways. Behind each batch goes a query for each way there is, which is
    /// answered: then everything before it has been.
    func askBothWays(_ queries: [CableQuery]) throws -> [BothAnswers] {
        var outcome: [BothAnswers] = []
        let ends: [(UInt16, IPAddress, Bool)] = [
            (60_000, Cable.client4, false), (60_001, Cable.client4, true),
            (60_002, Cable.client6, true),
        ]
        for start in stride(from: 0, to: queries.count, by: 40) {
            var frames: [[UInt8]] = []
            let batch = queries[start..<min(start + 40, queries.count)]
            for (number, query) in batch.enumerated() {
                let port = 2000 + 2 * UInt16(number)
                frames.append(query.frame(port: port, isForSockets: false))
                frames.append(query.frame(port: port + 1, isForSockets: true))
            }
            for (port, client, isForSockets) in ends {
                frames.append(
                    CableQuery(client: client, payload: Cable.soa)
                        .frame(port: port, isForSockets: isForSockets))
            }
            let answers = try ask(frames, until: Set(ends.map(\.0)))
            for number in 0..<batch.count {
                let port = 2000 + 2 * UInt16(number)
                outcome.append(BothAnswers(xdp: answers[port], sockets: answers[port + 1]))
            }
        }
        return outcome
    }
}
