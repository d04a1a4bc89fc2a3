import Foundation
import TestSupport

/// Sends many queries to one server at once, and collects what comes back.
struct Exchange {
    private let client: DNSClient
    private let socket: Int32

    /// Queries that are under way together: few enough for the socket buffers, where a response
    /// takes 2304 bytes, many enough to get on where other programs want the CPUs too.
    static let batchCount = 150

    init?(port: UInt16) {
        client = DNSClient(port: port)
        socket = Foundation.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        // The kernel doubles it.
        var byteCount = Int32(212_992)
        setsockopt(
            socket, SOL_SOCKET, SO_RCVBUF, &byteCount, socklen_t(MemoryLayout<Int32>.size))
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        inet_pton(AF_INET, "127.0.0.1", &target.sin_addr)
        let status = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { return nil }
    }

    func end() { close(socket) }

    /// Over UDP, to all servers at the same time. The queries' identifiers are `first`,
    /// `first + 1`…; answers by server and by their place, nil for those that did not come though
    /// asked three times.
    static func overDatagrams(
        _ exchanges: [Exchange], _ queries: [[UInt8]], first: UInt16
    ) -> [[[UInt8]?]] {
        let none = [[UInt8]?](repeating: nil, count: queries.count)
        var responses = exchanges.map { _ in none }
        // NSD leaves out an answer now and then, where it would give FORMERR.
        for milliseconds in [300, 1000, 3000] as [Int32] {
            let missing = responses.map { row in row.indices.filter { row[$0] == nil } }
            if missing.allSatisfy(\.isEmpty) { break }
            for (exchange, indices) in zip(exchanges, missing) {
                for index in indices {
                    send(exchange.socket, queries[index], queries[index].count, 0)
                }
            }
            for (number, exchange) in exchanges.enumerated() {
                exchange.collect(
                    &responses[number], missingCount: missing[number].count, first: first,
                    milliseconds: milliseconds)
            }
        }
        return responses
    }

    private func collect(
        _ responses: inout [[UInt8]?], missingCount: Int, first: UInt16, milliseconds: Int32
    ) {
        var missingCount = missingCount
        var buffer = [UInt8](repeating: 0, count: 65_535)
        var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while missingCount > 0, poll(&waiting, 1, milliseconds) > 0 {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count >= 2 else { return }
            let index = Int((UInt16(buffer[0]) << 8 | UInt16(buffer[1])) &- first)
            guard index < responses.count, responses[index] == nil else { continue }
            responses[index] = Array(buffer[..<count])
            missingCount -= 1
        }
    }

    /// Over one TCP connection, by identifier: they may come in any order (RFC 7766 §6.2.1.1).
    func overStream(_ queries: [[UInt8]], first: UInt16) -> [[UInt8]?] {
        var responses = [[UInt8]?](repeating: nil, count: queries.count)
        for _ in 0..<3 where responses.contains(where: { $0 == nil }) {
            for bytes in client.exchangeOverStream(queries) where bytes.count >= 2 {
                let index = Int((UInt16(bytes[0]) << 8 | UInt16(bytes[1])) &- first)
                if index < responses.count { responses[index] = bytes }
            }
        }
        return responses
    }
}
