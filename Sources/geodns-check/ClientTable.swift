import Addressing
import Diagnostics

/// Reads tables of clients, a prefix first on each line: fields between commas or blanks, `#`
/// before a comment, and perhaps a title of words on the first line.
struct ClientTable {
    /// A line that begins with a prefix.
    struct Row {
        let prefix: Prefix
        /// Behind the prefix; `column` counts bytes from 1.
        let fields: [(text: String, column: Int)]
        /// Where the line ends.
        let endColumn: Int
    }

    /// What is wrong with a row, and at which column.
    struct Fault: Error {
        var column: Int
        var message: String
    }

    /// Calls `body` for each row. Every line at fault is in the result.
    static func read(
        _ bytes: [UInt8], file: String, title: [String], _ body: (Row) throws(Fault) -> Void
    ) -> [Diagnostic] {
        var problems: [Diagnostic] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.prefix { $0 != UInt8(ascii: "#") }
                .split { $0 == UInt8(ascii: ",") || $0 <= 0x20 }
                .map { word in
                    (
                        text: String(decoding: word, as: UTF8.self),
                        column: word.startIndex - line.startIndex + 1
                    )
                }
            guard let first = words.first else { continue }
            if index == 0, words.map(\.text) == title { continue }
            do throws(Fault) {
                guard let prefix = Prefix(first.text) else {
                    throw Fault(
                        column: first.column,
                        message: "\(CheckSettings.clientExpectation), found '\(first.text)'")
                }
                try body(
                    Row(
                        prefix: prefix, fields: Array(words.dropFirst()),
                        endColumn: line.count + 1))
            } catch {
                let location = SourceLocation(file: file, line: index + 1, column: error.column)
                problems.append(Diagnostic(.error, at: location, error.message))
            }
        }
        return problems
    }
}
