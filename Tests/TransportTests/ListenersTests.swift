import Addressing
import Glibc
import SystemCalls
import Testing

@testable import Transport

@Suite("Listening")
struct ListenersTests {
    @Test func `all workers of an address share the port the kernel chose, UDP and TCP`() throws {
        let asked = [try listenAddress("127.0.0.1@0"), try listenAddress("[::1]@0")]
        let listeners = try Listeners(asked, workerCount: 3)
        #expect(listeners.boundAddresses.count == 2)
        #expect(listeners.boundAddresses.map(\.address) == asked.map(\.address))
        #expect(listeners.boundAddresses.allSatisfy { $0.port != 0 })
        #expect(listeners.workers.count == 3)
        for worker in listeners.workers {
            for sockets in [worker.datagram, worker.listening] {
                #expect(try sockets.map(localAddress) == listeners.boundAddresses)
            }
        }
    }

    /// What every connection starts with, so that it need not be set each time, and so that the
    /// kernel's buffers do not grow for a client that does not read.
    @Test func `connections inherit the listener's options`() throws {
        let listeners = try Listeners([try listenAddress("127.0.0.1@0")], workerCount: 1)
        let client = try TestClient(.tcp, to: listeners.boundAddresses[0])
        let listener = try #require(listeners.workers[0].listening.first)
        var waiting = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
        try require { poll(&waiting, 1, 10_000) }
        let connection = try FileDescriptor { accept(listener.number, nil, nil) }
        #expect(try option(Int32(IPPROTO_TCP), TCP_NODELAY, of: connection) != 0)
        #expect(try option(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, of: connection) == 10_000)
        // The kernel doubles what was asked for (socket(7)).
        #expect(try option(SOL_SOCKET, SO_SNDBUF, of: connection) == 65_536)
        #expect(try option(SOL_SOCKET, SO_RCVBUF, of: connection) == 65_536)
        _ = consume client
    }

    /// RFC 9715 §3.1, R2; and what somebody forges about the path changes nothing.
    @Test func `replies over IPv4 are not to be fragmented`() throws {
        let asked = [try listenAddress("127.0.0.1@0"), try listenAddress("[::1]@0")]
        let listeners = try Listeners(asked, workerCount: 1)
        let sockets = listeners.workers[0].datagram
        let ipv4 = try option(Int32(IPPROTO_IP), IP_MTU_DISCOVER, of: sockets[0])
        #expect(ipv4 == IP_PMTUDISC_PROBE)
        let ipv6 = try option(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, of: sockets[1])
        #expect(ipv6 == IPV6_PMTUDISC_OMIT)
    }

    @Test func `an address given twice is bound once`() throws {
        let first = try Listeners([try listenAddress("127.0.0.1@0")], workerCount: 1)
        let address = first.boundAddresses[0]
        _ = consume first
        let listeners = try Listeners([address, address], workerCount: 1)
        #expect(listeners.boundAddresses == [address])
    }

    @Test(arguments: TransportProtocol.allCases)
    func `a port in use is an error that says so`(transport: TransportProtocol) throws {
        let (holder, address) = try holdPort(transport)
        let error = try #require(throws: ListenError.self) {
            _ = try Listeners([address], workerCount: 1)
        }
        #expect(error == ListenError(address: address, transport: transport, reason: .addressInUse))
        let start = "cannot listen on \(address) (\(transport.rawValue)): address already in use; "
        #expect(error.description.hasPrefix(start + "is another DNS server running?"))
        withExtendedLifetime(holder) {}
    }

    @Test func `two servers of one user do not share a port silently`() throws {
        let server = try TestServer()
        let error = try #require(throws: ListenError.self) {
            _ = try Listeners([server.address], workerCount: 1)
        }
        #expect(error.reason == .addressInUse)
    }

    /// However close together they start: one of them has the port, or the other.
    @Test func `servers that start at once do not share a port`() async throws {
        for _ in 0..<50 {
            let first = try Listeners([try listenAddress("127.0.0.1@0")], workerCount: 1)
            let address = first.boundAddresses[0]
            _ = consume first
            let holders = try await withThrowingTaskGroup(of: HeldListeners?.self) { group in
                for _ in 0..<4 { group.addTask { try HeldListeners(address) } }
                // All are held until the last has tried.
                return try await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
            }
            #expect(holders.count <= 1)
        }
    }

    @Test func `an address of somebody else is an error that says what to do`() throws {
        let error = try #require(throws: ListenError.self) {
            _ = try Listeners([try listenAddress("192.0.2.1@0")], workerCount: 1)
        }
        #expect(error.reason == .addressNotAvailable)
        #expect(error.description.contains("not an address of this machine"))
        #expect(error.description.contains("sysctl net.ipv4.ip_nonlocal_bind"))
    }

    @Test func `a privileged port is an error that names the capability`() throws {
        let error = ListenError(
            address: try listenAddress("127.0.0.1@53"), transport: .udp, reason: .permissionDenied)
        #expect(
            error.description.hasPrefix(
                "cannot listen on 127.0.0.1@53 (UDP): permission denied; ports under 1024 want"))
        #expect(error.description.contains("CAP_NET_BIND_SERVICE"))
    }

    private func option(_ level: Int32, _ name: Int32, of descriptor: FileDescriptor) throws
        -> Int32
    {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try require { getsockopt(descriptor.number, level, name, &value, &size) }
        return value
    }

    private func localAddress(_ descriptor: FileDescriptor) throws -> ListenAddress {
        var address = SocketAddress()
        try require { address.withRoom { getsockname(descriptor.number, $0, $1) } }
        return try #require(address.listenAddress)
    }

    /// Another program's socket: no SO_REUSEPORT.
    private func holdPort(
        _ transport: TransportProtocol
    ) throws -> (FileDescriptor, ListenAddress) {
        let type = Int32(transport == .udp ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue)
        let holder = try FileDescriptor { socket(AF_INET, type, 0) }
        let any = SocketAddress(try listenAddress("127.0.0.1@0"))
        try require { any.withPointer { bind(holder.number, $0, $1) } }
        if transport == .tcp { try require { listen(holder.number, 1) } }
        return (holder, try localAddress(holder))
    }
}

private final class HeldListeners: Sendable {
    let listeners: Listeners

    /// Nil when somebody else has the address.
    init?(_ address: ListenAddress) throws {
        do throws(ListenError) {
            listeners = try Listeners([address], workerCount: 2)
        } catch {
            try #require(error.reason == .addressInUse)
            return nil
        }
    }
}
