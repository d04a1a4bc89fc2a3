import Foundation
import TestSupport

/// Fifty thousand queries a second over AF_XDP, while something happens to the server: how many are
/// lost of them. Wants root.
struct Endurance {
    enum Event: String, CaseIterable {
        case nothing = "nothing"
        case reloads = "a reload every 200 ms"
        case largeReloads = "a reload of a zone of a million names, every second"
        case health = "a front door that fails and returns, every 200 ms"
        case killed = "kill -9 after ten seconds, and a new start at once"
        case killedWithHeldSockets =
            "the same with the sockets of `geodnsd.socket`, and a new start after 250 ms"

        /// What is served meanwhile.
        var zone: String { self == .largeReloads ? "large" : "endurance" }
    }

    static let queriesPerSecond = 50_000

    var event: Event
    var sent: Int
    var lost: Int

    static func run(
        seconds: Int, database: String, folder: String, over network: BenchNetwork
    ) throws -> [Endurance] {
        let names = (0..<1000).map { "h\($0)" }
        try write(zone(door: folder + "/door"), "endurance", names, folder)
        let some = (0..<100_000).map { "h\($0 &* 7919 % Workload.manyNameCount)" }
        try write(Workload.head + Workload.manyRecords, "large", some, folder)
        return try Event.allCases.map { event in
            let (sent, lost) = try run(
                event, seconds: seconds, database: database, folder: folder, network)
            progress("\(event.rawValue): \(sent) sent, \(lost) lost")
            return Endurance(event: event, sent: sent, lost: lost)
        }
    }

    /// A zone in a folder of its own, and queries for names of it.
    private static func write(
        _ text: String, _ zone: String, _ names: [String], _ folder: String
    ) throws {
        try FileManager.default.createDirectory(
            atPath: "\(folder)/\(zone)", withIntermediateDirectories: true)
        try text.write(
            toFile: "\(folder)/\(zone)/\(zone).example.zone", atomically: false, encoding: .utf8)
        try names.map { "\($0).\(zone).example A\n" }.joined()
            .write(toFile: "\(folder)/\(zone)-queries", atomically: false, encoding: .utf8)
    }

    /// A thousand names of two regions, of which one has its health from the file `door`.
    private static func zone(door: String) -> String {
        Workload.head + "door CHECK file \(door) fall=1 rise=1 every=100ms fast=100ms\n"
            + "a REGION 50 8 check=door\n A 198.51.100.1\nb REGION 38 -77\n A 198.51.100.2\n"
            + (0..<1000).map { "h\($0) 30 GEO nearest a b\n" }.joined()
    }

    private static func run(
        _ event: Event, seconds: Int, database: String, folder: String, _ network: BenchNetwork
    ) throws -> (sent: Int, lost: Int) {
        try say("up", folder)
        var server = try start(event, database, folder, network)
        defer { stop(server) }
        nonisolated(unsafe) var outcome: Result<String, any Error>?
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            outcome = Result {
                try network.runGenerator(
                    [
                        "kxdpgun", "--duration", "\(seconds)", "--qps", "\(queriesPerSecond)",
                        "--infile", "\(folder)/\(event.zone)-queries", "--interface",
                        BenchNetwork.generatorInterface(1),
                        "--local", BenchNetwork.sources, BenchNetwork.cableAddress(1),
                    ], seconds: Double(seconds) + 60)
            }
            done.signal()
        }
        var round = 0
        while done.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
            round += 1
            switch event {
            case .nothing: break
            case .largeReloads where round % 5 != 0: break
            case .reloads, .largeReloads: server.send(SIGHUP)
            case .health: try say(round % 2 == 0 ? "up" : "down", folder)
            case .killed where round == 50:
                server.send(SIGKILL)
                _ = server.waitForExit()
                server = try start(event, database, folder, network)
            case .killedWithHeldSockets where round == 50:
                held(by: server).map { _ = kill($0, SIGKILL) }
            case .killed, .killedWithHeldSockets: break
            }
        }
        let text = try outcome?.get() ?? ""
        let reloadCount = server.text.matches(of: #/ info reload /#).count
        if event == .reloads || event == .largeReloads, reloadCount < seconds / 2 {
            throw BenchNetwork.Failed(
                description: "\(reloadCount) reloads in \(seconds) seconds:\n\(server.text)")
        }
        guard let sent = text.firstMatch(of: /total queries: +(\d+)/).flatMap({ Int($0.1) }),
            let replies = text.firstMatch(of: /total replies: +(\d+)/).flatMap({ Int($0.1) })
        else { throw BenchNetwork.Failed(description: "kxdpgun printed no totals:\n\(text)") }
        return (sent, max(0, sent - replies))
    }

    private static func start(
        _ event: Event, _ database: String, _ folder: String, _ network: BenchNetwork
    ) throws -> RunningProcess {
        let address = BenchNetwork.cableAddress(1)
        let holder =
            event == .killedWithHeldSockets ? [Programs.own("benchmark"), "hold", address] : []
        let server = try network.startServer(
            holder + [
                Programs.own("geodnsd"), "--zones", "\(folder)/\(event.zone)", "--geo-data",
                database,
                "--listen", "\(address)@53", "--workers", "1", "--control",
                folder + "/control.sock", "--xdp", BenchNetwork.interface(1),
            ])
        guard server.waitForOutput(" ready", seconds: 60), !server.text.contains("alone") else {
            throw BenchNetwork.Failed(description: "geodnsd:\n\(server.text)")
        }
        return server
    }

    /// What systemd does with `geodnsd.socket` and `geodnsd.service`: keeps the sockets of
    /// `address`, and starts `command` with them, again whenever it has ended. Runs in the
    /// server's namespace, as `benchmark hold`, until it is killed.
    static func hold(_ address: String, _ command: [String]) throws -> Never {
        let sockets = try HeldSockets(address, port: 53, receiveByteCount: 16 << 20)
        while true {
            let server = try RunningProcess(
                command[0], Array(command.dropFirst()), sockets: sockets)
            progress("started \(server.identifier)")
            if server.waitForOutput(" ready") { progress(server.text) }
            while server.isRunning { usleep(1000) }
            usleep(250_000)
        }
    }

    /// The last server that a process of `hold` has started; nil: it is none.
    private static func held(by server: RunningProcess) -> Int32? {
        server.text.matches(of: /started (\d+)/).last.flatMap { Int32($0.1) }
    }

    private static func stop(_ server: RunningProcess) {
        let child = held(by: server)
        server.stop()
        child.map { _ = kill($0, SIGTERM) }
    }

    /// Written beside, and renamed over it.
    private static func say(_ word: String, _ folder: String) throws {
        let path = folder + "/door"
        try (word + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    static func table(_ all: [Endurance]) -> String {
        "| while | sent | lost | |\n|---|---|---|---|\n"
            + all.map { one in
                let share = 100 * Double(one.lost) / Double(max(one.sent, 1))
                return
                    "| \(one.event.rawValue) | \(PerformanceReport.number(Double(one.sent))) |"
                    + " \(one.lost) | \(PerformanceReport.fixed(share, 4)) % |\n"
            }.joined()
    }
}
