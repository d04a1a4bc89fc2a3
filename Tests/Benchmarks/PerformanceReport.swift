import Foundation
import TestSupport

/// `docs/performance.md`: what was measured, where, with what.
struct PerformanceReport {
    let sideBySide: SideBySide
    let closest: SideBySide
    let manyNames: SideBySide
    let overloads: [Overload]
    let endurance: [Endurance]
    /// One worker of each, then two of each.
    let scaling: SideBySide
    let changes: [HealthChange]
    let lookups: [Lookup]
    let rounds: Int
    let enduranceSeconds: Int

    func write(to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    var text: String {
        """
        # Performance

        Written by `make bench`. Only ratios within one table mean something: the machine is
        shared, and another one has other figures.

        | | |
        |---|---|
        | measured | \(Self.date), commit \(Self.commit) |
        | machine | \(Self.processor), \(Self.coreCount) cores, Linux \(Self.kernel) |
        | peers | \(Self.versions) |

        ## Beside others

        Two network namespaces joined by a veth pair. Each server has one worker, on the last
        core; the generator (kxdpgun, AF_XDP) floods from the first, from sources all over
        64.0.0.0/4. All servers run at once and are flooded in turn. Medians of \(rounds) rounds,
        each of which begins with another server; in brackets the greatest less the least of them,
        as a share of the median.

        - *geo*: 1,000 names, for each client the nearest of 8 regions, by a database of 1.13
          million networks. Knot's module chooses by country.
        - *static*: 1,000 names with A and AAAA.
        - *AF_XDP*: frames are taken from the interface, past the sockets ([xdp.md](xdp.md)); each
          has a veth pair of its own.
        - *echo*: a loop in C that receives a batch and sends it back: the ceiling of sockets.

        | | work | replies/s | ÷ echo | µs of CPU a reply | user's | p50 µs | p99 µs | lost | MiB |
        |---|---|---|---|---|---|---|---|---|---|
        \(sideBySide.rows.map(line).joined(separator: "\n"))

        p50, p99 and what was lost are of a paced load of
        \(Self.number(Double(sideBySide.pace))) queries/s, half of what gdnsd takes. A query without
        reply counts as slower than any. The echo and geodnsd have receive buffers of
        4 MiB, gdnsd has 1 MiB, the most it takes: what waits there while the machine
        does something else is answered late, and what finds no room is lost.

        Ratios of replies/s within one round: their median, and in 95 of 100 such runs it lies
        between:

        | | median | |
        |---|---|---|
        \(ratioLines(sideBySide, Self.pairs))

        Those that are closest to one another, alone, in \(closest.roundCount) rounds. Knot is
        there as it chooses its cores: its worker takes the generator's, whatever it was started on.
        In the tables above it has been brought to the last, where all others are.

        | | median | |
        |---|---|---|
        \(ratioLines(closest, Self.closestPairs))

        \(overloadLines)

        ## A million names

        The same, with \(Self.number(Double(Workload.manyNameCount))) names with A, all of
        them asked for: here each query waits for memory.

        | | replies/s | µs of CPU a reply | user's | MiB |
        |---|---|---|---|---|
        \(manyNames.rows.map(shortLine).joined(separator: "\n"))

        | | median | |
        |---|---|---|
        \(ratioLines(manyNames, Self.manyNamesPairs))

        ## Under load

        \(Self.number(Double(Endurance.queriesPerSecond))) geo queries/s over AF_XDP for
        \(enduranceSeconds) seconds each, one worker, while something happens to the server. What is
        not answered is lost:

        \(Endurance.table(endurance))
        The sockets that `geodnsd.socket` keeps are described in
        [operations.md](operations.md#restart-and-upgrade); 250 ms is the `RestartSec` of the unit.

        ## Two workers

        Geo answers in a flood, by servers that may use all cores, the generator's too: with two
        cores nothing else is left, so replies/s cannot double. What a reply costs of the processor
        would rise if workers stood in each other's way. Medians of \(scaling.roundCount) rounds;
        × is what two are to one in the same round, and in 95 of 100 such runs lies between:

        | | replies/s, 1 worker | 2 | × | | µs of CPU a reply, 1 worker | 2 | × | |
        |---|---|---|---|---|---|---|---|---|
        \(scalingLines.joined(separator: "\n"))

        ## When health changes

        \(Self.number(Double(HealthChange.nameCount))) GEO names, each of the nearest of
        \(HealthChange.regionCount) regions, are asked for all the time, while a front door fails or
        returns (`rise=1 fall=1`): from the moment it tells a probe so until the first answer that
        follows. *Silence*: the longest time without any answer in between; what the machine does
        meanwhile holds up everybody.

        \(HealthChange.table(changes))
        \(curves)## Looking up a place

        \(Lookup.table(lookups))
        """
    }

    private func line(_ row: SideBySide.Row) -> String {
        let work = row.contender.answers ? row.contender.zone : ""
        let spread = Self.percent(row.repliesPerSecond.spread)
        let fields = [
            row.contender.name, work,
            "\(Self.number(row.repliesPerSecond.median)) (\(spread))",
            Self.fixed(row.toEcho.median, 2), Self.fixed(row.timePerReply.median, 2),
            Self.fixed(row.userTimePerReply.median, 2),
            latency(row.medianLatency), latency(row.highLatency),
            row.lostShare.values.isEmpty
                ? "" : Self.fixed(row.lostShare.median * 100, 3) + " %",
            Self.fixed(Double(row.resident) / 1_048_576, 1),
        ]
        return "| " + fields.joined(separator: " | ") + " |"
    }

    private func shortLine(_ row: SideBySide.Row) -> String {
        let spread = Self.percent(row.repliesPerSecond.spread)
        let fields = [
            row.contender.name, "\(Self.number(row.repliesPerSecond.median)) (\(spread))",
            Self.fixed(row.timePerReply.median, 2), Self.fixed(row.userTimePerReply.median, 2),
            Self.fixed(Double(row.resident) / 1_048_576, 1),
        ]
        return "| " + fields.joined(separator: " | ") + " |"
    }

    private static func framesOf(_ name: String) -> String { Contenders.name(name, 1) }

    private static let pairs: [(SideBySide.Key, SideBySide.Key)] = {
        let geo = ("geodnsd", "geo")
        let (geoFrames, staticFrames) = (
            (framesOf("geodnsd"), "geo"), (framesOf("geodnsd"), "static")
        )
        let knot = framesOf("Knot DNS")
        return [
            (geo, ("Knot DNS", "geo")), (geo, ("geodnsd", "static")), (geoFrames, geo),
            (geoFrames, ("gdnsd", "geo")), (geoFrames, (knot, "geo")),
            (staticFrames, (knot, "static")),
        ]
    }()

    private static let closestPairs: [(SideBySide.Key, SideBySide.Key)] = {
        let (geo, echo) = (("geodnsd", "geo"), ("socket echo (C)", "geo"))
        let gdnsd = ("gdnsd", "geo")
        return [(geo, echo), (gdnsd, echo), (geo, gdnsd), (geo, ("Knot DNS", "geo"))]
    }()

    private static let manyNamesPairs: [(SideBySide.Key, SideBySide.Key)] = [
        (("geodnsd", "many"), ("gdnsd", "many")), (("geodnsd", "many"), ("Knot DNS", "many")),
        ((framesOf("geodnsd"), "many"), (framesOf("Knot DNS"), "many")),
    ]

    /// Of replies/s, in one round each.
    private func ratioLines(
        _ measured: SideBySide, _ pairs: [(SideBySide.Key, SideBySide.Key)]
    ) -> String {
        pairs.compactMap { one, other in
            guard let ratio = measured.ratio(one, to: other) else { return nil }
            return "| \(one.name) \(one.zone) ÷ \(other.name) \(other.zone) |"
                + " \(Self.fixed(ratio.median, 2)) | \(Self.interval(ratio)) |"
        }.joined(separator: "\n")
    }

    private var overloadLines: String {
        """
        Geo queries offered by a generator in the kernel, far more than it can answer; in the
        second line it has a third of its core, as two other programs are busy there. What is
        too much is lost before it costs anything:

        | busy programs beside it | offered/s | answered/s | offered ÷ answered |
        |---|---|---|---|
        \(overloads.map(line).joined(separator: "\n"))
        """
    }

    private func line(_ overload: Overload) -> String {
        let (offered, answered) = (
            overload.offeredPerSecond.median, overload.answeredPerSecond.median
        )
        return "| \(overload.sharerCount) | \(Self.number(offered)) | \(Self.number(answered)) |"
            + " \(Self.fixed(offered / answered, 1)) |"
    }

    /// Where they have been drawn.
    private var curves: String {
        guard
            FileManager.default.fileExists(atPath: Programs.packageFolder + "/docs/performance.svg")
        else { return "" }
        return """
            ## How cost grows

            With regions, names, networks and checks, drawn by `make bench CURVES=1`:

            ![replies/s, memory, start, and what a change of health costs](performance.svg)


            """
    }

    private var scalingLines: [String] {
        let half = scaling.rows.count / 2
        return zip(scaling.rows.prefix(half), scaling.rows.suffix(half)).map { one, two in
            let replies = two.repliesPerSecond.ratios(to: one.repliesPerSecond)
            let cost = two.timePerReply.ratios(to: one.timePerReply)
            let fields = [
                one.contender.name, Self.number(one.repliesPerSecond.median),
                Self.number(two.repliesPerSecond.median), Self.fixed(replies.median, 2),
                Self.interval(replies), Self.fixed(one.timePerReply.median, 2),
                Self.fixed(two.timePerReply.median, 2), Self.fixed(cost.median, 2),
                Self.interval(cost),
            ]
            return "| " + fields.joined(separator: " | ") + " |"
        }
    }

    private func latency(_ sample: Sample) -> String {
        sample.values.isEmpty ? "" : Self.fixed(sample.median, 0)
    }

    // MARK: - Figures

    static func number(_ value: Double) -> String {
        var digits = String(Int(value.rounded()))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits] + groups).joined(separator: ",")
    }

    static func fixed(_ value: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", value)
    }

    static func interval(_ sample: Sample) -> String {
        let interval = sample.medianInterval
        return "\(fixed(interval.lowerBound, 2)) to \(fixed(interval.upperBound, 2))"
    }

    static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

    // MARK: - Where and with what

    private static var date: String {
        let formatter = DateFormatter()
        formatter.dateFormat = "yyyy-MM-dd"
        formatter.timeZone = TimeZone(identifier: "UTC")
        return formatter.string(from: Date())
    }

    private static var commit: String {
        output("git", ["-C", Programs.packageFolder, "rev-parse", "--short", "HEAD"])
    }

    private static var coreCount: Int { ProcessInfo.processInfo.processorCount }

    private static var kernel: String { output("uname", ["-r"]) }

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        return text.firstMatch(of: /model name\s*: (.*)/).map { String($0.1) } ?? "?"
    }

    private static var versions: String {
        ["gdnsd", "knot", "knot-dnsutils"].map { package in
            let version = output("dpkg-query", ["-W", "-f", "${Version}", package])
            return "\(package) \(version)"
        }.joined(separator: ", ")
    }

    private static func output(_ name: String, _ arguments: [String]) -> String {
        guard let program = Programs.find(name),
            let (status, text) = try? RunningProcess.run(program, arguments), status == 0
        else { return "?" }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
