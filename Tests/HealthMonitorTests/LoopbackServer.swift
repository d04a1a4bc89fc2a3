import Foundation
import Synchronization

/// An HTTP server on a loopback address, in this process, that counts what it sees.
final class LoopbackServer: Sendable {
    enum Behaviour: Sendable {
        case status(Int)
        case redirect(to: String)
        /// Accepts, reads, and never answers.
        case hang
        /// A good status, and a body without end.
        case endlessBody
        case garbage
        /// Closes after reading the request.
        case silence
    }

    struct Visit: Sendable {
        var peer: String
        /// The request head; empty when none came.
        var request: String
    }

    private struct State {
        var behaviour: Behaviour
        var visits: [Visit] = []
        var visitCountBeforeChange = 0
        var hanging: [Int32] = []
    }

    let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>
    private let isOpen = Atomic(true)

    /// - Parameter port: 0 for any free one.
    init(on address: String = "127.0.0.1", port: UInt16 = 0, _ behaviour: Behaviour) throws {
        (listener, self.port) = try LoopbackServer.listen(on: address, port: port)
        state = Mutex(State(behaviour: behaviour))
        let server = Unmanaged.passRetained(self)
        let opaque = UInt(bitPattern: server.toOpaque())
        Thread.detachNewThread {
            let server = Unmanaged<LoopbackServer>.fromOpaque(
                UnsafeRawPointer(bitPattern: opaque)!
            ).takeRetainedValue()
            server.serve()
        }
    }

    var visits: [Visit] { state.withLock { $0.visits } }
    var visitCount: Int { state.withLock { $0.visits.count } }
    /// Visits since the last `behave`.
    var visitCountSinceChange: Int {
        state.withLock { $0.visits.count - $0.visitCountBeforeChange }
    }

    func behave(_ behaviour: Behaviour) {
        state.withLock {
            $0.behaviour = behaviour
            $0.visitCountBeforeChange = $0.visits.count
        }
    }

    /// From now on connections are refused.
    func stop() {
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func listen(on address: String, port: UInt16) throws -> (Int32, UInt16) {
        let isIPv6 = address.contains(":")
        // A program a test starts must not keep a connection open.
        let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, stream, 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                guard isIPv6 else { return }
                $0.pointee.sin6_family = sa_family_t(AF_INET6)
                $0.pointee.sin6_port = port.bigEndian
                inet_pton(AF_INET6, address, &$0.pointee.sin6_addr)
            }
            pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                guard !isIPv6 else { return }
                $0.pointee.sin_family = sa_family_t(AF_INET)
                $0.pointee.sin_port = port.bigEndian
                inet_pton(AF_INET, address, &$0.pointee.sin_addr)
            }
            return pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let length =
                    isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
                guard bind(descriptor, $0, socklen_t(length)) == 0 else { return Int32(-1) }
                return getsockname(descriptor, $0, &size)
            }
        }
        guard status == 0, Glibc.listen(descriptor, 1024) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        // The port stands at the same place in both families.
        let bound = withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
        return (descriptor, bound)
    }

    private func serve() {
        while isOpen.load(ordering: .relaxed) {
            var peer = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let connection = withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(listener, $0, &size) }
            }
            guard connection >= 0 else { break }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            let words = withUnsafeBytes(of: peer.sin_addr) {
                $0.map { "\($0)" }.joined(separator: ".")
            }
            answer(connection, from: words)
        }
        for connection in state.withLock({ $0.hanging }) { close(connection) }
    }

    private func answer(_ connection: Int32, from peer: String) {
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        let request = readHead(connection)
        let behaviour = state.withLock {
            $0.visits.append(Visit(peer: peer, request: request))
            return $0.behaviour
        }
        switch behaviour {
        case .status(let code):
            send(connection, "HTTP/1.1 \(code) Words\r\nContent-Length: 3\r\n\r\nok\n")
        case .redirect(let target):
            let fields = "Location: \(target)\r\nContent-Length: 0"
            send(connection, "HTTP/1.1 302 Found\r\n\(fields)\r\n\r\n")
        case .garbage: send(connection, "SSH-2.0-OpenSSH_9.2\r\n")
        case .endlessBody:
            send(connection, "HTTP/1.1 200 OK\r\n\r\n")
            let piece = String(repeating: "x", count: 8192)
            while send(connection, piece) {}
        case .hang:
            state.withLock { $0.hanging.append(connection) }
            return
        case .silence: break
        }
        close(connection)
    }

    private func readHead(_ connection: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
            if bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @discardableResult
    private func send(_ connection: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
}
