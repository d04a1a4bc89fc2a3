package import Tables

/// Writes a response into memory a transport lends: the only place that knows names are
/// compressed, and the only one that stores bytes.
///
/// Everything that does not fit returns false and may be undone with `truncate(to:)`. Names are
/// compressed against every name written before (RFC 1035 §4.1.4), case ignored.
@safe package struct MessageWriter: ~Copyable, ~Escapable {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    /// Bytes that may be written; lowered to what the requestor takes.
    package var limit: Int
    package private(set) var count = 0
    /// Labels of names written so far, in their order, for compression.
    private var suffixes = InlineArray<64, Suffix>(repeating: Suffix(position: 0, byteCount: 0))
    private var suffixCount = 0
    /// The question's name, while it is not among `suffixes` yet: most responses write no name.
    private var question = 0..<0

    /// A name that ends another one of this message.
    private struct Suffix: BitwiseCopyable {
        var position: UInt16
        /// Of the name as it is without compression: names of different length are not compared.
        var byteCount: UInt16
    }

    @_lifetime(&memory)
    package init(_ memory: inout MutableSpan<UInt8>, limit: Int = .max) {
        capacity = memory.count
        self.limit = min(memory.count, limit)
        // SAFETY: the writer does not outlive the span's borrow (its lifetime depends on it), and
        // stays within `limit` ≤ the span's count.
        unsafe base = memory.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.unsafelyUnwrapped
        }
    }

    // MARK: - Bytes

    package mutating func put(_ byte: UInt8) -> Bool {
        guard limit &- count >= 1 else { return false }
        unsafe base[count] = byte
        count &+= 1
        return true
    }

    package mutating func put16(_ value: UInt16) -> Bool {
        guard limit &- count >= 2 else { return false }
        store16(value, at: count)
        count &+= 2
        return true
    }

    package mutating func put32(_ value: UInt32) -> Bool {
        guard limit &- count >= 4 else { return false }
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(
            of: value.bigEndian, as: UInt32.self)
        count &+= 4
        return true
    }

    /// Eight bytes, the lowest first: a word as it was read with `Span.word(at:)`.
    package mutating func putWord(_ word: UInt64) -> Bool {
        guard limit &- count >= 8 else { return false }
        store64(word, at: count)
        count &+= 8
        return true
    }

    /// The first `byteCount` bytes, at most 16, of left-aligned bits in network order.
    package mutating func put(leading byteCount: Int, of bits: UInt128) -> Bool {
        precondition(byteCount >= 0 && byteCount <= 16)
        guard byteCount <= limit &- count else { return false }
        if limit &- count >= 16 {
            // What is written past them is within the limit, and overwritten.
            store64(UInt64(truncatingIfNeeded: bits >> 64).byteSwapped, at: count)
            store64(UInt64(truncatingIfNeeded: bits).byteSwapped, at: count &+ 8)
        } else {
            var rest = bits.byteSwapped
            for index in count..<count + byteCount {
                unsafe base[index] = UInt8(truncatingIfNeeded: rest)
                rest >>= 8
            }
        }
        count &+= byteCount
        return true
    }

    package mutating func put(_ bytes: TableView<UInt8>, _ range: Range<Int>) -> Bool {
        let byteCount = range.count
        guard byteCount <= limit &- count else { return false }
        copy(bytes, range.lowerBound, byteCount)
        return true
    }

    /// `byteCount` bytes, for which there is room.
    @inline(__always)
    private mutating func copy(_ bytes: TableView<UInt8>, _ start: Int, _ byteCount: Int) {
        // RDATA is mostly short, an IPv6 address with its RDLENGTH 18 bytes; what is written past it
        // is within the limit, and overwritten.
        if byteCount <= 24, limit &- count >= 24, start >= 0, bytes.count &- start >= 24 {
            unsafe bytes.withBytes(in: start..<start &+ 24) { source in
                for offset in stride(from: 0, to: 24, by: 8) {
                    let word = unsafe source.loadUnaligned(
                        fromByteOffset: offset, as: UInt64.self)
                    store64(word, at: count &+ offset)
                }
            }
        } else {
            unsafe bytes.withBytes(in: start..<start + byteCount) { source in
                if let start = source.baseAddress {
                    unsafe UnsafeMutableRawPointer(base + count).copyMemory(
                        from: start, byteCount: source.count)
                }
            }
        }
        count &+= byteCount
    }

    /// Records of class IN whose owner is the name of the question, which stands right after the
    /// header: a pointer to it comes first. `recordCount` times RDLENGTH and RDATA, without any
    /// name that may be compressed, stand in `bytes` from `start`.
    package mutating func putRecordsOfQuestion(
        _ type: RRType, ttl: UInt32, _ recordCount: UInt16, _ bytes: TableView<UInt8>,
        at start: Int
    ) -> Bool {
        let pointer = UInt64(0xc000 | UInt16(Query.headerByteCount))
        let fixed =
            (pointer << 48 | UInt64(type.rawValue) << 32 | UInt64(Query.classIN) << 16
            | UInt64(ttl >> 16)).byteSwapped
        var source = start
        var left = recordCount
        // `count` is at most `limit`, as nothing is written past it.
        while left > 0 {
            let byteCount = 2 &+ Int(bytes.uint16(at: source))
            guard 10 &+ byteCount <= limit &- count else { return false }
            store64(fixed, at: count)
            store16(UInt16(truncatingIfNeeded: ttl), at: count &+ 8)
            count &+= 10
            copy(bytes, source, byteCount)
            source &+= byteCount
            left &-= 1
        }
        return true
    }

    /// Begins the message with the header's identifier and whatever else stands in the query up to
    /// `end`: its header, to be overwritten by `patchHeader`, and its question.
    package mutating func putQuestion(_ query: Span<UInt8>, upTo end: Int) -> Bool {
        precondition(count == 0 && end >= Query.headerByteCount && end <= query.count)
        guard end <= limit else { return false }
        var index = 0
        while index &+ 8 <= end {
            store64(query.word(at: index), at: index)
            index &+= 8
        }
        // The last word overlaps the one before.
        store64(query.word(at: end &- 8), at: end &- 8)
        count = end
        // The question ends in the root's zero byte, type and class; nothing stands before it.
        if end > Query.headerByteCount { question = Query.headerByteCount..<end &- 5 }
        return true
    }

    /// Overwrites two bytes already written.
    package mutating func patch16(_ value: UInt16, at position: Int) {
        precondition(position >= 0 && position + 2 <= count)
        store16(value, at: position)
    }

    package func byte(at position: Int) -> UInt8 {
        precondition(position >= 0 && position < count)
        return unsafe base[position]
    }

    /// Gives back what was written after `position`.
    package mutating func truncate(to position: Int) {
        precondition(position >= 0 && position <= count)
        count = position
        while suffixCount > 0, Int(suffixes.span[suffixCount - 1].position) >= position {
            suffixCount -= 1
        }
    }

    private func store16(_ value: UInt16, at position: Int) {
        unsafe UnsafeMutableRawPointer(base + position).storeBytes(
            of: value.bigEndian, as: UInt16.self)
    }

    /// `position + 8` is at most `limit`.
    private func store64(_ word: UInt64, at position: Int) {
        unsafe UnsafeMutableRawPointer(base + position).storeBytes(of: word, as: UInt64.self)
    }

    /// The header's flags and counts (RFC 1035 §4.1.1); a header has been written.
    ///
    /// `counts`: of questions, answers, authorities and additionals, from the top 16 bits down.
    package mutating func patchHeader(flags: UInt16, counts: UInt64) {
        precondition(count >= Query.headerByteCount)
        store16(flags, at: 2)
        store64(counts.byteSwapped, at: 4)
    }

    // MARK: - Names

    /// The question's name as an owner; it stands right after the header.
    package mutating func putPointerToQuestion() -> Bool {
        put16(0xc000 | UInt16(Query.headerByteCount))
    }

    /// Says that an uncompressed name fills `range`, its final zero included: labels of later names
    /// may point to it.
    package mutating func rememberRDATA(in range: Range<Int>) {
        settleQuestion()
        remember(from: range.lowerBound, to: range.upperBound - 1, byteCount: range.count)
    }

    /// Positions are remembered in their order, the question's first: `truncate(to:)` relies on it.
    @inline(__always)
    private mutating func settleQuestion() {
        guard !question.isEmpty else { return }
        let name = question
        question = 0..<0
        remember(from: name.lowerBound, to: name.upperBound, byteCount: name.count + 1)
    }

    /// Makes the labels from `start` on targets for compression. At `end` stands the name's final
    /// zero, or a pointer; without compression it has `byteCount` bytes.
    private mutating func remember(from start: Int, to end: Int, byteCount: Int) {
        var position = start
        var byteCount = byteCount
        while position < end, suffixCount < 64, position <= 0x3fff {
            suffixes[suffixCount] = Suffix(
                position: UInt16(truncatingIfNeeded: position),
                byteCount: UInt16(truncatingIfNeeded: byteCount))
            suffixCount &+= 1
            let label = 1 &+ Int(byte(at: position))
            position &+= label
            byteCount &-= label
        }
    }

    /// Writes the uncompressed wire name that starts at `start` of `names`, compressed.
    package mutating func putName(_ names: TableView<UInt8>, at start: Int) -> Bool {
        settleQuestion()
        var end = start
        while names[end] != 0 { end &+= 1 &+ Int(names[end]) }
        let first = count
        let byteCount = end &- start &+ 1
        // The longest suffix that has been written, if there is one, and what comes before it.
        var source = start
        var target: Int?
        while source < end {
            target = earlierName(equalTo: names, at: source, byteCount: end &- source &+ 1)
            if target != nil { break }
            source &+= 1 &+ Int(names[source])
        }
        guard put(names, start..<source) else { return false }
        if let target {
            guard put16(0xc000 | UInt16(truncatingIfNeeded: target)) else { return false }
        } else {
            guard put(0) else { return false }
        }
        remember(from: first, to: first &+ source &- start, byteCount: byteCount)
        return true
    }

    /// `byteCount`: of the name at `start`.
    @inline(__always)
    private func earlierName(
        equalTo names: TableView<UInt8>, at start: Int, byteCount: Int
    ) -> Int? {
        // Through the span: an element of a stored array would copy all of it (Swift 6.3).
        let suffixes = suffixes.span
        var index = 0
        while index < suffixCount {
            let suffix = suffixes[index]
            if Int(suffix.byteCount) == byteCount,
                isName(at: Int(suffix.position), equalTo: names, at: start)
            {
                return Int(suffix.position)
            }
            index &+= 1
        }
        return nil
    }

    /// Compares a name of this message, which may be compressed, with an uncompressed one.
    private func isName(
        at position: Int, equalTo names: TableView<UInt8>, at start: Int
    ) -> Bool {
        var here = position
        var there = start
        while true {
            // Pointers in our own message always go backwards, so this ends.
            while unsafe base[here] >= 0xc0 {
                here = unsafe Int(base[here] & 0x3f) << 8 | Int(base[here + 1])
            }
            let length = Int(names[there])
            guard unsafe Int(base[here]) == length else { return false }
            if length == 0 { return true }
            guard isLabel(at: here, equalTo: names, at: there, byteCount: length &+ 1) else {
                return false
            }
            here &+= length &+ 1
            there &+= length &+ 1
        }
    }

    /// `byteCount`: with the length byte, which no letter is like.
    private func isLabel(
        at position: Int, equalTo names: TableView<UInt8>, at start: Int, byteCount: Int
    ) -> Bool {
        var here = position
        var there = start
        var left = byteCount
        // What is compared may reach past the label, but not past either memory.
        while left > 0, here &+ 8 <= capacity, there &+ 8 <= names.count {
            // SAFETY: eight bytes from `here` are within the memory, all of it initialized.
            let word = unsafe UnsafeRawPointer(base + here).loadUnaligned(as: UInt64.self)
            let difference = lowercased(word: word) ^ lowercased(word: names.word(at: there))
            guard difference & wordMask(left) == 0 else { return false }
            here &+= 8
            there &+= 8
            left &-= 8
        }
        while left > 0 {
            guard unsafe lowercased(base[here]) == lowercased(names[there]) else { return false }
            here &+= 1
            there &+= 1
            left &-= 1
        }
        return true
    }
}
