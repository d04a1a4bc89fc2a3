package import Addressing

/// An Ethernet frame with a UDP datagram, made of its fields. Whatever a test sets stays as set,
/// true or not; what it leaves alone is computed.
package struct WireFrame: Sendable {
    /// 48 bits.
    package var receiver: UInt64 = 0x02_00_00_00_00_01
    package var sender: UInt64 = 0x02_00_00_00_00_02
    /// Tags or labels between the hardware addresses and the EtherType.
    package var tags: [UInt8] = []
    package var etherType: UInt16?
    package var source: IPAddress
    package var destination: IPAddress
    package var version: UInt8?
    /// TOS or traffic class.
    package var trafficClass: UInt8 = 0
    /// In IPv4: options, a multiple of four bytes. In IPv6: extension headers.
    package var options: [UInt8] = []
    /// In IPv4: flags and offset.
    package var fragment: UInt16 = 0
    package var identification: UInt16 = 0x1234
    package var hopLimit: UInt8 = 57
    /// The protocol; in IPv6, what the first header says.
    package var transport: UInt8 = 17
    /// IPv4's total length, IPv6's payload length.
    package var packetByteCount: UInt16?
    package var headerChecksum: UInt16?
    package var sourcePort: UInt16 = 40_000
    package var destinationPort: UInt16 = 53
    package var udpByteCount: UInt16?
    package var udpChecksum: UInt16?
    package var payload: [UInt8]
    /// Behind the packet.
    package var padding: [UInt8] = []

    package init(
        from source: IPAddress, to destination: IPAddress,
        payload: [UInt8] = [UInt8](repeating: 7, count: 30)
    ) {
        self.source = source
        self.destination = destination
        self.payload = payload
    }

    package var bytes: [UInt8] {
        let isIPv4 = destination.family == .ipv4
        let ethernet = hardware(receiver) + hardware(sender) + tags
        let type = etherType ?? (isIPv4 ? 0x0800 : 0x86dd)
        let packet = isIPv4 ? ipv4Header : ipv6Header
        return ethernet + number(type) + packet + udp + payload + padding
    }

    private var ipv4Header: [UInt8] {
        let words = UInt8(5 + options.count / 4)
        let total =
            packetByteCount ?? UInt16(truncatingIfNeeded: 28 + options.count + payload.count)
        var header: [UInt8] = [(version ?? 4) << 4 | words, trafficClass]
        header += number(total) + number(identification) + number(fragment)
        header += [hopLimit, transport, 0, 0] + source.bytes + destination.bytes + options
        let checksum = number(headerChecksum ?? slowChecksum(header))
        header.replaceSubrange(10..<12, with: checksum)
        return header
    }

    private var ipv6Header: [UInt8] {
        let length =
            packetByteCount ?? UInt16(truncatingIfNeeded: 8 + options.count + payload.count)
        var header: [UInt8] = [
            (version ?? 6) << 4 | trafficClass >> 4, trafficClass << 4, 0xab, 0xcd,
        ]
        header += number(length) + [transport, hopLimit]
        return header + source.bytes + destination.bytes + options
    }

    private var udp: [UInt8] {
        let length = udpByteCount ?? UInt16(truncatingIfNeeded: 8 + payload.count)
        let head = number(sourcePort) + number(destinationPort) + number(length)
        let pseudo = source.bytes + destination.bytes + [0, 17] + number(length)
        var checksum = slowChecksum(pseudo + head + payload)
        if checksum == 0 { checksum = 0xffff }
        return head + number(udpChecksum ?? checksum)
    }

    private func hardware(_ address: UInt64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * $0)) }
    }

    private func number(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}

/// The checksum of RFC 1071, as §1 has it in words: the ones' complement of the ones' complement
/// sum of 16-bit numbers, of which a last odd byte is the upper half.
package func slowChecksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
        sum += index % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte)
        if sum > 0xffff { sum -= 0xffff }
    }
    return ~UInt16(sum)
}

/// What is wrong with `reply` as the frame that answers `query` with `payload`; nil: nothing.
///
/// A reading of RFC 791, RFC 8200 and RFC 768 of its own, which shares nothing with the server.
package func fault(ofReplyFrame reply: [UInt8], to query: [UInt8], payload: [UInt8]) -> String? {
    guard reply.count >= 60 else { return "\(reply.count) bytes" }
    guard Array(reply[0..<6]) == Array(query[6..<12]), Array(reply[6..<12]) == Array(query[0..<6])
    else { return "hardware addresses" }
    guard reply[12] == query[12], reply[13] == query[13] else { return "EtherType" }
    let isIPv4 = reply[12] == 8
    let width = isIPv4 ? 4 : 16
    let addresses = isIPv4 ? 26 : 22
    let udp = addresses + 2 * width
    let end = udp + 8 + payload.count
    guard reply.count == max(60, end) else { return "\(reply.count) bytes, not \(end)" }
    let length = 8 + payload.count
    func number(_ index: Int) -> Int { Int(reply[index]) << 8 | Int(reply[index + 1]) }
    if isIPv4 {
        guard reply[14] == 0x45, reply[15] == 0 else { return "IPv4's first bytes" }
        guard number(16) == 20 + length else { return "total length \(number(16))" }
        guard number(18) == 0, number(20) == 0x4000 else { return "identification, flags" }
        guard reply[22] == 64, reply[23] == 17 else { return "TTL, protocol" }
        guard slowChecksum(Array(reply[14..<34])) == 0 else { return "header checksum" }
    } else {
        guard Array(reply[14..<18]) == [0x60, 0, 0, 0] else { return "IPv6's first bytes" }
        guard number(18) == length else { return "payload length \(number(18))" }
        guard reply[20] == 17, reply[21] == 64 else { return "next header, hop limit" }
    }
    let (first, second) = (addresses..<addresses + width, addresses + width..<udp)
    guard reply[first] == query[second], reply[second] == query[first] else { return "addresses" }
    guard reply[udp..<udp + 2] == query[udp + 2..<udp + 4],
        reply[udp + 2..<udp + 4] == query[udp..<udp + 2]
    else { return "ports" }
    guard number(udp + 4) == length else { return "UDP length \(number(udp + 4))" }
    guard number(udp + 6) != 0 else { return "no UDP checksum" }
    let pseudo = [0, 17, UInt8(length >> 8), UInt8(length & 0xff)]
    guard slowChecksum(pseudo + reply[addresses..<end]) == 0 else { return "UDP checksum" }
    guard Array(reply[(udp + 8)..<end]) == payload else { return "payload" }
    return reply[end...].allSatisfy { $0 == 0 } ? nil : "padding"
}
