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
}

extension TableView where Element == UInt8 {
    /// Eight bytes from `index`, which must all lie within the table.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(wordFits(at: index, in: count))
        return unsafe UnsafeRawPointer(base.unsafelyUnwrapped + index)
            .loadUnaligned(as: UInt64.self)
    }
}

extension Span<UInt8> {
    /// Eight bytes from `index`, which must all lie within the span.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(wordFits(at: index, in: count))
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
    }

    /// The last one to seven bytes, the others of the word being zero.
    @inlinable package func lastBytes(_ number: Int) -> UInt64 {
        precondition(number > 0 && number < 8 && number <= count)
        if count >= 8 { return word(at: count &- 8) &>> UInt64(64 &- 8 &* number) }
        var word: UInt64 = 0
        for index in 0..<number {
            word |= UInt64(self[count - number + index]) << UInt64(index * 8)
        }
        return word
    }
}

/// Whether eight bytes from `index` lie within `count` bytes, which may be fewer than eight.
@inlinable package func wordFits(at index: Int, in count: Int) -> Bool {
    index >= 0 && index <= count &- 8
}

/// The first `count` bytes of a word set to ones; `count` is at least 1, and all are from eight on.
@inlinable package func wordMask(_ count: Int) -> UInt64 {
    .max &>> UInt64(truncatingIfNeeded: 64 &- min(count, 8) &* 8)
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
