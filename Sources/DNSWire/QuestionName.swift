package import Tables

/// A name on its way through the lookup. Where one of its suffixes starts is told in bytes from the
/// front.
///
/// To `read` it is to measure and hash it. It is looked up where it stands, in the message; what
/// makes other names of it wants it in lower case first: `lower`.
///
/// It lives in a worker's scratch memory and is overwritten by each query; nothing is allocated.
package struct QuestionName: ~Copyable {
    /// Labels and length bytes in lower case, the root's zero included; then zeros up to the next
    /// multiple of eight, and eight more, because it is read and written in words.
    private var canonical = ScratchArray<UInt8>(
        capacity: DomainName.byteCountMax + 17, repeating: 0)
    /// Labels without the root: 0…127.
    package private(set) var labelCount = 0
    /// 1…255
    package private(set) var byteCount = 0
    /// Where it starts in what it was read from.
    private var start = 0
    private var isLower = false
    /// Of the whole name.
    package private(set) var hash: UInt64 = 0

    package init() {}

    /// Where the name one label shorter than the suffix at `offset` starts; that is not the root.
    package func parent(of offset: Int) -> Int { offset &+ 1 &+ Int(canonical[offset]) }

    /// Hash of the suffix at `offset`.
    package func hash(from offset: Int) -> UInt64 {
        var hash = NameHash.start
        let last = byteCount &- 8
        // Of fewer than eight bytes; zeros follow.
        guard last >= offset else { return NameHash.combine(hash, canonical.word(at: offset)) }
        var index = offset
        while index < last {
            hash = NameHash.combine(hash, canonical.word(at: index))
            index &+= 8
        }
        return NameHash.combine(hash, canonical.word(at: last))
    }

    /// A byte of the canonical form.
    package func byte(at index: Int) -> UInt8 { canonical[index] }

    /// Whether the suffix at `offset` is the lower-case name at `position` of `names`, which go on
    /// for at least eight bytes after it.
    package func isSuffix(
        from offset: Int, equalTo names: TableView<UInt8>, at position: Int
    ) -> Bool {
        names.equals(at: position, canonical, at: offset, byteCount: byteCount &- offset)
    }

    /// Whether the two are the same name.
    package func equals(_ other: borrowing QuestionName) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var index = 0
        while index < byteCount {
            if canonical[index] != other.canonical[index] { return false }
            index += 1
        }
        return true
    }

    /// Whether this is the name, in any case of letters, at `position` of `names`.
    package func equals(_ names: TableView<UInt8>, at position: Int) -> Bool {
        var index = 0
        while index < byteCount {
            if canonical[index] != lowercased(names[position + index]) { return false }
            index += 1
        }
        return true
    }

    /// Reads the uncompressed name at `start` of a message. Returns the position after it, or nil
    /// when it is cut short, too long, compressed, or holds a label type that does not exist
    /// (RFC 1035 §4.1.2: nothing stands before a question that could be pointed to).
    @inline(__always)
    package mutating func read(_ message: Span<UInt8>, at start: Int) -> Int? {
        let end = min(message.count, start &+ DomainName.byteCountMax)
        guard start >= 0, start < end else { return nil }
        let head = message.extracting(first: end)
        var position = start
        var count = 0
        while UInt(bitPattern: position) < UInt(bitPattern: head.count) {
            let length = Int(head[position])
            if length == 0 {
                labelCount = count
                return keep(message, from: start, to: position)
            }
            guard length <= DomainName.labelByteCountMax else { return nil }
            position &+= length &+ 1
            count &+= 1
        }
        return nil
    }

    @inline(__always)
    private mutating func keep(_ message: Span<UInt8>, from start: Int, to root: Int) -> Int {
        self.start = start
        byteCount = root &- start &+ 1
        isLower = false
        var hash = NameHash.start
        message.forEachWord(from: start, byteCount: byteCount) { word in
            hash = NameHash.combine(hash, word)
        }
        self.hash = hash
        return root &+ 1
    }

    /// Puts it into lower case, if it is not yet. `message` is what it was read from.
    @inline(never)
    package mutating func lower(_ message: Span<UInt8>) {
        guard !isLower else { return }
        // Length bytes are below the letters, so the name may be mapped whole.
        canonical.copyLowercased(message, from: start, byteCount: byteCount)
        isLower = true
    }

    /// `read` and `lower` in one.
    package mutating func readLower(_ message: Span<UInt8>, at start: Int) -> Int? {
        guard let end = read(message, at: start) else { return nil }
        lower(message)
        return end
    }

    // MARK: - In the message it was read from

    /// Where the name one label shorter than the suffix at `offset` starts; that is not the root.
    package func parent(of offset: Int, readFrom message: Span<UInt8>) -> Int {
        offset &+ 1 &+ Int(message[start &+ offset])
    }

    /// Hash of the suffix at `offset`.
    package func hash(from offset: Int, readFrom message: Span<UInt8>) -> UInt64 {
        var hash = NameHash.start
        message.forEachWord(from: start &+ offset, byteCount: byteCount &- offset) { word in
            hash = NameHash.combine(hash, word)
        }
        return hash
    }

    /// Whether the suffix at `offset` is the name in lower case at `position` of `names`.
    @inline(__always)
    package func isSuffix(
        from offset: Int, equalTo names: TableView<UInt8>, at position: Int,
        readFrom message: Span<UInt8>
    ) -> Bool {
        names.equals(
            at: position, anyCaseOf: message, at: start &+ offset, byteCount: byteCount &- offset)
    }
}

/// The hash names are found by: over all bytes of a name, in words of eight, of which the last one
/// ends with the name (`Span.forEachWord`). Only tables made from zone files are keyed with it, so
/// nobody outside chooses what is stored.
package enum NameHash {
    package static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    /// A hash continued by eight more bytes. Both halves of the product make it, so that its low
    /// bits, which tables take, depend on every bit.
    ///
    /// Letters are taken for the same in both cases, and so are some other bytes that differ in the
    /// same bit: names that are the same have the same hash, and that costs one instruction.
    @inlinable package static func combine(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let folded = word | 0x2020_2020_2020_2020
        let product = (hash ^ folded).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }

    /// Hash of a name as it stands on the wire.
    package static func of(_ name: ArraySlice<UInt8>) -> UInt64 {
        var hash = start
        name.span.forEachWord(from: 0, byteCount: name.count) { hash = combine(hash, $0) }
        return hash
    }
}
