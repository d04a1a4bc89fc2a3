import CXDP
import Glibc
import SystemCalls

/// One receive queue of an interface: its AF_XDP socket, and the memory of its frames.
///
/// For one thread. A round is: `receive`, then `send` or `discard` for each frame, then `flush`.
/// A reply is written in the frame that its query came in; nothing is copied or allocated.
@safe
package struct XDPQueue: ~Copyable, @unchecked Sendable {
    // SAFETY: only pointers to memory of its own, which one thread at a time has (noncopyable).

    /// Frames received at once, as for sockets (`DatagramBatch`).
    package static let batchCount = 64
    /// Frames that the rings can hold each way: at a million a second, two milliseconds.
    package static let ringCount = 2048
    /// The memory of one frame, with what the kernel keeps for itself before it.
    private static let chunkByteCount = 2048
    /// Longest frame that can be received or sent.
    package static let frameByteCountMax = chunkByteCount - Int(cxdp_headroom_byte_count)

    /// Of the queue, on its interface.
    package let index: Int
    /// To wait on: readable when frames have been received.
    package let descriptor: Int32
    private var queue: cxdp_queue
    /// The memory of all frames.
    private let base: UnsafeMutablePointer<UInt8>
    private let memoryByteCount: UInt64
    private let frames: UnsafeMutablePointer<cxdp_frame>
    private var frameCount: Int
    /// The query in hand, where its reply does not overwrite it.
    private let query: UnsafeMutablePointer<UInt8>

    /// Opens queue `index` of `interface`. Frames come when a program serves it.
    ///
    /// A queue whose last owner has ended a moment ago is still taken: then it is tried again, for
    /// at most `patience`.
    package init(
        _ interface: NetworkInterface, queue index: Int, ringCount: Int = XDPQueue.ringCount,
        patience: Duration = .seconds(2)
    ) throws(XDPError) {
        precondition(ringCount.nonzeroBitCount == 1)
        var opened = unsafe cxdp_queue()
        let deadline = ContinuousClock.now + patience
        while true {
            // SAFETY: used during the call only; what it has opened is closed in `deinit`.
            let outcome = attempt {
                unsafe Int(
                    cxdp_open(
                        &opened, interface.index, UInt32(index), UInt32(ringCount),
                        UInt32(XDPQueue.chunkByteCount)))
            }
            guard case .failure(let reason) = outcome else { break }
            guard reason == .busy, ContinuousClock.now < deadline else {
                throw XDPError(interface.name, .openQueue(index), reason)
            }
            usleep(5000)
        }
        self.index = index
        frameCount = 0
        unsafe queue = opened
        descriptor = unsafe opened.socket
        unsafe base = opened.memory
        memoryByteCount = unsafe opened.memory_byte_count
        unsafe frames = .allocate(capacity: XDPQueue.batchCount)
        unsafe frames.initialize(repeating: cxdp_frame(), count: XDPQueue.batchCount)
        unsafe query = .allocate(capacity: XDPQueue.chunkByteCount)
        unsafe query.initialize(repeating: 0, count: XDPQueue.chunkByteCount)
    }

    deinit {
        // SAFETY: opened in `init`, and closed nowhere else.
        var last = unsafe queue
        unsafe cxdp_close(&last)
        unsafe frames.deallocate()
        unsafe query.deallocate()
    }

    /// Waits until frames have been received, `signal` is readable, or the time is over. True:
    /// `signal` is.
    package borrowing func wait(or signal: Int32, milliseconds: Int32) -> Bool {
        var waits = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signal, events: Int16(POLLIN), revents: 0),
        ]
        // SAFETY: two entries, used during the call only. An interruption is as good as a frame.
        _ = unsafe poll(&waits, 2, milliseconds)
        return waits[1].revents != 0
    }

    // MARK: - A round

    /// Takes what has been received, at most `batchCount` frames; returns how many. All frames of
    /// the last round must have been sent or discarded.
    package mutating func receive() -> Int {
        // SAFETY: there is room for batchCount frames.
        unsafe cxdp_recycle(&queue)
        frameCount = unsafe Int(cxdp_receive(&queue, frames, UInt32(XDPQueue.batchCount)))
        return frameCount
    }

    /// How long frame `number`, below what `receive` returned, is.
    package func byteCount(_ number: Int) -> Int { Int(frame(number).byte_count) }

    /// All the memory there is for frame `number`, which begins with it. Past the frame stand
    /// remains of others.
    @_lifetime(&self)
    package mutating func memory(_ number: Int) -> MutableSpan<UInt8> {
        let frame = frame(number)
        let chunk = UInt64(XDPQueue.chunkByteCount)
        let count = Int(chunk - frame.start % chunk)
        precondition(frame.start <= memoryByteCount - UInt64(count))
        // SAFETY: from the start of the frame to the end of its chunk, within the memory of the
        // queue, checked above; the kernel has given the frame away, and it is in no ring.
        let span = unsafe MutableSpan(_unsafeStart: base + Int(frame.start), count: count)
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Calls `body` with a copy of the bytes of frame `number` in `range`, and with `roomByteCount`
    /// bytes of memory from where they stand.
    mutating func withQuery(
        _ range: Range<Int>, of number: Int, roomByteCount: Int,
        _ body: (Span<UInt8>, inout MutableSpan<UInt8>) -> Int
    ) -> Int {
        let (start, room) = (range.lowerBound, memory(number).count)
        precondition(start >= 0 && range.upperBound <= room && roomByteCount <= room - start)
        // SAFETY: within the memory of the frame, checked above, which is no longer than the
        // copy's; the two do not overlap.
        let frame = unsafe base + Int(frame(number).start) + start
        unsafe query.update(from: frame, count: range.count)
        var response = unsafe MutableSpan(_unsafeStart: frame, count: roomByteCount)
        return body(unsafe Span(_unsafeStart: UnsafePointer(query), count: range.count), &response)
    }

    /// Sends `byteCount` bytes of frame `number` with the next `flush`. False: the send ring is
    /// full, and the frame discarded.
    package mutating func send(_ number: Int, byteCount: Int) -> Bool {
        var frame = frame(number)
        let chunk = UInt64(XDPQueue.chunkByteCount)
        precondition(byteCount > 0 && UInt64(byteCount) <= chunk - frame.start % chunk)
        frame.byte_count = UInt32(byteCount)
        // SAFETY: the frame lies within its chunk, and is ours.
        if unsafe cxdp_send(&queue, frame) { return true }
        unsafe cxdp_give_back(&queue, frame.start)
        return false
    }

    /// Frame `number` can be received into again with the next `flush`.
    package mutating func discard(_ number: Int) {
        // SAFETY: the frame is ours.
        unsafe cxdp_give_back(&queue, frame(number).start)
    }

    /// Lets the kernel have what was sent and discarded. Returns how many frames could not leave
    /// yet: they do with a later `flush`.
    package mutating func flush() -> Int {
        frameCount = 0
        // SAFETY: the queue is open.
        unsafe cxdp_publish(&queue)
        return unsafe Int(cxdp_wake(&queue))
    }

    private func frame(_ number: Int) -> cxdp_frame {
        precondition(number >= 0 && number < frameCount)
        // SAFETY: checked above.
        return unsafe frames[number]
    }

    // MARK: - Figures

    /// What the kernel says of the queue.
    package struct Statistics: Equatable, Sendable {
        /// Frames that were ours and are lost: the receive ring was full; no frame was free; too
        /// long, or for another reason.
        package var ringFull: UInt64 = 0
        package var fillEmpty: UInt64 = 0
        package var dropped: UInt64 = 0
        /// Descriptors that the kernel refused: a mistake of ours.
        package var invalid: UInt64 = 0
        /// Whether the driver reads and writes our memory itself.
        package var isZeroCopy = false

        package init() {}
    }

    package var statistics: Statistics {
        var read = cxdp_statistics()
        var opened = unsafe queue
        // SAFETY: used during the call only. It cannot fail for a socket that is bound.
        guard unsafe cxdp_read_statistics(&opened, &read) == 0 else { return Statistics() }
        var statistics = Statistics()
        statistics.ringFull = read.ring_full
        statistics.fillEmpty = read.fill_empty
        statistics.dropped = read.dropped
        statistics.invalid = read.invalid
        statistics.isZeroCopy = read.is_zero_copy
        return statistics
    }
}
