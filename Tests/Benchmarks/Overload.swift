import Addressing
import Foundation
import TestSupport

/// Far more queries than geodnsd can answer over AF_XDP, from a generator in the kernel: what it
/// still answers. A server that only receives, and no longer answers, would be in livelock.
struct Overload {
    /// Programs that keep the server's core busy beside it, each as important as it.
    var sharerCount: Int
    var offeredPerSecond = Sample()
    var answeredPerSecond = Sample()

    /// Alone, and with so little of its core that ten times as much is offered as it can do.
    static func run(
        folder: String, database: String, rounds: Int, seconds: Int, over network: BenchNetwork
    ) throws -> [Overload] {
        let contenders = try Contenders(folder: folder, database: database).overFrames()
        guard let contender = contenders.first(where: { $0.name.hasPrefix("geodnsd") }) else {
            throw BenchNetwork.Failed(description: "no geodnsd over AF_XDP")
        }
        let server = try network.startServer(contender.command)
        defer { server.stop() }
        guard server.waitForOutput(" ready", seconds: 60) else {
            throw BenchNetwork.Failed(description: "geodnsd did not get ready:\n\(server.text)")
        }
        // kxdpgun leaves its program behind.
        let interface = BenchNetwork.generatorInterface(contender.cable)
        _ = try network.runGenerator(["ip", "link", "set", interface, "xdp", "off"])
        var all: [Overload] = []
        for sharerCount in [0, 2] {
            let sharers = try (0..<sharerCount).map { _ in
                try network.startServer(["sh", "-c", "while :; do :; done"])
            }
            defer { for sharer in sharers { sharer.stop() } }
            var overload = Overload(sharerCount: sharerCount)
            for round in 0...rounds {
                try overload.flood(contender, interface, seconds, network, counts: round > 0)
            }
            all.append(overload)
        }
        return all
    }

    private mutating func flood(
        _ contender: Contender, _ interface: String, _ seconds: Int, _ network: BenchNetwork,
        counts: Bool
    ) throws {
        let text = try network.runGenerator([
            Programs.own("xdp-flood"), interface, "\(seconds)", Overload.frame(contender),
        ])
        let fields = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard fields.count == 3 else {
            throw BenchNetwork.Failed(description: "xdp-flood: \(text)")
        }
        guard counts else { return }
        offeredPerSecond.add(fields[0] / fields[2])
        answeredPerSecond.add(fields[1] / fields[2])
        progress(
            "overload, \(sharerCount) beside: \(Int(fields[0] / fields[2])) offered/s,"
                + " \(Int(fields[1] / fields[2])) answered/s")
    }

    /// One query; the generator changes its sender.
    private static func frame(_ contender: Contender) -> String {
        let address = IPAddress(contender.address) ?? IPAddress(ipv4: 0)
        var frame = WireFrame(
            from: IPAddress(ipv4: 0x4001_0000), to: address,
            payload: Workload.plain("h1.\(contender.zone).example", number: 1))
        frame.receiver = 0x0200_0000_0000 | UInt64(contender.cable)
        frame.sender = 0x0200_0000_00ff
        // The identification is the complement of the lower half of the sender's address.
        frame.identification = 0xffff
        frame.udpChecksum = 0
        return frame.bytes.map { String(format: "%02x", $0) }.joined()
    }
}
