import Addressing
import CLinux
import DNSWire
import Glibc
import SystemCalls

/// Why a server gave no answer, in words.
struct NoAnswer: Error {
    var words: String
}

/// Questions to one running server: over UDP, and over TCP where the answer is cut short.
struct ServerExchange {
    let server: ListenAddress

    private static let tryCount = 3
    private static let milliseconds: Int32 = 1500

    /// The answer to a query made by `Message.query`.
    func ask(_ query: [UInt8]) throws(NoAnswer) -> Message {
        let overUDP: Message
        do throws(Errno) {
            overUDP = try askOverUDP(query)
        } catch {
            throw NoAnswer(words: ServerExchange.words(error))
        }
        guard overUDP.isTruncated else { return overUDP }
        do throws(Errno) {
            return try askOverTCP(query)
        } catch {
            throw NoAnswer(words: "cut short over UDP; over TCP: \(ServerExchange.words(error))")
        }
    }

    private static func words(_ error: Errno) -> String {
        error == .timedOut
            ? "no answer within \(Double(milliseconds) / 1000) s, asked \(tryCount) times"
            : error.words
    }

    /// The same over UDP alone, or TCP alone.
    func ask(_ query: [UInt8], overTCP: Bool) throws(NoAnswer) -> Message {
        do throws(Errno) {
            return try overTCP ? askOverTCP(query) : askOverUDP(query)
        } catch {
            throw NoAnswer(words: ServerExchange.words(error))
        }
    }

    private func askOverUDP(_ query: [UInt8]) throws(Errno) -> Message {
        let socket = try connected(SOCK_DGRAM)
        for _ in 0..<ServerExchange.tryCount {
            try send(query, over: socket)
            while try isReady(socket, for: POLLIN) {
                // What is no answer to this question is somebody's guess, or one come late.
                if let message = Message(try receive(from: socket)), isAnswer(message, to: query) {
                    return message
                }
            }
        }
        throw .timedOut
    }

    private func askOverTCP(_ query: [UInt8]) throws(Errno) -> Message {
        let socket = try connected(SOCK_STREAM)
        try send([UInt8(query.count >> 8), UInt8(query.count & 0xff)] + query, over: socket)
        var bytes: [UInt8] = []
        while true {
            if bytes.count >= 2 {
                let count = Int(bytes[0]) << 8 | Int(bytes[1])
                if bytes.count >= 2 + count {
                    guard let message = Message(Array(bytes[2..<2 + count])),
                        isAnswer(message, to: query)
                    else { throw Errno(EBADMSG) }
                    return message
                }
            }
            guard try isReady(socket, for: POLLIN) else { throw .timedOut }
            let more = try receive(from: socket)
            guard !more.isEmpty else { throw Errno(ECONNRESET) }
            bytes += more
        }
    }

    private func isAnswer(_ message: Message, to query: [UInt8]) -> Bool {
        guard let asked = Message(query)?.question, let told = message.question else {
            return false
        }
        return message.isResponse
            && message.identifier == UInt16(query[0]) << 8 | UInt16(query[1])
            && asked.name == told.name && asked.type == told.type
    }

    // MARK: - Sockets

    private func connected(_ type: __socket_type) throws(Errno) -> FileDescriptor {
        let domain = server.address.family == .ipv4 ? AF_INET : AF_INET6
        let socket = try FileDescriptor { clinux_socket_of(domain, Int32(type.rawValue), 0) }
        let bytes = server.address.bytes
        // SAFETY: the kernel reads the bytes of the address.
        let outcome = attempt {
            unsafe Int(clinux_connect_to(socket.number, bytes, bytes.count, server.port))
        }
        guard case .failure(let error) = outcome else { return socket }
        guard error.code == EINPROGRESS else { throw error }
        guard try isReady(socket, for: POLLOUT) else { throw .timedOut }
        let code = clinux_socket_error(socket.number)
        guard code == 0 else { throw Errno(code) }
        return socket
    }

    /// False when nothing has happened for as long as one may wait.
    private func isReady(_ socket: FileDescriptor, for events: Int32) throws(Errno) -> Bool {
        var entry = pollfd(fd: socket.number, events: Int16(events), revents: 0)
        let outcome = attempt {
            // SAFETY: one entry, which the kernel writes to.
            unsafe Int(poll(&entry, 1, ServerExchange.milliseconds))
        }
        switch outcome {
        case .success(let count): return count > 0
        case .failure(let error): throw error
        }
    }

    private func send(_ bytes: [UInt8], over socket: FileDescriptor) throws(Errno) {
        // A query fits into any socket's buffer.
        // SAFETY: the kernel reads the bytes of the array.
        try require {
            unsafe Glibc.send(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    private func receive(from socket: FileDescriptor) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_535)
        let outcome = attempt {
            // SAFETY: the kernel writes at most the array's own count of bytes.
            unsafe recv(socket.number, &bytes, bytes.count, 0)
        }
        switch outcome {
        case .success(let count): return Array(bytes[..<count])
        case .failure(let error): throw error
        }
    }
}
