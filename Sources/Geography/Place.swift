/// Where a client is, as far as a location database tells. Every part may be missing.
package struct Place: Hashable, Sendable {
    /// Two letters: AF AN AS EU NA OC SA.
    package var continent: String?
    /// ISO 3166-1, two letters.
    package var country: String?
    /// ISO 3166-2 with its country: `US-CA`.
    package var subdivision: String?
    /// English name.
    package var city: String?
    package var coordinates: Coordinates?

    package init(
        continent: String? = nil, country: String? = nil, subdivision: String? = nil,
        city: String? = nil, coordinates: Coordinates? = nil
    ) {
        self.continent = continent
        self.country = country
        self.subdivision = subdivision
        self.city = city
        self.coordinates = coordinates
    }

    /// Nothing is known.
    package static let unknown = Place()
}

/// A point on Earth in decimal degrees, north and east positive.
package struct Coordinates: Hashable, Sendable {
    /// -90…90
    package var latitude: Double
    /// -180…180
    package var longitude: Double

    package init(latitude: Double, longitude: Double) {
        self.latitude = latitude
        self.longitude = longitude
    }
}
