package import Tables

/// Writes a response into memory a transport lends: the only place that knows names are
/// compressed, and the only one that stores bytes.
///
/// Everything that does not fit returns false and may be undone with `truncate(to:)`. Names are
/// compressed against every name written before (RFC 1035 §4.1.4), case ignored.
@safe package struct MessageWriter: ~Copyable, ~Escapable {
    private let base: UnsafeMutablePointer<UInt8>
    /// Bytes that may be written; lowered to what the requestor takes.
    package var limit: Int
    package private(set) var count = 0
    /// Where labels of names written so far start, for compression.
    private var labelPositions = InlineArray<64, UInt16>(repeating: 0)
    private var labelPositionCount = 0

    @_lifetime(&memory)
    package init(_ memory: inout MutableSpan<UInt8>, limit: Int = .max) {
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
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: word, as: UInt64.self)
        count += 8
        return true
    }

    package mutating func put(_ bytes: TableView<UInt8>, _ range: Range<Int>) -> Bool {
        guard count + range.count <= limit else { return false }
        unsafe bytes.withBytes(in: range) { source in
            if let start = source.baseAddress {
                unsafe UnsafeMutableRawPointer(base + count).copyMemory(
                    from: start, byteCount: source.count)
            }
        }
        count += range.count
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

    // MARK: - Names

    /// Makes the labels of the uncompressed name that fills `range` targets for compression; its
    /// final zero or pointer lies past the range.
    package mutating func rememberName(in range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound, labelPositionCount < 64, position <= 0x3fff {
            labelPositions[labelPositionCount] = UInt16(position)
            labelPositionCount += 1
            position += 1 + Int(byte(at: position))
        }
    }

    /// Writes the uncompressed wire name that starts at `start` of `names`, compressed.
    package mutating func putName(_ names: TableView<UInt8>, at start: Int) -> Bool {
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
        var index = 0
        while index < labelPositionCount {
            let position = Int(labelPositions[index])
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
            var index = 1
            while index <= length {
                guard unsafe lowercased(base[here + index]) == lowercased(names[there + index])
                else { return false }
                index += 1
            }
            here += 1 + length
            there += 1 + length
        }
    }
}
