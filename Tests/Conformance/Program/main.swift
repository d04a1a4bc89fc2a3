import Differential
import Foundation

// Random zones and queries to Knot, NSD, BIND and geodnsd. Exit status 1 when a difference is
// unexplained or a server did not start, 2 for bad arguments.
var settings = Comparison.Settings(
    seed: UInt64.random(in: 1...999_999_999), zoneCount: 200, queryCount: 1000)
var showsZone = false

func usage(_ problem: String) -> Never {
    print(
        """
        conformance: \(problem)
        usage: conformance [--zones N] [--queries N] [--seed N] [--tell N]
               conformance --show --seed N     the zone files of a seed
               conformance --rules             the table of docs/conformance.md
        """)
    exit(2)
}

var words = CommandLine.arguments.dropFirst()
while let word = words.popFirst() {
    switch word {
    case "--show":
        showsZone = true
        continue
    case "--rules":
        print(Rule.table, terminator: "")
        exit(0)
    default: break
    }
    guard let value = words.popFirst(), let number = UInt64(value), number < 1 << 40 else {
        usage("\(word) needs a number")
    }
    switch word {
    case "--zones": settings.zoneCount = Int(number)
    case "--queries": settings.queryCount = Int(number)
    case "--tell": settings.toldMax = Int(number)
    case "--seed": settings.seed = number
    default: usage("unknown option \(word)")
    }
}

if showsZone {
    let zone = RandomZone(seed: settings.seed)
    print("; \(zone.origin)\n\(zone.text)")
    if let child = zone.child { print("; \(child.origin)\n\(child.text)") }
    exit(0)
}

print("seed \(settings.seed), \(settings.zoneCount) zones, \(settings.queryCount) queries each")
let start = Date()
do {
    let outcome = try Comparison.run(settings)
    for text in outcome.told { print("\n\(text)") }
    print("\n\(outcome.summary)")
    print("\(Int(Date().timeIntervalSince(start).rounded())) seconds")
    exit(outcome.unexplainedCount == 0 ? 0 : 1)
} catch {
    print("conformance: \(error)")
    exit(1)
}
