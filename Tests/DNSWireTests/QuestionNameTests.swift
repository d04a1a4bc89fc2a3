import DNSWire
import Tables
import Testing

@Test func wordsAreLowercasedByteByByte() {
    for byte in UInt8.min...UInt8.max {
        for position in 0..<8 {
            // Neighbours at both ends of every range that a carry could cross.
            for neighbour in [UInt8(0x00), 0x40, 0x41, 0x5a, 0x5b, 0x7f, 0x80, 0xc1, 0xff] {
                var bytes = [UInt8](repeating: neighbour, count: 8)
                bytes[position] = byte
                let word = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let expected = bytes.map(DNSWire.lowercased).reversed()
                    .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                #expect(Tables.lowercased(word: word) == expected)
            }
        }
    }
}

/// Also where there are not even eight bytes.
@Test func aWordFitsOnlyWhereAllOfItIs() {
    #expect(wordFits(at: 0, in: 8))
    #expect(wordFits(at: 4, in: 12))
    #expect(!wordFits(at: 5, in: 12))
    #expect(!wordFits(at: -1, in: 12))
    for count in 0..<8 { #expect(!wordFits(at: 0, in: count)) }
    #expect(!wordFits(at: .max, in: 12))
}

/// Labels around the word size, names at both ends of the message, every case.
@Test(arguments: ["a", "www.example.com", "Seven77.EightLtr.NineLette.x", "."])
func aReadNameIsItsLowerCaseWithTheBuildersHashes(text: String) throws {
    let name = try #require(DomainName(text))
    var expected: [UInt64] = [NameHash.root]
    for label in name.canonical.labels.reversed() {
        let wire = [UInt8(label.count)] + label
        expected.insert(NameHash.extend(expected[0], by: wire[...]), at: 0)
    }
    for tail in [[], [0, 1, 0, 1], [UInt8](repeating: 0xff, count: 20)] {
        let message = [UInt8](repeating: 7, count: 12) + name.wire + tail
        var question = QuestionName()
        let end = question.read(message.span, at: 12)
        #expect(end == 12 + name.wire.count)
        let (labelCount, byteCount) = (question.labelCount, question.byteCount)
        #expect(labelCount == name.labels.count)
        #expect(byteCount == name.wire.count)
        let hashes = (0...labelCount).map { question.hash(from: $0) }
        #expect(hashes == expected)
        let table = FrozenArray(name.canonical.wire + [UInt8](repeating: 9, count: 8))
        let isSame = withExtendedLifetime(table) {
            question.isSuffix(from: 0, equalTo: table.view, at: 0)
        }
        #expect(isSame)
    }
}
