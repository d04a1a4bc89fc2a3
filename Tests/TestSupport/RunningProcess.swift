package import Foundation

/// A program started by a test, and ended by its own process id.
package final class RunningProcess: @unchecked Sendable {
    private let process = Process()
    private let output = Pipe()
    private let lock = NSLock()
    private var collected = Data()

    /// Standard output and standard error are collected together.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws {
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        output.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            self?.lock.withLock { self?.collected.append(data) }
        }
        try process.run()
    }

    deinit { kill() }

    package var identifier: Int32 { process.processIdentifier }
    package var isRunning: Bool { process.isRunning }

    /// All it has written so far.
    package var text: String {
        lock.withLock { String(decoding: collected, as: UTF8.self) }
    }

    package func send(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }

    /// Waits until `word` has been written; false when it has not after `seconds`, or the process
    /// has ended without.
    package func waitForOutput(_ word: String, seconds: Double = 20) -> Bool {
        eventually(seconds: seconds) { text.contains(word) || !isRunning }
            && eventually(
                seconds: 1
            ) { text.contains(word) }
    }

    /// Waits for its end; nil when it still runs after `seconds`.
    package func waitForExit(seconds: Double = 20) -> Int32? {
        guard eventually(seconds: seconds, { !isRunning }) else { return nil }
        return process.terminationStatus
    }

    /// SIGTERM, and SIGKILL if that does not end it. Returns the exit status.
    @discardableResult
    package func stop() -> Int32? {
        if isRunning { send(SIGTERM) }
        let status = waitForExit(seconds: 10)
        if status == nil { kill() }
        return status
    }

    private func kill() {
        output.fileHandleForReading.readabilityHandler = nil
        guard process.isRunning else { return }
        send(SIGKILL)
        process.waitUntilExit()
    }

    /// Runs a program to its end: its exit status, and all it wrote.
    package static func run(
        _ program: String, _ arguments: [String], seconds: Double = 60
    ) throws -> (status: Int32?, text: String) {
        let process = try RunningProcess(program, arguments)
        let status = process.waitForExit(seconds: seconds)
        process.stop()
        // The last of the output may still be on its way through the pipe.
        _ = eventually(seconds: 0.2) { false }
        return (status, process.text)
    }
}

/// Polls until `condition` holds; false when it does not within `seconds`.
@discardableResult
package func eventually(
    seconds: Double = 10, _ condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
        if try condition() { return true }
        if Date() >= deadline { return false }
        Thread.sleep(forTimeInterval: 0.02)
    }
}

/// A folder of its own for one test, removed with it.
package final class TemporaryFolder {
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory
            .appending(path: "geodns-test-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path; folders on the way are made.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }
}

/// Programs of this package, and others on the machine.
package enum Programs {
    /// The folder the package's own programs were built into: that of the running test.
    package static let buildFolder: String = {
        let executable =
            (try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let own = URL(filePath: executable).deletingLastPathComponent()
        if FileManager.default.fileExists(atPath: own.appending(path: "geodnsd").path) {
            return own.path
        }
        // Some versions of the test runner load the tests from another folder.
        for argument in CommandLine.arguments where argument.contains(".build/") {
            let folder = URL(filePath: argument).deletingLastPathComponent()
            if FileManager.default.fileExists(atPath: folder.appending(path: "geodnsd").path) {
                return folder.path
            }
        }
        return packageFolder + "/.build/debug"
    }()

    package static let packageFolder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    package static func own(_ name: String) -> String { buildFolder + "/" + name }

    /// The path of a program of the system; nil when it is not installed.
    package static func find(_ name: String) -> String? {
        ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/local/bin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
