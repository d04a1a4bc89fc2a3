import Addressing
import Geography
import Responder
import Steering
import Survey
import TestSupport
import Testing

/// How many clients get something else, against a count of every part of the address space.
@Suite struct Movements {
    @Test(arguments: 0..<40 as Range<UInt64>) func areThoseOfEveryPart(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x6d6f_7665)
        var model = SteeringModel.random(&random)
        let source = model.source
        let world = try load(
            [("example.com", model.zoneText)], source: source, files: model.files)
        func side() -> SurveyedWorld {
            model.drawHealth(&random)
            let answers = world.snapshot(
                down: model.down, ramping: model.ramping, figures: model.figures
            ).answers
            return SurveyedWorld(zones: world.zones, answers: answers)
        }
        let (before, after) = (side(), side())
        for name in world.plan.names.map(\.name) {
            let number = try #require(before.geoName(name))
            for demand in Demand.families(of: source) {
                let movement = Movement(name, demand, from: before, to: after, source: source)
                var (total, moved) = (0.0, 0.0)
                let family = try #require(demand.family)
                source.forEachPart(of: family) { address in
                    [before, after].map {
                        $0.answers.outlook(name: number, around: address).scope
                    }.max() ?? 0
                } _: { part, place in
                    guard place != 0 || demand.countsUnknown else { return }
                    total += part.addressCount
                    let (old, new) = (
                        portions(before, number, part.address),
                        portions(after, number, part.address)
                    )
                    let lost = old.reduce(0) { $0 + max($1.value - (new[$1.key] ?? 0), 0) }
                    moved += lost * part.addressCount
                }
                #expect(
                    abs(movement.portion - (total > 0 ? moved / total : 0)) < 1e-6,
                    "seed \(seed), \(name), \(demand.title)\n\(model.zoneText)")
                #expect(
                    abs(movement.moves.reduce(0) { $0 + $1.portion } - movement.portion) < 1e-9)
                #expect(
                    total == 0
                        || abs(movement.targets.reduce(0) { $0 + $1.portion } - 1) < 1e-6)
            }
        }
    }

    /// By addresses: what a client sees.
    private func portions(
        _ world: SurveyedWorld, _ name: Int, _ address: IPAddress
    ) -> [[String]: Double] {
        world.answers.outlook(name: name, around: address).shares.reduce(into: [:]) {
            let addresses = world.answers.endpoints(of: $1.outcome).flatMap { index in
                world.plan.endpoints[index].addresses.map { "\($0.address)" }
            }
            let seen =
                addresses.isEmpty ? [world.answers.label(of: $1.outcome)] : addresses.sorted()
            $0[seen, default: 0] += $1.portion
        }
    }

    /// A way that is the same means the same outlook, and its scope is no wider than that is true.
    @Test(arguments: 0..<20 as Range<UInt64>) func waysTellOutlooksApart(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x776179)
        var model = SteeringModel.random(&random)
        model.drawHealth(&random)
        let source = model.source
        let world = try load(
            [("example.com", model.zoneText)], source: source, files: model.files)
        let answers = world.snapshot(down: model.down, ramping: model.ramping).answers
        let prefixes = model.networks.map(\.prefix) + [Prefix(IPAddress(ipv4: 0), length: 0)]
        for name in world.plan.names.indices {
            var known: [UInt64: [Outlook.Share]] = [:]
            for _ in 0..<200 {
                let address = random.address(in: random.pick(prefixes))
                let (way, scope) = answers.way(name: name, around: address)
                let outlook = answers.outlook(name: name, around: address)
                #expect(known[way].map { $0 == outlook.shares } ?? true, "seed \(seed)")
                known[way] = outlook.shares
                #expect(scope >= outlook.scope)
                let other = random.address(in: Prefix(address, length: scope))
                #expect(answers.way(name: name, around: other).way == way, "seed \(seed)")
            }
        }
    }

    /// Names that steer alike are looked at once, and all of them are told.
    @Test func aComparisonNamesThoseBeyondTheLimit() throws {
        func side(_ targets: String) throws -> SurveyedWorld {
            let world = try load([
                (
                    "example.com",
                    zone(
                        """
                        one REGION 0 0
                         A 192.0.2.1
                        two REGION 0 90
                         A 192.0.2.2
                        app GEO failover \(targets)
                        api GEO failover \(targets)
                        www GEO weighted one:99 two:1
                        """)
                )
            ])
            return SurveyedWorld(zones: world.zones, answers: world.snapshot().answers)
        }
        let source = MemoryLocationSource([])
        let comparison = Comparison(
            from: try side("one two"), to: try side("two one"), source: source, portionMax: 0.5
        ) { true }
        #expect(comparison.isComplete)
        #expect(comparison.largest?.portion == 1)
        #expect(
            comparison.excesses.map(\.movement.title) == [
                "app.example.com. over IPv4", "app.example.com. over IPv6",
            ])
        #expect(
            comparison.excesses.map { $0.alike.map(\.description) } == [
                ["api.example.com."], ["api.example.com."],
            ])
        let cut = Comparison(
            from: try side("one two"), to: try side("two one"), source: source, portionMax: 0.5
        ) { false }
        #expect(!cut.isComplete)
    }
}
