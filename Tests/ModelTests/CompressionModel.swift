import DNSWire

/// How long a message is when each name in it is as short as the names before it allow (RFC 1035
/// §4.1.4): a set of all suffixes, byte by byte.
struct CompressionModel {
    /// In lower case. As many as the server remembers.
    private var suffixes: Set<[UInt8]> = []
    private static let suffixCountMax = 64

    static func byteCount(of message: Message) -> Int {
        var model = CompressionModel()
        var count = 12
        if let question = message.question { count += model.add(question.name.wire) + 4 }
        for record in message.answers + message.authorities + message.additionals {
            count += model.add(record.owner.wire) + 10 + model.add(record.rdata, of: record.type)
        }
        return count
    }

    /// Bytes that a name takes.
    private mutating func add(_ name: [UInt8]) -> Int {
        var position = 0
        while name[position] != 0 {
            if suffixes.contains(name[position...].map(lowercased)) {
                remember(name, upTo: position)
                return position + 2
            }
            position += 1 + Int(name[position])
        }
        remember(name, upTo: position)
        return position + 1
    }

    private mutating func remember(_ name: [UInt8], upTo end: Int) {
        var position = 0
        while position < end, suffixes.count < CompressionModel.suffixCountMax {
            suffixes.insert(name[position...].map(lowercased))
            position += 1 + Int(name[position])
        }
    }

    private mutating func add(_ rdata: [UInt8], of type: RRType) -> Int {
        guard let names = type.compressibleNames else {
            // Not compressed, but there to be pointed to.
            if type == .dname { remember(rdata, upTo: rdata.count - 1) }
            return rdata.count
        }
        var count = names.offset
        var position = names.offset
        for _ in 0..<names.count {
            let start = position
            while rdata[position] != 0 { position += 1 + Int(rdata[position]) }
            position += 1
            count += add(Array(rdata[start..<position]))
        }
        return count + rdata.count - position
    }
}
