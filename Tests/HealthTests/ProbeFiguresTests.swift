import Addressing
import TestSupport
import Testing

@testable import Health

/// What probes measure, smoothed, and when it is worth telling.
@Suite struct ProbeFiguresTests {
    private static let check = CheckSpecification(
        .load(path: "/"), port: 80, every: .seconds(10), fall: 2, rise: 1)

    /// The published figures after each result: connections of the report (nil: it failed), and
    /// milliseconds that the probe took.
    private func published(
        _ results: [(connections: Int?, milliseconds: Int)], isWanted: Bool = true
    ) throws -> [ProbeFigures?] {
        var list = Watchlist()
        list.wantsFigures = isWanted
        let identifier = list.watch(
            [Probe(ProbeFiguresTests.check, of: IPAddress(ipv4: 1))], at: second(0))[0]
        var now = second(0)
        return try results.map { connections, milliseconds in
            now = list.nextStart.map { max($0, now) } ?? now
            let start = try #require(list.takeDue(at: now, atMost: 1).first)
            let body = connections.map { "{\"connections\":\($0)}" } ?? "?"
            let result = ProbeFiguresTests.check.judge(
                HTTPResponse(statusCode: 200, body: Array(body.utf8)),
                after: .milliseconds(milliseconds))
            _ = list.received(result, of: start.ticket, at: now)
            return list.table[figuresOf: identifier]
        }
    }

    @Test func oneNoisyProbeIsAQuarterOfTheTruth() throws {
        let found = try published([(100, 20), (100, 400), (100, 20), (500, 20)])
        #expect(found[0] == ProbeFigures(connections: 100, milliseconds: 20))
        #expect(found[1] == ProbeFigures(connections: 100, milliseconds: 115))
        #expect(found[2] == ProbeFigures(connections: 100, milliseconds: 91.25))
        #expect(found[3]?.connections == 200)
        // In the end the measured counts.
        let long = try published(
            Array(repeating: (100, 20), count: 5) + Array(repeating: (500, 90), count: 30))
        let last = try #require(long.last ?? nil)
        #expect(abs((last.connections ?? 0) - 500) < 51 && abs((last.milliseconds ?? 0) - 90) < 10)
    }

    @Test func whatIsAboutTheSameIsNotToldAgain() throws {
        var random = SeededGenerator(seed: 10)
        let results =
            [(100, 50)]
            + (0..<200).map { _ in (100 + random.number(-8...8), 50 + random.number(-4...4))
            }
        let found = try published(results.map { ($0.0, $0.1) })
        #expect(Set(found).count == 1)
    }

    @Test func whatWentDownIsMeasuredAnew() throws {
        let found = try published([(100, 20), (nil, 900), (nil, 900), (7, 5)])
        #expect(found[1] == ProbeFigures(connections: 100, milliseconds: 20))
        #expect(found[2] == ProbeFigures())
        #expect(found[3] == ProbeFigures(connections: 7, milliseconds: 5))
    }

    @Test func nobodyWantsToKnow() throws {
        #expect(try published([(100, 20), (500, 90)], isWanted: false) == [nil, nil])
    }
}
