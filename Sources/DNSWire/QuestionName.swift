package import Tables

/// A name on its way through the lookup: lower case, with the hash of every suffix.
///
/// It lives in a worker's scratch memory and is overwritten by each query; nothing is allocated.
package struct QuestionName: ~Copyable {
    /// Labels and length bytes in lower case, the root's zero included; what follows has no
    /// meaning. Eight bytes longer than a name, because it is read and written in words.
    private var canonical = ScratchArray<UInt8>(
        capacity: DomainName.byteCountMax + 9, repeating: 0)
    /// Where label `i` starts in `canonical`; `offsets[labelCount]` is the root's zero byte.
    private var offsets = ScratchArray<UInt8>(capacity: 129, repeating: 0)
    /// Hash of the name that starts with label `i`.
    private var hashes = ScratchArray<UInt64>(capacity: 129, repeating: 0)
    /// Labels without the root: 0…127.
    package private(set) var labelCount = 0
    /// 1…255
    package private(set) var byteCount = 0

    package init() {}

    /// Where label `label` starts in the canonical form.
    package func offset(of label: Int) -> Int { Int(offsets[label]) }

    /// Hash of the suffix that starts with label `label`; `labelCount` gives the root's.
    package func hash(from label: Int) -> UInt64 { hashes[label] }

    /// A byte of the canonical form.
    package func byte(at index: Int) -> UInt8 { canonical[index] }

    /// Whether the suffix that starts with label `label` is the lower-case name at `position` of
    /// `names`, which go on for at least eight bytes after it.
    package func isSuffix(
        from label: Int, equalTo names: TableView<UInt8>, at position: Int
    ) -> Bool {
        var here = offset(of: label)
        var there = position
        var left = byteCount &- here
        while left > 0 {
            let difference = names.word(at: there) ^ canonical.word(at: here)
            if difference & wordMask(left) != 0 { return false }
            here &+= 8
            there &+= 8
            left &-= 8
        }
        return true
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
    package mutating func read(_ message: Span<UInt8>, at start: Int) -> Int? {
        // Three short loops: one that does all three at once runs out of registers.
        var position = start
        var count = 0
        while true {
            guard position < message.count else { return nil }
            let length = Int(message[position])
            offsets[count] = UInt8(truncatingIfNeeded: position &- start)
            if length == 0 { break }
            position &+= length &+ 1
            guard length <= DomainName.labelByteCountMax,
                position &- start < DomainName.byteCountMax
            else { return nil }
            count &+= 1
        }
        labelCount = count
        byteCount = position &- start &+ 1
        copy(message, from: start)
        hashSuffixes()
        return position &+ 1
    }

    /// Length bytes are below the letters, so the name may be mapped whole; what is written past it
    /// has no meaning.
    @inline(__always)
    private mutating func copy(_ message: Span<UInt8>, from start: Int) {
        let byteCount = byteCount
        let available = message.count &- start
        var index = 0
        while index < byteCount, index &+ 8 <= available {
            canonical.setWord(lowercased(word: message.word(at: start &+ index)), at: index)
            index &+= 8
        }
        if index < byteCount {
            let rest = message.lastBytes(available &- index)
            canonical.setWord(lowercased(word: rest), at: index)
        }
    }

    /// From the root outwards, so that the hash of a name continues that of its parent.
    @inline(__always)
    private mutating func hashSuffixes() {
        var hash = NameHash.root
        var label = labelCount
        var end = Int(offsets[label])
        hashes[label] = hash
        while label > 0 {
            label &-= 1
            let start = Int(offsets[label])
            let count = end &- start
            let own =
                count <= 8
                ? NameHash.combine(0, canonical.word(at: start) & wordMask(count))
                : hashLongLabel(from: start, count: count)
            hash = NameHash.extend(hash, by: own)
            hashes[label] = hash
            end = start
        }
    }

    @inline(never)
    private func hashLongLabel(from start: Int, count: Int) -> UInt64 {
        var hash: UInt64 = 0
        var index = 0
        while index < count {
            let word = canonical.word(at: start &+ index)
            hash = NameHash.combine(hash, word & wordMask(count &- index))
            index &+= 8
        }
        return hash
    }
}

/// The hash names are found by. Only tables made from zone files are keyed with it, so nobody
/// outside chooses what is stored.
package enum NameHash {
    package static let root: UInt64 = 0xcbf2_9ce4_8422_2325

    /// A label's own hash, continued by eight of its bytes, its length byte first; bytes past the
    /// label are zero.
    @inlinable package static func combine(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
        return mixed ^ mixed &>> 29
    }

    /// Hash of a name continued by one more label, of which this is the own hash. Spreads the bits,
    /// because tables take the low ones.
    @inlinable package static func extend(_ hash: UInt64, by label: UInt64) -> UInt64 {
        let both = hash ^ label
        let mixed = (both ^ both &>> 32) &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed &>> 32
    }

    /// Hash of a name continued by one more label, as it stands on the wire, in lower case.
    package static func extend(_ hash: UInt64, by label: ArraySlice<UInt8>) -> UInt64 {
        var labelHash: UInt64 = 0
        var rest = label
        while !rest.isEmpty {
            let word = rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
            labelHash = combine(labelHash, word)
            rest = rest.dropFirst(8)
        }
        return extend(hash, by: labelHash)
    }
}
