import Addressing

extension LocationTable {
    /// Merges a location database and the operator's own prefixes into one table.
    ///
    /// `order` says which order a place gets, under a line of the operator's map when one of
    /// `overrides` covers it; it is called once for each pair that occurs. Where two overrides name
    /// the same prefix, the one given last wins. `special` is the order of special-purpose
    /// addresses that neither the source nor an override knows; nil: as of any unknown place.
    package static func build(
        from source: some LocationSource, overrides: [PrefixOverride], special: OrderIndex? = nil,
        order: (_ place: PlaceIndex, _ line: Int?) -> OrderIndex
    ) -> LocationTable {
        var orders = KnownOrders(placeCount: source.places.count, special: special)
        var compiler = LocationTableCompiler()
        let own = special == nil ? [] : specials(besides: overrides)
        for family in [IPAddress.Family.ipv4, .ipv6] {
            var merger = PrefixMerger(countMax: source.leafCount(of: family))
            var cursor = OverrideCursor(reachable(own + overrides, in: family))
            source.forEachLeaf(of: family) { bits, length, place in
                if cursor.isClear(bits, length: length) {
                    let found = orders.order(place, order)
                    return merger.append(bits, length: length, order: found)
                }
                let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
                cursor.split(leaf) { piece, line in
                    let found = orders.order(place, line: line, order)
                    merger.append(piece.address.bits, length: piece.length, order: found)
                }
            }
            compiler.add(merger)
        }
        return compiler.finish(special: special)
    }

    /// Those that no override covers: what is said of a network goes before its kind.
    private static func specials(besides overrides: [PrefixOverride]) -> [PrefixOverride] {
        IPAddress.specialPrefixes.filter { special in
            !overrides.contains { $0.prefix.contains(special) }
        }.map { PrefixOverride($0, line: specialLine) }
    }

    /// What was asked for before: a million leaves have some hundred places.
    private struct KnownOrders {
        /// By place, where no line of the map covers the address; -1: not asked for yet.
        private var plain: [Int32]
        private var underLines: [OrderKey: OrderIndex] = [:]
        private let special: OrderIndex?

        init(placeCount: Int, special: OrderIndex?) {
            plain = Array(repeating: -1, count: placeCount)
            self.special = special
        }

        mutating func order(
            _ place: PlaceIndex, _ make: (PlaceIndex, Int?) -> OrderIndex
        ) -> OrderIndex {
            let known = plain[place]
            if known >= 0 { return Int(known) }
            let order = make(place, nil)
            plain[place] = Int32(order)
            return order
        }

        mutating func order(
            _ place: PlaceIndex, line: Int?, _ make: (PlaceIndex, Int?) -> OrderIndex
        ) -> OrderIndex {
            guard let line else { return order(place, make) }
            if line == embeddedLine { return embeddedOrder }
            if line == specialLine { return place == 0 ? special ?? 0 : order(place, make) }
            let key = OrderKey(place: place, line: line)
            if let known = underLines[key] { return known }
            let order = make(place, line)
            underLines[key] = order
            return order
        }
    }

    /// IPv6 forms that carry an IPv4 address are looked up as IPv4, with a scope of their own. No
    /// wider IPv6 prefix may swallow them, or two scopes would overlap: each is walled off with an
    /// order that nothing else has.
    private static func reachable(
        _ overrides: [PrefixOverride], in family: IPAddress.Family
    ) -> [PrefixOverride] {
        guard family == .ipv6 else { return overrides.filter { $0.prefix.family == .ipv4 } }
        let walls = IPAddress.embeddingPrefixes
        return overrides.filter { override in
            override.prefix.family == .ipv6 && !walls.contains { $0.contains(override.prefix) }
        } + walls.map { PrefixOverride($0, line: embeddedLine) }
    }

    private static let embeddedLine = -1
    private static let specialLine = -2
    static let embeddedOrder = (1 << 23) - 1

    private struct OrderKey: Hashable {
        var place: PlaceIndex
        var line: Int
    }
}

/// Lays out merged prefixes as roots, nodes and leaves.
struct LocationTableCompiler {
    private var roots: [UInt32] = []
    private var nodes: [LocationNode] = []
    private var leaves: [UInt32] = []

    func finish(special: OrderIndex?) -> LocationTable {
        LocationTable(roots: roots, nodes: nodes, leaves: leaves, special: special)
    }

    /// A node still to be filled: the prefixes below it, and its depth in bits.
    private struct Pending {
        var node: Int
        var prefixes: Range<Int>
        var depth: Int
    }

    /// Adds one family's partition, which must cover the whole space: IPv4 first, then IPv6.
    mutating func add(_ partition: PrefixMerger) {
        var queue: [Pending] = []
        fillRoots(partition, &queue)
        var head = 0
        while head < queue.count {
            fill(queue[head], partition, &queue)
            head += 1
        }
    }

    private mutating func fillRoots(_ partition: PrefixMerger, _ queue: inout [Pending]) {
        let depth = LocationTable.rootBitCount
        var index = 0
        while index < partition.count {
            let length = Int(partition.lengths[index])
            if length <= depth {
                let leaf = LocationTable.leafMark | leafValue(partition, index)
                var left = 1 << (depth - length)
                while left > 0 {
                    roots.append(leaf)
                    left -= 1
                }
                index += 1
                continue
            }
            let group = groupEnd(partition, from: index, depth: depth)
            roots.append(UInt32(nodes.count))
            queue.append(Pending(node: nodes.count, prefixes: index..<group, depth: depth))
            nodes.append(LocationNode())
            index = group
        }
    }

    private mutating func fill(
        _ pending: Pending, _ partition: PrefixMerger, _ queue: inout [Pending]
    ) {
        var node = LocationNode(
            firstChild: UInt32(nodes.count), firstLeaf: UInt32(leaves.count))
        let depth = pending.depth + LocationTable.strideBitCount
        var slot = 0
        var index = pending.prefixes.lowerBound
        var last: UInt32?
        while index < pending.prefixes.upperBound {
            let length = Int(partition.lengths[index])
            if length <= depth {
                let leaf = leafValue(partition, index)
                if leaf != last {
                    node.leafStarts |= 1 << UInt64(slot)
                    leaves.append(leaf)
                    last = leaf
                }
                slot += 1 << (depth - length)
                index += 1
                continue
            }
            let group = groupEnd(partition, from: index, depth: depth)
            node.children |= 1 << UInt64(slot)
            queue.append(Pending(node: nodes.count, prefixes: index..<group, depth: depth))
            nodes.append(LocationNode())
            slot += 1
            index = group
        }
        precondition(slot == 1 << LocationTable.strideBitCount, "a partition has no gaps")
        nodes[pending.node] = node
    }

    /// The end of the run of prefixes that share their first `depth` bits with `start`.
    private func groupEnd(_ partition: PrefixMerger, from start: Int, depth: Int) -> Int {
        let shift = UInt128(128 - depth)
        let common = partition.starts[start] >> shift
        var end = start
        while end < partition.count, partition.starts[end] >> shift == common { end += 1 }
        return end
    }

    private func leafValue(_ partition: PrefixMerger, _ index: Int) -> UInt32 {
        LocationTable.leaf(
            order: Int(partition.orders[index]), scope: Int(partition.lengths[index]))
    }
}
