import Addressing
import Geography
import Health
import Loader
import Steering
import Testing

@testable import Server

/// A reload and the monitor publish from two threads, each with its own copy of what is known.
@Suite struct ServingTests {
    static let zone = """
        $TTL 1h
        @    SOA ns1 hostmaster 1 2h 30m 2w 1m
             NS  ns1
        ns1  A   192.0.2.53
        fra  REGION 50 8
             A   192.0.2.1
             CHECK tcp 80
        """

    @Test func anOlderCopyOfTheHealthDoesNotUndoANewerOne() throws {
        let (world, _) = ZoneLoader.load(
            zones: [("example.com", ServingTests.zone)], source: MemoryLocationSource([]))
        let loaded = try #require(world)
        let probe = ProbeIdentifier(0)
        var health = HealthTable()
        health[probe] = .up
        let older = health
        health[probe] = .down

        let serving = Serving(Journal(Log(.text)))
        serving.adopt(loaded, probes: [probe], health: older)
        #expect(serving.current?.answers.endpointIsUp == [true])
        serving.update(health)
        serving.update(older)
        #expect(serving.current?.answers.endpointIsUp == [false])
    }

    /// `hold=` in simulated time: what the name answers after each change, and when to come again.
    @Test func aTargetThatKeepsFailingIsHeldAndLetGo() throws {
        let (world, _) = ZoneLoader.load(
            zones: [
                (
                    "example.com",
                    ServingTests.zone + """

                        spare A 192.0.2.9
                        app   GEO failover fra spare hold=40s
                        """
                )
            ], source: MemoryLocationSource([]))
        let loaded = try #require(world)
        let probe = ProbeIdentifier(0)
        func second(_ count: Int) -> MonotonicTime {
            MonotonicTime(nanoseconds: Int64(count) * 1_000_000_000)
        }
        var health = HealthTable()
        health[probe] = .up
        let serving = Serving(Journal(Log(.text)))
        serving.adopt(loaded, probes: [probe], health: health, at: second(1000))
        func target() throws -> Decision.Outcome {
            var random = RandomSource(seed: 1)
            let answers = try #require(serving.current?.answers)
            let client = Client(source: IPAddress(ipv4: 1), subnet: nil)
            return answers.decide(name: 0, client: client, random: &random).outcome
        }
        let (fra, spare) = (Decision.Outcome.endpoint(0), Decision.Outcome.endpoint(1))
        func change(_ state: HealthState, at time: Int) -> MonotonicTime? {
            health[probe] = state
            return serving.update(health, at: second(time))
        }
        #expect(try target() == fra)
        // Once is no flapping.
        #expect(change(.down, at: 1001) == nil)
        #expect(try target() == spare)
        #expect(change(.up, at: 1002) == nil)
        #expect(try target() == fra)
        // Twice is.
        let until = try #require(change(.down, at: 1003))
        #expect(until > second(1010) && until < second(1043))
        #expect(change(.up, at: 1005) == until)
        #expect(try target() == spare)
        // A drain is no failure, and a reload forgets nothing.
        #expect(change(.drain, at: 1006) == until)
        #expect(change(.up, at: 1007) == until)
        serving.adopt(loaded, probes: [probe], health: health, at: second(1008))
        #expect(try target() == spare)
        #expect(serving.update(health, at: second(1009)) == until)
        // Its time is over.
        #expect(serving.update(health, at: until) == nil)
        #expect(try target() == fra)
    }

    private static func second(_ count: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(count) * 1_000_000_000)
    }

    private func load(_ text: String) throws -> World {
        let (world, diagnostics) = ZoneLoader.load(
            zones: [("example.com", ServingTests.zone + text)], source: MemoryLocationSource([]))
        return try #require(world, "\(diagnostics)")
    }

    /// `ramp=` in simulated time: a target gets its clients back in steps, after a failure alone.
    @Test func aTargetThatComesBackGetsItsClientsLittleByLittle() throws {
        let world = try load(
            """

            spare A 192.0.2.9
            app   60/10 GEO failover fra spare ramp=100s
            """)
        let probe = ProbeIdentifier(0)
        var health = HealthTable()
        health[probe] = .up
        let serving = Serving(Journal(Log(.text)))
        serving.adopt(world, probes: [probe], health: health, at: ServingTests.second(1000))
        /// Percent of clients that get the target, and the TTL.
        func share() throws -> (part: Int, ttl: UInt32) {
            var random = RandomSource(seed: 1)
            let answers = try #require(serving.current?.answers)
            var ttl: UInt32 = 0
            let count = (0..<4000).count { number in
                let client = Client(source: IPAddress(ipv4: UInt32(number) << 12), subnet: nil)
                let decision = answers.decide(name: 0, client: client, random: &random)
                ttl = decision.ttl
                return decision.outcome == .endpoint(0)
            }
            return (count / 40, ttl)
        }
        func change(_ state: HealthState, at time: Int) -> MonotonicTime? {
            health[probe] = state
            return serving.update(health, at: ServingTests.second(time))
        }
        #expect(try share() == (100, 60))
        #expect(change(.down, at: 1001) == nil)
        #expect(try share() == (0, 10))
        #expect(change(.up, at: 1010) == ServingTests.second(1015))
        var next: MonotonicTime? = ServingTests.second(1015)
        var steps = 0
        while let time = next, steps < 30 {
            let passed = Int((time - ServingTests.second(1010)).components.seconds)
            next = serving.update(health, at: time)
            let (part, ttl) = try share()
            #expect(abs(part - passed) <= 3 && ttl == (next == nil ? 60 : 10))
            // A reload in between changes nothing.
            if steps == 7 {
                serving.adopt(world, probes: [probe], health: health, at: time)
                #expect(try share().part == part)
            }
            steps += 1
        }
        #expect(steps == 20)
        #expect(try share().part == 100)
    }

    /// Health that is in question is no change of answers but for the TTL, and that in its time.
    @Test func aStateInQuestionShortensTheTTL() throws {
        let ranged = try load("\napp 60/10 GEO failover fra\nfixed GEO failover fra")
        let plain = try load("\nfixed GEO failover fra")
        let probe = ProbeIdentifier(0)
        var health = HealthTable()
        health[probe] = .up
        let serving = Serving(Journal(Log(.text)))
        serving.adopt(ranged, probes: [probe], health: health, at: ServingTests.second(1000))
        func ttls() throws -> [UInt32] {
            var random = RandomSource(seed: 1)
            let answers = try #require(serving.current?.answers)
            let client = Client(source: IPAddress(ipv4: 1), subnet: nil)
            return answers.plan.names.indices.map {
                answers.decide(name: $0, client: client, random: &random).ttl
            }
        }
        #expect(try ttls() == [60, 30])
        health[timeToChangeOf: probe] = .seconds(25)
        #expect(serving.update(health, at: ServingTests.second(1010)) == nil)
        #expect(try ttls() == [25, 30])
        // The next one comes too soon after that, and is taken up later.
        health[timeToChangeOf: probe] = .seconds(2)
        let half = ServingTests.second(1010) + .milliseconds(500)
        #expect(serving.update(health, at: half) == ServingTests.second(1011))
        #expect(try ttls() == [25, 30])
        #expect(serving.update(health, at: ServingTests.second(1011)) == nil)
        #expect(try ttls() == [10, 30])
        // A state never waits.
        health[timeToChangeOf: probe] = nil
        health[probe] = .down
        #expect(serving.update(health, at: ServingTests.second(1011)) == nil)
        #expect(try ttls() == [10, 30])
        // Where no name has a range nothing is made anew.
        serving.adopt(plain, probes: [probe], health: health, at: ServingTests.second(1020))
        let answers = try #require(serving.current?.answers)
        health[timeToChangeOf: probe] = .seconds(2)
        #expect(serving.update(health, at: ServingTests.second(1030)) == nil)
        #expect(serving.current?.answers === answers && serving.current?.health == health)
    }

    /// `panic=` begins and ends with an event.
    @Test func panicIsTold() throws {
        let world = try load(
            """

            nrt REGION 35 139
                A 192.0.2.2
                CHECK tcp 80
            app GEO failover fra nrt panic=60%
            """)
        let probes = [ProbeIdentifier(0), ProbeIdentifier(1)]
        var health = HealthTable()
        for probe in probes { health[probe] = .up }
        let journal = Journal(Log(.text))
        let serving = Serving(journal)
        func names() -> [String] { journal.events(after: 0).map(\.name) }
        serving.adopt(world, probes: probes, health: health, at: ServingTests.second(1))
        #expect(!names().contains("panic"))
        health[probes[0]] = .down
        serving.update(health, at: ServingTests.second(2))
        #expect(
            names().count { $0 == "panic" } == 1 && serving.current?.answers.nameIsInPanic == [true]
        )
        health[probes[0]] = .up
        serving.update(health, at: ServingTests.second(3))
        #expect(names().last == "panic-over" || names().contains("panic-over"))
        #expect(serving.current?.answers.nameIsInPanic == [false])
    }

    /// One region under two sets of checks is two things that are up or down, of one name: each
    /// failure is told once, and not again with whatever changes next.
    @Test func whatStaysDownIsReportedOnce() throws {
        let world = try load(
            """

            nrt   REGION 35 139
                  A 192.0.2.2
                  CHECK tcp 80
            other CHECK tcp 81
            app   GEO failover fra nrt
            web   GEO failover fra check=other
            """)
        let probes = world.plan.probes.indices.map { ProbeIdentifier($0) }
        #expect(probes.count == 3)
        let web = try #require(world.plan.probes.firstIndex { $0.check.port == 81 })
        let nrt = try #require(
            world.plan.probes.firstIndex { $0.address == IPAddress("192.0.2.2") })
        var health = HealthTable()
        for probe in probes { health[probe] = .up }
        let journal = Journal(Log(.text))
        let serving = Serving(journal)
        serving.adopt(world, probes: probes, health: health, at: ServingTests.second(1))
        for (time, (probe, state)) in [
            (web, HealthState.down), (nrt, .down), (nrt, .up), (web, .up),
        ].enumerated() {
            health[probes[probe]] = state
            serving.update(health, at: ServingTests.second(2 + time))
        }
        let told = journal.events(after: 0).filter { ["up", "down"].contains($0.name) }
        #expect(told.map(\.name) == ["down", "down", "up", "up"])
    }

    /// What probes measure changes answers once a second at most, and only where a name goes by it.
    @Test func loadChangesAnswersWhereItIsHeeded() throws {
        let text = """

            nrt REGION 35 139
                A 192.0.2.2
                CHECK load /load
            app GEO %@ fra nrt
            """
        let probes = [ProbeIdentifier(0), ProbeIdentifier(1)]
        for policy in ["least-connections", "failover"] {
            let world = try load(text.replacing("%@", with: policy))
            var health = HealthTable()
            for probe in probes { health[probe] = .up }
            let serving = Serving(Journal(Log(.text)))
            serving.adopt(world, probes: probes, health: health, at: ServingTests.second(1))
            func change(_ connections: Double, at time: Int) -> (isNew: Bool, next: MonotonicTime?)
            {
                let before = serving.current?.answers
                health[figuresOf: probes[1]] = ProbeFigures(connections: connections)
                let next = serving.update(health, at: ServingTests.second(time))
                return (serving.current?.answers !== before, next)
            }
            let isHeeded = policy == "least-connections"
            #expect(change(10, at: 3) == (isHeeded, nil))
            let soon = change(20, at: 3)
            #expect(soon == (false, isHeeded ? ServingTests.second(4) : nil))
            #expect(change(20, at: 4).isNew == isHeeded)
        }
    }
}
