import Tables

/// A name on its way through the lookup: lower case, with the hash of every suffix.
///
/// It lives in a worker's scratch memory and is overwritten by each query; nothing is allocated.
package struct QuestionName: ~Copyable {
    /// Labels and length bytes in lower case, the root's zero included.
    private var canonical = ScratchArray<UInt8>(capacity: 256, repeating: 0)
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

    /// A byte of the canonical form: wire format in lower case.
    package func byte(at index: Int) -> UInt8 { canonical[index] }

    /// Hash of the suffix that starts with label `label`; `labelCount` gives the root's.
    package func hash(from label: Int) -> UInt64 { hashes[label] }

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
            canonical[written] = UInt8(truncatingIfNeeded: length)
            if length == 0 { break }
            var index = 1
            while index <= length {
                canonical[written + index] = lowercased(message[position + index])
                index += 1
            }
            written += length + 1
            position += length + 1
            count += 1
        }
        labelCount = count
        byteCount = written + 1
        hashSuffixes()
        return position + 1
    }

    /// From the root outwards, so that the hash of a name continues that of its parent.
    private mutating func hashSuffixes() {
        var hash = NameHash.root
        hashes[labelCount] = hash
        var label = labelCount - 1
        while label >= 0 {
            let start = Int(offsets[label])
            let end = start + Int(canonical[start])
            var index = start
            while index <= end {
                hash = NameHash.combine(hash, canonical[index])
                index += 1
            }
            hashes[label] = NameHash.finish(hash)
            hash = hashes[label]
            label -= 1
        }
    }
}

/// The hash names are found by. Only tables made from zone files are keyed with it, so nobody
/// outside chooses what is stored.
package enum NameHash {
    package static let root: UInt64 = 0xcbf2_9ce4_8422_2325

    /// One byte of a label in lower case, its length byte first (FNV-1a's step).
    @inlinable package static func combine(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    /// After each label: spreads the bits, because tables take the low ones.
    @inlinable package static func finish(_ hash: UInt64) -> UInt64 {
        let mixed = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed >> 32
    }

    /// Hash of a name continued by one more label, as it stands on the wire, in lower case.
    package static func extend(_ hash: UInt64, by label: ArraySlice<UInt8>) -> UInt64 {
        finish(label.reduce(hash, combine))
    }
}
