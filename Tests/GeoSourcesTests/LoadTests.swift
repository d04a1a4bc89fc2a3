import DatabaseBuilder
import Foundation
import Testing

@testable import GeoSources

private let germany = LocationRecord(country: "DE", latitude: 52.5, longitude: 13.4)

/// Loads from a directory that holds one database for each of `types`, named by its number.
private func load(types: [String], file: Int? = nil) throws -> MaxMindDatabase {
    try withDirectory { directory in
        for (number, type) in types.enumerated() {
            let name = directory.appendingPathComponent("\(number).mmdb")
            let record =
                type.contains("ASN")
                ? LocationRecord(autonomousSystemNumber: 64500) : germany
            try Data(try encode([("203.0.113.0/24", record)], type: type)).write(to: name)
        }
        try Data("half".utf8).write(to: directory.appendingPathComponent(".9.mmdb"))
        try Data("read me".utf8).write(to: directory.appendingPathComponent("README.md"))
        let path = file.map { directory.appendingPathComponent("\($0).mmdb") } ?? directory
        return try MaxMindDatabase.load(path: path.path)
    }
}

@Test(arguments: [
    (["geodns-World-Country"], "geodns-World-Country"),
    (["GeoLite2-Country", "GeoLite2-City"], "GeoLite2-City"),
    (["GeoLite2-ASN", "GeoLite2-Country"], "GeoLite2-Country"),
    (["DBIP-ASN-Lite (compat=GeoLite2-ASN)", "DBIP-City-Lite"], "DBIP-City-Lite"),
    (["ipinfo generic_lite"], "ipinfo generic_lite"),
    (["geodns-World-Country", "ipinfo generic_lite"], "geodns-World-Country"),
    (["GeoIP2-Enterprise", "GeoIP2-ISP", "GeoIP2-Country"], "GeoIP2-Enterprise"),
])
func aDirectorysLocationDatabaseIsTaken(types: [String], taken: String) throws {
    let database = try load(types: types)
    #expect(database.metadata.databaseType == taken)
    #expect(database.place("203.0.113.1").country == "DE")
}

@Test func aFileIsTakenWhateverStandsBesideIt() throws {
    let database = try load(types: ["GeoLite2-City", "DBIP-City-Lite"], file: 1)
    #expect(database.metadata.databaseType == "DBIP-City-Lite")
}

@Test func twoOfAKindAreAmbiguous() {
    let error = #expect(throws: GeoSourceError.self) {
        try load(types: ["GeoLite2-City", "GeoLite2-Country", "DBIP-City-Lite"])
    }
    #expect(error?.reason == .ambiguous(["0.mmdb", "2.mmdb"]))
    #expect(error?.description.contains("Name one of them") == true)
}

@Test func aDirectoryWithoutALocationDatabaseSaysSo() {
    let empty = #expect(throws: GeoSourceError.self) { try load(types: []) }
    #expect(empty?.reason == .noDatabase(others: []))
    #expect(empty?.description.contains("make geo-data") == true)
    let other = #expect(throws: GeoSourceError.self) { try load(types: ["GeoLite2-ASN"]) }
    #expect(other?.reason == .noDatabase(others: ["0.mmdb (GeoLite2-ASN)"]))
}

@Test func aDatabaseWithoutPlacesIsRefusedByType() {
    let error = #expect(throws: GeoSourceError.self) {
        try load(types: ["GeoLite2-ASN"], file: 0)
    }
    #expect(error?.reason == .noPlaces(databaseType: "GeoLite2-ASN"))
}

@Test func aPathThatIsNotThereSaysSo() {
    let error = #expect(throws: GeoSourceError.self) {
        try MaxMindDatabase.load(path: "/nowhere/geo-data")
    }
    #expect(error?.reason == .cannotRead("No such file or directory"))
}
