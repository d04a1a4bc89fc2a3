package import Addressing
import CLinux
import Glibc
package import SystemCalls

/// Sockets that this process was started with, bound already: whoever started it keeps them open
/// (systemd.socket(5)). What comes while no server runs, because it was killed or is being
/// replaced, waits in them for the next one.
package struct InheritedSockets: Sendable {
    struct Socket: Sendable {
        let descriptor: FileDescriptor
        let transport: TransportProtocol
        let address: ListenAddress
    }

    let all: [Socket]

    /// None.
    package init() { all = [] }

    /// Takes ownership of `descriptors`. Throws the first that is no UDP socket with an address,
    /// nor a listening TCP socket, or that takes IPv4 and IPv6 both.
    package init(_ descriptors: [Int32]) throws(InheritedSocketError) {
        let owned = descriptors.map { FileDescriptor($0) }
        var all: [Socket] = []
        for descriptor in owned {
            do throws(Errno) {
                all.append(try InheritedSockets.identify(descriptor))
            } catch {
                throw InheritedSocketError(descriptor: descriptor.number, reason: .useless(error))
            }
        }
        self.all = all
    }

    /// In the order they came in.
    func sockets(_ transport: TransportProtocol, on address: ListenAddress) -> [FileDescriptor] {
        all.filter { $0.transport == transport && $0.address == address }.map(\.descriptor)
    }

    /// Throws the first whose address is none of these: nobody would read what waits in it.
    package func check(areAmong addresses: [ListenAddress]) throws(InheritedSocketError) {
        for socket in all where !addresses.contains(socket.address) {
            throw InheritedSocketError(
                descriptor: socket.descriptor.number,
                reason: .notListened(socket.address, socket.transport))
        }
    }

    private static func identify(_ descriptor: FileDescriptor) throws(Errno) -> Socket {
        let number = descriptor.number
        let transport: TransportProtocol
        switch try option(number, SOL_SOCKET, SO_PROTOCOL) {
        case Int32(IPPROTO_UDP): transport = .udp
        case Int32(IPPROTO_TCP) where try option(number, SOL_SOCKET, SO_ACCEPTCONN) != 0:
            transport = .tcp
        default: throw .protocolNotSupported
        }
        guard let address = try SocketAddress.own(of: number), address.port != 0 else {
            throw .addressNotAvailable
        }
        if address.isWildcard, address.address.family == .ipv6,
            try option(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 0
        {
            throw .addressFamilyNotSupported
        }
        return Socket(descriptor: descriptor, transport: transport, address: address)
    }

    private static func option(
        _ number: Int32, _ level: Int32, _ name: Int32
    ) throws(Errno) -> Int32 {
        try require { clinux_option(number, level, name) }
    }
}

/// A socket that was handed to this process, and that it cannot serve.
package struct InheritedSocketError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        case useless(Errno)
        case notListened(ListenAddress, TransportProtocol)
    }

    package let descriptor: Int32
    package let reason: Reason

    package var description: String {
        switch reason {
        case .useless(.addressFamilyNotSupported):
            """
            the socket that came as descriptor \(descriptor) takes IPv4 and IPv6 both; give each a \
            socket of its own (systemd: BindIPv6Only=ipv6-only)
            """
        case .useless(let error):
            """
            the socket that came as descriptor \(descriptor) is neither a bound UDP socket nor a \
            listening TCP socket (\(error.words)); see ListenDatagram= and ListenStream= of the \
            socket unit
            """
        case .notListened(let address, let transport):
            """
            the socket that came as descriptor \(descriptor) is for \(address) (\
            \(transport.rawValue)), which is not among the addresses to listen on: name it in \
            `listen`, or take it from the socket unit
            """
        }
    }
}
