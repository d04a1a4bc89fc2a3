package import Addressing
package import Geography

/// A location database in the MaxMind DB format: GeoIP2, GeoLite2, DB-IP, IPinfo, our own.
///
/// libmaxminddb reads it, once: everything is checked and copied when it is opened, and nothing
/// touches the file afterwards, so that replacing, truncating or deleting it does no harm.
package struct MaxMindDatabase: LocationSource {
    /// What the file says about itself, for status pages and explanations.
    package struct Metadata: Hashable, Sendable {
        /// As the operator named it.
        package let path: String
        /// `GeoIP2-City`
        package let databaseType: String
        /// Seconds since 1970, UTC.
        package let buildEpoch: UInt64
        package let nodeCount: Int
        /// 4 or 6.
        package let ipVersion: Int
    }

    package let metadata: Metadata
    package let places: [Place]
    private let ipv4: Partition
    private let ipv6: Partition
    /// Where the autonomous systems of its clients may be read.
    package let systemFiles: SystemFiles

    /// Opens and reads the whole database: about a second for a million networks.
    package init(path: String) throws(GeoSourceError) {
        try self.init(path: path, systemFiles: SystemFiles())
    }

    /// `systemFiles`: what else lies in its directory.
    init(path: String, systemFiles: SystemFiles) throws(GeoSourceError) {
        let reader = try DatabaseReader(path: path)
        metadata = Metadata(reader)
        var walk = TreeWalk(reader)
        var ipv4 = try walk.partition(.ipv4)
        var ipv6 = try walk.partition(.ipv6)
        let (places, renumbering) = placesWithCoordinates(walk.places)
        ipv4.renumberPlaces(renumbering)
        ipv6.renumberPlaces(renumbering)
        self.places = places
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        var systemFiles = systemFiles
        systemFiles.location = path
        systemFiles.isSeenInLocation = walk.hasSeenSystem
        self.systemFiles = systemFiles
    }

    package func autonomousSystems() throws(NoAutonomousSystems) -> AutonomousSystems {
        try systemFiles.autonomousSystems()
    }

    package func partition(of family: IPAddress.Family) -> Partition {
        family == .ipv4 ? ipv4 : ipv6
    }
}

extension MaxMindDatabase.Metadata {
    init(_ reader: borrowing DatabaseReader) {
        path = reader.path
        databaseType = reader.databaseType
        buildEpoch = reader.buildEpoch
        nodeCount = Int(reader.nodeCount)
        ipVersion = reader.ipVersion
    }
}

/// Gives places without coordinates their country's: those of the first place that is the country
/// and nothing narrower, which is the position the database's maker chose for it, or else of the
/// first place in the country. "First" is in the order of addresses, IPv4 before IPv6.
///
/// Places that have become equal are merged; `renumbering` maps an old index to the new one.
private func placesWithCoordinates(
    _ places: [Place]
) -> (places: [Place], renumbering: [PlaceIndex]) {
    var ofCountries: [String: Coordinates] = [:]
    var ofPartsOfCountries: [String: Coordinates] = [:]
    for place in places {
        guard let country = place.country, let coordinates = place.coordinates else { continue }
        let isWhole = place.city == nil && place.subdivision == nil
        if isWhole, ofCountries[country] == nil { ofCountries[country] = coordinates }
        if !isWhole, ofPartsOfCountries[country] == nil {
            ofPartsOfCountries[country] = coordinates
        }
    }
    var result: [Place] = []
    var indexes: [Place: PlaceIndex] = [:]
    let renumbering = places.map { place in
        var place = place
        if place.coordinates == nil, let country = place.country {
            place.coordinates = ofCountries[country] ?? ofPartsOfCountries[country]
        }
        let index = indexes[place] ?? result.count
        if index == result.count {
            indexes[place] = index
            result.append(place)
        }
        return index
    }
    return (result, renumbering)
}
