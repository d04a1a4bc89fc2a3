package import Addressing
package import Frames

/// What became of one batch of frames.
package struct FrameTally: Sendable {
    package var receivedCount = 0
    /// Replies that the kernel was given.
    package var sentCount = 0
    /// By `DropReason`.
    package var dropped = InlineArray<5, Int>(repeating: 0)
    /// Frames that the program should have passed: another program of another version, or an
    /// interface that has changed its hardware address.
    package var foreignCount = 0
    /// Queries that the responder says nothing to.
    package var unansweredCount = 0
    /// Replies lost, as the send ring was full.
    package var lostCount = 0
    /// Frames that could not leave yet, as the interface is down or its queue full: they do with
    /// the next batch, so that nobody may wait for queries alone meanwhile.
    package var waitingCount = 0

    package init() {}
}

extension XDPQueue {
    /// Calls `body` with what may be the payload of each frame of the round. Nothing of them has
    /// been looked at but the type.
    package mutating func forEachPayload(
        of frames: Range<Int>, _ body: (Span<UInt8>) -> Void
    ) {
        for number in frames {
            let count = byteCount(number)
            let memory = memory(number)
            if let payload = FrameQuery.payload(ofUnchecked: memory.span.extracting(0..<count)) {
                body(payload)
            }
        }
    }

    /// Answers the frames of a round, as many as `receive` has returned, and sends the replies.
    ///
    /// `filter` is that of the program; `mtu` bounds the replies. `respond` gets a query's bytes
    /// and sender; it writes the response from the start of the room it gets, within it, and
    /// returns its byte count; 0: nothing is to be said. The query is a copy, as the response is
    /// written where it stood.
    package mutating func answer(
        _ frameCount: Int, _ filter: FrameFilter, mtu: Int,
        with respond: (Span<UInt8>, IPAddress, inout MutableSpan<UInt8>) -> Int
    ) -> FrameTally {
        var tally = FrameTally()
        tally.receivedCount = frameCount
        for number in 0..<frameCount {
            guard let query = readQuery(number, filter, &tally) else {
                discard(number)
                continue
            }
            let byteCount = reply(to: query, number, mtu: mtu, with: respond)
            if byteCount == 0 {
                tally.unansweredCount += 1
                discard(number)
            } else if send(number, byteCount: byteCount) {
                tally.sentCount += 1
            } else {
                tally.lostCount += 1
            }
        }
        tally.waitingCount = flush()
        return tally
    }

    /// Nil: there is none, which is counted.
    private mutating func readQuery(
        _ number: Int, _ filter: FrameFilter, _ tally: inout FrameTally
    ) -> FrameQuery? {
        let count = byteCount(number)
        let memory = memory(number)
        switch filter.read(memory.span.extracting(0..<count)) {
        case .query(let query): return query
        case .pass: tally.foreignCount += 1
        case .drop(let reason): tally.dropped[Int(reason.rawValue)] += 1
        }
        return nil
    }

    /// Makes frame `number` the reply; returns its byte count, 0: there is none.
    private mutating func reply(
        to query: FrameQuery, _ number: Int, mtu: Int,
        with respond: (Span<UInt8>, IPAddress, inout MutableSpan<UInt8>) -> Int
    ) -> Int {
        let byteCountMax = query.replyByteCountMax(
            mtu: mtu, frameByteCountMax: XDPQueue.frameByteCountMax)
        let byteCount = withQuery(query.payload, of: number, roomByteCount: byteCountMax) {
            respond($0, query.source, &$1)
        }
        precondition(byteCount <= byteCountMax)
        guard byteCount > 0 else { return 0 }
        var frame = memory(number)
        return query.writeReply(byteCount, in: &frame)
    }
}
