package import Diagnostics

/// Words of the files in which health and overrides are remembered: divided by blanks, `key=value`
/// or a value alone. A value that is empty or holds blanks, quotes or control characters stands in
/// double quotes, where `\"`, `\\` and `\DDD` are as in zone files (RFC 1035 §5.1).
package enum MemoryText {
    package struct Word: Equatable {
        /// Nil: a value alone.
        package var key: String?
        package var value: String
        /// Of its first byte; counted from 1.
        package var column: Int
    }

    /// The lines of a file after its first, which is `head`, and their numbers. Otherwise none, and
    /// the problem: `consequence` says what is not known then.
    package static func lines(
        of bytes: [UInt8], after head: String, file: String, otherwise consequence: String
    ) -> (lines: [(number: Int, bytes: ArraySlice<UInt8>)], problem: Diagnostic?) {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        guard let first = lines.first, String(decoding: first, as: UTF8.self) == head else {
            let problem = Diagnostic(
                .warning, at: SourceLocation(file: file, line: 1, column: 1),
                "expected `\(head)`: written by another program or version; \(consequence)")
            return ([], problem)
        }
        return (lines.enumerated().dropFirst().map { ($0 + 1, $1) }, nil)
    }

    /// What a line says; nil when a quote or an escape is not one, or a byte is no text.
    package static func words(_ line: ArraySlice<UInt8>) -> [Word]? {
        var words: [Word] = []
        var rest = line
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
            guard let first = rest.first else { return words }
            guard first > 0x20 else { return nil }
            let column = rest.startIndex - line.startIndex + 1
            var key: String?
            let head = rest.prefix { $0 != equals && $0 != quote && $0 > 0x20 }
            if !head.isEmpty, head.endIndex < rest.endIndex, rest[head.endIndex] == equals {
                key = String(decoding: head, as: UTF8.self)
                rest = rest[(head.endIndex + 1)...]
            }
            guard let value = value(&rest) else { return nil }
            words.append(Word(key: key, value: value, column: column))
        }
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard rest.first == quote else {
            let word = rest.prefix { $0 > 0x20 }
            rest = rest[word.endIndex...]
            return String(decoding: word, as: UTF8.self)
        }
        rest = rest.dropFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            guard byte == backslash else {
                bytes.append(byte)
                continue
            }
            guard let next = rest.popFirst() else { return nil }
            guard (0x30...0x39).contains(next) else {
                bytes.append(next)
                continue
            }
            guard let second = rest.popFirst(), let third = rest.popFirst(),
                let code = UInt8(String(decoding: [next, second, third], as: UTF8.self))
            else { return nil }
            bytes.append(code)
        }
        return nil
    }

    // MARK: - Writing

    /// As `words` reads it back.
    package static func word(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != quote && $0 != backslash }
        return isPlain ? text : "\"" + escaped(Array(text.utf8), keepingUTF8: true) + "\""
    }

    /// Bytes as text: whatever is no printable ASCII as `\DDD`.
    static func escaped(_ bytes: [UInt8], keepingUTF8: Bool = false) -> String {
        var result: [UInt8] = []
        for byte in bytes {
            if byte == quote || byte == backslash {
                result += [backslash, byte]
            } else if byte < 0x20 || byte == 0x7f || byte > 0x7f && !keepingUTF8 {
                result += [backslash, 0x30 + byte / 100, 0x30 + byte / 10 % 10, 0x30 + byte % 10]
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    package static func milliseconds(_ duration: Duration) -> String {
        "\(duration.milliseconds)ms"
    }

    /// Up to a year.
    package static func duration(_ text: String) -> Duration? {
        guard text.hasSuffix("ms"), let count = Int64(text.dropLast(2)),
            (1...31_536_000_000).contains(count)
        else { return nil }
        return .milliseconds(count)
    }

    private static let equals = UInt8(ascii: "=")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
}
