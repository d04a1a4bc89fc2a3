import Glibc
import SystemCalls

/// A connected socket with a time by which everything on it is to be done.
struct ControlStream {
    private let descriptor: FileDescriptor
    private let deadline: ContinuousClock.Instant

    init(_ descriptor: FileDescriptor, within timeout: Duration) {
        self.descriptor = descriptor
        deadline = .now + timeout
    }

    func write(_ bytes: [UInt8]) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the pointer is used during the call only.
            let outcome = unsafe rest.withUnsafeBytes { bytes in
                attempt {
                    unsafe send(
                        descriptor.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                }
            }
            switch outcome {
            case .success(let count): rest = rest.dropFirst(count)
            case .failure(.again): try wait(for: Int16(POLLOUT))
            case .failure(let error): throw error
            }
        }
    }

    /// Reads until `isComplete` says so, the other side ends, or `byteCountMax` bytes are there.
    func read(
        byteCountMax: Int, until isComplete: ([UInt8]) -> Bool = { _ in false }
    ) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < byteCountMax, !isComplete(bytes) {
            let room = min(piece.count, byteCountMax - bytes.count)
            // SAFETY: `room` is at most the piece's size.
            let outcome = unsafe piece.withUnsafeMutableBytes { piece in
                attempt { unsafe recv(descriptor.number, piece.baseAddress, room, 0) }
            }
            switch outcome {
            case .success(0): return bytes
            case .success(let count): bytes += piece[..<count]
            case .failure(.again): try wait(for: Int16(POLLIN))
            case .failure(let error): throw error
            }
        }
        return bytes
    }

    /// Reads what is there and forgets it, at most a megabyte: a socket that is closed with unread
    /// bytes resets the connection, and the other side loses the reply.
    func discardWaiting() {
        var piece = [UInt8](repeating: 0, count: 16_384)
        for _ in 0..<64 {
            // SAFETY: at most the piece's size.
            let outcome = unsafe piece.withUnsafeMutableBytes { piece in
                attempt { unsafe recv(descriptor.number, piece.baseAddress, piece.count, 0) }
            }
            guard case .success(1...) = outcome else { return }
        }
    }

    private func wait(for events: Int16) throws(Errno) {
        let left = (deadline - ContinuousClock.now) / .milliseconds(1)
        guard left > 0 else { throw .timedOut }
        var request = pollfd(fd: descriptor.number, events: events, revents: 0)
        // SAFETY: one element, during the call only.
        try require { unsafe poll(&request, 1, Int32(clamping: Int(left.rounded(.up)))) }
    }
}
