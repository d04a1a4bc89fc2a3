import Foundation

/// One UDP socket or TCP connection that stays open over several messages.
package final class QuerySocket {
    private let descriptor: Int32
    private let isStream: Bool

    package struct Failed: Error {}

    package init(_ client: DNSClient, isStream: Bool = false, seconds: Double = 5) throws {
        guard let socket = client.connected(isStream ? SOCK_STREAM : SOCK_DGRAM, seconds: seconds)
        else { throw Failed() }
        descriptor = socket
        self.isStream = isStream
        // Each message leaves at once, not when the one before has been acknowledged.
        var yes: Int32 = 1
        if isStream {
            setsockopt(
                socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes,
                socklen_t(MemoryLayout<Int32>.size))
        }
    }

    deinit { close(descriptor) }

    /// One message, over TCP with its length before it.
    package func send(_ message: [UInt8]) throws {
        let prefix = isStream ? [UInt8(message.count >> 8), UInt8(message.count & 0xff)] : []
        try sendRaw(prefix + message)
    }

    /// Bytes as they are.
    package func sendRaw(_ bytes: [UInt8]) throws {
        guard
            Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        else { throw Failed() }
    }

    /// The next message; nil when none comes.
    package func receiveMessage() -> [UInt8]? {
        guard isStream else { return receiveSome(65_535) }
        guard let prefix = receiveExactly(2) else { return nil }
        return receiveExactly(Int(prefix[0]) << 8 | Int(prefix[1]))
    }

    /// The identifiers of the next messages, at most `count`.
    package func receive(_ count: Int) -> [UInt16] {
        var identifiers: [UInt16] = []
        while identifiers.count < count, let message = receiveMessage(), message.count >= 2 {
            identifiers.append(UInt16(message[0]) << 8 | UInt16(message[1]))
        }
        return identifiers
    }

    private func receiveExactly(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = receiveSome(count - bytes.count), !more.isEmpty else { return nil }
            bytes += more
        }
        return bytes
    }

    private func receiveSome(_ countMax: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: countMax)
        let count = recv(descriptor, &buffer, countMax, 0)
        return count >= 0 ? Array(buffer[..<count]) : nil
    }
}
