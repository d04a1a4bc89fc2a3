import Foundation
import TestSupport

/// Two network namespaces joined by a cable (veth(4)), as if they were two machines: servers in
/// one, the load generator in the other. Wants root.
final class BenchNetwork: Sendable {
    /// Queries come from all over these. They belong to the generator's namespace, so that every
    /// reply stays on this machine.
    static let sources = "64.0.0.0/4"
    /// Where contenders of cable 0 are asked, all in turn.
    private static let sharedInterface = "bench1"

    private let server: String
    private let generator: String

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    init() throws {
        guard getuid() == 0 else {
            throw Failed(description: "network namespaces want root: sudo make bench")
        }
        // Tests/Benchmarks/run removes them if we cannot.
        let name =
            ProcessInfo.processInfo.environment["GEODNS_BENCH_NAME"] ?? "geodns-bench-\(getpid())"
        server = name + "-server"
        generator = name + "-generator"
        let own = (1...BenchNetwork.addressCount).map { BenchNetwork.serverAddress($0) }
        let steps =
            [
                "netns add \(server)", "netns add \(generator)",
                "link add bench0 netns \(server) numrxqueues 1 numtxqueues 1 type veth"
                    + " peer name bench1 netns \(generator) numrxqueues 1 numtxqueues 1",
                "-n \(generator) addr add 10.99.0.200/24 dev bench1",
            ] + own.map { "-n \(server) addr add \($0)/24 dev bench0" }
            + [(server, "bench0"), (server, "lo"), (generator, "bench1"), (generator, "lo")].map {
                "-n \($0.0) link set \($0.1) up"
            } + [
                "-n \(generator) route add local \(BenchNetwork.sources) dev lo",
                "-n \(server) route add \(BenchNetwork.sources) via 10.99.0.200",
            ]
        for step in steps { try BenchNetwork.ip(step) }
        for cable in 1...BenchNetwork.cableCount { try addCable(cable) }
    }

    /// For one server that takes frames from its interface: an interface has room for one program.
    private func addCable(_ number: Int) throws {
        let (near, far) = (BenchNetwork.interface(number), BenchNetwork.generatorInterface(number))
        for step in [
            "link add \(near) netns \(server) address \(BenchNetwork.hardwareAddress(number))"
                + " numrxqueues 1 numtxqueues 1 type veth peer name \(far) netns \(generator)"
                + " numrxqueues 1 numtxqueues 1",
            "-n \(server) addr add \(BenchNetwork.cableAddress(number))/24 dev \(near)",
            "-n \(generator) addr add 10.99.\(number).200/24 dev \(far)",
            "-n \(server) link set \(near) up", "-n \(generator) link set \(far) up",
            // What the sockets answer leaves by the same cable.
            "-n \(server) rule add from \(BenchNetwork.cableAddress(number)) lookup \(100 + number)",
            "-n \(server) route add \(BenchNetwork.sources) via 10.99.\(number).200 table"
                + " \(100 + number)",
        ] { try BenchNetwork.ip(step) }
    }

    deinit {
        for name in [server, generator] { try? BenchNetwork.run("ip", ["netns", "del", name]) }
    }

    static let addressCount = 8
    static let cableCount = 4

    /// Cables from 1 on belong to one server each.
    static func interface(_ cable: Int) -> String { "xdp\(cable)" }
    static func generatorInterface(_ cable: Int) -> String {
        cable == 0 ? sharedInterface : "far\(cable)"
    }
    static func cableAddress(_ cable: Int) -> String { "10.99.\(cable).1" }
    static func hardwareAddress(_ cable: Int) -> String { "02:00:00:00:00:0\(cable)" }

    /// `number` from 1 to 8: each server has an address of its own, so that all run side by side.
    static func serverAddress(_ number: Int) -> String { "10.99.0.\(number)" }

    /// On the last core, or on all.
    func startServer(_ command: [String], onAllCores: Bool = false) throws -> RunningProcess {
        let last = ProcessInfo.processInfo.processorCount - 1
        let cores = onAllCores ? "0-\(last)" : "\(last)"
        return try start(in: server, ["taskset", "-c", cores] + command)
    }

    /// On the first core; returns what it printed.
    func runGenerator(_ command: [String], seconds: Double = 60) throws -> String {
        let process = try start(in: generator, ["taskset", "-c", "0"] + command)
        defer { process.stop() }
        guard let status = process.waitForExit(seconds: seconds) else {
            throw Failed(description: "\(command[0]) does not end")
        }
        guard status == 0 else {
            throw Failed(description: "\(command[0]): status \(status)\n\(process.text)")
        }
        return process.text
    }

    /// Threads that have chosen another core are brought back to the last: Knot's do.
    func bringToLastCore(_ process: RunningProcess) throws {
        let last = ProcessInfo.processInfo.processorCount - 1
        try BenchNetwork.run("taskset", ["-apc", "\(last)", "\(process.identifier)"])
    }

    private func start(in namespace: String, _ command: [String]) throws -> RunningProcess {
        guard let ip = Programs.find("ip") else {
            throw Failed(description: "ip is not installed: apt-get install iproute2")
        }
        return try RunningProcess(ip, ["netns", "exec", namespace] + command)
    }

    private static func ip(_ step: String) throws {
        try run("ip", step.split(separator: " ").map(String.init))
    }

    private static func run(_ name: String, _ arguments: [String]) throws {
        guard let program = Programs.find(name) else {
            throw Failed(description: "\(name) is not installed")
        }
        let (status, text) = try RunningProcess.run(program, arguments)
        guard status == 0 else {
            throw Failed(description: "\(name) \(arguments.joined(separator: " ")): \(text)")
        }
    }
}
