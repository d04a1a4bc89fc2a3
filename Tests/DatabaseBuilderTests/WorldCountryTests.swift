import Addressing
import DatabaseBuilder
import Foundation
import Testing

private let systemZoneTab = "/usr/share/zoneinfo/zone.tab"

private func source(_ text: String, file: String = "table") -> SourceText {
    SourceText(file: file, bytes: Array(text.utf8))
}

private let zoneTab = """
    # a comment
    JP\t+353916+1394441\tAsia/Tokyo
    BR\t-0351-03225\tAmerica/Noronha\tAtlantic islands
    BR\t-2332-04637\tAmerica/Sao_Paulo\tBrazil (southeast)
    BR\t-0308-06001\tAmerica/Manaus
    NZ\t-3652+17446\tPacific/Auckland\tmost of New Zealand
    NZ\t-4357-17633\tPacific/Chatham
    """
private let countryNames =
    "#code\tname\nBR\tBrazil\nJP\tJapan\nNZ\tNew Zealand\nBV\tBouvet Island\n"

private func world() throws -> WorldCountry {
    try WorldCountry(zoneTab: source(zoneTab), names: source(countryNames))
}

@Test func rangesGetTheirCountrysPosition() throws {
    var world = try world()
    try world.add(
        source(
            """
            # IPv4
            3221225984,3221226239,JP
            3325256704,3325256959,BR
            3405803776,3405803800,??
            3405803801,3405803810,EU
            3405803811,3405803820,BV
            """), family: .ipv4)
    try world.add(source("2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,NZ\r\n"), family: .ipv6)
    #expect(world.rangeCount == 5)
    #expect(world.skipped == ["??": 1])

    let database = try OpenDatabase(world.builder.encode(.test))
    #expect(
        database.lookup(IPAddress("192.0.2.77")!).value == [
            "continent": ["code": "AS"],
            "country": ["iso_code": "JP", "names": ["en": "Japan"]],
            "location": ["latitude": 35.6544, "longitude": 139.7447],
        ])
    // São Paulo, not the first row's island.
    #expect(
        database.lookup(IPAddress("198.51.100.1")!).value == [
            "continent": ["code": "SA"],
            "country": ["iso_code": "BR", "names": ["en": "Brazil"]],
            "location": ["latitude": -23.5333, "longitude": -46.6167],
        ])
    #expect(
        database.lookup(IPAddress("2001:db8:1::")!).value == [
            "continent": ["code": "OC"],
            "country": ["iso_code": "NZ", "names": ["en": "New Zealand"]],
            "location": ["latitude": -36.8667, "longitude": 174.7667],
        ])
    // A country without a row in zone.tab has no location; a code that is no country, no record.
    #expect(
        database.lookup(IPAddress("203.0.113.40")!).value == [
            "continent": ["code": "AN"],
            "country": ["iso_code": "BV", "names": ["en": "Bouvet Island"]],
        ])
    // EU is no country: the continent, and Brussels' position, which this zone.tab does not have.
    #expect(
        database.lookup(IPAddress("203.0.113.30")!).value == ["continent": ["code": "EU"]])
}

@Test(arguments: [
    ("1,2", "geoip:1:4: error: expected first address, last address and country"),
    ("# x\n\n1,2,JP\nx,2,JP", "geoip:4:1: error: expected an IPv4 address as an integer"),
    ("1,4294967296,JP", "geoip:1:3: error: expected an IPv4 address as an integer"),
    ("1,,JP", "geoip:1:3: error: expected an IPv4 address"),
    ("9,8,JP", "geoip:1:3: error: the last address stands before the first"),
    ("1,-2,JP", "geoip:1:3: error: expected an IPv4 address"),
])
func malformedRangesAreRefusedWithTheirPlace(text: String, message: String) throws {
    var world = try world()
    let error = #expect(throws: SourceError.self) {
        try world.add(source(text, file: "geoip"), family: .ipv4)
    }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
}

@Test func malformedIPv6RangesAreRefusedWithTheirPlace() throws {
    var world = try world()
    for (text, message) in [
        (
            "2001:db8::,192.0.2.1,JP",
            "geoip6:1:12: error: expected an IPv6 address, found '192.0.2.1'"
        ),
        ("2001:db8:::,2001:db8::1,JP", "geoip6:1:1: error: expected an IPv6 address"),
    ] {
        let error = #expect(throws: SourceError.self) {
            try world.add(source(text, file: "geoip6"), family: .ipv6)
        }
        #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
    }
}

@Test(arguments: [
    ("JP\t+353916+1394441", "zone.tab:1:19: error: expected a country, a position and a zone"),
    ("jp\t+3539+13944\tAsia/Tokyo", "zone.tab:1:1: error: expected a country code"),
    ("JP\t3539+13944\tAsia/Tokyo", "zone.tab:1:4: error: expected a position"),
    ("JP\t+3539\tAsia/Tokyo", "zone.tab:1:4: error: expected a position"),
    ("JP\t+9939+13944\tAsia/Tokyo", "zone.tab:1:4: error: expected a position"),
    ("JP\t+3560+13944\tAsia/Tokyo", "zone.tab:1:4: error: expected a position"),
    ("JP\t+35391+13944\tAsia/Tokyo", "zone.tab:1:4: error: expected a position"),
    ("JP\t+-539+13944\tAsia/Tokyo", "zone.tab:1:4: error: expected a position"),
    ("\nJP\t\"+3539", "zone.tab:2:4: error: this field's quotation mark is never closed"),
])
func malformedPositionsAreRefusedWithTheirPlace(text: String, message: String) {
    let error = #expect(throws: SourceError.self) {
        try ZoneTab(source(text, file: "zone.tab"))
    }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
}

// MARK: - The system's own tables

private func systemSource(_ path: String) throws -> SourceText {
    SourceText(file: path, bytes: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
}

@Test(
    .enabled(
        if: FileManager.default.fileExists(atPath: systemZoneTab), "tzdata is not installed here"))
func everyCountryOfTzdataHasAContinent() throws {
    let zones = try ZoneTab(try systemSource(systemZoneTab))
    #expect(zones.countries.count > 240)
    for country in zones.countries.keys {
        #expect(CountryTables.continent(of: country) != nil, "\(country)")
    }
    for name in try ZoneTab.names(try systemSource("/usr/share/zoneinfo/iso3166.tab")).keys {
        #expect(CountryTables.continent(of: name) != nil, "\(name)")
    }
    // A zone of ours that tzdata does not know would fall back to the first row in silence.
    for (country, zone) in CountryTables.zones {
        #expect(zones.countries[country]?.zone == zone)
    }
}

@Test(arguments: [
    ("JP", "AS"), ("TR", "AS"), ("RU", "EU"), ("CY", "EU"), ("GE", "AS"), ("PA", "NA"),
    ("TT", "NA"),
    ("CO", "SA"), ("GF", "SA"), ("CW", "NA"), ("GL", "NA"), ("EG", "AF"), ("FJ", "OC"),
    ("GU", "OC"),
    ("IS", "EU"), ("AQ", "AN"), ("NA", "AF"), ("AS", "OC"), ("SA", "AS"), ("AF", "AS"),
])
func countriesStandOnTheirContinent(country: String, continent: String) {
    #expect(CountryTables.continent(of: country) == continent)
}
