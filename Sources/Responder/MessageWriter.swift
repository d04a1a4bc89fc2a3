import DNSWire
import Tables
import Zones

/// Writes a response into memory a transport lends: the only place that stores bytes.
///
/// Everything that does not fit returns false and may be undone with `truncate(to:)`. Names are
/// written by `NameCompressor`.
///
/// It stands in this target, because its functions are short and called for every response: the
/// compiler does not make those of another target part of what calls them.
@safe struct MessageWriter: ~Copyable, ~Escapable {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    /// Bytes that may be written; lowered to what the requestor takes.
    var limit: Int
    private(set) var count = 0

    @_lifetime(&memory)
    init(_ memory: inout MutableSpan<UInt8>, limit: Int = .max) {
        capacity = memory.count
        self.limit = min(memory.count, limit)
        // SAFETY: the writer does not outlive the span's borrow (its lifetime depends on it), and
        // stays within `limit` ≤ the span's count.
        unsafe base = memory.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.unsafelyUnwrapped
        }
    }

    // MARK: - Bytes

    mutating func put(_ byte: UInt8) -> Bool {
        guard limit &- count >= 1 else { return false }
        unsafe base[count] = byte
        count &+= 1
        return true
    }

    mutating func put16(_ value: UInt16) -> Bool {
        guard limit &- count >= 2 else { return false }
        store16(value, at: count)
        count &+= 2
        return true
    }

    mutating func put32(_ value: UInt32) -> Bool {
        guard limit &- count >= 4 else { return false }
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(
            of: value.bigEndian, as: UInt32.self)
        count &+= 4
        return true
    }

    /// Eight bytes, the lowest first: a word as it was read with `Span.word(at:)`.
    mutating func putWord(_ word: UInt64) -> Bool {
        guard limit &- count >= 8 else { return false }
        store64(word, at: count)
        count &+= 8
        return true
    }

    /// The first `byteCount` bytes, at most 16, of left-aligned bits in network order.
    mutating func put(leading byteCount: Int, of bits: UInt128) -> Bool {
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

    /// The first `byteCount` bytes, at most 40, of words in network order. False, too, when there
    /// is room for them, but not for all of the words.
    mutating func put(
        _ byteCount: Int, of words: (UInt64, UInt64, UInt64, UInt64, UInt64)
    ) -> Bool {
        precondition(byteCount >= 0 && byteCount <= 40)
        guard limit &- count >= 40 else { return false }
        // What is written past them is within the limit, and overwritten.
        store64(words.0.byteSwapped, at: count)
        store64(words.1.byteSwapped, at: count &+ 8)
        store64(words.2.byteSwapped, at: count &+ 16)
        store64(words.3.byteSwapped, at: count &+ 24)
        store64(words.4.byteSwapped, at: count &+ 32)
        count &+= byteCount
        return true
    }

    mutating func put(_ bytes: TableView<UInt8>, _ range: Range<Int>) -> Bool {
        let byteCount = range.count
        guard byteCount <= limit &- count else { return false }
        copy(bytes, range.lowerBound, byteCount)
        return true
    }

    /// `byteCount` bytes, for which there is room.
    @inline(__always)
    private mutating func copy(_ bytes: TableView<UInt8>, _ start: Int, _ byteCount: Int) {
        // RDATA is mostly short: an IPv6 address with its RDLENGTH has 18 bytes. What is written
        // past it is within the limit, and overwritten.
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
    mutating func putRecordsOfQuestion(
        _ type: RRType, ttl: UInt32, _ recordCount: UInt16, _ bytes: TableView<UInt8>,
        at start: Int
    ) -> Bool {
        let fixed = MessageWriter.fixedOfQuestion(type, ttl: ttl)
        var source = start
        var left = recordCount
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

    /// As `putRecordsOfQuestion`, for A and AAAA, whose RDATA has one length.
    @inline(__always)
    mutating func putAddressesOfQuestion(
        _ type: RRType, ttl: UInt32, _ recordCount: UInt16, _ bytes: TableView<UInt8>,
        at start: Int
    ) -> Bool {
        type == .a
            ? putAddresses(type, 6, ttl: ttl, recordCount, bytes, at: start)
            : putAddresses(type, 18, ttl: ttl, recordCount, bytes, at: start)
    }

    /// `dataByteCount`, a constant for whatever this becomes a part of, counts RDLENGTH too.
    @inline(__always)
    private mutating func putAddresses(
        _ type: RRType, _ dataByteCount: Int, ttl: UInt32, _ recordCount: UInt16,
        _ bytes: TableView<UInt8>, at start: Int
    ) -> Bool {
        let dataEnd = Int(recordCount) &* dataByteCount
        let byteCount = dataEnd &+ Int(recordCount) &* 10
        guard byteCount <= limit &- count,
            var source = unsafe bytes.pointer(at: start, byteCount: dataEnd)
        else { return false }
        let fixed = MessageWriter.fixedOfQuestion(type, ttl: ttl)
        let restOfTTL = UInt16(truncatingIfNeeded: ttl).bigEndian
        // SAFETY: what is read lies within `dataEnd` bytes, what is written within the limit.
        let end = unsafe source + dataEnd
        var target = unsafe UnsafeMutableRawPointer(base + count)
        while unsafe source < end {
            unsafe target.storeBytes(of: fixed, as: UInt64.self)
            unsafe target.storeBytes(of: restOfTTL, toByteOffset: 8, as: UInt16.self)
            if dataByteCount == 6 {
                unsafe (target + 10).copy(UInt32.self, from: source, at: 0)
                unsafe (target + 10).copy(UInt16.self, from: source, at: 4)
            } else {
                unsafe (target + 10).copy(SIMD2<UInt64>.self, from: source, at: 0)
                unsafe (target + 10).copy(UInt16.self, from: source, at: 16)
            }
            unsafe source += dataByteCount
            unsafe target += 10 &+ dataByteCount
        }
        count &+= byteCount
        return true
    }

    /// The SOA record of a negative response, right after the question. False when it does not fit.
    mutating func putNegative(_ record: NegativeRecord, _ bytes: TableView<UInt8>) -> Bool {
        let (start, first) = (count, Int(record.offset))
        guard put(bytes, first..<first &+ Int(record.byteCount)) else { return false }
        lead(at: start, from: start)
        if record.pointers.0 > 0 { lead(at: start &+ Int(record.pointers.0), from: start) }
        if record.pointers.1 > 0 { lead(at: start &+ Int(record.pointers.1), from: start) }
        return true
    }

    /// Makes a pointer of the distance from `start` that stands at `position`.
    @inline(__always)
    private mutating func lead(at position: Int, from start: Int) {
        precondition(position >= start && position &+ 2 <= count)
        let distance = unsafe UInt16(base[position]) << 8 | UInt16(base[position &+ 1])
        store16(0xc000 | (UInt16(truncatingIfNeeded: start) &+ distance) & 0x3fff, at: position)
    }

    /// Owner, type, class and half of the TTL, as they stand on the wire.
    @inline(__always)
    private static func fixedOfQuestion(_ type: RRType, ttl: UInt32) -> UInt64 {
        let pointer = UInt64(0xc000 | UInt16(Query.headerByteCount))
        return
            (pointer << 48 | UInt64(type.rawValue) << 32 | UInt64(Query.classIN) << 16
            | UInt64(ttl >> 16)).byteSwapped
    }

    /// Begins the message with the header's identifier and whatever else stands in the query up to
    /// `end`: its header, to be overwritten by `patchHeader`, and its question.
    mutating func putQuestion(_ query: Span<UInt8>, upTo end: Int) -> Bool {
        precondition(count == 0 && end >= Query.headerByteCount && end <= query.count)
        guard end <= limit else { return false }
        unsafe query.withUnsafeBytes { source in
            // SAFETY: `end` bytes are in the query, and fit here; a span with bytes has a base.
            let start = unsafe source.baseAddress.unsafelyUnwrapped
            let target = unsafe UnsafeMutableRawPointer(base)
            guard end >= 16 else {
                return unsafe target.copyMemory(from: start, byteCount: end)
            }
            // Sixteen at a time, the last ones so that they end with the question. Most have no
            // more than 48.
            let last = end &- 16
            unsafe target.copy(SIMD2<UInt64>.self, from: start, at: 0)
            if last > 16 {
                unsafe target.copy(SIMD2<UInt64>.self, from: start, at: 16)
                if last > 32 {
                    unsafe (target + 32).copyMemory(from: start + 32, byteCount: end &- 32)
                }
            }
            unsafe target.copy(SIMD2<UInt64>.self, from: start, at: last)
        }
        count = end
        return true
    }

    /// An OPT record with a client subnet and nothing else, as it stands in the query from `start`
    /// on, `byteCount` bytes, 19 to 40; but its first eight bytes are `head`, the lowest first, no
    /// flag of the lower eight is set (RFC 6891 §6.1.4), and the scope is `scope` (RFC 7871 §6).
    /// False, too, when there is room for it, but not for 40 bytes.
    @inline(__always)
    mutating func putOPT(
        _ query: Span<UInt8>, from start: Int, byteCount: Int, head: UInt64, scope: UInt8
    ) -> Bool {
        precondition(start >= 0 && byteCount >= 19 && byteCount <= 40)
        precondition(byteCount <= query.count &- start)
        guard limit &- count >= 40 else { return false }
        unsafe query.withUnsafeBytes { source in
            // SAFETY: the bytes are in the query, and fit here; the last sixteen end with them.
            let from = unsafe source.baseAddress.unsafelyUnwrapped + start
            let target = unsafe UnsafeMutableRawPointer(base + count)
            unsafe target.copy(SIMD2<UInt64>.self, from: from, at: 0)
            if byteCount > 32 { unsafe target.copy(SIMD2<UInt64>.self, from: from, at: 16) }
            unsafe target.copy(SIMD2<UInt64>.self, from: from, at: byteCount &- 16)
            unsafe target.storeBytes(of: head, as: UInt64.self)
            unsafe target.storeBytes(of: 0, toByteOffset: 8, as: UInt8.self)
            unsafe target.storeBytes(of: scope, toByteOffset: 18, as: UInt8.self)
        }
        count &+= byteCount
        return true
    }

    /// The question's name as an owner; it stands right after the header.
    mutating func putPointerToQuestion() -> Bool {
        put16(0xc000 | UInt16(Query.headerByteCount))
    }

    /// Overwrites two bytes already written.
    mutating func patch16(_ value: UInt16, at position: Int) {
        precondition(position >= 0 && position + 2 <= count)
        store16(value, at: position)
    }

    func byte(at position: Int) -> UInt8 {
        precondition(position >= 0 && position < count)
        return unsafe base[position]
    }

    /// Gives back what was written after `position`.
    mutating func truncate(to position: Int) {
        precondition(position >= 0 && position <= count)
        count = position
    }

    /// Whether `byteCount` bytes from `position`, all of them written, are those at `start` of
    /// `bytes`, the case of letters ignored. Length bytes of labels are like no letter.
    func equals(
        at position: Int, _ bytes: TableView<UInt8>, at start: Int, byteCount: Int
    ) -> Bool {
        precondition(position >= 0 && byteCount >= 0 && byteCount <= count &- position)
        var offset = 0
        while offset < byteCount {
            let left = byteCount &- offset
            // Eight at a time may reach past the last one, but not past either memory.
            if left < 8, position &+ offset &+ 8 > capacity || start &+ offset &+ 8 > bytes.count {
                guard
                    unsafe lowercased(base[position &+ offset])
                        == lowercased(bytes[start &+ offset])
                else { return false }
                offset &+= 1
                continue
            }
            // SAFETY: from eight bytes that have been written, or that end within the memory.
            let mine = unsafe UnsafeRawPointer(base + position + offset)
                .loadUnaligned(as: UInt64.self)
            let theirs = bytes.word(at: start &+ offset)
            // Those past the last one are shifted out. Mostly the case is the same.
            let unused = UInt64(truncatingIfNeeded: 64 &- min(left, 8) &* 8)
            if (mine ^ theirs) &<< unused != 0 {
                let difference = lowercased(word: mine) ^ lowercased(word: theirs)
                guard difference &<< unused == 0 else { return false }
            }
            offset &+= 8
        }
        return true
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
    mutating func patchHeader(flags: UInt16, counts: UInt64) {
        precondition(count >= Query.headerByteCount)
        store16(flags, at: 2)
        store64(counts.byteSwapped, at: 4)
    }
}

extension UnsafeMutableRawPointer {
    /// SAFETY: `offset` and the bytes of a `Value` after it lie within both memories.
    @unsafe @inline(__always)
    fileprivate func copy<Value: BitwiseCopyable>(
        _ type: Value.Type, from source: UnsafeRawPointer, at offset: Int
    ) {
        unsafe storeBytes(
            of: source.loadUnaligned(fromByteOffset: offset, as: type), toByteOffset: offset,
            as: type)
    }
}
