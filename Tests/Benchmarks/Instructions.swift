import Foundation
import TestSupport

/// User-space instructions per query, kind by kind, and whether they stay below the thresholds.
enum Instructions {
    /// More than this much over the threshold fails: compilers and C libraries differ a little.
    static let tolerance = 1.05
    private static let queryCount = 4000

    struct Result: Codable {
        var workload: String
        var instructionsPerQuery: Int
        /// Name and number, when there are more calls than the housekeeping once a second makes.
        var forbiddenCalls: [String: Int]
    }

    static func measure(program: String, geoData: String) throws -> [Result] {
        let server = try CountedServer(program: program, geoData: geoData)
        let limiting = try CountedServer(
            program: program, geoData: geoData, arguments: ["--rrl-rate", "1000000"])
        let crowded = try CountedServer(
            program: program, geoData: geoData, zones: Workload.crowdedZones)
        return try measure(Workload.all, server) + measure(Workload.limited, limiting)
            + measure(Workload.crowded, crowded)
    }

    private static func measure(
        _ workloads: [Workload], _ server: CountedServer
    ) throws -> [Result] {
        try workloads.map { workload in
            let cost = try server.cost(of: workload, count: queryCount)
            return Result(
                workload: workload.name, instructionsPerQuery: cost.instructions / queryCount,
                forbiddenCalls: cost.forbiddenCalls.filter { $0.value > queryCount / 20 })
        }
    }

    /// Prints the table; false when something is above its threshold.
    static func report(_ results: [Result], thresholds: [String: Int]) -> Bool {
        var isGood = true
        print("user-space instructions per query (callgrind, one worker, 20 queries at a time)\n")
        for result in results {
            let threshold = thresholds[result.workload]
            var remark = ""
            if let threshold {
                let bound = Int(Double(threshold) * tolerance)
                if result.instructionsPerQuery > bound {
                    remark = "  more than \(threshold) and \(Int((tolerance - 1) * 100 + 0.5)) %"
                    isGood = false
                } else if Double(result.instructionsPerQuery) * tolerance < Double(threshold) {
                    remark = "  a gain: record it with --record"
                }
            }
            for (name, count) in result.forbiddenCalls.sorted(by: { $0.key < $1.key }) {
                remark += "  calls \(name) \(count) times"
                isGood = false
            }
            let known = threshold.map { "\($0)" } ?? "none"
            let name = result.workload.padding(toLength: 20, withPad: " ", startingAt: 0)
            print("\(name)  \(result.instructionsPerQuery)  (threshold \(known))\(remark)")
        }
        // Who asks for what is not served here must be cheaper than who is steered, and no dearer
        // than who gets the plainest answer there is. The two are so near that only what is above
        // the tolerance of both tells anything.
        let costs = Dictionary(
            uniqueKeysWithValues: results.map { ($0.workload, $0.instructionsPerQuery) })
        for kind in ["", ", rate limit"] {
            guard let refused = costs["REFUSED" + kind], let steered = costs["geo" + kind],
                let plain = costs["static" + kind]
            else { continue }
            if refused >= steered || Double(refused) > Double(plain) * tolerance * tolerance {
                print("REFUSED\(kind) costs as much as an answer")
                isGood = false
            }
        }
        return isGood
    }
}
