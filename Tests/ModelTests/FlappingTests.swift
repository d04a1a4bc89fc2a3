import Addressing
import DNSWire
import Geography
import Health
import Loader
import Steering
import TestSupport
import Testing

/// Two hundred regions that die and come back at random, in simulated time, from the zone to the
/// answers: none names a region that has been dead for longer than it takes to find out, and none
/// leaves out one that has been well for longer than that.
@Suite struct FlappingTests {
    private static let regionCount = 200
    /// `every=5s fast=1s timeout=1s fall=3 rise=2`: the first probe after a death, and two more.
    private static let detection = Duration.milliseconds(5000 + 1000 + 2 * 1000 + 100)
    /// While down the pace is `fast`; a probe that hangs holds the next one up.
    private static let recovery = Duration.milliseconds(1000 + 1000 + 1000 + 100)
    /// Of an anchor.
    private static let wait = Duration.milliseconds(1100)

    private static func world() throws -> World {
        var zone = """
            $TTL 1h
            @    SOA ns1 hostmaster 1 2h 30m 2w 1m
                 NS  ns1
            ns1  A   192.0.2.53
            web  CHECK tcp 80 every=5s fast=1s timeout=1s fall=3 rise=2

            """
        for number in 0..<regionCount {
            zone += "r\(number) REGION 10 10 check=web\n A \(SimulatedNetwork.address(number))\n"
        }
        let names = (0..<regionCount).map { "r\($0)" }
        zone += "all GEO weighted \(names.joined(separator: " "))\n"
        zone += "first GEO failover \(names.joined(separator: " "))\n"
        let (world, problems) = ZoneLoader.load(
            zones: [("example", zone)], source: MemoryLocationSource([]))
        #expect(problems.isEmpty)
        return try #require(world)
    }

    /// With the guess that this server is cut off, and with anchors that know better.
    @Test(arguments: [0, 2], 0..<3 as Range<UInt64>)
    func noAnswerNamesTheDead(anchorCount: Int, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var random = RandomSource(seed: seed)
        let plan = try FlappingTests.world().plan
        var network = SimulatedNetwork(anchorCount: anchorCount, probes: plan.probes)
        var turns: [IPAddress: (next: MonotonicTime, last: MonotonicTime)] = [:]
        for probe in plan.probes {
            let first = network.now + .milliseconds(generator.number(10_000...60_000))
            turns[probe.address] = (first, network.now)
        }
        let addresses = plan.probes.map(\.address)
        var version: UInt64?
        var answers: AnswerTable?
        var (namedCount, answerCount) = (0, 0)
        // Gathered: there is a quarter of a million of them, and each `#expect` takes its time.
        var faults: [String] = []
        // Five minutes, looked at four times a second.
        for _ in 0..<1200 {
            for address in addresses {
                guard let turn = turns[address], turn.next <= network.now else { continue }
                network.doors[address] =
                    network.doors[address] != .answers
                    ? .answers : generator.once(in: 2) ? .hangs : .refuses
                let next = network.now + .milliseconds(generator.number(1000...60_000))
                turns[address] = (next, network.now)
            }
            network.run(until: network.now + .milliseconds(250))
            if network.list.table.version != version {
                version = network.list.table.version
                answers = AnswerTable(
                    plan, health: network.list.table, probes: network.identifiers)
            }
            let current = try #require(answers)
            for (index, endpoint) in plan.endpoints.enumerated() {
                guard endpoint.addresses.count == 1,
                    let address = endpoint.addresses.first?.address,
                    let turn = turns[address]
                else { continue }
                let age = network.now - turn.last
                if network.doors[address] == .answers {
                    guard age > FlappingTests.recovery + .seconds(1) else { continue }
                    if !current.endpointIsUp[index] {
                        faults.append("\(address) has been well for \(age)")
                    }
                } else {
                    guard age > FlappingTests.detection + FlappingTests.wait else { continue }
                    if current.endpointIsUp[index] {
                        faults.append("\(address) has been dead for \(age)")
                    }
                }
            }
            // What is drawn is one of those.
            for name in plan.names.indices {
                for _ in 0..<5 {
                    let client = Client(source: IPAddress(ipv4: 1), subnet: nil)
                    let decision = current.decide(name: name, client: client, random: &random)
                    answerCount += 1
                    guard case .endpoint(let index) = decision.outcome else { continue }
                    namedCount += 1
                    if !current.endpointIsUp[index] { faults.append("\(index) is named, and down") }
                }
            }
        }
        #expect(faults == [])
        #expect(namedCount == answerCount)
        #expect(network.changes.isEmpty, "it was never this server")
        #expect(network.reports.count > 500)
    }
}
