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
        let start = offset(of: label)
        let count = byteCount - start
        var index = 0
        while index < count {
            let difference = names.word(at: position + index) ^ canonical.word(at: start + index)
            if difference & wordMask(count - index) != 0 { return false }
            index += 8
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
        var position = start
        var count = 0
        var written = 0
        while true {
            guard position < message.count else { return nil }
            let length = Int(message[position])
            guard length <= DomainName.labelByteCountMax,
                written + length + 1 <= DomainName.byteCountMax,
                position + length < message.count
            else { return nil }
            offsets[count] = UInt8(truncatingIfNeeded: written)
            if length == 0 { break }
            copy(message, position..<position + 1 + length, to: written)
            written += length + 1
            position += length + 1
            count += 1
        }
        canonical[written] = 0
        labelCount = count
        byteCount = written + 1
        hashSuffixes()
        return position + 1
    }

    /// Length bytes are below the letters, so whole labels may be mapped.
    private mutating func copy(_ message: Span<UInt8>, _ range: Range<Int>, to target: Int) {
        var source = range.lowerBound
        var target = target
        while source < range.upperBound {
            if source + 8 <= message.count {
                canonical.setWord(lowercased(word: message.word(at: source)), at: target)
                source += 8
                target += 8
            } else {
                canonical[target] = lowercased(message[source])
                source += 1
                target += 1
            }
        }
    }

    /// From the root outwards, so that the hash of a name continues that of its parent.
    private mutating func hashSuffixes() {
        var hash = NameHash.root
        hashes[labelCount] = hash
        var label = labelCount - 1
        while label >= 0 {
            let start = offset(of: label)
            let count = offset(of: label + 1) - start
            var index = 0
            while index < count {
                let word = canonical.word(at: start + index) & wordMask(count - index)
                hash = NameHash.combine(hash, word)
                index += 8
            }
            hash = NameHash.finish(hash)
            hashes[label] = hash
            label -= 1
        }
    }
}

/// The hash names are found by. Only tables made from zone files are keyed with it, so nobody
/// outside chooses what is stored.
package enum NameHash {
    package static let root: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Eight bytes of a label, its length byte first; bytes past the label are zero.
    @inlinable package static func combine(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
        return mixed ^ mixed >> 29
    }

    /// After each label: spreads the bits, because tables take the low ones.
    @inlinable package static func finish(_ hash: UInt64) -> UInt64 {
        let mixed = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed >> 32
    }

    /// Hash of a name continued by one more label, as it stands on the wire, in lower case.
    package static func extend(_ hash: UInt64, by label: ArraySlice<UInt8>) -> UInt64 {
        var hash = hash
        var rest = label
        while !rest.isEmpty {
            let word = rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
            hash = combine(hash, word)
            rest = rest.dropFirst(8)
        }
        return finish(hash)
    }
}
