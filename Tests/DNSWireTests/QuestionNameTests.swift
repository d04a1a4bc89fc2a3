import DNSWire
import Tables
import TestSupport
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

/// Names of any bytes and of all lengths, after and before whatever else a message holds: read in
/// words, and compared with what is done byte by byte.
@Test(arguments: 0..<64) func aNameReadInWordsIsTheOneReadByteByByte(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
        let wire = randomName(&random)
        let labels = try #require(DomainName(wire: wire)).labels
        let canonical = wire.map(DNSWire.lowercased)
        let start = Int.random(in: 0...13, using: &random)
        let message =
            randomBytes(start, &random) + wire
            + randomBytes(Int.random(in: 0...12, using: &random), &random)
        var question = QuestionName()
        // What an earlier query has left behind.
        let earlier = [63] + randomBytes(63, &random) + [0]
        _ = question.readLower(earlier.span, at: 0)

        let end = question.readLower(message.span, at: start)
        #expect(end == start + wire.count)
        let (labelCount, byteCount, hash) = (
            question.labelCount, question.byteCount, question.hash
        )
        #expect(labelCount == labels.count)
        try #require(byteCount == canonical.count)
        var bytes: [UInt8] = []
        for index in 0..<byteCount { bytes.append(question.byte(at: index)) }
        #expect(bytes == canonical)
        #expect(hash == NameHash.of(canonical[...]))

        let padding = Int.random(in: 0...9, using: &random)
        // As most questions are looked up: never put into lower case.
        var asked = QuestionName()
        let (endOfAsked, hashOfAsked) = (asked.read(message.span, at: start), asked.hash)
        #expect(endOfAsked == end)
        #expect(hashOfAsked == hash)
        var offset = 0
        for count in (0...labels.count).reversed() {
            let hash = question.hash(from: offset)
            #expect(hash == NameHash.of(canonical[offset...]))
            let suffix = Array(canonical[offset...])
            let isItself = question.isSuffix(from: offset, suffix, after: padding)
            #expect(isItself)
            var other = suffix
            other[Int.random(in: suffix.indices, using: &random)] ^= 1 << UInt8(seed & 7)
            let isOther = question.isSuffix(from: offset, other, after: padding)
            #expect(!isOther)
            let isAsked = asked.isSuffix(from: offset, suffix, after: padding, readFrom: message)
            #expect(isAsked)
            // Tables are in lower case.
            let isTable = other == other.map(DNSWire.lowercased)
            let isUnlike =
                isTable
                && asked.isSuffix(from: offset, other, after: padding, readFrom: message)
            #expect(!isUnlike)
            let hashAsked = asked.hash(from: offset, readFrom: message.span)
            #expect(hashAsked == hash)
            guard count > 0 else { continue }
            let next = asked.parent(of: offset, readFrom: message.span)
            offset = question.parent(of: offset)
            #expect(next == offset)
        }
        #expect(offset == wire.count - 1)

        let cut = Array(message.prefix(start + wire.count - 1))
        let endOfCut = question.readLower(cut.span, at: start)
        #expect(endOfCut == nil)
    }
}

/// A name that is longer than what is left of the table stands nowhere in it.
@Test func nothingIsReadPastATable() throws {
    var question = QuestionName()
    let long = try #require(DomainName("a-long-label-that-nobody-has.version.bind"))
    _ = question.readLower(long.wire.span, at: 0)
    let isThere = question.isSuffix(from: 0, [7, 118], after: 0)
    #expect(!isThere)
}

@Test func namesThatAreTooLongAreNotRead() {
    func read(_ labels: [Int]) -> Int? {
        var question = QuestionName()
        var wire: [UInt8] = []
        for count in labels { wire += [UInt8(count)] + [UInt8](repeating: 0x41, count: count) }
        wire.append(0)
        return question.readLower(wire.span, at: 0)
    }
    #expect(read([63, 63, 63, 61]) == 255)
    #expect(read([63, 63, 63, 62]) == nil)
    #expect(read([Int](repeating: 1, count: 127)) == 255)
    #expect(read([Int](repeating: 1, count: 128)) == nil)
    #expect(read([64]) == nil)
    #expect(read([0xc0]) == nil)
}

/// Tables take the low bits of a hash: names that differ in one place only must not crowd there.
@Test func hashesOfSimilarNamesSpread() throws {
    for pattern in ["h%.example", "%.a", "www.h%.static.example.com", "aaaaaaa%.example"] {
        var slots: Set<UInt64> = []
        for number in 0..<1024 {
            let text = pattern.split(separator: "%", omittingEmptySubsequences: false)
                .joined(separator: "\(number)")
            let name = try #require(DomainName(text))
            slots.insert(NameHash.of(name.wire[...]) & 2047)
        }
        // Drawn at random it would be 805.
        #expect(slots.count > 740, "\(pattern)")
    }
}

extension QuestionName {
    /// As it would stand in a table, behind `padding` bytes.
    fileprivate func isSuffix(from offset: Int, _ name: [UInt8], after padding: Int) -> Bool {
        let table = FrozenArray(
            [UInt8](repeating: 9, count: padding) + name + [UInt8](repeating: 7, count: 8))
        return withExtendedLifetime(table) {
            unsafe isSuffix(from: offset, equalTo: table.view, at: padding)
        }
    }

    /// The same for the name as it stands in the message.
    fileprivate func isSuffix(
        from offset: Int, _ name: [UInt8], after padding: Int, readFrom message: [UInt8]
    ) -> Bool {
        let table = FrozenArray([UInt8](repeating: 9, count: padding) + name)
        return withExtendedLifetime(table) {
            unsafe isSuffix(
                from: offset, equalTo: table.view, at: padding, readFrom: message.span)
        }
    }
}

private func randomBytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in .random(in: 0 ... .max, using: &random) }
}

/// A name on the wire, of up to 255 bytes, that need not be a host's.
private func randomName(_ random: inout SeededGenerator) -> [UInt8] {
    let most = Int.random(in: 0...254, using: &random)
    let longest = Int.random(in: 1...63, using: &random)
    let letters = Bool.random(using: &random)
    var wire: [UInt8] = []
    while true {
        let count = Int.random(in: 1...longest, using: &random)
        guard wire.count + 1 + count <= most else { return wire + [0] }
        let label =
            letters
            ? (0..<count).map { _ in Array("aAzZ-09_@[`{".utf8).randomElement(using: &random) ?? 0 }
            : randomBytes(count, &random)
        wire += [UInt8(count)] + label
    }
}
