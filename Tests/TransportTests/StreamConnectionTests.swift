import Addressing
import Testing

@testable import Transport

/// The connection as a value: bytes in, actions out, no socket and no clock.
@Suite("A TCP connection's state machine")
struct StreamConnectionTests {
    static let opened = ContinuousClock.now

    /// A connection with an owner that answers each query by its bytes in reverse.
    struct Conversation {
        var connection = StreamConnection(
            from: IPAddress(ipv4: 0xc000_0201), openedAt: opened, idleTimeout: .seconds(15),
            transferTimeout: .seconds(10))
        var now = opened
        var queries: [[UInt8]] = []
        var scratch = [UInt8](repeating: 0, count: 65_535)
        /// How many bytes to answer with; nil: as many as asked.
        var responseByteCount: Int?

        mutating func pursue(_ first: StreamConnection.Action) -> StreamConnection.Action {
            var action = first
            while action == .answer {
                let responseByteCount = responseByteCount
                var seen: [UInt8] = []
                action = connection.answer(at: now, using: &scratch) { query, response in
                    seen = query.indices.map { query[$0] }
                    let count = responseByteCount ?? query.count
                    for index in 0..<count {
                        response[index] = query[query.count - 1 - index % query.count]
                    }
                    return count
                }
                queries.append(seen)
            }
            return action
        }

        /// In as many reads as it takes.
        mutating func receive(_ bytes: [UInt8]) -> StreamConnection.Action {
            var rest = bytes[...]
            repeat {
                let count = min(rest.count, connection.inputRoom)
                _ = pursue(connection.received(rest.prefix(count), at: now))
                rest = rest.dropFirst(count)
            } while !rest.isEmpty
            return connection.action
        }

        mutating func writeAll() -> (bytes: [UInt8], action: StreamConnection.Action) {
            let bytes = Array(connection.output)
            return (bytes, pursue(connection.wrote(bytes.count, at: now)))
        }
    }

    let messages: [[UInt8]] = [[1, 2, 3], Array(repeating: 7, count: 300), [9]]
    var frames: [UInt8] { messages.flatMap(framed) }
    var responses: [UInt8] { messages.flatMap { framed($0.reversed()) } }

    @Test func `answers queries that come together, in order`() {
        var talk = Conversation()
        #expect(talk.receive(frames) == .wait(reading: true, writing: true))
        #expect(talk.queries == messages)
        let (bytes, action) = talk.writeAll()
        #expect(bytes == responses)
        #expect(action == .wait(reading: true, writing: false))
    }

    @Test func `takes frames split at every byte`() {
        for split in 1..<frames.count {
            var talk = Conversation()
            _ = talk.receive(Array(frames[..<split]))
            _ = talk.receive(Array(frames[split...]))
            #expect(talk.queries == messages, "split at \(split)")
            #expect(Array(talk.connection.output) == responses, "split at \(split)")
        }
    }

    @Test func `takes frames byte by byte`() {
        var talk = Conversation()
        var written: [UInt8] = []
        for byte in frames {
            if case .wait(_, writing: true) = talk.receive([byte]) {
                written += talk.writeAll().bytes
            }
        }
        #expect(talk.queries == messages)
        #expect(written == responses)
    }

    @Test func `takes the longest message, and says nothing when the responder does not`() {
        var talk = Conversation()
        let longest = [UInt8](repeating: 5, count: 65_535)
        talk.responseByteCount = 0
        #expect(talk.receive(framed(longest)) == .wait(reading: true, writing: false))
        #expect(talk.queries == [longest])
        #expect(talk.connection.inputRoom == StreamConnection.readByteCountMax)
    }

    @Test func `the room for input shrinks as one long query arrives, and is never zero`() {
        var talk = Conversation()
        let frame = framed([UInt8](repeating: 5, count: 65_535))
        for start in stride(from: 0, to: frame.count, by: 1000) {
            #expect(talk.connection.inputRoom == min(4096, frame.count - start))
            _ = talk.receive(Array(frame[start..<min(start + 1000, frame.count)]))
        }
        #expect(talk.queries.count == 1)
    }

    @Test func `a client that does not read its responses is neither answered nor read from`() {
        var talk = Conversation()
        talk.responseByteCount = 10_000
        // The second response passes the bound; the third query waits in the input.
        let action = talk.receive(framed([1]) + framed([2]) + framed([3]))
        #expect(action == .wait(reading: false, writing: true))
        #expect(talk.queries == [[1], [2]])
        #expect(talk.connection.output.count == 2 * 10_002)

        // One byte less than needed to get below the bound, then that byte.
        let surplus = 2 * 10_002 - StreamConnection.outputByteCountMax
        #expect(
            talk.connection.wrote(surplus, at: talk.now) == .wait(reading: false, writing: true))
        #expect(
            talk.pursue(talk.connection.wrote(1, at: talk.now))
                == .wait(reading: false, writing: true))
        #expect(talk.queries == [[1], [2], [3]])
        #expect(talk.writeAll().action == .wait(reading: true, writing: false))
    }

    @Test func `a half-closed client gets its answers, then the connection ends`() {
        var talk = Conversation()
        _ = talk.receive(frames + [0, 9, 1])
        #expect(talk.pursue(talk.connection.receivedEnd()) == .wait(reading: false, writing: true))
        let (bytes, action) = talk.writeAll()
        #expect(bytes == responses)
        #expect(action == .close(.finished))
    }

    @Test func `a client that leaves without asking is let go`() {
        var talk = Conversation()
        #expect(talk.connection.receivedEnd() == .close(.finished))
    }

    @Test func `stopping answers whole queries, forgets the unfinished one, reads no more`() {
        var talk = Conversation()
        _ = talk.receive(frames + [0, 9, 1])
        #expect(talk.pursue(talk.connection.stopped()) == .wait(reading: false, writing: true))
        #expect(talk.receive([2, 3, 4, 5, 6, 7, 8, 9]) == .wait(reading: false, writing: true))
        #expect(talk.queries == messages)
        #expect(talk.writeAll().action == .close(.finished))
    }

    @Test func `an empty frame ends the connection after the queries before it`() {
        var talk = Conversation()
        let action = talk.receive(framed([1, 2]) + [0, 0] + framed([3]))
        #expect(action == .wait(reading: false, writing: true))
        #expect(talk.queries == [[1, 2]])
        #expect(talk.writeAll().action == .close(.finished))
    }

    @Test func `responses leave in pieces of any size`() {
        var talk = Conversation()
        _ = talk.receive(frames)
        var written: [UInt8] = []
        while let first = talk.connection.output.first {
            written.append(first)
            _ = talk.connection.wrote(1, at: talk.now)
        }
        #expect(written == responses)
    }

    /// What a connection would do, were it `seconds` after its opening.
    func ticked(_ seconds: Int, _ talk: Conversation) -> StreamConnection.Action {
        var connection = talk.connection
        return connection.ticked(at: Self.opened + .seconds(seconds))
    }
    let reading = StreamConnection.Action.wait(reading: true, writing: false)

    @Test func `idleness counts from the last query answered or byte taken`() {
        var talk = Conversation()
        #expect(ticked(14, talk) == reading)
        #expect(ticked(15, talk) == .close(.idle))

        talk.now = Self.opened + .seconds(10)
        _ = talk.receive(framed([1, 2]))
        talk.now = Self.opened + .seconds(12)
        _ = talk.writeAll()
        #expect(ticked(26, talk) == reading)
        #expect(ticked(27, talk) == .close(.idle))
    }

    @Test func `a query has ten seconds from its first byte, however often a byte comes`() {
        var talk = Conversation()
        let frame = framed(Array(repeating: 3, count: 100))
        for second in 0..<10 {
            talk.now = Self.opened + .seconds(5 + second)
            #expect(talk.receive([frame[second]]) == reading)
            #expect(ticked(5 + second, talk) == reading)
        }
        #expect(ticked(15, talk) == .close(.slow))

        // The one that makes it starts the idle time again; the next has ten seconds of its own.
        _ = talk.receive(Array(frame[10...]) + frame[..<4])
        #expect(talk.queries.count == 1)
        _ = talk.writeAll()
        #expect(ticked(23, talk) == reading)
        #expect(ticked(24, talk) == .close(.slow))
    }

    @Test func `responses have ten seconds to be taken, however often a byte is`() {
        var talk = Conversation()
        talk.responseByteCount = 500
        _ = talk.receive(framed([1]))
        for second in 1..<10 {
            talk.now = Self.opened + .seconds(second)
            _ = talk.connection.wrote(1, at: talk.now)
            #expect(ticked(second, talk) == .wait(reading: true, writing: true))
        }
        #expect(ticked(10, talk) == .close(.slow))
    }

    @Test func `a client that asks and reads all the time always has responses on their way`() {
        var talk = Conversation()
        talk.responseByteCount = 500
        _ = talk.receive(framed([0]) + framed([0]))
        for second in 1..<100 {
            talk.now = Self.opened + .seconds(second)
            _ = talk.receive(framed([1]))
            #expect(talk.connection.output.count > 502)
            _ = talk.connection.wrote(502, at: talk.now)
            #expect(ticked(second, talk) == .wait(reading: true, writing: true))
        }
        // It stops reading. What was queued when the last batch had gone has ten seconds.
        #expect(ticked(109, talk) == .close(.slow))
    }

    @Test func `a query is not timed while the client is not read from`() {
        var talk = Conversation()
        talk.responseByteCount = 20_000
        // The first response fills the output; the beginning of the second query waits.
        _ = talk.receive(framed([1]) + [0, 9, 1])
        talk.now = Self.opened + .seconds(9)
        _ = talk.writeAll()
        #expect(ticked(18, talk) == reading)
        #expect(ticked(19, talk) == .close(.slow))
    }

    @Test func `half a query does not time out when the client has closed its side`() {
        var talk = Conversation()
        _ = talk.receive(framed([1]) + [0, 9, 1])
        _ = talk.connection.receivedEnd()
        #expect(ticked(9, talk) == .wait(reading: false, writing: true))
        #expect(talk.writeAll().action == .close(.finished))
    }

    @Test func `random pieces in both directions change nothing`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let sent = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                (0..<Int.random(in: 1...900, using: &random)).map { UInt8($0 & 0xff) }
            }
            var talk = Conversation()
            var rest = sent.flatMap(framed)[...]
            var written: [UInt8] = []
            while !rest.isEmpty || !talk.connection.output.isEmpty {
                let take = min(
                    rest.count, talk.connection.inputRoom, Int.random(in: 0...700, using: &random))
                _ = talk.receive(Array(rest.prefix(take)))
                rest = rest.dropFirst(take)
                let room = talk.connection.output.count
                let give = room == 0 ? 0 : Int.random(in: 1...room, using: &random)
                written += talk.connection.output.prefix(give)
                if give > 0 { _ = talk.pursue(talk.connection.wrote(give, at: talk.now)) }
            }
            #expect(talk.queries == sent)
            #expect(written == sent.flatMap { framed($0.reversed()) })
        }
    }
}
