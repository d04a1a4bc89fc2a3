import Addressing
import Frames
import Glibc
import SystemCalls
import TestSupport
import Testing

@testable import XDP

/// Frames over a real cable, and a real kernel behind: what is answered, by whom, and how.
@Suite(.enabled(if: Cable.obstacle == nil, "\(Cable.obstacle ?? "")"), .serialized)
struct CableTests {
    /// Who answered, and what of the reply is wrong.
    struct Outcome: Sendable {
        var name: String
        var answer: Crafted.Answer
        var fault: String?
    }

    @Test(arguments: XDPProgram.Mode.allCases)
    func `crafted frames are answered, passed or dropped as listed`(_ mode: XDPProgram.Mode) throws
    {
        let outcomes = try Cable.run { cable in
            var server = try EchoServer(mode)
            return try Crafted.all.map { crafted in
                try CableTests.outcome(crafted, cable, &server)
            }
        }
        for (crafted, outcome) in zip(Crafted.all, outcomes) {
            #expect(outcome.answer == crafted.answer, "\(crafted.name)")
            #expect(outcome.fault == nil, "\(crafted.name)")
        }
    }

    /// Sends the frames of `crafted`, and behind them a query for each way there is: when both are
    /// answered, so is everything before them.
    private static func outcome(
        _ crafted: Crafted, _ cable: Cable, _ server: inout EchoServer
    ) throws -> Outcome {
        for frame in crafted.frames { try cable.send(frame) }
        let end = Array("the end".utf8) + [UInt8](repeating: 0, count: 12)
        try cable.send(Crafted.plain(.ipv4, payload: end).bytes)
        var optional = Crafted.plain(.ipv4, payload: end)
        optional.options = [1, 1, 1, 0]
        try cable.send(optional.bytes)
        var outcome = Outcome(name: crafted.name, answer: .nobody)
        var left: Set<UInt8> = [EchoServer.mark, KernelEcho.mark]
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        while !left.isEmpty {
            guard ContinuousClock.now < deadline else {
                throw Cable.Failed(description: "\(crafted.name): nothing comes back")
            }
            server.serve()
            while let frame = cable.receive() {
                guard let payload = udpPayload(frame) else { continue }
                if Array(payload.dropFirst()) == end {
                    left.remove(payload[0])
                    continue
                }
                let isXDP = payload[0] == EchoServer.mark
                outcome.answer = isXDP ? .xdp : .kernel
                let query = crafted.frames[0]
                guard isXDP else { continue }
                outcome.fault = fault(ofReplyFrame: frame, to: query, payload: payload)
                if !Array(payload.dropFirst()).starts(with: crafted.name.utf8) {
                    outcome.fault = "another answer"
                }
            }
        }
        return outcome
    }

    /// Of a frame from port 53 without anything special; nil for everything else.
    private static func udpPayload(_ frame: [UInt8]) -> [UInt8]? {
        // What the kernel sends over a cable of this kind is not padded.
        guard frame.count > 42 else { return nil }
        let isIPv4 = frame[12] == 8 && frame[13] == 0 && frame[23] == 17
        let isIPv6 = frame[12] == 0x86 && frame[20] == 17 && frame.count > 62
        guard isIPv4 || isIPv6 else { return nil }
        let udp = isIPv4 ? 34 : 54
        guard frame[udp] == 0, frame[udp + 1] == 53 else { return nil }
        let length = Int(frame[udp + 4]) << 8 | Int(frame[udp + 5])
        guard length > 8, udp + length <= frame.count else { return nil }
        return Array(frame[(udp + 8)..<(udp + length)])
    }

    // MARK: - Room and order

    /// Sends `frames`, and serves until `count` replies have come back, or nothing has for a while.
    private static func replies(
        to frames: [[UInt8]], _ count: Int, _ cable: Cable, _ server: inout EchoServer
    ) throws -> [[UInt8]] {
        for frame in frames { try cable.send(frame) }
        var found: [[UInt8]] = []
        let deadline = ContinuousClock.now + .seconds(patienceSeconds)
        while found.count < count, ContinuousClock.now < deadline {
            server.serve()
            while let frame = cable.receive() {
                if let payload = udpPayload(frame) { found.append(payload) }
            }
        }
        return found
    }

    private static func queries(_ numbers: Range<Int>) -> [[UInt8]] {
        numbers.map { number in
            let name = Array("query \(number)".utf8) + [UInt8](repeating: 0, count: 12)
            return Crafted.plain(number % 2 == 0 ? .ipv4 : .ipv6, payload: name).bytes
        }
    }

    /// Each frame goes round many times: none is lost, none is in two places.
    @Test func `frames are used again and again`() throws {
        let (answers, tally, statistics) = try Cable.run { cable in
            var server = try EchoServer(.native)
            var answers: [[UInt8]] = []
            for round in 0..<100 {
                let numbers = round * 100..<(round + 1) * 100
                answers += try CableTests.replies(
                    to: CableTests.queries(numbers), 100, cable, &server)
            }
            return (answers, server.tally, server.frames.queue.statistics)
        }
        let names = answers.map { String(decoding: $0.filter { $0 != 0 }, as: UTF8.self) }
        #expect(names == (0..<10_000).map { "Xquery \($0)" })
        #expect(tally.receivedCount == 10_000 && tally.sentCount == 10_000)
        #expect(tally.foreignCount == 0 && tally.lostCount == 0)
        #expect(statistics == XDPQueue.Statistics())
    }

    /// What nobody takes fills the ring; the rest is lost, and counted; then it goes on.
    @Test func `more than the ring holds is lost and nothing else is`() throws {
        let sent = 3000
        let (answers, tally, statistics) = try Cable.run { cable in
            var server = try EchoServer(.native)
            let first = try CableTests.replies(
                to: CableTests.queries(0..<sent), XDPQueue.ringCount, cable, &server)
            let next = try CableTests.replies(
                to: CableTests.queries(sent..<sent + 1), 1, cable, &server)
            return (first + next, server.tally, server.frames.queue.statistics)
        }
        #expect(answers.count == XDPQueue.ringCount + 1)
        #expect(answers.last.map { $0.starts(with: "Xquery 3000".utf8) } == true)
        #expect(tally.sentCount == answers.count && tally.lostCount == 0)
        // The cable itself may have lost some of them on the way.
        #expect(statistics.ringFull > 0)
        #expect(statistics.ringFull <= UInt64(sent - XDPQueue.ringCount))
        #expect(statistics.invalid == 0)
    }

    /// A reply of all the room there is fills a packet of the interface's MTU, and comes through.
    @Test(arguments: [1500, 1300], [IPAddress.Family.ipv4, .ipv6])
    func `a reply is as long as the MTU allows`(_ mtu: Int, _ family: IPAddress.Family) throws {
        let payload = [UInt8](repeating: 3, count: 40)
        let query = Crafted.plain(family, payload: payload).bytes
        let reply = try Cable.run(mtu: mtu) { cable -> [UInt8] in
            var server = try EchoServer(.native)
            try cable.send(query)
            let deadline = ContinuousClock.now + .seconds(patienceSeconds)
            while ContinuousClock.now < deadline {
                _ = server.frames.answer { _, _, response in
                    for index in 0..<response.count { response[index] = 0xa5 }
                    return response.count
                }
                while let frame = cable.receive() {
                    if CableTests.udpPayload(frame) != nil { return frame }
                }
            }
            return []
        }
        #expect(reply.count == mtu + 14)
        let count = mtu - (family == .ipv4 ? 28 : 48)
        let fault = fault(
            ofReplyFrame: reply, to: query, payload: [UInt8](repeating: 0xa5, count: count))
        #expect(fault == nil)
    }

    // MARK: - The kernel behind

    @Test func `what no queue serves, and what comes after the program, is the kernel's`() throws {
        let (unserved, count, served, after) = try Cable.run { cable in
            var server = try EchoServer(.native, isServing: false)
            let unserved = try CableTests.replies(
                to: CableTests.queries(0..<10), 10, cable, &server)
            let count = server.frames.program.passedCount(.queue, queue: 0)
            try server.frames.program.serve(server.frames.queue)
            let served = try CableTests.replies(to: CableTests.queries(0..<10), 10, cable, &server)
            server.frames.program.detach()
            let after = try CableTests.replies(to: CableTests.queries(0..<10), 10, cable, &server)
            return (unserved, count, served, after)
        }
        #expect(unserved.map(\.first) == [UInt8?](repeating: KernelEcho.mark, count: 10))
        #expect(count == 10)
        #expect(served.map(\.first) == [UInt8?](repeating: EchoServer.mark, count: 10))
        #expect(after.map(\.first) == [UInt8?](repeating: KernelEcho.mark, count: 10))
    }

    /// Each fits into the place of the one before it.
    @Test func `a program and its queue end with who holds them`() throws {
        let answers = try Cable.run { cable in
            try (0..<3).map { _ in
                var server = try EchoServer(.native)
                return try CableTests.replies(to: CableTests.queries(0..<4), 4, cable, &server)
                    .count
            }
        }
        #expect(answers == [4, 4, 4])
    }

    /// Killed as nothing can be told of it: from then on the kernel answers, until another comes.
    @Test func `a program is gone with its process`() throws {
        let (before, link, between, after) = try Cable.run { cable in
            let kernel = try KernelEcho()
            func ask() throws -> [UInt8] {
                let query = Crafted.plain(.ipv4, payload: Array("dead or alive".utf8)).bytes
                try cable.send(query)
                let deadline = ContinuousClock.now + .seconds(patienceSeconds)
                while ContinuousClock.now < deadline {
                    kernel.serve()
                    while let frame = cable.receive() {
                        if let payload = CableTests.udpPayload(frame) { return payload }
                    }
                }
                return []
            }
            func start() throws -> RunningProcess {
                let process = try RunningProcess(
                    Programs.own("xdp-echo"), [Cable.server, "\(Crafted.server4)", "53"])
                guard process.waitForOutput("ready: native") else {
                    throw Cable.Failed(description: process.text)
                }
                return process
            }
            let first = try start()
            let before = try ask()
            first.send(SIGKILL)
            _ = first.waitForExit()
            let link = try Cable.ip("-d link show \(Cable.server)")
            let between = try ask()
            let second = try start()
            let after = try ask()
            second.stop()
            return (before, link, between, after)
        }
        var marked = Array("dead or alive".utf8)
        marked[2] |= 0x80
        #expect(before == marked)
        #expect(!link.contains("xdp ") && !link.contains("prog/"))
        #expect(between == [KernelEcho.mark] + Array("dead or alive".utf8))
        #expect(after == marked)
    }

    @Test func `a second program or owner of a queue is refused in words`() throws {
        let (queue, program) = try Cable.run { _ in
            let server = try EchoServer(.native)
            let interface = server.frames.program.interface
            var words: [String] = []
            do throws(XDPError) {
                _ = try XDPQueue(interface, queue: 0, patience: .zero)
            } catch {
                words.append(error.description)
            }
            do throws(XDPError) {
                var second = try XDPProgram(interface, port: 53)
                _ = try second.attach()
            } catch {
                words.append(error.description)
            }
            return (words.first ?? "", words.last ?? "")
        }
        #expect(
            queue == "xdp0: opening an AF_XDP socket on queue 0: device or resource busy: another"
                + " program serves that queue")
        #expect(
            program
                == "xdp0: attaching the XDP program: device or resource busy: another XDP program"
                + " is attached; `ip link set dev xdp0 xdp off` takes it away, unless a process holds it"
        )
    }

    @Test func `a queue that the interface does not have is an error`() throws {
        let words = try Cable.run { _ -> String in
            let interface = try NetworkInterface(named: Cable.server)
            do throws(XDPError) {
                _ = try XDPQueue(interface, queue: 64)
                return "opened"
            } catch {
                return error.description
            }
        }
        #expect(words == "xdp0: opening an AF_XDP socket on queue 64: invalid argument")
    }

    @Test func `the interface may go down and come up, and change its MTU`() throws {
        let (before, waitingCount, after) = try Cable.run { cable in
            var server = try EchoServer(.native)
            let before = try CableTests.replies(to: CableTests.queries(0..<10), 10, cable, &server)
            // What has been received and cannot be answered now is answered later.
            try cable.send(CableTests.queries(10..<11)[0])
            let descriptor = server.frames.queue.descriptor
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, 20_000)
            try Cable.ip("link set \(Cable.server) down")
            server.serve()
            let waitingCount = server.tally.waitingCount
            try Cable.ip("link set \(Cable.server) up")
            try Cable.ip("link set \(Cable.server) mtu 1400")
            // IPv6 addresses have gone with the link; frames to them are still ours.
            let after = try CableTests.replies(to: CableTests.queries(11..<20), 10, cable, &server)
            return (before, waitingCount, after)
        }
        let names = (before + after).map { String(decoding: $0.filter { $0 != 0 }, as: UTF8.self) }
        #expect(names == (0..<20).map { "Xquery \($0)" })
        #expect(waitingCount == 1)
    }

    @Test func `an interface tells what it is`() throws {
        let interface = try Cable.run(mtu: 1400, queueCount: 3) { _ in
            try NetworkInterface(named: Cable.server)
        }
        #expect(interface.hardwareAddress == Cable.hardwareAddress && interface.mtu == 1400)
        #expect(interface.queueCount == 3 && interface.name == Cable.server)
    }

    @Test func `own addresses are those of all interfaces that are up`() throws {
        let addresses = try Cable.run { _ in
            try Cable.ip("addr add 198.51.100.7/32 dev lo")
            try Cable.ip("addr add 127.0.0.1/8 dev lo")
            let before = try NetworkInterface.ownAddresses()
            try Cable.ip("link set lo up")
            for number in 1...70 { try Cable.ip("addr add 192.0.2.\(number)/32 dev lo") }
            // Twice, and yet one address.
            try Cable.ip("addr add 192.0.2.1/24 dev \(Cable.server)")
            return (before: before, after: try NetworkInterface.ownAddresses())
        }
        // Link-local ones come when the kernel gets to it.
        let ours = ["10.99.1.1", "10.99.1.3", "2001:db8::1"]
        let before = addresses.before.map(\.description).filter { !$0.hasPrefix("fe80:") }
        let after = addresses.after.map(\.description).filter { !$0.hasPrefix("fe80:") }
        #expect(Set(before) == Set(ours) && before.count == 3)
        #expect(Set(after) == Set(ours + ["198.51.100.7"] + (1...70).map { "192.0.2.\($0)" }))
        #expect(after.count == 74)
    }

    /// The cable's queues are chosen by a hash of ports and addresses.
    @Test(arguments: [1, 2]) func `queues are served each for itself`(_ servedCount: Int) throws {
        let (marks, counts, passed) = try Cable.run(queueCount: 2) { cable in
            let kernel = try KernelEcho()
            let interface = try NetworkInterface(named: Cable.server)
            var program = try XDPProgram(interface, port: 53)
            var first = try XDPQueue(interface, queue: 0)
            var second = try XDPQueue(interface, queue: 1)
            try program.serve(first)
            if servedCount == 2 { try program.serve(second) }
            try program.add(Crafted.server4)
            _ = try program.attach()
            for number in 0..<100 {
                var query = Crafted.plain(.ipv4, payload: [UInt8](repeating: 0, count: 20))
                query.sourcePort = 20_000 + UInt16(number)
                try cable.send(query.bytes)
            }
            var marks: [UInt8] = []
            var counts = [0, 0]
            let deadline = ContinuousClock.now + .seconds(patienceSeconds)
            while marks.count < 100, ContinuousClock.now < deadline {
                counts[0] +=
                    first.answer(
                        first.receive(), program.filter, mtu: 1500, with: CableTests.mark
                    ).sentCount
                counts[1] +=
                    second.answer(
                        second.receive(), program.filter, mtu: 1500, with: CableTests.mark
                    ).sentCount
                kernel.serve()
                while let frame = cable.receive() {
                    if let payload = CableTests.udpPayload(frame) { marks.append(payload[0]) }
                }
            }
            return (marks, counts, (0...1).map { program.passedCount(.queue, queue: $0) })
        }
        #expect(marks.count == 100)
        #expect(counts.reduce(0, +) == marks.filter { $0 == EchoServer.mark }.count)
        #expect(counts[0] > 0 && (counts[1] > 0) == (servedCount == 2))
        #expect(passed[0] == 0 && Int(passed[1]) == 100 - counts[0] - counts[1])
        #expect((passed[1] > 0) == (servedCount == 1))
    }

    private static func mark(
        _ query: Span<UInt8>, _ client: IPAddress, _ response: inout MutableSpan<UInt8>
    ) -> Int {
        response[0] = EchoServer.mark
        return query.count
    }

    @Test func `the interface may be taken away`() throws {
        let (count, words) = try Cable.run { cable in
            var server = try EchoServer(.native)
            let answers = try CableTests.replies(to: CableTests.queries(0..<10), 10, cable, &server)
            try Cable.ip("link del \(Cable.server)")
            for _ in 0..<10 { server.serve() }
            do throws(XDPError) {
                _ = try NetworkInterface(named: Cable.server)
                return (answers.count, "")
            } catch {
                return (answers.count, error.reason.name)
            }
        }
        #expect(count == 10 && words == "ENODEV")
    }
}
