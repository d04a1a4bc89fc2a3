import Addressing

/// The binary search tree under construction: nodes in one flat array, two records each.
struct SearchTree {
    /// A record: nothing, a value by its index, or a node by its index.
    typealias Record = UInt32

    static let empty: Record = 0
    private static let nodeFlag: Record = 1 << 31

    static func value(_ index: Int) -> Record { Record(index + 1) }
    static func isNode(_ record: Record) -> Bool { record & nodeFlag != 0 }
    static func nodeIndex(_ record: Record) -> Int { Int(record & ~nodeFlag) }
    static func valueIndex(_ record: Record) -> Int { Int(record) - 1 }

    /// Two records per node, left then right; node 0 is the root. A node's index is above its
    /// parent's, which is what `merged` counts on.
    private(set) var records: [Record] = [empty, empty]

    /// Gives every address below the first `length` of `bits` (left-aligned) to `record`.
    mutating func insert(_ bits: UInt128, length: Int, record: Record) {
        guard length > 0 else {
            records[0] = record
            records[1] = record
            return
        }
        var node = 0
        var rest = bits
        for _ in 1..<length {
            let position = 2 * node + Int(truncatingIfNeeded: rest >> 127)
            rest <<= 1
            let child = records[position]
            if SearchTree.isNode(child) {
                node = SearchTree.nodeIndex(child)
            } else {
                node = records.count / 2
                precondition(node < Int(SearchTree.nodeFlag), "too many nodes for the format")
                records.append(child)
                records.append(child)
                records[position] = SearchTree.nodeFlag | Record(node)
            }
        }
        records[2 * node + Int(truncatingIfNeeded: rest >> 127)] = record
    }

    /// The record that the prefix of `length` bits leads to, or the one above it that covers it.
    func record(_ bits: UInt128, length: Int) -> Record {
        var record = SearchTree.nodeFlag
        var rest = bits
        for _ in 0..<length where SearchTree.isNode(record) {
            record =
                records[
                    2 * SearchTree.nodeIndex(record) + Int(truncatingIfNeeded: rest >> 127)]
            rest <<= 1
        }
        return record
    }

    /// Replaces every node whose two records are the same value by that value, bottom-up.
    mutating func mergeEqualSiblings() {
        for node in stride(from: records.count / 2 - 1, through: 0, by: -1) {
            for position in [2 * node, 2 * node + 1] {
                let record = records[position]
                guard SearchTree.isNode(record) else { continue }
                // Its index is above ours, so it has been seen and cannot change any more.
                let child = 2 * SearchTree.nodeIndex(record)
                if records[child] == records[child + 1], !SearchTree.isNode(records[child]) {
                    records[position] = records[child]
                }
            }
        }
    }

    /// The nodes that can be reached from the root, parents before children.
    func reachableNodes() -> [Int] {
        var seen = [Bool](repeating: false, count: records.count / 2)
        var order: [Int] = []
        var pending = [0]
        seen[0] = true
        while let node = pending.popLast() {
            order.append(node)
            for record in [records[2 * node + 1], records[2 * node]]
            where SearchTree.isNode(record) && !seen[SearchTree.nodeIndex(record)] {
                seen[SearchTree.nodeIndex(record)] = true
                pending.append(SearchTree.nodeIndex(record))
            }
        }
        return order
    }
}
