package import Addressing

/// The address space of one family, cut into prefixes that each belong to one place (or to one
/// autonomous system), in address order and without a gap. Flat arrays: a million networks take 9
/// (IPv4) or 21 (IPv6) megabytes.
package struct Partition: Sendable {
    private let family: IPAddress.Family
    /// First addresses; the one in use is the family's, right-aligned.
    private var ipv4Starts: [UInt32] = []
    private var ipv6Starts: [UInt128] = []
    private var lengths: [UInt8] = []
    private var places: [UInt32] = []

    /// Makes room for as many prefixes as there may be; what is not used costs addresses only.
    package init(of family: IPAddress.Family, countMax: Int) {
        self.family = family
        switch family {
        case .ipv4: ipv4Starts.reserveCapacity(countMax)
        case .ipv6: ipv6Starts.reserveCapacity(countMax)
        }
        lengths.reserveCapacity(countMax)
        places.reserveCapacity(countMax)
    }

    /// The whole space, unknown.
    package static func unknown(_ family: IPAddress.Family) -> Partition {
        var partition = Partition(of: family, countMax: 1)
        partition.append(0, length: 0, place: 0)
        return partition
    }

    package var count: Int { lengths.count }

    /// `bits` are left-aligned; the leaf must start where the last one ended.
    package mutating func append(_ bits: UInt128, length: Int, place: PlaceIndex) {
        switch family {
        case .ipv4: ipv4Starts.append(UInt32(truncatingIfNeeded: bits >> 96))
        case .ipv6: ipv6Starts.append(bits)
        }
        lengths.append(UInt8(length))
        places.append(UInt32(place))
    }

    /// Gives every leaf the place that `renumbering` has for its old one.
    package mutating func renumberPlaces(_ renumbering: [PlaceIndex]) {
        for index in places.indices { places[index] = UInt32(renumbering[Int(places[index])]) }
    }

    /// The same with other places where `corrections` say so, each by its line as the place: the
    /// longest prefix wins over shorter ones, and over whatever lies inside it here.
    package func corrected(by corrections: [PrefixOverride]) -> Partition {
        let own = corrections.filter { $0.prefix.family == family }
        guard !own.isEmpty else { return self }
        var cursor = OverrideCursor(own)
        var result = Partition(of: family, countMax: count + own.count)
        forEachLeaf { bits, length, place in
            if cursor.isClear(bits, length: length) {
                return result.append(bits, length: length, place: place)
            }
            let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
            cursor.split(leaf) { piece, corrected in
                result.append(
                    piece.address.bits, length: piece.length, place: corrected ?? place)
            }
        }
        return result
    }

    package func forEachLeaf(
        _ body: (_ bits: UInt128, _ length: Int, _ place: PlaceIndex) -> Void
    ) {
        for index in lengths.indices { body(start(index), Int(lengths[index]), Int(places[index])) }
    }

    /// The leaf that holds the address: a binary search.
    package func leaf(of address: IPAddress) -> (place: PlaceIndex, network: Prefix) {
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
