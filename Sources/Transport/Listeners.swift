package import Addressing
import CLinux
import Glibc
import SystemCalls

/// Every socket that queries come to: for each address one UDP and one TCP socket per worker.
///
/// The kernel spreads datagrams and connections over the workers by a hash of the addresses and
/// ports (SO_REUSEPORT, socket(7)). Made before the workers run, so that a port in use is known
/// before anything else starts; connections that come earlier wait in the backlog.
package struct Listeners: ~Copyable, Sendable {
    /// What was asked for, without duplicates, with the ports that the kernel chose.
    package let boundAddresses: [ListenAddress]

    /// One element for each worker.
    let workers: [WorkerSockets]

    /// Throws the first address that cannot be had. `workerCount` is at least 1. Where there are
    /// `inherited` sockets for an address they are used instead of own ones, each by one worker if
    /// there are as many; their addresses must be among `addresses`.
    package init(
        _ addresses: [ListenAddress], workerCount: Int,
        inherited: InheritedSockets = InheritedSockets()
    ) throws(ListenError) {
        precondition(workerCount >= 1)
        var triesLeft = addresses.contains { $0.port == 0 } ? Listeners.chosenPortTriesMax : 1
        while true {
            triesLeft -= 1
            do throws(ListenError) {
                try self.init(once: addresses, workerCount: workerCount, inherited)
                return
            } catch {
                // A port that the kernel chose may be somebody else's a moment later.
                guard triesLeft > 0, error.reason == .addressInUse else { throw error }
            }
        }
    }

    private init(
        once addresses: [ListenAddress], workerCount: Int, _ inherited: InheritedSockets
    ) throws(ListenError) {
        var bound: [ListenAddress] = []
        var workers = [WorkerSockets](repeating: WorkerSockets(), count: workerCount)
        for address in addresses where !bound.contains(address) {
            let actual = try Listeners.open(address, .udp, inherited, for: &workers)
            bound.append(try Listeners.open(actual, .tcp, inherited, for: &workers))
        }
        boundAddresses = bound
        self.workers = workers
    }

    /// Gives each worker a socket of the address; returns that with its port.
    ///
    /// The first is bound without SO_REUSEPORT, which is allowed for the other workers once that is
    /// done: a second server of the same user, which would silently get a share of the queries, has
    /// an error instead, however close together the two start.
    private static func open(
        _ address: ListenAddress, _ transport: TransportProtocol, _ inherited: InheritedSockets,
        for workers: inout [WorkerSockets]
    ) throws(ListenError) -> ListenAddress {
        let sockets = inherited.sockets(transport, on: address)
        guard sockets.isEmpty else {
            for descriptor in sockets { try adopt(descriptor, address, transport) }
            // Every socket has a reader, and every worker a socket.
            for index in 0..<max(sockets.count, workers.count) {
                workers[index % workers.count].add(sockets[index % sockets.count], transport)
            }
            return address
        }
        var bound = address
        for index in workers.indices {
            let socket = try bind(bound, transport, sharing: index > 0)
            bound = socket.address
            workers[index].add(socket.descriptor, transport)
        }
        return bound
    }
}

/// The sockets of one worker.
struct WorkerSockets: Sendable {
    var datagram: [FileDescriptor] = []
    var listening: [FileDescriptor] = []

    fileprivate mutating func add(_ descriptor: FileDescriptor, _ transport: TransportProtocol) {
        switch transport {
        case .udp: datagram.append(descriptor)
        case .tcp: listening.append(descriptor)
        }
    }
}

extension Listeners {
    /// How often port 0 is tried again when UDP's chosen port is taken in TCP.
    private static let chosenPortTriesMax = 16

    /// Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn.
    private static let backlog: Int32 = 4096

    /// Send and receive buffer of each connection, which the kernel doubles for its own needs.
    /// Without a size it lets both grow to megabytes for a client that does not read (tcp(7),
    /// tcp_rmem, tcp_wmem); 32 KiB are 640 KB/s to a client 100 ms away.
    static let streamBufferByteCount = 32_768

    /// Responses that a client has not acknowledged for this long will not be asked for again.
    /// Three retransmissions take seven seconds (RFC 6298 §2).
    private static let acknowledgmentMilliseconds: UInt32 = 10_000

    /// Handshakes with data that may be unfinished (RFC 7413 §5.1): past it, clients
    /// connect in the usual way.
    private static let fastOpenQueue: Int32 = 256

    /// Asked for as receive buffer of each UDP socket, lowered by the kernel to
    /// net.core.rmem_max: at 300,000 queries per second it bridges about 15 ms of absence.
    private static let datagramBufferByteCount: Int32 = 4 << 20

    /// Makes an inherited socket what one of ours is.
    private static func adopt(
        _ descriptor: FileDescriptor, _ address: ListenAddress, _ transport: TransportProtocol
    ) throws(ListenError) {
        let number = descriptor.number
        do throws(Errno) {
            try require { clinux_make_own(number) }
            switch transport {
            case .udp:
                let domain = address.address.family == .ipv4 ? AF_INET : AF_INET6
                try prepareDatagramSocket(number, domain: domain, isWildcard: address.isWildcard)
            case .tcp:
                try prepareListeningSocket(number)
                try require { listen(number, backlog) }
            }
        } catch {
            throw ListenError(address: address, transport: transport, reason: error)
        }
    }

    private static func bind(
        _ address: ListenAddress, _ transport: TransportProtocol, sharing: Bool
    ) throws(ListenError) -> (descriptor: FileDescriptor, address: ListenAddress) {
        do throws(Errno) {
            return try makeSocket(address, transport, sharing: sharing)
        } catch {
            throw ListenError(address: address, transport: transport, reason: error)
        }
    }

    private static func makeSocket(
        _ address: ListenAddress, _ transport: TransportProtocol, sharing: Bool
    ) throws(Errno) -> (descriptor: FileDescriptor, address: ListenAddress) {
        let domain = address.address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(transport == .udp ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue)
        let descriptor = try FileDescriptor { clinux_socket(domain, type) }
        let number = descriptor.number
        if domain == AF_INET6 { try require { clinux_only_ipv6(number) } }
        if sharing { try require { clinux_set_option(number, SOL_SOCKET, SO_REUSEPORT, 1) } }
        switch transport {
        case .udp:
            try prepareDatagramSocket(number, domain: domain, isWildcard: address.isWildcard)
        case .tcp:
            // Connections of an earlier run in TIME_WAIT do not hold the port; another listener
            // still does.
            try require { clinux_set_option(number, SOL_SOCKET, SO_REUSEADDR, 1) }
            try prepareListeningSocket(number)
        }
        let wanted = SocketAddress(address)
        // SAFETY: the pointer is used during the call only.
        try require { unsafe wanted.withPointer { unsafe Glibc.bind(number, $0, $1) } }
        // Until it listens, a TCP socket with SO_REUSEADDR is not alone with its port (tcp(7)).
        if transport == .tcp { try require { listen(number, backlog) } }
        if !sharing { try require { clinux_set_option(number, SOL_SOCKET, SO_REUSEPORT, 1) } }
        return (descriptor, try SocketAddress.own(of: number) ?? address)
    }

    /// What connections inherit. TCP_FASTOPEN is the kernel's to grant (net.ipv4.tcp_fastopen): a
    /// server without is as good, so a refusal is nothing to report.
    private static func prepareListeningSocket(_ number: Int32) throws(Errno) {
        try require { clinux_prepare_connections(number, acknowledgmentMilliseconds) }
        for option in [SO_RCVBUF, SO_SNDBUF] {
            try require {
                clinux_set_option(number, SOL_SOCKET, option, Int32(streamBufferByteCount))
            }
        }
        _ = clinux_fast_open(number, fastOpenQueue)
    }

    private static func prepareDatagramSocket(
        _ number: Int32, domain: Int32, isWildcard: Bool
    ) throws(Errno) {
        if isWildcard { try require { clinux_want_destination(number, domain) } }
        try require { clinux_ignore_path_mtu(number, domain) }
        for option in [SO_RCVBUF, SO_SNDBUF] {
            // An inherited socket may have more: systemd may go beyond net.core.rmem_max.
            let byteCount = try require { clinux_option(number, SOL_SOCKET, option) }
            guard byteCount < datagramBufferByteCount else { continue }
            try require {
                clinux_set_option(number, SOL_SOCKET, option, datagramBufferByteCount)
            }
        }
    }
}
