import Addressing
import CMaxMindDB
import DatabaseBuilder
import Geography
import TestSupport
import Testing

@testable import GeoSources

/// Every leaf starts where the one before it ended, and the last ends the space.
private func expectPartition(_ source: some LocationSource, _ family: IPAddress.Family) {
    // The last leaf's end, 2^128 for the whole space, wraps to 0.
    var next: UInt128 = 0
    var isFirst = true
    for leaf in source.leaves(family) {
        #expect(leaf.bits == next)
        #expect(isFirst || next != 0, "a leaf after the end of the space")
        #expect((0...family.bitCount).contains(leaf.length))
        #expect(source.places.indices.contains(leaf.place))
        next = leaf.length == 0 ? 0 : leaf.bits &+ (1 << UInt128(128 - leaf.length))
        isFirst = false
    }
    #expect(!isFirst && next == 0)
}

private func randomNetworks(_ seed: UInt64) -> [(prefix: Prefix, place: Place)] {
    var random = SeededGenerator(seed: seed)
    return (0..<200).map { _ in
        let place = Place(country: ["DE", "FR", "JP", "US"].randomElement(using: &random))
        if Bool.random(using: &random) {
            let value = UInt32(truncatingIfNeeded: random.next())
            let length = Int.random(in: 1...32, using: &random)
            return (Prefix(IPAddress(ipv4: value), length: length), place)
        }
        let bits: UInt128 = 0x24 << 120 | UInt128(random.next() & 0xffff_0000) << 80
        let length = Int.random(in: 8...64, using: &random)
        return (Prefix(IPAddress(ipv6: bits), length: length), place)
    }
}

@Test(arguments: 1...6 as ClosedRange<UInt64>)
func leavesAreAPartitionAndAgreeWithTheModel(seed: UInt64) throws {
    let networks = randomNetworks(seed)
    var builder = DatabaseBuilder()
    for (prefix, place) in networks {
        builder.insert(prefix, LocationRecord(country: place.country).value)
    }
    let database = try open(
        builder.encode(.init(databaseType: "Test", description: "", buildEpoch: 0)))
    let model = MemoryLocationSource(networks)
    var random = SeededGenerator(seed: seed)
    for family in IPAddress.Family.allCases {
        expectPartition(database, family)
        expectPartition(model, family)
        // By leaf on one side, by address on the other.
        for leaf in model.leaves(family) {
            let host = UInt128(random.next()) << 64 | UInt128(random.next())
            let mask = leaf.length == 0 ? UInt128.max : (1 << UInt128(128 - leaf.length)) &- 1
            let address = IPAddress(leftAligned: leaf.bits | host & mask, family: family)
                .masked(to: family.bitCount)
            guard address.embeddedIPv4 == nil else { continue }
            #expect(
                database.places[database.lookup(address).place] == model.places[leaf.place],
                "\(address)")
        }
    }
}

@Test func anIPv4DatabaseKnowsNothingOfIPv6() throws {
    let database = try open(
        encode([("203.0.113.0/24", LocationRecord(country: "DE"))], version: .ipv4))
    #expect(database.leaves(.ipv6).map(\.length) == [0])
    #expect(database.leaves(.ipv6)[0].place == 0)
    expectPartition(database, .ipv4)
    #expect(database.leaves(.ipv4).count == 25)
    #expect(database.place("203.0.113.1") == Place(country: "DE"))
}

@Test func networksOfIPv4FormsAreOneLeafEach() throws {
    let networks = (0..<64).map { ("203.0.\($0 * 4).0/24", LocationRecord(country: "DE")) }
    let database = try open(encode(networks))
    let leaves = database.leaves(.ipv6)
    for prefix in ["::/96", "::ffff:0:0/96", "2002::/16", "2001::/32"].map({ Prefix($0)! }) {
        let inside = leaves.filter {
            prefix.contains(IPAddress(leftAligned: $0.bits, family: .ipv6))
        }
        #expect(inside.map(\.length) == [prefix.length])
        #expect(inside.map(\.place) == [0])
    }
    expectPartition(database, .ipv6)
}

@Test func memorySourcesTakeTheLongestAndTheLast() {
    let source = MemoryLocationSource([
        (Prefix("10.1.0.0/16")!, Place(country: "DE")),
        (Prefix("10.0.0.0/8")!, Place(country: "FR")),
        (Prefix("10.1.0.0/16")!, Place(country: "JP")),
        (Prefix("2001:db8::/32")!, Place(country: "JP")),
    ])
    #expect(
        source.places == [
            .unknown, Place(country: "DE"), Place(country: "FR"), Place(country: "JP"),
        ])
    func country(_ text: String) -> String? {
        let address = IPAddress(text)!
        let leaf = source.leaves(address.family).last { $0.bits <= address.bits }!
        return source.places[leaf.place].country
    }
    #expect(country("10.1.2.3") == "JP")
    #expect(country("10.2.2.3") == "FR")
    #expect(country("11.2.2.3") == nil)
    #expect(country("2001:db8:ffff::") == "JP")
    #expect(country("2001:db9::") == nil)
}

// MARK: - Against libmaxminddb's own lookup

/// The country that libmaxminddb finds, by a path independent of ours.
private func libraryCountry(_ handle: inout MMDB_s, _ address: IPAddress) -> String? {
    var addressError: Int32 = 0
    var status: Int32 = 0
    var found = MMDB_lookup_string(&handle, address.description, &addressError, &status)
    guard status == MMDB_SUCCESS, found.found_entry else { return nil }
    for key in ["country", "registered_country"] {
        var data = MMDB_entry_data_s()
        let result = key.withCString { first in
            "iso_code".withCString { second in
                MMDB_aget_value(&found.entry, &data, [first, second, nil])
            }
        }
        if result == MMDB_SUCCESS, data.has_data {
            return String(
                decoding: UnsafeRawBufferPointer(
                    start: data.utf8_string, count: Int(data.data_size)),
                as: UTF8.self)
        }
    }
    return nil
}

@Test(
    .enabled(if: testData != nil, testDataAbsent),
    arguments: [
        "GeoIP2-City-Test", "GeoIP2-Country-Test", "GeoIP2-Enterprise-Test", "GeoLite2-City-Test",
    ])
func lookupAgreesWithTheLibrary(name: String) throws {
    let database = try MaxMindDatabase(path: goodFile(name))
    for family in IPAddress.Family.allCases { expectPartition(database, family) }
    var handle = MMDB_s()
    try #require(MMDB_open(goodFile(name), UInt32(MMDB_MODE_MMAP), &handle) == MMDB_SUCCESS)
    defer { MMDB_close(&handle) }
    var random = SeededGenerator(seed: 7)
    for family in IPAddress.Family.allCases {
        let leaves = database.leaves(family)
        for _ in 0..<1500 {
            let leaf = leaves.randomElement(using: &random)!
            let host = UInt128(random.next()) << 64 | UInt128(random.next())
            let mask = leaf.length == 0 ? UInt128.max : (1 << UInt128(128 - leaf.length)) &- 1
            let address = IPAddress(leftAligned: leaf.bits | host & mask, family: family)
                .masked(to: family.bitCount)
            // Forms that carry IPv4 are ours to decide, and ::/96 is IPv4 to the library.
            if family == .ipv6, address.embeddedIPv4 != nil || address.bits >> 32 == 0 { continue }
            let (place, network) = database.lookup(address)
            #expect(network.contains(address))
            #expect(
                database.places[place].country == libraryCountry(&handle, address), "\(address)")
        }
    }
}
