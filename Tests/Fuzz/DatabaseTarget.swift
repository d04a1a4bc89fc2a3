import Addressing
import DatabaseBuilder
import GeoSources
import Geography
import TestSupport

extension FuzzTarget {
    /// Any bytes as a location database: an error, or places for every address and a location
    /// table that finds them.
    static let database = FuzzTarget(
        name: "database", byteCountMax: 4096,
        seeds: {
            [
                DatabaseBuilder.Version.ipv4, .ipv6,
            ].flatMap { version -> [[UInt8]] in
                [DatabaseBuilder.RecordSize.bits24, .bits28, .bits32].compactMap { size in
                    var builder = DatabaseBuilder(version: version)
                    for (prefix, record) in networks {
                        guard let prefix = Prefix(prefix) else { continue }
                        if version == .ipv6 || prefix.family == .ipv4 {
                            builder.insert(prefix, record.value)
                        }
                    }
                    return try? builder.encode(
                        .init(databaseType: "Test-City", description: "", buildEpoch: 1),
                        recordSize: size)
                }
            }
        },
        words: {
            let names = [
                "country", "continent", "location", "latitude", "longitude", "iso_code", "code",
                "subdivisions", "city", "names", "en", "registered_country", "node_count",
                "record_size", "ip_version", "database_type", "build_epoch", "languages",
                "binary_format_major_version", "description",
            ]
            return names.map { [0x40 | UInt8($0.utf8.count)] + Array($0.utf8) }
                + [[0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)]
        },
        fault: databaseFault)
}

private let networks: [(String, LocationRecord)] = [
    (
        "203.0.113.0/24",
        LocationRecord(continent: "EU", country: "DE", latitude: 52.5, longitude: 13.4)
    ),
    ("198.51.100.0/22", LocationRecord(country: "FR", city: "Lyon")),
    ("2001:db8::/32", LocationRecord(continent: "AS", country: "JP")),
]

private let file = FuzzFile()

private func databaseFault(_ input: [UInt8]) -> String? {
    guard file.write(input) else { return "the file cannot be written" }
    let database: MaxMindDatabase
    do throws(GeoSourceError) {
        database = try MaxMindDatabase(path: file.path)
    } catch {
        return error.description.contains("error: ") ? nil : "no words: \(error)"
    }
    let table = LocationTable.build(from: database, overrides: []) { place, _ in place }
    for family in [IPAddress.Family.ipv4, .ipv6] {
        if let fault = partitionFault(database, family) { return fault }
        if let fault = tableFault(table, database, family) { return fault }
    }
    return nil
}

/// At both ends of every leaf the table has the leaf's place, and a scope that holds the leaf.
private func tableFault(
    _ table: LocationTable, _ database: MaxMindDatabase, _ family: IPAddress.Family
) -> String? {
    var fault: String?
    database.forEachLeaf(of: family) { bits, length, place in
        let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
        // A leaf may be wider than what carries IPv4 addresses, which is looked up as that.
        let forms = IPAddress.embeddingPrefixes
        if forms.contains(where: { $0.contains(leaf) || leaf.contains($0) }) { return }
        for address in [leaf.address, leaf.last] {
            let match = table.find(address)
            if match.order != place { fault = fault ?? "\(address): \(match.order), not \(place)" }
            if match.scope > length { fault = fault ?? "\(address): a scope of \(match.scope)" }
        }
    }
    return fault
}

/// The leaves cover every address of the family once, in order, and each is what a lookup finds.
private func partitionFault(_ database: MaxMindDatabase, _ family: IPAddress.Family) -> String? {
    var fault: String?
    // The end of what is covered, in the upper bits; an overflow is the end of the space.
    var next: UInt128? = 0
    database.forEachLeaf(of: family) { bits, length, place in
        if bits != next { fault = fault ?? "a gap before \(bits)/\(length)" }
        if !database.places.indices.contains(place) { fault = fault ?? "place \(place)" }
        let (sum, isOver) = bits.addingReportingOverflow(
            length == 0 ? 0 : 1 << UInt128(128 - length))
        next = isOver || length == 0 ? nil : sum
        let address = IPAddress(leftAligned: bits, family: family)
        // What carries an IPv4 address is looked up as that.
        if address.embeddedIPv4 == nil, database.lookup(address).place != place {
            fault = fault ?? "\(address) is found elsewhere"
        }
    }
    if next != nil, fault == nil { fault = "the space is not covered" }
    return fault
}
