/// A DNS message read by other means than the server's own, and more strictly: it knows where each
/// label was written, and what may be compressed.
struct WireMessage {
    struct Record {
        /// Uncompressed, in lower case, the root's zero byte included.
        var owner: [UInt8]
        var type: UInt16
        var `class`: UInt16
        var ttl: UInt32
        /// Names in it uncompressed and in lower case.
        var rdata: [UInt8]
        /// 0 answer, 1 authority, 2 additional.
        var section: Int
    }

    struct Fault: Error {
        var words: String
    }

    private let bytes: [UInt8]
    private var position = 12
    /// Where labels of names read so far start: what a pointer may lead to (RFC 1035 §4.1.4: "a
    /// prior occurance").
    private var labelStarts: Set<Int> = []
    private(set) var questionEnd = 12
    private(set) var records: [Record] = []

    var flags: UInt16 { two(2) }
    var opcode: UInt16 { flags >> 11 & 15 }
    var isTruncated: Bool { flags & 0x0200 != 0 }
    var opt: Record? { records.first { $0.type == 41 } }
    /// With the upper bits from OPT (RFC 6891 §6.1.3).
    var responseCode: UInt16 {
        UInt16(truncatingIfNeeded: (opt?.ttl ?? 0) >> 20) & 0xff0 | flags & 15
    }

    func records(in section: Int) -> [Record] { records.filter { $0.section == section } }

    init(_ bytes: [UInt8]) throws(Fault) {
        self.bytes = bytes
        guard bytes.count >= 12 else { throw Fault(words: "\(bytes.count) bytes") }
        guard two(4) <= 1 else { throw Fault(words: "\(two(4)) questions") }
        if two(4) == 1 {
            _ = try name(isCompressible: false)
            try need(4)
            position += 4
            questionEnd = position
        }
        for section in 0...2 {
            for _ in 0..<two(6 + 2 * section) { try readRecord(section) }
        }
        guard position == bytes.count else {
            throw Fault(words: "\(bytes.count - position) bytes after the last record")
        }
    }

    private func two(_ index: Int) -> UInt16 {
        UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
    }

    private func need(_ count: Int) throws(Fault) {
        guard position + count <= bytes.count else { throw Fault(words: "cut short") }
    }

    private mutating func readRecord(_ section: Int) throws(Fault) {
        let owner = try name()
        try need(10)
        let start = position
        let type = two(start)
        position += 10
        let end = position + Int(two(start + 8))
        try need(end - position)
        var rdata: [UInt8] = []
        // The types of RFC 1035, whose names may be compressed (RFC 3597 §4).
        let fields: (before: Int, names: Int) =
            switch type {
            case 2, 5, 12: (0, 1)
            case 15: (2, 1)
            case 6: (0, 2)
            // Not compressed itself (RFC 6672 §2.5), but pointers may lead there.
            case 39: (0, 1)
            default: (0, 0)
            }
        rdata += bytes[position..<min(position + fields.before, end)]
        position += rdata.count
        for _ in 0..<fields.names { rdata += try name(isCompressible: type != 39) }
        guard position <= end else { throw Fault(words: "a name leaves its RDATA") }
        if fields.names > 0, type != 6, position != end {
            throw Fault(words: "bytes after the name of type \(type)")
        }
        rdata += bytes[position..<end]
        position = end
        records.append(
            Record(
                owner: owner, type: type, class: two(start + 2),
                ttl: UInt32(two(start + 4)) << 16 | UInt32(two(start + 6)), rdata: rdata,
                section: section))
    }

    private mutating func name(isCompressible: Bool = true) throws(Fault) -> [UInt8] {
        var name: [UInt8] = []
        var here = position
        var hasJumped = false
        while true {
            guard here < bytes.count else { throw Fault(words: "a name cut short") }
            let length = Int(bytes[here])
            if length >= 0xc0 {
                guard isCompressible else {
                    throw Fault(words: "a compressed name where none may be")
                }
                guard here + 1 < bytes.count else { throw Fault(words: "a pointer cut short") }
                let target = (length & 0x3f) << 8 | Int(bytes[here + 1])
                guard target < here, labelStarts.contains(target) else {
                    throw Fault(words: "a pointer at \(here) to \(target), where no label starts")
                }
                if !hasJumped { position = here + 2 }
                hasJumped = true
                here = target
                continue
            }
            guard length < 64, here + length < bytes.count else {
                throw Fault(words: "a label of \(length) bytes at \(here)")
            }
            if !hasJumped { labelStarts.insert(here) }
            name.append(UInt8(length))
            name += bytes[(here + 1)..<(here + 1 + length)].map {
                $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0
            }
            here += 1 + length
            if length == 0 { break }
        }
        guard name.count <= 255 else { throw Fault(words: "a name of \(name.count) bytes") }
        if !hasJumped { position = here }
        return name
    }

    /// Code and data of each option of OPT; nil when one is cut short.
    static func options(_ rdata: [UInt8]) -> [(code: UInt16, data: [UInt8])]? {
        var options: [(UInt16, [UInt8])] = []
        var rest = rdata[...]
        while !rest.isEmpty {
            let start = rest.startIndex
            guard rest.count >= 4 else { return nil }
            let count = Int(rest[start + 2]) << 8 | Int(rest[start + 3])
            guard rest.count >= 4 + count else { return nil }
            options.append(
                (
                    UInt16(rest[start]) << 8 | UInt16(rest[start + 1]),
                    Array(rest[(start + 4)..<(start + 4 + count)])
                ))
            rest = rest.dropFirst(4 + count)
        }
        return options
    }
}
