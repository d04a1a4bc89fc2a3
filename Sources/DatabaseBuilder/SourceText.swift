package import Diagnostics

/// What is wrong in an input file, and where.
package struct SourceError: Error, CustomStringConvertible {
    package let diagnostic: Diagnostic

    init(_ location: SourceLocation, _ message: String) {
        diagnostic = Diagnostic(.error, at: location, message)
    }

    /// `file:line:column: error: message`
    package var description: String { diagnostic.description }
}

/// A text file in lines of separated fields. Blank lines and lines that start with `#` are
/// comments; a line may end in CR LF.
package struct SourceText {
    /// As the operator named it: for messages only.
    package let file: String
    package let bytes: [UInt8]

    package init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    /// One field of a line and where it starts.
    struct Field {
        let bytes: ArraySlice<UInt8>
        let location: SourceLocation

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    struct Line {
        let fields: [Field]
        /// Just past the last field: where a missing one was expected.
        let end: SourceLocation
    }

    /// Calls `body` for every line that is not a comment.
    func forEachLine(
        separator: UInt8, _ body: (Line) throws(SourceError) -> Void
    ) throws(SourceError) {
        var number = 0
        var start = bytes.startIndex
        while start < bytes.endIndex {
            number += 1
            let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            var end = newline
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if start < end, bytes[start] != UInt8(ascii: "#") {
                try body(try line(start..<end, number: number, separator: separator))
            }
            start = newline + 1
        }
    }

    private func line(
        _ range: Range<Int>, number: Int, separator: UInt8
    ) throws(SourceError) -> Line {
        func location(_ index: Int) -> SourceLocation {
            SourceLocation(file: file, line: number, column: index - range.lowerBound + 1)
        }
        var fields: [Field] = []
        var start = range.lowerBound
        while true {
            let place = location(start)
            var content = bytes[start..<start]
            var end = start
            if start < range.upperBound, bytes[start] == UInt8(ascii: "\"") {
                guard let quoted = quotedField(start..<range.upperBound) else {
                    throw SourceError(place, "this field's quotation mark is never closed")
                }
                (content, end) = quoted
                guard end == range.upperBound || bytes[end] == separator else {
                    throw SourceError(
                        location(end), "expected the end of the field after its closing quote")
                }
            } else {
                end = bytes[start..<range.upperBound].firstIndex(of: separator) ?? range.upperBound
                content = bytes[start..<end]
            }
            fields.append(Field(bytes: content, location: place))
            guard end < range.upperBound else { break }
            start = end + 1
        }
        return Line(fields: fields, end: location(range.upperBound))
    }

    /// The content of a quoted field, `""` standing for one quotation mark (RFC 4180 §2), and the
    /// index after the closing quote. Nil when there is none.
    private func quotedField(_ range: Range<Int>) -> (ArraySlice<UInt8>, Int)? {
        let quote = UInt8(ascii: "\"")
        var content: [UInt8] = []
        var index = range.lowerBound + 1
        while index < range.upperBound {
            if bytes[index] == quote {
                guard index + 1 < range.upperBound, bytes[index + 1] == quote else {
                    return (content[...], index + 1)
                }
                index += 1
            }
            content.append(bytes[index])
            index += 1
        }
        return nil
    }
}
