import Addressing
import Health
import TestSupport
import Testing

@Suite struct IsolationTests {
    private static func check(_ generator: inout SeededGenerator) -> CheckSpecification {
        let every = generator.number(1...20)
        return CheckSpecification(
            .tcp, port: 80, every: .seconds(every), fast: .seconds(min(every, 2)),
            timeout: .seconds(min(every, generator.number(1...3))), fall: generator.number(1...5),
            rise: generator.number(1...3))
    }

    /// From a death to the state: the first probe after it, the rest of `fall`, and what an anchor
    /// may take for each.
    private static func detection(_ check: CheckSpecification) -> Duration {
        check.every + check.timeout + (check.fast + check.timeout) * (check.fall - 1)
            + .seconds(2)
    }

    /// Cut off, with anchors: nobody goes down, the alarm comes, and it ends, all in bounded time.
    @Test(arguments: 0..<150 as Range<UInt64>)
    func anchorsKeepEveryStateWhileThisServerIsCutOff(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let checks = (0..<generator.number(1...30)).map { _ in IsolationTests.check(&generator) }
        var network = SimulatedNetwork(anchorCount: generator.number(1...3), checks: checks)
        let start = second(1100) + .milliseconds(generator.number(0...20_000))
        let end = start + .seconds(generator.number(60...600))
        network.cut = start...end
        network.run(until: end + .seconds(120))
        #expect(network.down.isEmpty)
        #expect(network.states.allSatisfy { $0 == .up })
        #expect(network.changes.count == 2)
        let (first, last) = (
            try #require(network.changes.first), try #require(network.changes.last)
        )
        let isCutOff = if case .cutOff = first.change { true } else { false }
        #expect(isCutOff)
        // The slowest of all checks, and two probes of each anchor.
        #expect(first.time > start && first.time < start + .seconds(40))
        #expect(last.change == .reconnected)
        #expect(last.time > end && last.time < end + .seconds(4))
        // And then a dead one is dead again.
        network.doors[SimulatedNetwork.address(0)] = .hangs
        network.run(until: network.now + IsolationTests.detection(checks[0]))
        #expect(network.down == [SimulatedNetwork.address(0)])
    }

    /// Short cuts that no alarm may see: what counts of them is one failure as it begins and one as
    /// it ends, less than `fall`.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func shortCutsTakeNobodyDown(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let checks = (0..<generator.number(1...30)).map { _ in
            var check = IsolationTests.check(&generator)
            check.every = max(check.every, .seconds(2))
            check.fast = .seconds(2)
            check.fall = max(check.fall, 3)
            return check
        }
        var network = SimulatedNetwork(anchorCount: generator.number(1...3), checks: checks)
        network.run(until: second(1100))
        for _ in 0..<20 {
            let start = network.now + .milliseconds(generator.number(40_000...60_000))
            let end = start + .milliseconds(generator.number(1...8000))
            network.cut = start...end
            network.run(until: end + .seconds(1))
        }
        network.run(until: network.now + .seconds(60))
        #expect(network.down.isEmpty)
        #expect(network.list.cutOff.isEmpty)
    }

    /// While an anchor answers, whatever dies goes down in its time: one, some, or all at once.
    @Test(arguments: 0..<150 as Range<UInt64>)
    func whileAnAnchorAnswersDeadDoorsGoDown(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let checks = (0..<generator.number(1...20)).map { _ in IsolationTests.check(&generator) }
        var network = SimulatedNetwork(anchorCount: generator.number(1...3), checks: checks)
        // The others may be dead.
        for number in 1..<3 where generator.once(in: 2) {
            network.doors[SimulatedNetwork.anchor(number)] = .hangs
        }
        let end = second(1100)
        network.run(until: end)
        let all = generator.once(in: 3)
        var dead: Set<IPAddress> = []
        for number in checks.indices where all || generator.once(in: 3) {
            network.doors[SimulatedNetwork.address(number)] =
                generator.once(in: 2) ? .hangs : .refuses
            dead.insert(SimulatedNetwork.address(number))
        }
        network.run(until: end + .seconds(120))
        #expect(network.down == dead)
        #expect(network.changes.isEmpty)
        for (time, report) in network.reports where report.transition?.to == .down {
            guard !report.isAnchor else { continue }
            #expect(time <= end + IsolationTests.detection(report.probe.check))
        }
    }

    /// Anchors that are gone for good do not stop the work, as long as most front doors answer.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func wrongAnchorsAreFoundOut(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let checks = (0..<generator.number(3...20)).map { _ in IsolationTests.check(&generator) }
        var network = SimulatedNetwork(anchorCount: 2, checks: checks)
        network.run(until: second(1100))
        for number in 0..<2 { network.doors[SimulatedNetwork.anchor(number)] = .hangs }
        network.run(until: second(1200))
        #expect(network.list.cutOff.isEmpty)
        network.doors[SimulatedNetwork.address(0)] = .hangs
        // Each failure may have to wait for an anchor's silence.
        let limit = IsolationTests.detection(checks[0]) + .seconds(6 * checks[0].fall)
        network.run(until: second(1200) + limit)
        #expect(network.down == [SimulatedNetwork.address(0)])
        #expect(network.list.cutOff.isEmpty)
    }

    // MARK: - Without anchors

    @Test(arguments: 0..<100 as Range<UInt64>)
    func withoutAnchorsAGuessIsMadeAndTakenBack(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let checks = (0..<generator.number(3...30)).map { _ in
            CheckSpecification(
                .tcp, port: 80, every: .seconds(generator.number(2...10)), fast: .seconds(2),
                timeout: .seconds(2), fall: generator.number(1...4), rise: 2)
        }
        var network = SimulatedNetwork(anchorCount: 0, checks: checks)
        let start = second(1100) + .milliseconds(generator.number(0...20_000))
        let end = start + .seconds(generator.number(60...280))
        network.cut = start...end
        network.run(until: start + .seconds(30))
        // What went down before it was noticed has come back.
        #expect(network.states.allSatisfy { $0 == .up })
        network.run(until: end + .seconds(60))
        #expect(network.states.allSatisfy { $0 == .up })
        #expect(network.changes.count == 2)
        let (first, last) = (
            try #require(network.changes.first), try #require(network.changes.last)
        )
        #expect(first.time < start + .seconds(13))
        #expect(last.change == .reconnected)
        #expect(last.time > end && last.time < end + .seconds(13))
    }

    /// If they are dead after all, they are down at last.
    @Test func aGuessIsGivenUp() throws {
        let checks = (0..<8).map { _ in
            CheckSpecification(.tcp, port: 80, timeout: .seconds(2), fall: 3, rise: 2)
        }
        var network = SimulatedNetwork(anchorCount: 0, checks: checks)
        network.run(until: second(1100))
        for number in checks.indices { network.doors[SimulatedNetwork.address(number)] = .hangs }
        network.run(until: second(1390))
        #expect(network.states.allSatisfy { $0 == .up })
        network.run(until: second(1450))
        #expect(network.changes.map(\.change).last == .givenUp)
        #expect(network.states.allSatisfy { $0 == .down })
        #expect(network.changes.count == 2)
    }

    /// One target, however many checks it has, or two: never a reason to freeze.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func aSingleFailureNeverFreezesAnything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let checks = (0..<generator.number(1...20)).map { _ in IsolationTests.check(&generator) }
        var network = SimulatedNetwork(anchorCount: 0, checks: checks)
        network.run(until: second(1100))
        let dead = Set(
            (0..<generator.number(1...2)).map { _ in
                SimulatedNetwork.address(generator.number(0...checks.count - 1))
            })
        for address in dead { network.doors[address] = .hangs }
        network.run(until: second(1100) + .seconds(120))
        #expect(network.down == dead)
        #expect(network.changes.isEmpty)
    }
}
