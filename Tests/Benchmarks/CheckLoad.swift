import Foundation
import Synchronization
import TestSupport

/// What ten thousand checks cost the thread that runs them, and whether their starts drift: a
/// `geodnsd` that nobody asks, front doors in this process, all on loopback.
struct CheckLoad {
    enum Kind: String, CaseIterable {
        case http
        case tcp
        /// In turn.
        case mix = "http and tcp"
    }

    struct Row {
        var kind: Kind
        var count: Int
        /// Starts of checks seen by the front doors.
        var startsPerSecond: Double
        /// Of a core, in percent.
        var thread: Double
        var process: Double
        /// Of the process.
        var systemShare: Double
        var pace: Pacing
    }

    /// How punctual starts are.
    struct Pacing {
        /// Of all checks, in seconds: the mean time from start to start.
        var mean: Double
        /// Of the check that is farthest from that: by how much.
        var worst: Double
        /// How much later each start came than the most punctual one of its check, in milliseconds.
        var late: Sample
        /// Starts that did not come.
        var missing: Int
        /// Starts in the emptiest and the fullest tenth of a second of `every`.
        var spread: ClosedRange<Int>
    }

    static let every = 10
    /// The first starts come together, the second ones after a part of the pace.
    private static let warmUp = 2.5 * Double(every)

    static func measure(_ kind: Kind, count: Int, seconds: Int) throws -> Row {
        let folder = try TemporaryFolder()
        let port = freePort(on: "127.0.0.1")
        let doors = try ManyDoors(port: port)
        defer { doors.stop() }
        let zones = folder.path + "/zones"
        try FileManager.default.createDirectory(atPath: zones, withIntermediateDirectories: true)
        try zone(kind, count: count, port: port).write(
            toFile: zones + "/checks.example.zone", atomically: false, encoding: .utf8)
        let server = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", zones, "--geo-data", "none", "--listen", "127.0.0.1@0", "--workers", "1",
                "--control", folder.path + "/control.sock",
            ])
        defer { server.stop() }
        guard server.waitForOutput(" ready", seconds: 120) else {
            throw BenchNetwork.Failed(description: "geodnsd did not get ready:\n\(server.text)")
        }
        Thread.sleep(forTimeInterval: warmUp)
        progress("\(count) checks, \(kind.rawValue): \(seconds) s from now on")
        let before = ProcessorUse(of: server.identifier)
        let begin = monotonicNanoseconds()
        Thread.sleep(forTimeInterval: Double(seconds))
        let after = ProcessorUse(of: server.identifier)
        let end = monotonicNanoseconds()
        let taken = Double(end - begin) / 1e9
        let troubles = server.text.split(separator: "\n").filter { $0.contains(" warning ") }
        guard server.isRunning, troubles.isEmpty else {
            throw BenchNetwork.Failed(
                description: "not all is well: " + troubles.prefix(3).joined(separator: "\n"))
        }
        let busiest = after.threads.map { $1 - (before.threads[$0] ?? 0) }.max() ?? 0
        let starts = doors.starts(from: begin, to: end)
        return Row(
            kind: kind, count: count,
            startsPerSecond: Double(starts.values.reduce(0) { $0 + $1.count }) / taken,
            thread: busiest / taken * 100,
            process: (after.total - before.total) / taken * 100,
            systemShare: (after.system - before.system) / max(after.ticks - before.ticks, 0.01)
                * 100,
            pace: pacing(starts, count: count, seconds: taken))
    }

    private static func zone(_ kind: Kind, count: Int, port: UInt16) -> String {
        let regions = (0..<count).map { number in
            let check = kind == .mix ? (number % 2 == 0 ? "http" : "tcp") : kind.rawValue
            return "r\(number) REGION 0 \(number % 180) check=\(check)\n"
                + " A \(ManyDoors.address(number))\n"
        }
        let checks = [
            "http": "http CHECK http / port=\(port) every=\(every)s\n",
            "tcp": "tcp CHECK tcp \(port) every=\(every)s\n",
        ]
        return Workload.head + "\nwww 30 GEO nearest r0\n"
            + (checks[kind.rawValue] ?? checks.values.joined()) + regions.joined()
    }

    private static func pacing(
        _ starts: [UInt32: [UInt64]], count: Int, seconds: Double
    ) -> Pacing {
        let pace = Double(every)
        var paces = Sample()
        var late = Sample()
        var missing = 0
        var bins = [Int](repeating: 0, count: every * 10)
        for times in starts.values {
            let times = times.map { Double($0) / 1e9 }
            for time in times { bins[Int(time * 10) % bins.count] += 1 }
            guard let first = times.first, let last = times.last, times.count > 1 else { continue }
            // By its number in the schedule, whether those before it came or not.
            let numbers = times.map { (($0 - first) / pace).rounded() }
            let offsets = zip(times, numbers).map { $0 - $1 * pace }
            let least = offsets.min() ?? 0
            for offset in offsets { late.add((offset - least) * 1000) }
            let turns = numbers.last ?? 1
            missing += Int(turns) + 1 - times.count
            paces.add((last - first) / turns)
        }
        missing += (count - starts.count) * Int(seconds / pace)
        let mean = paces.mean
        return Pacing(
            mean: mean, worst: paces.values.map { abs($0 - pace) }.max() ?? 0, late: late,
            missing: missing,
            spread: (bins.min() ?? 0)...(bins.max() ?? 0))
    }

    static func table(_ rows: [Row]) -> String {
        func fixed(_ value: Double, _ digits: Int) -> String {
            PerformanceReport.fixed(value, digits)
        }
        let lines = rows.map { row in
            let fields = [
                row.kind.rawValue, "\(row.count)", fixed(row.startsPerSecond, 0),
                fixed(row.thread, 1) + " %", fixed(row.process, 1) + " %",
                fixed(row.systemShare, 0) + " %", fixed(row.pace.mean, 4) + " s",
                fixed(row.pace.worst * 1000, 1) + " ms",
                [0.5, 0.99, 1].map { fixed(row.pace.late.quantile($0), 1) }
                    .joined(separator: ", ") + " ms",
                "\(row.pace.missing)",
                "\(row.pace.spread.lowerBound) to \(row.pace.spread.upperBound)",
            ]
            return "| \(fields.joined(separator: " | ")) |"
        }
        let titles = [
            "kind", "checks", "starts/s", "monitor's thread", "process", "of that in the kernel",
            "mean pace", "farthest from 10 s", "late: median, 99 %, most", "missing",
            "starts in a tenth of a second of the pace",
        ]
        return """
            | \(titles.joined(separator: " | ")) |
            |\(String(repeating: "---|", count: titles.count))
            \(lines.joined(separator: "\n"))
            """
    }
}

/// Front doors at any number of addresses of 127.64.0.0/10 and one port: one listener for all of
/// them, which knows who it was taken for. They answer everything with 200 and close.
final class ManyDoors: Sendable {
    private struct Start {
        var address: UInt32
        var time: UInt64
    }

    private let isStopped = Atomic(false)
    private let found = Mutex<[Start]>([])
    private let thread = DispatchGroup()

    static func address(_ number: Int) -> String {
        "127.\(64 + number / 62_500).\(number / 250 % 250).\(number % 250 + 1)"
    }

    init(port: UInt16) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        // All addresses of this interface, and of no other.
        let isBound =
            setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == 0
            && ManyDoors.bind(listener, port)
        guard isBound, listen(listener, 4096) == 0 else {
            throw BenchNetwork.Failed(description: "cannot listen on port \(port): errno \(errno)")
        }
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
        _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
        thread.enter()
        Thread.detachNewThread { [self] in
            serve(listener)
            thread.leave()
        }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        thread.wait()
    }

    /// Times of connections, in order, by address.
    func starts(from begin: UInt64, to end: UInt64) -> [UInt32: [UInt64]] {
        found.withLock { found in
            Dictionary(grouping: found.filter { begin <= $0.time && $0.time < end }, by: \.address)
                .mapValues { $0.map(\.time) }
        }
    }

    private static func bind(_ listener: Int32, _ port: UInt16) -> Bool {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        return withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private func serve(_ listener: Int32) {
        let answer = Array(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        var waits = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        while !isStopped.load(ordering: .relaxed) {
            guard poll(&waits, nfds_t(waits.count), 100) > 0 else { continue }
            for index in waits.indices.dropFirst().reversed() where waits[index].revents != 0 {
                let connection = waits[index].fd
                if recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 {
                    _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
                }
                close(connection)
                waits.swapAt(index, waits.count - 1)
                waits.removeLast()
            }
            guard waits[0].revents != 0 else { continue }
            var starts: [Start] = []
            while case let next = accept(listener, nil, nil), next >= 0 {
                starts.append(Start(address: ownAddress(next), time: monotonicNanoseconds()))
                _ = fcntl(next, F_SETFD, FD_CLOEXEC)
                waits.append(pollfd(fd: next, events: Int16(POLLIN), revents: 0))
            }
            found.withLock { $0 += starts }
        }
        for wait in waits { close(wait.fd) }
    }

    private func ownAddress(_ connection: Int32) -> UInt32 {
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(connection, $0, &size)
            }
        }
        return UInt32(bigEndian: name.sin_addr.s_addr)
    }
}
