/// What a location database says about a network, in the shape of GeoIP2 City's records.
package struct LocationRecord: Hashable, Sendable {
    package var continent: String?
    /// ISO 3166-1, two letters.
    package var country: String?
    package var countryName: String?
    /// ISO 3166-2 without its country: `CA` of `US-CA`.
    package var subdivision: String?
    package var city: String?
    /// Decimal degrees; both or none.
    package var latitude: Double?
    package var longitude: Double?
    package var autonomousSystemNumber: UInt32?

    package init(
        continent: String? = nil, country: String? = nil, countryName: String? = nil,
        subdivision: String? = nil, city: String? = nil, latitude: Double? = nil,
        longitude: Double? = nil, autonomousSystemNumber: UInt32? = nil
    ) {
        self.continent = continent
        self.country = country
        self.countryName = countryName
        self.subdivision = subdivision
        self.city = city
        self.latitude = latitude
        self.longitude = longitude
        self.autonomousSystemNumber = autonomousSystemNumber
    }

    /// The map that stands in the database; what is not known is left out. The autonomous system
    /// stands at the top, where GeoLite2 ASN has it.
    package var value: DatabaseValue {
        var fields: [DatabaseValue.Field] = []
        if let autonomousSystemNumber {
            fields.append(.init("autonomous_system_number", .uint32(autonomousSystemNumber)))
        }
        if let city { fields.append(.init("city", ["names": ["en": .string(city)]])) }
        if let continent { fields.append(.init("continent", ["code": .string(continent)])) }
        if let country {
            var map = [DatabaseValue.Field("iso_code", .string(country))]
            if let countryName { map.append(.init("names", ["en": .string(countryName)])) }
            fields.append(.init("country", .map(map)))
        }
        if let latitude, let longitude {
            fields.append(
                .init("location", ["latitude": .double(latitude), "longitude": .double(longitude)]))
        }
        if let subdivision {
            fields.append(.init("subdivisions", [["iso_code": .string(subdivision)]]))
        }
        return .map(fields)
    }
}
