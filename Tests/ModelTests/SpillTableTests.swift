import Addressing
import Geography
import Health
import Loader
import Responder
import Steering
import TestSupport
import Testing

/// `SpillTable` in simulated time: counts and reports come in, regions fail and come back.
@Suite struct SpillTables {
    /// Eight regions whose clients ask and load them, by caches that let go of an answer after a
    /// while, and reports that are late.
    private struct Simulation {
        let earth: SpillWorld
        var table: SpillTable
        var answers: AnswerTable
        var sums: [UInt32]
        var down: Set<Int> = []
        /// What regions really have, and what they report.
        var loads: [Double]
        var now = MonotonicTime(nanoseconds: 0)
        let reports: Bool
        /// So much more than in the world of the plan.
        var growth = 1.0

        init(_ earth: SpillWorld, reports: Bool) throws {
            self.earth = earth
            self.reports = reports
            table = SpillTable(earth.world.plan)
            answers = earth.world.snapshot().answers
            sums = Array(repeating: 0, count: earth.world.plan.slotCount)
            loads = try earth.loads(answers)
            table.adapt(answers, told, at: now)
            try publish()
        }

        private var dead: Set<IPAddress> {
            Set(down.map { IPAddress(ipv4: 0xC000_0200 + UInt32($0) + 1) })
        }

        private var told: [RegionReport] {
            SpillWorld.capacities.indices.map { region in
                RegionReport(
                    load: reports && !down.contains(region) ? loads[region] : nil,
                    capacity: SpillWorld.capacities[region])
            }
        }

        mutating func publish() throws {
            answers =
                earth.world.snapshot(
                    earth.world.health(down: dead), probes: earth.world.probeIdentifiers,
                    spill: table.shares
                ).answers
        }

        mutating func fail(_ regions: Set<Int>) throws {
            down = regions
            try publish()
            table.adapt(answers, told, at: now)
            try publish()
        }

        /// Five seconds: clients ask, caches of 30 seconds let go, a look is taken.
        mutating func step() throws {
            now = now + .seconds(5)
            for (slot, demand) in try earth.demands(answers).enumerated() {
                sums[slot] &+= UInt32((demand * 3).rounded())
            }
            let target = try earth.loads(answers)
            for region in loads.indices {
                loads[region] += (target[region] * growth - loads[region]) * 5 / 35
            }
            let before = table.shares
            table.look(answers, sums: sums, told, at: now)
            if table.shares != before { try publish() }
        }

        /// Steps in which no region has more than it can carry, but for a little.
        mutating func stepWithin(_ most: Double, _ count: Int) throws {
            for _ in 0..<count {
                #expect(try worst() < most)
                try step()
            }
        }

        /// The most that a region that is up has of its capacity.
        func worst() throws -> Double {
            let target = try earth.loads(answers)
            return SpillWorld.capacities.indices.filter { !down.contains($0) }
                .map { target[$0] * growth / SpillWorld.capacities[$0] }.max() ?? 0
        }
    }

    private static let total = SpillWorld.capacities.reduce(0, +)

    /// With reports alone: what they say makes known how much there is. When a region fails its
    /// clients find room at once, and no region has more than it can carry from then on.
    @Test func aFailureIsPlannedBeforeItShows() throws {
        var simulation = try Simulation(
            SpillWorld(demand: 0.8 * SpillTables.total), reports: true)
        for _ in 0..<60 { try simulation.step() }
        #expect(try simulation.worst() < 1.03)
        try simulation.fail([2])
        #expect(!simulation.table.shares.isEmpty)
        try simulation.stepWithin(1.06, 120)
        #expect(try simulation.worst() < 1.03)
    }

    /// Without reports `demand=` says how much it is.
    @Test func withoutReportsTheZoneTells() throws {
        let demand = 0.8 * SpillTables.total
        var simulation = try Simulation(
            SpillWorld(demand: demand, keys: "spill=on demand=\(Int(demand))"), reports: false)
        for _ in 0..<240 { try simulation.step() }
        try simulation.fail([0])
        try simulation.stepWithin(1.05, 20)
        #expect(simulation.table.load?.spilling.isEmpty == false)
    }

    /// Nothing is known, so nothing is done.
    @Test func withoutEitherNothingSpills() throws {
        var simulation = try Simulation(
            SpillWorld(demand: 1.5 * SpillTables.total), reports: false)
        for _ in 0..<20 { try simulation.step() }
        #expect(simulation.table.shares.isEmpty)
        #expect(simulation.table.load == nil)
    }

    /// Once all is well who was handed on returns, no more than a twentieth at each look, and there
    /// is an end to it.
    @Test func clientsReturnByDegrees() throws {
        // Clients who live so that no region is full while all are up.
        let demand = 0.45 * SpillTables.total
        var simulation = try Simulation(SpillWorld(demand: demand, seed: 18), reports: true)
        for _ in 0..<60 { try simulation.step() }
        #expect(simulation.table.shares.isEmpty)
        try simulation.fail([2])
        for _ in 0..<60 { try simulation.step() }
        #expect(!simulation.table.shares.isEmpty)
        try simulation.fail([])
        var before = try simulation.earth.loads(simulation.answers)
        var steps = 0
        while !simulation.table.shares.isEmpty, steps < 60 {
            try simulation.step()
            let now = try simulation.earth.loads(simulation.answers)
            for (old, new) in zip(before, now) {
                #expect(abs(new - old) <= 0.05 * demand)
            }
            before = now
            steps += 1
        }
        #expect((10..<60).contains(steps))
        for _ in 0..<60 { try simulation.step() }
        #expect(simulation.table.shares.isEmpty)
    }

    /// More clients than ever were counted on: reports tell, and within minutes no region is over,
    /// and stays so.
    @Test func reportsCorrectWhatWasSupposed() throws {
        var simulation = try Simulation(
            SpillWorld(demand: 0.65 * SpillTables.total), reports: true)
        for _ in 0..<40 { try simulation.step() }
        simulation.growth = 1.4
        for _ in 0..<240 { try simulation.step() }
        try simulation.stepWithin(1.04, 120)
    }

    /// The same right after the start, when somebody has been handed on already: that reports are
    /// late explains neither more than there was, nor less than there is to be.
    @Test func reportsBeyondWhatLatenessExplainsAreBelieved() throws {
        var simulation = try Simulation(
            SpillWorld(demand: 0.65 * SpillTables.total), reports: true)
        for _ in 0..<3 { try simulation.step() }
        simulation.growth = 1.4
        for _ in 0..<60 { try simulation.step() }
        try simulation.stepWithin(1.04, 60)
    }

    /// After hours without a client it takes minutes, not hours, to know of many.
    @Test func aQuietNightIsNotForEver() throws {
        var simulation = try Simulation(
            SpillWorld(demand: 0.65 * SpillTables.total), reports: true)
        for _ in 0..<40 { try simulation.step() }
        simulation.growth = 0
        for _ in 0..<2000 { try simulation.step() }
        simulation.growth = 1.4
        for _ in 0..<240 { try simulation.step() }
        #expect(try simulation.worst() < 1.04)
    }

    /// Two servers that were told the same hand on the same.
    @Test func twoTablesAgree() throws {
        func run() throws -> SpillTable {
            var simulation = try Simulation(
                SpillWorld(demand: 0.85 * SpillTables.total), reports: true)
            for _ in 0..<30 { try simulation.step() }
            try simulation.fail([4])
            for _ in 0..<30 { try simulation.step() }
            return simulation.table
        }
        let (one, other) = (try run(), try run())
        #expect(!one.shares.isEmpty)
        #expect(one.shares == other.shares)
        #expect(one.load == other.load)
    }

    /// All are over together, in proportion, and it is told.
    @Test func tooMuchForAllIsTold() throws {
        let demand = 1.2 * SpillTables.total
        let simulation = try Simulation(
            SpillWorld(demand: demand, keys: "demand=\(Int(demand))"), reports: false)
        let load = try #require(simulation.table.load)
        #expect(load.overloaded == Set(SpillWorld.capacities.indices))
        for region in load.carried.indices {
            #expect(abs(load.carried[region] / SpillWorld.capacities[region] - 1.2) < 0.01)
        }
    }

    /// A reload of the same zones changes nothing.
    @Test func aReloadForgetsNothing() throws {
        var simulation = try Simulation(
            SpillWorld(demand: 0.85 * SpillTables.total), reports: true)
        for _ in 0..<60 { try simulation.step() }
        try simulation.fail([1])
        let again = try SpillWorld(demand: 0.85 * SpillTables.total)
        var moved = simulation.table.moved(
            from: simulation.earth.world.plan, to: again.world.plan)
        #expect(moved.shares == simulation.table.shares)
        moved.adapt(
            again.world.snapshot(
                again.world.health(down: [IPAddress(ipv4: 0xC000_0202)]),
                probes: again.world.probeIdentifiers
            ).answers,
            SpillWorld.capacities.map { RegionReport(capacity: $0) }, at: simulation.now)
        #expect(moved.shares == simulation.table.shares)
    }
}
