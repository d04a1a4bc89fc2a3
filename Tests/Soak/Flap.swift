import Foundation
import Health
import TestSupport

/// Regions that fail and return at random, by real front doors, while every answer is compared with
/// what they do: docs/testing.md.
struct Flap {
    var minutes = 5.0
    var queriesPerSecond = 10_000
    var regionCount = 200
    var seed = UInt64.random(in: 0...999_999)

    /// True when no answer was wrong.
    func run() throws -> Bool {
        let tally = Tally()
        let zone = FlapZone(regionCount: regionCount, port: freePort(on: "127.0.0.1"))
        say(
            "seed \(seed): \(regionCount) regions, \(queriesPerSecond) queries/s, \(minutes) minutes"
        )
        let doors = FlapDoors()
        let serve = try doors.open(zone, seed: seed)
        let thread = DispatchGroup()
        thread.enter()
        Thread.detachNewThread {
            serve()
            thread.leave()
        }
        defer {
            doors.stop()
            thread.wait()
        }
        let server = try TestServer(zones: [("\(FlapZone.origin).zone", zone.text)])
        let watch = ProcessWatch(identifier: server.process.identifier, port: server.port)
        var client = try FlapClient(
            zone, serverPort: server.port, doors: doors, seed: seed, tally)
        doors.start()
        let duration = Duration.milliseconds(Int64(minutes * 60_000))
        let processorBefore = watch.processorSeconds
        let taken = client.run(queriesPerSecond: queriesPerSecond, for: duration)
        let processor = watch.processorSeconds - processorBefore
        judgeEnd(server, tally)
        report(client, zone, taken: taken, processor: processor, tally)
        return tally.violationCount == 0
    }

    private func judgeEnd(_ server: TestServer, _ tally: Tally) {
        if !server.process.isRunning { tally.violation("the server has ended") }
        let status = server.process.stop()
        if status != 0 { tally.violation("exit status \(status.map { "\($0)" } ?? "none")") }
        let text = server.process.text
        for mark in ["cut-off", "Fatal error", "obstacle"] where text.contains(mark) {
            tally.violation("the server said \(mark):\n\(text.suffix(2000))")
        }
    }

    // MARK: - Report

    private func report(
        _ client: FlapClient, _ zone: FlapZone, taken: Duration, processor: Double, _ tally: Tally
    ) {
        let seconds = Double(taken.nanoseconds) / 1e9
        say(
            "from a death to the last answer that names the dead, from a return to the last without:"
        )
        for (number, check) in zone.checks.enumerated() {
            let histories = client.histories.enumerated()
                .filter { $0.offset % zone.checks.count == number }.map(\.element)
            say("  \(check.kind == .tcp ? "tcp" : "http") \(FlapZone.keys(of: check))")
            let detection = DetectionTime(check)
            for isLasting in [false, true] {
                tell(
                    histories, isLasting ? "down, hanging" : "down",
                    most: detection.mostToDown(lasting: isLasting)
                ) { !$0.isGood && $0.isLasting == isLasting }
            }
            tell(histories, "up", most: detection.mostToUp(lasting: true)) { $0.isGood }
        }
        if client.judgedCount == 0 || client.steadyTTLCount == 0 || client.shortTTLCount == 0 {
            tally.violation("nothing was seen")
        }
        say(
            "\(tally.violationCount) violations; \(client.judgedCount) answers of "
                + "\(client.askedCount) judged, \(Int(Double(client.askedCount) / seconds))/s, "
                + "\(client.namedCount) regions named, \(client.changeCount) changes of front doors; "
                + "TTLs of certain length: \(client.steadyTTLCount) steady, "
                + "\(client.shortTTLCount) short; this machine stalled for "
                + "\(inWords(client.stallTime)), at most \(inWords(client.longestStall)), which "
                + "excuses \(client.excusedCount) answers; the server took "
                + String(format: "%.1f %% of a core", processor / seconds * 100))
    }

    /// Of all times that were long enough to be known.
    private func tell(
        _ histories: [FrontDoorHistory], _ what: String, most: Duration,
        where isMeant: (FrontDoorHistory.Period) -> Bool
    ) {
        let samples = histories.flatMap { history in
            history.periods.dropFirst().filter { period in
                isMeant(period) && (period.end.map { $0 >= period.known } ?? false)
            }.map { ($0.lastContrary ?? $0.begin) - $0.begin }
        }.sorted()
        guard let longest = samples.last else { return }
        say(
            "    \(what): \(samples.count) times, median \(inWords(samples[samples.count / 2])), "
                + "most \(inWords(longest)), allowed \(inWords(most))")
    }
}
