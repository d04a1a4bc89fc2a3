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
    _ rows: [(prefix: String, country: String, continent: String, latitude: Double, Double)],
    type: String = "Test-City"
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
            databaseType: type, description: "for tests", buildEpoch: 1_700_000_000))
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

/// A zone example.com and the small database in a folder of their own, for `geodns-check`.
struct CheckedZone {
    let folder: TemporaryFolder

    init(_ text: String) throws {
        folder = try TemporaryFolder()
        try folder.write(text, to: "zones/example.com.zone")
        try folder.write(try smallDatabase(), to: "world.mmdb")
    }

    func check(_ arguments: [String]) throws -> (status: Int32?, text: String) {
        try RunningProcess.run(
            Programs.own("geodns-check"),
            ["--zones", folder.path + "/zones", "--geo-data", folder.path + "/world.mmdb"]
                + arguments)
    }
}
