import Addressing
import DatabaseBuilder
import TestSupport
import Testing

@Test(arguments: [
    ("192.0.2.0", "192.0.2.255", ["192.0.2.0/24"]),
    ("192.0.2.1", "192.0.2.1", ["192.0.2.1/32"]),
    ("192.0.2.1", "192.0.2.6", ["192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6/32"]),
    ("0.0.0.0", "255.255.255.255", ["0.0.0.0/0"]),
    ("255.255.255.254", "255.255.255.255", ["255.255.255.254/31"]),
    ("0.0.0.0", "128.0.0.0", ["0.0.0.0/1", "128.0.0.0/32"]),
    ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["::/0"]),
    ("2001:db8::", "2001:db8:0:2:ffff:ffff:ffff:ffff", ["2001:db8::/63", "2001:db8:0:2::/64"]),
    (
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"]
    ),
])
func rangesBecomeTheFewestPrefixes(first: String, last: String, prefixes: [String]) throws {
    let range = try #require(AddressRange(IPAddress(first)!, through: IPAddress(last)!))
    #expect(range.prefixes.map(\.description) == prefixes)
}

@Test func rangesThatAreNoneAreRefused() {
    #expect(AddressRange(IPAddress("192.0.2.2")!, through: IPAddress("192.0.2.1")!) == nil)
    #expect(AddressRange(IPAddress("192.0.2.2")!, through: IPAddress("::1")!) == nil)
}

@Test func prefixesOfRandomRangesCoverThemExactly() throws {
    var random = SeededGenerator(seed: 42)
    for _ in 0..<500 {
        let ends = [random.next(), random.next()].map { UInt32(truncatingIfNeeded: $0) }.sorted()
        let range = try #require(
            AddressRange(IPAddress(ipv4: ends[0]), through: IPAddress(ipv4: ends[1])))
        var next = UInt64(ends[0])
        for prefix in range.prefixes {
            #expect(UInt64(prefix.address.ipv4Value) == next)
            next += 1 << UInt64(32 - prefix.length)
        }
        #expect(next == UInt64(ends[1]) + 1)
        #expect(range.prefixes.count <= 62)
    }
}
