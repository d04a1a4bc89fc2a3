package import DNSWire
package import Diagnostics
package import Zones

/// Reads the lines of a `MAP file=`: `prefix,target[,target…]` or `prefix,nearest` or
/// `prefix,none`, blanks around commas allowed; `#` begins a comment; blank lines are passed over.
/// Relative targets are completed by `origin`. Each line becomes one `net` selector, at the place
/// of its prefix.
package func parseMapFile(
    _ bytes: [UInt8], file: String, origin: DomainName
) -> (lines: [(line: MapLine, location: SourceLocation)], diagnostics: [Diagnostic]) {
    var reader = SteeringReader(file: file, origin: origin)
    var lines: [(line: MapLine, location: SourceLocation)] = []
    forEachRow(of: bytes, &reader) { fields, reader in
        let first = fields[fields.startIndex]
        let last = fields[fields.endIndex - 1]
        let end = Word(
            text: [], line: last.line, column: last.column + last.text.count)
        let prefix = reader.prefix(first)
        let answer = reader.mapAnswer(fields.dropFirst(), end: end)
        guard let prefix, let answer else { return }
        lines.append((MapLine(.net(prefix), answer), reader.location(first)))
    }
    return (lines, reader.diagnostics)
}

/// Calls `body` with the comma-separated fields, one at least, of each line that says something.
func forEachRow(
    of bytes: [UInt8], _ reader: inout SteeringReader,
    _ body: (_ fields: ArraySlice<Word>, _ reader: inout SteeringReader) -> Void
) {
    let rows = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, row) in rows.enumerated() {
        if reader.diagnostics.count >= ZoneFileParser.problemCountMax { break }
        let word = Word(text: row, line: index + 1, column: 1)
        if index == 0, row.starts(with: [0xef, 0xbb, 0xbf]) {
            reader.report(word, "the file begins with a byte order mark; save it without one")
            continue
        }
        if let fields = mapFileFields(word) { body(fields, &reader) }
    }
}

/// The comma-separated fields without the blanks around them; nil for a line that says nothing.
private func mapFileFields(_ row: Word) -> ArraySlice<Word>? {
    var content = row
    if let comment = row.firstUnescaped(UInt8(ascii: "#")) { content = row.cut(at: comment).before }
    content = trimmed(content)
    return content.isEmpty ? nil : content.list.map(trimmed)[...]
}

private func trimmed(_ word: Word) -> Word {
    func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
    let text = word.text.drop(while: isBlank)
    var end = text.endIndex
    while end > text.startIndex, isBlank(text[end - 1]) { end -= 1 }
    return Word(
        text: text[..<end], line: word.line,
        column: word.column + text.startIndex - word.text.startIndex)
}
