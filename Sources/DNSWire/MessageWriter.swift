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
    /// Where labels of names written so far start, for compression.
    private var labelPositions = InlineArray<64, UInt16>(repeating: 0)
    private var labelPositionCount = 0
    /// Not among `labelPositions` yet: most responses write no name at all.
    private var question = 0..<0

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
        guard count < limit else { return false }
        unsafe base[count] = byte
        count += 1
        return true
    }

    package mutating func put16(_ value: UInt16) -> Bool {
        guard count + 2 <= limit else { return false }
        store16(value, at: count)
        count += 2
        return true
    }

    package mutating func put32(_ value: UInt32) -> Bool {
        guard count + 4 <= limit else { return false }
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(
            of: value.bigEndian, as: UInt32.self)
        count += 4
        return true
    }

    /// Eight bytes, the lowest first: a word as it was read with `Span.word(at:)`.
    package mutating func putWord(_ word: UInt64) -> Bool {
        guard count + 8 <= limit else { return false }
        store64(word, at: count)
        count += 8
        return true
    }

    /// The first `byteCount` bytes, at most 16, of left-aligned bits in network order.
    package mutating func put(leading byteCount: Int, of bits: UInt128) -> Bool {
        guard count + byteCount <= limit else { return false }
        var rest = bits.byteSwapped
        for index in count..<count + byteCount {
            unsafe base[index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
        count += byteCount
        return true
    }

    package mutating func put(_ bytes: TableView<UInt8>, _ range: Range<Int>) -> Bool {
        guard count + range.count <= limit else { return false }
        // RDATA is mostly short; what is written past it is within the limit, and overwritten.
        if range.count <= 16, count + 16 <= limit, range.lowerBound + 16 <= bytes.count {
            store64(bytes.word(at: range.lowerBound), at: count)
            store64(bytes.word(at: range.lowerBound + 8), at: count + 8)
            count += range.count
            return true
        }
        unsafe bytes.withBytes(in: range) { source in
            if let start = source.baseAddress {
                unsafe UnsafeMutableRawPointer(base + count).copyMemory(
                    from: start, byteCount: source.count)
            }
        }
        count += range.count
        return true
    }

    /// Type, class and TTL of a record whose owner is the name of the question, which stands right
    /// after the header: a pointer to it comes first.
    package mutating func putRecordOfQuestion(_ type: RRType, class: UInt16, ttl: UInt32) -> Bool {
        guard count + 10 <= limit else { return false }
        let pointer = UInt64(0xc000 | UInt16(Query.headerByteCount))
        let first =
            pointer << 48 | UInt64(type.rawValue) << 32 | UInt64(`class`) << 16
            | UInt64(ttl >> 16)
        store64(first.byteSwapped, at: count)
        store16(UInt16(truncatingIfNeeded: ttl), at: count + 8)
        count += 10
        return true
    }

    /// Copies `range` of the query to the same kind of place here: header and question.
    package mutating func put(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard count + range.count <= limit else { return false }
        unsafe bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress {
                unsafe (base + count).update(from: start + range.lowerBound, count: range.count)
            }
        }
        count += range.count
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
        while labelPositionCount > 0,
            Int(labelPositions[labelPositionCount - 1]) >= position
        {
            labelPositionCount -= 1
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
    package mutating func patchHeader(
        flags: UInt16, questions: UInt16, answers: UInt16, authorities: UInt16, additionals: UInt16
    ) {
        precondition(count >= Query.headerByteCount)
        store16(flags, at: 2)
        let counts =
            UInt64(questions) << 48 | UInt64(answers) << 32 | UInt64(authorities) << 16
            | UInt64(additionals)
        store64(counts.byteSwapped, at: 4)
    }

    // MARK: - Names

    /// Says that the question's name fills `range`, its final zero left out: labels of later names
    /// may point to it.
    package mutating func rememberQuestion(in range: Range<Int>) { question = range }

    /// Says that an uncompressed name fills `range`, its final zero left out: labels of later names
    /// may point to it.
    package mutating func rememberRDATA(in range: Range<Int>) {
        settleQuestion()
        rememberName(in: range)
    }

    /// Positions are remembered in their order, the question's first: `truncate(to:)` relies on it.
    @inline(__always)
    private mutating func settleQuestion() {
        guard !question.isEmpty else { return }
        rememberName(in: question)
        question = 0..<0
    }

    /// Makes the labels of the uncompressed name that fills `range` targets for compression; its
    /// final zero or pointer lies past the range.
    private mutating func rememberName(in range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound, labelPositionCount < 64, position <= 0x3fff {
            labelPositions[labelPositionCount] = UInt16(position)
            labelPositionCount += 1
            position += 1 + Int(byte(at: position))
        }
    }

    /// Writes the uncompressed wire name that starts at `start` of `names`, compressed.
    package mutating func putName(_ names: TableView<UInt8>, at start: Int) -> Bool {
        settleQuestion()
        var source = start
        let first = count
        while names[source] != 0 {
            if let target = earlierName(equalTo: names, at: source) {
                guard put16(0xc000 | UInt16(target)) else { return false }
                rememberName(in: first..<count - 2)
                return true
            }
            let length = Int(names[source])
            guard put(names, source..<source + 1 + length) else { return false }
            source += 1 + length
        }
        guard put(0) else { return false }
        rememberName(in: first..<count - 1)
        return true
    }

    private func earlierName(equalTo names: TableView<UInt8>, at start: Int) -> Int? {
        // Through the span: an element of a stored array would copy all of it (Swift 6.3).
        let positions = labelPositions.span
        var index = 0
        while index < labelPositionCount {
            let position = Int(positions[index])
            if isName(at: position, equalTo: names, at: start) { return position }
            index += 1
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
