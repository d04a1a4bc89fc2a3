/// One TCP connection as a value (RFC 7766): bytes and events go in, what to do comes out. It
/// touches no socket and no clock, so that every path can be walked in a test.
///
/// Each message is preceded by its length in two bytes (RFC 1035 §4.2.2). Queries may come
/// several at a time and in pieces of any size; responses leave in the order of their queries.
/// Memory is bounded: one unfinished frame on the way in, `outputByteCountMax` and one
/// frame on the way out. A client that does not read its responses is not read from either.
struct StreamConnection {
    /// What the owner of the socket does next.
    enum Action: Equatable {
        /// Call `answer`: a whole query is there, and room for its response.
        case answer
        /// Wait until the socket can be read or written, whichever is asked for. At least one is.
        case wait(reading: Bool, writing: Bool)
        /// Close the socket.
        case close(CloseReason)
    }

    enum CloseReason: Equatable {
        /// Everything that was asked has been answered, and nothing more will come.
        case finished
        case idle
    }

    typealias Instant = ContinuousClock.Instant

    /// The longest frame: two bytes of length and 65,535 of message.
    static let frameByteCountMax = 2 + 65_535

    /// Responses waiting to be written that stop further answering and reading.
    static let outputByteCountMax = 65_536

    /// When this connection was last seen to do something useful: it was opened, a query was
    /// answered, or response bytes were taken. Bytes of an unfinished query do not count, else a
    /// client could hold a connection for ever by sending a byte now and then.
    private(set) var lastActivity: Instant

    private var input: [UInt8] = []
    private var inputStart = 0
    private var outputBytes: [UInt8] = []
    private var outputStart = 0
    /// Nothing more is read: the client closed its side, broke the framing, or the server stops.
    private var inputHasEnded = false
    private let idleTimeout: Duration

    init(openedAt now: Instant, idleTimeout: Duration) {
        lastActivity = now
        self.idleTimeout = idleTimeout
    }

    // MARK: - Events

    /// Bytes were read: at most `inputRoom`.
    mutating func received(_ bytes: ArraySlice<UInt8>) -> Action {
        precondition(bytes.count <= inputRoom)
        if inputHasEnded { return action }
        if inputStart > 0 {
            input.removeFirst(inputStart)
            inputStart = 0
        }
        input += bytes
        return action
    }

    /// The client will send nothing more. It may still read (half-close, RFC 7766 §6.2.4), so
    /// whole queries are answered; an unfinished one is forgotten.
    mutating func receivedEnd() -> Action {
        inputHasEnded = true
        return action
    }

    /// Takes the next query, lets `respond` write its response to `scratch`, at least 65,535
    /// bytes, and queues that. `respond` returns the response's byte count, 0 for silence.
    mutating func answer(
        at now: Instant, using scratch: inout [UInt8],
        _ respond: (Span<UInt8>, inout MutableSpan<UInt8>) -> Int
    ) -> Action {
        guard action == .answer, let query = nextFrame else { return action }
        var response = scratch.mutableSpan
        let count = respond(input.span.extracting(query), &response)
        precondition((0...65_535).contains(count))
        inputStart = query.upperBound
        if count > 0 {
            outputBytes.append(UInt8(count >> 8))
            outputBytes.append(UInt8(count & 0xff))
            outputBytes += scratch[..<count]
        }
        lastActivity = now
        return action
    }

    /// `count` bytes of `output` were written, at least 1.
    mutating func wrote(_ count: Int, at now: Instant) -> Action {
        precondition(count > 0 && count <= outputByteCount)
        outputStart += count
        lastActivity = now
        if outputStart == outputBytes.count {
            // A large response's memory is not kept for the next, small one.
            outputBytes.removeAll(keepingCapacity: outputBytes.count <= 4096)
            outputStart = 0
        }
        return action
    }

    /// Time has passed.
    mutating func ticked(at now: Instant) -> Action {
        now - lastActivity >= idleTimeout ? .close(.idle) : action
    }

    /// The server stops: queries received are answered, nothing more is read.
    mutating func stopped() -> Action { receivedEnd() }

    // MARK: - State

    /// How many bytes may be handed to `received` now.
    var inputRoom: Int { StreamConnection.frameByteCountMax - (input.count - inputStart) }

    /// What waits to be written.
    var output: ArraySlice<UInt8> { outputBytes[outputStart...] }

    private var outputByteCount: Int { outputBytes.count - outputStart }

    /// What to do next, as far as this connection's state tells.
    var action: Action {
        let hasRoom = outputByteCount < StreamConnection.outputByteCountMax
        if nextFrame != nil, hasRoom { return .answer }
        let isReading = hasRoom && !inputHasEnded && !isFramingBroken
        let isWriting = outputByteCount > 0
        return isReading || isWriting
            ? .wait(reading: isReading, writing: isWriting) : .close(.finished)
    }

    /// A frame of no bytes carries no message, so its sender does not know what it is doing, and
    /// the bytes behind it mean nothing: earlier queries are answered and the connection closes.
    private var isFramingBroken: Bool { nextLength == 0 }

    private var nextLength: Int? {
        guard input.count - inputStart >= 2 else { return nil }
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
