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
                [("example.com", model.zoneText)],
                source: model.source, files: model.files)
            for _ in 0..<3 {
                model.drawHealth(&random)
                let snapshot = world.snapshot(
                    down: model.down, ramping: model.ramping, figures: model.figures)
                var asker = Asker(snapshot, seed: random.next())
                for _ in 0..<8 {
                    let client = Client(
                        source: SteeringModel.client(&random),
                        subnet: random.number(0...2) > 0 ? SteeringModel.client(&random) : nil)
                    let geo = random.pick(model.geos)
                    let place: Comment =
                        "seed \(seed), world \(number), \(geo.label) for \(client):\n\(model.zoneText)"
                    for family in IPAddress.Family.allCases {
                        let explanation = try explain(
                            model, geo, client, family, snapshot, &random, place)
                        guard !model.isDrawn(geo.label) else { continue }
                        try ask(&asker, model, geo, client, family, explanation, place)
                    }
                }
            }
        }
    }

    /// Follows the explanation step by step; checks the decision that comes out.
    private func explain(
        _ model: SteeringModel, _ geo: SteeringModel.Geo, _ client: Client,
        _ family: IPAddress.Family, _ snapshot: Snapshot, _ random: inout SeededGenerator,
        _ comment: Comment
    ) throws -> Explanation {
        let answers = snapshot.answers
        let number = try #require(answers.plan.names.firstIndex { $0.name == owner(geo.label) })
        let seed = random.next()
        let plain = Place(continent: "EU", coordinates: Coordinates(latitude: 1, longitude: 1))
        let explanation = answers.explain(
            name: number, client: client, place: plain, family: family, seed: seed)
        var source = RandomSource(seed: seed)
        let decision = answers.decide(
            name: number + (family == .ipv6 ? answers.ipv6NameOffset : 0), client: client,
            random: &source)
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
            let placed = isLookedUp && model.isSpecial(geo, address) ? client.source : address
            let lookedUp = placed.embeddedIPv4?.address ?? placed
            let expected = model.step(geo, lookedUp, family)
            reasons.append(step.reason.name)
            let together = step.candidates.filter(\.isChosen).map(\.label)
            #expect(
                expected.choices.contains {
                    $0.labels.first == step.chosen && $0.reason == step.reason.name
                        && (together.isEmpty || Set($0.labels) == Set(together))
                }, "\(expected) \(step.chosen ?? "-") \(step.reason.name) \(together); \(comment)")
            ttl = min(ttl, model.isSteady(label) ? geo.ttlMax : geo.ttlMin)
            if isLookedUp {
                scope = max(scope, stepScope(model, geo, address, expected.isHashed))
            }
            for candidate in step.candidates {
                // What is up by either family keeps a nested name up.
                let families = model.geo(candidate.label) == nil ? [family] : [.ipv4, .ipv6]
                #expect(
                    candidate.isUp
                        == families.contains { model.isUp(candidate.label, seenBy: geo, $0) },
                    comment)
            }
            label = step.chosen ?? ""
        }
        #expect(model.geo(label) == nil, comment)
        #expect(explanation.target == (label.isEmpty ? nil : label), comment)
        #expect(decision.scope == scope, comment)
        #expect(Int(decision.ttl) == ttl, comment)
        let special = reasons.first { ["backup", "last-resort", "ramp", "panic"].contains($0) }
        #expect(decision.reason.name == special ?? reasons.last, comment)
        try expectOutcome(decision, label, answers, comment)
        return explanation
    }

    /// How far the answer of one step holds: for a place's order, or for the prefix that is hashed.
    private func stepScope(
        _ model: SteeringModel, _ geo: SteeringModel.Geo, _ address: IPAddress, _ isHashed: Bool
    ) -> Int {
        let hashed = isHashed ? (address.family == .ipv4 ? 24 : 48) : 0
        switch geo.policy {
        case .nearest, .fastest, .map: return max(model.scope(geo, address), hashed)
        default: return hashed
        }
    }

    private func expectOutcome(
        _ decision: Decision, _ label: String, _ answers: AnswerTable, _ comment: Comment
    ) throws {
        switch decision.outcome {
        case .nothing: #expect(label.isEmpty, comment)
        case .endpoint, .group:
            let first = answers.endpoints(of: decision.outcome).first
            #expect(first.map { answers.plan.endpoints[$0].label } == label, comment)
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
        _ family: IPAddress.Family, _ explanation: Explanation, _ comment: Comment
    ) throws {
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
            return
        }
        let addresses = message.answers.compactMap { IPAddress(bytes: $0.rdata) }
        let together = explanation.steps.last?.candidates.filter(\.isChosen).map(\.label) ?? []
        let labels = together.isEmpty ? [explanation.target ?? ""] : together
        let last = try #require(
            explanation.steps.last.flatMap { step in
                model.geos.first { owner($0.label) == step.name.name }
            })
        let expected = Set(labels.flatMap { model.answered($0, seenBy: last, family) })
        #expect(Set(addresses) == expected && addresses.count == expected.count, comment)
        #expect(message.authorities.isEmpty == !expected.isEmpty, comment)
    }

    private func owner(_ label: String) -> DomainName {
        DomainName("\(label).example.com") ?? .root
    }
}
