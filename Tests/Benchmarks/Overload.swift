import Addressing
import Foundation
import TestSupport

/// Far more queries than geodnsd can answer over AF_XDP, from a generator in the kernel: what it
/// still answers. A server that only receives, and no longer answers, would be in livelock.
struct Overload {
    var offeredPerSecond = Sample()
    var answeredPerSecond = Sample()

    /// Of `Contenders.overFrames`: geo answers.
    static func run(
        folder: String, database: String, rounds: Int, seconds: Int, over network: BenchNetwork
    ) throws -> Overload {
        let contenders = try Contenders(folder: folder, database: database).overFrames()
        guard let contender = contenders.first(where: { $0.name.hasPrefix("geodnsd") }),
            let place = contender.command.firstIndex(of: "--control")
        else { throw BenchNetwork.Failed(description: "no geodnsd over AF_XDP") }
        let server = try network.startServer(contender.command)
        defer { server.stop() }
        guard server.waitForOutput(" ready", seconds: 60) else {
            throw BenchNetwork.Failed(description: "geodnsd did not get ready:\n\(server.text)")
        }
        let control = contender.command[place + 1]
        let interface = BenchNetwork.interface(contender.cable)
        var overload = Overload()
        for round in 0...rounds {
            let before = try answered(control, interface)
            let text = try network.runGenerator([
                Programs.own("xdp-flood"), BenchNetwork.generatorInterface(contender.cable),
                "\(seconds)", frame(contender),
            ])
            guard let sent = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw BenchNetwork.Failed(description: "xdp-flood: \(text)")
            }
            // What has come in is answered within milliseconds.
            usleep(100_000)
            let answers = try answered(control, interface) - before
            guard round > 0 else { continue }
            overload.offeredPerSecond.add(sent / Double(seconds))
            overload.answeredPerSecond.add(answers / Double(seconds))
            progress(
                "overload \(round)/\(rounds): \(Int(sent) / seconds) offered/s,"
                    + " \(Int(answers) / seconds) answered/s")
        }
        return overload
    }

    private static func answered(_ control: String, _ interface: String) throws -> Double {
        let (_, text) = try RunningProcess.run(
            Programs.own("geodnsctl"), ["--control", control, "status"])
        let row = text.split(separator: "\n").first {
            $0.hasPrefix("xdp \(interface) answered ")
        }
        guard let count = row?.split(separator: " ").last.flatMap({ Double($0) }) else {
            throw BenchNetwork.Failed(description: "geodnsctl status:\n\(text)")
        }
        return count
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
