import Health
import TestSupport
import Testing

@testable import Steering

/// `minimum-regions` and `minimum-capacity`.
@Suite struct SafetyRuleTests {
    private static let text = """
        iad  REGION 39 -77 capacity=20
             A 192.0.2.1
        fra  REGION 50 8 capacity=30
             A 192.0.2.2
        nrt  REGION 36 140 capacity=50
             A 192.0.2.3
        api.fra A 192.0.2.12
        api.iad A 192.0.2.11
        sorry A 192.0.2.99
        app  GEO nearest iad fra nrt
        one  GEO failover iad backup=sorry
        """

    private func objections(
        _ rules: SafetyRules, drain: [String] = [], down: Set<String> = [],
        set: (String, [WeightOrder.Share])? = nil, more: String = ""
    ) throws -> [String] {
        let plan = try load([("example.com", zone(SafetyRuleTests.text + "\n" + more))]).plan
        let start = MonotonicTime(nanoseconds: 0)
        var overrides = Overrides(
            drain.map { Override(.state(.drain), of: $0, since: start) })
        if let set {
            overrides.add(
                Override(.weights(WeightOrder(set.1)), of: set.0 + ".example.com.", since: start))
        }
        let states = plan.endpoints.map { down.contains($0.label) ? HealthState.down : .up }
        return rules.objections(
            in: plan, states, before: OverrideEffect(),
            after: overrides.withShiftsDone.effect(in: plan))
    }

    @Test func regionsAreCountedForEachName() throws {
        let two = SafetyRules(minimumRegions: 2)
        #expect(try objections(two, drain: ["fra"]) == [])
        #expect(
            try objections(two, drain: ["fra", "nrt"]) == [
                "app.example.com. would be left with 1 of 3 regions (iad), and minimum-regions is 2"
            ])
        // What is down counts as gone.
        #expect(try objections(two, drain: ["nrt"], down: ["fra"]).count == 1)
        #expect(try objections(two, drain: ["fra"], down: ["fra", "nrt"]) == [])
        // A name that has less keeps what it has.
        #expect(
            try objections(two, drain: ["iad"]) == [
                "one.example.com. would be left with 0 of 1 regions, and minimum-regions is 2"
            ])
        #expect(try objections(SafetyRules(), drain: ["*"]) == [])
    }

    @Test func capacityIsAdded() throws {
        let half = SafetyRules(minimumCapacity: 50)
        #expect(try objections(half, drain: ["fra"]) == [])
        #expect(
            try objections(half, drain: ["nrt", "sorry"], down: ["sorry"]) == [])
        #expect(
            try objections(SafetyRules(minimumCapacity: 51), drain: ["nrt"]) == [
                "app.example.com. would be left with 50 of 100 of its capacity, 50 % (fra iad), and "
                    + "minimum-capacity is 51 %"
            ])
        // Without capacities all count alike.
        #expect(
            try objections(
                half, drain: ["x", "y"], more: "x A 192.0.2.4\ny A 192.0.2.5\np GEO failover x y")
                == [
                    "p.example.com. would be left with 0 of 2 regions, all counting alike, 0 %, and "
                        + "minimum-capacity is 50 %"
                ])
    }

    @Test func sharesOfNothingAreNoRegions() throws {
        let two = SafetyRules(minimumRegions: 2)
        let www = "blue GEO failover iad fra\nwww GEO weighted blue:1 nrt:0"
        #expect(
            try objections(two, set: ("www", [.init("blue", 0), .init("nrt", 1)]), more: www) == [
                "www.example.com. would be left with 1 of 3 regions (nrt), and minimum-regions is 2"
            ])
        #expect(
            try objections(two, set: ("www", [.init("blue", 1), .init("nrt", 1)]), more: www) == [])
        // A nested name that is drained takes its regions with it.
        #expect(try objections(two, drain: ["blue"], more: www).count == 1)
    }

    /// A shift is refused at its start, not stopped on the way.
    @Test func aShiftCountsAsWhatItWillBe() throws {
        let start = MonotonicTime(nanoseconds: 0)
        let shift = Shift(
            from: "fra", to: "nrt", step: 1000, pace: .seconds(60), isFromZone: true, at: start)
        let www = "www GEO weighted fra:1 nrt:1"
        let plan = try load([("example.com", zone(SafetyRuleTests.text + "\n" + www))]).plan
        let overrides = Overrides([
            Override(
                .weights(WeightOrder([.init("fra", 1), .init("nrt", 1)], shift: shift)),
                of: "www.example.com.", since: start)
        ])
        let objections = SafetyRules(minimumRegions: 2).objections(
            in: plan, plan.endpoints.map { _ in .up }, before: OverrideEffect(),
            after: overrides.withShiftsDone.effect(in: plan))
        #expect(objections.count == 1 && objections[0].hasPrefix("www.example.com. "))
    }
}
