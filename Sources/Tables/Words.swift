/// Names are read, hashed and compared eight bytes at a time; the low byte comes first on the wire.
extension ScratchArray where Element == UInt8 {
    /// Eight bytes from `index`, which must all lie within the array.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) <= UInt(bitPattern: capacity - 8))
        return unsafe UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
    }

    @inlinable package mutating func setWord(_ word: UInt64, at index: Int) {
        precondition(UInt(bitPattern: index) <= UInt(bitPattern: capacity - 8))
        unsafe UnsafeMutableRawPointer(base + index).storeBytes(of: word, as: UInt64.self)
    }
}

extension TableView where Element == UInt8 {
    /// Eight bytes from `index`, which must all lie within the table.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) <= UInt(bitPattern: count - 8))
        return unsafe UnsafeRawPointer(base.unsafelyUnwrapped + index)
            .loadUnaligned(as: UInt64.self)
    }
}

extension Span<UInt8> {
    /// Eight bytes from `index`, which must all lie within the span.
    @inlinable package func word(at index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) <= UInt(bitPattern: count - 8))
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
    }
}

/// The first `count` bytes of a word set to ones; all of them from eight on.
@inlinable package func wordMask(_ count: Int) -> UInt64 {
    count >= 8 ? .max : (1 << UInt64(count * 8)) - 1
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
