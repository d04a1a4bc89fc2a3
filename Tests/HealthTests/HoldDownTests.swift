import TestSupport
import Testing

@testable import Health

@Suite struct HoldDownTests {
    /// Half-lives of 10 seconds.
    private let longest = Duration.seconds(40)

    private func held(after seconds: [Int]) -> Int? {
        var hold = HoldDown(longest: longest)
        for time in seconds { hold.wentDown(at: second(time)) }
        guard let until = hold.heldUntil, let last = seconds.last else { return nil }
        return Int((until - second(last)).components.seconds)
    }

    @Test func aFirstFailureIsNeverHeldAgainstAnybody() {
        #expect(held(after: [100]) == nil)
        #expect(held(after: [100, 200]) == nil, "the first is long forgotten")
        #expect(held(after: [100, 110]) == nil, "half of the first is left")
    }

    @Test func eachTimeIsLongerAndNoneIsLongerThanTheLongest() {
        #expect(held(after: [100, 101]) == 9)
        #expect(held(after: [100, 101, 102]) == 15)
        #expect(held(after: [100, 101, 102, 103]) == 18)
        #expect(held(after: Array(100..<200)) == 39)
    }

    /// Targets that fail at random, in simulated time, against what the rules say of them.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func randomFailuresKeepTheRules(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let longest = Duration.seconds(generator.number(1...600))
        var hold = HoldDown(longest: longest)
        var now = second(generator.number(0...1_000_000))
        var failures: [MonotonicTime] = []
        // Some fail all the time, others hardly ever.
        let gapMax = generator.number(1...1500)
        for _ in 0..<100 {
            let gap = Duration.milliseconds(generator.number(1...1000 * gapMax))
            let before = hold.heldUntil.map { $0 > now + gap } == true ? hold.heldUntil : nil
            now = now + gap
            hold.wentDown(at: now)
            failures.append(now)
            if let until = hold.heldUntil, until > now {
                #expect(until - now <= longest, "bounded")
                if let before { #expect(until >= before, "a failure never shortens it") }
                let recent = failures.count { now - $0 <= longest / 2 }
                #expect(recent >= 2, "never for one failure")
                var later = hold
                let held = [now, until, until + .seconds(1)].map { later.isHeld(at: $0) }
                #expect(held == [true, false, false])
            } else {
                #expect(before == nil)
            }
            var later = hold
            let isHeld = later.isHeld(at: now + longest)
            #expect(!isHeld, "after the longest time it is free")
            let isForgotten = later.isForgotten(at: now + longest * 3)
            #expect(isForgotten)
        }
    }

    /// No flapping under hold: while failures come at least twice in a half-life, a target that is
    /// held is not let go in between.
    @Test(arguments: 1...5) func whatGoesOnFlappingStaysOut(gap: Int) {
        var hold = HoldDown(longest: longest)
        var releaseCount = 0
        var wasHeld = false
        for time in 1000..<2000 {
            if time % gap == 0 { hold.wentDown(at: second(time)) }
            let isHeld = hold.isHeld(at: second(time))
            if wasHeld, !isHeld { releaseCount += 1 }
            wasHeld = isHeld
        }
        #expect(wasHeld)
        #expect(releaseCount == 0)
        let isHeld = hold.isHeld(at: second(2040))
        #expect(!isHeld)
    }
}

@Suite struct WeightTests {
    private let check = CheckSpecification(.load(path: "/"), port: 80, fall: 2, rise: 2)

    private func report(_ text: String) -> ProbeResult {
        check.judge(HTTPResponse(statusCode: 200, body: Array(text.utf8)), after: .zero)
    }

    @Test func aDegradedFrontDoorWeighsWhatItSays() throws {
        var list = Watchlist()
        let probe = Probe(check, of: .init(ipv4: 1))
        let identifier = list.watch([probe], at: second(0))[0]
        var now = second(0)
        var weights: [UInt8] = []
        for text in [
            "up", "75%", "30%", "up", "{\"queue\":1}", "60%", "drain", "up", "x", "x", "10%", "10%",
        ] {
            now = list.nextStart.map { max($0, now) } ?? now
            let start = try #require(list.takeDue(at: now, atMost: 1).first)
            let before = list.table
            _ = list.received(report(text), of: start.ticket, at: now)
            weights.append(list.table[weightOf: identifier])
            let isSame =
                before[identifier] == list.table[identifier]
                && before[weightOf: identifier] == weights.last
            #expect(isSame == (before.stateVersion == list.table.stateVersion), "\(text)")
        }
        #expect(weights == [100, 75, 30, 30, 100, 60, 100, 100, 100, 100, 100, 10])
        _ = list.retain(only: [])
        #expect(list.table[weightOf: identifier] == 100)
    }
}
