import Addressing
import DNSWire
import Diagnostics
import Zones

/// A piece of text and where it stands: a word of a steering record, or a part of one.
struct Word {
    var text: ArraySlice<UInt8>
    var line: Int
    /// Of the first byte of `text`.
    var column: Int

    var string: String { String(decoding: text, as: UTF8.self) }
    var isEmpty: Bool { text.isEmpty }

    /// The index of the first such byte that has no backslash before it.
    func firstUnescaped(_ byte: UInt8) -> Int? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "\\") {
                index += 2
                continue
            }
            if text[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// What stands before and after an index of the text, the byte there left out.
    func cut(at index: Int) -> (before: Word, after: Word) {
        (
            Word(text: text[..<index], line: line, column: column),
            Word(
                text: text[(index + 1)...], line: line,
                column: column + index + 1 - text.startIndex)
        )
    }

    /// The parts between commas.
    var list: [Word] {
        var parts: [Word] = []
        var rest = self
        while let comma = rest.firstUnescaped(UInt8(ascii: ",")) {
            let (part, after) = rest.cut(at: comma)
            parts.append(part)
            rest = after
        }
        return parts + [rest]
    }
}

/// Words, and what relative names among them were completed by.
struct WrittenWords {
    private let texts: [ArraySlice<UInt8>]
    private let origin: DomainName

    init(_ words: ArraySlice<Word>, origin: DomainName) {
        texts = words.map(\.text)
        self.origin = origin
    }

    func isWritten(as words: ArraySlice<Word>, origin: DomainName) -> Bool {
        texts.count == words.count && self.origin.wire == origin.wire
            && zip(texts, words).allSatisfy { $0 == $1.text }
    }
}

/// Reads the words behind the type of a steering record, and the lines of a MAP file. It collects
/// problems and goes on, so that several wrong keys of one record are reported at once.
struct SteeringReader {
    let file: String
    /// What relative names are completed by.
    let origin: DomainName
    private(set) var diagnostics: [Diagnostic] = []
    /// Of the record before, or of this one.
    var lastTargets: WrittenTargets?

    init(file: String, origin: DomainName) {
        self.file = file
        self.origin = origin
    }

    func location(_ word: Word) -> SourceLocation {
        SourceLocation(file: file, line: word.line, column: word.column)
    }

    mutating func report(_ word: Word, _ message: String) {
        diagnostics.append(Diagnostic(.error, at: location(word), message))
    }
}

// MARK: - Keys

extension SteeringReader {
    /// The `key=value` words, each key once. Unknown and repeated keys are reported and left out.
    mutating func keys<Key: SteeringKey>(_ words: ArraySlice<Word>) -> [(key: Key, value: Word)] {
        var result: [(key: Key, value: Word)] = []
        let type = Key.vocabulary.recordType
        for word in words {
            guard let equals = word.firstUnescaped(UInt8(ascii: "=")) else {
                report(word, "unexpected \(shown(word.text)); only key=value may follow here")
                continue
            }
            let (name, value) = word.cut(at: equals)
            guard let key = Key(rawValue: name.string) else {
                report(word, Key.vocabulary.complaint(about: name.string))
                continue
            }
            if result.contains(where: { $0.key == key }) {
                report(word, "\(type) has \(key.rawValue)= twice")
            } else if value.isEmpty {
                report(value, "\(key.rawValue)= needs a value")
            } else {
                result.append((key, value))
            }
        }
        return result
    }

    /// A whole number with an optional sign. Nil after a report.
    mutating func integer(_ word: Word, _ range: ClosedRange<Int>, _ what: String) -> Int? {
        let isNegative = word.text.first == UInt8(ascii: "-")
        let isSigned = isNegative || word.text.first == UInt8(ascii: "+")
        let magnitude = parseNumber(isSigned ? word.text.dropFirst() : word.text, maximum: 1 << 40)
        if let magnitude {
            let value = isNegative ? -Int(magnitude) : Int(magnitude)
            // A plus or minus in front of a port or a count is a slip of the hand.
            if range.contains(value), !isSigned || range.lowerBound < 0 { return value }
        }
        report(
            word,
            "\(what) is a number \(range.lowerBound)…\(range.upperBound), found \(shown(word.text))"
        )
        return nil
    }
}

// MARK: - Names

extension SteeringReader {
    mutating func name(_ word: Word, _ what: String) -> DomainName? {
        var wire: [UInt8] = []
        if word.isEmpty {
            report(word, "the \(what) is missing")
        } else if let fault = appendName(word.text.span, origin: origin, to: &wire) {
            report(word, "\(what) \(shown(word.text)): \(fault.message)")
        } else if let name = DomainName(wire: wire) {
            return name
        }
        return nil
    }

    mutating func reference(_ word: Word, _ what: String) -> NameReference? {
        name(word, what).map { NameReference($0, at: location(word)) }
    }

    /// `NAME[,NAME…]`, each once.
    mutating func references(_ word: Word, _ what: String) -> [NameReference] {
        var result: [NameReference] = []
        for part in word.list {
            guard let reference = reference(part, what) else { continue }
            if result.contains(where: { $0.name == reference.name }) {
                report(part, "\(shown(part.text)) is written twice")
            } else {
                result.append(reference)
            }
        }
        return result
    }

    /// `fra` or `blue:90`. An absolute name keeps its dot before the colon:
    /// `edge.vendor-a.example.net.:70`. A colon that belongs to a name is written `\:`.
    mutating func target(_ word: Word) -> TargetReference? {
        guard let colon = word.firstUnescaped(UInt8(ascii: ":")) else {
            return name(word, "target").map { TargetReference($0, at: location(word)) }
        }
        let (nameWord, weightWord) = word.cut(at: colon)
        let name = name(nameWord, "target")
        let weight = integer(weightWord, 0...Int(UInt32.max), "a weight")
        guard let name, let weight else { return nil }
        return TargetReference(name, weight: UInt32(weight), at: location(word))
    }

    /// Targets, and how they were written.
    struct WrittenTargets {
        var words: WrittenWords
        var targets: [TargetReference]
    }

    /// Each once. Most records of a zone name the same targets as the one before: then they share
    /// the names.
    mutating func targets(_ words: ArraySlice<Word>) -> [TargetReference] {
        if let last = lastTargets, last.words.isWritten(as: words, origin: origin) {
            return zip(last.targets, words).map { target, word in
                TargetReference(target.name, weight: target.weight, at: location(word))
            }
        }
        let result = targetsAnew(words)
        // Others have a problem, which is to be told each time.
        if result.count == words.count {
            lastTargets = WrittenTargets(
                words: WrittenWords(words, origin: origin), targets: result)
        }
        return result
    }

    private mutating func targetsAnew(_ words: ArraySlice<Word>) -> [TargetReference] {
        var result: [TargetReference] = []
        var seen: Set<DomainName> = []
        for word in words {
            guard let target = target(word) else { continue }
            if seen.insert(target.name).inserted {
                result.append(target)
            } else {
                report(word, "the target \(target.name) is written twice")
            }
        }
        return result
    }
}
