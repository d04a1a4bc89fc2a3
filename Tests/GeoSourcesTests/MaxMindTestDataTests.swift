import Addressing
import Foundation
import Geography
import Testing

@testable import GeoSources

/// Files among MaxMind's good ones that are broken on purpose.
private let broken = ["Broken", "broken", "Invalid"]

@Test(.enabled(if: testData != nil, testDataAbsent), arguments: testFiles("good"))
func goodDatabasesOpen(path: String) throws {
    guard !broken.contains(where: path.contains) else { return }
    let database = try MaxMindDatabase(path: path)
    #expect(database.metadata.path == path)
    #expect(database.metadata.nodeCount > 0)
    #expect(database.partition(of: .ipv4).count > 0 && database.partition(of: .ipv6).count > 0)
}

/// Known values of the City database, from its source.
@Test(
    .enabled(if: testData != nil, testDataAbsent),
    arguments: [
        (
            "81.2.69.160",
            Place(
                continent: "EU", country: "GB", subdivision: "GB-ENG", city: "London",
                coordinates: Coordinates(latitude: 51.5142, longitude: -0.0931))
        ),
        (
            "2.125.160.216",
            Place(
                continent: "EU", country: "GB", subdivision: "GB-ENG", city: "Boxford",
                coordinates: Coordinates(latitude: 51.75, longitude: -1.25))
        ),
        (
            "89.160.20.112",
            Place(
                continent: "EU", country: "SE", subdivision: "SE-E", city: "Linköping",
                coordinates: Coordinates(latitude: 58.4167, longitude: 15.6167))
        ),
        (
            "2001:218::1",
            Place(
                continent: "AS", country: "JP",
                coordinates: Coordinates(latitude: 35.68536, longitude: 139.75309))
        ),
        (
            "2a02:d500::1",
            Place(
                continent: "EU", coordinates: Coordinates(latitude: 48.69096, longitude: 9.14062))
        ),
        ("2.3.3.1", Place(continent: "EU")),
        ("127.0.0.1", .unknown),
    ])
func cityTestValuesComeOut(address: String, place: Place) throws {
    #expect(try MaxMindDatabase(path: goodFile("GeoIP2-City-Test")).place(address) == place)
}

/// Every network of the City database's source file, against what comes out.
@Test(.enabled(if: testData != nil, testDataAbsent))
func theWholeSourceOfTheCityDatabaseComesOut() throws {
    let database = try MaxMindDatabase(path: goodFile("GeoIP2-City-Test"))
    let source = try #require(testData).appendingPathComponent("source/GeoIP2-City-Test.json")
    let rows = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: source)) as? [[String: Any]])
    var compared = 0
    for (network, value) in rows.flatMap({ $0 }) {
        // IPv4 stands as ::192.0.2.0/120 there.
        let address = String(network.split(separator: "/")[0])
        let record = try #require(value as? [String: Any])
        func code(_ key: String, _ code: String) -> String? {
            (record[key] as? [String: Any])?[code] as? String
        }
        let bare =
            address.hasPrefix("::") && address.contains(".")
            ? String(address.dropFirst(2)) : address
        let place = database.place(bare)
        #expect(place.continent == code("continent", "code"), "\(network)")
        #expect(
            place.country == code("country", "iso_code") ?? code("registered_country", "iso_code"),
            "\(network)")
        if let location = record["location"] as? [String: Any], let latitude = location["latitude"]
        {
            #expect(
                place.coordinates?.latitude == (latitude as? NSNumber)?.doubleValue, "\(network)")
        }
        compared += 1
    }
    #expect(compared > 200)
}

@Test(.enabled(if: testData != nil, testDataAbsent))
func countryTestValuesComeOut() throws {
    let database = try MaxMindDatabase(path: goodFile("GeoIP2-Country-Test"))
    #expect(database.place("81.2.69.160") == Place(continent: "EU", country: "GB"))
    #expect(database.metadata.databaseType == "GeoIP2-Country")
}

/// Damaged files give an error that says so; those whose damage is where nobody has to look are
/// read like any other.
@Test(
    .enabled(if: testData != nil, testDataAbsent),
    arguments: [
        ("libmaxminddb/libmaxminddb-corrupt-search-tree", false),
        ("libmaxminddb/libmaxminddb-deep-array-nesting", true),
        ("libmaxminddb/libmaxminddb-deep-nesting", true),
        ("libmaxminddb/libmaxminddb-empty-array-last-in-metadata", false),
        ("libmaxminddb/libmaxminddb-empty-map-last-in-metadata", false),
        ("libmaxminddb/libmaxminddb-metadata-marker-only", true),
        ("libmaxminddb/libmaxminddb-offset-integer-overflow", true),
        ("libmaxminddb/libmaxminddb-oversized-array", true),
        ("libmaxminddb/libmaxminddb-oversized-map", true),
        ("libmaxminddb/libmaxminddb-separator-record-max-left", true),
        ("libmaxminddb/libmaxminddb-separator-record-min-left", true),
        ("libmaxminddb/libmaxminddb-separator-record-min-right", true),
        ("libmaxminddb/libmaxminddb-uint64-max-epoch", false),
        ("maxminddb-golang/cyclic-data-structure", true),
        ("maxminddb-golang/invalid-bytes-length", true),
        ("maxminddb-golang/invalid-data-record-offset", true),
        ("maxminddb-golang/invalid-map-key-length", true),
        ("maxminddb-golang/invalid-string-length", true),
        ("maxminddb-golang/metadata-is-an-uint128", true),
        ("maxminddb-golang/unexpected-bytes", true),
        ("maxminddb-python/bad-unicode-in-map-key", true),
    ])
func badDatabasesAreRefusedOrReadSafely(name: String, isRefused: Bool) throws {
    let path = try #require(testData).appendingPathComponent("bad/\(name).mmdb").path
    if isRefused {
        let error = #expect(throws: GeoSourceError.self) { try MaxMindDatabase(path: path) }
        #expect(error?.description.hasPrefix("\(path): error: ") == true)
    } else {
        _ = try MaxMindDatabase(path: path)
    }
}

@Test(.enabled(if: testData != nil, testDataAbsent), arguments: testFiles("good"))
func brokenDatabasesAreRefused(path: String) {
    guard broken.contains(where: path.contains) else { return }
    #expect(throws: GeoSourceError.self) { try MaxMindDatabase(path: path) }
}

@Test(.enabled(if: testData != nil, testDataAbsent))
func everyBadDatabaseHasAnExpectation() {
    let folders = ["bad/libmaxminddb", "bad/maxminddb-golang", "bad/maxminddb-python"]
    #expect(folders.flatMap(testFiles).count == 21)
}
