import Addressing
import DatabaseBuilder
import Foundation
import Geography
import Testing

@testable import GeoSources

private let dallas = LocationRecord(
    continent: "NA", country: "US", subdivision: "TX", city: "Dallas", latitude: 32.78,
    longitude: -96.8)

@Test(arguments: DatabaseBuilder.RecordSize.allCases)
func recordsBecomePlaces(recordSize: DatabaseBuilder.RecordSize) throws {
    let database = try open(
        encode(
            [("203.0.113.0/24", dallas), ("2001:db8::/32", LocationRecord(continent: "EU"))],
            recordSize: recordSize))
    #expect(
        database.place("203.0.113.7")
            == Place(
                continent: "NA", country: "US", subdivision: "US-TX", city: "Dallas",
                coordinates: Coordinates(latitude: 32.78, longitude: -96.8)))
    #expect(database.network("203.0.113.7") == "203.0.113.0/24")
    #expect(database.place("2001:db8::1") == Place(continent: "EU"))
    #expect(database.place("198.51.100.1") == .unknown)
    #expect(database.places[0] == .unknown)
    #expect(database.metadata.databaseType == "Test-City")
    #expect(database.metadata.buildEpoch == 1_700_000_000)
    #expect(database.metadata.ipVersion == 6)
}

@Test func equalPlacesAreOne() throws {
    let database = try open(
        encode([("192.0.2.0/24", dallas), ("203.0.113.0/24", dallas), ("2001:db8::/32", dallas)]))
    #expect(database.places.count == 2)
}

@Test func aPlaceWithoutCoordinatesGetsItsCountrys() throws {
    let database = try open(
        encode([
            ("10.0.0.0/24", dallas),
            ("10.0.1.0/24", LocationRecord(country: "US", latitude: 37.75, longitude: -97.82)),
            ("10.0.2.0/24", LocationRecord(country: "US", city: "Nowhere")),
            (
                "10.0.3.0/24",
                LocationRecord(country: "JP", city: "Tokyo", latitude: 35, longitude: 139)
            ),
            ("10.0.4.0/24", LocationRecord(country: "JP")),
            ("10.0.5.0/24", LocationRecord(country: "NZ")),
            // Becomes equal to 10.0.1.0/24's.
            ("10.0.6.0/24", LocationRecord(country: "US")),
        ]))
    // The country's own position goes before that of a place in it.
    #expect(
        database.place("10.0.2.1").coordinates == Coordinates(latitude: 37.75, longitude: -97.82))
    #expect(database.place("10.0.2.1").city == "Nowhere")
    #expect(database.place("10.0.4.1").coordinates == Coordinates(latitude: 35, longitude: 139))
    #expect(database.place("10.0.5.1") == Place(country: "NZ"))
    #expect(
        database.lookup(IPAddress("10.0.6.1")!).place
            == database.lookup(IPAddress("10.0.1.1")!).place)
    #expect(Set(database.places).count == database.places.count)
}

@Test func theRegisteredCountryStandsInForTheCountry() throws {
    var builder = DatabaseBuilder()
    builder.insert(Prefix("192.0.2.0/24")!, ["registered_country": ["iso_code": "FR"]])
    let bytes = try builder.encode(
        .init(databaseType: "Test", description: "", buildEpoch: 0))
    #expect(try open(bytes).place("192.0.2.1") == Place(country: "FR"))
}

private let flatRecords: [(value: DatabaseValue, place: Place)] = [
    (
        value: [
            "city": "Mountain View", "country": "US", "lat": "37.40599", "lng": "-122.078514",
            "region": "California", "region_code": "CA",
        ],
        place: Place(
            country: "US", subdivision: "US-CA", city: "Mountain View",
            coordinates: Coordinates(latitude: 37.40599, longitude: -122.078514))
    ),
    (
        value: [
            "continent": "North America", "continent_code": "NA", "country": "United States",
            "country_code": "US",
        ],
        place: Place(continent: "NA", country: "US")
    ),
    (
        value: ["continent": "NA", "country": "US"],
        place: Place(continent: "NA", country: "US")
    ),
]

/// IPinfo's databases are flat, and hold numbers as strings.
@Test(arguments: flatRecords)
func flatRecordsBecomePlaces(value: DatabaseValue, place: Place) throws {
    var builder = DatabaseBuilder()
    builder.insert(Prefix("192.0.2.0/24")!, value)
    let bytes = try builder.encode(
        .init(databaseType: "ipinfo", description: "", buildEpoch: 0))
    #expect(try open(bytes).place("192.0.2.1") == place)
}

private let otherShapes: [DatabaseValue] = [
    "just a string", 1.5, [], ["country": 3.5], ["country": ["iso_code": "Germany"]],
    ["location": ["latitude": 91.0, "longitude": 0.0]],
    ["location": ["latitude": .double(.nan), "longitude": 0.0]],
    ["location": ["latitude": 12.5]], ["subdivisions": ["x"]],
    ["city": ["names": ["en": .string(String(repeating: "x", count: 70_000))]]],
]

@Test(arguments: otherShapes)
func recordsOfAnotherShapeAreUnknown(value: DatabaseValue) throws {
    var builder = DatabaseBuilder()
    builder.insert(Prefix("192.0.2.0/24")!, value)
    let bytes = try builder.encode(.init(databaseType: "Test", description: "", buildEpoch: 0))
    #expect(try open(bytes).place("192.0.2.1") == .unknown)
}

@Test func embeddedIPv4AddressesAreLookedUpAsIPv4() throws {
    let database = try open(encode([("203.0.113.0/24", dallas)]))
    for (text, network) in [
        ("::ffff:203.0.113.9", "::ffff:203.0.113.0/120"),
        ("64:ff9b::203.0.113.9", "64:ff9b::cb00:7100/120"),
        ("2002:cb00:7109::1", "2002:cb00:7100::/40"),
        // Teredo: the client's address inverted.
        ("2001::34ff:8ef6", "2001::34ff:8e00/120"),
    ] {
        #expect(database.place(text).city == "Dallas", "\(text)")
        #expect(database.network(text) == network)
    }
    #expect(database.place("::203.0.113.9") == .unknown)
}

@Test func nothingTouchesTheFileOnceItIsOpen() throws {
    try withDirectory { directory in
        let file = directory.appendingPathComponent("x.mmdb")
        try Data(try encode([("203.0.113.0/24", dallas)])).write(to: file)
        let database = try MaxMindDatabase(path: file.path)
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 0)
        try handle.close()
        #expect(database.place("203.0.113.9").city == "Dallas")
        #expect(database.leaves(.ipv4).contains { database.places[$0.place].city == "Dallas" })
    }
}
