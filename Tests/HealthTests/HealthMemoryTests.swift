import Addressing
import DNSWire
import Diagnostics
import TestSupport
import Testing

@testable import Health

/// What is known, through the text of a file and back.
@Suite struct HealthMemoryTests {
    static let now = second(1_000_000)
    /// The same moment.
    static let wall = WallClock(seconds: 1_795_000_000)

    static func read(_ text: String) -> (memory: HealthMemory, problems: [Diagnostic]) {
        HealthMemory.read(Array(text.utf8), file: "health", now: now, wall: wall)
    }

    static let probe = Probe(
        CheckSpecification(.https(path: "/healthz"), port: 443, host: "app.example"),
        of: IPAddress(ipv4: 0xC633_640A))

    static func list(_ state: HealthState = .down, seen: Duration = .zero) -> HealthMemory {
        var memory = HealthMemory()
        memory.remember(
            probe.address, probe.check.definition,
            HealthMemory.Entry(
                state, since: now + .seconds(-3600),
                seen: MonotonicTime(nanoseconds: now.nanoseconds - seen.nanoseconds), weight: 30,
                reason: "no connection within 3 s"))
        return memory
    }

    @Test func operatorsCanReadIt() throws {
        var memory = HealthMemoryTests.list()
        var hold = HoldDown(longest: .seconds(600))
        hold.wentDown(at: second(999_999))
        hold.wentDown(at: second(1_000_000))
        let name = try #require(DomainName("nrt.example."))
        memory.holds = [HealthMemory.Hold(name, ordinal: 0, machine: hold)]
        let text = memory.text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let expected: [String] = [
            "geodns-health 1",
            "# What geodnsd knew of its front doors at 2026-11-18T11:06:40Z; it reads this when it starts.",
            """
            probe 198.51.100.10 down since=2026-11-18T10:06:40Z seen=2026-11-18T11:06:40Z \
            weight=30 check="https /healthz port=443 host=app.example" \
            because="no connection within 3 s"
            """,
        ]
        #expect(Array(lines[..<3]) == expected)
        #expect(lines[3].hasPrefix("hold nrt.example. ordinal=0 longest=600000ms penalty=2.0 at="))
        #expect(lines[3].contains(" until=2026-11-18T11:"))
        #expect(lines.count == 5)
    }

    /// Random memories come back as they were, to the second.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func whatIsWrittenIsRead(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func past(_ now: MonotonicTime) -> MonotonicTime {
            now + .seconds(-generator.number(0...5_000_000))
        }
        var memory = HealthMemory()
        for _ in 0..<generator.number(0...20) {
            let bytes = (0..<generator.number(0...20)).map { _ in
                UInt8(generator.number(1...255))
            }
            let reason = String(decoding: bytes, as: UTF8.self)
            let address =
                generator.number(0...1) == 0
                ? IPAddress(ipv4: UInt32(truncatingIfNeeded: generator.next()))
                : IPAddress("2001:db8::\(generator.number(1...9999))")
            let states: [HealthState] = [.up, .degraded, .drain, .down]
            memory.remember(
                try #require(address), "tcp port=\(generator.number(1...65535)) send=\"\(reason)\"",
                HealthMemory.Entry(
                    states[generator.number(0...3)], since: past(HealthMemoryTests.now),
                    seen: past(HealthMemoryTests.now), weight: UInt8(generator.number(1...100)),
                    reason: reason))
        }
        for number in 0..<generator.number(0...5) {
            var hold = HoldDown(longest: .seconds(generator.number(1...7200)))
            for _ in 0...generator.number(0...3) { hold.wentDown(at: HealthMemoryTests.now) }
            let name = try #require(DomainName("a\(number).example."))
            memory.holds.append(HealthMemory.Hold(name, ordinal: number, machine: hold))
            memory.ramps.append(
                HealthMemory.Ramp(
                    name, ordinal: number,
                    since: generator.number(0...1) == 0 ? nil : past(HealthMemoryTests.now)))
        }
        let text = memory.text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        let (read, problems) = HealthMemoryTests.read(text)
        #expect(problems.isEmpty)
        #expect(read.count == memory.count && read.ramps == memory.ramps)
        let again = read.text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        #expect(again == text)
    }

    @Test(arguments: [
        ("probe 192.0.2.1 down since=2026-11-18T10:00:00Z seen=2026-11-18T10:00:00Z check=tcp", 1),
        ("probe 192.0.2 down since=2026-11-18T10:00:00Z", 7),
        ("probe 192.0.2.1 dead since=2026-11-18T10:00:00Z", 17),
        ("probe 192.0.2.1 unknown since=2026-11-18T10:00:00Z", 17),
        ("probe 192.0.2.1 up check=tcp because=x since=2026-02-30T10:00:00Z", 40),
        ("probe 192.0.2.1 up check=\"tcp", 1), ("probe 192.0.2.1 up check=\"tcp\\25", 1),
        ("probe", 1), ("override all down", 1), ("\u{0}\u{0}\u{0}", 1),
        ("ramp nrt.example. ordinal=x", 19), ("ramp nrt.example. ordinal=0 since=now", 29),
        ("hold nrt..example ordinal=0", 6),
        ("hold nrt.example. ordinal=-1", 19),
        ("hold nrt.example. ordinal=0 longest=10s", 29),
        ("hold nrt.example. ordinal=0 longest=10000ms penalty=nan at=2026-11-18T10:00:00Z", 1),
        ("hold nrt.example. ordinal=0 longest=10000ms penalty=17 at=2026-11-18T10:00:00Z", 1),
    ])
    func aDamagedLineIsToldOfAndTheOthersCount(_ line: String, _ column: Int) {
        let good = HealthMemoryTests.list()
            .text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        let (memory, problems) = HealthMemoryTests.read(
            good.replacing("probe", with: line + "\nprobe"))
        #expect(memory.count == 1 && memory.holds.isEmpty && memory.ramps.isEmpty)
        #expect(problems.count == 1)
        #expect(problems.first?.severity == .warning)
        #expect(problems.first?.location == SourceLocation(file: "health", line: 3, column: column))
    }

    @Test func anotherVersionIsNotRead() {
        let text = HealthMemoryTests.list()
            .text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        for other in [text.replacing("health 1", with: "health 2"), "", "\n" + text] {
            let (memory, problems) = HealthMemoryTests.read(other)
            #expect(memory.count == 0)
            #expect(problems.map(\.location?.line) == [1])
        }
    }

    /// Whatever happens to the bytes: no crash, and no more than was there.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func anyDamageIsTaken(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = Array(
            HealthMemoryTests.list()
                .text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall).utf8)
        for _ in 0..<generator.number(1...8) {
            let index = generator.number(0...bytes.count - 1)
            switch generator.number(0...2) {
            case 0: bytes[index] = UInt8(generator.number(0...255))
            case 1: bytes.remove(at: index)
            default: bytes.removeLast(bytes.count - index)
            }
            if bytes.isEmpty { break }
        }
        let (memory, problems) = HealthMemory.read(
            bytes, file: "health", now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        #expect(memory.count <= 1)
        #expect(memory.count + problems.count <= 10)
    }

    // MARK: - Use

    @Test func whatIsTooOldIsUnknown() {
        let pace = HealthMemoryTests.probe.check.every
        for (age, isKnown) in [
            (Duration.zero, true), (.seconds(605), true), (.seconds(611), false),
            (.seconds(-599), true), (.seconds(-601), false),
        ] {
            let entry = HealthMemoryTests.list(seen: age).recall(
                HealthMemoryTests.probe.address, HealthMemoryTests.probe.check.definition, pace,
                at: HealthMemoryTests.now)
            #expect((entry != nil) == isKnown, "\(age)")
            #expect(entry.map { $0.seen <= HealthMemoryTests.now } ?? true)
        }
    }

    /// Down stays down, and up stays up, until `rise` or `fall` probes say otherwise.
    @Test(arguments: [HealthState.up, .down, .degraded, .drain])
    func aWatchGoesOnFromWhatIsRemembered(_ state: HealthState) throws {
        var list = Watchlist()
        var now = HealthMemoryTests.now
        let memory = HealthMemoryTests.list(state)
        let others = [
            Probe(HealthMemoryTests.probe.check, of: IPAddress(ipv4: 1)),
            Probe(
                CheckSpecification(.https(path: "/other"), port: 443, host: "app.example"),
                of: HealthMemoryTests.probe.address),
        ]
        let probes = list.watch(
            [HealthMemoryTests.probe] + others, remembering: memory, at: now)
        #expect(probes.map { list.table[$0] } == [state, .unknown, .unknown])
        #expect(list.table[weightOf: probes[0]] == 30)
        #expect(!list.isAwaitingFirstResult(of: [probes[0]]))
        #expect(list.isAwaitingFirstResult(of: probes))
        let report = try #require(list.report(of: probes).first)
        #expect(report.words == "remembered: no connection within 3 s")
        #expect(report.since == now + .seconds(-3600))
        _ = list.retain(only: [probes[0]])
        var states: [HealthState] = []
        for _ in 0..<3 {
            var starts = list.takeDue(at: now, atMost: 1)
            // The times of those that are forgotten pass without a start.
            while starts.isEmpty {
                now = try #require(list.nextStart)
                starts = list.takeDue(at: now, atMost: 1)
            }
            let start = try #require(starts.first)
            _ = list.received(result(passed: state == .down), of: start.ticket, at: now)
            states.append(list.table[probes[0]])
        }
        #expect(states == (state == .down ? [.down, .up, .up] : [state, state, .down]))
        // What is remembered next is what is known now.
        let next = list.memory.recall(
            HealthMemoryTests.probe.address, HealthMemoryTests.probe.check.definition,
            .seconds(1), at: now)
        #expect(next?.state == states.last)
        #expect(next?.seen == now)
    }

    @Test func aHoldGoesOn() throws {
        var hold = HoldDown(longest: .seconds(40))
        hold.wentDown(at: HealthMemoryTests.now + .seconds(-2))
        hold.wentDown(at: HealthMemoryTests.now)
        var memory = HealthMemory()
        memory.holds = [
            HealthMemory.Hold(
                try #require(DomainName("nrt.example.")), ordinal: 1, machine: hold)
        ]
        let text = memory.text(now: HealthMemoryTests.now, wall: HealthMemoryTests.wall)
        var again = try #require(HealthMemoryTests.read(text).memory.holds.first).machine
        let until = try #require(again.heldUntil)
        let before = try #require(hold.heldUntil)
        #expect(abs((until - before).milliseconds) <= 1000)
        // One more failure holds it as much longer as it would have.
        again.wentDown(at: HealthMemoryTests.now + .seconds(1))
        hold.wentDown(at: HealthMemoryTests.now + .seconds(1))
        let (left, right) = (try #require(again.heldUntil), try #require(hold.heldUntil))
        #expect(abs((left - right).milliseconds) <= 1000)
    }
}

@Suite struct CheckDefinitionTests {
    /// Checks that differ in one thing each.
    static func variations() throws -> [CheckSpecification] {
        let question = DNSQuestion(try #require(DomainName("www.example.")), .a)
        var codes = question
        codes.expectedCodes = [3]
        var data = question
        data.expectedData = [[192, 0, 2, 1]]
        var overTCP = question
        overTCP.isOverTCP = true
        let kinds: [CheckSpecification.Kind] = [
            .http(path: "/"), .https(path: "/"), .http(path: "/x"), .http(path: "/ port=1"), .tcp,
            .tls, .ping, .exec(program: "/a"), .exec(program: "/a b"), .file(path: "/a"),
            .load(path: "/a"), .dns(question), .dns(codes), .dns(data), .dns(overTCP),
        ]
        var all = kinds.map { CheckSpecification($0) }
        let base = CheckSpecification(.http(path: "/"))
        func vary(_ change: (inout CheckSpecification) -> Void) {
            var other = base
            change(&other)
            all.append(other)
        }
        vary { $0.port = 80 }
        vary { $0.host = "a" }
        vary { $0.host = "a sni=b" }
        vary { $0.expectedStatuses = [200...200] }
        vary { $0.expectedStatuses = [200...299, 301...301] }
        vary { $0.every = .seconds(11) }
        vary { $0.fast = .milliseconds(1900) }
        vary { $0.timeout = .seconds(1) }
        vary { $0.fall = 1 }
        vary { $0.rise = 1 }
        vary { $0.source = IPAddress(ipv4: 1) }
        vary { $0.serverName = "a" }
        vary { $0.certificateDays = 14 }
        vary { $0.method = .head }
        vary { $0.usesHTTP2 = true }
        vary { $0.usesTLS = true }
        vary { $0.contains = Array("a\"b\\".utf8) }
        vary { $0.contains = [0, 255] }
        vary { $0.pattern = "^a b$" }
        vary { $0.send = [1] }
        vary { $0.receive = [1] }
        vary { $0.ageMax = .seconds(60) }
        vary { $0.loadLimits.errorRate = 0.02 }
        vary { $0.loadLimits.p99 = .milliseconds(250) }
        vary { $0.loadLimits.queue = 0 }
        vary { $0.metrics = [LoadMetric(.queue, "a")] }
        vary { $0.metrics = [LoadMetric(.connections, "a")] }
        return all
    }

    @Test func equalTextsAreEqualChecks() throws {
        let all = try CheckDefinitionTests.variations()
        #expect(Set(all).count == all.count)
        #expect(Set(all.map(\.definition)).count == all.count)
        // Whoever adds a field adds it to the definition, and to the variations here.
        #expect(Mirror(reflecting: all[0]).children.count == 22)
    }

    @Test func aDefinitionReadsLikeTheZone() {
        var check = CheckSpecification(.https(path: "/healthz"), port: 443, host: "app.example")
        check.contains = Array("all well".utf8)
        check.certificateDays = 14
        #expect(
            check.definition
                == "https /healthz port=443 host=app.example contains=\"all well\" cert-days=14")
    }
}

@Suite struct WallClockTests {
    @Test(arguments: 0..<200 as Range<UInt64>) func whatIsWrittenIsRead(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // To the year 9999.
        let clock = WallClock(seconds: generator.number(0...253_402_300_799))
        #expect(WallClock(clock.description) == clock)
    }

    @Test func onlyRealMomentsAreRead() {
        #expect(WallClock("1970-01-01T00:00:00Z")?.seconds == 0)
        #expect(WallClock("2024-02-29T23:59:59Z")?.seconds == 1_709_251_199)
        for text in [
            "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00", "2026-1-01T00:00:00ZZ", "", "+026-01-01T00:00:00Z",
        ] { #expect(WallClock(text) == nil, "\(text)") }
    }
}
