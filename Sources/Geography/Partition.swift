package import Addressing

/// The address space of one family, cut into prefixes that each belong to one place (or to one
/// autonomous system), in address order and without a gap: where one starts the last one ends, so
/// that lengths need not be kept. Flat arrays: a million networks take 8 (IPv4) or 20 (IPv6)
/// megabytes.
package struct Partition: Sendable {
    private struct IPv4Leaf {
        var start: UInt32
        var place: UInt32
    }

    private let family: IPAddress.Family
    /// In use are the family's.
    private var ipv4Leaves: [IPv4Leaf] = []
    private var ipv6Starts: [UInt128] = []
    private var ipv6Places: [UInt32] = []

    /// Makes room for as many prefixes as there may be; what is not used costs addresses only.
    package init(of family: IPAddress.Family, countMax: Int) {
        self.family = family
        switch family {
        case .ipv4: ipv4Leaves.reserveCapacity(countMax)
        case .ipv6:
            ipv6Starts.reserveCapacity(countMax)
            ipv6Places.reserveCapacity(countMax)
        }
    }

    /// The whole space, unknown.
    package static func unknown(_ family: IPAddress.Family) -> Partition {
        var partition = Partition(of: family, countMax: 1)
        partition.append(0, place: 0)
        return partition
    }

    package var count: Int { family == .ipv4 ? ipv4Leaves.count : ipv6Starts.count }

    /// A leaf from `bits` on, which are left-aligned: where the last one ends, and the first of all
    /// is 0. It goes on until the next, or until the space ends.
    package mutating func append(_ bits: UInt128, place: PlaceIndex) {
        switch family {
        case .ipv4:
            let start = UInt32(truncatingIfNeeded: bits >> 96)
            ipv4Leaves.append(IPv4Leaf(start: start, place: UInt32(place)))
        case .ipv6:
            ipv6Starts.append(bits)
            ipv6Places.append(UInt32(place))
        }
    }

    /// Gives every leaf the place that `renumbering` has for its old one.
    package mutating func renumberPlaces(_ renumbering: [PlaceIndex]) {
        if renumbering == Array(renumbering.indices) { return }
        for index in ipv4Leaves.indices {
            ipv4Leaves[index].place = UInt32(renumbering[Int(ipv4Leaves[index].place)])
        }
        for index in ipv6Places.indices {
            ipv6Places[index] = UInt32(renumbering[Int(ipv6Places[index])])
        }
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
                return result.append(bits, place: place)
            }
            let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
            cursor.split(leaf) { piece, corrected in
                result.append(piece.address.bits, place: corrected ?? place)
            }
        }
        return result
    }

    package func forEachLeaf(
        _ body: (_ bits: UInt128, _ length: Int, _ place: PlaceIndex) -> Void
    ) {
        var (bits, place) = self[0]
        for index in 0..<count {
            // Behind the last leaf the space begins anew.
            let next = index + 1 < count ? self[index + 1] : (bits: 0, place: 0)
            body(bits, length(from: bits, to: next.bits), place)
            (bits, place) = next
        }
    }

    /// The leaf that holds the address: a binary search.
    package func leaf(of address: IPAddress) -> (place: PlaceIndex, network: Prefix) {
        precondition(address.family == family && count > 0)
        var low = 0
        var high = count
        while high - low > 1 {
            let middle = (low + high) / 2
            if self[middle].bits <= address.bits { low = middle } else { high = middle }
        }
        let (bits, place) = self[low]
        let length = length(from: bits, to: high < count ? self[high].bits : 0)
        return (place, Prefix(IPAddress(leftAligned: bits, family: family), length: length))
    }

    private subscript(index: Int) -> (bits: UInt128, place: PlaceIndex) {
        switch family {
        case .ipv4: (UInt128(ipv4Leaves[index].start) << 96, Int(ipv4Leaves[index].place))
        case .ipv6: (ipv6Starts[index], Int(ipv6Places[index]))
        }
    }

    /// Of the prefix that begins with the one address and ends before the other.
    private func length(from bits: UInt128, to next: UInt128) -> Int {
        128 - (next &- bits).trailingZeroBitCount
    }
}
