import Addressing
import Geography

/// The address space of one family, cut into prefixes that each belong to one place, in address
/// order and without a gap. Flat arrays: a million networks take 9 (IPv4) or 21 (IPv6) megabytes.
struct Partition: Sendable {
    private let family: IPAddress.Family
    /// First addresses; the one in use is the family's, right-aligned.
    private var ipv4Starts: [UInt32] = []
    private var ipv6Starts: [UInt128] = []
    private var lengths: [UInt8] = []
    private var places: [UInt32] = []

    /// Makes room for as many prefixes as there may be; what is not used costs addresses only.
    init(of family: IPAddress.Family, countMax: Int) {
        self.family = family
        switch family {
        case .ipv4: ipv4Starts.reserveCapacity(countMax)
        case .ipv6: ipv6Starts.reserveCapacity(countMax)
        }
        lengths.reserveCapacity(countMax)
        places.reserveCapacity(countMax)
    }

    /// The whole space, unknown.
    static func unknown(_ family: IPAddress.Family) -> Partition {
        var partition = Partition(of: family, countMax: 1)
        partition.append(0, length: 0, place: 0)
        return partition
    }

    var count: Int { lengths.count }

    /// `bits` are left-aligned; the leaf must start where the last one ended.
    mutating func append(_ bits: UInt128, length: Int, place: PlaceIndex) {
        switch family {
        case .ipv4: ipv4Starts.append(UInt32(truncatingIfNeeded: bits >> 96))
        case .ipv6: ipv6Starts.append(bits)
        }
        lengths.append(UInt8(length))
        places.append(UInt32(place))
    }

    /// Gives every leaf the place that `renumbering` has for its old one.
    mutating func renumberPlaces(_ renumbering: [PlaceIndex]) {
        for index in places.indices { places[index] = UInt32(renumbering[Int(places[index])]) }
    }

    func forEachLeaf(_ body: (_ bits: UInt128, _ length: Int, _ place: PlaceIndex) -> Void) {
        for index in lengths.indices { body(start(index), Int(lengths[index]), Int(places[index])) }
    }

    /// The leaf that holds the address: a binary search.
    func leaf(of address: IPAddress) -> (place: PlaceIndex, network: Prefix) {
        precondition(address.family == family && count > 0)
        var low = 0
        var high = count
        while high - low > 1 {
            let middle = (low + high) / 2
            if start(middle) <= address.bits { low = middle } else { high = middle }
        }
        return (
            Int(places[low]),
            Prefix(
                IPAddress(leftAligned: start(low), family: family), length: Int(lengths[low]))
        )
    }

    private func start(_ index: Int) -> UInt128 {
        family == .ipv4 ? UInt128(ipv4Starts[index]) << 96 : ipv6Starts[index]
    }
}
