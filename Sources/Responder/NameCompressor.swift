import DNSWire
import Tables

/// Writes names into a response, compressed against every name written before (RFC 1035 §4.1.4),
/// case ignored. It lives in a worker's scratch memory.
struct NameCompressor: ~Copyable {
    /// A name that ends another one of the message. Not private: see `LimitedFlows.Flow`.
    struct Suffix: BitwiseCopyable {
        var position: UInt16
        /// Where its final zero stands, or the pointer to the suffix `next` that it goes on with.
        var end: UInt16
        var next: UInt16
        /// Of the name as it is without compression: names of different length are not compared.
        var byteCount: UInt16

        /// For `next`: none.
        static var none: UInt16 { .max }
    }

    /// In the order in which they were written.
    private var suffixes = ScratchArray(
        capacity: 64, repeating: Suffix(position: 0, end: 0, next: Suffix.none, byteCount: 0))
    private var count = 0
    /// Where the question ends that is not among `suffixes` yet; 0: there is none. Most responses
    /// write no name at all.
    private var questionEnd = 0

    /// Begins a message whose question, if there is one, ends at `questionEnd`.
    mutating func reset(questionEnd: Int) {
        count = 0
        self.questionEnd = questionEnd > Query.headerByteCount ? questionEnd : 0
    }

    /// Forgets names that start from `position` on.
    mutating func truncate(to position: Int) {
        while count > 0, Int(suffixes[count &- 1].position) >= position { count &-= 1 }
    }

    /// Writes the uncompressed wire name that starts at `start` of `names`. False when it does not
    /// fit.
    mutating func put(
        _ names: TableView<UInt8>, at start: Int, into writer: inout MessageWriter
    ) -> Bool {
        settleQuestion(writer)
        var end = start
        while names[end] != 0 { end &+= 1 &+ Int(names[end]) }
        // The longest suffix that has been written, if there is one, and what comes before it.
        var source = start
        var target: Int?
        while source < end {
            target = earlierSuffix(
                equalTo: names, at: source, byteCount: end &- source &+ 1, in: writer)
            if target != nil { break }
            source &+= 1 &+ Int(names[source])
        }
        let first = writer.count
        guard source == start || writer.put(names, start..<source) else { return false }
        if let target {
            guard writer.put16(0xc000 | suffixes[target].position) else { return false }
        } else {
            guard writer.put(0) else { return false }
        }
        remember(
            from: first, to: first &+ source &- start, byteCount: end &- start &+ 1,
            next: target.map { UInt16(truncatingIfNeeded: $0) } ?? Suffix.none, in: writer)
        return true
    }

    /// Says that an uncompressed name fills `range`, its final zero included: labels of later names
    /// may point to it.
    mutating func remember(_ range: Range<Int>, in writer: borrowing MessageWriter) {
        settleQuestion(writer)
        remember(
            from: range.lowerBound, to: range.upperBound - 1, byteCount: range.count,
            next: Suffix.none, in: writer)
    }

    /// Positions are remembered in their order, the question's first: `truncate(to:)` relies on it.
    @inline(__always)
    private mutating func settleQuestion(_ writer: borrowing MessageWriter) {
        guard questionEnd > 0 else { return }
        // The question ends in the root's zero byte, type and class.
        let end = questionEnd &- 5
        questionEnd = 0
        let start = Query.headerByteCount
        remember(
            from: start, to: end, byteCount: end &- start &+ 1, next: Suffix.none, in: writer)
    }

    /// Makes the labels from `start` on targets for compression. At `end` stands the name's final
    /// zero, or a pointer to `next`; without compression it has `byteCount` bytes.
    @inline(__always)
    private mutating func remember(
        from start: Int, to end: Int, byteCount: Int, next: UInt16,
        in writer: borrowing MessageWriter
    ) {
        // A pointer has 14 bits for its target.
        guard end <= 0x3fff else { return }
        var position = start
        var byteCount = byteCount
        while position < end, count < suffixes.capacity {
            suffixes[count] = Suffix(
                position: UInt16(truncatingIfNeeded: position),
                end: UInt16(truncatingIfNeeded: end), next: next,
                byteCount: UInt16(truncatingIfNeeded: byteCount))
            count &+= 1
            let label = 1 &+ Int(writer.byte(at: position))
            position &+= label
            byteCount &-= label
        }
    }

    /// The first suffix that is equal to the name at `start` of `names`, which has `byteCount`
    /// bytes.
    @inline(__always)
    private func earlierSuffix(
        equalTo names: TableView<UInt8>, at start: Int, byteCount: Int,
        in writer: borrowing MessageWriter
    ) -> Int? {
        var index = 0
        while index < count {
            if Int(suffixes[index].byteCount) == byteCount,
                isSuffix(index, equalTo: names, at: start, in: writer)
            {
                return index
            }
            index &+= 1
        }
        return nil
    }

    /// The two have the same length.
    @inline(__always)
    private func isSuffix(
        _ first: Int, equalTo names: TableView<UInt8>, at start: Int,
        in writer: borrowing MessageWriter
    ) -> Bool {
        var index = first
        var there = start
        while true {
            let suffix = suffixes[index]
            let byteCount = Int(suffix.end &- suffix.position)
            guard
                writer.equals(
                    at: Int(suffix.position), names, at: there, byteCount: byteCount)
            else { return false }
            if suffix.next == Suffix.none { return true }
            // Earlier than this one, so it ends.
            index = Int(suffix.next)
            there &+= byteCount
        }
    }
}
