import Addressing
import DNSWire
import Geography
import Responder
import Steering
import TestSupport
import Testing

/// Random worlds under random health: decision, explanation and answer against the slow model.
@Suite struct SteeringAgainstTheModel {
    private static let seeds: [UInt64] = Array(0..<20)
    private static let worldsPerSeed = 15

    @Test(arguments: seeds) func randomWorlds(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x6765_6f)
        for number in 0..<SteeringAgainstTheModel.worldsPerSeed {
            var model = SteeringModel.random(&random)
            let world = try load(
                [("example.com", model.zoneText)], source: MemoryLocationSource(model.networks))
            for _ in 0..<3 {
                model.drawHealth(&random)
                let snapshot = world.snapshot(down: model.down)
                var asker = Asker(snapshot, seed: random.next())
                for _ in 0..<8 {
                    let client = Client(
                        source: SteeringModel.client(&random),
                        subnet: random.number(0...2) > 0 ? SteeringModel.client(&random) : nil)
                    let geo = random.pick(model.geos)
                    let place: Comment =
                        "seed \(seed), world \(number), \(geo.label) for \(client):\n\(model.zoneText)"
                    let explanation = try explain(model, geo, client, snapshot, &random, place)
                    guard !model.isDrawn(geo.label) else { continue }
                    try ask(&asker, model, geo, client, explanation, place)
                }
            }
        }
    }

    /// Follows the explanation step by step; checks the decision that comes out.
    private func explain(
        _ model: SteeringModel, _ geo: SteeringModel.Geo, _ client: Client, _ snapshot: Snapshot,
        _ random: inout SeededGenerator, _ comment: Comment
    ) throws -> Explanation {
        let answers = snapshot.answers
        let number = try #require(answers.plan.names.firstIndex { $0.name == owner(geo.label) })
        let seed = random.next()
        let plain = Place(continent: "EU", coordinates: Coordinates(latitude: 1, longitude: 1))
        let explanation = answers.explain(name: number, client: client, place: plain, seed: seed)
        var source = RandomSource(seed: seed)
        let decision = answers.decide(name: number, client: client, random: &source)
        #expect(explanation.decision.outcome == decision.outcome, comment)
        #expect(explanation.decision.ttl == decision.ttl, comment)
        #expect(explanation.decision.scope == decision.scope, comment)
        #expect(explanation.reason == decision.reason, comment)

        var label = geo.label
        var reasons: [String] = []
        var scope = 0
        var ttl = Int.max
        for step in explanation.steps {
            let geo = try #require(model.geo(label), comment)
            let isLookedUp = geo.usesClientSubnet && client.subnet != nil
            let address = geo.usesClientSubnet ? client.subnet ?? client.source : client.source
            let lookedUp = address.embeddedIPv4?.address ?? address
            let expected = model.choices(geo, lookedUp)
            reasons.append(expected.reason)
            #expect(step.reason.name == expected.reason, comment)
            #expect(
                step.chosen.map { expected.labels.contains($0) } ?? expected.labels.isEmpty, comment
            )
            ttl = min(ttl, model.isSteady(label) ? geo.ttlMax : geo.ttlMin)
            if isLookedUp { scope = max(scope, stepScope(model, geo, address)) }
            for candidate in step.candidates {
                #expect(candidate.isUp == model.isUp(candidate.label), comment)
            }
            label = step.chosen ?? ""
        }
        #expect(model.geo(label) == nil, comment)
        #expect(explanation.target == (label.isEmpty ? nil : label), comment)
        #expect(decision.scope == scope, comment)
        #expect(Int(decision.ttl) == ttl, comment)
        let special = reasons.first { $0 == "backup" || $0 == "last-resort" }
        #expect(decision.reason.name == special ?? reasons.last, comment)
        try expectOutcome(decision, label, answers, comment)
        return explanation
    }

    /// How far the answer of one step holds: for a place's order, or for the prefix that is hashed.
    private func stepScope(
        _ model: SteeringModel, _ geo: SteeringModel.Geo, _ address: IPAddress
    ) -> Int {
        switch geo.policy {
        case .nearest, .map: return model.scope(geo, address)
        case .failover, .weighted(byClient: false): return 0
        case .weighted(byClient: true):
            // Shares are dealt only among several that may be served.
            let (_, reason) = model.choices(geo, address)
            let isDealt = reason == "weighted" || reason == "last-resort" && geo.lastResort == "all"
            return isDealt ? (address.family == .ipv4 ? 24 : 48) : 0
        }
    }

    private func expectOutcome(
        _ decision: Decision, _ label: String, _ answers: AnswerTable, _ comment: Comment
    ) throws {
        switch decision.outcome {
        case .nothing: #expect(label.isEmpty, comment)
        case .endpoint(let index): #expect(answers.plan.endpoints[index].label == label, comment)
        case .external(let start):
            let name = try #require(DomainName(label), comment)
            let bytes = withExtendedLifetime(answers) {
                name.wire.indices.map { answers.view.bytes[start + $0] }
            }
            #expect(bytes == name.wire, comment)
        }
    }

    /// A and AAAA name the same target (`family=joint`): all its addresses that are up, or NODATA
    /// where it has none of the family.
    private func ask(
        _ asker: inout Asker, _ model: SteeringModel, _ geo: SteeringModel.Geo, _ client: Client,
        _ explanation: Explanation, _ comment: Comment
    ) throws {
        for family in IPAddress.Family.allCases {
            let type: RRType = family == .ipv4 ? .a : .aaaa
            let message = try asker.ask(
                owner(geo.label), type, from: client.source,
                subnet: client.subnet.map { Prefix($0) })
            #expect(message.responseCode == 0 && message.isAuthoritative, comment)
            if client.subnet != nil {
                #expect(message.clientSubnetScope == explanation.decision.scope, comment)
            }
            let ttls = message.answers.map(\.ttl)
            #expect(ttls.allSatisfy { $0 == explanation.decision.ttl }, comment)
            if case .external = explanation.decision.outcome {
                #expect(message.answers.map(\.type) == [.cname], comment)
                #expect(message.answers.first?.rdata == DomainName(explanation.target ?? "")?.wire)
                continue
            }
            let addresses = message.answers.compactMap { IPAddress(bytes: $0.rdata) }
            let expected = model.answered(explanation.target ?? "", family)
            #expect(Set(addresses) == expected && addresses.count == expected.count, comment)
            #expect(message.authorities.isEmpty == !expected.isEmpty, comment)
        }
    }

    private func owner(_ label: String) -> DomainName {
        DomainName("\(label).example.com") ?? .root
    }
}
