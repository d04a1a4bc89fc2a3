import DNSWire
import Foundation
import TestSupport
import Testing

/// `kill -9` at random moments, while front doors fail and return and operators order this and
/// that: after each of them what is in `--state DIR` is whole, lacks nothing that was acknowledged,
/// and is what the first answers of the next process say.
@Suite struct KillTests {
    @Test(arguments: [1, 2] as [UInt64]) func whatIsKnownOutlivesEachOfThem(seed: UInt64) throws {
        var life = try ManyLives(seed: seed)
        for round in 0..<20 { try life.round(round) }
        // That it was not for nothing.
        #expect(life.pendingAnswerCount > 0, "\(life)")
        #expect(life.settledStateCount > 0, "\(life)")
        #expect(life.acknowledgedCount > 20, "\(life)")
    }
}

/// One folder of state, and one process after the other that uses it.
private struct ManyLives: CustomStringConvertible {
    private struct Order: Hashable {
        var verb: String
        var reason: String
    }

    private var generator: SeededGenerator
    private let folder: TemporaryFolder
    private let doors: [ScriptedDoor]
    private var isGood: [Bool]
    private var doorChange: [Date]
    /// What the answers said of each front door, and since when.
    private var seen: [(isIn: Bool, since: Date)?]
    /// What holds, by subject.
    private var orders: [String: Order] = [:]
    /// What may be found after a kill: what was acknowledged last, and what has been asked for
    /// since without an answer that it is on the disk.
    private var acceptable: Set<[String: Order]> = [[:]]
    private var orderCount = 0
    /// The latest file that was seen.
    private var latestFile = ""

    /// First answers that were given before any probe had ended.
    private(set) var pendingAnswerCount = 0
    private(set) var lateAnswerCount = 0
    /// States that had to be in the file by the time of the kill.
    private(set) var settledStateCount = 0
    private(set) var acknowledgedCount = 0

    private static let targets = (0..<4).map { "o\($0)" }
    /// Of changes of health what a second says may be lost (docs/health.md, "Memory"); a busy disk
    /// and a busy machine get four more.
    private static let staleness = 5.0

    init(seed: UInt64) throws {
        generator = SeededGenerator(seed: seed)
        folder = try TemporaryFolder()
        let port = freePort(on: "127.0.11.1")
        doors = try (1...8).map { try ScriptedDoor("127.0.11.\($0)", port: port) }
        isGood = doors.map { _ in true }
        doorChange = doors.map { _ in .distantPast }
        seen = doors.map { _ in nil }
    }

    var description: String {
        "\(pendingAnswerCount) first answers with all probes pending, \(lateAnswerCount) later; "
            + "\(settledStateCount) settled states, \(acknowledgedCount) orders acknowledged"
    }

    private var zone: String {
        let probed = doors.enumerated().map { number, door in
            "f\(number) REGION 0 0 check=web\n A \(door.address)\n"
        }
        let ordered = (ManyLives.targets + ["free"]).enumerated().map { number, target in
            "\(target) REGION 0 0\n A 192.0.2.\(number + 1)\n"
        }
        return zoneHead + """
            web    CHECK http / port=\(doors[0].port) every=2s fast=100ms timeout=2s fall=2 rise=1
            health 1 GEO all \(doors.indices.map { "f\($0)" }.joined(separator: " ")) last-resort=none
            orders 1 GEO all \(ManyLives.targets.joined(separator: " ")) free
            shares 1 GEO weighted o0 o1

            """ + (probed + ordered).joined()
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOfFile: "\(folder.path)/state/\(name)", encoding: .utf8)) ?? ""
    }

    // MARK: - A life

    mutating func round(_ number: Int) throws {
        if number > 0, generator.once(in: 4) { try dieYoung() }
        let file = text("health")
        #expect(time(of: file) >= time(of: latestFile))
        // No probe ends before it is let go on; the first time there must be some.
        for door in doors { door.behave(then: number == 0 ? .answer(status: 200) : .wait) }
        try FileManager.default.createDirectory(
            atPath: folder.path + "/state", withIntermediateDirectories: true)
        let server = try TestServer(
            zones: [("example.zone", zone)], arguments: ["--state", folder.path + "/state"])
        if number > 0 { try checkStart(server, file) }
        if number == 0 { #expect(eventually { states(in: text("health")).count == doors.count }) }
        // Which lives are long is not drawn: how much is drawn depends on the time, so there might
        // be none.
        try live(server, isLong: number % 5 == 4)
        try die(server)
    }

    /// Killed before it has begun to serve, or soon after.
    private mutating func dieYoung() throws {
        let zones = try folder.write(zone, to: "zones/example.zone")
        let process = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", (zones as NSString).deletingLastPathComponent, "--geo-data", "none",
                "--listen", "127.0.0.1@0", "--control", folder.path + "/control.sock", "--workers",
                "1", "--state", folder.path + "/state",
            ])
        pause(atMost: 300)
        process.send(SIGKILL)
        #expect(process.waitForExit() == 128 + SIGKILL, "\(process.text)")
    }

    /// What the first answers and commands say, with every probe pending.
    private mutating func checkStart(_ server: TestServer, _ file: String) throws {
        let answer = server.client.addresses("health.example.")
        let regions = try server.control("regions").text
        let log = server.process.text
        for trouble in [" warning memory", " error memory", "nothing is remembered"] {
            #expect(!log.contains(trouble), "\(log)\n\(file)")
        }
        let states = states(in: file)
        #expect(states.count == doors.count, "\(file)")
        // A busy machine may have taken longer for this than probes wait.
        if regions.split(separator: "remembered: ").count - 1 == doors.count {
            pendingAnswerCount += 1
            let expected = doors.map(\.address).filter { states[$0] != "down" }
            #expect(answer == expected.sorted(), "\(file)\n\(regions)")
        } else {
            lateAnswerCount += 1
        }

        let held = try overrides(server)
        #expect(acceptable.contains(held), "\(text("overrides"))\n\(acceptable)")
        orders = held
        acceptable = [held]
        let out = Set(orders.filter { ["drain", "down"].contains($0.value.verb) }.keys)
        let targets = (ManyLives.targets + ["free"]).enumerated()
            .filter { !out.contains($0.element) }.map { "192.0.2.\($0.offset + 1)" }
        #expect(server.client.addresses("orders.example.") == targets)
    }

    /// Front doors change, orders are given, and what comes of it is seen. In a long life front
    /// doors change only at first, and it goes on until what was seen of all of them is so old that
    /// it has to be in the file.
    private mutating func live(_ server: TestServer, isLong: Bool) throws {
        for index in doors.indices {
            seen[index] = nil
            behave(index)
        }
        let start = Date()
        let changes = start + (isLong ? 0.5 : Double(generator.number(0...1200)) / 1000)
        while Date() < changes || isLong && !isAllOld(at: Date()) && Date() < start + 30 {
            if Date() < changes, generator.once(in: 3) {
                let index = generator.number(0...doors.count - 1)
                isGood[index].toggle()
                doorChange[index] = Date()
                behave(index)
            }
            if generator.once(in: 2) {
                let (words, result) = nextOrder()
                let outcome = try command(server, words).outcome
                try #require(outcome != .refused, "\(words)")
                note(result, outcome)
            }
            try look(server)
            pause(atMost: 50)
        }
    }

    private func behave(_ index: Int) {
        doors[index].behave(then: .answer(status: isGood[index] ? 200 : 500))
    }

    private mutating func look(_ server: TestServer) throws {
        let answer = try #require(server.client.addresses("health.example."))
        let now = Date()
        for (index, door) in doors.enumerated() {
            let isIn = answer.contains(door.address)
            if seen[index]?.isIn != isIn { seen[index] = (isIn, now) }
        }
        latestFile = text("health")
    }

    /// Whether what was seen of a front door has to be in the file. Only where it has not changed
    /// since: then what was seen is what is. (One that changed and changed back before a probe came
    /// has.)
    private func isSettled(_ index: Int, at end: Date) -> Bool {
        guard let (isIn, since) = seen[index] else { return false }
        return doorChange[index] < since && isIn == isGood[index]
            && end.timeIntervalSince(since) > ManyLives.staleness
    }

    private func isAllOld(at end: Date) -> Bool {
        seen.allSatisfy { end.timeIntervalSince($0?.since ?? end) > ManyLives.staleness }
    }

    /// Half of the time in the middle of an order.
    private mutating func die(_ server: TestServer) throws {
        var running: Command?
        var result = orders
        if generator.once(in: 2) {
            let (words, next) = nextOrder()
            result = next
            running = try command(server, words)
        }
        pause(atMost: 60)
        server.process.send(SIGKILL)
        let end = Date()
        #expect(server.process.waitForExit() == 128 + SIGKILL)
        if let running { note(result, running.outcome) }
        for door in doors { door.behave(then: .wait) }
        let file = text("health")
        let states = states(in: file)
        for (index, door) in doors.enumerated() where isSettled(index, at: end) {
            settledStateCount += 1
            #expect(states[door.address] == (isGood[index] ? "up" : "down"), "\(file)")
        }
    }

    // MARK: - Orders

    /// `geodnsctl` on its way.
    private struct Command {
        enum Outcome {
            case onDisk
            /// It holds, but says that the disk may not know.
            case held
            /// Also when the server has ended meanwhile, and nobody knows.
            case refused
        }

        var process: RunningProcess

        var outcome: Outcome {
            guard process.waitForExit() == 0 else { return .refused }
            return process.text.contains("may be lost") ? .held : .onDisk
        }
    }

    private func command(_ server: TestServer, _ words: [String]) throws -> Command {
        Command(
            process: try RunningProcess(
                Programs.own("geodnsctl"), ["--control", server.controlPath] + words))
    }

    private mutating func note(_ result: [String: Order], _ outcome: Command.Outcome) {
        if outcome != .refused { orders = result }
        if outcome == .onDisk {
            acceptable = [result]
            acknowledgedCount += 1
        } else {
            acceptable.insert(result)
        }
    }

    /// One that can be carried out, and what then holds.
    private mutating func nextOrder() -> (words: [String], orders: [String: Order]) {
        orderCount += 1
        var result = orders
        let reason = "number \(orderCount)"
        if generator.once(in: 5) {
            result["shares.example."] = Order(verb: "set", reason: reason)
            let weight = generator.number(1...1000)
            return (["set", "shares", "o0:\(weight)", "o1:1", "--reason", reason], result)
        }
        let target = generator.pick(ManyLives.targets)
        if orders[target] != nil, generator.once(in: 2) {
            result[target] = nil
            return (["clear", target], result)
        }
        let verb = generator.pick(["drain", "down", "up"])
        result[target] = Order(verb: verb, reason: reason)
        return ([verb, target, "--reason", reason], result)
    }

    private func overrides(_ server: TestServer) throws -> [String: Order] {
        var found: [String: Order] = [:]
        for line in try server.control("overrides", "--json").text.split(separator: "\n") {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            found[try #require(object["of"] as? String)] = Order(
                verb: try #require(object["order"] as? String),
                reason: try #require(object["reason"] as? String))
        }
        return found
    }

    // MARK: - The file

    /// Names of states by address.
    private func states(in file: String) -> [String: String] {
        var states: [String: String] = [:]
        for line in file.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count > 3, words[0] == "probe" { states[words[1]] = words[2] }
        }
        return states
    }

    /// When it was written: such times sort as text.
    private func time(of file: String) -> String {
        file.firstMatch(of: /front doors at (\S+);/).map { String($0.1) } ?? ""
    }

    private mutating func pause(atMost milliseconds: Int) {
        Thread.sleep(forTimeInterval: Double(generator.number(0...milliseconds)) / 1000)
    }
}
