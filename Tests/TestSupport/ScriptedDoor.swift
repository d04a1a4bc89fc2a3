import Foundation

/// A front door inside the test: it counts the connections it gets, and does to each what it was
/// told. Unlike `TestFrontDoor` it can fail for an exact number of probes.
package final class ScriptedDoor: @unchecked Sendable {
    package enum Act: Sendable {
        case answer(status: Int)
        /// Accepts and reads, and never answers.
        case hang
        /// Accepts, and does nothing before the door is told to do something else; then that.
        case wait
        /// Closes the connection without a word.
        case close
        /// Reads something, sends these bytes, and closes.
        case respond([UInt8])
        /// Sends these bytes at once, and then nothing more.
        case greet([UInt8])
        /// Speaks enough HTTP/2 to answer one request over a plain connection with that status,
        /// one of those that HPACK's static table has (RFC 7541 appendix A: 200, 204, 404, 500).
        case http2(status: Int)
        /// Hands the bytes on to a port of the same address, and back.
        case forward(port: UInt16)
    }

    package let address: String
    package let port: UInt16
    private let lock = NSLock()
    private var queue: [Act] = []
    private var steady: Act
    private var count = 0
    private var taken: [UInt8] = []
    private var listener: Int32

    /// `port` nil: one that is free on `address` now.
    package init(
        _ address: String, port: UInt16? = nil, _ act: Act = .answer(status: 200)
    ) throws {
        self.address = address
        steady = act
        self.port = port ?? freePort(on: address)
        listener = try ScriptedDoor.listen(address, self.port)
        acceptConnections(listener)
    }

    deinit { refuse() }

    /// Connections so far.
    package var connectionCount: Int { lock.withLock { count } }

    /// All that was sent to it while it answered.
    package var text: String { lock.withLock { String(decoding: taken, as: UTF8.self) } }

    /// Does `acts` to the next connections, one each, and `steady` to those after.
    package func behave(_ acts: [Act] = [], then steady: Act) {
        lock.withLock {
            queue = acts
            self.steady = steady
        }
    }

    /// Nobody listens any more: connections are refused.
    package func refuse() {
        let open = lock.withLock {
            defer { listener = -1 }
            return listener
        }
        // Wakes the thread in accept(2), which closes it.
        if open >= 0 { shutdown(open, Int32(SHUT_RDWR)) }
    }

    /// Undoes `refuse`.
    package func listenAgain() throws {
        let next = try ScriptedDoor.listen(address, port)
        lock.withLock { listener = next }
        acceptConnections(next)
    }

    // MARK: - Connections

    private func acceptConnections(_ listener: Int32) {
        Thread.detachNewThread { [weak self] in
            defer { Foundation.close(listener) }
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard connection >= 0 else { return }
                guard let act = self?.take() else {
                    Foundation.close(connection)
                    return
                }
                let address = self?.address ?? ""
                Thread.detachNewThread { [weak self] in
                    let door = self
                    let act = door?.awaitTurn(act, of: connection) ?? act
                    ScriptedDoor.carryOut(act, on: connection, address: address) { bytes in
                        door?.note(bytes)
                    }
                    Foundation.close(connection)
                }
            }
        }
    }

    private func note(_ bytes: [UInt8]) { lock.withLock { taken += bytes } }

    /// What to do with a connection that is to wait, once that is known or it is over.
    private func awaitTurn(_ act: Act, of connection: Int32) -> Act {
        var act = act
        var byte: UInt8 = 0
        while case .wait = act {
            let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
            if recv(connection, &byte, 1, flags) == 0 { return .close }
            Thread.sleep(forTimeInterval: 0.005)
            act = lock.withLock { steady }
        }
        return act
    }

    private func take() -> Act {
        lock.withLock {
            count += 1
            return queue.isEmpty ? steady : queue.removeFirst()
        }
    }

    private static func carryOut(
        _ act: Act, on connection: Int32, address: String, _ note: ([UInt8]) -> Void
    ) {
        switch act {
        case .close, .wait: return
        case .hang: while !receive(connection).isEmpty {}
        case .answer(let status):
            let request = receive(connection)
            guard !request.isEmpty else { return }
            note(request)
            sendAll(
                Array(
                    "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8),
                connection)
            shutdown(connection, Int32(SHUT_WR))
            while case let rest = receive(connection), !rest.isEmpty { note(rest) }
        case .respond(let bytes):
            guard !receive(connection).isEmpty else { return }
            sendAll(bytes, connection)
            shutdown(connection, Int32(SHUT_WR))
            while !receive(connection).isEmpty {}
        case .greet(let bytes):
            sendAll(bytes, connection)
            while !receive(connection).isEmpty {}
        case .http2(let status): speakHTTP2(status, on: connection)
        case .forward(let port):
            guard let other = try? connect(address, port) else { return }
            pipe(connection, other)
            Foundation.close(other)
        }
    }

    /// Frames of RFC 9113 §4.1: length, type, flags, stream, payload.
    private static func speakHTTP2(_ status: Int, on connection: Int32) {
        func frame(_ type: UInt8, _ flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
            [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
        }
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        var bytes: [UInt8] = []
        // Until the request, a HEADERS frame (type 1), has come.
        while true {
            let piece = receive(connection)
            guard !piece.isEmpty else { return }
            bytes += piece
            guard bytes.count >= preface.count else { continue }
            guard bytes.starts(with: preface) else { return }
            var rest = bytes.dropFirst(preface.count)
            var types: [UInt8] = []
            while rest.count >= 9 {
                let start = rest.startIndex
                let length =
                    Int(rest[start]) << 16 | Int(rest[start + 1]) << 8 | Int(rest[start + 2])
                types.append(rest[start + 3])
                rest = rest.dropFirst(9 + length)
            }
            if types.contains(1) { break }
        }
        let index: [Int: UInt8] = [200: 8, 204: 9, 404: 13, 500: 14]
        sendAll(
            frame(4, 0, stream: 0, []) + frame(4, 1, stream: 0, [])
                + frame(1, 5, stream: 1, [0x80 | (index[status] ?? 14)]), connection)
        while !receive(connection).isEmpty {}
    }

    /// Both ways, until one side ends.
    private static func pipe(_ left: Int32, _ right: Int32) {
        while true {
            var waits = [left, right].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&waits, 2, 10_000) > 0 else { return }
            for (from, to) in [(0, right), (1, left)] where waits[from].revents != 0 {
                let bytes = receive(waits[from].fd)
                guard !bytes.isEmpty else { return }
                sendAll(bytes, to)
            }
        }
    }

    private static func receive(_ socket: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(socket, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(count, 0)))
    }

    private static func sendAll(_ bytes: [UInt8], _ socket: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = send(socket, Array(rest), rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    // MARK: - Sockets

    private static func listen(_ address: String, _ port: UInt16) throws -> Int32 {
        try withSocket(address, port) { socket, target, size in
            var yes: Int32 = 1
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            return bind(socket, target, size) == 0 && Foundation.listen(socket, 128) == 0
        }
    }

    private static func connect(_ address: String, _ port: UInt16) throws -> Int32 {
        try withSocket(address, port) { Foundation.connect($0, $1, $2) == 0 }
    }

    private static func withSocket(
        _ address: String, _ port: UInt16,
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) throws -> Int32 {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &target.sin_addr)
        let isDone = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard isDone else {
            let code = errno
            Foundation.close(socket)
            throw TestServer.NotReady(
                description: "\(address):\(port): \(String(cString: strerror(code)))")
        }
        return socket
    }
}
