import DNSWire

/// The records of a draft and then its GEO names on their way to their nodes: sorted by node and
/// type, and where both are the same in the order of the file.
struct PendingRecords: ~Copyable {
    /// The node of each record, then of each GEO.
    private let owners: [UInt32]
    /// Indexes into the draft's records; from its count of records on, of its GEO names. Empty:
    /// all of them as they stand, which is how most large zones are written.
    private var order: [UInt32] = []
    let count: Int

    /// All owners lie in `nodes`; those that have none (`ZoneTable.none`) are left out.
    init(_ draft: ZoneDraft, _ owners: [UInt32], nodes: Range<Int>) {
        self.owners = owners
        var isSorted = true
        var last = (node: UInt32(0), type: UInt16(0))
        var pendingCount = 0
        for (index, node) in owners.enumerated() where node != ZoneTable.none {
            let type = PendingRecords.type(index, in: draft).rawValue
            isSorted = isSorted && (last.node, last.type) <= (node, type)
            last = (node, type)
            pendingCount += 1
        }
        count = pendingCount
        if !isSorted || count < owners.count { sort(draft, nodes) }
    }

    func node(_ position: Int) -> Int { Int(owners[index(position)]) }

    func type(_ position: Int, in draft: borrowing ZoneDraft) -> RRType {
        PendingRecords.type(index(position), in: draft)
    }

    /// Of the draft's records, or from their count on of its GEO names.
    func index(_ position: Int) -> Int { order.isEmpty ? position : Int(order[position]) }

    private static func type(_ index: Int, in draft: borrowing ZoneDraft) -> RRType {
        index < draft.records.count ? draft.records[index].type : .geo
    }

    /// By counting: each node's records find their place in one pass.
    private mutating func sort(_ draft: ZoneDraft, _ nodes: Range<Int>) {
        /// Where the records of each node begin, and then, where its next one goes.
        var next = [UInt32](repeating: 0, count: nodes.count)
        for node in owners where node != ZoneTable.none { next[Int(node) - nodes.lowerBound] += 1 }
        var start: UInt32 = 0
        for node in next.indices {
            (next[node], start) = (start, start + next[node])
        }
        var sorted = [UInt32](repeating: 0, count: count)
        for (index, owner) in owners.enumerated() where owner != ZoneTable.none {
            let node = Int(owner) - nodes.lowerBound
            sorted[Int(next[node])] = UInt32(index)
            next[node] += 1
        }
        sortByType(&sorted, draft)
        order = sorted
    }

    /// Within each node.
    private func sortByType(_ sorted: inout [UInt32], _ draft: ZoneDraft) {
        func type(_ index: UInt32) -> UInt16 {
            PendingRecords.type(Int(index), in: draft).rawValue
        }
        var start = 0
        while start < sorted.count {
            let node = owners[Int(sorted[start])]
            var end = start + 1
            var isSorted = true
            while end < sorted.count, owners[Int(sorted[end])] == node {
                isSorted = isSorted && type(sorted[end - 1]) <= type(sorted[end])
                end += 1
            }
            if !isSorted {
                sorted[start..<end].sort { (type($0), $0) < (type($1), $1) }
            }
            start = end
        }
    }
}
