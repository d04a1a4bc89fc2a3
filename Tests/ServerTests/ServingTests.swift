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
}
