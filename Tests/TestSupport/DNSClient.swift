import Addressing
package import DNSWire
import Foundation

/// Sends messages to a server on loopback, and waits for what comes back.
package struct DNSClient {
    package var address: String
    package var port: UInt16
    /// RD: set for questions to a recursive resolver (RFC 1035 §4.1.1).
    package var wantsRecursion = false

    /// The IPv4 address to ask from; nil: the kernel's choice.
    package var source: String?

    package init(address: String = "127.0.0.1", port: UInt16, source: String? = nil) {
        self.address = address
        self.port = port
        self.source = source
    }

    /// Over UDP; nil when nothing has come back within `seconds`.
    package func exchange(_ query: [UInt8], seconds: Double = 2) -> [UInt8]? {
        guard let socket = connected(SOCK_DGRAM, seconds: seconds) else { return nil }
        defer { close(socket) }
        guard send(socket, query, query.count, 0) == query.count else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_535)
        let count = recv(socket, &buffer, buffer.count, 0)
        return count >= 0 ? Array(buffer[..<count]) : nil
    }

    /// Over one TCP connection, all queries at once; the responses in the order they came.
    package func exchangeOverStream(_ queries: [[UInt8]], seconds: Double = 5) -> [[UInt8]] {
        guard let socket = connected(SOCK_STREAM, seconds: seconds) else { return [] }
        defer { close(socket) }
        let bytes = queries.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xff)] + $0 }
        guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            return []
        }
        var received: [UInt8] = []
        var responses: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 65_535)
        while responses.count < queries.count {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            received += buffer[..<count]
            while received.count >= 2 {
                let length = Int(received[0]) << 8 | Int(received[1])
                guard received.count >= 2 + length else { break }
                responses.append(Array(received[2..<2 + length]))
                received.removeFirst(2 + length)
            }
        }
        return responses
    }

    /// Whether something accepts TCP connections there.
    package var canConnect: Bool {
        guard let socket = connected(SOCK_STREAM, seconds: 2) else { return false }
        close(socket)
        return true
    }

    /// Asks one question over UDP, with EDNS, and a client subnet such as `203.0.113.0/24`.
    package func ask(
        _ name: String, _ type: RRType = .a, subnet: String? = nil, overStream: Bool = false
    ) -> Message? {
        guard let domain = DomainName(name) else { return nil }
        let identifier = UInt16.random(in: 0...UInt16.max)
        let prefix = subnet.flatMap { Prefix($0) }
        var query = Message.query(
            domain, type, identifier: identifier,
            subnet: prefix.map { ($0.address.bytes, UInt8($0.length)) })
        if wantsRecursion { query[2] |= 0x01 }
        let response = overStream ? exchangeOverStream([query]).first : exchange(query)
        guard let message = response.flatMap({ Message($0) }), message.identifier == identifier
        else { return nil }
        return message
    }

    /// The addresses of the answer, in presentation format, sorted.
    package func addresses(
        _ name: String, _ type: RRType = .a, subnet: String? = nil, overStream: Bool = false
    ) -> [String]? {
        ask(name, type, subnet: subnet, overStream: overStream).map { message in
            message.answers.filter { $0.type == type }
                .compactMap { IPAddress(bytes: $0.rdata)?.description }.sorted()
        }
    }

    /// A connected UDP socket, which its taker closes; nil when that cannot be had.
    package func datagramSocket(seconds: Double) -> Int32? {
        connected(SOCK_DGRAM, seconds: seconds)
    }

    func connected(_ kind: __socket_type, seconds: Double) -> Int32? {
        let isIPv6 = address.contains(":")
        let socket = Foundation.socket(isIPv6 ? AF_INET6 : AF_INET, Int32(kind.rawValue), 0)
        guard socket >= 0 else { return nil }
        var limit = timeval(
            tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1e6))
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        if let source, !bind(socket, to: source) {
            close(socket)
            return nil
        }
        let status: Int32
        if isIPv6 {
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = port.bigEndian
            inet_pton(AF_INET6, address, &target.sin6_addr)
            status = withUnsafePointer(to: &target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        } else {
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = port.bigEndian
            inet_pton(AF_INET, address, &target.sin_addr)
            status = withUnsafePointer(to: &target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        guard status == 0 else {
            close(socket)
            return nil
        }
        return socket
    }

    /// The kernel chooses a port when the other end is known, so that there are enough.
    private func bind(_ socket: Int32, to source: String) -> Bool {
        var yes: Int32 = 1
        // IP_BIND_ADDRESS_NO_PORT of ip(7), which Glibc does not show to Swift.
        setsockopt(socket, Int32(IPPROTO_IP), 24, &yes, socklen_t(MemoryLayout<Int32>.size))
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, source, &own.sin_addr)
        return withUnsafePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
    }
}
