import Foundation
import TestSupport

/// geodnsd and its peers, one worker each on the last core, the generator on the first: all run,
/// one at a time is asked, in turns, so that whatever else the machine does falls on all alike.
struct SideBySide {
    struct Row {
        var contender: Contender
        var repliesPerSecond = Sample()
        /// Of the server, user and system, in microseconds.
        var timePerReply = Sample()
        /// Of that, what is not the kernel's.
        var userTimePerReply = Sample()
        /// In the same round, as a ratio.
        var toEcho = Sample()
        /// At half of what the slowest of its zone but Knot takes; microseconds.
        var medianLatency = Sample()
        var highLatency = Sample()
        var lostShare = Sample()
        var resident = 0
    }

    private(set) var rows: [Row]
    /// Of the paced load.
    private(set) var pace = 0
    private let network: BenchNetwork
    private var processes: [RunningProcess] = []
    private let queries: [String: String]

    private let usesAllCores: Bool

    /// `onAllCores`: the servers share the generator's core.
    init(
        _ contenders: [Contender], folder: String, over network: BenchNetwork,
        onAllCores: Bool = false
    ) throws {
        self.network = network
        usesAllCores = onAllCores
        rows = contenders.map { Row(contender: $0) }
        var queries: [String: String] = [:]
        for zone in Set(contenders.map(\.zone)) {
            let isMany = zone == "many"
            let (count, names) = isMany ? (1_000_000, Workload.manyNameCount) : (20_000, 1000)
            let lines = (0..<count).map { number in
                "h\(number &* 7919 % names).\(zone).example"
                    + " \(isMany || number % 10 < 7 ? "A" : "AAAA")\n"
            }
            queries[zone] = folder + "/queries-" + zone
            try lines.joined().write(
                toFile: folder + "/queries-" + zone, atomically: false, encoding: .utf8)
        }
        self.queries = queries
        for contender in contenders { processes.append(try start(contender)) }
    }

    private func start(_ contender: Contender) throws -> RunningProcess {
        let process = try network.startServer(contender.command, onAllCores: usesAllCores)
        guard contender.answers else { return process }
        let isReady = eventually(seconds: 60) {
            let text = try? network.runGenerator([
                "dig", "@\(contender.address)", "h1.\(contender.zone).example", "+short",
                "+subnet=133.11.0.0/16", "+time=1", "+tries=1",
            ])
            return text?.contains("198.51.100.") ?? false || !process.isRunning
        }
        guard isReady, process.isRunning else {
            throw BenchNetwork.Failed(
                description: "\(contender.name) does not answer:\n\(process.text)")
        }
        if !usesAllCores, !contender.choosesCores { try network.bringToLastCore(process) }
        return process
    }

    /// One round more is run before, to warm up. Each begins with another contender, so that none
    /// is always the first.
    mutating func flood(rounds: Int, seconds: Int) throws {
        for round in 0...rounds {
            var replies = [Double](repeating: 0, count: rows.count)
            for step in rows.indices {
                let index = (step + round) % rows.count
                let contender = rows[index].contender
                let process = processes[index].identifier
                let (before, userBefore) = (
                    processorSeconds(of: process), userSeconds(of: process)
                )
                let flood = try Flood.run(
                    contender, queries: queries[contender.zone] ?? "", seconds: seconds,
                    over: network)
                let spent = processorSeconds(of: process) - before
                let userSpent = userSeconds(of: process) - userBefore
                replies[index] = flood.repliesPerSecond
                guard round > 0 else { continue }
                rows[index].repliesPerSecond.add(flood.repliesPerSecond)
                let count = flood.repliesPerSecond * Double(seconds)
                rows[index].timePerReply.add(spent * 1e6 / count)
                rows[index].userTimePerReply.add(userSpent * 1e6 / count)
                progress(
                    "flood \(round)/\(rounds) \(contender.name) (\(contender.zone)):"
                        + " \(Int(flood.repliesPerSecond)) replies/s")
            }
            guard round > 0 else { continue }
            for index in rows.indices { rows[index].toEcho.add(replies[index] / replies[0]) }
        }
        for index in rows.indices {
            rows[index].resident = residentBytes(of: processes[index].identifier)
        }
    }

    /// How many rounds were measured.
    var roundCount: Int { rows.first?.repliesPerSecond.values.count ?? 0 }

    /// Which contender, and of which zone.
    typealias Key = (name: String, zone: String)

    /// The ratios of two contenders, each in one round; nil: one is not there.
    func ratio(_ one: Key, to other: Key) -> Sample? {
        func row(_ key: Key) -> Row? {
            rows.first { ($0.contender.name, $0.contender.zone) == key }
        }
        guard let one = row(one), let other = row(other) else { return nil }
        return one.repliesPerSecond.ratios(to: other.repliesPerSecond)
    }

    /// After `flood`: at half of what gdnsd takes, or geodnsd where that is not there.
    mutating func pace(rounds: Int, seconds: Int) throws {
        let geo = rows.filter {
            $0.contender.zone == "geo" && $0.contender.answers && $0.contender.cable == 0
        }
        let measure = geo.first { $0.contender.name == "gdnsd" } ?? geo.first
        guard let measure else { return }
        pace = Int(measure.repliesPerSecond.median / 2 / 1000) * 1000
        for round in 1...rounds {
            for index in rows.indices where !rows[index].contender.name.hasPrefix("Knot") {
                let contender = rows[index].contender
                let result = try Pace.run(
                    contender, queriesPerSecond: pace, seconds: seconds, over: network)
                rows[index].medianLatency.add(result.medianLatency)
                rows[index].highLatency.add(result.highLatency)
                rows[index].lostShare.add(result.lostShare)
                progress(
                    "pace \(round)/\(rounds) \(contender.name) (\(contender.zone)):"
                        + " p99 \(result.highLatency) µs, lost \(result.lostShare)")
            }
        }
    }

    func stop() {
        for process in processes { process.stop() }
    }
}
