package import Addressing

/// A location source out of a list: for tests, and for places known without a database.
package struct MemoryLocationSource: LocationSource {
    package private(set) var places: [Place] = [.unknown]
    private let ipv4: Partition
    private let ipv6: Partition
    private let systems: AutonomousSystems?

    /// The longest prefix wins; of equal prefixes the last. Addresses in no prefix are unknown.
    /// `systems`: the numbers of the autonomous systems they are in; empty: it does not tell.
    package init(
        _ networks: [(prefix: Prefix, place: Place)],
        systems: [(prefix: Prefix, number: UInt32)] = []
    ) {
        var indexes: [Place: PlaceIndex] = [.unknown: 0]
        var placed: [(prefix: Prefix, place: PlaceIndex)] = []
        for network in networks {
            let index = indexes[network.place] ?? places.count
            if index == places.count {
                indexes[network.place] = index
                places.append(network.place)
            }
            placed.append((network.prefix, index))
        }
        ipv4 = MemoryLocationSource.partition(placed, .ipv4)
        ipv6 = MemoryLocationSource.partition(placed, .ipv6)
        let numbered = systems.map { (prefix: $0.prefix, place: PlaceIndex($0.number)) }
        self.systems =
            systems.isEmpty
            ? nil
            : AutonomousSystems(
                ipv4: MemoryLocationSource.partition(numbered, .ipv4),
                ipv6: MemoryLocationSource.partition(numbered, .ipv6))
    }

    package func partition(of family: IPAddress.Family) -> Partition {
        family == .ipv4 ? ipv4 : ipv6
    }

    package func autonomousSystems() throws(NoAutonomousSystems) -> AutonomousSystems {
        if let systems { return systems }
        throw places.count > 1 ? .notTold("the places come without them") : .noDatabase
    }

    /// Halves the address space until each part lies in the same prefixes as a whole.
    private static func partition(
        _ networks: [(prefix: Prefix, place: PlaceIndex)], _ family: IPAddress.Family
    ) -> Partition {
        var partition = Partition(of: family, countMax: 2 * networks.count + 1)
        let whole = Prefix(IPAddress(leftAligned: 0, family: family), length: 0)
        // A part of the space, the prefixes inside it, the place of what is around them.
        var pending = [(whole, networks.filter { $0.prefix.family == family }, 0)]
        while let (part, inside, around) = pending.popLast() {
            let place = inside.last { $0.prefix == part }?.place ?? around
            let smaller = inside.filter { $0.prefix.length > part.length }
            if smaller.isEmpty {
                partition.append(part.address.bits, place: place)
                continue
            }
            for bit in [1, 0] {
                let half = part.half(bit)
                pending.append((half, smaller.filter { half.contains($0.prefix) }, place))
            }
        }
        return partition
    }
}
