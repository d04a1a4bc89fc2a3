package import DNSWire
import Tables

/// The SOA record of a negative response (RFC 2308 §3) as it stands right after the question, its
/// names compressed (RFC 1035 §4.1.4): in all responses of a zone it is the same, but for where
/// its pointers lead.
package struct NegativeRecord: BitwiseCopyable, Sendable {
    /// Where it begins in the table's bytes. In place of a pointer stands how far from the
    /// beginning the name is that it leads to: 16 bits, in front of it negative.
    package private(set) var offset: UInt32 = 0
    /// 0: this zone has none, its SOA is compressed anew for each response.
    package private(set) var byteCount: UInt16 = 0
    /// Where pointers stand in it, but for the owner's, with which it begins; 0: none.
    package private(set) var pointers: (UInt16, UInt16) = (0, 0)
    /// Of MNAME and RNAME, if they are below the zone's name.
    private var labels: (LastLabel, LastLabel) = (LastLabel(), LastLabel())

    /// Labels of the longest question that it is used for: with more, not all of them could be led
    /// to (`NameCompressor`).
    private static var questionLabelCountMax: Int { 32 }
    private static var ownLabelCountMax: Int { 16 }

    package init() {}

    /// Appends it to `bytes`. `apex` and the SOA's `rdata` are in wire form, `apex` in lower case.
    /// Nil for the root, which has nothing to point to, and where MNAME has very many labels.
    init?(apex: [UInt8], rdata: [UInt8], ttl: UInt32, appendingTo bytes: inout [UInt8]) {
        guard apex.count > 1, let offset = UInt32(exactly: bytes.count) else { return nil }
        var writer = Writer(apex: apex, ttl: ttl)
        var names: [[UInt8]] = []
        var position = 0
        for _ in 0..<2 {
            let count = rdata.span.nameByteCount(at: position)
            names.append(Array(rdata[position..<position + count]))
            position += count
        }
        let found = names.map { writer.put($0) }
        guard writer.labelCount <= NegativeRecord.ownLabelCountMax else { return nil }
        writer.finish(with: rdata[position...])
        self.offset = offset
        byteCount = UInt16(writer.bytes.count)
        pointers = (found[0], found[1])
        labels = (LastLabel(of: names[0], above: apex), LastLabel(of: names[1], above: apex))
        bytes += writer.bytes
    }

    /// Whether it is compressed as well as can be after a question for `name`, a name of the zone,
    /// whose own name has `apexByteCount` bytes. It is not where the question holds more of
    /// MNAME or RNAME than the zone's name.
    @inline(__always)
    package func suits(
        _ message: Span<UInt8>, _ name: borrowing QuestionName, apexByteCount: Int,
        questionEnd: Int
    ) -> Bool {
        guard byteCount > 0, name.labelCount <= NegativeRecord.questionLabelCountMax else {
            return false
        }
        // What stands before the zone's name: the header at least.
        let end = questionEnd &- 4 &- apexByteCount
        let word = lowercased(word: message.word(at: end &- 8))
        return !labels.0.ends(word) && !labels.1.ends(word)
    }

    /// The label that stands right before the zone's name, or as much of its end as eight bytes
    /// hold.
    private struct LastLabel: BitwiseCopyable, Sendable {
        /// The last byte highest.
        var word: UInt64 = 1
        /// Of those that count; 0, and no word ends with it: there is none.
        var mask: UInt64 = 0

        init() {}

        init(of name: [UInt8], above apex: [UInt8]) {
            let name = name.map(lowercased)
            guard let start = name.labelStarts.last(where: { name.count - $0 > apex.count }),
                Array(name.suffix(apex.count)) == apex
            else { return }
            let bytes = name[start..<name.count - apex.count].suffix(8)
            mask = UInt64.max << UInt64(64 - 8 * bytes.count)
            word = bytes.reduce(0) { $0 >> 8 | UInt64($1) << 56 }
        }

        /// Perhaps of a longer label, too: that does no harm.
        @inline(__always)
        func ends(_ text: UInt64) -> Bool { text & mask == word }
    }

    /// Compresses as `NameCompressor` does.
    private struct Writer {
        var bytes: [UInt8] = []
        var labelCount = 0
        /// Names in lower case, and where they stand, counted from the record.
        private var targets: [(name: [UInt8], distance: Int)] = []

        /// The question's last bytes are the zone's name, type and class.
        init(apex: [UInt8], ttl: UInt32) {
            for start in apex.labelStarts {
                targets.append((Array(apex[start...]), start - apex.count - 4))
            }
            put16(UInt16(truncatingIfNeeded: targets[0].distance))
            put16(RRType.soa.rawValue)
            put16(Query.classIN)
            put16(UInt16(ttl >> 16))
            put16(UInt16(truncatingIfNeeded: ttl))
            // RDLENGTH, by `finish`.
            put16(0)
        }

        /// Where its pointer stands; 0: it ends with the root.
        mutating func put(_ name: [UInt8]) -> UInt16 {
            let lower = name.map(lowercased)
            for start in lower.labelStarts {
                let rest = Array(lower[start...])
                if let target = targets.first(where: { $0.name == rest }) {
                    put16(UInt16(truncatingIfNeeded: target.distance))
                    return UInt16(bytes.count - 2)
                }
                targets.append((rest, bytes.count))
                bytes += name[start...start + Int(name[start])]
                labelCount += 1
            }
            bytes.append(0)
            return 0
        }

        mutating func finish(with numbers: ArraySlice<UInt8>) {
            bytes += numbers
            let byteCount = UInt16(bytes.count - NegativeRecord.fixedByteCount)
            bytes[10] = UInt8(byteCount >> 8)
            bytes[11] = UInt8(byteCount & 0xff)
        }

        private mutating func put16(_ value: UInt16) {
            bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
        }
    }

    /// Owner, type, class, TTL, RDLENGTH.
    private static var fixedByteCount: Int { 12 }
}

extension [UInt8] {
    /// Of a name in wire form, without the root's.
    fileprivate var labelStarts: [Int] {
        var starts: [Int] = []
        var position = 0
        while self[position] != 0 {
            starts.append(position)
            position += 1 + Int(self[position])
        }
        return starts
    }
}
