public import Addressing
public import Tables

/// What an order of targets is called inside a location table: an index into the orders of the
/// policy that the table was built for.
@usableFromInline package typealias OrderIndex = Int

/// For every address the order of targets it gets, and the widest prefix around the address for
/// which that is true: the ECS scope (RFC 7871 §7.2.1).
///
/// A trie over prefixes in which equal siblings are merged, compiled into a direct array for the
/// first 16 bits and nodes of six bits below (Asai and Ohara, "Poptrie", SIGCOMM 2015). Looking up
/// an address costs one load for the array, one for each node, one for the leaf.
@usableFromInline
package final class LocationTable: Sendable {
    let roots: FrozenArray<UInt32>
    let nodes: FrozenArray<LocationNode>
    let leaves: FrozenArray<UInt32>
    /// The order of special-purpose addresses that nothing is known of; nil: none is told apart.
    package let special: OrderIndex?

    init(
        roots: [UInt32], nodes: [LocationNode], leaves: [UInt32], special: OrderIndex? = nil
    ) {
        self.special = special
        self.roots = FrozenArray(roots)
        self.nodes = FrozenArray(nodes)
        self.leaves = FrozenArray(leaves)
    }

    /// Bytes of the compiled tables.
    package var byteCount: Int {
        roots.count * 4 + nodes.count * MemoryLayout<LocationNode>.stride + leaves.count * 4
    }

    /// Loads that wait for one another when this address is looked up: of an entry of the array, of
    /// each node, and of the leaf, which the array may hold itself.
    package func loadCount(for address: IPAddress) -> Int {
        var count = 0
        withExtendedLifetime(self) {
            let view = unsafe view
            _ = view.leaf(for: address.embeddedIPv4?.address ?? address) { count += 1 }
        }
        return count
    }

    /// How many addresses of IPv4 have each order, of so many as there are.
    package func addressCounts(orderCount: Int) -> [Double] {
        var counts = [Double](repeating: 0, count: orderCount)
        func add(_ leaf: UInt32, _ addressCount: Double) {
            let order = Int(leaf >> 8)
            if order < orderCount { counts[order] += addressCount }
        }
        // Nodes, and what one slot of them has.
        var pending: [(node: Int, slotSize: Double)] = []
        let rootSize = Double(1 << (32 - LocationTable.rootBitCount))
        let slotCount = 1 << LocationTable.strideBitCount
        for root in 0..<(1 << LocationTable.rootBitCount) {
            let entry = roots[root]
            if entry & LocationTable.leafMark != 0 {
                add(entry & ~LocationTable.leafMark, rootSize)
            } else {
                pending.append((Int(entry), rootSize / Double(slotCount)))
            }
        }
        while let (index, size) = pending.popLast() {
            let node = nodes[index]
            var (child, leaf) = (Int(node.firstChild), Int(node.firstLeaf) - 1)
            for slot in 0..<UInt64(slotCount) {
                if node.leafStarts >> slot & 1 == 1 { leaf += 1 }
                if node.children >> slot & 1 == 1 {
                    pending.append((child, size / Double(slotCount)))
                    child += 1
                } else {
                    add(leaves[leaf], size)
                }
            }
        }
        return counts
    }

    /// Valid for as long as this object lives (`FrozenArray.view`).
    @unsafe package var view: View {
        unsafe View(
            roots: roots.view, nodes: nodes.view, leaves: leaves.view, special: special ?? -1)
    }

    /// What the table says of one address.
    package func find(_ address: IPAddress) -> Match {
        withExtendedLifetime(self) { unsafe view.find(address) }
    }

    /// Direct bits at the top of each family's trie.
    @usableFromInline static var rootBitCount: Int { 16 }
    /// Bits that one node resolves.
    @usableFromInline static var strideBitCount: Int { 6 }
    /// Set in a root entry that is a leaf; the rest is then the leaf.
    @usableFromInline static var leafMark: UInt32 { 0x8000_0000 }

    /// Order in the upper 23 bits below the mark, scope in the lower eight.
    static func leaf(order: OrderIndex, scope: Int) -> UInt32 {
        precondition(order < 1 << 23)
        return UInt32(order) << 8 | UInt32(scope)
    }
}

/// One node of 64 slots: which are nodes, and where runs of equal leaves begin.
@usableFromInline
struct LocationNode: BitwiseCopyable, Sendable {
    /// Bit i: slot i continues in a node.
    @usableFromInline var children: UInt64 = 0
    /// Bit i: slot i begins a new leaf.
    @usableFromInline var leafStarts: UInt64 = 0
    @usableFromInline var firstChild: UInt32 = 0
    @usableFromInline var firstLeaf: UInt32 = 0
}

extension LocationTable {
    @usableFromInline
    package struct Match: Sendable, Equatable, BitwiseCopyable {
        @usableFromInline package var order: OrderIndex
        /// Length of the widest prefix around the address that has the same order, in bits of the
        /// address asked for (of the IPv6 form, for one that carries an IPv4 address).
        @usableFromInline package var scope: Int

        @inlinable init(order: OrderIndex, scope: Int) {
            self.order = order
            self.scope = scope
        }
    }

    /// What queries read, valid while the `LocationTable` lives.
    @usableFromInline
    package struct View: Sendable, BitwiseCopyable {
        @usableFromInline let roots: TableView<UInt32>
        @usableFromInline let nodes: TableView<LocationNode>
        @usableFromInline let leaves: TableView<UInt32>
        /// `LocationTable.special`; -1: none.
        package let special: OrderIndex

        /// The match of a client's subnet; that has the order of `source`, the resolver, where the
        /// subnet is for a special purpose and nothing is known of it: where somebody's private
        /// network is, nobody knows, but his resolver is likely to be near.
        @inline(__always)
        package func find(subnet: IPAddress, else source: IPAddress) -> Match {
            var match = find(subnet)
            if match.order == special { match.order = find(source).order }
            return match
        }

        /// Part of what calls it: else the view would be copied for the call.
        @inlinable @inline(__always)
        package func find(_ address: IPAddress) -> Match {
            let embedded = address.embeddedIPv4
            let leaf = leaf(for: embedded?.address ?? address) {}
            return Match(
                order: Int(leaf >> 8), scope: Int(leaf & 0xff) &+ (embedded?.offset ?? 0))
        }

        /// Calls `loads` before each load that waits for the one before.
        @inlinable @inline(__always)
        func leaf(for address: IPAddress, _ loads: () -> Void) -> UInt32 {
            let familyStart = address.family == .ipv4 ? 0 : 1 << rootBitCount
            let top = Int(truncatingIfNeeded: address.bits >> UInt128(128 - rootBitCount))
            loads()
            var entry = roots[familyStart + top]
            guard entry & leafMark == 0 else { return entry & ~leafMark }
            var rest = address.bits << UInt128(rootBitCount)
            while true {
                loads()
                let node = nodes[Int(entry)]
                let slot = UInt64(truncatingIfNeeded: rest >> UInt128(128 - strideBitCount))
                let upToSlot = (UInt64(2) << slot) &- 1
                if node.children >> slot & 1 == 0 {
                    let run = (node.leafStarts & upToSlot).nonzeroBitCount - 1
                    loads()
                    return leaves[Int(node.firstLeaf) + run]
                }
                entry = node.firstChild + UInt32((node.children & upToSlot).nonzeroBitCount - 1)
                rest <<= UInt128(strideBitCount)
            }
        }
    }
}
