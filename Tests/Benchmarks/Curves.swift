import Foundation
import TestSupport

/// How cost grows with regions, names, networks and checks: one server after the other, each with
/// more of one thing than the one before.
struct Curves {
    struct Point {
        var size: Int
        var repliesPerSecond: Double
        var residentMebibytes: Double
        /// Of the processor, until it is ready.
        var startSeconds: Double
    }

    struct Curve {
        var title: String
        var axis: String
        var points: [Point] = []
        /// One more figure for each point: what a change of health, or what checks cost.
        var more: (quantity: String, values: [Double])?
    }

    let network: BenchNetwork
    let folder: String
    let database: String
    private(set) var curves: [Curve] = []

    init(folder: String, database: String, over network: BenchNetwork) {
        (self.folder, self.database, self.network) = (folder, database, network)
    }

    mutating func measure(largest: Int = 10_000_000) throws {
        try measureRegions()
        try measureNames(largest: min(largest, 1_000_000))
        try measureNetworks(largest: largest)
        try measureChecks()
    }

    var chart: Chart {
        Chart(
            rows: curves.map { curve in
                func panel(_ quantity: String, _ values: [Double]) -> Chart.Panel {
                    Chart.Panel(
                        title: curve.title, quantity: quantity, axis: curve.axis,
                        points: zip(curve.points, values).map { (Double($0.size), $1) })
                }
                return [
                    panel("replies/s in a flood", curve.points.map(\.repliesPerSecond)),
                    panel("resident, MiB", curve.points.map(\.residentMebibytes)),
                    panel("start, seconds of CPU", curve.points.map(\.startSeconds)),
                ] + (curve.more.map { [panel($0.quantity, $0.values)] } ?? [])
            })
    }

    // MARK: - What grows

    private mutating func measureRegions() throws {
        var curve = Curve(title: "regions of each of 1,000 names", axis: "regions")
        var changes: [Double] = []
        for size in [1, 10, 100, 1000] {
            curve.points.append(
                try point(
                    size, zone: Workload.head + Curves.world(regions: size, names: 1000),
                    names: 1000
                ) { changes.append(try costOfChange($0)) })
        }
        curve.more = (Curves.costOfChange, changes)
        curves.append(curve)
    }

    private mutating func measureNames(largest: Int) throws {
        var curve = Curve(title: "GEO names, 8 regions", axis: "names")
        var changes: [Double] = []
        for size in Curves.decades(from: 10, to: largest) {
            curve.points.append(
                try point(
                    size, zone: Workload.head + Curves.world(regions: 8, names: size),
                    names: size
                ) { changes.append(try costOfChange($0)) })
        }
        curve.more = (Curves.costOfChange, changes)
        curves.append(curve)
    }

    private mutating func measureNetworks(largest: Int) throws {
        var curve = Curve(title: "networks of the database, 8 regions", axis: "networks")
        let zone = Workload.head + Curves.world(regions: 8, names: 1000)
        for size in Curves.decades(from: 1000, to: largest) {
            let database = try syntheticDatabase(networks: size)
            curve.points.append(try point(size, zone: zone, names: 1000, database: database))
            try FileManager.default.removeItem(atPath: database)
        }
        curves.append(curve)
    }

    /// Front doors that refuse: nothing listens in the generator's namespace.
    private mutating func measureChecks() throws {
        var curve = Curve(title: "checks, every=10s", axis: "checks")
        var shares: [Double] = []
        for size in [1, 10, 100, 1000, 10_000] {
            let regions = (0..<size).map { number in
                "r\(number) REGION 0 \(number % 180) check=door\n"
                    + " A 64.\(100 + number / 250).\(number % 250).1\n"
            }
            let names = (0..<8).map { "r\($0 % size)" }
            let zone =
                Workload.head + "door CHECK tcp 9 every=10s fast=10s\n" + regions.joined()
                + (0..<1000).map {
                    "h\($0) 30 GEO nearest \(Set(names).sorted().joined(separator: " "))\n"
                }.joined()
            curve.points.append(
                try point(size, zone: zone, names: 1000) { server in
                    // One whole turn of all checks.
                    let before = processorSeconds(of: server.identifier)
                    Thread.sleep(forTimeInterval: 10)
                    shares.append((processorSeconds(of: server.identifier) - before) * 10)
                })
        }
        curve.more = ("% of a core when idle", shares)
        curves.append(curve)
    }

    private static func decades(from first: Int, to last: Int) -> [Int] {
        Array(sequence(first: first) { $0 * 10 <= last ? $0 * 10 : nil })
    }

    private static func world(regions: Int, names: Int) -> String {
        let regionNames = (0..<regions).map { "r\($0)" }
        return regionNames.enumerated().map { number, name in
            "\(name) REGION \(number * 37 % 120 - 60) \(number * 101 % 360 - 180)\n"
                + " A 198.51.\(100 + number / 250).\(number % 250 + 1)\n"
        }.joined()
            + (0..<names).map {
                "h\($0) 30 GEO nearest \(regionNames.joined(separator: " "))\n"
            }.joined()
    }

    /// IPv4 networks of equal size, each somewhere else than its neighbours.
    private func syntheticDatabase(networks: Int) throws -> String {
        let (input, output) = (folder + "/networks.csv", folder + "/networks.mmdb")
        try Data().write(to: URL(filePath: input))
        let file = try FileHandle(forWritingTo: URL(filePath: input))
        // The least power of two, from 1.0.0.0 to 223.255.255.255.
        let length = 8 + Int(log2(Double(networks) / 223).rounded(.up).magnitude)
        let step = UInt32(1) << UInt32(32 - length)
        var lines = ""
        for number in 0..<networks {
            let start = 0x0100_0000 &+ UInt32(number) &* step
            let mixed = UInt32(number) &* 0x9e37_79b1
            let (latitude, longitude) = (Int(mixed >> 20) % 120 - 60, Int(mixed >> 8) % 360 - 180)
            lines +=
                "\(start >> 24).\(start >> 16 & 255).\(start >> 8 & 255).\(start & 255)"
                + "/\(length),,,,,\(latitude),\(longitude)\n"
            if lines.utf8.count > 1 << 20 {
                try file.write(contentsOf: Data(lines.utf8))
                lines = ""
            }
        }
        try file.write(contentsOf: Data(lines.utf8))
        try file.close()
        let (status, text) = try RunningProcess.run(
            Programs.own("geodns-mmdb"), ["from-csv", "--input", input, "--output", output],
            seconds: 600)
        guard status == 0 else { throw BenchNetwork.Failed(description: "geodns-mmdb: \(text)") }
        try FileManager.default.removeItem(atPath: input)
        return output
    }

    // MARK: - A change

    private static let costOfChange = "a change, ms of CPU"

    /// What it takes of the processor until all names have new answers: a region goes out, and in
    /// again, by an order.
    private func costOfChange(_ server: RunningProcess) throws -> Double {
        let turns = 5
        let before = ProcessorUse(of: server.identifier)
        for command in Array(repeating: ["drain", "undrain"], count: turns).joined() {
            let (status, text) = try RunningProcess.run(
                Programs.own("geodnsctl"),
                ["--control", folder + "/curve.sock", command, "r0.curve.example"])
            guard status == 0 else {
                throw BenchNetwork.Failed(description: "geodnsctl \(command): \(text)")
            }
        }
        let used = ProcessorUse(of: server.identifier).total - before.total
        return used * 1000 / Double(2 * turns)
    }

    // MARK: - One server

    private func point(
        _ size: Int, zone: String, names: Int, database: String? = nil,
        also more: (RunningProcess) throws -> Void = { _ in }
    ) throws -> Point {
        let zones = folder + "/curve"
        try FileManager.default.createDirectory(atPath: zones, withIntermediateDirectories: true)
        try zone.write(
            toFile: zones + "/curve.example.zone", atomically: false, encoding: .utf8)
        let queries = folder + "/curve-queries"
        let lines = (0..<20_000).map { "h\($0 &* 7919 % names).curve.example A\n" }
        try lines.joined().write(toFile: queries, atomically: false, encoding: .utf8)
        let address = BenchNetwork.serverAddress(BenchNetwork.addressCount)
        let server = try network.startServer([
            Programs.own("geodnsd"), "--zones", zones, "--geo-data", database ?? self.database,
            "--listen", "\(address)@53", "--workers", "1", "--control", folder + "/curve.sock",
        ])
        defer { server.stop() }
        guard server.waitForOutput(" ready", seconds: 300) else {
            throw BenchNetwork.Failed(description: "geodnsd did not get ready:\n\(server.text)")
        }
        let started = processorSeconds(of: server.identifier)
        let contender = Contender(name: "geodnsd", zone: "curve", address: address, command: [])
        var replies = Sample()
        for _ in 0..<3 {
            let flood = try Flood.run(contender, queries: queries, seconds: 1, over: network)
            replies.add(flood.repliesPerSecond)
        }
        progress("\(size): \(Int(replies.median)) replies/s")
        try more(server)
        return Point(
            size: size, repliesPerSecond: replies.median,
            residentMebibytes: Double(residentBytes(of: server.identifier)) / 1_048_576,
            startSeconds: started)
    }
}
