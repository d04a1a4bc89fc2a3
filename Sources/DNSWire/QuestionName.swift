package import Tables

/// A name on its way through the lookup, in lower case. Where one of its suffixes starts is told in
/// bytes from the front.
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
    /// Of the whole name.
    package private(set) var hash: UInt64 = 0

    package init() {}

    /// Where the name one label shorter than the suffix at `offset` starts; that is not the root.
    package func parent(of offset: Int) -> Int { offset &+ 1 &+ Int(canonical[offset]) }

    /// Hash of the suffix at `offset`.
    package func hash(from offset: Int) -> UInt64 {
        var hash = NameHash.start
        var index = offset
        while index < byteCount {
            hash = NameHash.combine(hash, canonical.word(at: index))
            index &+= 8
        }
        return hash
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
        var position = start
        var count = 0
        while true {
            guard position < end else { return nil }
            let length = Int(message[position])
            if length == 0 { break }
            guard length <= DomainName.labelByteCountMax else { return nil }
            position &+= length &+ 1
            count &+= 1
        }
        labelCount = count
        byteCount = position &- start &+ 1
        // Length bytes are below the letters, so the name may be mapped whole.
        var hash = NameHash.start
        canonical.copyLowercased(message, from: start, byteCount: byteCount) { word in
            hash = NameHash.combine(hash, word)
        }
        self.hash = hash
        return position &+ 1
    }
}

/// The hash names are found by: over all bytes of a name in lower case, eight at a time, the last
/// word filled up with zeros. Only tables made from zone files are keyed with it, so nobody
/// outside chooses what is stored.
package enum NameHash {
    package static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    /// A hash continued by eight more bytes. Both halves of the product make it, so that its low
    /// bits, which tables take, depend on every bit.
    @inlinable package static func combine(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }

    /// Hash of a name as it stands on the wire, in lower case.
    package static func of(_ name: ArraySlice<UInt8>) -> UInt64 {
        let bytes = name.span
        var hash = start
        var index = 0
        while index &+ 8 <= bytes.count {
            hash = combine(hash, bytes.word(at: index))
            index &+= 8
        }
        guard index < bytes.count else { return hash }
        return combine(hash, bytes.lastBytes(bytes.count &- index, before: bytes.count))
    }
}
