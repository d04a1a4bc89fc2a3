package import Addressing

/// One TCP connection as a value (RFC 7766): bytes and events go in, what to do comes out. It
/// touches no socket and no clock, so that every path can be walked in a test.
///
/// Each message is preceded by its length in two bytes (RFC 1035 §4.2.2). Queries may come
/// several at a time and in pieces of any size; responses leave in the order of their queries.
/// Memory is bounded: one unfinished frame on the way in, `outputByteCountMax` and one
/// frame on the way out. A client that does not read its responses is not read from either.
///
/// Where a proxy is expected, its header comes before the first message and says who the client is.
package struct StreamConnection {
    /// What the owner of the socket does next.
    package enum Action: Equatable {
        /// Call `answer`: a whole query is there, and room for its response.
        case answer
        /// Wait until the socket can be read or written, whichever is asked for. At least one is.
        case wait(reading: Bool, writing: Bool)
        /// Close the socket.
        case close(CloseReason)
    }

    package enum CloseReason: Equatable {
        /// Everything that was asked has been answered, and nothing more will come.
        case finished
        /// Nothing was asked for the idle timeout.
        case idle
        /// A query, or the client's taking of responses, took longer than the transfer timeout.
        case slow
        /// The header that a proxy has to send is missing or makes no sense.
        case badProxyHeader
    }

    package typealias Instant = ContinuousClock.Instant

    /// The longest frame: two bytes of length and 65,535 of message.
    package static let frameByteCountMax = 2 + 65_535

    /// Responses waiting to be written that stop further answering and reading. Small, as the
    /// kernel has a buffer of its own: it bounds what many clients that do not read can take.
    package static let outputByteCountMax = 16_384

    /// Taken from the socket at once. A client with more to ask has another turn after the others
    /// had theirs; this much holds some 80 queries of usual size.
    package static let readByteCountMax = 4096

    /// Who asks: the peer, or once its header has come, whom a proxy speaks for.
    package private(set) var client: IPAddress

    /// When this connection was last seen to do something useful: it was opened, a query was
    /// answered, or response bytes were taken. Bytes of an unfinished query do not count, else a
    /// client could hold a connection for ever by sending a byte now and then.
    package private(set) var lastActivity: Instant

    private var input: [UInt8] = []
    private var inputStart = 0
    private var outputBytes: [UInt8] = []
    private var outputStart = 0
    /// Nothing more is read: the client closed its side, broke the framing, or the server stops.
    private var inputHasEnded = false
    private var header: HeaderState
    private let idleTimeout: Duration
    private let transferTimeout: Duration
    /// Since when the first bytes of a query wait for its last.
    private var queryBegan: Instant?
    /// Since when the first `batchByteCount` bytes of `output` wait to be taken. What was queued
    /// behind them has its own time afterwards: a client that keeps on asking and reading may have
    /// responses on their way at every moment.
    private var batchBegan: Instant?
    private var batchByteCount = 0

    private enum HeaderState {
        /// There is none, or it has been read.
        case done
        case expected
        case bad
    }

    /// `peer`: who connected; with `isProxied`, a proxy that sends a header (`ProxyHeader`).
    /// `idleTimeout`: how long the connection may stay without a query. `transferTimeout`: how long
    /// one query may take to arrive from its first byte to its last, and how long the client may
    /// take for the responses that wait for it.
    package init(
        from peer: IPAddress, isProxied: Bool = false, openedAt now: Instant,
        idleTimeout: Duration, transferTimeout: Duration
    ) {
        client = peer
        header = isProxied ? .expected : .done
        lastActivity = now
        self.idleTimeout = idleTimeout
        self.transferTimeout = transferTimeout
    }

    // MARK: - Events

    /// Bytes were read: at most `inputRoom`.
    package mutating func received(_ bytes: ArraySlice<UInt8>, at now: Instant) -> Action {
        precondition(bytes.count <= inputRoom)
        if inputHasEnded { return action }
        if inputStart > 0 {
            input.removeFirst(inputStart)
            inputStart = 0
        }
        input += bytes
        if header == .expected { readHeader() }
        keepTime(at: now)
        return action
    }

    private mutating func readHeader() {
        switch ProxyHeader.decode(input.span) {
        case .incomplete: break
        case .malformed: header = .bad
        case .header(let byteCount, let source):
            header = .done
            inputStart = byteCount
            if let source { client = source }
        }
    }

    /// The client will send nothing more. It may still read (half-close, RFC 7766 §6.2.4), so
    /// whole queries are answered; an unfinished one is forgotten. A proxy may say nothing at all,
    /// to see whether somebody listens.
    package mutating func receivedEnd() -> Action {
        if header == .expected, !input.isEmpty { header = .bad }
        return ended()
    }

    private mutating func ended() -> Action {
        inputHasEnded = true
        queryBegan = nil
        return action
    }

    /// Takes the next query, lets `respond` write its response to `scratch`, at least 65,535
    /// bytes, and queues that. `respond` returns the response's byte count, 0 for silence.
    package mutating func answer(
        at now: Instant, using scratch: inout [UInt8],
        _ respond: (Span<UInt8>, inout MutableSpan<UInt8>) -> Int
    ) -> Action {
        guard action == .answer, let query = nextFrame else { return action }
        var response = scratch.mutableSpan
        let count = respond(input.span.extracting(query), &response)
        precondition((0...65_535).contains(count))
        inputStart = query.upperBound
        if inputStart == input.count {
            input.forget()
            inputStart = 0
        }
        if count > 0 {
            outputBytes.append(UInt8(count >> 8))
            outputBytes.append(UInt8(count & 0xff))
            outputBytes += scratch[..<count]
        }
        lastActivity = now
        keepTime(at: now)
        return action
    }

    /// `count` bytes of `output` were written, at least 1.
    package mutating func wrote(_ count: Int, at now: Instant) -> Action {
        precondition(count > 0 && count <= outputByteCount)
        outputStart += count
        lastActivity = now
        if outputStart == outputBytes.count {
            outputBytes.forget()
            outputStart = 0
        }
        batchByteCount -= count
        if batchByteCount <= 0 { batchBegan = nil }
        keepTime(at: now)
        return action
    }

    /// Time has passed.
    package mutating func ticked(at now: Instant) -> Action {
        for began in [queryBegan, batchBegan] {
            if let began, now - began >= transferTimeout { return .close(.slow) }
        }
        if queryBegan == nil, batchBegan == nil, now - lastActivity >= idleTimeout {
            return .close(.idle)
        }
        return action
    }

    /// The server stops: queries received are answered, nothing more is read.
    package mutating func stopped() -> Action { ended() }

    // MARK: - State

    /// How many bytes may be handed to `received` now; at least 1 when `action` is to read.
    package var inputRoom: Int {
        let longest =
            header == .expected ? ProxyHeader.byteCountMax : StreamConnection.frameByteCountMax
        return min(StreamConnection.readByteCountMax, longest - (input.count - inputStart))
    }

    /// What waits to be written.
    package var output: ArraySlice<UInt8> { outputBytes[outputStart...] }

    private var outputByteCount: Int { outputBytes.count - outputStart }

    /// What to do next, as far as this connection's state tells.
    package var action: Action {
        if header == .bad { return .close(.badProxyHeader) }
        if nextFrame != nil, hasRoom { return .answer }
        let isWriting = outputByteCount > 0
        return isReading || isWriting
            ? .wait(reading: isReading, writing: isWriting) : .close(.finished)
    }

    private var hasRoom: Bool { outputByteCount < StreamConnection.outputByteCountMax }

    private var isReading: Bool { hasRoom && !inputHasEnded && !isFramingBroken }

    /// Starts and stops the clocks of `queryBegan` and `batchBegan`. A client is not charged for
    /// the time in which it is not read from.
    private mutating func keepTime(at now: Instant) {
        let isQueryUnfinished = input.count > inputStart && nextFrame == nil && isReading
        queryBegan = isQueryUnfinished ? queryBegan ?? now : nil
        if batchBegan == nil, outputByteCount > 0 {
            batchBegan = now
            batchByteCount = outputByteCount
        }
    }

    /// A frame of no bytes carries no message, so its sender does not know what it is doing, and
    /// the bytes behind it mean nothing: earlier queries are answered and the connection closes.
    private var isFramingBroken: Bool { nextLength == 0 }

    private var nextLength: Int? {
        guard header == .done, input.count - inputStart >= 2 else { return nil }
        return Int(input[inputStart]) << 8 | Int(input[inputStart + 1])
    }

    /// Where the message of the next whole frame stands in `input`.
    private var nextFrame: Range<Int>? {
        guard let length = nextLength, length > 0, input.count - inputStart >= 2 + length else {
            return nil
        }
        return inputStart + 2..<inputStart + 2 + length
    }
}

extension [UInt8] {
    /// Empties it. A long message's memory is not kept for the next, short one.
    fileprivate mutating func forget() {
        removeAll(keepingCapacity: capacity <= 2 * StreamConnection.readByteCountMax)
    }
}
