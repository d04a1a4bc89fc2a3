import Addressing
import Frames
import TestSupport

extension FuzzTarget {
    /// Any bytes as an Ethernet frame: what it is does not depend on who reads the standards, and
    /// the reply to a query is a frame that a strict reader takes.
    ///
    /// One byte tells whether the checksum of IPv4's header is made right, which no mutation would
    /// do, two tell how long the reply is; the frame follows.
    static let frame = FuzzTarget(
        name: "frame", byteCountMax: 400,
        seeds: {
            FrameTarget.frames.flatMap { frame in [[1, 0, 200] + frame, [0, 4, 0xd0] + frame] }
        },
        words: {
            [
                [0x08, 0x00, 0x45, 0x00], [0x86, 0xdd, 0x60, 0x00], [0x81, 0, 0, 7], [0, 53],
                [0x20, 0], [64, 17], [127, 0, 0, 1], [0xff, 0x02],
            ]
        },
        fault: { input in
            var reader = InputReader(input)
            let isMended = reader.byte() & 1 == 1
            let wanted = Int(reader.uint16())
            var frame = reader.remainder()
            if isMended, frame.count >= 34 {
                let sum = slowChecksum(Array(frame[14..<24]) + Array(frame[26..<34]))
                frame.replaceSubrange(24..<26, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
            }
            let verdict = FrameTarget.filter.read(frame.span)
            let expected = FrameTarget.expected(frame)
            guard verdict == expected else { return "\(verdict), not \(expected): \(frame)" }
            guard case .query(let query) = verdict else { return nil }
            return FrameTarget.replyFault(frame, query, byteCount: wanted)
        })
}

enum FrameTarget {
    private static let frameByteCountMax = 300
    static let filter = FrameFilter(
        hardwareAddress: 0x0200_0000_0001, port: 53, frameByteCountMax: frameByteCountMax)

    /// Good ones, and some that are nearly good.
    static let frames: [[UInt8]] = [false, true].flatMap { isIPv6 -> [[UInt8]] in
        let plain =
            isIPv6
            ? WireFrame(
                from: IPAddress(ipv6: 0x2001_0db8 << 96 | 5),
                to: IPAddress(ipv6: 0x2001_0db8 << 96 | 1))
            : WireFrame(from: IPAddress(ipv4: 0xcb00_7105), to: IPAddress(ipv4: 0xc000_0201))
        let changes: [(inout WireFrame) -> Void] = [
            { _ in }, { $0.padding = [0, 0, 0] }, { $0.tags = [0x81, 0, 0, 7] },
            { $0.options = [17, 0, 1, 4, 0, 0, 0, 0] }, { $0.udpByteCount = 20 },
            { $0.fragment = 0x2000 }, { $0.sourcePort = 0 }, { $0.destinationPort = 5353 },
        ]
        return changes.map { change in
            var frame = plain
            change(&frame)
            return frame.bytes
        }
    }

    static func replyFault(_ frame: [UInt8], _ query: FrameQuery, byteCount: Int) -> String? {
        let most = query.replyByteCountMax(mtu: 290, frameByteCountMax: frameByteCountMax)
        let payload = (0..<byteCount % (most + 1)).map { UInt8(truncatingIfNeeded: $0 &* 151) }
        var memory = frame + [UInt8](repeating: 0xee, count: frameByteCountMax - frame.count)
        for (index, byte) in payload.enumerated() { memory[query.payloadStart + index] = byte }
        var span = memory.mutableSpan
        let count = query.writeReply(payload.count, in: &span)
        let reply = Array(memory[..<count])
        return fault(ofReplyFrame: reply, to: frame, payload: payload).map { fault in
            "\(fault): \(frame) got \(reply)"
        }
    }

    /// The table at `FrameVerdict`, read once more.
    static func expected(_ frame: [UInt8]) -> FrameVerdict {
        func number(_ index: Int) -> Int { Int(frame[index]) << 8 | Int(frame[index + 1]) }
        if frame.count < 14 + 20 + 8 + 12 { return .pass(.short) }
        if frame.count > frameByteCountMax { return .pass(.long) }
        if frame[0..<6] != [2, 0, 0, 0, 0, 1] { return .pass(.hardwareAddress) }
        guard let isIPv4 = [0x0800: true, 0x86dd: false][number(12)] else {
            return .pass(.etherType)
        }
        if !isIPv4, frame.count < 14 + 40 + 8 + 12 { return .pass(.short) }
        if isIPv4 ? frame[14] != 0x45 : frame[14] / 16 != 6 { return .pass(.header) }
        // MF, or an offset of 13 bits.
        if isIPv4, frame[20] & 0x20 != 0 || number(20) % 0x2000 != 0 { return .pass(.fragment) }
        if frame[isIPv4 ? 23 : 20] != 17 { return .pass(.transport) }
        let udp = isIPv4 ? 34 : 54
        if number(udp + 2) != 53 { return .pass(.port) }
        let end = 14 + (isIPv4 ? number(16) : 40 + number(18))
        if end > frame.count || end < udp + 8 { return .drop(.length) }
        if isIPv4, slowChecksum(Array(frame[14..<34])) != 0 { return .drop(.headerChecksum) }
        if !isIPv4, number(60) == 0 { return .drop(.noChecksum) }
        let udpEnd = udp + number(udp + 4)
        if udpEnd > end || udpEnd < udp + 8 { return .drop(.length) }
        let width = isIPv4 ? 4 : 16
        let source = Array(frame[(udp - 2 * width)..<(udp - width)])
        let destination = Array(frame[(udp - width)..<udp])
        if frame[6] % 2 == 1 || source == destination || isForbidden(source) {
            return .drop(.source)
        }
        if number(udp) == 0 { return .drop(.sourcePort) }
        guard let from = IPAddress(bytes: source), let to = IPAddress(bytes: destination) else {
            return .drop(.length)
        }
        return .query(
            FrameQuery(
                source: from, destination: to, sourcePort: UInt16(number(udp)),
                destinationPort: 53, payloadByteCount: udpEnd - udp - 8))
    }

    private static func isForbidden(_ source: [UInt8]) -> Bool {
        if source.count == 4 { return [0, 127].contains(source[0]) || source[0] >= 224 }
        let zeros = source.prefix { $0 == 0 }.count
        return source[0] == 0xff || zeros == 16 || zeros == 15 && source[15] == 1
            || zeros == 10 && source[10] == 0xff && source[11] == 0xff
    }
}
