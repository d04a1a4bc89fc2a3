package import Addressing

/// Prefixes that the operator gives besides the database: the longest that contains an address
/// wins over the database and over shorter ones.
struct OverrideCursor {
    private let sorted: [PrefixOverride]
    /// Overrides that contain the leaf at hand, outermost first.
    private var open: [PrefixOverride] = []
    private var next = 0
    /// Where `next` starts; the last address of all when there is none.
    private var nextStart = UInt128.max

    /// Overrides of one family.
    init(_ overrides: [PrefixOverride]) {
        sorted = overrides.sorted {
            ($0.prefix.address.bits, $0.prefix.length) < ($1.prefix.address.bits, $1.prefix.length)
        }
        noteNext()
    }

    private mutating func noteNext() {
        nextStart = next < sorted.count ? sorted[next].prefix.address.bits : .max
    }

    /// Whether no override touches the leaf, so that it need not be split. False for some that
    /// none touches.
    func isClear(_ bits: UInt128, length: Int) -> Bool {
        guard open.isEmpty else { return false }
        // Its last address; 128 less `length` is no more than a masked shift takes.
        let end =
            length == 0
            ? .max : bits &+ (1 &<< UInt128(truncatingIfNeeded: 128 &- length)) &- 1
        return end < nextStart
    }

    /// Calls `body` for the pieces of the database leaf `leaf`, in address order, each with the
    /// line of the override that wins there. Leaves must come in address order.
    mutating func split(_ leaf: Prefix, _ body: (Prefix, _ line: Int?) -> Void) {
        while let last = open.last, !last.prefix.contains(leaf) { open.removeLast() }
        while next < sorted.count, sorted[next].prefix.contains(leaf) {
            open.append(sorted[next])
            next += 1
        }
        let first = next
        while next < sorted.count, leaf.contains(sorted[next].prefix) { next += 1 }
        noteNext()
        OverrideCursor.emit(leaf, line: open.last?.line, inner: sorted[first..<next], body)
    }

    /// Halves `piece` until the overrides inside it are pieces of their own; depth ≤ 128.
    private static func emit(
        _ piece: Prefix, line: Int?, inner: ArraySlice<PrefixOverride>,
        _ body: (Prefix, Int?) -> Void
    ) {
        guard let first = inner.first else { return body(piece, line) }
        if first.prefix == piece {
            return emit(piece, line: first.line, inner: inner.dropFirst(), body)
        }
        let upper = piece.half(1)
        let divide = inner.firstIndex { upper.contains($0.prefix) } ?? inner.endIndex
        emit(piece.half(0), line: line, inner: inner[..<divide], body)
        emit(upper, line: line, inner: inner[divide...], body)
    }
}

/// One prefix given by the operator, and the line of the map it stands for.
package struct PrefixOverride: Sendable, Hashable {
    package var prefix: Prefix
    package var line: Int

    package init(_ prefix: Prefix, line: Int) {
        self.prefix = prefix
        self.line = line
    }
}
