import Foundation

/// One UDP socket or TCP connection that stays open over several messages.
package final class QuerySocket {
    private let descriptor: Int32
    private let isStream: Bool
    private lazy var buffer = [UInt8](repeating: 0, count: 65_535)
    /// Read already, and not yet handed on.
    private var unread: ArraySlice<UInt8> = []

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
        guard isStream else { return receiveSome() }
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
        while unread.count < count {
            guard let more = receiveSome(), !more.isEmpty else { return nil }
            unread += more
        }
        defer { unread = unread.dropFirst(count) }
        return Array(unread.prefix(count))
    }

    private func receiveSome() -> [UInt8]? {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count >= 0 ? Array(buffer[..<count]) : nil
    }

    /// When it is closed, the other end will see a reset, and nothing is left of it here.
    package func closeByReset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Sends nothing more; reading goes on.
    package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }
}
