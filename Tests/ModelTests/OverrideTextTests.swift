import Addressing
import DNSWire
import Diagnostics
import Health
import TestSupport
import Testing

@testable import Steering

/// The file in which overrides outlive the process.
@Suite struct OverrideTextTests {
    private static let wall = WallClock(seconds: 1_795_000_000)

    private func second(_ count: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(count) * 1_000_000_000)
    }

    private func read(
        _ text: String, now: MonotonicTime, wall: WallClock = wall
    ) -> (overrides: Overrides, problems: [Diagnostic]) {
        Overrides.read(Array(text.utf8), file: "overrides", now: now, wall: wall)
    }

    private func randomOverride(_ random: inout SeededGenerator) throws -> Override {
        let texts = ["", "deploy 17", "say \"hi\" \\ there", "a=b", "São Paulo", "tab\there", "#"]
        let clients = [
            "all", "country=US", "continent=EU", "net=198.51.100.0/24", "net=2001:db8::/32",
        ]
        var order = Override.Order.state(random.pick([.up, .drain, .down]))
        var subject = random.pick(["fra", "eu-*", "fra.example.com.", "a\\.b", "x y", "\"", "k=v"])
        if random.once(in: 2) {
            subject = "www.example.com."
            var weights = WeightOrder([
                .init("blue", UInt32(random.number(0...9))), .init("c:d", .max),
            ])
            if random.once(in: 2) {
                var shift = Shift(
                    from: "blue", to: "c:d", step: random.number(1...Shift.whole),
                    pace: .seconds(random.number(60...600)), isFromZone: random.once(in: 2),
                    at: second(0))
                shift.moved = random.number(0...Shift.whole - 1)
                shift.phase = random.pick([
                    .running(next: second(1000 + random.number(1...50))),
                    .paused(because: random.pick(texts)), .done,
                ])
                if shift.phase == .done { shift.moved = Shift.whole }
                weights.shift = shift
            }
            order = .weights(weights)
        }
        return Override(
            order, of: subject, for: try #require(Override.Clients(random.pick(clients))),
            since: second(random.number(0...1000)),
            until: random.once(in: 2) ? second(random.number(1001...9999)) : nil,
            by: random.pick(texts), because: random.pick(texts))
    }

    @Test(arguments: 0..<50) func whatIsWrittenIsReadAgain(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var overrides = Overrides()
        for _ in 0..<random.number(0...6) { overrides.add(try randomOverride(&random)) }
        let name = try #require(DomainName("fra.example.com"))
        overrides.cachedUntil[name] = second(1060)
        let text = overrides.text(now: second(1000), wall: OverrideTextTests.wall)
        let (again, problems) = read(text, now: second(1000))
        #expect(problems == [], "\(text)")
        #expect(again == overrides, "\(text)")
    }

    /// Whatever a disk makes of the file: it is read without a trap, and what was understood is
    /// written and read again.
    @Test(arguments: 0..<100) func damageOfAnyKindIsSurvived(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var overrides = Overrides()
        for _ in 0..<4 { overrides.add(try randomOverride(&random)) }
        var bytes = Array(overrides.text(now: second(1000), wall: OverrideTextTests.wall).utf8)
        for _ in 0..<random.number(1...20) {
            let place = random.number(19...bytes.count - 1)
            switch random.number(0...3) {
            case 0: bytes[place] = UInt8(random.number(0...255))
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: Array("0:=%\\\" 9".utf8), at: place)
            default: bytes[place] = UInt8(ascii: "0") + UInt8(random.number(0...9))
            }
        }
        let (found, _) = Overrides.read(
            bytes, file: "overrides", now: second(1), wall: OverrideTextTests.wall)
        let text = found.text(now: second(100), wall: OverrideTextTests.wall)
        let (again, problems) = read(text, now: second(100))
        #expect(problems == [] && again.all.count == found.all.count, "\(text)")
    }

    /// Years that the other clock cannot count are damage.
    @Test func timesOfOtherAgesAreDamage() {
        func line(_ since: String) -> String {
            "geodns-overrides 1\ndrain target=fra clients=all since=\(since) by=root because=x\n"
        }
        for since in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"] {
            #expect(read(line(since), now: second(5)).problems.count == 1, "\(since)")
        }
        #expect(read(line("2026-01-01T00:00:00Z"), now: second(5)).problems == [])
    }

    /// The monotonic clock begins anew with the machine; what counts is the wall clock.
    @Test func timesAreThoseOfTheWallClock() {
        var override = Override(.state(.drain), of: "fra", since: second(1000))
        override.until = second(1000) + .seconds(7200)
        let text = Overrides([override]).text(now: second(1000), wall: OverrideTextTests.wall)
        let later = WallClock(seconds: OverrideTextTests.wall.seconds + 600)
        let (again, _) = read(text, now: second(7), wall: later)
        #expect(again.all[0].until == second(7 + 6600))
        #expect(again.all[0].since == second(7 - 600))
        // Told and ended by whoever hands over the time.
        var late = read(
            text, now: second(7), wall: WallClock(seconds: later.seconds + 7200)
        ).overrides
        let changes = late.advance(to: second(7))
        #expect(changes.count == 1 && late.isEmpty)
    }

    /// Whole seconds are written: a restart must not cost one each time.
    @Test func timesDoNotWander() {
        var now = second(1000)
        var wall = OverrideTextTests.wall
        var override = Override(.state(.drain), of: "fra", since: now)
        override.until = now + .seconds(100_000)
        var overrides = Overrides([override])
        for _ in 0..<100 {
            // 900 ms go by between two seconds of the wall clock.
            now = now + .milliseconds(10_900)
            wall = WallClock(seconds: wall.seconds + 11)
            let text = overrides.text(now: now, wall: wall)
            overrides = read(text, now: now, wall: wall).overrides
        }
        let end = OverrideTextTests.wall.seconds + 100_000
        let left = Int((overrides.all[0].until! - now).components.seconds)
        #expect(abs(wall.seconds + left - end) <= 15)
    }

    /// A shift goes on where it stood, and not before somebody has looked for a pace.
    @Test func aShiftDoesNotCountTheTimeBetweenProcesses() {
        var shift = Shift(
            from: "blue", to: "green", step: 1000, pace: .seconds(60), isFromZone: true,
            at: second(1000))
        _ = shift.advance(to: second(1000))
        let override = Override(
            .weights(WeightOrder([.init("blue", 1), .init("green", 0)], shift: shift)),
            of: "www.example.com.", since: second(1000))
        let text = Overrides([override]).text(now: second(1000), wall: OverrideTextTests.wall)
        func reading(after seconds: Int) -> Shift? {
            read(
                text, now: second(0),
                wall: WallClock(seconds: OverrideTextTests.wall.seconds + seconds)
            ).overrides.all.first?.shift
        }
        #expect(reading(after: 20)?.phase == .running(next: second(40)))
        #expect(reading(after: 7200)?.phase == .running(next: second(60)))
        #expect(reading(after: 7200)?.moved == 1000)
        // A clock that was set back does not hold it up.
        #expect(reading(after: -7200)?.phase == .running(next: second(60)))
    }

    @Test func whatIsDamagedIsToldOfAndIgnored() {
        let good = "drain target=fra clients=all since=2026-11-21T00:00:00Z by=root because=x"
        let lines = [
            "geodns-overrides 1", "# a comment", good, "",
            "drain clients=all since=2026-11-21T00:00:00Z by=root because=x",
            good.replacing("clients=all", with: "clients=moon"),
            good.replacing("T00:00:00Z", with: ""), "explode target=fra", "drain target=\"fra",
            "weights name=www weight=blue:x clients=all since=2026-11-21T00:00:00Z by=a because=b",
            "cached", good.replacing("fra", with: "iad"),
        ]
        let (overrides, problems) = read(lines.joined(separator: "\n"), now: second(0))
        #expect(overrides.all.map(\.subject) == ["fra", "iad"])
        #expect(
            problems.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0)" } == [
                "5:1", "6:18", "7:30", "8:1", "9:1", "10:18", "11:1",
            ])
        #expect(problems.allSatisfy { $0.message.hasSuffix("; the line is ignored") })
        let (none, told) = read("geodns-overrides 2\n\(good)\n", now: second(0))
        #expect(none.isEmpty && told.count == 1)
    }
}
