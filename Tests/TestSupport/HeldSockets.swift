import Foundation

/// Sockets for a server, opened and kept by a test as systemd does it (systemd.socket(5)): what
/// comes while no server runs waits in them.
package final class HeldSockets: Sendable {
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    /// UDP sockets first, then one that listens for TCP. None is closed before the last server has
    /// ended.
    package let descriptors: [Int32]
    package let port: UInt16

    /// On `address`, IPv4; `port` 0: one that the kernel chooses. `receiveByteCount`: of each UDP
    /// socket, beyond net.core.rmem_max where this process may do that.
    package init(
        _ address: String, port: UInt16 = 0, datagramSocketCount: Int = 1,
        receiveByteCount: Int32? = nil
    ) throws {
        var descriptors: [Int32] = []
        var port = port
        for index in 0...datagramSocketCount {
            let isStream = index == datagramSocketCount
            let type = isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
            let made = socket(AF_INET, Int32(type), 0)
            // Numbers from 3 on are for the server.
            let descriptor = fcntl(made, F_DUPFD_CLOEXEC, 100)
            close(made)
            descriptors.append(descriptor)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            name.sin_addr.s_addr = inet_addr(address)
            var (one, size) = (Int32(1), socklen_t(MemoryLayout<sockaddr_in>.size))
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, 4)
            if isStream { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4) }
            if var receiveByteCount, !isStream,
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receiveByteCount, 4) != 0
            {
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveByteCount, 4)
            }
            let code = withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
                }
            }
            guard code, !isStream || listen(descriptor, 4096) == 0 else {
                for descriptor in descriptors { close(descriptor) }
                throw Failed(
                    description: "\(address)@\(port): \(String(cString: strerror(errno)))")
            }
            port = UInt16(bigEndian: name.sin_port)
        }
        self.descriptors = descriptors
        self.port = port
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
