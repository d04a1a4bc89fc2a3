package import Addressing
import Diagnostics

/// A country-level location database for the whole Internet, from public files: Tor's range tables
/// (`geoip`, `geoip6`) and tzdata's `zone.tab` and `iso3166.tab`. Its records have the shape of
/// GeoIP2 City's: `continent.code`, `country.iso_code`, `country.names.en`, `location`.
package struct WorldCountry {
    package static let databaseType = "geodns-World-Country"
    package static let databaseDescription =
        "Countries of the Internet's addresses. Ranges: IPFire Location database, CC BY-SA 4.0, "
        + "as distributed with Tor. Positions and names: tz database, public domain."

    /// Ranges that went in.
    package private(set) var rangeCount = 0
    /// Ranges left out, by the code they had: unknown, or not a country.
    package private(set) var skipped: [String: Int] = [:]
    package private(set) var builder = DatabaseBuilder(version: .ipv6)

    private let countries: [String: DatabaseBuilder.ValueIndex]

    /// Countries are those of `iso3166.tab`; one that `zone.tab` does not place has no location.
    package init(zoneTab: SourceText, names: SourceText) throws(SourceError) {
        let places = try ZoneTab(zoneTab).countries
        let names = try ZoneTab.names(names)
        var countries: [String: DatabaseBuilder.ValueIndex] = [:]
        for code in Set(places.keys).union(names.keys).sorted() {
            countries[code] = builder.intern(
                WorldCountry.record(code, name: names[code], place: places[code]))
        }
        for (code, area) in CountryTables.areas {
            let place = places[area.position]
            countries[code] = builder.intern(
                LocationRecord(
                    continent: area.continent, latitude: place?.latitude,
                    longitude: place?.longitude
                ).value)
        }
        for (code, country) in CountryTables.aliases { countries[code] = countries[country] }
        self.countries = countries
    }

    private static func record(
        _ code: String, name: String?, place: ZoneTab.Country?
    ) -> DatabaseValue {
        LocationRecord(
            continent: CountryTables.continent(of: code), country: code, countryName: name,
            latitude: place?.latitude, longitude: place?.longitude
        ).value
    }

    /// Adds the lines `first,last,CC` of one table. IPv4 addresses are decimal integers, IPv6
    /// addresses text. `EU` and `AP`, which stand for several countries, give a continent and a
    /// position (`CountryTables.areas`); a code that is neither (`??`, `A1`) is counted and left
    /// out.
    package mutating func add(
        _ source: SourceText, family: IPAddress.Family
    ) throws(SourceError) {
        try source.forEachLine(separator: UInt8(ascii: ",")) { line throws(SourceError) in
            guard line.fields.count >= 3 else {
                throw SourceError(line.end, "expected first address, last address and country")
            }
            let first = try line.fields[0].address(family)
            let last = try line.fields[1].address(family)
            guard let range = AddressRange(first, through: last) else {
                throw SourceError(
                    line.fields[1].location, "the last address stands before the first")
            }
            let code = line.fields[2].text
            guard let country = countries[code] else {
                skipped[code, default: 0] += 1
                return
            }
            rangeCount += 1
            range.forEachPrefix { builder.insert($0, country) }
        }
    }
}

extension SourceText.Field {
    fileprivate func address(_ family: IPAddress.Family) throws(SourceError) -> IPAddress {
        switch family {
        case .ipv4:
            if let value = decimal() { return IPAddress(ipv4: value) }
            throw SourceError(
                location, "expected an IPv4 address as an integer below 2^32, found '\(text)'")
        case .ipv6:
            if let value = IPAddress(text), value.family == .ipv6 { return value }
            throw SourceError(location, "expected an IPv6 address, found '\(text)'")
        }
    }

    private func decimal() -> UInt32? {
        guard (1...10).contains(bytes.count) else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return UInt32(exactly: value)
    }
}
