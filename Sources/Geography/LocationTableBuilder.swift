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
            let cursor = OverrideCursor(reachable(own + overrides, in: family))
            compiler.add(changes(source.partition(of: family), family, cursor, &orders, order))
        }
        return compiler.finish(special: special)
    }

    /// Where the order changes; concrete, for there are a million leaves.
    private static func changes(
        _ partition: Partition, _ family: IPAddress.Family, _ overrides: OverrideCursor,
        _ orders: inout KnownOrders, _ order: (PlaceIndex, Int?) -> OrderIndex
    ) -> OrderChanges {
        var changes = OrderChanges(countMax: partition.count)
        var cursor = overrides
        partition.forEachLeaf { bits, length, place in
            if cursor.isClear(bits, length: length) {
                return changes.append(bits, orders.order(place, order))
            }
            let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
            cursor.split(leaf) { piece, line in
                changes.append(piece.address.bits, orders.order(place, line: line, order))
            }
        }
        return changes
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

/// Where the order of addresses changes, from the first address of a family to the last.
struct OrderChanges {
    /// Of each run of addresses that have one order the first, and the order.
    private(set) var starts: [UInt128] = []
    private(set) var orders: [Int32] = []
    private var last: OrderIndex = -1

    /// Makes room for as many runs as there may be; what is not used costs addresses only.
    init(countMax: Int) {
        starts.reserveCapacity(countMax)
        orders.reserveCapacity(countMax)
    }

    var count: Int { starts.count }

    /// From `start` on; the first of all is 0.
    mutating func append(_ start: UInt128, _ order: OrderIndex) {
        if last == order { return }
        last = order
        starts.append(start)
        orders.append(Int32(order))
    }
}

/// Lays out arrays and blocks.
struct LocationTableCompiler {
    private var entries: [LocationEntry] = []
    private var blocks: [LocationBlock.Words] = []
    private var changes = OrderChanges(countMax: 0)
    /// Of each change how many leading bits of its address are those of the one before.
    private var sharedBitCounts: [UInt8] = []
    private var familyCount = 0
    /// Arrays still to be filled.
    private var pending: [(first: Int, bitCount: Int, part: Part)] = []
    /// A stack: of each part that is being laid out in blocks what they tell apart.
    private var pieces: [Part] = []

    /// All addresses that begin with the same bits, and the runs that have some of them.
    private struct Part {
        var start: UInt128
        var depth: Int
        var runs: Range<Int>
    }

    func finish(special: OrderIndex?) -> LocationTable {
        LocationTable(entries: entries, blocks: blocks, special: special)
    }

    /// Makes room for what both families begin with.
    init() {
        entries = Array(
            repeating: LocationEntry(word: 0), count: 2 << LocationTable.rootBitCount)
    }

    /// Adds one family: IPv4 first, then IPv6.
    mutating func add(_ changes: OrderChanges) {
        self.changes = changes
        sharedBitCounts = changes.starts.indices.map { index in
            index == 0
                ? 0 : UInt8((changes.starts[index] ^ changes.starts[index - 1]).leadingZeroBitCount)
        }
        // About as many as it takes; what is not used costs addresses only.
        entries.reserveCapacity(entries.count + 4 * changes.count)
        blocks.reserveCapacity(blocks.count + changes.count / 2)
        let whole = Part(start: 0, depth: 0, runs: 0..<changes.count)
        pending = [(familyCount << LocationTable.rootBitCount, LocationTable.rootBitCount, whole)]
        familyCount += 1
        // Level by level, so that what every address goes through lies together.
        var head = 0
        while head < pending.count {
            let (first, bitCount, part) = pending[head]
            fill(first, bitCount, part)
            head += 1
        }
    }

    /// Where addresses of `part` lead: to an array if it divides the changes well, else to blocks.
    private mutating func entry(_ part: Part, isBelow: Bool = false) -> LocationEntry {
        if part.runs.count == 1 { return order(part) }
        guard let bitCount = bestArray(for: part) else {
            let first = pieces.count
            addPieces(of: part)
            defer { pieces.removeSubrange(first...) }
            return blocks(first..<pieces.count, part.depth, isBelow: isBelow)
        }
        let first = entries.count
        entries += repeatElement(LocationEntry(word: 0), count: 1 << bitCount)
        pending.append((first, bitCount, part))
        return LocationEntry(array: first, bitCount: bitCount)
    }

    /// Bits of the array after which the fewest loads are left, of those that have room; nil: with
    /// blocks alone there are not more.
    private func bestArray(for part: Part) -> Int? {
        let changeCount = part.runs.count - 1
        var best: (bitCount: Int, cost: Double)?
        var leastCost = Double(LocationBlock.levelCount(keys: changeCount))
        guard leastCost > 1 else { return nil }
        // Four entries for each change at most.
        let most = min(2 + Int.bitWidth - 1 - changeCount.leadingZeroBitCount, 16)
        for bitCount in max(3, most - 3)...most where part.depth + bitCount <= 128 {
            let loads = loads(after: part.depth + bitCount, of: part.runs)
            // An array twice as wide has to save a tenth of what it would be for as many entries
            // as changes.
            let width = Double(1 << bitCount) / Double(changeCount)
            let cost = 1 + Double(loads) / Double(changeCount) + 0.1 * width
            if cost < leastCost { (best, leastCost) = ((bitCount, cost), cost) }
        }
        return best?.bitCount
    }

    /// Loads that blocks cost below an array which ends at `depth`, one lookup for each change.
    private func loads(after depth: Int, of runs: Range<Int>) -> Int {
        var loads = 0
        var first = runs.lowerBound + 1
        while first < runs.upperBound {
            var end = first + 1
            while end < runs.upperBound, sharedBitCounts[end] >= depth { end += 1 }
            // What begins a slot does not divide it.
            let inside =
                end - first - (128 - changes.starts[first].trailingZeroBitCount <= depth ? 1 : 0)
            if inside > 0 { loads += (end - first) * LocationBlock.levelCount(keys: inside) }
            first = end
        }
        return loads
    }

    private mutating func fill(_ first: Int, _ bitCount: Int, _ part: Part) {
        let depth = part.depth + bitCount
        // An array's slots are below the root, so that shifts may be masked.
        let widthShift = UInt128(truncatingIfNeeded: 128 - depth)
        let width = UInt128(1) &<< widthShift
        var start = part.start
        // The one that `start` is in.
        var run = part.runs.lowerBound
        var index = first
        while index < first + 1 << bitCount {
            var end = run + 1
            if end < part.runs.upperBound, changes.starts[end] - start < width {
                repeat {
                    end += 1
                } while end < part.runs.upperBound
                    && sharedBitCounts[end] >= depth
            }
            let slot = Part(start: start, depth: depth, runs: run..<end)
            let entry = entry(slot)
            // All in the prefix of one scope have one entry: most of a table is such.
            let last = slot.runs.count == 1 ? start | UInt128.max >> UInt128(entry.scope) : start
            let count = min(
                Int(truncatingIfNeeded: (last &- start) &>> widthShift) + 1,
                first + 1 << bitCount - index)
            for same in index..<index + count { entries[same] = entry }
            index += count
            start &+= width &* UInt128(count)
            run = end < part.runs.upperBound && changes.starts[end] == start ? end : end - 1
        }
    }

    /// Of a part that one run has as a whole.
    private func order(_ part: Part) -> LocationEntry {
        let run = part.runs.lowerBound
        let order = Int(changes.orders[run])
        guard changes.count > 1 else { return LocationEntry(order: order, scope: 0) }
        // No wider than what holds neither the address before the run nor the one after it; at
        // the ends of the space the neighbour says less than the other.
        let before = changes.starts[run] &- 1
        let after = run + 1 < changes.count ? changes.starts[run + 1] : 0
        let shared = max(
            (part.start ^ before).leadingZeroBitCount, (part.start ^ after).leadingZeroBitCount)
        return LocationEntry(order: order, scope: shared + 1)
    }

    /// A block for some of `pieces`, or several of them below one.
    private mutating func blocks(_ range: Range<Int>, _ depth: Int, isBelow: Bool) -> LocationEntry
    {
        // So many blocks as are needed, all of them filled alike.
        let levels = LocationBlock.levelCount(keys: range.count - 1)
        let below = LocationBlock.pieceCount(levels: levels - 1)
        let childCount = (range.count + below - 1) / below
        var block = LocationBlock()
        var start = range.lowerBound
        for child in 1...childCount {
            let end = range.lowerBound + range.count * child / childCount
            let rest = pieces[start].start << UInt128(depth)
            let entry =
                end - start == 1
                ? entry(inBlock: pieces[start]) : blocks(start..<end, depth, isBelow: false)
            block.append(UInt64(truncatingIfNeeded: rest >> 64), entry)
            start = end
        }
        blocks.append(block.words)
        return LocationEntry(block: blocks.count - 1, isBelow: isBelow)
    }

    /// Scopes follow from the keys.
    private mutating func entry(inBlock piece: Part) -> LocationEntry {
        guard piece.runs.count == 1 else { return entry(piece, isBelow: true) }
        return LocationEntry(order: Int(changes.orders[piece.runs.lowerBound]), scope: 0)
    }

    /// Adds what blocks for `part` tell apart: pieces that begin where its keys can say, each with
    /// one run, or one unit of the keys with more.
    private mutating func addPieces(of part: Part) {
        let depth = part.depth + LocationBlock.bitCount
        let unit = UInt128(1) << UInt128(max(0, 128 - depth))
        func piece(_ start: UInt128, _ runs: Range<Int>) -> Part {
            Part(start: start, depth: depth, runs: runs)
        }
        // Behind a unit with several runs the last of them goes on, unless something begins there.
        func addRest(before next: UInt128) {
            let last = pieces[pieces.count - 1]
            guard last.runs.count > 1, last.start &+ unit != next else { return }
            let runs = last.runs.upperBound - 1..<last.runs.upperBound
            pieces.append(piece(last.start &+ unit, runs))
        }
        let first = part.runs.lowerBound
        pieces.append(piece(part.start, first..<first + 1))
        for run in part.runs.dropFirst() {
            let start = changes.starts[run] & ~(unit - 1)
            if pieces[pieces.count - 1].start == start {
                let runs = pieces[pieces.count - 1].runs
                pieces[pieces.count - 1].runs = runs.lowerBound..<run + 1
                continue
            }
            addRest(before: start)
            let isWhole = changes.starts[run] == start
            pieces.append(piece(start, (isWhole ? run : run - 1)..<run + 1))
        }
        addRest(before: part.start &+ UInt128(1) << UInt128(128 - part.depth))
    }
}
