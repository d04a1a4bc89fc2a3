import Differential
import Foundation
import TestSupport
import Testing

/// `make conformance` in short.
@Suite(.serialized) struct ConformanceTests {
    private static let missing = Peer.Kind.allCases.filter { $0.path == nil }

    /// 2,000 queries over 20 zones, the same every time. `make conformance` asks 200,000.
    @Test(
        .enabled(
            if: missing.isEmpty,
            "not installed: apt-get install \(missing.map(\.package).joined(separator: " "))"),
        .timeLimit(.minutes(2)))
    func everyDifferenceIsExplained() throws {
        let outcome = try Comparison.run(
            Comparison.Settings(seed: 20_261_121, zoneCount: 20, queryCount: 100))
        #expect(outcome.queryCount == 2000)
        #expect(outcome.unexplainedCount == 0, "\(outcome.told.joined(separator: "\n\n"))")
        // Most queries find four servers of one mind; else the rules explain too much.
        #expect(outcome.agreedCount > 1600, "\(outcome.summary)")
    }

    /// The table of rules in code is the one that people read.
    @Test func documentHoldsTheRules() throws {
        let path = Programs.packageFolder + "/docs/conformance.md"
        let document = try String(contentsOfFile: path, encoding: .utf8)
        #expect(
            document.contains("\n" + Rule.table),
            "docs/conformance.md: put in what `Tests/Conformance/run --rules` prints")
    }

    /// A seed gives the same zone and the same queries again: what a failure says can be repeated.
    @Test func seedsRepeat() {
        var (first, second) = (RandomZone(seed: 7), RandomZone(seed: 7))
        #expect(first.text == second.text)
        #expect(first.child?.text == second.child?.text)
        for _ in 0..<100 {
            #expect(first.query().message(identifier: 1) == second.query().message(identifier: 1))
        }
        #expect(RandomZone(seed: 8).text != first.text)
    }
}
