import DNSWire
import Foundation
import Synchronization
import TestSupport

/// How long after a probe's result the first answer follows it, among a thousand GEO names of two
/// hundred regions, while queries come at an even pace.
///
/// The front doors are ours, so that the moment is known at which one says that it fails: the
/// server can only know it later.
struct HealthChange {
    let queriesPerSecond: Int
    /// Milliseconds.
    var latencies = Sample()
    /// The longest time without any reply within each of these. Where it is about as long, nobody
    /// waited for the new answer alone: the machine did something else.
    var silences = Sample()

    static let regionCount = 200
    static let nameCount = 1000
    static let evenPace = 50_000
    /// More than one client can send.
    static let floodPace = 1_000_000

    /// Addresses are among `BenchNetwork.sources`, which belong to the generator's namespace.
    static let zone: String = {
        let regions = (0..<regionCount).map { number in
            let latitude = Double(number * 37 % 120) - 60
            let longitude = Double(number * 101 % 360) - 180
            return "r\(number) REGION \(latitude) \(longitude) check=door\n A 64.200.\(number).1\n"
        }
        let names = (0..<regionCount).map { "r\($0)" }.joined(separator: " ")
        let check = "every=500ms fast=500ms timeout=400ms rise=1 fall=1"
        return Workload.head + "door CHECK tcp \(doorPort) receive=OK \(check)\n"
            + regions.joined()
            + (0..<nameCount).map { "h\($0) 30 GEO nearest \(names)\n" }.joined()
    }()

    private static let doorPort: UInt16 = 8080

    /// Starts a server of its own; front doors and clients are in the generator's namespace.
    static func run(
        changes: Int, queriesPerSecond: Int, database: String, folder: String,
        over network: BenchNetwork
    ) throws -> HealthChange {
        let address = BenchNetwork.serverAddress(BenchNetwork.addressCount)
        let zones = folder + "/changes"
        try FileManager.default.createDirectory(
            atPath: zones, withIntermediateDirectories: true)
        try zone.write(
            toFile: zones + "/changes.example.zone", atomically: false, encoding: .utf8)
        let server = try network.startServer([
            Programs.own("geodnsd"), "--zones", zones, "--geo-data", database, "--listen",
            "\(address)@53", "--workers", "1", "--control", folder + "/changes.sock",
        ])
        defer { server.stop() }
        guard server.waitForOutput(" ready", seconds: 60) else {
            throw BenchNetwork.Failed(description: "geodnsd did not get ready:\n\(server.text)")
        }
        let text = try network.runGenerator(
            [Programs.own("benchmark"), "changes", address, "\(changes)", "\(queriesPerSecond)"],
            seconds: Double(changes) * 3 + 60)
        let values = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard values.count == 2 * changes else {
            throw BenchNetwork.Failed(description: "benchmark changes: \(text)")
        }
        var result = HealthChange(queriesPerSecond: queriesPerSecond)
        for pair in 0..<changes {
            result.latencies.add(values[2 * pair])
            result.silences.add(values[2 * pair + 1])
        }
        return result
    }

    /// Rows of the report.
    static func table(_ all: [HealthChange]) -> String {
        let head = """
            | queries/s | changes | median | 90 of 100 | 99 of 100 | silence: median | 99 of 100 |
            |---|---|---|---|---|---|---|

            """
        return all.reduce(head) { text, change in
            let times = [0.5, 0.9, 0.99].map { change.latencies.quantile($0) }
            let silences = [0.5, 0.99].map { change.silences.quantile($0) }
            let fields =
                [
                    change.queriesPerSecond >= floodPace
                        ? "as many as one client sends"
                        : PerformanceReport.number(Double(change.queriesPerSecond)),
                    "\(change.latencies.values.count)",
                ] + (times + silences).map { PerformanceReport.fixed($0, 2) + " ms" }
            return text + "| " + fields.joined(separator: " | ") + " |\n"
        }
    }

    /// Plays the front doors and the clients here, and prints each latency and its silence.
    static func generate(address: String, changes: Int, queriesPerSecond: Int) throws {
        let doors = try FrontDoors(port: doorPort)
        // The server was there before them: all regions were down.
        guard eventually({ doors.probeCount >= 3 * regionCount }) else {
            throw Pace.Failed(description: "the front doors are not probed")
        }
        var client = try ChangeClient(address: address)
        let region = try client.regionInUse()
        for change in 0..<changes {
            let isFailing = change % 2 == 0
            doors.change(region: region, isFailing: isFailing)
            let (latency, silence) = try client.wait(
                for: isFailing ? .anyBut(region) : .only(region), after: doors,
                queriesPerSecond: queriesPerSecond)
            print(latency, silence)
        }
    }
}

/// Two hundred front doors on one listening socket: each probe learns whether its region works.
private final class FrontDoors: Sendable {
    private let listener: Int32
    private let failing = Atomic<Int>(-1)
    /// The region whose next probe makes the change; -1: nobody waits.
    private let changing = Atomic<Int>(-1)
    /// When a probe was told of the change, in nanoseconds; 0: not yet.
    let told = Atomic<UInt64>(0)
    private let probes = Atomic<Int>(0)

    var probeCount: Int { probes.load(ordering: .sequentiallyConsistent) }

    init(port: UInt16) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        let status = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 1024) == 0 else {
            throw Pace.Failed(description: "cannot listen on port \(port)")
        }
        Thread.detachNewThread { self.serve() }
    }

    func change(region: Int, isFailing: Bool) {
        told.store(0, ordering: .sequentiallyConsistent)
        failing.store(isFailing ? region : -1, ordering: .sequentiallyConsistent)
        changing.store(region, ordering: .sequentiallyConsistent)
    }

    private func serve() {
        // Of this thread alone: the client beside it never sleeps, and what the door waits for its
        // core would look like the server's time.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -15)
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            probes.add(1, ordering: .sequentiallyConsistent)
            var name = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = getsockname(connection, $0, &size)
                }
            }
            // 64.200.REGION.1
            let region = Int(UInt32(bigEndian: name.sin_addr.s_addr) >> 8 & 0xff)
            let word = failing.load(ordering: .sequentiallyConsistent) == region ? "NO\n" : "OK\n"
            // Before it is sent: the server cannot know earlier.
            let time = monotonicNanoseconds()
            _ = send(connection, word, 3, Int32(MSG_NOSIGNAL))
            close(connection)
            if changing.load(ordering: .sequentiallyConsistent) == region {
                changing.store(-1, ordering: .sequentiallyConsistent)
                told.store(time, ordering: .sequentiallyConsistent)
            }
        }
    }
}

/// Asks all names in turn from one place, so that one region answers as long as it is up.
private struct ChangeClient {
    enum Expected {
        case only(Int)
        case anyBut(Int)

        func holds(_ region: Int) -> Bool {
            switch self {
            case .only(let wanted): region == wanted
            case .anyBut(let unwanted): region != unwanted
            }
        }
    }

    private let socket: Int32
    private let queries: [[UInt8]]
    private var number = 0
    private var buffer = [UInt8](repeating: 0, count: 2048)

    init(address: String) throws {
        guard
            let socket = DNSClient(address: address, port: 53, source: "77.1.2.3")
                .datagramSocket(seconds: 1)
        else { throw Pace.Failed(description: "cannot ask \(address)") }
        self.socket = socket
        // Ten of ten for A: the numbers keep away from those that ask for AAAA.
        queries = (0..<HealthChange.nameCount).map {
            Workload.plain("h\($0).changes.example", number: $0 * 10)
        }
    }

    /// Throws when there is no answer with a region.
    mutating func regionInUse() throws -> Int {
        ask()
        guard let region = answer() else {
            throw Pace.Failed(description: "no answer before the first change")
        }
        return region
    }

    /// Milliseconds from a probe being told until the first answer that follows it, and the longest
    /// time without any answer in between.
    mutating func wait(
        for expected: Expected, after doors: FrontDoors, queriesPerSecond: Int
    ) throws -> (latency: Double, silence: Double) {
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        let interval = 1_000_000_000 / UInt64(queriesPerSecond)
        let start = monotonicNanoseconds()
        var due = start
        var last = start
        var silence: UInt64 = 0
        while monotonicNanoseconds() < start + 20_000_000_000 {
            if monotonicNanoseconds() >= due {
                ask()
                due += interval
            }
            guard let region = answer() else { continue }
            let now = monotonicNanoseconds()
            let told = doors.told.load(ordering: .sequentiallyConsistent)
            guard told != 0 else { continue }
            // It may have been told so since the clock was read.
            if now > told { silence = max(silence, now - max(told, last)) }
            last = now
            guard expected.holds(region) else { continue }
            return now > told ? (Double(now - told) / 1e6, Double(silence) / 1e6) : (0, 0)
        }
        throw Pace.Failed(description: "the answer did not follow a change for 20 seconds")
    }

    private mutating func ask() {
        let query = queries[number % queries.count]
        number += 1
        _ = send(socket, query, query.count, 0)
    }

    /// The region of the next answer that has come.
    private mutating func answer() -> Int? {
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count >= 12, let message = Message(Array(buffer[..<count])),
            let data = message.answers.first?.rdata, data.count == 4
        else { return nil }
        return Int(data[2])
    }
}

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
