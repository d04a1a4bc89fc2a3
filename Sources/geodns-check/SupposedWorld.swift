import DNSWire
import Geography
import Loader
import Steering
import Survey

/// A world with some targets down, of which more may fail.
struct SupposedWorld {
    let world: World
    /// Numbers of the plan's endpoints.
    private let down: Set<Int>
    private let drained: Set<Int>
    private let standing: Standing
    let surveyed: SurveyedWorld

    /// Ends the program when a label of the changes names nothing. `standing`: of that world.
    init(_ world: World, _ changes: Changes, _ standing: Standing) {
        let (world, down, drained) = world.changed(changes)
        self.init(world, down: down, drained: drained, standing)
    }

    private init(
        _ world: World, down: Set<Int>, drained: Set<Int>, _ standing: Standing,
        spill: SpillPlan? = nil
    ) {
        self.world = world
        self.down = down
        self.drained = drained
        self.standing = standing
        surveyed = SurveyedWorld(
            zones: world.zones,
            answers: standing.answers(
                world.plan, down: down, drained: drained, spill: spill?.shares ?? Spill.Shares()),
            spill: spill)
    }

    /// What is left when these are down, too.
    func failing(_ more: Set<Int>) -> SupposedWorld {
        SupposedWorld(world, down: down.union(more), drained: drained, standing)
    }

    /// The same where all clients of `name` are those of `demand`, and no other name has any: what
    /// regions cannot carry is handed on as the server does.
    func carrying(
        _ demand: Demand, for name: DomainName, in database: GeoData
    ) -> SupposedWorld {
        carrying([(name, demand)], in: database)
    }

    /// The same for several, which have the regions in common.
    func carrying(
        _ demands: [(name: DomainName, demand: Demand)], in database: GeoData
    ) -> SupposedWorld {
        var amounts = [Double](repeating: 0, count: world.plan.slotCount)
        for (name, demand) in demands {
            for (slot, amount) in slots(of: name, demand, in: database) { amounts[slot] += amount }
        }
        guard amounts.contains(where: { $0 > 0 }) else { return self }
        return SupposedWorld(
            world, down: down, drained: drained, standing,
            spill: surveyed.answers.spillPlan(
                demands: amounts, capacities: standing.capacities(of: world.plan)))
    }

    /// What of a demand is counted as which slot, in the unit of capacities; nothing when only
    /// portions are known, or the name does not spill.
    private func slots(
        of name: DomainName, _ demand: Demand, in database: GeoData
    ) -> [Int: Double] {
        guard let total = demand.total, world.plan.slotCount > 0,
            let number = surveyed.geoName(name)
        else { return [:] }
        var amounts: [Int: Double] = [:]
        var whole = 0.0
        var outlook = Outlook()
        demand.forEachPart(in: database) { address in
            outlook = surveyed.answers.outlook(name: number, around: address)
            return outlook.scope
        } _: { _, place, weight in
            guard place != 0 || demand.countsUnknown else { return }
            whole += weight
            for count in outlook.counts {
                amounts[count.slot, default: 0] += weight * count.portion
            }
        }
        return amounts.mapValues { $0 / whole * total }
    }
}
