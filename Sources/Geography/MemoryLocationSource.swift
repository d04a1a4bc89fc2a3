package import Addressing

/// A location source out of a list: for tests, and for places known without a database.
package struct MemoryLocationSource: LocationSource {
    package private(set) var places: [Place] = [.unknown]
    private var ipv4: [Leaf] = []
    private var ipv6: [Leaf] = []

    private struct Leaf {
        var bits: UInt128
        var length: Int
        var place: PlaceIndex
    }

    /// The longest prefix wins; of equal prefixes the last. Addresses in no prefix are unknown.
    package init(_ networks: [(prefix: Prefix, place: Place)]) {
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
    }

    package func leafCount(of family: IPAddress.Family) -> Int {
        (family == .ipv4 ? ipv4 : ipv6).count
    }

    package func forEachLeaf(
        of family: IPAddress.Family,
        _ body: (_ bits: UInt128, _ length: Int, _ place: PlaceIndex) -> Void
    ) {
        for leaf in family == .ipv4 ? ipv4 : ipv6 { body(leaf.bits, leaf.length, leaf.place) }
    }

    package func lookup(_ address: IPAddress) -> (place: PlaceIndex, network: Prefix) {
        if let (embedded, offset) = address.embeddedIPv4 {
            let (place, network) = lookup(embedded)
            return (place, Prefix(address, length: offset + network.length))
        }
        let leaves = address.family == .ipv4 ? ipv4 : ipv6
        // The last that does not begin behind the address.
        var (low, high) = (0, leaves.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if leaves[middle].bits <= address.bits { low = middle } else { high = middle }
        }
        return (leaves[low].place, Prefix(address, length: leaves[low].length))
    }

    /// Halves the address space until each part lies in the same prefixes as a whole.
    private static func partition(
        _ networks: [(prefix: Prefix, place: PlaceIndex)], _ family: IPAddress.Family
    ) -> [Leaf] {
        var leaves: [Leaf] = []
        let whole = Prefix(IPAddress(leftAligned: 0, family: family), length: 0)
        // A part of the space, the prefixes inside it, the place of what is around them.
        var pending = [(whole, networks.filter { $0.prefix.family == family }, 0)]
        while let (part, inside, around) = pending.popLast() {
            let place = inside.last { $0.prefix == part }?.place ?? around
            let smaller = inside.filter { $0.prefix.length > part.length }
            if smaller.isEmpty {
                leaves.append(Leaf(bits: part.address.bits, length: part.length, place: place))
                continue
            }
            for bit in [1, 0] {
                let half = part.half(bit)
                pending.append((half, smaller.filter { half.contains($0.prefix) }, place))
            }
        }
        return leaves
    }
}
