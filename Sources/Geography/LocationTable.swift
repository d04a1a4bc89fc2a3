public import Addressing
public import Tables

/// What an order of targets is called inside a location table: an index into the orders of the
/// policy that the table was built for.
@usableFromInline package typealias OrderIndex = Int

/// For every address the order of targets it gets, and the widest prefix around the address for
/// which that is true: the ECS scope (RFC 7871 §7.2.1).
///
/// The address space is cut where the order changes. A trie leads to the changes around an address:
/// its arrays are as wide as the changes below them are many (Nilsson and Karlsson, "IP-Address
/// Lookup Using LC-Tries", 1999). Where few are left, or they crowd so that arrays would divide
/// them badly, they lie sorted in blocks of one cache line, which make a B-tree. Looking up an
/// address costs one load for each array and each block; the scope follows from the changes next
/// to the address.
@usableFromInline
package final class LocationTable: Sendable {
    let entries: FrozenArray<LocationEntry>
    let blocks: FrozenArray<LocationBlock.Words>
    /// The order of special-purpose addresses that nothing is known of; nil: none is told apart.
    package let special: OrderIndex?

    /// `entries` are those of all arrays, first the two that IPv4 and IPv6 begin with.
    init(entries: [LocationEntry], blocks: [LocationBlock.Words], special: OrderIndex? = nil) {
        self.entries = FrozenArray(entries)
        self.blocks = FrozenArray(blocks)
        self.special = special
    }

    /// Bytes of the compiled tables.
    package var byteCount: Int { entries.count * 4 + blocks.count * 64 }

    /// Loads that wait for one another when this address is looked up: of an entry of each array
    /// and of each block.
    package func loadCount(for address: IPAddress) -> Int {
        var count = 0
        withExtendedLifetime(self) {
            _ = unsafe view.match(of: address.embeddedIPv4?.address ?? address) { count += 1 }
        }
        return count
    }

    /// How many addresses of IPv4 have each order, of so many as there are.
    package func addressCounts(orderCount: Int) -> [Double] {
        var counts = [Double](repeating: 0, count: orderCount)
        // A scope ends where the next begins.
        var start: UInt64 = 0
        while start < 1 << 32 {
            let match = find(IPAddress(ipv4: UInt32(start)))
            let count = UInt64(1) << UInt64(32 - match.scope)
            if match.order < orderCount { counts[match.order] += Double(count) }
            start += count
        }
        return counts
    }

    /// Valid for as long as this object lives (`FrozenArray.view`).
    @unsafe package var view: View {
        unsafe View(entries: entries.view, blocks: blocks.view, special: special ?? -1)
    }

    /// What the table says of one address.
    package func find(_ address: IPAddress) -> Match {
        withExtendedLifetime(self) { unsafe view.find(address) }
    }

    /// Bits that the first array of each family goes by.
    @usableFromInline static var rootBitCount: Int { 16 }
}

/// Where an address leads, in one word.
///
///     1 ooooooooooooooooooooooo ssssssss   an order, and its scope unless it stands in a block
///     01 wwwww bbbbbbbbbbbbbbbbbbbbbbbbb   an array of 2^w entries, from entry 8b on
///     00 l bbbbbbbbbbbbbbbbbbbbbbbbbbbbb   block b
///
/// An array goes by the next w bits of the address, and what it leads to by those behind them. A
/// block goes by the next 64; a block that it leads to goes by the same ones, an array or a block
/// with l by those behind them.
@usableFromInline
struct LocationEntry: BitwiseCopyable, Sendable, Equatable {
    @usableFromInline let word: UInt32

    init(order: OrderIndex, scope: Int) {
        precondition(order < 1 << 23)
        word = LocationEntry.orderMark | UInt32(order) << 8 | UInt32(scope)
    }

    /// `first`: where it begins, as a multiple of eight.
    init(array first: Int, bitCount: Int) {
        precondition(first & 7 == 0 && first >> 3 < 1 << 25 && bitCount < 32)
        word = LocationEntry.arrayMark | UInt32(bitCount) << 25 | UInt32(first >> 3)
    }

    init(block index: Int, isBelow: Bool) {
        precondition(index < 1 << 29)
        word = (isBelow ? LocationEntry.belowMark : 0) | UInt32(index)
    }

    /// For a word that stood in a table.
    @inlinable init(word: UInt32) { self.word = word }

    @usableFromInline static var orderMark: UInt32 { 0x8000_0000 }
    @usableFromInline static var arrayMark: UInt32 { 0x4000_0000 }
    @usableFromInline static var belowMark: UInt32 { 0x2000_0000 }

    @inlinable var isOrder: Bool { word & LocationEntry.orderMark != 0 }
    @inlinable var order: OrderIndex { Int((word & ~LocationEntry.orderMark) >> 8) }
    @inlinable var scope: Int { Int(word & 0xff) }
    /// Of one that is no order.
    @inlinable var isArray: Bool { word & LocationEntry.arrayMark != 0 }
    /// Whether a block that leads here has used up its 64 bits; for one that is no order.
    @inlinable var isBelow: Bool {
        word & (LocationEntry.arrayMark | LocationEntry.belowMark) != 0
    }
    /// Bits of the address that the array goes by.
    @inlinable var bitCount: UInt64 { UInt64(word >> 25 & 31) }
    @inlinable var arrayStart: Int { Int(word & 0x01ff_ffff) &<< 3 }
    @inlinable var block: Int { Int(word & 0x1fff_ffff) }
}

/// Eight words: five keys in order, the 64 bits from which on something else holds; and six
/// entries, the first for what lies before all of them. Where there are fewer the last are
/// repeated.
@usableFromInline
struct LocationBlock {
    /// In a table it begins where a cache line does.
    @usableFromInline typealias Words = SIMD8<UInt64>

    static let keyCountMax = 5
    /// Of a key.
    static let bitCount = 64

    /// How many pieces of the space so many levels of blocks can tell apart.
    static func pieceCount(levels: Int) -> Int {
        (0..<levels).reduce(1) { count, _ in count * (keyCountMax + 1) }
    }

    /// Levels of blocks that so many keys need.
    static func levelCount(keys: Int) -> Int {
        var (levels, count) = (0, 1)
        while count <= keys {
            count *= keyCountMax + 1
            levels += 1
        }
        return levels
    }

    private var keys = InlineArray<5, UInt64>(repeating: 0)
    private var entries = InlineArray<6, LocationEntry>(repeating: LocationEntry(word: 0))
    private var entryCount = 0

    /// The first goes by no key; all want to be in order, two at least.
    mutating func append(_ key: UInt64, _ entry: LocationEntry) {
        if entryCount > 0 { keys[entryCount - 1] = key }
        entries[entryCount] = entry
        entryCount += 1
    }

    /// As it stands in a table.
    var words: Words {
        func half(_ index: Int) -> UInt64 { UInt64(entries[min(index, entryCount - 1)].word) }
        var words = Words()
        for index in keys.indices { words[index] = keys[min(index, entryCount - 2)] }
        for index in 0..<3 { words[5 + index] = half(2 * index) | half(2 * index + 1) << 32 }
        return words
    }
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
        @usableFromInline let entries: TableView<LocationEntry>
        @usableFromInline let blocks: TableView<LocationBlock.Words>
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
            var match = match(of: embedded?.address ?? address) {}
            match.scope &+= embedded?.offset ?? 0
            return match
        }

        /// Calls `loads` before each load that waits for the one before.
        @inlinable @inline(__always)
        func match(of address: IPAddress, _ loads: () -> Void) -> Match {
            // What is left of the address.
            var high = UInt64(truncatingIfNeeded: address.bits >> 64)
            let root = address.family == .ipv4 ? 0 : 1 << rootBitCount
            loads()
            var entry = entries[root &+ Int(high &>> UInt64(64 - rootBitCount))]
            guard !entry.isOrder else { return Match(order: entry.order, scope: entry.scope) }
            var low = UInt64(truncatingIfNeeded: address.bits)
            var depth = rootBitCount
            high = high &<< UInt64(rootBitCount) | low &>> UInt64(64 - rootBitCount)
            low = low &<< UInt64(rootBitCount)
            // The changes next to the address, as keys; 0: none.
            var (before, after): (UInt64, UInt64) = (0, 0)
            while true {
                loads()
                if entry.isArray {
                    let bitCount = entry.bitCount
                    entry = entries[entry.arrayStart &+ Int(high &>> (64 &- bitCount))]
                    guard !entry.isOrder else {
                        return Match(order: entry.order, scope: entry.scope)
                    }
                    high = high &<< bitCount | (low &>> 1) &>> (63 &- bitCount)
                    low = low &<< bitCount
                    depth &+= Int(bitCount)
                    continue
                }
                // SAFETY: used here, while the table lives, for the eight words of the block.
                let block = unsafe UnsafeRawPointer(blocks.pointer(at: entry.block))
                    .assumingMemoryBound(to: UInt64.self)
                var position = 0
                for index in 0..<5 { position &+= unsafe high >= block[index] ? 1 : 0 }
                // Both loaded before it is known whether there are any: this wants no branches.
                let keys = unsafe (block[(position &- 1) & 7], block[position])
                before = position == 0 ? before : keys.0
                after = position == 5 ? after : keys.1
                let pair = unsafe block[5 &+ position &>> 1]
                entry = LocationEntry(
                    word: UInt32(truncatingIfNeeded: pair &>> UInt64((position & 1) &<< 5)))
                if entry.isOrder {
                    // A wider prefix would hold what lies before the one or from the other on.
                    // Where there is none it is 0, the end of the space, and says less than the
                    // other does.
                    let shared = min(high ^ (before &- 1), high ^ after).leadingZeroBitCount
                    return Match(order: entry.order, scope: depth &+ shared &+ 1)
                }
                if entry.isBelow {
                    (high, low) = (low, 0)
                    (before, after) = (0, 0)
                    depth &+= 64
                }
            }
        }
    }
}
