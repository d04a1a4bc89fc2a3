import Addressing
import TestSupport
import Testing

@testable import DatabaseBuilder

/// The slow, obvious model: the longest inserted prefix that holds the address, the last of equals.
private func modelValue(
    of address: IPAddress, in insertions: [(Prefix, DatabaseValue)]
) -> DatabaseValue? {
    var best: (prefix: Prefix, value: DatabaseValue)?
    for (prefix, value) in insertions where prefix.contains(address) {
        if prefix.length >= best?.prefix.length ?? 0 { best = (prefix, value) }
    }
    return best?.value
}

/// Prefixes close together, so that they nest, touch and repeat.
private func randomPrefix(
    _ family: IPAddress.Family, _ random: inout SeededGenerator
) -> Prefix {
    switch family {
    case .ipv4:
        let value = UInt32(random.next() & 0x0707_0703)
        return Prefix(IPAddress(ipv4: value), length: Int.random(in: 0...32, using: &random))
    case .ipv6:
        // In 2400::/12, away from the alias networks and from ::/96.
        let top: UInt128 = 0x240 << 116
        let middle = UInt128(random.next() & 0xf0f0) << 64
        let bottom = UInt128(random.next() & 0x3)
        return Prefix(
            IPAddress(ipv6: top | middle | bottom), length: Int.random(in: 12...128, using: &random)
        )
    }
}

@Test(
    arguments: [DatabaseBuilder.RecordSize?.none, .bits24, .bits28, .bits32], [1, 2, 3] as [UInt64])
func readersFindWhatTheModelFinds(recordSize: DatabaseBuilder.RecordSize?, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var insertions: [(Prefix, DatabaseValue)] = []
    var builder = DatabaseBuilder(version: .ipv6)
    for _ in 0..<300 {
        let family = Bool.random(using: &random) ? IPAddress.Family.ipv4 : .ipv6
        let value: DatabaseValue = [
            "country": ["iso_code": .string("C\(Int.random(in: 0..<5, using: &random))")]
        ]
        insertions.append((randomPrefix(family, &random), value))
        builder.insert(insertions.last!.0, value)
    }
    let database = try OpenDatabase(builder.encode(.test, recordSize: recordSize))
    for _ in 0..<2000 {
        let near = insertions.randomElement(using: &random)!.0.address
        let flip =
            UInt128(1)
            << UInt128(
                near.family == .ipv4
                    ? Int.random(in: 96...127, using: &random)
                    : Int.random(in: 0...115, using: &random))
        let address = IPAddress(leftAligned: near.bits ^ flip, family: near.family)
        #expect(
            database.lookup(address).value == modelValue(of: address, in: insertions), "\(address)")
    }
}

@Test func anIPv4DatabaseHoldsIPv4Only() throws {
    var builder = DatabaseBuilder(version: .ipv4)
    builder.insert(try #require(Prefix("198.51.100.0/24")), ["country": ["iso_code": "DE"]])
    let database = try OpenDatabase(builder.encode(.test))
    #expect(database.metadata.ip_version == 4)
    let found = database.lookup(try #require(IPAddress("198.51.100.7")))
    #expect(found.value == ["country": ["iso_code": "DE"]])
    #expect(found.length == 24)
    #expect(database.lookup(try #require(IPAddress("198.51.101.7"))).value == nil)
}

@Test func longerPrefixesWinInWhateverOrderTheyCome() throws {
    let wide = try #require(Prefix("10.0.0.0/8"))
    let narrow = try #require(Prefix("10.1.0.0/16"))
    for order in [[wide, narrow], [narrow, wide]] {
        var builder = DatabaseBuilder(version: .ipv4)
        for prefix in order { builder.insert(prefix, .string(prefix.description)) }
        let database = try OpenDatabase(builder.encode(.test))
        #expect(database.lookup(IPAddress("10.1.2.3")!).value == "10.1.0.0/16")
        #expect(database.lookup(IPAddress("10.2.2.3")!).value == "10.0.0.0/8")
    }
}

@Test func theLastOfEqualPrefixesWins() throws {
    var builder = DatabaseBuilder(version: .ipv4)
    builder.insert(Prefix("0.0.0.0/0")!, "first")
    builder.insert(Prefix("0.0.0.0/0")!, "second")
    let database = try OpenDatabase(builder.encode(.test))
    #expect(database.lookup(IPAddress("255.255.255.255")!).value == "second")
}

@Test func equalSiblingsAreMerged() throws {
    var builder = DatabaseBuilder(version: .ipv4)
    for third in 0..<256 { builder.insert(Prefix("10.9.\(third).0/24")!, "same") }
    let database = try OpenDatabase(builder.encode(.test))
    #expect(database.lookup(IPAddress("10.9.77.1")!).length == 16)
    #expect(database.metadata.node_count == 16)
}

@Test func aliasesLeadToTheIPv4Tree() throws {
    var builder = DatabaseBuilder(version: .ipv6)
    builder.insert(Prefix("203.0.113.0/24")!, "here")
    let addresses = [
        "::ffff:203.0.113.9", "2002:cb00:7109::1", "2001:0:cb00:7109::1", "::cb00:7109",
    ]
    let aliased = try OpenDatabase(builder.encode(.test))
    for text in addresses {
        #expect(aliased.lookup(IPAddress(text)!).value == "here", "\(text)")
    }
    let plain = try OpenDatabase(builder.encode(.test, aliases: false))
    #expect(plain.lookup(IPAddress("2002:cb00:7109::1")!).value == nil)
    #expect(plain.lookup(IPAddress("203.0.113.9")!).value == "here")
}

@Test func anEmptyDatabaseOpens() throws {
    for version in [DatabaseBuilder.Version.ipv4, .ipv6] {
        let database = try OpenDatabase(DatabaseBuilder(version: version).encode(.test))
        #expect(database.lookup(IPAddress("192.0.2.1")!).value == nil)
        #expect(database.metadata.node_count == 1)
    }
}

// MARK: - Values

private let sampleValues: [DatabaseValue] = [
    .map([]), .array([]), "", "x", .bytes([]), .bytes([0, 255]), .boolean(true), .boolean(false),
    .double(0), .double(-1.5e300), .double(139.7447), .float(1.25),
    .uint16(0), .uint16(.max), .uint32(0), .uint32(1 << 24), .uint32(.max), .uint64(.max),
    .uint128(0), .uint128(.max), .uint128(1 << 64), .int32(0), .int32(.max), .int32(-1),
    .int32(.min),
    ["a": ["b": ["c": [1.5, "two", .uint16(3), [.boolean(true)]]]]],
]

@Test(arguments: sampleValues)
func everyTypeComesBack(value: DatabaseValue) throws {
    var builder = DatabaseBuilder(version: .ipv4)
    // Beside its neighbour, so that pointers to values before it are in play.
    builder.insert(Prefix("0.0.0.0/1")!, ["first": value, "again": value])
    builder.insert(Prefix("128.0.0.0/1")!, ["second": value, "again": value])
    let database = try OpenDatabase(builder.encode(.test))
    #expect(database.lookup(IPAddress("1.1.1.1")!).value == ["first": value, "again": value])
    #expect(database.lookup(IPAddress("200.1.1.1")!).value == ["second": value, "again": value])
}

/// Around the places where the size in a control byte changes its form.
@Test(arguments: [28, 29, 30, 284, 285, 286, 65_820, 65_821, 65_822, 200_000])
func longStringsComeBack(byteCount: Int) throws {
    let text = DatabaseValue.string(String(repeating: "z", count: byteCount))
    var builder = DatabaseBuilder(version: .ipv4)
    builder.insert(Prefix("192.0.2.0/24")!, ["long": text, "after": "end"])
    let database = try OpenDatabase(builder.encode(.test))
    #expect(database.lookup(IPAddress("192.0.2.1")!).value == ["long": text, "after": "end"])
}

/// Values at offsets past 2,048, 526,336 and 134,744,064 are pointed to in 3, 4 and 5 bytes; the
/// last form is tried on the encoder alone, a file of that size being slow to write.
@Test(arguments: [0, 3_000, 600_000])
func pointersOfEveryLengthLead(fillerByteCount: Int) throws {
    let filler = DatabaseValue.bytes([UInt8](repeating: 7, count: fillerByteCount))
    let shared = DatabaseValue.string("a string worth pointing at")
    var builder = DatabaseBuilder(version: .ipv4)
    builder.insert(Prefix("0.0.0.0/1")!, ["filler": filler, "shared": shared])
    builder.insert(Prefix("128.0.0.0/1")!, ["other": shared])
    let bytes = try builder.encode(.test)
    let database = try OpenDatabase(bytes)
    #expect(database.lookup(IPAddress("128.0.0.1")!).value == ["other": shared])
    // Once as text, then as a pointer.
    let text = Array("a string worth pointing at".utf8)
    let occurrences = bytes.indices.filter {
        bytes[$0] == text[0] && bytes[$0...].starts(with: text)
    }
    #expect(occurrences.count == 1)
}

@Test func fiveBytePointersAreWrittenAsTheFormatSays() {
    var section = DataSection(usesPointers: true)
    for index in 0..<9 {
        let filler = [UInt8](repeating: UInt8(index), count: 16_000_000)
        _ = section.offset(of: .bytes(filler))
    }
    let target = section.offset(of: "a string worth pointing at")
    #expect(target > 134_744_064)
    let start = section.offset(of: ["a string worth pointing at"])
    let expected = [0x01, 0x04, 0x38] + (0..<4).reversed().map { UInt8(target >> (8 * $0) & 255) }
    #expect(Array(section.bytes[start...]) == expected)
}

@Test func metadataSaysWhatWasAsked() throws {
    var builder = DatabaseBuilder(version: .ipv6)
    builder.insert(Prefix("192.0.2.0/24")!, "x")
    let database = try OpenDatabase(builder.encode(.test, recordSize: .bits28))
    #expect(database.databaseType == "Test")
    #expect(database.metadata.build_epoch == 1_700_000_000)
    #expect(database.metadata.record_size == 28)
    #expect(database.metadata.binary_format_major_version == 2)
    #expect(database.metadata.languages.count == 1)
    #expect(
        String(cString: database.metadata.description.descriptions[0]!.pointee.language) == "en")
}

@Test func theRecordSizeGrowsWithTheData() throws {
    var builder = DatabaseBuilder(version: .ipv4)
    builder.insert(Prefix("192.0.2.0/24")!, .bytes([UInt8](repeating: 1, count: 16_800_000)))
    builder.insert(Prefix("198.51.100.0/24")!, "past the first 16 MiB")
    let bytes = try builder.encode(.test)
    let database = try OpenDatabase(bytes)
    #expect(database.metadata.record_size == 28)
    #expect(database.lookup(IPAddress("198.51.100.1")!).value == "past the first 16 MiB")
    #expect(throws: DatabaseBuilder.RecordSizeError.self) {
        try builder.encode(.test, recordSize: .bits24)
    }
}

@Test func theFirstSecondOf1970IsWrittenAsTheSecond() throws {
    let bytes = try DatabaseBuilder().encode(
        .init(databaseType: "Test", description: "", buildEpoch: 0))
    #expect(try OpenDatabase(bytes).metadata.build_epoch == 1)
}

@Test func theSameInsertionsGiveTheSameBytes() throws {
    func build() throws -> [UInt8] {
        var builder = DatabaseBuilder()
        for third in 0..<200 {
            builder.insert(
                Prefix("10.0.\(third).0/24")!, ["city": .string("C\(third % 7)"), "n": .double(1)])
        }
        return try builder.encode(.test)
    }
    #expect(try build() == build())
}
