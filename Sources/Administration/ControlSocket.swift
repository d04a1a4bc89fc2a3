import CLinux
import Glibc
import SystemCalls

/// The server's end of the control socket: who may open it (mode 0600: the server's own user and
/// root) may command the server. The protocol is described at `ControlRequest`.
package struct ControlSocket: ~Copyable {
    /// How long one client may take to send its request, and again to take its reply.
    private static let exchangeTimeout: Duration = .seconds(2)

    package let path: String
    private let descriptor: FileDescriptor
    private let identity: FileIdentity?

    /// Listens at `path`. The socket file of a server that is gone is replaced; that of one which
    /// answers is an error.
    package init(path: String) throws(ControlError) {
        self.descriptor = try ControlSocket.listen(path)
        self.path = path
        identity = FileIdentity(path)
    }

    /// The file goes away with its server, unless another one has taken its place.
    deinit {
        if let identity, FileIdentity(path) == identity { _ = unsafe unlink(path) }
    }

    /// Readable when a client waits: then call `serve`.
    package var pollDescriptor: Int32 { descriptor.number }

    /// Takes one waiting client, has its request answered by `handle`, and closes. Returns at
    /// once when nobody waits, and within four seconds plus `handle`'s own time at worst. `user` is
    /// who the client runs as, nil when the kernel does not tell.
    package func serve(_ handle: (_ words: [String], _ user: UInt32?) -> ControlReply) {
        let outcome = attempt { Int(clinux_accept(descriptor.number, nil, nil)) }
        guard case .success(let number) = outcome else { return }
        let client = FileDescriptor(Int32(number))
        let user = UInt32(exactly: clinux_peer_user(client.number))
        do throws(Errno) {
            let request = ControlStream(client, within: ControlSocket.exchangeTimeout)
            let bytes = try request.read(byteCountMax: ControlRequest.byteCountMax) {
                $0.contains(UInt8(ascii: "\n"))
            }
            request.discardWaiting()
            let reply = ControlSocket.reply(to: bytes) { handle($0, user) }
            try ControlStream(client, within: ControlSocket.exchangeTimeout).write(reply.bytes)
        } catch {
            // The client is gone or too slow; it is told by its connection being closed.
        }
    }

    private static func reply(
        to bytes: [UInt8], _ handle: ([String]) -> ControlReply
    ) -> ControlReply {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            return .failed("expected one line of at most \(ControlRequest.byteCountMax) bytes")
        }
        guard let words = ControlRequest.words(Array(bytes[..<end])) else {
            return .failed(
                "expected words, or \"quoted words\" with \\\", \\\\ and \\DDD as escapes")
        }
        guard !words.isEmpty else { return .failed("expected a command") }
        return handle(words)
    }
}

// MARK: - Listening

extension ControlSocket {
    private static func listen(_ path: String) throws(ControlError) -> FileDescriptor {
        let socket = try makeSocket(path)
        // SAFETY: a string during the call, here and below.
        var bound = attempt { unsafe Int(clinux_bind_path(socket.number, path)) }
        if bound == .failure(.addressInUse) {
            try removeStale(path)
            bound = attempt { unsafe Int(clinux_bind_path(socket.number, path)) }
        }
        if case .failure(let error) = bound { throw listenError(path, error) }
        do throws(Errno) {
            // Nobody could connect so far: it does not listen yet.
            try require { unsafe chmod(path, 0o600) }
            try require { Glibc.listen(socket.number, 16) }
        } catch {
            throw .cannotListen(path: path, error)
        }
        return socket
    }

    /// Removes a socket file that nobody answers at.
    private static func removeStale(_ path: String) throws(ControlError) {
        guard let identity = FileIdentity(path) else { return }
        guard identity.isSocket else { throw .notASocket(path: path) }
        let probe = try makeSocket(path)
        switch attempt({ unsafe Int(clinux_connect_path(probe.number, path)) }) {
        case .failure(.connectionRefused):
            if case .failure(let error) = attempt({ unsafe Int(unlink(path)) }) {
                throw .cannotListen(path: path, error)
            }
        // EAGAIN: it listens, and its queue is full.
        case .success, .failure(.again): throw .inUse(path: path)
        case .failure(let error): throw .cannotListen(path: path, error)
        }
    }

    private static func makeSocket(_ path: String) throws(ControlError) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor { clinux_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue)) }
        } catch {
            throw .cannotListen(path: path, error)
        }
    }

    private static func listenError(_ path: String, _ error: Errno) -> ControlError {
        switch error {
        case .addressInUse: .inUse(path: path)
        case .nameTooLong: .pathTooLong(path: path)
        default: .cannotListen(path: path, error)
        }
    }
}

/// Which file a path names now.
private struct FileIdentity: Equatable {
    let device: UInt
    let inode: UInt
    let isSocket: Bool

    /// Nil when there is none.
    init?(_ path: String) {
        var status = stat()
        // SAFETY: written during the call only.
        guard unsafe lstat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
    }
}
