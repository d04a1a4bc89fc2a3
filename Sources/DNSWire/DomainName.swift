/// A domain name in wire format, uncompressed, case as written: what zone data and the control
/// plane use. Queries are looked up without ever becoming one (`QuestionName`).
///
/// Equality and hashing ignore ASCII case (RFC 4343).
package struct DomainName: Sendable {
    /// Length-prefixed labels and the root's zero byte; 1…255 bytes.
    package let wire: [UInt8]

    /// The wire form must be valid: it comes from `init(wire:)` or from a parser that checked it.
    private init(unchecked wire: [UInt8]) { self.wire = wire }

    package static let root = DomainName(unchecked: [0])

    /// Longest name on the wire (RFC 1035 §2.3.4).
    package static var byteCountMax: Int { 255 }
    /// Longest label (RFC 1035 §2.3.4).
    package static var labelByteCountMax: Int { 63 }

    /// Nil unless `wire` is exactly one uncompressed name.
    package init?(wire: [UInt8]) {
        var position = 0
        while true {
            guard position < wire.count, wire.count <= DomainName.byteCountMax else { return nil }
            let length = Int(wire[position])
            if length == 0 { break }
            guard length <= DomainName.labelByteCountMax else { return nil }
            position += 1 + length
        }
        guard position == wire.count - 1 else { return nil }
        self.init(unchecked: wire)
    }

    /// Labels first to last, without the root. Nil when a label or the whole is too long or empty.
    package init?(labels: [[UInt8]]) {
        var wire: [UInt8] = []
        for label in labels {
            guard (1...DomainName.labelByteCountMax).contains(label.count) else { return nil }
            wire.append(UInt8(label.count))
            wire += label
        }
        wire.append(0)
        guard wire.count <= DomainName.byteCountMax else { return nil }
        self.init(unchecked: wire)
    }

    /// First to last, without the root.
    package var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var position = 0
        while wire[position] != 0 {
            let end = position + 1 + Int(wire[position])
            labels.append(wire[(position + 1)..<end])
            position = end
        }
        return labels
    }

    package var isRoot: Bool { wire.count == 1 }

    /// The name without its first label; nil for the root.
    package var parent: DomainName? {
        isRoot ? nil : DomainName(unchecked: Array(wire[(1 + Int(wire[0]))...]))
    }

    /// `*.…` (RFC 4592 §2.1.1).
    package var isWildcard: Bool { wire.count > 2 && wire[0] == 1 && wire[1] == UInt8(ascii: "*") }

    /// Nil when the result would be too long.
    package func prepending(_ label: [UInt8]) -> DomainName? {
        guard (1...DomainName.labelByteCountMax).contains(label.count),
            wire.count + label.count + 1 <= DomainName.byteCountMax
        else { return nil }
        return DomainName(unchecked: [UInt8(label.count)] + label + wire)
    }

    /// `self` followed by `suffix`: a relative name completed by an origin. Nil when too long.
    package func appending(_ suffix: DomainName) -> DomainName? {
        let joined = wire.dropLast() + suffix.wire
        return joined.count <= DomainName.byteCountMax
            ? DomainName(unchecked: Array(joined)) : nil
    }

    /// True for the name itself and everything below it.
    package func isWithin(_ ancestor: DomainName) -> Bool {
        guard wire.count >= ancestor.wire.count else { return false }
        let start = wire.count - ancestor.wire.count
        var position = 0
        while position < start { position += 1 + Int(wire[position]) }
        return position == start
            && zip(wire[start...], ancestor.wire).allSatisfy { lowercased($0) == lowercased($1) }
    }

    /// ASCII letters in lower case: the form names are stored and compared in.
    package var canonical: DomainName { DomainName(unchecked: wire.map(lowercased)) }
}

/// ASCII only: names are bytes, other bytes stand for themselves (RFC 4343 §3). Length bytes are
/// below the letters, so whole wire forms may be mapped.
@inlinable package func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

extension DomainName: Hashable {
    package static func == (left: DomainName, right: DomainName) -> Bool {
        guard left.wire.count == right.wire.count else { return false }
        for index in left.wire.indices
        where lowercased(left.wire[index]) != lowercased(right.wire[index]) {
            return false
        }
        return true
    }

    /// Eight bytes at a time: names are looked up by the million when zones are loaded.
    package func hash(into hasher: inout Hasher) {
        var word: UInt64 = 0
        var byteCount = 0
        for byte in wire {
            word = word << 8 | UInt64(lowercased(byte))
            byteCount &+= 1
            guard byteCount & 7 == 0 else { continue }
            hasher.combine(word)
            word = 0
        }
        hasher.combine(word)
    }
}

extension DomainName: CustomStringConvertible {
    /// Presentation format with the final dot; `\.` and `\DDD` as RFC 1035 §5.1 has them.
    package var description: String {
        if isRoot { return "." }
        var text: [UInt8] = []
        for label in labels {
            for byte in label { presentLabelByte(byte, into: &text) }
            text.append(UInt8(ascii: "."))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// From presentation format; a missing final dot is taken as there. Nil when it is not a name.
    package init?(_ text: String) {
        if text == "." {
            self = .root
            return
        }
        var labels: [[UInt8]] = []
        var label: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        var endsInDot = false
        while let byte = bytes.popFirst() {
            endsInDot = false
            switch byte {
            case UInt8(ascii: "."):
                labels.append(label)
                label = []
                endsInDot = true
            case UInt8(ascii: "\\"):
                guard let escaped = unescape(&bytes) else { return nil }
                label.append(escaped)
            default:
                label.append(byte)
            }
        }
        if !endsInDot { labels.append(label) }
        self.init(labels: labels)
    }
}

/// The byte that follows a backslash, `\X` or `\DDD`; nil when it is neither (RFC 1035 §5.1).
package func unescape(_ text: inout ArraySlice<UInt8>) -> UInt8? {
    guard let first = text.popFirst() else { return nil }
    guard (0x30...0x39).contains(first) else { return first }
    guard let second = text.popFirst(), let third = text.popFirst(),
        (0x30...0x39).contains(second), (0x30...0x39).contains(third)
    else { return nil }
    let value = Int(first - 0x30) * 100 + Int(second - 0x30) * 10 + Int(third - 0x30)
    return UInt8(exactly: value)
}

/// One byte of a label in presentation format.
package func presentLabelByte(_ byte: UInt8, into text: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: ";"),
        UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "@"), UInt8(ascii: "$"):
        text += [UInt8(ascii: "\\"), byte]
    case 0x21...0x7e:
        text.append(byte)
    default:
        text.append(UInt8(ascii: "\\"))
        for digit in [byte / 100, byte / 10 % 10, byte % 10] { text.append(0x30 + digit) }
    }
}
