import Addressing
import DNSWire
import Geography
import Health
import Loader
import Responder
import TestSupport
import Testing

@testable import Steering

/// Orders that are limited to some clients, on random worlds: those clients get what everybody
/// would get if the order were for all, others what they would get without it, and no scope is
/// wider than the part of the clients that get the same.
@Suite struct OverridesForSomeClients {
    private static let limits = [
        "country=DE", "country=US", "continent=EU", "continent=NA", "net=203.0.113.0/24",
        "net=203.0.112.0/20", "net=10.0.0.0/8", "net=2001:db8::/32", "net=2001:db8:ffff::/48",
    ].compactMap(Override.Clients.init)

    @Test(arguments: 0..<20) func theyHoldForThoseAndNobodyElse(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x6c69_6d69)
        for number in 0..<8 {
            var model = SteeringModel.random(&random)
            model.drawHealth(&random)
            let source = model.source
            let world = try load(
                [("example.com", model.zoneText)], source: source, files: model.files)
            let overrides = randomOverrides(model, &random)
            let comment: Comment =
                "seed \(seed), world \(number), \(overrides.all)\n\(model.zoneText)"
            try check(world, model, source, overrides, &random, comment)
        }
    }

    private func randomOverrides(
        _ model: SteeringModel, _ random: inout SeededGenerator
    ) -> Overrides {
        var overrides = Overrides()
        for _ in 0..<random.number(1...4) {
            let limit = random.once(in: 4) ? .all : random.pick(OverridesForSomeClients.limits)
            if random.once(in: 3), let geo = model.geos.first(where: { model.isWeighted($0) }) {
                var shares = geo.targets.map {
                    WeightOrder.Share($0.label, UInt32(random.number(0...4)))
                }
                shares[0].weight += 1
                overrides.add(
                    Override(
                        .weights(WeightOrder(shares)), of: "\(geo.label).example.com.", for: limit,
                        since: MonotonicTime(nanoseconds: 0)))
            } else {
                overrides.add(
                    Override(
                        .state(random.pick([.up, .drain, .down])),
                        of: random.pick(model.endpoints).label, for: limit,
                        since: MonotonicTime(nanoseconds: 0)))
            }
        }
        return overrides
    }

    private func check(
        _ world: World, _ model: SteeringModel, _ source: MemoryLocationSource,
        _ overrides: Overrides, _ random: inout SeededGenerator, _ comment: Comment
    ) throws {
        let health = world.health(down: model.down)
        func table(_ effects: OverrideEffects) -> AnswerTable {
            AnswerTable(
                world.plan, health: health, probes: world.probeIdentifiers, overrides: effects)
        }
        let partition = ClientPartition(overrides.limits, source: source)
        let answers = table(overrides.effects(in: world.plan, partition))
        let plain = table(OverrideEffects())
        for _ in 0..<12 {
            let name = random.number(0...world.plan.names.count - 1)
            let client = Client(
                source: SteeringModel.client(&random),
                subnet: random.once(in: 3) ? nil : SteeringModel.client(&random))
            let usesSubnet = world.plan.selectors[world.plan.names[name].selector]
                .usesClientSubnet
            let address = usesSubnet ? client.subnet ?? client.source : client.source
            // What would be if the orders for this client were for all.
            let alone = overrides.effect(in: world.plan) { holds($0, address, model) }
            let expected = table(OverrideEffects(alone))
            let seed = random.next()
            let isIPv6 = random.once(in: 2)
            func decide(_ table: AnswerTable, _ client: Client) -> (String, Decision) {
                var random = RandomSource(seed: seed)
                let decision = table.decide(
                    name: name + (isIPv6 ? table.ipv6NameOffset : 0), client: client,
                    random: &random)
                return (table.label(of: decision.outcome), decision)
            }
            let (target, decision) = decide(answers, client)
            let (wanted, other) = decide(expected, client)
            #expect(target == wanted, comment)
            #expect(decision.ttl == other.ttl && decision.reason == other.reason, comment)
            #expect(decision.scope >= other.scope, comment)
            func explain(_ table: AnswerTable) -> Explanation {
                table.explain(
                    name: name, client: client, place: .unknown, family: isIPv6 ? .ipv6 : .ipv4,
                    seed: seed)
            }
            let (explanation, alike) = (explain(answers), explain(expected))
            #expect(explanation.decision.outcome == decision.outcome, comment)
            #expect(explanation.steps.map(\.name.name) == alike.steps.map(\.name.name), comment)
            #expect(explanation.steps.map(\.chosen) == alike.steps.map(\.chosen), comment)
            #expect(
                explanation.steps.last?.candidates.map(\.weight)
                    == alike.steps.last?.candidates.map(\.weight), comment)
            // Everybody in the scope gets the same.
            if let subnet = client.subnet, !model.isDrawn(label(name, world)) {
                let part = Prefix(subnet, length: decision.scope)
                for _ in 0..<4 {
                    let neighbour = Client(
                        source: client.source, subnet: random.address(in: part))
                    let (found, again) = decide(answers, neighbour)
                    #expect(found == target && again.scope == decision.scope, comment)
                }
            }
            // A name that no order touches is not looked at twice.
            if alone.isEmpty, overrides.limits.isEmpty {
                #expect(decision.scope == decide(plain, client).1.scope, comment)
            }
        }
    }

    private func label(_ name: Int, _ world: World) -> String {
        String(decoding: world.plan.names[name].name.labels[0], as: UTF8.self)
    }

    private func holds(
        _ clients: Override.Clients, _ address: IPAddress, _ model: SteeringModel
    ) -> Bool {
        let address = address.embeddedIPv4?.address ?? address
        let place = model.place(of: address)
        return switch clients {
        case .all: true
        case .continent(let code): place.continent == code
        case .country(let code): place.country == code
        case .net(let prefix): prefix.contains(address)
        }
    }

    /// A name whose answers are the same for all keeps its way through the tables.
    @Test func namesThatNobodySpeaksOfAreUntouched() throws {
        let text = """
            iad  REGION 39 -77
                 A 192.0.2.1
            fra  REGION 50 8
                 A 192.0.2.2
            nrt  REGION 36 140
                 A 192.0.2.3
            app  GEO nearest iad fra
            out  GEO failover app
            far  GEO failover nrt iad
            """
        let world = try load([("example.com", zone(text))])
        let limit = try #require(Override.Clients("net=10.0.0.0/8"))
        let overrides = Overrides([
            Override(
                .state(.drain), of: "iad", for: limit, since: MonotonicTime(nanoseconds: 0))
        ])
        let partition = ClientPartition(overrides.limits, source: MemoryLocationSource([]))
        let answers = AnswerTable(
            world.plan, health: HealthTable(), probes: [],
            overrides: overrides.effects(in: world.plan, partition))
        func isDivided(_ name: String) throws -> Bool {
            answers.isDivider(Int(answers.names[try world.geo("\(name).example.com")].selector))
        }
        #expect(try isDivided("app") && isDivided("out"))
        #expect(try !isDivided("far"))
        // Where nobody is limited to anything there is no such thing at all.
        let plain = AnswerTable(
            world.plan, health: HealthTable(), probes: [],
            overrides: overrides.effects(in: world.plan, nil))
        #expect(plain.names.count == world.plan.names.count)
        #expect(plain.selectors.count == world.plan.selectors.count)
    }
}
