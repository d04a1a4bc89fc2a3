package import Addressing
import Tables

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

/// An index into `LocationSource.places`.
package typealias PlaceIndex = Int

/// A location database as the location table's builder sees it: a set of places, and for each
/// family a partition of the whole address space into prefixes that each belong to one place.
package protocol LocationSource {
    /// Place 0 is `Place.unknown`.
    var places: [Place] { get }

    /// How many leaves the partition of `family` has.
    func leafCount(of family: IPAddress.Family) -> Int

    /// Calls `body` for every leaf of the partition of `family`, in address order, without a gap:
    /// the leaf's first address (left-aligned bits, as in `IPAddress`), its prefix length, its
    /// place. IPv6 forms that carry an IPv4 address (`IPAddress.embeddedIPv4`) are looked up as
    /// IPv4 and may have any place here.
    func forEachLeaf(
        of family: IPAddress.Family,
        _ body: (_ bits: UInt128, _ length: Int, _ place: PlaceIndex) -> Void)

    /// The place of one address, and a prefix around it in which all have that place.
    func lookup(_ address: IPAddress) -> (place: PlaceIndex, network: Prefix)

    /// Which autonomous systems addresses belong to. It may be read only now: who does not ask
    /// pays nothing.
    func autonomousSystems() throws(NoAutonomousSystems) -> AutonomousSystems
}

/// Why a source tells no autonomous systems.
package enum NoAutonomousSystems: Error, Equatable {
    /// There is no database of anything: no client is known by any place either.
    case noDatabase
    /// The words for it, and what to do.
    case notTold(String)
}

extension LocationSource {
    /// Tells apart sources that place some address otherwise (`Digest`); 0: no place is known. It
    /// takes a walk through all leaves.
    package var fingerprint: UInt64 {
        guard places.count > 1 else { return 0 }
        let places = places.map(\.fingerprint)
        var digest = Digest()
        for family in IPAddress.Family.allCases {
            forEachLeaf(of: family) { bits, length, place in
                digest.add(UInt64(truncatingIfNeeded: bits >> 64) ^ UInt64(length))
                digest.add(UInt64(truncatingIfNeeded: bits) ^ places[place])
            }
        }
        return digest.value
    }
}

extension Place {
    fileprivate var fingerprint: UInt64 {
        var digest = Digest()
        for part in [continent, country, subdivision, city] { digest.add(part ?? "") }
        digest.add(coordinates?.latitude.bitPattern ?? 0)
        digest.add(coordinates?.longitude.bitPattern ?? 0)
        return digest.value
    }
}
