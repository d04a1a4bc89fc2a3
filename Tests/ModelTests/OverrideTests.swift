import Addressing
import DNSWire
import Geography
import Health
import Responder
import TestSupport
import Testing

@testable import Steering

/// What an operator orders, against what checks would have to say for the same.
@Suite struct OverridesOnRandomWorlds {
    private static let seeds: [UInt64] = Array(0..<20)
    private static let worldsPerSeed = 10

    private struct Case {
        var model: SteeringModel
        var plan: SteeringPlan
        var health: HealthTable
        var probes: [ProbeIdentifier]
        /// Endpoints that an operator speaks of.
        var chosen: Set<Int>

        func answers(_ state: HealthState) -> AnswerTable {
            var effect = OverrideEffect()
            for endpoint in chosen { effect.states[.endpoint(endpoint)] = state }
            return AnswerTable(
                plan, health: health, probes: probes,
                overrides: OverrideEffects(effect))
        }

        var plain: AnswerTable { AnswerTable(plan, health: health, probes: probes) }
    }

    private func forEachCase(
        _ seed: UInt64, _ body: (Case, inout SeededGenerator, Comment) throws -> Void
    ) throws {
        var random = SeededGenerator(seed: seed ^ 0x6f76_6572)
        for number in 0..<OverridesOnRandomWorlds.worldsPerSeed {
            var model = SteeringModel.random(&random)
            model.drawHealth(&random)
            let world = try load(
                [("example.com", model.zoneText)], source: model.source,
                files: model.files)
            let chosen = Set(world.plan.endpoints.indices.filter { _ in random.once(in: 3) })
            let made = Case(
                model: model, plan: world.plan, health: world.health(down: model.down),
                probes: world.probeIdentifiers, chosen: chosen)
            let labels = chosen.map { world.plan.endpoints[$0].label }
            try body(
                made, &random, "seed \(seed), world \(number), \(labels) in\n\(model.zoneText)")
        }
    }

    /// A decision, with the target by its name: external names stand elsewhere in other tables.
    private struct Found {
        var target: String
        var decision: Decision

        var ttl: UInt32 { decision.ttl }
        var scope: Int { decision.scope }
        var reason: Reason { decision.reason }
    }

    /// Decisions of several tables for the same clients and the same draws.
    private func forEachDecision(
        _ tables: [AnswerTable], _ random: inout SeededGenerator,
        _ body: ([Found], _ name: Int) -> Void
    ) {
        for name in tables[0].plan.names.indices {
            for _ in 0..<4 {
                let client = Client(
                    source: SteeringModel.client(&random),
                    subnet: random.once(in: 3) ? nil : SteeringModel.client(&random))
                let seed = random.next()
                let family = random.once(in: 2) ? tables[0].ipv6NameOffset : 0
                let decisions = tables.map { table in
                    var source = RandomSource(seed: seed)
                    let decision = table.decide(
                        name: name + family, client: client, random: &source)
                    return Found(target: table.label(of: decision.outcome), decision: decision)
                }
                body(decisions, name)
            }
        }
    }

    @Test(arguments: seeds) func downIsAsIfTheChecksSaidSo(_ seed: UInt64) throws {
        try forEachCase(seed) { made, random, comment in
            let forced = AnswerTable(
                made.plan, health: made.health, probes: made.probes, forcedDown: made.chosen)
            // In panic checks are not believed; operators are.
            guard !forced.nameIsInPanic.contains(true) else { return }
            forEachDecision([made.answers(.down), forced, made.plain], &random) { found, _ in
                let (ordered, checked, plain) = (found[0], found[1], found[2])
                #expect(ordered.target == checked.target, comment)
                #expect(ordered.ttl == checked.ttl, comment)
                #expect(ordered.scope == checked.scope, comment)
                if ordered.reason == .override {
                    #expect(!checked.reason.isSpecial, comment)
                } else {
                    #expect(ordered.reason == checked.reason, comment)
                    // Where it says nothing of an override, none has changed anything.
                    guard !ordered.reason.isSpecial else { return }
                    #expect(ordered.target == plain.target, comment)
                }
            }
        }
    }

    /// `panic=` ignores checks, and never what an operator has ordered.
    @Test func panicDoesNotBringBackWhatWasOrderedOut() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    a A 192.0.2.1
                    b A 192.0.2.2
                    c A 192.0.2.3
                    d A 192.0.2.4
                    c CHECK tcp 80
                    app GEO failover a b c d panic=60%
                    """)
            )
        ])
        func target(_ effect: OverrideEffect, down: Set<IPAddress>) throws -> String {
            let answers = AnswerTable(
                world.plan, health: world.health(down: down), probes: world.probeIdentifiers,
                overrides: OverrideEffects(effect))
            var random = RandomSource(seed: 1)
            let decision = answers.decide(
                name: 0, client: Client(source: IPAddress(ipv4: 1)), random: &random)
            return "\(answers.label(of: decision.outcome)) \(decision.reason.name)"
        }
        var effect = OverrideEffect()
        effect.states[.endpoint(0)] = .down
        #expect(try target(effect, down: []) == "b override")
        effect.states[.endpoint(1)] = .drain
        #expect(try target(effect, down: []) == "c panic")
        effect.states[.endpoint(2)] = .down
        #expect(try target(effect, down: []) == "d panic")
    }

    @Test(arguments: seeds) func upIsUpWhateverTheChecksSay(_ seed: UInt64) throws {
        try forEachCase(seed) { made, random, comment in
            var made = made
            made.chosen = Set(made.plan.endpoints.indices)
            let well = AnswerTable(made.plan, health: HealthTable(), probes: made.probes)
            forEachDecision([made.answers(.up), well], &random) { found, _ in
                #expect(found[0].target == found[1].target, comment)
                #expect(found[0].ttl == found[1].ttl, comment)
            }
        }
    }

    /// A drained target has clients only as a last resort, and before one that is down.
    @Test(arguments: seeds) func drainedTargetsAreTheLastButTheDead(_ seed: UInt64) throws {
        try forEachCase(seed) { made, random, comment in
            forEachDecision([made.answers(.drain), made.plain], &random) { found, name in
                guard case .endpoint(let index) = found[0].decision.outcome,
                    made.chosen.contains(index)
                else { return }
                #expect([.lastResort, .panic].contains(found[0].reason), comment)
                // It is steady nowhere on the way.
                #expect(found[0].ttl <= made.plan.names[name].ttl.maximum, comment)
            }
        }
    }

    /// Weights by order are those that the zone might have had.
    @Test(arguments: seeds) func setWeightsAreAsIfTheZoneSaidSo(_ seed: UInt64) throws {
        try forEachCase(seed) { made, random, comment in
            guard
                let number = made.model.geos.indices.first(where: { index in
                    made.model.isWeighted(made.model.geos[index])
                })
            else { return }
            var changed = made.model
            var weights = changed.geos[number].targets.map { _ in random.number(0...5) }
            weights[0] += 1
            for (index, weight) in weights.enumerated() {
                changed.geos[number].targets[index].weight = weight
            }
            let other = try load(
                [("example.com", changed.zoneText)],
                source: changed.source, files: changed.files)
            let name = try #require(
                made.plan.weightedName("\(made.model.geos[number].label).example.com"))
            let shares = zip(changed.geos[number].targets, weights).map {
                WeightOrder.Share($0.label, UInt32($1))
            }
            let overrides = Overrides([
                Override(
                    .weights(WeightOrder(shares)), of: made.plan.names[name].name.description,
                    since: MonotonicTime(nanoseconds: 0))
            ])
            let ordered = AnswerTable(
                made.plan, health: made.health, probes: made.probes,
                overrides: overrides.effects(in: made.plan))
            let written = AnswerTable(other.plan, health: made.health, probes: made.probes)
            forEachDecision([ordered, written], &random) { found, _ in
                #expect(found[0].target == found[1].target, comment)
                #expect(found[0].ttl == found[1].ttl, comment)
                #expect(found[0].scope == found[1].scope, comment)
            }
        }
    }
}

extension SteeringModel {
    func isWeighted(_ geo: Geo) -> Bool { if case .weighted = geo.policy { true } else { false } }
}

/// Names of targets, which of several orders counts, and what is told of the answers.
@Suite struct OverrideRules {
    private static let text = """
        iad  REGION 39 -77
             A 192.0.2.1
        fra  REGION 50 8
             A 192.0.2.2
             AAAA 2001:db8::2
        api.fra A 192.0.2.12
        api.iad A 192.0.2.11
        sorry A 192.0.2.99
        app  60/20 GEO failover fra iad backup=sorry
        api  GEO failover fra iad service=api
        www  GEO weighted blue:3 green:1 cdn.example.net.:0
        blue GEO failover fra iad
        green 90 GEO failover iad fra
        """
    private let world: SteeringPlan

    init() throws { world = try load([("example.com", zone(OverrideRules.text))]).plan }

    private func labels(_ pattern: String) -> [String] {
        world.targets(named: pattern).map { world.label(of: $0) }.sorted()
    }

    private func order(
        _ state: HealthState, _ subject: String, for clients: Override.Clients = .all
    ) -> Override {
        Override(
            .state(state), of: subject, for: clients, since: MonotonicTime(nanoseconds: 0))
    }

    @Test func aRegionCoversEveryServiceInIt() {
        #expect(labels("fra") == ["api.fra", "fra"])
        #expect(labels("FRA.example.com") == ["api.fra", "fra"])
        #expect(labels("fra.example.com.") == ["api.fra", "fra"])
        #expect(labels("api.fra") == ["api.fra"])
        #expect(labels("*ra") == ["api.fra", "fra"])
        #expect(labels("?ra") == ["api.fra", "fra"])
        #expect(labels("api.*") == ["api.fra", "api.iad"])
        #expect(labels("blue") == ["blue.example.com."])
        #expect(labels("cdn.example.net") == ["cdn.example.net."])
        // A GEO name that nothing leads to is no target.
        #expect(labels("app") == [])
        #expect(labels("nowhere") == [])
        #expect(labels("fr") == [])
    }

    @Test func patternsBacktrack() {
        func matches(_ pattern: String, _ name: String) -> Bool {
            TargetPattern(pattern).matches(name)
        }
        #expect(matches("*a*b*", "xxaayybzz"))
        #expect(!matches("*a*b", "xxaayybzz"))
        #expect(matches("a*a*a", "aaa"))
        #expect(!matches("a*a*a", "aa"))
        #expect(matches("*", ""))
        #expect(!matches("?", ""))
        #expect(matches("**", "x"))
    }

    @Test func theNarrowestClientsCountAndThenTheLatestOrder() throws {
        let german = try #require(Override.Clients("country=de"))
        let near = try #require(Override.Clients("net=198.51.100.0/24"))
        let overrides = Overrides([
            order(.up, "fra", for: near), order(.drain, "fra", for: german),
            order(.down, "f*"), order(.drain, "fra"),
        ])
        let fra = Target.endpoint(try #require(world.endpoints.firstIndex { $0.label == "fra" }))
        func state(_ clients: [Override.Clients]) -> HealthState? {
            overrides.effect(in: world) { clients.contains($0) }.states[fra]
        }
        #expect(state([.all]) == .drain)
        #expect(state([.all, near]) == .up)
        #expect(state([.all, german, near]) == .up)
        #expect(state([german]) == .drain)
        #expect(state([]) == nil)
    }

    @Test func ofOneSubjectTheLaterOrderReplacesTheEarlier() {
        var overrides = Overrides()
        let replaced = [
            overrides.add(order(.drain, "fra")), overrides.add(order(.drain, "iad")),
            overrides.add(order(.down, "FRA")),
        ]
        #expect(replaced.map { $0?.order } == [nil, nil, .state(.drain)])
        #expect(overrides.all.map(\.subject) == ["iad", "FRA"])
        #expect(overrides.states(of: "?ra").map(\.subject) == ["FRA"])
    }

    @Test func everyOrderEndsAtItsTime() {
        var overrides = Overrides()
        func second(_ count: Int64) -> MonotonicTime {
            MonotonicTime(nanoseconds: count * 1_000_000_000)
        }
        for (subject, end) in [("a", 30), ("b", 10), ("c", 20)] as [(String, Int64)] {
            var made = order(.drain, subject)
            made.until = second(end)
            overrides.add(made)
        }
        overrides.add(order(.drain, "d"))
        #expect(overrides.nextChange == second(10))
        let early = overrides.advance(to: second(9))
        #expect(early == [])
        let ended = overrides.advance(to: second(20))
        #expect(ended.count == 2 && overrides.all.map(\.subject) == ["a", "d"])
        #expect(overrides.nextChange == second(30))
        _ = overrides.advance(to: second(1000))
        #expect(overrides.nextChange == nil && overrides.all.map(\.subject) == ["d"])
    }

    // MARK: - Answers

    private func answers(_ overrides: Override...) -> AnswerTable {
        AnswerTable(
            world, health: HealthTable(), probes: world.probes.indices.map { ProbeIdentifier($0) },
            overrides: Overrides(overrides).effects(in: world))
    }

    private func decide(_ answers: AnswerTable, _ name: String) throws -> (String, Reason) {
        let number = try #require(
            world.names.firstIndex { $0.name == DomainName("\(name).example.com") })
        var random = RandomSource(seed: 1)
        let decision = answers.decide(
            name: number, client: Client(source: IPAddress(ipv4: 1)), random: &random)
        return (answers.label(of: decision.outcome), decision.reason)
    }

    @Test func theReasonSaysWhereAnOrderDecided() throws {
        let drained = answers(order(.drain, "fra"))
        #expect(try decide(drained, "app") == ("iad", .override))
        #expect(try decide(drained, "api") == ("api.iad", .override))
        #expect(try decide(drained, "blue") == ("iad", .override))
        #expect(try decide(drained, "green") == ("iad", .failover))
        // What became a backup is one, and told as that.
        let both = answers(order(.drain, "fra"), order(.down, "iad"))
        #expect(try decide(both, "app") == ("sorry", .backup))
        #expect(try decide(both, "blue") == ("fra", .lastResort))
        #expect(try decide(answers(order(.drain, "iad")), "app") == ("fra", .failover))
    }

    @Test func aNestedNameAndANameOutsideCanBeDrained() throws {
        let set = Override(
            .weights(WeightOrder([.init("blue", 0), .init("cdn.example.net.", 1)])),
            of: "www.example.com", since: MonotonicTime(nanoseconds: 0))
        #expect(try decide(answers(order(.drain, "blue")), "www") == ("iad", .override))
        #expect(
            try decide(answers(set, order(.drain, "green")), "www")
                == ("cdn.example.net.", .override))
        #expect(
            try decide(answers(set, order(.drain, "cdn.example.net")), "www") == ("iad", .override))
    }

    /// The explanation tells the same steps, with the weights in force.
    @Test func anExplanationShowsTheWeightsInForce() throws {
        let set = Override(
            .weights(WeightOrder([.init("blue", 0), .init("green", 7)])), of: "www.example.com",
            since: MonotonicTime(nanoseconds: 0))
        let number = try #require(world.weightedName("www.example.com"))
        let explanation = answers(set).explain(
            name: number, client: Client(source: IPAddress(ipv4: 1)), place: .unknown, seed: 3)
        #expect(explanation.steps[0].candidates.map(\.weight) == [0, 7, 0])
        #expect(explanation.steps[0].chosen == "green")
        #expect(explanation.reason == .override)
    }

    /// "Safe at" rests on which answers may still be in a cache, and for how long.
    @Test func theLongestTTLOfWhoeverMayAnswerIsKnown() throws {
        func ttls(_ answers: AnswerTable) -> [String: UInt32] {
            Dictionary(
                uniqueKeysWithValues: zip(world.endpoints, answers.longestTTLs).compactMap {
                    endpoint, ttl in ttl.map { (endpoint.label, $0) }
                })
        }
        #expect(ttls(answers()) == ["fra": 60, "iad": 90, "api.fra": 30])
        #expect(ttls(answers(order(.drain, "fra"))) == ["iad": 90, "api.iad": 30])
        #expect(
            ttls(answers(order(.drain, "fra"), order(.down, "iad")))
                == ["fra": 90, "sorry": 20, "api.fra": 30])
        let fra = try #require(world.endpoints.firstIndex { $0.label == "fra" })
        #expect(
            answers().names(offering: fra).map { $0.name.description }
                == ["app.example.com.", "blue.example.com."])

        var overrides = Overrides([order(.drain, "fra")])
        let now = MonotonicTime(nanoseconds: 5_000_000_000)
        overrides.note(answers(), at: now)
        let name = try #require(DomainName("fra.example.com"))
        #expect(overrides.cachedUntil[name] == now + .seconds(60) + Overrides.grace)
        // Later answers without it change nothing, and in the end it is forgotten.
        overrides.note(answers(order(.drain, "fra")), at: now + .seconds(10))
        #expect(overrides.cachedUntil[name] == now + .seconds(60) + Overrides.grace)
        overrides.note(answers(order(.drain, "fra")), at: now + .seconds(100))
        #expect(overrides.cachedUntil[name] == nil)
    }
}
