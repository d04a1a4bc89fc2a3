import TestSupport
import Testing

@testable import Health

func result(passed: Bool, _ reason: String = "") -> ProbeResult {
    ProbeResult(passed ? .passed : .failed, in: .status, because: reason, after: .milliseconds(5))
}

func second(_ count: Int) -> MonotonicTime {
    MonotonicTime(nanoseconds: Int64(count) * 1_000_000_000)
}

@Suite struct CheckMachineTests {
    @Test func theFirstResultDecidesAtOnce() {
        for passed in [true, false] {
            var machine = CheckMachine(CheckSpecification(.tcp, port: 80, fall: 3, rise: 2))
            #expect(machine.state == .unknown)
            #expect(machine.lastChange == nil)
            let transition = machine.received(result(passed: passed, "why"), at: second(7))
            let expected = CheckMachine.Transition(
                from: .unknown, to: passed ? .up : .down, reason: "why", time: second(7))
            #expect(transition == expected)
            #expect(machine.lastChange == second(7))
        }
    }

    @Test func aFrontDoorGoesDownAndComesBack() {
        var machine = CheckMachine(CheckSpecification(.tcp, port: 80, fall: 3, rise: 2))
        let script = [true, false, false, true, false, false, false, true, false, true, true]
        let states = script.enumerated().map { index, passed in
            _ = machine.received(result(passed: passed), at: second(index))
            return machine.state
        }
        let expected: [HealthState] = [
            .up, .up, .up, .up, .up, .up, .down, .down, .down, .down, .up,
        ]
        #expect(states == expected)
        #expect(machine.lastTransition?.from == .down)
        #expect(machine.lastChange == second(10))
        #expect(machine.consecutiveSuccesses == 2)
        #expect(machine.consecutiveFailures == 0)
    }

    /// No state that is in question changes sooner than is told, and a firm one not before `fall`
    /// results.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func theTimeToAChangeIsNeverTooLong(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let check = CheckSpecification(
            .tcp, port: 80, every: .seconds(random.number(5...60)),
            fast: .seconds(random.number(1...5)), fall: random.number(1...5),
            rise: random.number(1...5))
        var machine = CheckMachine(check)
        var now = second(0)
        // Of each moment so far: the first result after it may come at once.
        var bounds: [MonotonicTime] = []
        var pending: Duration?
        for _ in 0..<200 {
            if let told = pending { bounds.append(now + told) }
            let wasFirm = machine.timeToChange == nil && machine.state == .up
            let transition = machine.received(
                result(passed: random.number(0...2) > 0), at: now)
            if transition != nil {
                for bound in bounds { #expect(bound <= now) }
                if wasFirm { #expect(check.fall == 1) }
            }
            pending = machine.timeToChange
            // Where it is firm again, or has changed, what was told before is over.
            if transition != nil || pending == nil { bounds = [] }
            now = now + machine.nextDelay
        }
    }

    @Test func theTimeToAChangeIsThatOfTheResultsStillMissing() {
        let check = CheckSpecification(
            .tcp, port: 80, every: .seconds(30), fast: .seconds(5), fall: 3, rise: 4)
        var machine = CheckMachine(check)
        let script = [true, false, false, true, false, false, false, true, true, false, true]
        let told = script.map { passed in
            _ = machine.received(result(passed: passed), at: second(0))
            return machine.timeToChange.map { Int($0.components.seconds) }
        }
        #expect(told == [nil, 5, 0, nil, 5, 0, 15, 10, 5, 15, 10])
    }

    @Test func aTransitionNamesTheResultThatTippedIt() {
        var machine = CheckMachine(CheckSpecification(.tcp, port: 80, fall: 2))
        _ = machine.received(result(passed: true), at: second(0))
        let first = machine.received(result(passed: false, "first"), at: second(1))
        #expect(first == nil)
        let transition = machine.received(result(passed: false, "second"), at: second(2))
        #expect(transition?.reason == "second")
        let third = machine.received(result(passed: false, "third"), at: second(3))
        #expect(third == nil)
        #expect(machine.lastResult?.reason == "third")
        #expect(machine.lastTransition == transition)
    }

    /// A slow, obvious model: looks at the whole history each time.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func randomScriptsKeepTheRules(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let fall = Int.random(in: 1...5, using: &generator)
        let rise = Int.random(in: 1...5, using: &generator)
        let specification = CheckSpecification(
            .tcp, port: 80, every: .seconds(10), fast: .seconds(2), fall: fall, rise: rise)
        var machine = CheckMachine(specification)
        var history: [Bool] = []
        let bias = Int.random(in: 1...9, using: &generator)
        for step in 0..<200 {
            let passed = Int.random(in: 0..<10, using: &generator) < bias
            let before = machine.state
            history.append(passed)
            let transition = machine.received(result(passed: passed), at: second(step))
            let failures = history.reversed().prefix { !$0 }.count
            let successes = history.reversed().prefix { $0 }.count

            #expect(machine.consecutiveFailures == failures)
            #expect(machine.consecutiveSuccesses == successes)
            #expect((transition == nil) == (machine.state == before))
            switch (before, machine.state) {
            case (.unknown, let after): #expect(after == (passed ? .up : .down))
            case (.up, .down): #expect(failures == fall)
            case (.down, .up): #expect(successes == rise)
            case (.up, .up): #expect(failures < fall)
            case (.down, .down): #expect(successes < rise)
            default: Issue.record("\(before) became \(machine.state)")
            }
            let isFirmlyUp = machine.state == .up && failures == 0
            #expect(machine.nextDelay == (isFirmlyUp ? .seconds(10) : .seconds(2)))
            if transition != nil { #expect(machine.lastChange == second(step)) }
        }
    }
}

@Suite struct ProbeResultTests {
    @Test func statusesAreJudgedByWhatIsExpected() {
        let check = CheckSpecification(
            .http(path: "/"), port: 80, expectedStatuses: [200...299, 304...304])
        #expect(check.judge(HTTPResponse(statusCode: 204), after: .zero).verdict == .passed)
        #expect(check.judge(HTTPResponse(statusCode: 304), after: .zero).verdict == .passed)
        let failed = check.judge(HTTPResponse(statusCode: 500), after: .milliseconds(3))
        #expect(failed.verdict == .failed)
        #expect(failed.reason == "status 500, expected 200-299,304")
        #expect(failed.statusCode == 500)
    }

    @Test func durationsReadAsAnOperatorWritesThem() {
        #expect(Duration.seconds(3).inWords == "3 s")
        #expect(Duration.milliseconds(1500).inWords == "1.5 s")
        #expect(Duration.milliseconds(1050).inWords == "1.05 s")
        #expect(Duration.milliseconds(200).inWords == "200 ms")
        #expect(Duration.microseconds(1).milliseconds == 1)
    }

    @Test func timesDoNotOverflow() {
        let late = MonotonicTime(nanoseconds: .max - 5)
        #expect(late + .seconds(1) == MonotonicTime(nanoseconds: .max))
        #expect(second(3) + .milliseconds(500) - second(1) == .milliseconds(2500))
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
    }
}
