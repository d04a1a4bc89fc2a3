import Foundation

/// What was measured again and again.
struct Sample {
    private(set) var values: [Double]

    init(values: [Double] = []) { self.values = values }

    mutating func add(_ value: Double) { values.append(value) }

    var median: Double { quantile(0.5) }

    var mean: Double { values.reduce(0, +) / Double(max(values.count, 1)) }

    /// The greatest less the least, as a share of the median.
    var spread: Double {
        guard let least = values.min(), let greatest = values.max(), median > 0 else { return 0 }
        return (greatest - least) / median
    }

    /// Each value as a multiple of what `other` had in the same round.
    func ratios(to other: Sample) -> Sample {
        Sample(values: zip(values, other.values).map { $0 / $1 })
    }

    /// What the median is known to: in 95 of 100 samples as large, the true one lies between these,
    /// however the values are spread (order statistics). All of a sample of less than six.
    var medianInterval: ClosedRange<Double> {
        guard let least = values.min(), let greatest = values.max() else { return 0...0 }
        let sorted = values.sorted()
        let rank = Int((Double(sorted.count) - 1.96 * Double(sorted.count).squareRoot()) / 2)
        guard rank > 0 else { return least...greatest }
        return sorted[rank]...sorted[sorted.count - 1 - rank]
    }

    /// `share` from 0 to 1; 0 without values.
    func quantile(_ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)]
    }
}

/// User and system time of all threads of a process; 0 when it has ended.
func processorSeconds(of process: Int32) -> Double {
    processorFields(of: process).reduce(0, +)
}

/// The user's part of that.
func userSeconds(of process: Int32) -> Double { processorFields(of: process).first ?? 0 }

/// proc_pid_stat(5): fields 14 and 15.
private func processorFields(of process: Int32) -> [Double] {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let end = text.lastIndex(of: ")")
    else { return [] }
    let fields = text[end...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13])
    else { return [] }
    return [user, system].map { $0 / Double(sysconf(Int32(_SC_CLK_TCK))) }
}

/// Resident memory of a process; 0 when it has ended.
func residentBytes(of process: Int32) -> Int {
    let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let kibibytes = status?.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) }
    return (kibibytes ?? 0) * 1024
}

/// On standard error, so that what is printed stays a report.
func progress(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// Seconds of the processor that a process has used.
struct ProcessorUse {
    /// By thread (proc_pid_schedstat: nanoseconds on the processor come first).
    var threads: [String: Double] = [:]
    /// In coarser units than `threads`: those of `ticks`.
    var system = 0.0
    var ticks = 0.0

    var total: Double { threads.values.reduce(0, +) }

    init(of process: Int32) {
        let tasks = "/proc/\(process)/task"
        for task in (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? [] {
            let text = try? String(contentsOfFile: "\(tasks)/\(task)/schedstat", encoding: .utf8)
            threads[task] = (text?.split(separator: " ").first.flatMap { Double($0) } ?? 0) / 1e9
        }
        ticks = processorSeconds(of: process)
        system = ticks - userSeconds(of: process)
    }
}
