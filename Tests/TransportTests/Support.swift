import Addressing
import Glibc
import Responder
import SystemCalls
import Testing

@testable import Transport

/// A well-formed query for `example.com A`: any responder answers it, if only with REFUSED.
func query(_ id: UInt16) -> [UInt8] {
    [UInt8(id >> 8), UInt8(id & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        + [7] + Array("example".utf8) + [3] + Array("com".utf8) + [0, 0, 1, 0, 1]
}

/// With its length in front, as over TCP.
func framed(_ message: [UInt8]) -> [UInt8] {
    [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
}

/// Nil unless these bytes are a response.
func responseID(_ message: [UInt8]) -> UInt16? {
    guard message.count >= 12, message[2] & 0x80 != 0 else { return nil }
    return UInt16(message[0]) << 8 | UInt16(message[1])
}

func listenAddress(_ text: String) throws -> ListenAddress { try #require(ListenAddress(text)) }

/// What the workers serve in these tests: nothing. They are about carrying messages.
func emptySnapshots() -> SnapshotCell { SnapshotCell(.empty) }

/// Polls until `condition` holds, at most ten seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        usleep(5_000)
    }
    return try condition()
}

extension TransportLimits {
    /// Nobody is too slow, however busy the machine that runs the tests is.
    static var patient: TransportLimits {
        var limits = TransportLimits()
        limits.idleTimeout = .seconds(600)
        limits.transferTimeout = .seconds(600)
        return limits
    }
}

/// Running workers on ports of their own; stopped at the end of the test.
final class TestServer {
    let workers: Workers
    var address: ListenAddress { workers.boundAddresses[0] }

    init(
        _ address: String = "127.0.0.1@0", workerCount: Int = 1,
        limits: TransportLimits = .patient, proxies: ProxySources = ProxySources()
    ) throws {
        let listeners = try Listeners([try listenAddress(address)], workerCount: workerCount)
        workers = try Workers(
            listeners, snapshots: emptySnapshots(), seed: 1, limits: limits, proxies: proxies)
    }

    deinit { workers.stop() }
}

/// A blocking socket connected to a server, with ten seconds for everything it waits for. A
/// connected datagram socket takes datagrams from that server's address and port only.
final class TestClient: Sendable {
    let descriptor: FileDescriptor

    /// `source`: an address of this machine to send from; nil: the kernel chooses.
    init(
        _ transport: TransportProtocol, to server: ListenAddress, from source: String? = nil
    ) throws {
        let domain = server.address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(transport == .udp ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue)
        let descriptor = try FileDescriptor {
            socket(domain, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        try require { setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &timeout, size) }
        if let source {
            let own = SocketAddress(try listenAddress(source + "@0"))
            try require { own.withPointer { bind(descriptor.number, $0, $1) } }
        }
        let address = SocketAddress(server)
        try require { address.withPointer { connect(descriptor.number, $0, $1) } }
    }

    /// Writes all of `bytes`.
    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try require {
                rest.withUnsafeBytes {
                    Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
            rest = rest.dropFirst(count)
        }
    }

    /// One datagram, or what of a stream is there; empty at the end of a stream.
    func receive(atMost count: Int = 65_537, flags: Int32 = 0) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = try require { recv(descriptor.number, &bytes, count, flags) }
        return Array(bytes[..<received])
    }

    /// The next message of a stream; nil when the stream ends before it.
    func receiveFrame() throws -> [UInt8]? {
        let length = try receive(atMost: 2, flags: Int32(MSG_WAITALL))
        guard length.count == 2 else { return nil }
        let count = Int(length[0]) << 8 | Int(length[1])
        let message = try receive(atMost: count, flags: Int32(MSG_WAITALL))
        return message.count == count ? message : nil
    }

    /// Leaves without a good-bye; what has not been read is lost.
    func reset() throws {
        var now = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        try require { setsockopt(descriptor.number, SOL_SOCKET, SO_LINGER, &now, size) }
        // Disconnects without giving up the descriptor (connect(2)).
        var none = sockaddr()
        none.sa_family = sa_family_t(AF_UNSPEC)
        try require { connect(descriptor.number, &none, socklen_t(MemoryLayout<sockaddr>.size)) }
    }

    /// Tells the server that nothing more will come.
    func finishSending() throws {
        try require { shutdown(descriptor.number, Int32(SHUT_WR)) }
    }
}
