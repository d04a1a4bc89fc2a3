import DNSWire

/// Makes packets that no resolver should send, out of good queries; from a seed, so that each can
/// be made again.
package struct PacketMutator {
    private var generator: SeededGenerator

    package init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private static let names = [
        "www.example.com", "app.example.com", "a.b.wild.example.com", "sub.example.com",
        "x.sub.example.com", "alias.example.com", "example.com", "nothing.example.com",
        "large.example.com", "www.example.org", ".",
        "a23456789-123456789-123456789-123456789-123456789-123456789-123.example.com",
    ]
    private static let types: [RRType] = [
        .a, .aaaa, .ns, .soa, .mx, .txt, .any, .cname, .geo, .region, .ds,
        RRType(rawValue: 0), RRType(rawValue: 65280), RRType(rawValue: 252),
    ]

    package mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    /// As a resolver would send it.
    package mutating func goodQuery() -> [UInt8] {
        let name = DomainName(PacketMutator.names[roll(PacketMutator.names.count)]) ?? .root
        let type = PacketMutator.types[roll(PacketMutator.types.count)]
        let identifier = UInt16.random(in: 0...UInt16.max, using: &generator)
        var subnet: (address: [UInt8], prefixLength: UInt8)?
        switch roll(4) {
        case 0: subnet = ([203, 0, 113, 0], 24)
        case 1: subnet = ([0x20, 0x01, 0x0d, 0xb8, 0, 2] + [UInt8](repeating: 0, count: 10), 48)
        default: break
        }
        let payloads: [UInt16] = [0, 512, 1232, 4096, 65_535]
        var query = Message.query(
            name, type, identifier: identifier, payloadByteCountMax: payloads[roll(5)],
            subnet: subnet)
        if roll(8) == 0 {
            // Without EDNS: the question is all.
            query = Array(query[..<(12 + name.wire.count + 4)])
            query[11] = 0
        }
        if roll(2) == 0 { query[2] |= 1 }
        return query
    }

    /// A good query with something wrong, or noise.
    package mutating func packet() -> [UInt8] {
        var packet = goodQuery()
        for _ in 0...roll(3) { mutate(&packet) }
        return packet
    }

    private mutating func mutate(_ packet: inout [UInt8]) {
        guard packet.count > 12 else {
            packet = noise(roll(64))
            return
        }
        switch roll(14) {
        case 0:  // Bits flipped anywhere.
            for _ in 0...roll(8) { packet[roll(packet.count)] ^= 1 << UInt8(roll(8)) }
        case 1: packet.removeLast(roll(packet.count))
        case 2: packet += noise(1 + roll(40))
        case 3:  // The counts lie.
            packet[4 + roll(8)] = [0, 1, 2, 0xff][roll(4)]
        case 4:  // A label's length lies.
            packet[12] = UInt8(roll(256))
        case 5:  // A pointer in the question: to itself, the header, forwards, anywhere.
            let position = 12 + roll(max(packet.count - 14, 1))
            if position + 1 < packet.count {
                packet[position] = 0xc0 | UInt8(roll(64))
                packet[position + 1] = [12, 0, UInt8(position & 0xff), UInt8(roll(256))][roll(4)]
            }
        case 6: packet[2] = UInt8(roll(256))  // QR, opcode, AA, TC, RD
        case 7: packet[3] = UInt8(roll(256))
        case 8: corruptOPT(&packet)
        case 9: packet = noise(roll(600))
        case 10:  // A second question, or a second OPT.
            packet += Array(packet[12...])
            packet[roll(2) == 0 ? 5 : 11] = 2
        case 11:  // Type and class.
            packet[max(12, packet.count - 1 - roll(20))] = UInt8(roll(256))
        case 12:  // A name longer than 255 bytes.
            packet = Array(packet[..<12]) + longName() + [0, 1, 0, 1]
            packet[11] = 0
        default:
            packet[roll(packet.count)] = UInt8(roll(256))
        }
    }

    /// The last record is OPT, as far as anything is certain any more.
    private mutating func corruptOPT(_ packet: inout [UInt8]) {
        guard let start = packet.lastIndex(of: 41), start + 9 < packet.count else { return }
        switch roll(6) {
        case 0: packet[start + 7 + roll(2)] = UInt8(roll(256))  // RDLENGTH
        case 1: packet[start + 4] = UInt8(roll(256))  // version
        case 2: packet[start + 1 + roll(2)] = UInt8(roll(256))  // payload
        case 3:  // Somewhere in the options: code, length, family, prefixes, address.
            let position = start + 9 + roll(12)
            if position < packet.count { packet[position] = UInt8(roll(256)) }
        case 4:  // An option that is not there.
            packet += [0, UInt8(roll(20)), 0, UInt8(roll(20))] + noise(roll(20))
            packet[start + 8] &+= UInt8(roll(24))
        default: packet.insert(UInt8(roll(256)), at: start + roll(packet.count - start))
        }
    }

    private mutating func longName() -> [UInt8] {
        var name: [UInt8] = []
        for _ in 0...(3 + roll(4)) { name += [63] + [UInt8](repeating: 0x61, count: 63) }
        return name + [0]
    }

    private mutating func noise(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// What must hold of every response, whatever was asked. Nil when it does, else what is wrong.
package func fault(of response: [UInt8], to query: [UInt8], byteCountMax: Int) -> String? {
    guard query.count >= 12 else { return "answered \(query.count) bytes" }
    guard query[2] & 0x80 == 0 else { return "answered a response" }
    guard response.count <= byteCountMax else {
        return "\(response.count) bytes, at most \(byteCountMax) allowed"
    }
    guard let message = Message(response) else { return "does not parse" }
    guard response[0...1] == query[0...1] else { return "another identifier" }
    guard message.isResponse else { return "QR is not set" }
    guard response[2] & 0x78 == query[2] & 0x78 else { return "opcode changed" }
    // RD is a flag of the opcode QUERY.
    guard response[2] & 1 == (query[2] & 0x78 == 0 ? query[2] & 1 : 0) else { return "RD" }
    guard response[3] & 0x70 == 0 else { return "Z, AD or CD set" }
    guard (message.additionals.filter { $0.type == .opt }).count <= 1 else { return "two OPT" }
    let code = message.responseCode
    guard ResponseCode(rawValue: code) != nil else { return "RCODE \(code)" }
    if message.question != nil {
        let end = 12 + (questionByteCount(response) ?? 0)
        guard end <= query.count, response[12..<end] == query[12..<end] else {
            return "the question is not the one asked"
        }
    } else if code == 0 || code == 3 {
        return "an answer without question"
    }
    if message.isTruncated, !message.answers.isEmpty { return "truncated, and with answers" }
    if code != 0, code != 3, !message.answers.isEmpty { return "an error with answers" }
    return nil
}

/// Name, type and class of the question, which is never compressed in a response.
private func questionByteCount(_ message: [UInt8]) -> Int? {
    var position = 12
    while position < message.count, message[position] != 0 {
        guard message[position] < 64 else { return nil }
        position += 1 + Int(message[position])
    }
    return position + 5 - 12
}
