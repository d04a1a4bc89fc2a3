import Dispatch
import Foundation

/// How long a test waits for what must come. It only takes so long when something is wrong: a slow
/// machine, or a sanitizer, must not look like a mistake.
package let patienceSeconds = 120.0

/// A program started by a test, and ended by its own process id.
///
/// posix_spawn and waitpid rather than Foundation's Process, whose waiting depends on a run loop
/// that the threads of tests do not have.
package final class RunningProcess: @unchecked Sendable {
    package let identifier: Int32
    private let lock = NSLock()
    private var collected: [UInt8] = []
    private var status: Int32?
    private let reader = DispatchGroup()

    /// Standard output and standard error are collected together. It gets `sockets` as systemd
    /// would give them (sd_listen_fds(3)).
    package convenience init(
        _ program: String, _ arguments: [String], sockets: HeldSockets
    ) throws {
        try self.init(
            "/bin/sh",
            [
                "-c", "exec env LISTEN_PID=$$ LISTEN_FDS=\(sockets.descriptors.count) \"$@\"", "sh",
                program,
            ] + arguments, descriptors: sockets.descriptors)
    }

    /// `descriptors`, which must be above what there are of them, become 3 and on.
    package init(_ program: String, _ arguments: [String], descriptors: [Int32] = []) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CannotStart(program: program, code: errno) }
        // Not for programs that other tests start meanwhile.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // F_SETPIPE_SZ, 1 MiB: a server leaves out lines that its log's reader has no room for.
        _ = fcntl(ends[0], 1031, 1 << 20)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        for (index, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, 3 + Int32(index))
        }
        // Threads of libdispatch, on which tests run, have signals blocked, and a child inherits
        // that: SIGTERM would not end it.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, &attributes, &words, environ)
        close(ends[1])
        identifier = child
        guard code == 0 else {
            close(ends[0])
            status = 127
            throw CannotStart(program: program, code: code)
        }
        collect(from: ends[0])
    }

    package struct CannotStart: Error, CustomStringConvertible {
        let program: String
        let code: Int32
        package var description: String {
            "cannot start \(program): \(String(cString: strerror(code)))"
        }
    }

    private func collect(from end: Int32) {
        reader.enter()
        Thread.detachNewThread { [lock, reader, weak self] in
            defer { reader.leave() }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(end, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                lock.withLock { self?.collected += buffer[..<count] }
            }
            close(end)
        }
    }

    deinit { kill() }

    /// All it has written so far.
    package var text: String {
        lock.withLock { String(decoding: collected, as: UTF8.self) }
    }

    package var isRunning: Bool { exitStatus == nil }

    /// Nil while it runs; 128 and more for the signal that ended it, as shells say it.
    private var exitStatus: Int32? {
        lock.withLock {
            if status != nil { return status }
            var word: Int32 = 0
            guard waitpid(identifier, &word, WNOHANG) == identifier else { return nil }
            let signal = word & 0x7f
            status = signal == 0 ? word >> 8 & 0xff : 128 + signal
            return status
        }
    }

    package func send(_ signal: Int32) {
        if isRunning { _ = Foundation.kill(identifier, signal) }
    }

    /// Waits until `word` has been written `count` times; false when it has not after `seconds`, or
    /// the process has ended without.
    package func waitForOutput(
        _ word: String, count: Int = 1, seconds: Double = patienceSeconds
    ) -> Bool {
        func isThere() -> Bool { text.components(separatedBy: word).count > count }
        return eventually(seconds: seconds) { isThere() || !isRunning }
            && eventually(seconds: 1) { isThere() }
    }

    /// Waits for its end; nil when it still runs after `seconds`.
    package func waitForExit(seconds: Double = patienceSeconds) -> Int32? {
        guard eventually(seconds: seconds, { !isRunning }) else { return nil }
        // The last of the output may still be on its way through the pipe.
        _ = reader.wait(timeout: .now() + 1)
        return exitStatus
    }

    /// SIGTERM, and SIGKILL if that does not end it. Returns the exit status.
    @discardableResult
    package func stop() -> Int32? {
        send(SIGTERM)
        let status = waitForExit()
        if status == nil { kill() }
        return status
    }

    private func kill() {
        send(SIGKILL)
        _ = waitForExit(seconds: 5)
    }

    /// Runs a program to its end: its exit status, and all it wrote.
    package static func run(
        _ program: String, _ arguments: [String], seconds: Double = patienceSeconds
    ) throws -> (status: Int32?, text: String) {
        let process = try RunningProcess(program, arguments)
        let status = process.waitForExit(seconds: seconds)
        process.stop()
        return (status, process.text)
    }
}

/// Polls until `condition` holds; false when it does not within `seconds`.
@discardableResult
package func eventually(
    seconds: Double = patienceSeconds, _ condition: () throws -> Bool
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
