import Foundation
import Glibc
import SystemCalls
import Testing

@testable import Administration

@Suite("The control socket")
struct ControlSocketTests {
    /// A fresh path; its folder is removed at the end of the test.
    final class Folder {
        let url: URL
        var socket: String { url.appendingPathComponent("control.sock").path }

        init() throws {
            url = FileManager.default.temporaryDirectory
                .appendingPathComponent("geodns-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: url) }
    }

    /// Serves `count` clients on a thread of its own.
    func serve(
        _ count: Int, at path: String,
        _ handle: @escaping @Sendable ([String]) -> ControlReply
    ) throws -> Thread {
        let socket = try ControlSocket(path: path)
        let box = Box(socket)
        let thread = Thread {
            guard let socket = box.socket.take() else { return }
            for _ in 0..<count {
                var request = pollfd(fd: socket.pollDescriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&request, 1, 10_000) == 1 else { return }
                socket.serve { words, user in
                    user == getuid() ? handle(words) : .failed("user \(String(describing: user))")
                }
            }
        }
        thread.start()
        return thread
    }

    final class Box: @unchecked Sendable {
        var socket: ControlSocket?
        init(_ socket: consuming ControlSocket) { self.socket = consume socket }
    }

    @Test func `carries words there and text back`() throws {
        let folder = try Folder()
        let server = try serve(3, at: folder.socket) { words in
            words[0] == "fail" ? .failed("first\nsecond") : .ok(words.joined(separator: "|"))
        }
        let words = ["drain", "", "a b", "say \"hi\" \\ there", "line\nline", "São Paulo"]
        #expect(
            try ControlClient.send(words, path: folder.socket) == .ok(words.joined(separator: "|")))
        #expect(try ControlClient.send(["fail"], path: folder.socket) == .failed("first\nsecond"))
        let many = (0..<200).map { "region-\($0)" }
        #expect(
            try ControlClient.send(many, path: folder.socket) == .ok(many.joined(separator: "|")))
        #expect(eventually { server.isFinished })
    }

    @Test func `carries a large reply`() throws {
        let folder = try Folder()
        let large = String(repeating: "a line of a long report\n", count: 200_000)
        let server = try serve(1, at: folder.socket) { _ in .ok(large) }
        #expect(try ControlClient.send(["regions"], path: folder.socket) == .ok(large))
        #expect(eventually { server.isFinished })
    }

    @Test(arguments: [
        ("\n", "expected a command"), ("stop \"now\n", "expected words"),
        ("a \"\\9\"\n", "expected words"),
        (String(repeating: "x", count: 9000), "expected one line of at most 8192 bytes"),
    ])
    func `says what is wrong with a request`(request: String, expected: String) throws {
        let folder = try Folder()
        let server = try serve(1, at: folder.socket) { _ in .ok("") }
        let bytes = try exchange(request, at: folder.socket)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("error \(expected)"))
        #expect(eventually { server.isFinished })
    }

    @Test func `a client that says nothing holds the server for a bounded time`() throws {
        let folder = try Folder()
        let server = try serve(2, at: folder.socket) { _ in .ok("fine") }
        let silent = try connection(to: folder.socket)
        #expect(try ControlClient.send(["status"], path: folder.socket) == .ok("fine"))
        #expect(eventually { server.isFinished })
        withExtendedLifetime(silent) {}
    }

    @Test func `is for its own user only, and goes with its server`() throws {
        let folder = try Folder()
        let path = folder.socket
        func serveBriefly() throws {
            let socket = try ControlSocket(path: path)
            let attributes = try FileManager.default.attributesOfItem(atPath: socket.path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        try serveBriefly()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `replaces the socket file of a server that is gone`() throws {
        let folder = try Folder()
        try leaveStaleSocket(at: folder.socket)
        #expect(FileManager.default.fileExists(atPath: folder.socket))
        let server = try serve(1, at: folder.socket) { _ in .ok("new") }
        #expect(try ControlClient.send(["status"], path: folder.socket) == .ok("new"))
        #expect(eventually { server.isFinished })
    }

    @Test func `leaves a server that answers alone`() throws {
        let folder = try Folder()
        let path = folder.socket
        let first = try ControlSocket(path: path)
        let error = try #require(throws: ControlError.self) { _ = try ControlSocket(path: path) }
        #expect(error == .inUse(path: path))
        #expect(error.description.hasPrefix("another geodnsd is answering on \(path)"))
        #expect(FileManager.default.fileExists(atPath: first.path))
    }

    @Test func `does not remove a file that is not a socket`() throws {
        let folder = try Folder()
        try "precious".write(toFile: folder.socket, atomically: true, encoding: .utf8)
        #expect(throws: ControlError.notASocket(path: folder.socket)) {
            _ = try ControlSocket(path: folder.socket)
        }
        #expect(try String(contentsOfFile: folder.socket, encoding: .utf8) == "precious")
    }

    @Test func `tells who asks in vain why`() throws {
        let folder = try Folder()
        let path = folder.socket
        let missing = try #require(throws: ControlError.self) {
            try ControlClient.send(["status"], path: path)
        }
        #expect(
            missing.description
                == "no geodnsd is listening on \(path): No such file or directory; "
                + "is it running? use --control PATH")
        try leaveStaleSocket(at: path)
        #expect(throws: ControlError.cannotConnect(path: path, .connectionRefused)) {
            try ControlClient.send(["status"], path: path)
        }
        let long = "/" + String(repeating: "x", count: 107)
        #expect(throws: ControlError.pathTooLong(path: long)) {
            try ControlClient.send(["status"], path: long)
        }
        #expect(throws: ControlError.pathTooLong(path: long)) { _ = try ControlSocket(path: long) }
        #expect(throws: ControlError.cannotListen(path: "/nowhere/control.sock", .noSuchFile)) {
            _ = try ControlSocket(path: "/nowhere/control.sock")
        }
    }

    // MARK: - Clients that know no protocol

    private func connection(to path: String) throws -> FileDescriptor {
        let descriptor = try FileDescriptor { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }
        var address = unixAddress(path)
        try require {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        return descriptor
    }

    private func exchange(_ request: String, at path: String) throws -> [UInt8] {
        let stream = ControlStream(try connection(to: path), within: .seconds(10))
        try stream.write(Array(request.utf8))
        return try stream.read(byteCountMax: 1 << 20)
    }

    /// What a server that was killed leaves behind.
    private func leaveStaleSocket(at path: String) throws {
        let descriptor = try FileDescriptor { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }
        var address = unixAddress(path)
        try require {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    private func unixAddress(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return address
    }
}
