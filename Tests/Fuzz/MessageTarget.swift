import DNSWire
import Responder

extension FuzzTarget {
    /// Any bytes as a message: one byte chooses the client, the rest is the message. It is asked
    /// over both transports.
    static let message = FuzzTarget(
        name: "message", byteCountMax: 700,
        seeds: {
            var seeds: [[UInt8]] = []
            for (index, name) in FuzzServer.names.enumerated() {
                for step in 0..<3 {
                    let type = FuzzServer.types[(index + step * 5) % FuzzServer.types.count]
                    seeds.append(
                        [UInt8(index % 4)]
                            + Message.query(
                                name, type, identifier: UInt16(index),
                                payloadByteCountMax: step == 0 ? 512 : 4096,
                                subnet: step == 1 ? ([203, 0, 113, 0], 24) : nil))
                }
                // Without EDNS: the question is all.
                var plain = Message.query(name, .a)
                plain.removeLast(11)
                plain[11] = 0
                plain[2] |= 1
                seeds.append([0] + plain)
            }
            return seeds
        },
        words: { FuzzServer.names.map(\.wire) + FuzzServer.types.map(bigEndian) },
        fault: { input in
            guard let first = input.first else { return nil }
            let client = FuzzServer.clients[Int(first) % FuzzServer.clients.count]
            let message = Array(input.dropFirst())
            let datagram = FuzzServer.shared.judge(message, from: client, over: .datagram)
            let stream = FuzzServer.shared.judge(message, from: client, over: .stream)
            return datagram.fault ?? stream.fault
                ?? difference(datagram.response, stream.response)
        })

    private static func bigEndian(_ type: RRType) -> [UInt8] {
        [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xff)]
    }

    /// Over both transports RCODE and AA are the same, and, unless it was truncated, what was
    /// answered.
    private static func difference(_ datagram: [UInt8], _ stream: [UInt8]) -> String? {
        guard let one = try? WireMessage(datagram), let other = try? WireMessage(stream)
        else { return datagram.count == stream.count ? nil : "answered over one transport only" }
        let bits: UInt16 = 0xfd7f
        guard one.flags & bits == other.flags & bits, one.responseCode == other.responseCode
        else { return "over UDP \(datagram), over TCP \(stream)" }
        if one.isTruncated { return nil }
        for section in 0...1 {
            let count = (one.records(in: section).count, other.records(in: section).count)
            if count.0 != count.1 { return "section \(section): \(count) records" }
        }
        return nil
    }
}
