import Addressing
import Health
import Loader
import Steering
import TestSupport
import Testing

/// `ramp=`: who gets a target that came back, and when.
@Suite struct Ramps {
    private static let text = zone(
        """
        web CHECK tcp 80
        one REGION 50 8 check=web
         A 192.0.2.1
        two REGION 40 -70 check=web
         A 192.0.2.2
        three REGION 35 140 check=web
         A 192.0.2.3
        first GEO failover one two three ramp=10m
        drawn GEO failover one two three ramp=10m by=query
        hash GEO hash one:2 two three ramp=10m
        quick GEO failover one two ramp=3s
        """)

    private func clients(_ count: Int) -> [IPAddress] {
        var random = SeededGenerator(seed: 7)
        return (0..<count).map { number in
            number % 2 == 0
                ? IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
                : IPAddress(ipv6: UInt128.random(in: 0...UInt128.max, using: &random))
        }
    }

    /// Index of the endpoint, for each client.
    private func targets(
        _ name: Int, _ world: World, ramping: [String: Int], _ clients: [IPAddress]
    ) -> [(target: Int?, reason: String)] {
        let answers = world.snapshot(ramping: ramping).answers
        var random = RandomSource(seed: 5)
        return clients.map { address in
            let decision = answers.decide(
                name: name, client: Client(source: address), random: &random)
            return (answers.endpoints(of: decision.outcome).first, decision.reason.name)
        }
    }

    /// A client that has it keeps it while the ramp goes on, and so many have it as it says.
    @Test(arguments: [0, 1]) func partsGrowByClient(_ name: Int) throws {
        let world = try load([("example.com", Ramps.text)])
        let clients = clients(40_000)
        var before = Set<Int>()
        for part in stride(from: 0, through: 100, by: 5) {
            let found = targets(name, world, ramping: part < 100 ? ["one": part] : [:], clients)
            let own = Set(found.indices.filter { found[$0].target == 0 })
            #expect(abs(Double(own.count) / 40_000 - Double(part) / 100) < 0.01)
            if name == 0 { #expect(own.isSuperset(of: before)) }
            for (target, reason) in found {
                #expect(target == 0 ? reason == "failover" : target == 1 && reason == "ramp")
            }
            before = own
        }
    }

    /// Under shares it gets that part of its share, and takes clients from the others alone.
    @Test func sharesGrowByClient() throws {
        let world = try load([("example.com", Ramps.text)])
        let clients = clients(40_000)
        let whole = targets(2, world, ramping: [:], clients).map(\.target)
        var before = targets(2, world, ramping: ["one": 0], clients).map(\.target)
        for part in stride(from: 5, through: 95, by: 5) {
            let now = targets(2, world, ramping: ["one": part], clients).map(\.target)
            let count = now.count { $0 == 0 }
            #expect(abs(Double(count) / 40_000 - Double(part) / 200) < 0.01)
            for (old, new) in zip(before, now) where old != new { #expect(new == 0) }
            for (new, last) in zip(now, whole) where new != last { #expect(last == 0) }
            before = now
        }
    }

    /// The next one may be ramping, too; where all are, the best takes who is left.
    @Test func severalRampAtOnce() throws {
        let world = try load([("example.com", Ramps.text)])
        let clients = clients(40_000)
        func shares(_ ramping: [String: Int]) -> [Double] {
            let found = targets(0, world, ramping: ramping, clients)
            return (0..<3).map { target in
                (Double(found.count { $0.target == target }) / 400).rounded()
            }
        }
        let two = shares(["one": 20, "two": 50])
        #expect(zip(two, [20, 40, 40]).allSatisfy { abs($0 - $1) <= 1 }, "\(two)")
        let all = shares(["one": 20, "two": 50, "three": 50])
        #expect(zip(all, [40, 40, 20]).allSatisfy { abs($0 - $1) <= 1 }, "\(all)")
    }

    // MARK: - In time

    private func second(_ count: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(count) * 1_000_000_000)
    }

    @Test func stepsAreBoundedAndOnlyAfterAFailure() throws {
        let plan = try load([("example.com", Ramps.text)]).plan
        var table = RampTable()
        func parts(_ time: Int) -> [Duration: UInt32] {
            Dictionary(
                table.parts(in: plan, at: second(time)).map { ($0.length, $1) },
                uniquingKeysWith: max)
        }
        // Up from the start: nothing ramps.
        table.observe(plan, [.up, .up, .up], held: [], at: second(0))
        #expect(parts(0).isEmpty && table.nextStep(in: plan, at: second(0)) == nil)
        table.observe(plan, [.down, .up, .up], held: [], at: second(10))
        #expect(parts(10).isEmpty && table.nextStep(in: plan, at: second(10)) == nil)
        // While it drains or is held it is not back.
        table.observe(plan, [.drain, .up, .up], held: [], at: second(11))
        table.observe(plan, [.up, .up, .up], held: [0], at: second(12))
        #expect(table.nextStep(in: plan, at: second(12)) == nil)
        table.observe(plan, [.up, .up, .up], held: [], at: second(100))
        #expect(parts(100) == [.seconds(600): 0, .seconds(3): 0])
        #expect(table.nextStep(in: plan, at: second(100)) == second(101))
        #expect(parts(101) == [.seconds(600): 0, .seconds(3): 33])
        #expect(parts(102) == [.seconds(600): 0, .seconds(3): 66])
        #expect(table.nextStep(in: plan, at: second(103)) == second(130))
        // Twenty steps.
        #expect(
            (1...20).map { parts(100 + $0 * 30)[.seconds(600)] ?? 100 } == (1...20).map { $0 * 5 })
        #expect((1...20).map { parts(99 + $0 * 30)[.seconds(600)] } == (0...19).map { $0 * 5 })
        #expect(table.nextStep(in: plan, at: second(700)) == nil)
        // A failure begins it anew.
        table.observe(plan, [.down, .up, .up], held: [], at: second(710))
        table.observe(plan, [.up, .up, .up], held: [], at: second(720))
        #expect(parts(749) == [.seconds(600): 0])
        // A restart goes on from there, a reload too.
        table = RampTable(table.memory)
        table.forget(allBut: plan, at: second(750))
        #expect(parts(750) == [.seconds(600): 5])
        table.forget(allBut: plan, at: second(1320))
        #expect(table.memory.isEmpty)
    }
}
