import Glibc
import Synchronization

struct SocketError: Error {
    var words: String

    init(_ what: String, _ number: Int32) {
        // SAFETY: single-threaded, and copied at once.
        words = "\(what): \(unsafe String(cString: strerror(number)))"
    }
}

func writeLine(_ line: String, to descriptor: Int32) {
    let bytes = Array("\(line)\n".utf8)
    // One line is shorter than what a pipe takes in one piece (PIPE_BUF, 4096).
    _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
}

/// An address literal and a port, as bind(2) wants them.
@safe struct SocketAddress {
    private var storage = sockaddr_storage()
    private var byteCount: socklen_t

    /// Nil when the text is no IPv4 or IPv6 address.
    init?(_ text: String, port: UInt16) {
        var ipv4 = sockaddr_in()
        var ipv6 = sockaddr_in6()
        if unsafe inet_pton(AF_INET, text, &ipv4.sin_addr) == 1 {
            ipv4.sin_family = sa_family_t(AF_INET)
            ipv4.sin_port = port.bigEndian
            byteCount = socklen_t(MemoryLayout<sockaddr_in>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                unsafe bytes.storeBytes(of: ipv4, as: sockaddr_in.self)
            }
        } else if unsafe inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1 {
            ipv6.sin6_family = sa_family_t(AF_INET6)
            ipv6.sin6_port = port.bigEndian
            byteCount = socklen_t(MemoryLayout<sockaddr_in6>.size)
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                unsafe bytes.storeBytes(of: ipv6, as: sockaddr_in6.self)
            }
        } else {
            return nil
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    func bind(_ descriptor: Int32) -> Int32 {
        // SAFETY: the storage holds `byteCount` bytes of the family's own structure.
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(descriptor, $0, byteCount)
            }
        }
    }
}

/// A socket with one owner; closed with it.
final class Descriptor {
    let number: Int32

    init(_ number: Int32) { self.number = number }
    deinit { close(number) }

    /// What a read brought: bytes, the end, or nothing for now.
    enum Piece {
        case bytes([UInt8])
        case end
        case notNow
    }

    func read() -> Piece {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(number, $0.baseAddress, $0.count, 0)
        }
        if count > 0 { return .bytes(Array(buffer.prefix(count))) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .notNow : .end
    }

    /// How many bytes were taken; nil when the connection is gone.
    func send(_ bytes: [UInt8]) -> Int? {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    func makeNonBlocking() { _ = fcntl(number, F_SETFL, O_NONBLOCK) }
}

/// A listening TCP socket.
struct Listener {
    let descriptor: Descriptor

    init(_ address: String, port: UInt16) throws(SocketError) {
        guard let socketAddress = SocketAddress(address, port: port) else {
            throw SocketError("\(address) is no address", EINVAL)
        }
        let number = socket(socketAddress.family, Int32(SOCK_STREAM.rawValue), 0)
        guard number >= 0 else { throw SocketError("cannot make a socket", errno) }
        descriptor = Descriptor(number)
        var yes: Int32 = 1
        // A door that was just closed may open again at once.
        unsafe setsockopt(
            number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard socketAddress.bind(number) == 0, listen(number, 1024) == 0 else {
            throw SocketError("cannot listen on \(address)@\(port)", errno)
        }
        descriptor.makeNonBlocking()
    }

    /// The next waiting connection; nil when none is.
    func accept() -> Descriptor? {
        let number = Glibc.accept(descriptor.number, nil, nil)
        guard number >= 0 else { return nil }
        let connection = Descriptor(number)
        connection.makeNonBlocking()
        return connection
    }
}

/// Signals as bytes in a pipe, so that one poll(2) waits for everything.
struct SignalPipe {
    private static let writer = Atomic<Int32>(-1)
    let reader: Descriptor

    init() throws(SocketError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw SocketError("cannot make a pipe", errno) }
        reader = Descriptor(ends[0])
        reader.makeNonBlocking()
        SignalPipe.writer.store(ends[1], ordering: .sequentiallyConsistent)
        var awaited = sigset_t()
        unsafe sigemptyset(&awaited)
        for number in [SIGTERM, SIGINT, SIGUSR1] {
            signal(number) { received in
                var byte = UInt8(truncatingIfNeeded: received)
                _ = unsafe write(SignalPipe.writer.load(ordering: .relaxed), &byte, 1)
            }
            unsafe sigaddset(&awaited, number)
        }
        // Whoever started this may have had them blocked, and a child inherits that.
        unsafe pthread_sigmask(SIG_UNBLOCK, &awaited, nil)
    }

    /// The signals that have come since the last call.
    func take() -> [Int32] {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(reader.number, &buffer, buffer.count)
        return buffer.prefix(max(count, 0)).map(Int32.init)
    }
}
