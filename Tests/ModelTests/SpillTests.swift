import Addressing
import DNSWire
import Geography
import Health
import Loader
import Responder
import Steering
import TestSupport
import Testing

/// `spill=`: who is handed on when a region has more than it can carry.
@Suite struct Spilling {
    private static let total = SpillWorld.capacities.reduce(0, +)

    // MARK: - The simulation

    /// At 90 % of all that eight regions can carry each of them fails, one after the other. What
    /// the others can carry together they carry, none more than its own; else all are over by the
    /// same.
    @Test(arguments: SpillWorld.regions.indices) func oneOfEightFails(_ failed: Int) throws {
        let demand = 0.9 * Spilling.total
        let earth = try SpillWorld(demand: demand)
        let (answers, plan) = try earth.answers(down: [failed])
        let loads = try earth.loads(answers)
        #expect(loads[failed] == 0)
        #expect(abs(loads.reduce(0, +) - demand) < 1e-6)
        let left = Spilling.total - SpillWorld.capacities[failed]
        let limit = max(1, demand / left)
        for (region, load) in loads.enumerated() where region != failed {
            #expect(load <= SpillWorld.capacities[region] * limit * (1 + 1e-6))
            #expect(abs(plan.loads[region] - load) < 1e-3)
            #expect((plan.overloads[region] > 1) == (demand > left))
            if demand > left {
                #expect(load >= SpillWorld.capacities[region] * limit * (1 - 1e-6))
            }
        }
    }

    /// How far clients are moved, beside the least that is possible.
    @Test(arguments: SpillWorld.regions.indices) func movedAsLittleAsCanBe(_ failed: Int) throws {
        let left = Spilling.total - SpillWorld.capacities[failed]
        let earth = try SpillWorld(demand: min(0.9 * Spilling.total, 0.97 * left), seed: 11)
        let (answers, plan) = try earth.answers(down: [failed])
        let moved = try earth.movedDistance(answers, down: [failed])
        let least = earth.leastMovedDistance(down: [failed])
        #expect(!plan.shares.isEmpty)
        #expect(least > 0)
        #expect(moved >= least * (1 - 1e-6))
        #expect(moved <= least * 1.1, "\(moved) of at least \(least)")
    }

    // MARK: - What holds always

    /// While all fit nobody is moved: every client gets what it would without `spill`, and why.
    @Test func nothingMovesWhenAllFit() throws {
        let earth = try SpillWorld(demand: 0.3 * Spilling.total)
        let (answers, plan) = try earth.answers()
        #expect(plan.shares.isEmpty)
        #expect(plan.moves.isEmpty)
        #expect(plan.wanted == plan.loads)
        let names = try (earth.world.geo("app.example.com"), earth.world.geo("plain.example.com"))
        var random = SeededGenerator(seed: 1)
        for client in earth.clients {
            let address = random.address(in: client.prefix)
            let decisions = [names.0, names.1].map { name in
                var draws = RandomSource(seed: 1)
                return answers.decide(
                    name: name, client: Client(source: address), random: &draws)
            }
            #expect(decisions[0].outcome == decisions[1].outcome)
            #expect(decisions[0].reason == decisions[1].reason)
        }
    }

    /// Two servers that know the same give the same client the same answer.
    @Test func twoServersAgree() throws {
        let (one, other) = try (
            SpillWorld(demand: 0.85 * Spilling.total), SpillWorld(demand: 0.85 * Spilling.total)
        )
        let (mine, theirs) = try (one.answers(down: [2]), other.answers(down: [2]))
        #expect(mine.1.shares == theirs.1.shares)
        let name = try one.world.geo("app.example.com")
        var random = SeededGenerator(seed: 5)
        var spilledCount = 0
        for client in one.clients {
            for seed in 0..<40 {
                let address = random.address(in: client.prefix)
                var draws = (RandomSource(seed: UInt64(seed)), RandomSource(seed: 99))
                let decisions = (
                    mine.0.decide(
                        name: name, client: Client(source: address), random: &draws.0),
                    theirs.0.decide(
                        name: name, client: Client(source: address), random: &draws.1)
                )
                #expect(decisions.0.outcome == decisions.1.outcome)
                #expect(decisions.0.reason == decisions.1.reason)
                if decisions.0.reason == .spill { spilledCount += 1 }
            }
        }
        #expect(spilledCount > 0)
    }

    /// Clients are dealt by their /24, as many as the plan says, and no scope is shorter than what
    /// was hashed.
    @Test func sharesAreMetWithinOnePercent() throws {
        let earth = try SpillWorld(demand: 0.85 * Spilling.total)
        let (answers, _) = try earth.answers(down: [2])
        let name = try earth.world.geo("app.example.com")
        var random = SeededGenerator(seed: 8)
        var dividedCount = 0
        for client in earth.clients {
            let outlook = answers.outlook(name: name, around: client.prefix.address)
            guard outlook.shares.count > 1, dividedCount < 3 else { continue }
            dividedCount += 1
            var counts: [Decision.Outcome: Int] = [:]
            var draws = RandomSource(seed: 1)
            for _ in 0..<40_000 {
                let address = random.address(in: client.prefix)
                let decision = answers.decide(
                    name: name,
                    client: Client(source: IPAddress(ipv4: 1), subnet: address), random: &draws)
                #expect(decision.scope >= 24)
                counts[decision.outcome, default: 0] += 1
            }
            for share in outlook.shares {
                let part = Double(counts[share.outcome] ?? 0) / 40_000
                #expect(abs(part - share.portion) < 0.01)
            }
        }
        #expect(dividedCount > 0)
    }

    /// More demand never costs less; who stays while more are handed on stayed before, too.
    @Test func moreDemandMovesMore() throws {
        var before = (moved: 0.0, distance: 0.0)
        for percent in stride(from: 50, through: 95, by: 5) {
            let earth = try SpillWorld(demand: Double(percent) / 100 * Spilling.total)
            let (answers, plan) = try earth.answers()
            let distance = try earth.movedDistance(answers, down: [])
            #expect(distance >= before.distance - 1e-6)
            before = (plan.moves.values.reduce(0, +), distance)
        }
        #expect(before.moved > 0)
    }

    /// A client that keeps its region while many leave keeps it while fewer do.
    @Test func whoReturnsStays() throws {
        let world = try load([("example.com", Spilling.pair)])
        let name = try world.geo("first.example.com")
        let plain = world.snapshot().answers
        var random = SeededGenerator(seed: 2)
        let clients = (0..<5000).map { _ in
            IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
        }
        var before: Set<Int> = []
        for demand in stride(from: 400.0, through: 100, by: -20) {
            let plan = plain.spillPlan(demands: [demand])
            let answers = world.snapshot(
                world.health(down: []), probes: world.probeIdentifiers, spill: plan.shares
            ).answers
            var draws = RandomSource(seed: 1)
            let own = Set(
                clients.indices.filter {
                    answers.decide(
                        name: name, client: Client(source: clients[$0]), random: &draws
                    ).outcome == .endpoint(0)
                })
            #expect(abs(Double(own.count) / 5000 - min(100 / demand, 1)) < 0.02)
            #expect(own.isSuperset(of: before))
            before = own
        }
    }

    private static let pair = zone(
        """
        one REGION 50 8 check=web capacity=100
         A 192.0.2.1
        two REGION 40 -70 check=web capacity=500
         A 192.0.2.2
        first GEO failover one two spill=on
        """)

    // MARK: - With other keys

    /// Names of one region fill it together, and what is not limited takes everyone.
    @Test func capacityBelongsToTheRegion() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    one REGION 50 8 check=web capacity=100
                     A 192.0.2.1
                    api.one A 192.0.2.3
                    two REGION 40 -70 check=web
                     A 192.0.2.2
                    api.two A 192.0.2.4
                    first GEO failover one two spill=on
                    api GEO failover one two spill=on service=api
                    """)
            )
        ])
        let answers = world.snapshot().answers
        let plan = answers.spillPlan(demands: [80, 60])
        #expect(plan.wanted == [140, 0])
        #expect(abs(plan.loads[0] - 100) < 1e-6)
        #expect(abs(plan.loads[1] - 40) < 1e-6)
        #expect(answers.spillPlan(demands: [50, 50]).shares.isEmpty)
    }

    /// What comes back by `ramp=` gets its part, and of that no more than it can carry.
    @Test func rampsAndEqualsSpillToo() throws {
        let world = try load(
            [
                (
                    "example.com",
                    zone(
                        """
                        one REGION 50 8 check=web capacity=100
                         A 192.0.2.1
                        two REGION 50 9 check=web capacity=100
                         A 192.0.2.2
                        three REGION 40 -70 check=web
                         A 192.0.2.3
                        soft GEO failover one two three ramp=10m spill=on
                        even GEO nearest one two three within=50% spill=on
                        """)
                )
            ],
            source: MemoryLocationSource([
                (
                    Prefix(IPAddress(ipv4: 0xC000_0000), length: 8),
                    Place(coordinates: Coordinates(latitude: 40, longitude: 8.5))
                )
            ]))
        func demands(_ name: String, _ answers: AnswerTable) throws -> [Double] {
            var demands = [Double](repeating: 0, count: world.plan.slotCount)
            let outlook = answers.outlook(
                name: try world.geo(name), around: IPAddress(ipv4: 0xC000_0001))
            for count in outlook.counts { demands[count.slot] += 400 * count.portion }
            return demands
        }
        let plain = world.snapshot(ramping: ["one": 40]).answers
        // 160 for one, 240 for two.
        var plan = plain.spillPlan(demands: try demands("soft.example.com", plain))
        #expect(abs(plan.wanted[0] - 160) < 1e-3)
        #expect(abs(plan.wanted[1] - 240) < 1e-3)
        #expect(abs(plan.loads[0] - 100) < 1e-3)
        #expect(abs(plan.loads[1] - 100) < 1e-3)
        #expect(abs(plan.loads[2] - 200) < 1e-3)
        // Two halves, each of which fills its own.
        let whole = world.snapshot().answers
        plan = whole.spillPlan(demands: try demands("even.example.com", whole))
        #expect(abs(plan.wanted[0] - 200) < 1e-3)
        #expect(abs(plan.wanted[1] - 200) < 1e-3)
        #expect(abs(plan.loads[0] - 100) < 1e-3)
        #expect(abs(plan.loads[1] - 100) < 1e-3)
        #expect(abs(plan.loads[2] - 200) < 1e-3)
    }

    /// In panic health is not to be trusted, and a backup keeps whom it has: both are counted.
    @Test func alarmsDoNotSpill() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    one REGION 50 8 check=web capacity=100
                     A 192.0.2.1
                    two REGION 40 -70 check=web capacity=100
                     A 192.0.2.2
                    three REGION 40 -71 check=web capacity=100
                     A 192.0.2.3
                    panics GEO failover one two three panic=50% spill=on
                    backed GEO failover one two backup=three spill=on
                    """)
            )
        ])
        let dead: Set<IPAddress> = [IPAddress(ipv4: 0xC000_0201), IPAddress(ipv4: 0xC000_0202)]
        let plan = world.snapshot(down: dead).answers.spillPlan(demands: [150, 120])
        #expect(plan.wanted == [150, 0, 120])
        #expect(plan.shares.isEmpty)
        #expect(plan.overloads[0] > 1)
        #expect(plan.overloads[2] > 1)
    }

    /// A target that failed since the plan was made gets nobody; its part is the others'.
    @Test func whatIsDownGetsNobody() throws {
        let earth = try SpillWorld(demand: 0.85 * Spilling.total)
        let (_, plan) = try earth.answers(down: [2])
        let answers = earth.world.snapshot(
            earth.world.health(down: [IPAddress(ipv4: 0xC000_0203), IPAddress(ipv4: 0xC000_0204)]),
            probes: earth.world.probeIdentifiers, spill: plan.shares
        ).answers
        let loads = try earth.loads(answers)
        #expect(loads[2] == 0)
        #expect(loads[3] == 0)
        #expect(abs(loads.reduce(0, +) - 0.85 * Spilling.total) < 1e-6)
    }

    /// Both families of a client get the same region.
    @Test func familiesStayTogether() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    one REGION 50 8 check=web capacity=100
                     A 192.0.2.1
                     AAAA 2001:db8::1
                    two REGION 40 -70 check=web
                     A 192.0.2.2
                     AAAA 2001:db8::2
                    first GEO failover one two spill=on
                    turns GEO round-robin one two
                    """)
            )
        ])
        let plan = world.snapshot().answers.spillPlan(demands: [200])
        let answers = world.snapshot(
            world.health(down: []), probes: world.probeIdentifiers, spill: plan.shares
        ).answers
        var draws = RandomSource(seed: 1)
        var outcomes: Set<Decision.Outcome> = []
        for number in 0..<200 {
            let client = Client(source: IPAddress(ipv4: UInt32(number) << 12))
            let name = try world.geo("first.example.com")
            let decisions = [0, answers.ipv6NameOffset].map {
                answers.decide(name: name + $0, client: client, random: &draws).outcome
            }
            #expect(decisions[0] == decisions[1])
            outcomes.insert(decisions[0])
        }
        #expect(outcomes.count == 2)
    }

    /// Workers count each answer of a name that spills, by the slot that the client is in.
    @Test func workersCountWhatTheyAnswer() throws {
        let earth = try SpillWorld(demand: 0.5 * Spilling.total)
        let app = try #require(DomainName("app.example.com"))
        let plain = try #require(DomainName("plain.example.com"))
        var first = Asker(earth.world.snapshot())
        var second = Asker(earth.world.snapshot())
        let answers = earth.world.snapshot().answers
        var expected = [UInt32](repeating: 0, count: earth.world.plan.slotCount)
        let name = try earth.world.geo("app.example.com")
        for (number, client) in earth.clients.enumerated() {
            let address = client.prefix.address
            for _ in 0...number % 3 {
                _ = try first.ask(app, .a, from: address)
                _ = try second.ask(app, .aaaa, from: address)
                _ = try first.ask(plain, .a, from: address)
            }
            for count in answers.outlook(name: name, around: address).counts {
                expected[count.slot] += UInt32(number % 3 + 1) * 2
            }
        }
        #expect(earth.world.tally.sums == expected)
    }
}
