import Addressing
import Geography
import Health
import Loader
import Steering
import Testing

@testable import Server

/// What a server makes of capacities, demand and reports, in simulated time.
@Suite struct SpillServing {
    private static func world(_ text: String) throws -> World {
        let (world, diagnostics) = ZoneLoader.load(
            zones: [
                (
                    "example.com",
                    """
                    $TTL 1h
                    @    SOA ns1 hostmaster 1 2h 30m 2w 1m
                         NS  ns1
                    ns1  A   192.0.2.53
                    busy CHECK load /load
                    fra  REGION 50 8 check=busy capacity=100
                         A   192.0.2.1
                    iad  REGION 40 -70 check=busy capacity=1000
                         A   192.0.2.2

                    """ + text
                )
            ], source: MemoryLocationSource([]))
        #expect(diagnostics.map(\.description) == [])
        return try #require(world)
    }

    private static func second(_ count: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(count) * 1_000_000_000)
    }

    private let probes = [ProbeIdentifier(0), ProbeIdentifier(1)]

    private func health(_ states: [HealthState], loads: [Double?] = [nil, nil]) -> HealthTable {
        var health = HealthTable()
        for (index, probe) in probes.enumerated() {
            health[probe] = states[index]
            if let load = loads[index] { health[figuresOf: probe] = ProbeFigures(load: load) }
        }
        return health
    }

    /// The part of some thousand clients that get the first region.
    private func part(_ serving: Serving) throws -> Double {
        let answers = try #require(serving.current?.answers)
        var random = RandomSource(seed: 1)
        let own = (0..<4000).count { number in
            answers.decide(
                name: 0, client: Client(source: IPAddress(ipv4: UInt32(number) << 16)),
                random: &random
            ).outcome == .endpoint(0)
        }
        return Double(own) / 4000
    }

    private func events(_ journal: Journal) -> [String] {
        journal.events(after: 0).filter { $0.name.hasPrefix("spill") || $0.name.hasPrefix("over") }
            .map { event in
                ([event.name] + event.fields.filter { $0.name != "name" }.map(\.value))
                    .joined(separator: " ")
            }
    }

    /// By what the zone says; events and `geodnsctl` tell it.
    @Test func aFullRegionIsToldOf() throws {
        let world = try SpillServing.world("app GEO failover fra iad demand=150\n")
        let journal = Journal(Log(.text))
        let serving = Serving(journal)
        var table = health([.up, .up])
        serving.adopt(world, probes: probes, health: table, at: SpillServing.second(1000))
        #expect(abs(try part(serving) - 2.0 / 3) < 0.03)
        #expect(events(journal) == ["spill fra 150 100 100 iad 50"])
        #expect(
            serving.current?.spillRows.map { "\($0.0) \($0.1)" }
                == ["spilling fra, wanted 150 of 100: iad 50"])
        #expect(
            serving.current?.loadRows.dropFirst().map { $0 } == [
                ["fra", "100", "150", "100 100%", "-", "iad 50"],
                ["iad", "1000", "0", "50 5%", "-", "-"],
            ])
        // Looked at every five seconds, though nothing changes.
        let next = serving.update(table, at: SpillServing.second(1001))
        #expect(next == SpillServing.second(1005))
        #expect(
            serving.update(table, at: SpillServing.second(1005)) == SpillServing.second(1010))
        #expect(events(journal).count == 1)
        // The other is gone: there is nobody to hand on to, and that is too much.
        table[probes[1]] = .down
        serving.update(table, at: SpillServing.second(1006))
        #expect(try part(serving) == 1)
        #expect(
            events(journal).dropFirst().map { $0.split(separator: " ")[0] } == [
                "spill-ended", "overload",
            ])
        #expect(serving.current?.spillRows.map(\.1) == ["fra 150% of what they can carry"])
        table[probes[1]] = .up
        serving.update(table, at: SpillServing.second(1007))
        #expect(abs(try part(serving) - 2.0 / 3) < 0.03)
        #expect(
            events(journal).suffix(2).map { $0.split(separator: " ")[0] } == [
                "spill", "overload-ended",
            ])
    }

    /// By what front doors report: nothing is handed on while they have room, and when one reports
    /// too much, so many are that it has not.
    @Test func reportsTellHowMuchThereIs() throws {
        let world = try SpillServing.world("app GEO failover fra iad\n")
        let journal = Journal(Log(.text))
        let serving = Serving(journal)
        serving.adopt(
            world, probes: probes, health: health([.up, .up], loads: [80, 0]),
            at: SpillServing.second(1000))
        #expect(try part(serving) == 1)
        var table = health([.up, .up], loads: [80, 0])
        table[figuresOf: probes[0]] = ProbeFigures(load: 160)
        serving.update(table, at: SpillServing.second(1005))
        #expect(abs(try part(serving) - 100.0 / 160) < 0.03)
        #expect(serving.current?.answers.spill.isEmpty == false)
        // Once, though answers were made anew.
        #expect(events(journal) == ["spill fra 160 100 100 iad 60"])
        // A reload of the same zones changes nothing.
        serving.adopt(
            try SpillServing.world("app GEO failover fra iad\n"), probes: probes, health: table,
            at: SpillServing.second(1006))
        #expect(abs(try part(serving) - 100.0 / 160) < 0.03)
    }

    /// Front doors that had nothing to do when the server started: what comes later is known at
    /// the next look.
    @Test func whoWasIdleAtTheStartSpillsLater() throws {
        let world = try SpillServing.world("app GEO failover fra iad\n")
        let serving = Serving(Journal(Log(.text)))
        serving.adopt(
            world, probes: probes, health: health([.up, .up], loads: [0, 0]),
            at: SpillServing.second(1000))
        #expect(try part(serving) == 1)
        serving.update(
            health([.up, .up], loads: [160, 0]), at: SpillServing.second(1005))
        #expect(abs(try part(serving) - 100.0 / 160) < 0.03)
    }
}
