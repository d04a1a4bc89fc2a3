import Geography

/// Turns records into places: the shape of GeoIP2, GeoLite2 and DB-IP (nested maps), or IPinfo's
/// (flat strings).
struct PlaceReader: ~Copyable {
    private let continentCode = LookupPath("continent", "code")
    private let countryCode = LookupPath("country", "iso_code")
    private let registeredCountryCode = LookupPath("registered_country", "iso_code")
    private let subdivisionCode = LookupPath("subdivisions", "0", "iso_code")
    private let cityName = LookupPath("city", "names", "en")
    private let latitude = LookupPath("location", "latitude")
    private let longitude = LookupPath("location", "longitude")

    private let flatContinentCode = LookupPath("continent_code")
    private let flatContinent = LookupPath("continent")
    private let flatCountryCode = LookupPath("country_code")
    private let flatCountry = LookupPath("country")
    private let flatRegionCode = LookupPath("region_code")
    private let flatCity = LookupPath("city")
    private let flatLatitude = LookupPath("latitude")
    private let flatLat = LookupPath("lat")
    private let flatLongitude = LookupPath("longitude")
    private let flatLng = LookupPath("lng")

    /// The place of the record at `offset`; `Place.unknown` for a record of another shape.
    func place(
        at offset: UInt32, in reader: borrowing DatabaseReader
    ) throws(GeoSourceError) -> Place {
        let place = try nestedPlace(at: offset, in: reader)
        return place == .unknown ? try flatPlace(at: offset, in: reader) : place
    }

    private func nestedPlace(
        at offset: UInt32, in reader: borrowing DatabaseReader
    ) throws(GeoSourceError) -> Place {
        var country = try reader.string(countryCode, at: offset)
        let subdivision = try reader.string(subdivisionCode, at: offset)
        if country == nil { country = try reader.string(registeredCountryCode, at: offset) }
        return place(
            continent: try reader.string(continentCode, at: offset), country: country,
            subdivision: subdivision, city: try reader.string(cityName, at: offset),
            latitude: try reader.number(latitude, at: offset),
            longitude: try reader.number(longitude, at: offset))
    }

    private func flatPlace(
        at offset: UInt32, in reader: borrowing DatabaseReader
    ) throws(GeoSourceError) -> Place {
        var continent = try reader.string(flatContinentCode, at: offset)
        if continent == nil { continent = try reader.string(flatContinent, at: offset) }
        var country = try reader.string(flatCountryCode, at: offset)
        if country == nil { country = try reader.string(flatCountry, at: offset) }
        var latitude = try reader.number(flatLatitude, at: offset)
        if latitude == nil { latitude = try reader.number(flatLat, at: offset) }
        var longitude = try reader.number(flatLongitude, at: offset)
        if longitude == nil { longitude = try reader.number(flatLng, at: offset) }
        return place(
            continent: continent, country: country,
            subdivision: try reader.string(flatRegionCode, at: offset),
            city: try reader.string(flatCity, at: offset), latitude: latitude, longitude: longitude)
    }

    /// Leaves out what cannot be true: a code of the wrong form, a point off the globe.
    private func place(
        continent: String?, country: String?, subdivision: String?, city: String?,
        latitude: Double?, longitude: Double?
    ) -> Place {
        var place = Place()
        place.continent = continent.flatMap { isCode($0, 2...2) ? $0 : nil }
        place.country = country.flatMap { isCode($0, 2...2) ? $0 : nil }
        if let country = place.country, let subdivision, isCode(subdivision, 1...3) {
            place.subdivision = "\(country)-\(subdivision)"
        }
        place.city = city == "" ? nil : city
        if let latitude, let longitude, abs(latitude) <= 90, abs(longitude) <= 180 {
            place.coordinates = Coordinates(latitude: latitude, longitude: longitude)
        }
        return place
    }

    private func isCode(_ text: String, _ count: ClosedRange<Int>) -> Bool {
        count.contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) }
    }
}
