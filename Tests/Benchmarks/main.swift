import Foundation
import TestSupport

// Measures the programs that were built beside this one. Exit status 1 when a threshold is passed
// or something could not be measured, 2 for wrong usage.
let usage = """
    usage: benchmark instructions [--record]
           benchmark load

    instructions   user-space instructions per query against Tests/Benchmarks/thresholds.json;
                   --record writes what was measured as the new thresholds
    load           processor time and memory of loading a million names, beside NSD and Knot

    """

let thresholdsFile = Programs.packageFolder + "/Tests/Benchmarks/thresholds.json"
let words = Array(CommandLine.arguments.dropFirst())
if words == ["load"] {
    do {
        try Load.report(program: Programs.own("geodnsd"))
        exit(0)
    } catch {
        print("benchmark: \(error)")
        exit(1)
    }
}
guard words.first == "instructions", words.dropFirst().allSatisfy({ $0 == "--record" }) else {
    print(usage, terminator: "")
    exit(2)
}

do {
    var results = try Instructions.measure(
        program: Programs.own("geodnsd"),
        geoData: Programs.packageFolder + "/geo-data/world-country.mmdb")
    results.append(try LoadInstructions.measure(program: Programs.own("geodnsd")))
    let thresholds = try JSONDecoder().decode(
        [String: Int].self, from: Data(contentsOf: URL(filePath: thresholdsFile)))
    let isGood = Instructions.report(results, thresholds: thresholds)
    guard words.contains("--record") else { exit(isGood ? 0 : 1) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let recorded = Dictionary(
        uniqueKeysWithValues: results.map { ($0.workload, $0.instructionsPerQuery) })
    try (encoder.encode(recorded) + Data("\n".utf8)).write(to: URL(filePath: thresholdsFile))
} catch {
    print("benchmark: \(error)")
    exit(1)
}
