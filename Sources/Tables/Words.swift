/// Names are read, hashed and compared eight bytes at a time; the low byte comes first on the wire.
extension ScratchArray where Element == UInt8 {
    /// Eight bytes from `index`, which must all lie within the array.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(wordFits(at: index, in: capacity))
        return unsafe UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
    }

    @inlinable package mutating func setWord(_ word: UInt64, at index: Int) {
        precondition(wordFits(at: index, in: capacity))
        unsafe UnsafeMutableRawPointer(base + index).storeBytes(of: word, as: UInt64.self)
    }

    /// Copies `byteCount` bytes of `source` from `start` to the front of this array, in lower case.
    /// Past the last byte its word is zero, and so is the one that follows. There must be room for
    /// that.
    @inlinable
    package mutating func copyLowercased(
        _ source: Span<UInt8>, from start: Int, byteCount: Int
    ) {
        precondition(start >= 0 && byteCount >= 0 && byteCount <= source.count &- start)
        precondition(byteCount <= capacity &- 16)
        // SAFETY: every word that is read lies within the bytes of `source` checked above, or ends
        // with them and starts within `source`; what is written ends at most 16 bytes past them.
        let target = unsafe UnsafeMutableRawPointer(base)
        var index = 0
        while index &+ 8 <= byteCount {
            let word = unsafe source.bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: start &+ index, as: UInt64.self)
            unsafe target.storeBytes(
                of: lowercased(word: word), toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        if index < byteCount {
            let lower = lowercased(
                word: source.lastBytes(byteCount &- index, before: start &+ byteCount))
            unsafe target.storeBytes(of: lower, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        unsafe target.storeBytes(of: 0, toByteOffset: index, as: UInt64.self)
    }
}

extension TableView where Element == UInt8 {
    /// Eight bytes from `index`, which must all lie within the table.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(wordFits(at: index, in: count))
        return unsafe UnsafeRawPointer(base.unsafelyUnwrapped + index)
            .loadUnaligned(as: UInt64.self)
    }

    /// Two bytes in network order, which must lie within the table.
    @inlinable package func uint16(at index: Int) -> UInt16 {
        precondition(index >= 0 && index <= count &- 2)
        return unsafe UInt16(
            bigEndian: UnsafeRawPointer(base.unsafelyUnwrapped + index)
                .loadUnaligned(as: UInt16.self))
    }

    /// Whether the `byteCount` bytes from `index`, which are in lower case, are those of `other`
    /// from `start`, in any case. False when there are not so many in one of the two.
    @inlinable @inline(__always)
    package func equals(
        at index: Int, anyCaseOf other: Span<UInt8>, at start: Int, byteCount: Int
    ) -> Bool {
        guard index >= 0, start >= 0, byteCount >= 0, byteCount <= count &- index,
            byteCount <= other.count &- start
        else { return false }
        guard byteCount >= 8 else {
            return equalsByteByByte(at: index, anyCaseOf: other, at: start, byteCount: byteCount)
        }
        // SAFETY: every word lies within the bytes checked above. The last one ends with them, and
        // begins among those that have been compared already.
        let mine = unsafe UnsafeRawPointer(base.unsafelyUnwrapped + index)
        let last = byteCount &- 8
        var position = 0
        while position < last {
            guard
                unsafe mine.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    == other.bytes.unsafeLoadUnaligned(
                        fromUncheckedByteOffset: start &+ position, as: UInt64.self)
            else {
                return equalsByteByByte(
                    at: index, anyCaseOf: other, at: start, byteCount: byteCount)
            }
            position &+= 8
        }
        guard
            unsafe mine.loadUnaligned(fromByteOffset: last, as: UInt64.self)
                == other.bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: start &+ last, as: UInt64.self)
        else {
            return equalsByteByByte(
                at: index, anyCaseOf: other, at: start, byteCount: byteCount)
        }
        return true
    }

    /// For names in mixed case, which few resolvers send, and for short ones.
    @inline(never) @usableFromInline
    package func equalsByteByByte(
        at index: Int, anyCaseOf other: Span<UInt8>, at start: Int, byteCount: Int
    ) -> Bool {
        for offset in 0..<byteCount {
            guard lowercased(word: UInt64(other[start + offset])) == UInt64(self[index + offset])
            else { return false }
        }
        return true
    }

    /// Where `byteCount` bytes from `index` stand; nil when there are not so many.
    ///
    /// SAFETY: the pointer is good for as long as the table.
    @unsafe @inlinable @inline(__always)
    package func pointer(at index: Int, byteCount: Int) -> UnsafeRawPointer? {
        guard index >= 0, byteCount >= 0, byteCount <= count &- index, let base = unsafe base
        else { return nil }
        return unsafe UnsafeRawPointer(base + index)
    }

    /// Whether the `byteCount` bytes from `index`, at least one, are those of `other` from `start`.
    /// False when fewer than eight bytes follow in one of the two: no name stands there.
    @inlinable @inline(__always)
    package func equals(
        at index: Int, _ other: borrowing ScratchArray<UInt8>, at start: Int, byteCount: Int
    ) -> Bool {
        guard index >= 0, start >= 0, byteCount > 0, byteCount &+ 8 <= count &- index,
            byteCount &+ 8 <= other.capacity &- start
        else { return false }
        // SAFETY: words start within the bytes checked above, and end at most seven further.
        let mine = unsafe UnsafeRawPointer(base.unsafelyUnwrapped + index)
        let others = unsafe UnsafeRawPointer(other.base + start)
        var position = 0
        var left = byteCount
        while left > 8 {
            guard
                unsafe mine.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    == others.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            else { return false }
            position &+= 8
            left &-= 8
        }
        let difference =
            unsafe mine.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            ^ others.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        // What comes after the last byte is shifted out.
        return difference &<< UInt64(truncatingIfNeeded: 64 &- left &* 8) == 0
    }
}

extension Span<UInt8> {
    /// Eight bytes from `index`, which must all lie within the span.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(wordFits(at: index, in: count))
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
    }

    /// Two bytes in network order from `index`, which must both lie within the span.
    @inlinable package func uint16(at index: Int) -> UInt16 {
        precondition(index >= 0 && index <= count &- 2)
        return unsafe UInt16(
            bigEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: UInt16.self))
    }

    /// Four bytes in network order from `index`, which must all lie within the span.
    @inlinable package func uint32(at index: Int) -> UInt32 {
        precondition(index >= 0 && index <= count &- 4)
        return unsafe UInt32(
            bigEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: UInt32.self))
    }

    /// Hands the `byteCount` bytes from `start`, at least one, to `body` in words, in order. The
    /// last word ends with the last byte, and so may have some of the one before it once more;
    /// where there are fewer than eight, the others are zero.
    @inlinable @inline(__always)
    package func forEachWord(from start: Int, byteCount: Int, _ body: (UInt64) -> Void) {
        precondition(start >= 0 && byteCount > 0 && byteCount <= count &- start)
        let last = start &+ byteCount &- 8
        guard last >= start else { return body(lastBytes(byteCount, before: start &+ byteCount)) }
        // SAFETY: every word begins between `start` and `last`, both of which have eight bytes.
        var index = start
        while index < last {
            body(
                unsafe bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        body(unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: last, as: UInt64.self))
    }

    /// The `number` bytes, one to seven, that end before `end`; the others of the word are zero.
    @inlinable @inline(__always) package func lastBytes(_ number: Int, before end: Int) -> UInt64 {
        guard end >= 8 else { return lastBytesOneByOne(number, before: end) }
        return word(at: end &- 8) &>> UInt64(truncatingIfNeeded: 64 &- 8 &* number)
    }

    @inline(never) @usableFromInline
    package func lastBytesOneByOne(_ number: Int, before end: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<number {
            word |= UInt64(self[end - number + index]) << UInt64(index * 8)
        }
        return word
    }
}

/// Whether eight bytes from `index` lie within `count` bytes, which may be fewer than eight.
@inlinable package func wordFits(at index: Int, in count: Int) -> Bool {
    index >= 0 && index <= count &- 8
}

/// ASCII letters of a word in lower case, every other byte as it is.
@inlinable package func lowercased(word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let sevenBits = word & (0x7f &* ones)
    // The top bit of each byte: set from `A` on, and from past `Z` on; never carried over.
    let fromA = sevenBits &+ (0x80 - 0x41) &* ones
    let pastZ = sevenBits &+ (0x80 - 0x5b) &* ones
    let isUpper = (fromA ^ pastZ) & ~word & (0x80 &* ones)
    return word | isUpper >> 2
}
