import DNSWire
import Tables

/// Writes names into a response, compressed against every name written before (RFC 1035 §4.1.4),
/// case ignored. It lives in a worker's scratch memory.
struct NameCompressor: ~Copyable {
    /// A name that ends another one of the message. Not private: see `LimitedFlows.Flow`.
    struct Suffix: BitwiseCopyable {
        var position: UInt16
        /// Of the name as it is without compression: names of different length are not compared.
        var byteCount: UInt16
    }

    /// In the order in which they were written.
    private var suffixes = ScratchArray(
        capacity: 64, repeating: Suffix(position: 0, byteCount: 0))
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
            target = earlierName(
                equalTo: names, at: source, byteCount: end &- source &+ 1, in: writer)
            if target != nil { break }
            source &+= 1 &+ Int(names[source])
        }
        let first = writer.count
        guard writer.put(names, start..<source) else { return false }
        if let target {
            guard writer.put16(0xc000 | UInt16(truncatingIfNeeded: target)) else { return false }
        } else {
            guard writer.put(0) else { return false }
        }
        remember(
            from: first, to: first &+ source &- start, byteCount: end &- start &+ 1, in: writer)
        return true
    }

    /// Says that an uncompressed name fills `range`, its final zero included: labels of later names
    /// may point to it.
    mutating func remember(_ range: Range<Int>, in writer: borrowing MessageWriter) {
        settleQuestion(writer)
        remember(
            from: range.lowerBound, to: range.upperBound - 1, byteCount: range.count, in: writer)
    }

    /// Positions are remembered in their order, the question's first: `truncate(to:)` relies on it.
    @inline(__always)
    private mutating func settleQuestion(_ writer: borrowing MessageWriter) {
        guard questionEnd > 0 else { return }
        // The question ends in the root's zero byte, type and class.
        let end = questionEnd &- 5
        questionEnd = 0
        let start = Query.headerByteCount
        remember(from: start, to: end, byteCount: end &- start &+ 1, in: writer)
    }

    /// Makes the labels from `start` on targets for compression. At `end` stands the name's final
    /// zero, or a pointer; without compression it has `byteCount` bytes.
    @inline(__always)
    private mutating func remember(
        from start: Int, to end: Int, byteCount: Int, in writer: borrowing MessageWriter
    ) {
        var position = start
        var byteCount = byteCount
        while position < end, count < suffixes.capacity, position <= 0x3fff {
            suffixes[count] = Suffix(
                position: UInt16(truncatingIfNeeded: position),
                byteCount: UInt16(truncatingIfNeeded: byteCount))
            count &+= 1
            let label = 1 &+ Int(writer.byte(at: position))
            position &+= label
            byteCount &-= label
        }
    }

    /// Where a name stands that is equal to the one at `start` of `names`, which has `byteCount`
    /// bytes.
    @inline(__always)
    private func earlierName(
        equalTo names: TableView<UInt8>, at start: Int, byteCount: Int,
        in writer: borrowing MessageWriter
    ) -> Int? {
        var index = 0
        while index < count {
            let suffix = suffixes[index]
            if Int(suffix.byteCount) == byteCount,
                isName(at: Int(suffix.position), equalTo: names, at: start, in: writer)
            {
                return Int(suffix.position)
            }
            index &+= 1
        }
        return nil
    }

    /// Compares a name of this message, which may be compressed, with an uncompressed one.
    @inline(__always)
    private func isName(
        at position: Int, equalTo names: TableView<UInt8>, at start: Int,
        in writer: borrowing MessageWriter
    ) -> Bool {
        var here = position
        var there = start
        while true {
            // Pointers in our own message always go backwards, so this ends.
            while writer.byte(at: here) >= 0xc0 {
                here = Int(writer.byte(at: here) & 0x3f) << 8 | Int(writer.byte(at: here + 1))
            }
            let length = Int(names[there])
            guard Int(writer.byte(at: here)) == length else { return false }
            if length == 0 { return true }
            guard
                isLabel(at: here, equalTo: names, at: there, byteCount: length &+ 1, in: writer)
            else { return false }
            here &+= length &+ 1
            there &+= length &+ 1
        }
    }

    /// `byteCount`: with the length byte, which no letter is like.
    @inline(__always)
    private func isLabel(
        at position: Int, equalTo names: TableView<UInt8>, at start: Int, byteCount: Int,
        in writer: borrowing MessageWriter
    ) -> Bool {
        var here = position
        var there = start
        var left = byteCount
        // What is compared may reach past the label, but not past either memory.
        while left > 0, there &+ 8 <= names.count, let word = writer.word(at: here) {
            let difference = lowercased(word: word) ^ lowercased(word: names.word(at: there))
            guard difference & wordMask(left) == 0 else { return false }
            here &+= 8
            there &+= 8
            left &-= 8
        }
        while left > 0 {
            guard lowercased(writer.byte(at: here)) == lowercased(names[there]) else {
                return false
            }
            here &+= 1
            there &+= 1
            left &-= 1
        }
        return true
    }
}
