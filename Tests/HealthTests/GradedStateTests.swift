import TestSupport
import Testing

@testable import Health

func result(_ verdict: ProbeResult.Verdict) -> ProbeResult {
    ProbeResult(verdict, in: .content, because: "", after: .milliseconds(5))
}

@Suite struct GradedStateTests {
    private func states(
        of script: [ProbeResult.Verdict], fall: Int = 3, rise: Int = 2
    ) -> [HealthState] {
        var machine = CheckMachine(CheckSpecification(.tcp, port: 80, fall: fall, rise: rise))
        return script.enumerated().map { index, verdict in
            _ = machine.received(result(verdict), at: second(index))
            return machine.state
        }
    }

    @Test func aWarningShowsAtOnceAndGoesAfterRise() {
        let script: [ProbeResult.Verdict] = [
            .passed, .degraded, .passed, .degraded, .passed, .passed,
        ]
        #expect(states(of: script) == [.up, .degraded, .degraded, .degraded, .degraded, .up])
    }

    @Test func aDrainIsAnOrder() {
        let script: [ProbeResult.Verdict] = [.passed, .drained, .drained, .passed, .degraded]
        #expect(states(of: script) == [.up, .drain, .drain, .up, .degraded])
    }

    @Test func strainDegradesFirstAndTakesDownAfterFall() {
        let script: [ProbeResult.Verdict] = [
            .passed, .strained, .strained, .strained, .strained, .passed, .passed,
        ]
        #expect(
            states(of: script) == [.up, .degraded, .degraded, .down, .down, .down, .up])
    }

    @Test func aFrontDoorComesBackAsWhatItSays() {
        let script: [ProbeResult.Verdict] = [.failed, .passed, .drained, .failed, .failed]
        #expect(states(of: script, fall: 2) == [.down, .down, .drain, .drain, .down])
        #expect(states(of: [.failed, .degraded], rise: 1) == [.down, .degraded])
    }

    /// Scripts in simulated time, each transition held against the whole history.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func randomScriptsKeepTheRules(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let fall = generator.number(1...5)
        let rise = generator.number(1...5)
        let specification = CheckSpecification(
            .tcp, port: 80, every: .seconds(10), fast: .seconds(2), fall: fall, rise: rise)
        var machine = CheckMachine(specification)
        var history: [ProbeResult.Verdict] = []
        // Some scripts are calm, others all noise.
        let calm = generator.number(1...12)
        var verdict = ProbeResult.Verdict.passed
        var now = second(0)
        for _ in 0..<200 {
            if generator.once(in: calm) {
                verdict = generator.pick([.passed, .degraded, .drained, .strained, .failed])
            }
            let before = machine.state
            history.append(verdict)
            let transition = machine.received(result(verdict), at: now)
            now = now + machine.nextDelay
            let failures = history.reversed().prefix { !$0.isSuccess }.count
            let successes = history.reversed().prefix { $0.isSuccess }.count
            let passes = history.reversed().prefix { $0 == .passed }.count
            #expect((transition != nil) == (before != machine.state))
            if before == .unknown { continue }
            switch (before, machine.state) {
            case (.down, .down): #expect(successes < rise)
            case (.down, _): #expect(successes == rise, "never back before rise")
            case (_, .down):
                // A strained first result is degraded first, even with fall=1.
                #expect(failures == fall || (fall == 1 && history.count == 2))
            case (_, .drain): #expect(verdict == .drained || (before == .drain && failures > 0))
            case (.degraded, .up): #expect(passes == rise)
            case (_, .up): #expect(verdict == .passed || (before == .up && verdict == .failed))
            case (.degraded, .degraded): #expect(failures < fall && passes < rise)
            case (_, .degraded): #expect(verdict == .degraded || verdict == .strained)
            case (_, .unknown): Issue.record("a state was lost")
            }
            let pace = machine.isInTransition || machine.state == .down ? 2 : 10
            #expect(machine.nextDelay == .seconds(pace))
        }
    }
}

@Suite struct JudgementTests {
    @Test(arguments: [
        ([HealthState.up, .up, .down], 2, HealthState.up), ([.up, .down, .down], 2, .down),
        ([.up, .degraded, .down], 2, .degraded), ([.up, .up, .degraded], 2, .up),
        ([.up, .up, .drain], 2, .drain), ([.down, .down, .drain], 2, .down),
        ([.unknown, .unknown], 2, .unknown), ([.unknown, .up], 2, .up), ([], 1, .up),
        ([.up, .down], 2, .down), ([.up], 5, .up),
    ])
    func aQuorumOfChecksDecides(states: [HealthState], quorum: Int, expected: HealthState) {
        #expect(HealthStateCounts(states).ofChecks(quorum: quorum) == expected)
    }

    @Test(arguments: [
        ([HealthState.up, .down], 1, HealthState.up), ([.degraded, .up], 1, .up),
        ([.degraded, .up], 2, .degraded), ([.drain, .up], 2, .drain),
        ([.drain, .down], 1, .drain), ([.down, .down], 1, .down), ([.unknown], 1, .up),
    ])
    func enoughAddressesMakeATarget(states: [HealthState], needed: Int, expected: HealthState) {
        #expect(HealthStateCounts(states).ofAddresses(needed: needed) == expected)
    }

    /// A check that gets better never makes an address worse.
    @Test func bettermentIsMonotonic() {
        let ladder: [HealthState] = [.down, .drain, .degraded, .up]
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2000 {
            var states = (0..<generator.number(1...5)).map { _ in generator.pick(ladder) }
            let quorum = generator.number(1...states.count)
            let before = HealthStateCounts(states).ofChecks(quorum: quorum)
            let index = generator.number(0...states.count - 1)
            guard states[index] == .degraded else { continue }
            states[index] = .up
            let after = HealthStateCounts(states).ofChecks(quorum: quorum)
            #expect(before.worse(after) == before)
        }
    }
}
