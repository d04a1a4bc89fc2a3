package import Addressing
import Tables

/// An index into `LocationSource.places`.
package typealias PlaceIndex = Int

/// A location database as the location table's builder sees it: a set of places, and for each
/// family a partition of the whole address space into prefixes that each belong to one place.
package protocol LocationSource {
    /// Place 0 is `Place.unknown`.
    var places: [Place] { get }

    /// All addresses of a family. IPv6 forms that carry an IPv4 address (`IPAddress.embeddedIPv4`)
    /// are looked up as IPv4 and may have any place here.
    func partition(of family: IPAddress.Family) -> Partition

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
    /// `Partition.forEachLeaf` of one family.
    package func forEachLeaf(
        of family: IPAddress.Family,
        _ body: (_ bits: UInt128, _ length: Int, _ place: PlaceIndex) -> Void
    ) {
        partition(of: family).forEachLeaf(body)
    }

    /// The place of an address, and a network around it that has that place as a whole. An IPv6
    /// form that carries an IPv4 address is looked up as that; its network is the IPv6 one.
    package func lookup(_ address: IPAddress) -> (place: PlaceIndex, network: Prefix) {
        let (looked, offset) = address.embeddedIPv4 ?? (address, 0)
        let (place, network) = partition(of: looked.family).leaf(of: looked)
        return (place, Prefix(address, length: offset + network.length))
    }

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
