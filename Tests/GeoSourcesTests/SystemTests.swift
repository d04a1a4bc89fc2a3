import Addressing
import DatabaseBuilder
import Foundation
import Geography
import Testing

@testable import GeoSources

private let germany = LocationRecord(country: "DE", latitude: 52.5, longitude: 13.4)

private func system(_ number: UInt32) -> LocationRecord {
    LocationRecord(autonomousSystemNumber: number)
}

private typealias Database = (type: String, networks: [(String, LocationRecord)])

/// What the location database of a directory tells of systems: its databases by type, the file's
/// name being its place here.
private func systems(
    _ files: [Database], file: Int? = nil
) throws -> Result<AutonomousSystems, NoAutonomousSystems> {
    try withDirectory { directory in
        for (number, entry) in files.enumerated() {
            let name = directory.appendingPathComponent("\(number).mmdb")
            try Data(try encode(entry.networks, type: entry.type)).write(to: name)
        }
        let path = file.map { directory.appendingPathComponent("\($0).mmdb") } ?? directory
        let database = try MaxMindDatabase.load(path: path.path)
        return Result { () throws(NoAutonomousSystems) in try database.autonomousSystems() }
    }
}

private let city: Database = (type: "GeoLite2-City", networks: [("203.0.113.0/24", germany)])
private let mixed: Database = (
    type: "GeoIP2-Enterprise",
    networks: [
        (
            "203.0.113.0/24",
            LocationRecord(
                country: "DE", latitude: 52, longitude: 13, autonomousSystemNumber: 64501)
        )
    ]
)

private func database(_ type: String, _ number: UInt32) -> Database {
    (type, [("203.0.113.0/24", system(number)), ("2001:db8::/32", system(number + 1))])
}

extension AutonomousSystems {
    fileprivate func number(_ address: String) throws -> UInt32? {
        number(of: try #require(IPAddress(address)))
    }
}

@Suite struct Systems {
    /// Which of several databases is asked for systems: that of the directory by its type, then the
    /// location database itself, then one whose type says nothing.
    @Test func theDatabaseThatKnowsIsAsked() throws {
        let own = database("own networks", 64500)
        let asn = database("GeoLite2-ASN", 64500)
        try expect([city, asn], 64500)
        try expect([mixed, database("DBIP-ASN-Lite (compat=GeoLite2-ASN)", 64500)], 64500)
        try expect([city, database("GeoIP2-ISP", 64500)], 64500)
        try expect([city, database("GeoIP2-ISP", 64600), asn], 64500)
        try expect([mixed, own], 64501)
        try expect([city, own], 64500)
    }

    private func expect(_ files: [Database], _ number: UInt32) throws {
        let systems = try systems(files).get()
        #expect(try systems.number("203.0.113.7") == number, "\(files.map(\.type))")
        #expect(try systems.number("198.51.100.7") == nil)
    }

    @Test func whatIsAmbiguousOrNotThereSaysSo() throws {
        let two = try systems([city, database("GeoLite2-ASN", 1), database("DBIP-ASN", 2)])
        let none = try systems([city])
        let file = try systems([city, database("GeoLite2-ASN", 1)], file: 0)
        let unknown = try systems([city, database("a", 1), database("b", 2)])
        func words(_ result: Result<AutonomousSystems, NoAutonomousSystems>) -> String {
            guard case .failure(.notTold(let words)) = result else { return "\(result)" }
            return words
        }
        #expect(words(two).contains("several databases of autonomous systems: 1.mmdb, 2.mmdb"))
        #expect(words(unknown).contains("several databases of autonomous systems: 1.mmdb, 2.mmdb"))
        #expect(words(none).contains("no network here is in an autonomous system"))
        // A file stands for itself, whatever lies beside it.
        #expect(words(file).contains("0.mmdb: error: no network here"))
    }

    private static let makersRecords: [(record: DatabaseValue, number: UInt32?)] = [
        (["autonomous_system_number": .uint32(64500)], 64500),
        (["traits": ["autonomous_system_number": .uint32(64500)]], 64500),
        (["asn": .string("AS64500"), "country_code": .string("DE")], 64500),
        (["asn": .string("as4294967295")], UInt32.max),
        (["asn": .uint32(64500)], 64500),
        (["asn": .string("AS")], nil), (["asn": .string("AS4294967296")], nil),
        (["asn": .string("")], nil), (["asn": .string("64500.1")], nil),
        (["autonomous_system_number": .string("64500")], nil),
        (["autonomous_system_number": .uint32(0)], nil),
        (["autonomous_system_number": .uint64(1 << 40)], nil),
    ]

    /// GeoLite2 and IPinfo write them otherwise.
    @Test(arguments: makersRecords)
    func everyMakersRecordsAreRead(_ record: DatabaseValue, _ number: UInt32?) throws {
        var builder = DatabaseBuilder()
        builder.insert(try #require(Prefix("203.0.113.0/24")), record)
        let bytes = try builder.encode(
            .init(databaseType: "Test-ASN", description: "", buildEpoch: 1))
        let systems = try withDirectory { directory in
            let file = directory.appendingPathComponent("asn.mmdb")
            try Data(bytes).write(to: file)
            return try AutonomousSystems(path: file.path)
        }
        #expect(try systems.number("203.0.113.7") == number)
        #expect(systems.isEmpty == (number == nil))
    }

    @Test func networksComeInAddressOrder() throws {
        let systems = try systems([
            city,
            (
                "ASN",
                [
                    ("198.51.100.0/24", system(1)), ("192.0.2.0/25", system(2)),
                    ("2001:db8::/32", system(1)), ("10.0.0.0/8", system(3)),
                    ("10.1.0.0/16", system(1)),
                ]
            ),
        ]).get()
        let networks = systems.networks(of: [1, 2, 4])
        func prefixes(_ texts: String...) -> [Prefix] { texts.compactMap { Prefix($0) } }
        #expect(networks[1] == prefixes("10.1.0.0/16", "198.51.100.0/24", "2001:db8::/32"))
        #expect(networks[2] == prefixes("192.0.2.0/25"))
        #expect(networks.count == 2)
        // What carries an IPv4 address is in the system of that.
        #expect(try systems.number("::ffff:10.1.2.3") == 1)
        #expect(try systems.number("64:ff9b::192.0.2.1") == 2)
        #expect(try systems.number("2002:0a01:0203::1") == 1)
    }

    /// What is likely is known without reading anything once more.
    @Test func aLocationDatabaseThatHoldsSystemsIsSeenToAsItIsRead() throws {
        #expect(try open(encode(mixed.networks)).systemFiles.isPromising)
        #expect(try !open(encode(city.networks)).systemFiles.isPromising)
    }
}

/// MaxMind's own database, every network of its source.
@Test(.enabled(if: testData != nil, testDataAbsent))
func everyNetworkOfTheTestDatabaseIsInItsSystem() throws {
    let root = try #require(testData)
    let source = try Data(
        contentsOf: root.appendingPathComponent("source/GeoLite2-ASN-Test.json"))
    let rows = try #require(try JSONSerialization.jsonObject(with: source) as? [[String: Any]])
    let systems = try AutonomousSystems(path: goodFile("GeoLite2-ASN-Test"))
    var count = 0
    let networks = rows.flatMap { row in row.map { (Prefix($0.key), $0.value as? [String: Any]) } }
    for (prefix, record) in networks {
        let prefix = try #require(prefix)
        // A longer one of another system may begin at the same address.
        guard !networks.contains(where: { $0.0 != prefix && $0.0.map(prefix.contains) == true })
        else { continue }
        let number = record?["autonomous_system_number"] as? UInt32
        #expect(systems.number(of: prefix.address) == number, "\(prefix)")
        count += 1
    }
    #expect(count > 500)
    // Beside the City database of the same folder, by its type.
    let city = try MaxMindDatabase(path: goodFile("GeoLite2-City-Test"))
    #expect(!city.systemFiles.isPromising)
}
