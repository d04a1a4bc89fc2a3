import Foundation
import Testing

/// A program a test started; ended with it, by its own process identifier.
///
/// posix_spawn and waitpid rather than Foundation's Process, whose waiting depends on a run loop
/// that the threads of tests do not have.
final class Program {
    let processIdentifier: pid_t
    private let output: Int32
    private var exitStatus: Int32?

    init(_ path: String, _ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        // Not for programs that other tests start meanwhile.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // Threads of libdispatch, on which tests run, have signals blocked, and a child inherits
        // that: SIGTERM would not end it.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, path, &actions, &attributes, &words, environ)
        close(ends[1])
        output = ends[0]
        processIdentifier = child
        try #require(status == 0, "cannot start \(path): \(String(cString: strerror(status)))")
    }

    deinit {
        end()
        close(output)
    }

    /// The next line it prints; empty when it ended without one.
    func nextLine() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The exit status; 128 and more for the signal that ended it, as shells say it.
    func waitForExit() -> Int32 {
        if let exitStatus { return exitStatus }
        var status: Int32 = 0
        while waitpid(processIdentifier, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        let words = signal == 0 ? status >> 8 & 0xff : 128 + signal
        exitStatus = words
        return words
    }

    /// SIGTERM; returns the exit status.
    @discardableResult func end() -> Int32 {
        if exitStatus == nil { kill(processIdentifier, SIGTERM) }
        return waitForExit()
    }
}

extension Program {
    /// The built `front-door`, next to the test bundle.
    static let frontDoorPath: String = {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") }
        var folder = URL(fileURLWithPath: bundle ?? "")
        while folder.path.contains(".xctest") { folder.deleteLastPathComponent() }
        let beside = folder.appendingPathComponent("front-door").path
        if bundle != nil, FileManager.default.isExecutableFile(atPath: beside) { return beside }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(".build/debug/front-door").path
    }()

    /// A front door that is ready.
    static func frontDoor(on address: String, port: UInt16, mode: String = "ok") throws -> Program {
        let door = try Program(
            frontDoorPath, ["--listen", "\(address)@\(port)", "--name", "fra", "--mode", mode])
        #expect(door.nextLine() == "ready")
        return door
    }
}
