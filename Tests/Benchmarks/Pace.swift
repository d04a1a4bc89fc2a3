import Foundation
import TestSupport

/// Queries at an even pace, and how long each reply took. Runs as a process of its own, in the
/// generator's namespace: `benchmark pace`.
struct Pace {
    /// Microseconds, over all queries: one without reply is slower than any with one.
    var medianLatency: Double
    var highLatency: Double
    var lostShare: Double

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    /// In the generator's namespace.
    static func run(
        _ contender: Contender, queriesPerSecond: Int, seconds: Int, over network: BenchNetwork
    ) throws -> Pace {
        let text = try network.runGenerator(
            [
                Programs.own("benchmark"), "pace", contender.address, contender.zone,
                "\(queriesPerSecond)", "\(seconds)",
            ], seconds: Double(seconds) + 30)
        let fields = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard fields.count == 3 else { throw Failed(description: "benchmark pace: \(text)") }
        return Pace(medianLatency: fields[0], highLatency: fields[1], lostShare: fields[2])
    }

    /// Sends and receives here, from sources all over, and prints the three figures.
    static func generate(
        address: String, zone: String, queriesPerSecond: Int, seconds: Int
    ) throws {
        var generator = try PacedGenerator(address: address, zone: zone)
        let pace = generator.run(queriesPerSecond: queriesPerSecond, seconds: seconds)
        print(pace.medianLatency, pace.highLatency, pace.lostShare)
    }
}

/// One thread that never sleeps: sends what is due, and reads what has come.
private struct PacedGenerator {
    /// Each has a source of its own.
    private var sockets: [pollfd] = []
    private let queries: [[UInt8]]
    /// When the query with an ID left, in nanoseconds; 0: its reply has come.
    private var departures = [UInt64](repeating: 0, count: 1 << 16)
    private var latencies: [UInt32] = []
    private var buffer = [UInt8](repeating: 0, count: 2048)

    private static let socketCount = 64

    init(address: String, zone: String) throws {
        queries = (0..<4096).map { number in
            Workload.plain("h\(number &* 7919 % 1000).\(zone).example", number: number)
        }
        for number in 0..<PacedGenerator.socketCount {
            // From 64.0.0.0 to 79.255.255.255 (BenchNetwork.sources).
            let bits = UInt32(number) &* 0x9e37_79b1
            let source = "\(64 + bits >> 28).\(bits >> 20 & 255).\(bits >> 12 & 255).1"
            guard
                let socket = DNSClient(address: address, port: 53, source: source)
                    .datagramSocket(seconds: 1)
            else { throw Pace.Failed(description: "cannot send from \(source)") }
            _ = fcntl(socket, F_SETFL, O_NONBLOCK)
            sockets.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
        }
    }

    mutating func run(queriesPerSecond: Int, seconds: Int) -> Pace {
        let total = queriesPerSecond * seconds
        let interval = 1_000_000_000 / UInt64(queriesPerSecond)
        latencies.reserveCapacity(total)
        let start = monotonicNanoseconds()
        for number in 0..<total {
            let due = start + UInt64(number) * interval
            repeat { receive() } while monotonicNanoseconds() < due
            send(number)
        }
        let end = monotonicNanoseconds() + 200_000_000
        while monotonicNanoseconds() < end { receive() }
        latencies.sort()
        func quantile(_ share: Double) -> Double {
            let place = Int(share * Double(total))
            return place < latencies.count ? Double(latencies[place]) / 1000 : .infinity
        }
        return Pace(
            medianLatency: quantile(0.5), highLatency: quantile(0.99),
            lostShare: 1 - Double(latencies.count) / Double(total))
    }

    private mutating func send(_ number: Int) {
        var query = queries[number & 4095]
        let identifier = number & 0xffff
        query[0] = UInt8(identifier >> 8)
        query[1] = UInt8(identifier & 0xff)
        departures[identifier] = monotonicNanoseconds()
        _ = Foundation.send(sockets[number % sockets.count].fd, query, query.count, 0)
    }

    private mutating func receive() {
        guard poll(&sockets, nfds_t(sockets.count), 0) > 0 else { return }
        for socket in sockets where socket.revents != 0 {
            while recv(socket.fd, &buffer, buffer.count, 0) >= 12 {
                let identifier = Int(buffer[0]) << 8 | Int(buffer[1])
                guard departures[identifier] != 0 else { continue }
                let nanoseconds = monotonicNanoseconds() - departures[identifier]
                latencies.append(UInt32(clamping: nanoseconds))
                departures[identifier] = 0
            }
        }
    }
}
