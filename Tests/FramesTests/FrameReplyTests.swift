import Addressing
import Frames
import TestSupport
import Testing

private let filter = FrameFilter(
    hardwareAddress: 0x02_00_00_00_00_01, port: 53, frameByteCountMax: 1792)

@Suite struct FrameReplyTests {
    /// In memory that held something else behind the query.
    private func reply(_ frame: [UInt8], _ payload: [UInt8], fill: UInt8 = 0xee) -> [UInt8]? {
        guard case .query(let query) = filter.read(frame.span) else { return nil }
        var memory = frame + [UInt8](repeating: fill, count: 1792 - frame.count)
        for (index, byte) in payload.enumerated() { memory[query.payloadStart + index] = byte }
        var span = memory.mutableSpan
        let count = query.writeReply(payload.count, in: &span)
        return Array(memory[..<count])
    }

    private func plain(_ family: IPAddress.Family) -> WireFrame {
        family == .ipv4
            ? WireFrame(from: IPAddress(ipv4: 0xcb00_7105), to: IPAddress(ipv4: 0xc000_0201))
            : WireFrame(
                from: IPAddress(ipv6: 0x2001_0db8 << 96 | 5),
                to: IPAddress(ipv6: 0x2001_0db8 << 96 | 1))
    }

    /// Every byte, so that a reader sees what leaves. Computed by hand: the header's
    /// words sum to 0x2c33a, which is 0xc33c, whose complement is 0x3cc3; UDP's to 0x2aab6.
    @Test func toAQueryOverIPv4() {
        var frame = plain(.ipv4)
        frame.trafficClass = 0xff
        frame.fragment = 0x8000
        let bytes = reply(frame.bytes, [1, 2, 3, 4, 5, 6, 7])
        #expect(
            bytes == [
                0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00,
                0x45, 0, 0, 35, 0, 0, 0x40, 0, 64, 17, 0x3c, 0xc3, 192, 0, 2, 1, 203, 0, 113, 5,
                0, 53, 0x9c, 0x40, 0, 15, 0x55, 0x47, 1, 2, 3, 4, 5, 6, 7,
            ] + [UInt8](repeating: 0, count: 11))
    }

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6], [0, 1, 2, 3, 11, 17, 18, 19, 30, 1231, 1232])
    func ofAnyLengthIsAValidFrame(_ family: IPAddress.Family, _ count: Int) throws {
        let frame = plain(family).bytes
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let bytes = try #require(reply(frame, payload))
        #expect(fault(ofReplyFrame: bytes, to: frame, payload: payload) == nil)
    }

    /// A sum of zero is sent as all ones: for a payload that makes it so.
    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func hasAChecksumAlsoWhereItIsZero(_ family: IPAddress.Family) throws {
        let frame = plain(family).bytes
        let udp = family == .ipv4 ? 34 : 54
        let first = try #require(reply(frame, [0, 0]))
        // What the sum lacks of 0xffff, as the payload, makes it whole.
        let lacking = [first[udp + 6], first[udp + 7]]
        let bytes = try #require(reply(frame, lacking))
        #expect(bytes[udp + 6] == 0xff && bytes[udp + 7] == 0xff)
        #expect(fault(ofReplyFrame: bytes, to: frame, payload: lacking) == nil)
    }

    @Test(arguments: [
        (IPAddress.Family.ipv4, 1500, 1792, 1472), (.ipv6, 1500, 1792, 1452),
        (.ipv4, 9000, 1792, 1750), (.ipv6, 9000, 1792, 1730), (.ipv4, 576, 1792, 548),
        (.ipv6, 1280, 1792, 1232), (.ipv4, 20, 1792, 0), (.ipv6, 1500, 40, 0),
        (.ipv4, 70_000, 80_000, 65_507), (.ipv6, 70_000, 80_000, 65_487),
    ])
    func isNoLongerThanPacketAndMemory(
        _ family: IPAddress.Family, _ mtu: Int, _ memory: Int, _ expected: Int
    ) throws {
        guard case .query(let query) = filter.read(plain(family).bytes.span) else {
            Issue.record("no query")
            return
        }
        #expect(query.replyByteCountMax(mtu: mtu, frameByteCountMax: memory) == expected)
    }

    /// Random frames, some with a byte changed: each reply is a valid frame, and is read again as
    /// a datagram to the other side.
    @Test func ofRandomQueriesAreReadAgain() throws {
        var random = SeededGenerator(seed: 8)
        var queryCount = 0
        for _ in 0..<5000 {
            var frame = plain(random.once(in: 2) ? .ipv4 : .ipv6)
            let prefix = Prefix(frame.source, length: 8)
            frame.source = random.address(in: prefix)
            frame.destination = random.address(in: prefix)
            frame.sender = random.next() >> 16 & ~(1 << 40)
            frame.sourcePort = UInt16(random.number(0...0xffff))
            frame.trafficClass = UInt8(random.number(0...255))
            frame.hopLimit = UInt8(random.number(0...255))
            frame.identification = UInt16(random.number(0...0xffff))
            frame.payload = (0..<random.number(0...200)).map { _ in UInt8(random.number(0...255)) }
            frame.padding = [UInt8](repeating: 1, count: random.number(0...20))
            var bytes = frame.bytes
            if random.once(in: 2) {
                bytes[random.number(0...bytes.count - 1)] = UInt8(random.number(0...255))
            }
            guard case .query(let query) = filter.read(bytes.span) else { continue }
            queryCount += 1
            let payload = (0..<random.number(0...1472)).map { _ in UInt8(random.number(0...255)) }
            let answer = try #require(reply(bytes, payload, fill: UInt8(random.number(0...255))))
            #expect(fault(ofReplyFrame: answer, to: bytes, payload: payload) == nil, "\(bytes)")
            // Back at the sender.
            let sender = FrameFilter(
                hardwareAddress: frame.sender, port: query.sourcePort, frameByteCountMax: 1792)
            guard frame.sender == hardwareSender(bytes),
                case .query(let back) = sender.read(answer.span)
            else { continue }
            #expect(back.source == query.destination && back.destination == query.source)
            #expect(Array(answer[back.payload]) == payload)
        }
        #expect(queryCount > 2000)
    }

    private func hardwareSender(_ frame: [UInt8]) -> UInt64 {
        frame[6..<12].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
