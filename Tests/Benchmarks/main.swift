import Foundation
import TestSupport

// Measures the programs that were built beside this one. Exit status 1 when a threshold is passed
// or something could not be measured, 2 for wrong usage.
let usage = """
    usage: benchmark instructions [--record]
           benchmark load
           benchmark lookup [--rounds N]
           benchmark peers [--rounds N] [--seconds N]
           benchmark endurance [--seconds N]
           benchmark health [--changes N]
           benchmark curves [--largest N]
           benchmark detection [--trials N]
           benchmark checks [--count N] [--seconds N]

    instructions   user-space instructions per query against Tests/Benchmarks/thresholds.json;
                   --record writes what was measured as the new thresholds
    load           processor time and memory of loading a million names, beside NSD and Knot
    lookup         addresses in a location table: loads that wait for one another, nanoseconds
    peers          replies/s, CPU and latency beside gdnsd, Knot DNS and a plain echo, into
                   docs/performance.md; wants root
    endurance      50,000 queries/s over AF_XDP for N seconds (60) each, while the server reloads,
                   its health changes, it is killed: how many are lost; wants root
    health         milliseconds from a probe's result to the first answer that follows it, N (200)
                   times at an even pace, and N in a flood; wants root
    curves         how cost grows with regions, names, networks (to N, 10,000,000) and checks, into
                   docs/performance.svg; wants root
    detection      seconds from a front door's death to the last answer that names it, beside gdnsd
    checks         what N checks (10,000) with every=10s cost, and whether their starts drift: each
                   kind for N seconds (60)

    """

let thresholdsFile = Programs.packageFolder + "/Tests/Benchmarks/thresholds.json"
let database = Programs.packageFolder + "/geo-data/world-country.mmdb"

func instructions(isRecording: Bool) throws -> Bool {
    var results = try Instructions.measure(program: Programs.own("geodnsd"), geoData: database)
    results.append(try LoadInstructions.measure(program: Programs.own("geodnsd")))
    let thresholds = try JSONDecoder().decode(
        [String: Int].self, from: Data(contentsOf: URL(filePath: thresholdsFile)))
    let isGood = Instructions.report(results, thresholds: thresholds)
    guard isRecording else { return isGood }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let recorded = Dictionary(
        uniqueKeysWithValues: results.map { ($0.workload, $0.instructionsPerQuery) })
    try (encoder.encode(recorded) + Data("\n".utf8)).write(to: URL(filePath: thresholdsFile))
    return true
}

/// Of each row of `Endurance` in the report.
let enduranceSeconds = 30

func peers(rounds: Int, seconds: Int) throws {
    let folder = try TemporaryFolder()
    // Knot gives up its rights before it reads its zones.
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
    let network = try BenchNetwork()
    // First: what floods leave behind on a shared machine is not to be measured with it.
    let changes = try healthChanges(
        min(20 * rounds, 200), folder: folder.path, over: network)
    let contenders = Contenders(folder: folder.path, database: database)
    var sideBySide = try SideBySide(contenders.all(), folder: folder.path, over: network)
    defer { sideBySide.stop() }
    try sideBySide.flood(rounds: rounds, seconds: seconds)
    let (fewRounds, manySeconds) = (min(rounds, 5), 3)
    try sideBySide.pace(rounds: fewRounds, seconds: manySeconds)
    sideBySide.stop()
    var closest = try SideBySide(contenders.closest(), folder: folder.path, over: network)
    defer { closest.stop() }
    try closest.flood(rounds: 3 * rounds, seconds: seconds)
    closest.stop()
    let overloads = try Overload.run(
        folder: folder.path, database: database, rounds: fewRounds, seconds: manySeconds,
        over: network)
    let endurance = try Endurance.run(
        seconds: enduranceSeconds, database: database, folder: folder.path, over: network)
    var manyNames = try SideBySide(
        contenders.withManyNames(), folder: folder.path, over: network)
    defer { manyNames.stop() }
    try manyNames.flood(rounds: rounds, seconds: seconds)
    manyNames.stop()
    var scaling = try SideBySide(
        contenders.withOneAndTwoWorkers(), folder: folder.path, over: network, onAllCores: true)
    defer { scaling.stop() }
    try scaling.flood(rounds: 2 * rounds, seconds: seconds)
    scaling.stop()
    let report = PerformanceReport(
        sideBySide: sideBySide, closest: closest, manyNames: manyNames, overloads: overloads,
        endurance: endurance, scaling: scaling, changes: changes,
        lookups: try Lookup.measure(database: database, rounds: fewRounds), rounds: rounds,
        enduranceSeconds: enduranceSeconds)
    print(report.text)
    try report.write(to: Programs.packageFolder + "/docs/performance.md")
}

/// At an even pace, and in a flood.
func healthChanges(_ count: Int, folder: String, over network: BenchNetwork) throws
    -> [HealthChange]
{
    try [HealthChange.evenPace, HealthChange.floodPace].map { pace in
        try HealthChange.run(
            changes: count, queriesPerSecond: pace, database: database, folder: folder,
            over: network)
    }
}

func curves(largest: Int) throws {
    let folder = try TemporaryFolder()
    var curves = Curves(folder: folder.path, database: database, over: try BenchNetwork())
    try curves.measure(largest: largest)
    for curve in curves.curves {
        print("\(curve.title): size, replies/s, MiB resident, s to start")
        for point in curve.points {
            print(
                "  \(point.size)  \(Int(point.repliesPerSecond))",
                PerformanceReport.fixed(point.residentMebibytes, 1),
                PerformanceReport.fixed(point.startSeconds, 2))
        }
        if let (quantity, values) = curve.more { print("  \(quantity):", values) }
    }
    try curves.chart.svg.write(
        toFile: Programs.packageFolder + "/docs/performance.svg", atomically: true, encoding: .utf8)
}

func option(_ name: String, in words: [String], otherwise: Int) -> Int? {
    guard let place = words.firstIndex(of: name) else { return otherwise }
    return words.indices.contains(place + 1) ? Int(words[place + 1]) : nil
}

func wrongUsage() -> Never {
    print(usage, terminator: "")
    exit(2)
}

let words = Array(CommandLine.arguments.dropFirst())
do {
    switch words.first {
    case "instructions" where words.dropFirst().allSatisfy { $0 == "--record" }:
        exit(try instructions(isRecording: words.contains("--record")) ? 0 : 1)
    case "load" where words.count == 1:
        try Load.report(program: Programs.own("geodnsd"), database: database)
    case "lookup":
        guard let rounds = option("--rounds", in: words, otherwise: 5), rounds >= 1
        else { wrongUsage() }
        print(Lookup.table(try Lookup.measure(database: database, rounds: rounds)), terminator: "")
    case "peers":
        guard let rounds = option("--rounds", in: words, otherwise: 15), rounds >= 1,
            let seconds = option("--seconds", in: words, otherwise: 1), seconds >= 1
        else { wrongUsage() }
        try peers(rounds: rounds, seconds: seconds)
    case "endurance":
        guard let seconds = option("--seconds", in: words, otherwise: 60), seconds >= 20
        else { wrongUsage() }
        let folder = try TemporaryFolder()
        let all = try Endurance.run(
            seconds: seconds, database: database, folder: folder.path, over: try BenchNetwork())
        print(Endurance.table(all), terminator: "")
    case "health":
        guard let changes = option("--changes", in: words, otherwise: 200), changes >= 1
        else { wrongUsage() }
        let folder = try TemporaryFolder()
        let network = try BenchNetwork()
        let all = try healthChanges(changes, folder: folder.path, over: network)
        print(HealthChange.table(all), terminator: "")
    case "curves":
        guard let largest = option("--largest", in: words, otherwise: 10_000_000), largest >= 1000
        else { wrongUsage() }
        try curves(largest: largest)
    case "detection":
        guard let trials = option("--trials", in: words, otherwise: 20), trials >= 1
        else { wrongUsage() }
        var detection = Detection()
        try detection.measure(trials: trials)
        print(detection.table)
    case "checks":
        guard let count = option("--count", in: words, otherwise: 10_000),
            (1...1_000_000).contains(count),
            let seconds = option("--seconds", in: words, otherwise: 60), seconds >= 30
        else { wrongUsage() }
        let rows = try CheckLoad.Kind.allCases.map {
            try CheckLoad.measure($0, count: count, seconds: seconds)
        }
        print(CheckLoad.table(rows))
    case "hold" where words.count > 2:
        // This and the next: how it starts itself in a namespace.
        try Endurance.hold(words[1], Array(words.dropFirst(2)))
    case "pace" where words.count == 5:
        guard let rate = Int(words[3]), let seconds = Int(words[4]) else { wrongUsage() }
        try Pace.generate(
            address: words[1], zone: words[2], queriesPerSecond: rate, seconds: seconds)
    case "changes" where words.count == 4:
        guard let changes = Int(words[2]), let rate = Int(words[3]) else { wrongUsage() }
        try HealthChange.generate(
            address: words[1], changes: changes, queriesPerSecond: rate)
    default: wrongUsage()
    }
} catch {
    print("benchmark: \(error)")
    exit(1)
}
