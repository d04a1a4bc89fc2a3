import Foundation
import TestSupport

/// A server under good and hostile traffic, with reloads and failing front doors.
struct Soak {
    let minutes: Double

    private static let datagramClientCount = 2
    private static let streamClientCount = 2

    /// True when nothing was violated.
    func run() throws -> Bool {
        let tally = Tally()
        let doorPort = freePort(on: SoakZone.doors[0])
        let doors = try SoakZone.doors.map { try ScriptedDoor($0, port: doorPort) }
        let zone = SoakZone(checkPort: doorPort)
        let folder = try TemporaryFolder()
        let server = try TestServer(
            zones: [("\(SoakZone.origin).zone", zone.text(version: 1, serial: 1))],
            geoData: try Soak.database(in: folder),
            // Hostile clients meet the limit; good ones have cookies.
            arguments: ["--rrl-rate", "200"])
        let watch = ProcessWatch(identifier: server.process.identifier, port: server.port)
        let restingDescriptorCount = watch.descriptorCount
        let began = Date()

        let threads = DispatchGroup()
        func start(_ body: @escaping @Sendable () -> Void) {
            threads.enter()
            let thread = Thread {
                body()
                threads.leave()
            }
            thread.stackSize = 1 << 20
            thread.start()
        }
        let port = server.port
        for number in 0..<Soak.datagramClientCount {
            start { askOverDatagrams(port, client: number, tally) }
        }
        for number in 0..<Soak.streamClientCount {
            start { askOverStreams(port, client: number, tally) }
        }
        start { sendHostileDatagrams(port, client: 0, tally) }
        for number in 0..<2 { start { sendHostileStreams(port, client: number, tally) } }
        start { sendSlowly(port, tally) }
        start { floodWithConnections(port, tally) }
        start { changeDoors(doors, port, tally) }
        let running = Running(server: server)
        start { reload(running.server, zone, tally) }

        let memory = observe(watch, server, tally, until: began + minutes * 60)
        tally.stop()
        threads.wait()
        judgeMemory(memory, tally)
        // Nobody asks any more: connections end, and with them their descriptors.
        let isAtRest = eventually(seconds: 40) { watch.descriptorCount == restingDescriptorCount }
        if !isAtRest {
            tally.violation(
                "\(watch.descriptorCount ?? 0) descriptors at the end, "
                    + "\(restingDescriptorCount ?? 0) at the start")
        }
        judgeLosses(watch, tally)
        let descriptorCount = watch.descriptorCount ?? 0
        judgeEnd(server, tally)
        say(
            "\(tally.violationCount) violations; \(tally.datagramAnswers.value) good queries over "
                + "UDP and \(tally.streamAnswers.value) over TCP answered rightly, "
                + "\(tally.datagramLosses.value) lost; \(tally.hostileDatagrams.value) hostile "
                + "packets, \(tally.hostileConnections.value) hostile connections; "
                + "\(tally.reloads.value) reloads, \(tally.refusedReloads.value) refused; "
                + "\(tally.doorChanges.value) changes of front doors; descriptors at rest "
                + "\(restingDescriptorCount ?? 0) and \(descriptorCount)")
        return tally.violationCount == 0
    }

    /// The server is only ever told things from one thread at a time.
    private struct Running: @unchecked Sendable { let server: TestServer }

    private static func database(in folder: TemporaryFolder) throws -> String {
        let input = try folder.write(SoakZone.places, to: "places.csv")
        let output = folder.path + "/places.mmdb"
        let (status, text) = try RunningProcess.run(
            Programs.own("geodns-mmdb"), ["from-csv", "--input", input, "--output", output])
        guard status == 0 else { throw TestServer.NotReady(description: text) }
        return output
    }

    // MARK: - Watching

    /// Resident memory while the traffic runs, once a second, after some time to warm up: tables
    /// of both versions have been made, and connections have been as many as they get.
    private func observe(
        _ watch: ProcessWatch, _ server: TestServer, _ tally: Tally, until end: Date
    ) -> Flatness {
        var memory = Flatness()
        let began = Date()
        let warmUp = min(120, minutes * 60 / 4)
        var seconds = 0
        var before = (datagrams: 0, streams: 0)
        while Date() < end {
            Thread.sleep(forTimeInterval: 1)
            seconds += 1
            guard server.process.isRunning, let resident = watch.residentKiB else {
                tally.violation("the server has ended")
                break
            }
            if Date().timeIntervalSince(began) >= warmUp { memory.add(resident) }
            if seconds % 10 == 0 {
                let now = (tally.datagramAnswers.value, tally.streamAnswers.value)
                say(
                    "\(Int(Date().timeIntervalSince(began))) s: "
                        + "\((now.0 - before.datagrams) / 10) UDP/s, "
                        + "\((now.1 - before.streams) / 10) TCP/s, "
                        + "hostile \(tally.hostileDatagrams.value) packets "
                        + "\(tally.hostileConnections.value) connections, "
                        + "reloads \(tally.reloads.value)+\(tally.refusedReloads.value), "
                        + "doors \(tally.doorChanges.value), \(resident) KiB, "
                        + "\(watch.descriptorCount ?? 0) descriptors, "
                        + "drops \(watch.datagramDropCount), lost \(tally.datagramLosses.value), "
                        + "violations \(tally.violationCount)")
                before = now
            }
        }
        return memory
    }

    /// Flat: the last third of the time needs at most 5 % more than the first.
    private func judgeMemory(_ memory: Flatness, _ tally: Tally) {
        guard let (first, last) = memory.ends else { return }
        say("resident: \(first) KiB, in the end \(last) KiB, at most \(memory.most) KiB")
        if last * 100 > first * 105 {
            tally.violation("resident memory grew from \(first) KiB to \(last) KiB")
        }
    }

    /// A query that the kernel dropped did not reach the server; every other one it must answer.
    private func judgeLosses(_ watch: ProcessWatch, _ tally: Tally) {
        let lost = tally.datagramLosses.value
        let dropped = watch.datagramDropCount
        if lost > dropped {
            tally.violation("\(lost) good queries over UDP lost, \(dropped) by the kernel")
        } else if lost > 0 {
            say("\(lost) good queries over UDP lost, \(dropped) datagrams dropped by the kernel")
        }
    }

    private func judgeEnd(_ server: TestServer, _ tally: Tally) {
        let status = server.process.stop()
        if status != 0 { tally.violation("exit status \(status.map { "\($0)" } ?? "none")") }
        let text = server.process.text
        for mark in ["Sanitizer", "Fatal error", "runtime error", "Crash"] where text.contains(mark)
        {
            tally.violation("the server said \(mark):\n\(text.suffix(4000))")
        }
    }
}
