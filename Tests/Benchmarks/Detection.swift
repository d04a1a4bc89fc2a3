import DNSWire
import Foundation
import TestSupport

/// From a front door's death to the last answer that still names it: geodnsd and gdnsd, one after
/// the other, on loopback, over doors of our own.
struct Detection {
    /// How a front door dies.
    enum Death: String, CaseIterable {
        case refusing
        case hanging
    }

    struct Row {
        var name: String
        var settings: String
        var server: (_ folder: String, _ door: ScriptedDoor, _ spare: ScriptedDoor) throws -> Server
        /// Seconds.
        var lastWrong: [Death: Sample] = [:]
    }

    struct Server {
        var process: RunningProcess
        var client: DNSClient
        var name: String
    }

    private(set) var rows: [Row] = [
        Row(name: "gdnsd", settings: "interval=2 timeout=1 down_thresh=1", server: Detection.gdnsd),
        Row(name: "gdnsd", settings: "interval=2 timeout=1 down_thresh=3") {
            try gdnsd($0, $1, $2, threshold: 3)
        },
        Detection.geodnsd("every=2s timeout=1s fall=1"),
        Detection.geodnsd("every=2s fast=100ms timeout=1s fall=3"),
        Detection.geodnsd("every=1s fast=100ms timeout=300ms fall=3"),
    ]

    private static let zoneName = "detection.example"

    /// Each trial waits a random time first, so that a death falls anywhere between two probes.
    mutating func measure(trials: Int) throws {
        for index in rows.indices {
            let folder = try TemporaryFolder()
            let door = try ScriptedDoor("127.0.6.1")
            let spare = try ScriptedDoor("127.0.6.2", port: door.port)
            let server = try rows[index].server(folder.path, door, spare)
            defer { server.process.stop() }
            guard eventually(seconds: 30, { answer(server) == door.address }) else {
                throw BenchNetwork.Failed(
                    description: "\(rows[index].name) does not answer:\n\(server.process.text)")
            }
            for trial in 0..<trials * Death.allCases.count {
                let death = Death.allCases[trial % Death.allCases.count]
                Thread.sleep(forTimeInterval: 2 + .random(in: 0..<2))
                let seconds = try lastWrongAnswer(server, door, death)
                rows[index].lastWrong[death, default: Sample()].add(seconds)
                progress("\(rows[index].name) \(death): \(seconds) s")
                if death == .hanging {
                    door.behave(then: .answer(status: 200))
                } else {
                    try door.listenAgain()
                }
                guard eventually(seconds: 60, { answer(server) == door.address }) else {
                    throw BenchNetwork.Failed(description: "\(rows[index].name): not back")
                }
            }
        }
    }

    /// Kills the door, and asks all the time.
    private func lastWrongAnswer(
        _ server: Server, _ door: ScriptedDoor, _ death: Death
    ) throws -> Double {
        if death == .hanging { door.behave(then: .hang) } else { door.refuse() }
        let start = monotonicNanoseconds()
        var last = start
        // Right for a whole second, which no setting here takes to change its mind.
        while monotonicNanoseconds() - last < 1_000_000_000 {
            if answer(server) != "127.0.6.2" { last = monotonicNanoseconds() }
            guard monotonicNanoseconds() - start < 60_000_000_000 else {
                throw BenchNetwork.Failed(description: "the dead door is answered for a minute")
            }
            usleep(500)
        }
        return Double(last - start) / 1e9
    }

    private func answer(_ server: Server) -> String? {
        server.client.addresses(server.name)?.first
    }

    // MARK: - Servers

    private static func geodnsd(_ check: String) -> Row {
        Row(name: "geodnsd", settings: check) { folder, door, spare in
            let zones = folder + "/zones"
            try FileManager.default.createDirectory(
                atPath: zones, withIntermediateDirectories: true)
            try """
            \(Workload.head)
            door CHECK http / port=\(door.port) rise=1 \(check)
            one REGION 0 0 check=door
             A \(door.address)
            two REGION 0 0 check=door
             A \(spare.address)
            www 5 GEO failover one two

            """.write(
                toFile: "\(zones)/\(zoneName).zone", atomically: false, encoding: .utf8)
            let port = freePort(on: "127.0.0.1")
            let process = try RunningProcess(
                Programs.own("geodnsd"),
                [
                    "--zones", zones, "--geo-data", "none", "--listen", "127.0.0.1@\(port)",
                    "--workers", "1", "--control", folder + "/control.sock",
                ])
            return Server(
                process: process, client: DNSClient(port: port), name: "www." + zoneName)
        }
    }

    private static func gdnsd(
        _ folder: String, _ door: ScriptedDoor, _ spare: ScriptedDoor
    ) throws -> Server { try gdnsd(folder, door, spare, threshold: 1) }

    /// `interval=2` is the least that leaves room for a timeout, which is a second at least.
    private static func gdnsd(
        _ folder: String, _ door: ScriptedDoor, _ spare: ScriptedDoor, threshold: Int
    ) throws -> Server {
        guard let program = Programs.find("gdnsd") else {
            throw BenchNetwork.Failed(description: "gdnsd is not installed: apt-get install gdnsd")
        }
        for name in ["run", "state", "etc/zones"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let port = freePort(on: "127.0.0.1")
        try """
        options => {
          listen => 127.0.0.1:\(port), udp_threads => 1, tcp_threads => 1,
          run_dir => \(folder)/run, state_dir => \(folder)/state
        }
        service_types => { door => {
          plugin => http_status, port => \(door.port), url_path => /, interval => 2, timeout => 1,
          up_thresh => 1, ok_thresh => 1, down_thresh => \(threshold)
        } }
        plugins => { simplefo => { www => {
          service_types => door, primary => \(door.address), secondary => \(spare.address)
        } } }

        """.write(toFile: folder + "/etc/config", atomically: false, encoding: .utf8)
        try (Workload.head + "www 5 DYNA simplefo!www\n").write(
            toFile: "\(folder)/etc/zones/\(zoneName)", atomically: false, encoding: .utf8)
        let process = try RunningProcess(program, ["-c", folder + "/etc", "start"])
        return Server(process: process, client: DNSClient(port: port), name: "www." + zoneName)
    }

    // MARK: - Report

    var table: String {
        let lines = rows.map { row in
            let fields = Death.allCases.flatMap { death -> [String] in
                let sample = row.lastWrong[death] ?? Sample()
                return [sample.median, sample.quantile(1)].map { PerformanceReport.fixed($0, 2) }
            }
            return "| \(row.name) | `\(row.settings)` | \(fields.joined(separator: " | ")) |"
        }
        return """
            | | settings | refusing, median | most | hanging, median | most |
            |---|---|---|---|---|---|
            \(lines.joined(separator: "\n"))
            """
    }
}
