/// Who goes where when regions have capacities: every part of the demand gets the region it loses
/// least by, and together they lose as little as can be.
///
/// It is the transportation problem, solved exactly by successive cheapest paths. All begin at
/// their first choice. Then what a region has too much is moved to one with room, along the path
/// over regions that costs the least: several steps of it push one client on to make place for
/// another. In whole numbers, so that every machine finds the same.
struct SpillSolver {
    /// A region that a source may be sent to.
    struct Option: Equatable {
        /// Index of a capacity; nil: of something that is never full.
        var region: Int?
        /// What is lost by it, against the first choice.
        var extra: UInt16
    }

    struct Source: Equatable {
        /// In the unit of capacities.
        var demand: Double
        /// Best first; at least one.
        var options: [Option]
    }

    struct Solution: Equatable {
        /// For each source, for each option, which part of it goes there; together 1.
        var portions: [[Double]]
        /// For each region, in the unit of capacities.
        var loads: [Double]
        /// For each region by how much its capacity is passed, as all that could help are full,
        /// too; 1: it is not.
        var overloads: [Double]
    }

    /// Parts that the whole demand is counted in: fine enough for anybody, and no sum overflows.
    private static let partCount = Double(1 << 40)
    /// Room for everyone.
    private static let unlimited = 1 << 50

    private let options: [[Option]]
    /// For each source, by option, which node it leads to; each node once.
    private let nodes: [[(node: Int, option: Int, extra: Int)]]
    private let amounts: [Int]
    private let nodeCount: Int

    /// `capacities`: for each region; nil: unlimited.
    static func solve(_ sources: [Source], capacities: [Double?]) -> Solution {
        let total = sources.reduce(0) { $0 + $1.demand }
        guard total > 0 else {
            return Solution(
                portions: sources.map { SpillSolver.first(of: $0.options) },
                loads: capacities.map { _ in 0 }, overloads: capacities.map { _ in 1 })
        }
        let unit = total / partCount
        var rooms = capacities.map { capacity in
            capacity.map { $0 >= total ? unlimited : Int($0 / unit) } ?? unlimited
        }
        // The last node is everything that is never full.
        rooms.append(unlimited)
        let solver = SpillSolver(sources, unit: unit, regionCount: capacities.count)
        var factors = capacities.map { _ in 1.0 }
        var flow = solver.flow(within: rooms)
        // Each round fills up regions that nothing else can help: their loads are proportional from
        // then on.
        for _ in capacities.indices {
            guard let full = solver.full(flow, rooms) else { break }
            let room = full.reduce(0) { $0 + rooms[$1] }
            let factor = Double(full.reduce(0) { $0 + flow.loads[$1] }) / Double(room)
            for region in full {
                factors[region] *= factor
                // Nothing can be in proportion to nothing: who has no other gets it.
                rooms[region] =
                    room > 0
                    ? Int((Double(rooms[region]) * factor).rounded(.up)) : SpillSolver.unlimited
            }
            flow = solver.flow(within: rooms)
        }
        return Solution(
            portions: solver.portions(flow),
            loads: capacities.indices.map { Double(flow.loads[$0]) * unit },
            // What is only rounded is none.
            overloads: factors.map { $0 > 1 + 1e-6 ? $0 : 1 })
    }

    /// Everyone at the first choice.
    static func first(of options: [Option]) -> [Double] {
        options.indices.map { $0 == 0 ? 1 : 0 }
    }

    private init(_ sources: [Source], unit: Double, regionCount: Int) {
        options = sources.map(\.options)
        amounts = sources.map { Int(($0.demand / unit).rounded()) }
        nodeCount = regionCount + 1
        nodes = options.map { options in
            var seen: Set<Int> = []
            var result: [(node: Int, option: Int, extra: Int)] = []
            for (index, option) in options.enumerated() {
                let node = option.region ?? regionCount
                if seen.insert(node).inserted { result.append((node, index, Int(option.extra))) }
                // Nobody goes past what takes everyone.
                if node == regionCount { break }
            }
            return result
        }
    }

    /// What of each source is where, by place in its `nodes`, and how much that is for each node.
    private struct Flow {
        var parts: [[Int]]
        var loads: [Int]
    }

    // MARK: - Cheapest paths

    private func flow(within rooms: [Int]) -> Flow {
        var flow = Flow(
            parts: nodes.map { $0.map { _ in 0 } }, loads: Array(repeating: 0, count: nodeCount))
        var moves = MoveTable(nodeCount: nodeCount)
        for source in nodes.indices {
            flow.parts[source][0] = amounts[source]
            flow.loads[nodes[source][0].node] += amounts[source]
            offer(source, from: 0, &moves)
        }
        while let path = cheapestPath(&flow, rooms, &moves) {
            push(along: path, &flow, rooms, &moves)
        }
        return flow
    }

    /// What of `source` is at place `from` of its nodes may go to every other.
    private func offer(_ source: Int, from: Int, _ moves: inout MoveTable) {
        guard amounts[source] > 0 else { return }
        let own = nodes[source]
        for to in own.indices where to != from {
            moves.add(
                MoveTable.Move(
                    extra: own[to].extra - own[from].extra, source: source, from: from, to: to),
                between: own[from].node, own[to].node)
        }
    }

    /// The cheapest from any node that has too much to any that has room (Bellman and Ford: moving
    /// somebody back costs less than nothing).
    private func cheapestPath(
        _ flow: inout Flow, _ rooms: [Int], _ moves: inout MoveTable
    ) -> [MoveTable.Move]? {
        let starts = (0..<nodeCount).filter { flow.loads[$0] > rooms[$0] }
        guard !starts.isEmpty else { return nil }
        let (costs, last) = search(from: starts, flow, &moves)
        let ends = (0..<nodeCount).filter { costs[$0] != nil && flow.loads[$0] < rooms[$0] }
        guard var node = ends.min(by: { (costs[$0] ?? 0, $0) < (costs[$1] ?? 0, $1) })
        else { return nil }
        var path: [MoveTable.Move] = []
        while let move = last[node], path.count < nodeCount {
            path.append(move)
            node = nodes[move.source][move.from].node
        }
        return path.reversed()
    }

    private func search(
        from starts: [Int], _ flow: Flow, _ moves: inout MoveTable
    ) -> (costs: [Int?], last: [MoveTable.Move?]) {
        var costs = [Int?](repeating: nil, count: nodeCount)
        var last = [MoveTable.Move?](repeating: nil, count: nodeCount)
        for start in starts { costs[start] = 0 }
        var changed = starts
        // No path is longer than there are nodes.
        for _ in 0..<nodeCount where !changed.isEmpty {
            var next: [Int] = []
            for from in changed {
                guard let cost = costs[from] else { continue }
                for to in 0..<nodeCount where to != from {
                    guard
                        let move = moves.best(
                            between: from, to, where: { flow.parts[$0.source][$0.from] > 0 })
                    else { continue }
                    if let known = costs[to], known <= cost + move.extra { continue }
                    costs[to] = cost + move.extra
                    last[to] = move
                    if !next.contains(to) { next.append(to) }
                }
            }
            changed = next
        }
        return (costs, last)
    }

    private func push(
        along path: [MoveTable.Move], _ flow: inout Flow, _ rooms: [Int], _ moves: inout MoveTable
    ) {
        guard let first = path.first, let final = path.last else { return }
        let start = nodes[first.source][first.from].node
        let end = nodes[final.source][final.to].node
        var amount = min(flow.loads[start] - rooms[start], rooms[end] - flow.loads[end])
        for move in path { amount = min(amount, flow.parts[move.source][move.from]) }
        for move in path {
            let isNew = flow.parts[move.source][move.to] == 0
            flow.parts[move.source][move.from] -= amount
            flow.parts[move.source][move.to] += amount
            if isNew { offer(move.source, from: move.to, &moves) }
        }
        flow.loads[start] -= amount
        flow.loads[end] += amount
    }

    // MARK: - Results

    /// Regions that together have more than they can carry, as nobody in them can go anywhere
    /// else; nil when there are none.
    private func full(_ flow: Flow, _ rooms: [Int]) -> [Int]? {
        var reached = (0..<nodeCount).filter { flow.loads[$0] > rooms[$0] }
        guard !reached.isEmpty else { return nil }
        var isReached = (0..<nodeCount).map { reached.contains($0) }
        while let node = reached.popLast() {
            for (source, own) in nodes.enumerated() {
                guard let place = own.firstIndex(where: { $0.node == node }),
                    flow.parts[source][place] > 0
                else { continue }
                for other in own where !isReached[other.node] {
                    isReached[other.node] = true
                    reached.append(other.node)
                }
            }
        }
        return (0..<nodeCount - 1).filter { isReached[$0] }
    }

    private func portions(_ flow: Flow) -> [[Double]] {
        options.indices.map { source in
            guard amounts[source] > 0 else { return SpillSolver.first(of: options[source]) }
            var result = [Double](repeating: 0, count: options[source].count)
            for (place, node) in nodes[source].enumerated() {
                result[node.option] = Double(flow.parts[source][place]) / Double(amounts[source])
            }
            return result
        }
    }
}

/// For every pair of nodes who could go from one to the other, the cheapest first.
private struct MoveTable {
    struct Move {
        var extra: Int
        var source: Int
        /// Places in the source's nodes.
        var from: Int
        var to: Int
    }

    private let nodeCount: Int
    /// Binary heaps.
    private var heaps: [[Move]]

    init(nodeCount: Int) {
        self.nodeCount = nodeCount
        heaps = Array(repeating: [], count: nodeCount * nodeCount)
    }

    mutating func add(_ move: Move, between from: Int, _ to: Int) {
        let index = from * nodeCount + to
        heaps[index].append(move)
        var child = heaps[index].count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard MoveTable.precedes(heaps[index][child], heaps[index][parent]) else { return }
            heaps[index].swapAt(child, parent)
            child = parent
        }
    }

    /// Forgets those of which nothing is left to go.
    mutating func best(between from: Int, _ to: Int, where isLeft: (Move) -> Bool) -> Move? {
        let index = from * nodeCount + to
        while let move = heaps[index].first {
            if isLeft(move) { return move }
            removeFirst(index)
        }
        return nil
    }

    private mutating func removeFirst(_ index: Int) {
        let last = heaps[index].removeLast()
        guard !heaps[index].isEmpty else { return }
        heaps[index][0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heaps[index].count {
                if MoveTable.precedes(heaps[index][child], heaps[index][least]) { least = child }
            }
            guard least != parent else { return }
            heaps[index].swapAt(parent, least)
            parent = least
        }
    }

    private static func precedes(_ one: Move, _ other: Move) -> Bool {
        (one.extra, one.source) < (other.extra, other.source)
    }
}
