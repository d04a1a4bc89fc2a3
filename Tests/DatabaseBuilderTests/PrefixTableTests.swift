import Addressing
import DatabaseBuilder
import Testing

private func table(_ text: String) throws -> PrefixTable {
    try PrefixTable(SourceText(file: "own.csv", bytes: Array(text.utf8)))
}

@Test func rowsBecomeRecords() throws {
    let table = try table(
        #"""
        prefix,continent,country,subdivision,city,latitude,longitude,asn
        # our own networks
        203.0.113.0/24,NA,US,US-TX,Dallas,32.78,-96.8,64500
        2001:db8::/32,EU,DE,,"Frankfurt, ""Main""",50.11,8.68
        198.51.100.7,,,,,,
        """#)
    #expect(table.rowCount == 3)
    let database = try OpenDatabase(table.builder.encode(.test))
    #expect(
        database.lookup(IPAddress("203.0.113.9")!).value == [
            "autonomous_system_number": .uint32(64500),
            "city": ["names": ["en": "Dallas"]],
            "continent": ["code": "NA"],
            "country": ["iso_code": "US"],
            "location": ["latitude": 32.78, "longitude": -96.8],
            "subdivisions": [["iso_code": "TX"]],
        ])
    #expect(
        database.lookup(IPAddress("2001:db8::1")!).value == [
            "city": ["names": ["en": "Frankfurt, \"Main\""]],
            "continent": ["code": "EU"],
            "country": ["iso_code": "DE"],
            "location": ["latitude": 50.11, "longitude": 8.68],
        ])
    #expect(database.lookup(IPAddress("198.51.100.7")!).value == .map([]))
}

@Test(arguments: [
    ("192.0.2.0/24,EU,DE", "own.csv:1:19: error: expected prefix,continent"),
    ("192.0.2.0/24,EU,DE,,,1,2,3,4", "own.csv:1:29: error: expected prefix,continent"),
    ("\n192.0.2.1/24,EU,DE,,,1,2", "own.csv:2:1: error: expected a prefix like"),
    ("192.0.2.0/33,EU,DE,,,1,2", "own.csv:1:1: error: expected a prefix like"),
    ("192.0.2.0/24,XX,DE,,,1,2", "own.csv:1:14: error: expected a continent"),
    ("192.0.2.0/24,EU,de,,,1,2", "own.csv:1:17: error: expected a country code"),
    ("192.0.2.0/24,EU,DE,HE,,1,2", "own.csv:1:20: error: expected an ISO 3166-2 code"),
    ("192.0.2.0/24,EU,DE,US-TX,,1,2", "own.csv:1:20: error: expected an ISO 3166-2 code"),
    ("192.0.2.0/24,EU,DE,,,91,2", "own.csv:1:22: error: expected a latitude from -90 to 90"),
    ("192.0.2.0/24,EU,DE,,,nan,2", "own.csv:1:22: error: expected a latitude"),
    ("192.0.2.0/24,EU,DE,,,1,180.5", "own.csv:1:24: error: expected a longitude from -180 to 180"),
    ("192.0.2.0/24,EU,DE,,,1,", "own.csv:1:24: error: latitude and longitude stand together"),
    ("192.0.2.0/24,EU,DE,,,1,2,x", "own.csv:1:26: error: expected an autonomous system number"),
    ("192.0.2.0/24,EU,DE,,\"A\"b,1,2", "own.csv:1:24: error: expected the end of the field"),
])
func malformedRowsAreRefusedWithTheirPlace(text: String, message: String) {
    let error = #expect(throws: SourceError.self) { try table(text) }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
}
