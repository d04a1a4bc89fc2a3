import Foundation
import TestSupport

/// A `geodnsd` with one worker under valgrind's callgrind, which counts user-space instructions.
final class CountedServer {
    /// What a stretch of work cost.
    struct Cost {
        var instructions = 0
        /// Calls of functions that a query must not call.
        var forbiddenCalls: [String: Int] = [:]
    }

    /// Allocation, locks, reference counting.
    private static let forbidden: Set<String> = [
        "malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc",
        "pthread_mutex_lock", "pthread_mutex_unlock", "pthread_rwlock_rdlock",
        "swift_allocObject", "swift_slowAlloc", "swift_retain", "swift_retain_n", "swift_release",
        "swift_release_n", "swift_once", "swift_beginAccess", "swift_getGenericMetadata",
        "swift_dynamicCast",
    ]

    let port: UInt16
    private let process: RunningProcess
    private let folder: TemporaryFolder
    private var dumpCount = 0

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    init(
        program: String, geoData: String, zones: [(file: String, text: String)] = Workload.zones,
        arguments: [String] = []
    ) throws {
        folder = try TemporaryFolder()
        for zone in zones { try folder.write(zone.text, to: "zones/" + zone.file) }
        let secret = try folder.write(Workload.cookieSecret, to: "secret")
        // Callgrind cannot read the debugging information, and needs none.
        let stripped = folder.path + "/geodnsd"
        try CountedServer.run("strip", ["--strip-debug", "-o", stripped, program])
        guard let valgrind = Programs.find("valgrind") else {
            throw Failed(description: "valgrind is not installed: apt-get install valgrind")
        }
        port = freePort(on: "127.0.0.1")
        process = try RunningProcess(
            valgrind,
            [
                "--tool=callgrind", "--callgrind-out-file=\(folder.path)/out",
                "--compress-strings=no", stripped, "--zones", folder.path + "/zones",
                "--geo-data", geoData, "--listen", "127.0.0.1@\(port)", "--control",
                folder.path + "/control.sock", "--workers", "1", "--cookie-secret", secret,
            ] + arguments)
        guard process.waitForOutput(" ready", seconds: 300) else {
            process.stop()
            throw Failed(description: "geodnsd did not get ready:\n\(process.text)")
        }
    }

    deinit { process.stop() }

    /// Sends `count` queries, `window` at a time, and waits for the responses to each lot.
    func cost(of workload: Workload, count: Int, window: Int = 20) throws -> Cost {
        let socket = try QuerySocket(DNSClient(port: port), seconds: 30)
        // Caches of the dynamic linker, of the allocator and of the memory pools fill.
        try ask(workload, 0..<window * 5, window: window, over: socket)
        try control("--zero")
        try ask(workload, window * 5..<window * 5 + count, window: window, over: socket)
        try control("--dump")
        dumpCount += 1
        return try read(folder.path + "/out.\(dumpCount)")
    }

    private func ask(
        _ workload: Workload, _ numbers: Range<Int>, window: Int, over socket: QuerySocket
    ) throws {
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: window) {
            // All of them wait when it wakes up: what a batch costs is shared by as many, always.
            try stop()
            for number in start..<start + window { try socket.send(workload.query(number)) }
            kill(process.identifier, SIGCONT)
            guard socket.receive(window).count == window else {
                throw Failed(description: "\(workload.name): a query had no response")
            }
        }
    }

    /// Returns when all of its threads stand still.
    private func stop() throws {
        kill(process.identifier, SIGSTOP)
        for _ in 0..<100_000 {
            if isStopped { return }
            usleep(100)
        }
        throw Failed(description: "geodnsd does not stop")
    }

    private var isStopped: Bool {
        let tasks = "/proc/\(process.identifier)/task"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return names.allSatisfy { name in
            // proc_pid_stat(5): the state comes after the name in parentheses.
            let text = try? String(contentsOfFile: "\(tasks)/\(name)/stat", encoding: .utf8)
            return text?.contains(") T ") ?? true
        }
    }

    private func control(_ option: String) throws {
        try CountedServer.run("callgrind_control", [option, "\(process.identifier)"])
    }

    private static func run(_ name: String, _ arguments: [String]) throws {
        guard let program = Programs.find(name) else {
            throw Failed(description: "\(name) is not installed")
        }
        let (status, text) = try RunningProcess.run(program, arguments)
        guard status == 0 else { throw Failed(description: "\(name) failed: \(text)") }
    }

    /// The format is that of valgrind's manual, "Callgrind Format Specification".
    private func read(_ file: String) throws -> Cost {
        var cost = Cost()
        var callee = ""
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("summary: ") {
                cost.instructions = Int(line.dropFirst("summary: ".count)) ?? 0
            } else if line.hasPrefix("cfn=") {
                callee = String(line.dropFirst("cfn=".count).prefix { $0 != "'" && $0 != "@" })
            } else if line.hasPrefix("calls="), CountedServer.forbidden.contains(callee) {
                let calls = line.dropFirst("calls=".count).prefix { $0 != " " }
                cost.forbiddenCalls[callee, default: 0] += Int(calls) ?? 0
            }
        }
        guard cost.instructions > 0 else {
            throw Failed(description: "\(file) has no total")
        }
        return cost
    }
}
