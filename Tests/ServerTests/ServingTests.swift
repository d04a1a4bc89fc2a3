import Geography
import Health
import Loader
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

        let serving = Serving(Log(.text))
        serving.adopt(loaded, probes: [probe], health: older)
        #expect(serving.current?.answers.endpointIsUp == [true])
        serving.update(health)
        serving.update(older)
        #expect(serving.current?.answers.endpointIsUp == [false])
    }
}
