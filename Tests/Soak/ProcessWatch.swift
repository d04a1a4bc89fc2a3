import Foundation

/// What the kernel tells of a running process and its sockets.
struct ProcessWatch: Sendable {
    let identifier: Int32
    let port: UInt16

    /// VmRSS of /proc/PID/status, in KiB; nil when the process is gone.
    var residentKiB: Int? {
        text("/proc/\(identifier)/status")?.split(separator: "\n")
            .first { $0.hasPrefix("VmRSS:") }
            .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }
            .flatMap { Int($0) }
    }

    var descriptorCount: Int? {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd"))?.count
    }

    /// User and system time of all its threads (proc_pid_stat(5): fields 14 and 15).
    var processorSeconds: Double {
        let line = text("/proc/\(identifier)/stat") ?? ""
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13])
        else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Datagrams that the kernel dropped, because the socket's buffer was full or otherwise: last
    /// column of the rows of its UDP sockets.
    var datagramDropCount: Int {
        let suffix = ":" + hexadecimal(port)
        return (text("/proc/net/udp") ?? "").split(separator: "\n").reduce(0) { sum, line in
            let words = line.split(separator: " ")
            guard words.count > 2, words[1].hasSuffix(suffix) else { return sum }
            return sum + (words.last.flatMap { Int($0) } ?? 0)
        }
    }

    private func hexadecimal(_ port: UInt16) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Files of /proc tell no size, so they are read to their end.
    private func text(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        return (try? file.readToEnd()).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A figure that may not grow, sampled once a second.
struct Flatness {
    private(set) var samples: [Int] = []

    mutating func add(_ sample: Int) { samples.append(sample) }

    /// Medians of the first and of the last third.
    var ends: (first: Int, last: Int)? {
        guard samples.count >= 3 else { return nil }
        let third = samples.count / 3
        func median(_ part: ArraySlice<Int>) -> Int { part.sorted()[part.count / 2] }
        return (median(samples.prefix(third)), median(samples.suffix(third)))
    }

    var most: Int { samples.max() ?? 0 }
}
