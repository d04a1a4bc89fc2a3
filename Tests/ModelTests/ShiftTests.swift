import Health
import TestSupport
import Testing

@testable import Steering

/// `shift`: shares that move step by step.
@Suite struct ShiftTests {
    private func second(_ count: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: count * 1_000_000_000)
    }

    private func shift(step: Int = 3000) -> Shift {
        Shift(
            from: "blue", to: "green", step: step, pace: .seconds(60), isFromZone: true,
            at: second(0))
    }

    @Test func itTakesAStepAtOnceAndOneEachPace() {
        var shift = shift()
        var moved: [Int] = []
        for time in stride(from: Int64(0), through: 240, by: 30) {
            _ = shift.advance(to: second(time))
            moved.append(shift.moved)
        }
        #expect(moved == [3000, 3000, 6000, 6000, 9000, 9000, 10_000, 10_000, 10_000])
        #expect(shift.phase == .done && shift.nextStep == nil)
    }

    /// A machine that slept must not move everything at once to what nobody has looked at.
    @Test func itNeverTakesTwoStepsTogether() {
        var shift = shift(step: 1000)
        let step1 = shift.advance(to: second(0))
        #expect(step1)
        let step2 = shift.advance(to: second(7200))
        #expect(step2)
        #expect(shift.moved == 2000)
        #expect(shift.nextStep == second(7260))
        let step3 = shift.advance(to: second(7259))
        #expect(!step3)
    }

    @Test func pausedItStandsStillAndThenWaitsAPace() {
        var shift = shift()
        _ = shift.advance(to: second(0))
        shift.pause(because: "green is down")
        let step4 = shift.advance(to: second(1000))
        #expect(!step4)
        #expect(shift.moved == 3000 && shift.phase == .paused(because: "green is down"))
        shift.resume(at: second(2000))
        let step5 = shift.advance(to: second(2059))
        #expect(!step5)
        let step6 = shift.advance(to: second(2060))
        #expect(step6)
        #expect(shift.moved == 6000)
    }

    /// It stops by itself as soon as its receiver, or what is nested in it, is anything but up.
    @Test(
        arguments: [
            (HealthState.up, nil), (.degraded, "fra is degraded"), (.down, "fra is down"),
            (.drain, "fra is drained"),
        ] as [(HealthState, String?)])
    func itStopsWhenTheReceiverDegrades(_ state: HealthState, _ ailment: String?) throws {
        let plan = try load([
            (
                "example.com",
                zone(
                    """
                    iad REGION 39 -77 check=web
                     A 192.0.2.1
                    fra REGION 50 9 check=web
                     A 192.0.2.2
                    blue GEO failover iad
                    green GEO failover fra
                    www GEO weighted blue:1 green:0

                    """)
            )
        ]).plan
        var overrides = Overrides([
            Override(
                .weights(WeightOrder([.init("blue", 1), .init("green", 0)], shift: shift())),
                of: "www.example.com.", since: second(0))
        ])
        let states = plan.endpoints.map { $0.label == "fra" ? state : .up }
        let stopped = overrides.pauseShifts(in: plan, states)
        #expect(stopped.count == (ailment == nil ? 0 : 1))
        guard case .weights(let weights) = overrides.all[0].order else { return }
        #expect(
            weights.shift?.phase == ailment.map { .paused(because: $0) }
                ?? .running(next: second(0)))
        // Where it stopped it stays, though time passes.
        let steps = overrides.advance(to: second(600))
        #expect(steps.isEmpty == (ailment != nil))
    }

    @Test(arguments: 0..<50) func sharesAddUpAndOnlyTheTwoChange(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let labels = (0..<random.number(2...6)).map { "t\($0)" }
        let large = random.once(in: 3)
        let zone = labels.map { _ in UInt32(random.number(0...(large ? 700_000_000 : 1000))) }
        var order = WeightOrder([])
        var shift = Shift(
            from: "t0", to: "t1", step: random.number(1...Shift.whole), pace: .seconds(1),
            isFromZone: true, at: second(0))
        shift.moved = random.number(0...Shift.whole)
        order.shift = shift
        let weights = order.weights(of: labels, zone: zone)
        let sum = weights.reduce(UInt64(0)) { $0 + UInt64($1) }
        let zoneSum = zone.reduce(UInt64(0)) { $0 + UInt64($1) }
        #expect(sum <= UInt64(UInt32.max))
        guard zoneSum > 0 else { return }
        func part(_ index: Int) -> Double { Double(weights[index]) / Double(sum) }
        func zonePart(_ index: Int) -> Double { Double(zone[index]) / Double(zoneSum) }
        let given = zonePart(0) * Double(shift.moved) / Double(Shift.whole)
        #expect(abs(part(0) - (zonePart(0) - given)) < 1e-5)
        #expect(abs(part(1) - (zonePart(1) + given)) < 1e-5)
        for index in labels.indices.dropFirst(2) {
            #expect(abs(part(index) - zonePart(index)) < 1e-5)
            #expect((weights[index] == 0) == (zone[index] == 0))
        }
    }

    @Test func stepsAreReadAndWrittenInPercent() {
        #expect(Shift.hundredths("10%") == 1000)
        #expect(Shift.hundredths("0.5%") == 50)
        #expect(Shift.hundredths("0.05%") == 5)
        #expect(Shift.hundredths("100%") == 10_000)
        for wrong in ["", "%", "10", "0%", "100.01%", "-5%", "1.%", ".5%", "1.234%", "1e2%"] {
            #expect(Shift.hundredths(wrong) == nil, "\(wrong)")
        }
        for value in [1, 10, 50, 99, 100, 250, 10_000] {
            let text = Shift.percent(value).split(separator: " ").joined()
            #expect(Shift.hundredths(text) == value, "\(text)")
        }
    }
}
