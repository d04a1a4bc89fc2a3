import Addressing
import DatabaseBuilder
import Foundation
import TestSupport
import Testing

/// Runs `geodnsd` or another program of ours to its end.
func run(_ program: String, _ arguments: String...) throws -> (status: Int32?, text: String) {
    try RunningProcess.run(Programs.own(program), arguments)
}

/// SOA, NS and the address of the name server: what every zone needs.
let zoneHead = """
    $TTL 1h
    @    SOA ns1 hostmaster 1 2h 30m 2w 1m
         NS  ns1
    ns1  A   192.0.2.53

    """

/// A City database: prefix, country, continent, latitude, longitude.
func database(
    _ rows: [(prefix: String, country: String, continent: String, latitude: Double, Double)]
) throws -> [UInt8] {
    var builder = DatabaseBuilder()
    for row in rows {
        let prefix = try #require(Prefix(row.prefix))
        builder.insert(
            prefix,
            LocationRecord(
                continent: row.continent, country: row.country, latitude: row.latitude,
                longitude: row.4
            ).value)
    }
    return try builder.encode(
        DatabaseBuilder.Metadata(
            databaseType: "Test-City", description: "for tests", buildEpoch: 1_700_000_000))
}

/// Tokyo, Frankfurt and Ashburn on documentation addresses.
func smallDatabase() throws -> [UInt8] {
    try database([
        ("192.0.2.0/24", "US", "NA", 39.04, -77.49),
        ("198.51.100.0/24", "DE", "EU", 50.11, 8.68),
        ("203.0.113.0/24", "JP", "AS", 35.69, 139.69),
        ("2001:db8:2::/48", "DE", "EU", 50.11, 8.68),
    ])
}

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
