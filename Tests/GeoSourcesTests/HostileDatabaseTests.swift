import Addressing
import DatabaseBuilder
import Foundation
import Geography
import TestSupport
import Testing

@testable import GeoSources

private let germany = LocationRecord(
    continent: "EU", country: "DE", latitude: 52.5, longitude: 13.4)
private let marker: [UInt8] = [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)

private func sound() throws -> [UInt8] {
    try encode([
        ("203.0.113.0/24", germany), ("2001:db8::/32", germany),
        ("198.51.100.0/24", LocationRecord(country: "FR", city: "Lyon")),
    ])
}

/// An IPv4 database of 24-bit records from its parts.
private func database(
    nodes: [(Int, Int)], data: [UInt8], metadata: [UInt8]? = nil
) throws -> [UInt8] {
    func three(_ value: Int) -> [UInt8] { [16, 8, 0].map { UInt8(value >> $0 & 255) } }
    let empty = try DatabaseBuilder(version: .ipv4).encode(
        .init(databaseType: "Test", description: "", buildEpoch: 0), recordSize: .bits24)
    var usual = Array(empty[(empty.firstIndex(of: 0xab)! + marker.count)...])
    // The count of nodes is the uint32 after its name: one byte, 1, in the empty database.
    let name = Array("node_count".utf8)
    let position = usual.indices.first { usual[$0...].starts(with: name) }! + name.count
    usual.replaceSubrange(position...position + 1, with: [0xc3] + three(nodes.count))
    return nodes.flatMap { three($0.0) + three($0.1) } + [UInt8](repeating: 0, count: 16) + data
        + marker + (metadata ?? usual)
}

private func expectCorrupt(_ bytes: [UInt8], _ words: String) {
    let error = #expect(throws: GeoSourceError.self) { try open(bytes) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
}

/// The control byte of an empty map.
private let emptyMap: [UInt8] = [0xe0]

@Test func theHandMadeDatabaseIsSound() throws {
    let opened = try open(database(nodes: [(1, 2), (2, 18)], data: emptyMap).map { $0 })
    #expect(opened.partition(of: .ipv4).count == 3)
}

@Test func truncationAnywhereIsAnError() throws {
    let bytes = try sound()
    for cut in 0..<60 {
        let count = cut < 50 ? bytes.count * cut / 50 : bytes.count - (cut - 49)
        let error = #expect(throws: GeoSourceError.self) { try open(Array(bytes[..<count])) }
        #expect(error?.description.contains("under-test.mmdb: error: ") == true)
    }
}

/// Any byte may be anything: an error, or places; never a crash. From a seed.
@Test(arguments: 1...8 as ClosedRange<UInt64>)
func mutationsAreRefusedOrReadSafely(seed: UInt64) throws {
    let bytes = try sound()
    var random = SeededGenerator(seed: seed)
    for _ in 0..<150 {
        var mutated = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position =
                Bool.random(using: &random)
                ? Int.random(in: 0..<bytes.count, using: &random)
                // Most of a small database is tree: favour data and metadata.
                : bytes.count - 1 - Int.random(in: 0..<500, using: &random)
            mutated[position] = UInt8.random(in: 0...255, using: &random)
        }
        do {
            let database = try open(mutated)
            #expect(database.leaves(.ipv4).reduce(0.0) { $0 + exp2(-Double($1.length)) } == 1)
        } catch let error as GeoSourceError {
            #expect(!error.description.isEmpty)
        }
    }
}

@Test func cyclesInTheTreeAreErrors() throws {
    // Node 0 is its own child on both sides.
    expectCorrupt(try database(nodes: [(0, 0)], data: emptyMap), "goes on below the whole address")
    expectCorrupt(
        try database(nodes: [(2, 1), (2, 0)], data: emptyMap), "goes on below the whole address")
}

/// 31 nodes whose two records both lead to the next: four thousand million leaves.
@Test func sharedNodesDoNotMultiplyWithoutEnd() throws {
    let nodes = (1...31).map { $0 < 31 ? ($0, $0) : (31, 31) }
    expectCorrupt(try database(nodes: nodes, data: emptyMap), "cycle")
}

@Test func deepNestingIsAnError() throws {
    // A million arrays, each the only element of the one before.
    let arrays = [[UInt8]](repeating: [0x01, 0x04], count: 1_000_000).flatMap(\.self)
    let data = [0xe1, 0x41, UInt8(ascii: "a")] + arrays + [0x40]
    expectCorrupt(try database(nodes: [(17, 1)], data: data), "nested too deeply")
}

@Test func absurdCountsAreErrors() throws {
    expectCorrupt(
        try database(nodes: [(17, 1)], data: [0xff, 0xff, 0xff, 0xff]), "entries")
    expectCorrupt(
        try database(nodes: [(17, 1)], data: [0x1f, 0x04, 0xff, 0xff, 0xff]), "entries")
    expectCorrupt(
        try database(nodes: [(17, 1)], data: [0x5f, 0xff, 0xff, 0xff]), "past the end")
}

@Test func pointersInCirclesAreErrors() throws {
    expectCorrupt(try database(nodes: [(17, 1)], data: [0x20, 0x00]), "leads to a pointer")
    // A map whose only value is a pointer to the map itself is finite to look into.
    let looped = try open(
        database(nodes: [(17, 1)], data: [0xe1, 0x47] + Array("country".utf8) + [0x20, 0x00]))
    #expect(looped.places == [.unknown])
}

/// Arrays of pointers to arrays of pointers: 2^40 values from a few hundred bytes.
@Test func metadataThatExpandsWithoutEndIsAnError() throws {
    var metadata: [UInt8] = [0xe1, 0x4b] + Array("description".utf8)
    metadata += [0x28, 0x00, 0x00]
    expectCorrupt(
        try database(nodes: [(17, 1)], data: emptyMap, metadata: metadata), "metadata")
    let nested = [[UInt8]](repeating: [0xe1, 0x41, 0x61], count: 20_000).flatMap(\.self)
    expectCorrupt(
        try database(nodes: [(17, 1)], data: emptyMap, metadata: nested), "nested too deeply")
    let selfPointing: [UInt8] = [0xe1, 0x4b] + Array("description".utf8) + [0x20, 0x00]
    expectCorrupt(
        try database(nodes: [(17, 1)], data: emptyMap, metadata: selfPointing),
        "pointer to a map or an array")
}

/// On these libmaxminddb 1.7.1 gives up and frees nothing: found by the fuzz target `database`.
@Test func metadataWithNamesThatAreNoTextIsAnError() throws {
    let number: [UInt8] = [0xa1, 0x07]
    let text: [UInt8] = [0x42] + Array("en".utf8)
    let languages = [0xe1, 0x49] + Array("languages".utf8)
    let description = [0xe1, 0x4b] + Array("description".utf8)
    for (metadata, words) in [
        (languages + [0x01, 0x04] + number, "`languages` holds something"),
        (languages + [0x02, 0x04] + text + number, "`languages` holds something"),
        // An array in the array.
        (languages + [0x01, 0x04, 0x00, 0x04], "`languages` holds something"),
        (description + [0xe1] + text + number, "`description` holds something"),
        // Behind another entry, which holds some itself; its key is a pointer to the first's.
        (
            [0xe2] + languages.dropFirst() + [0x01, 0x04] + text + [0x20, 0x01, 0x01, 0x04]
                + number,
            "`languages` holds something"
        ),
    ] {
        expectCorrupt(
            try database(nodes: [(17, 1)], data: emptyMap, metadata: metadata), words)
    }
    // Text, also pointed to: what is missing else is for the library to say.
    expectCorrupt(
        try database(
            nodes: [(17, 1)], data: emptyMap,
            metadata: languages + [0x02, 0x04] + text + [0x20, UInt8(languages.count + 2)]),
        "its metadata is incomplete")
}

@Test func treesLargerThanTheFileAreErrors() throws {
    var bytes = try sound()
    let name = Array("node_count".utf8)
    let position = bytes.indices.last { bytes[$0...].starts(with: name) }! + name.count
    #expect(bytes[position] >> 5 == 6)
    // 0x20000001 nodes of 8 bytes are 8 bytes when counted in 32 bits.
    let size = Int(bytes[position] & 31)
    bytes.replaceSubrange(position...position + size, with: [0xc4, 0x20, 0x00, 0x00, 0x01])
    #expect(throws: GeoSourceError.self) { try open(bytes) }
}

@Test func otherFormatVersionsAreNamed() throws {
    var bytes = try sound()
    let name = Array("binary_format_major_version".utf8)
    let position = bytes.indices.last { bytes[$0...].starts(with: name) }! + name.count
    bytes[position + 1] = 3
    let error = #expect(throws: GeoSourceError.self) { try open(bytes) }
    #expect(error?.reason == .unsupportedFormat)
}

@Test func filesThatAreNoDatabasesAreNamed() throws {
    #expect(throws: GeoSourceError.self) { try open([]) }
    let text = #expect(throws: GeoSourceError.self) { try open(Array("prefix,country\n".utf8)) }
    #expect(text?.reason == .notADatabase)
    let missing = #expect(throws: GeoSourceError.self) {
        try MaxMindDatabase(path: "/nowhere/x.mmdb")
    }
    #expect(
        missing?.description
            == "/nowhere/x.mmdb: error: cannot read the location database: No such file or directory"
    )
    let device = #expect(throws: GeoSourceError.self) { try MaxMindDatabase(path: "/dev/null") }
    #expect(device?.description.contains("not a regular file") == true)
}
