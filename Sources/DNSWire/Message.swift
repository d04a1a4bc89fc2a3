/// A message taken apart, for tools and tests: names decompressed, everything copied. The server
/// itself never makes one.
package struct Message: Sendable {
    package struct Record: Sendable, Hashable {
        package var owner: DomainName
        package var type: RRType
        package var `class`: UInt16
        package var ttl: UInt32
        /// Names inside are decompressed.
        package var rdata: [UInt8]
    }

    package var identifier: UInt16
    /// The 16 bits after the identifier (RFC 1035 §4.1.1).
    package var flags: UInt16
    package var question: (name: DomainName, type: RRType, class: UInt16)?
    package var answers: [Record] = []
    package var authorities: [Record] = []
    package var additionals: [Record] = []

    package var isResponse: Bool { flags & 0x8000 != 0 }
    package var isAuthoritative: Bool { flags & 0x0400 != 0 }
    package var isTruncated: Bool { flags & 0x0200 != 0 }
    /// With the upper bits from OPT, if there is one (RFC 6891 §6.1.3).
    package var responseCode: UInt16 {
        let upper = additionals.first { $0.type == .opt }.map { UInt16($0.ttl >> 24) } ?? 0
        return upper << 4 | flags & 0xf
    }

    /// The scope prefix length of the client subnet that came back.
    package var clientSubnetScope: Int? {
        guard let option = additionals.first(where: { $0.type == .opt })?.rdata else { return nil }
        var rest = option[...]
        while rest.count >= 4 {
            let start = rest.startIndex
            let code = UInt16(rest[start]) << 8 | UInt16(rest[start + 1])
            let end = start + 4 + (Int(rest[start + 2]) << 8 | Int(rest[start + 3]))
            guard end <= rest.endIndex else { return nil }
            if code == ClientSubnet.optionCode, end - start >= 8 { return Int(rest[start + 7]) }
            rest = rest[end...]
        }
        return nil
    }

    /// Nil when the bytes are not one whole message.
    package init?(_ bytes: [UInt8]) {
        var reader = MessageReader(bytes)
        guard let identifier = reader.uint16(), let flags = reader.uint16(),
            let questionCount = reader.uint16(), let answerCount = reader.uint16(),
            let authorityCount = reader.uint16(), let additionalCount = reader.uint16(),
            questionCount <= 1
        else { return nil }
        self.identifier = identifier
        self.flags = flags
        if questionCount == 1 {
            guard let name = reader.name(), let type = reader.uint16(),
                let `class` = reader.uint16()
            else { return nil }
            question = (name, RRType(rawValue: type), `class`)
        }
        guard let answers = reader.records(answerCount),
            let authorities = reader.records(authorityCount),
            let additionals = reader.records(additionalCount), reader.isAtEnd
        else { return nil }
        self.answers = answers
        self.authorities = authorities
        self.additionals = additionals
    }

    /// A query as a resolver sends it: with EDNS, and with a client subnet when given.
    package static func query(
        _ name: DomainName, _ type: RRType, class: UInt16 = Query.classIN, identifier: UInt16 = 0,
        payloadByteCountMax: UInt16 = 1232,
        subnet: (address: [UInt8], prefixLength: UInt8)? = nil
    ) -> [UInt8] {
        func two(_ value: UInt16) -> [UInt8] {
            [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
        }
        var options: [UInt8] = []
        if let subnet {
            let byteCount = (Int(subnet.prefixLength) + 7) / 8
            options = two(ClientSubnet.optionCode) + two(UInt16(4 + byteCount))
            options += two(subnet.address.count == 4 ? 1 : 2) + [subnet.prefixLength, 0]
            options += subnet.address.prefix(byteCount)
        }
        return two(identifier) + [0, 0, 0, 1, 0, 0, 0, 0, 0, 1] + name.wire + two(type.rawValue)
            + two(`class`) + [0] + two(RRType.opt.rawValue) + two(payloadByteCountMax)
            + [0, 0, 0, 0] + two(UInt16(options.count)) + options
    }
}

/// Reads a message from front to back; every step is nil past the end.
private struct MessageReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func uint16() -> UInt16? {
        guard position + 2 <= bytes.count else { return nil }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    mutating func uint32() -> UInt32? {
        guard let high = uint16(), let low = uint16() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    /// A name, perhaps compressed; pointers must go backwards, which also ends every chain.
    mutating func name() -> DomainName? {
        var wire: [UInt8] = []
        var here = position
        var after: Int?
        while true {
            guard here < bytes.count else { return nil }
            let length = Int(bytes[here])
            if length >= 0xc0 {
                guard here + 1 < bytes.count else { return nil }
                let target = (length & 0x3f) << 8 | Int(bytes[here + 1])
                guard target < here else { return nil }
                after = after ?? here + 2
                here = target
                continue
            }
            guard length <= DomainName.labelByteCountMax, here + length < bytes.count,
                wire.count + length < DomainName.byteCountMax
            else { return nil }
            wire += bytes[here...here + length]
            here += 1 + length
            if length == 0 { break }
        }
        position = after ?? here
        return DomainName(wire: wire)
    }

    mutating func records(_ count: UInt16) -> [Message.Record]? {
        var records: [Message.Record] = []
        for _ in 0..<count {
            guard let record = record() else { return nil }
            records.append(record)
        }
        return records
    }

    private mutating func record() -> Message.Record? {
        guard let owner = name(), let number = uint16(), let `class` = uint16(), let ttl = uint32(),
            let byteCount = uint16(), position + Int(byteCount) <= bytes.count
        else { return nil }
        let type = RRType(rawValue: number)
        let end = position + Int(byteCount)
        var rdata: [UInt8] = []
        if let names = type.compressibleNames {
            guard position + names.offset <= end else { return nil }
            rdata += bytes[position..<position + names.offset]
            position += names.offset
            for _ in 0..<names.count {
                guard let name = name(), position <= end else { return nil }
                rdata += name.wire
            }
        }
        guard position <= end else { return nil }
        rdata += bytes[position..<end]
        position = end
        return Message.Record(owner: owner, type: type, class: `class`, ttl: ttl, rdata: rdata)
    }
}
