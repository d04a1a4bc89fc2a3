package import DNSWire
package import Diagnostics
package import Zones

/// Reads the rows of a `GEO fastest … rtt=FILE`: `prefix,target,milliseconds[,samples]`, blanks
/// around commas allowed; `#` begins a comment; blank lines are passed over. Relative targets are
/// completed by `origin`. Rows past the last good one of many problems are not looked at.
package func parseRoundTripFile(
    _ bytes: [UInt8], file: String, origin: DomainName
) -> (rows: [RoundTripTimes.Row], diagnostics: [Diagnostic]) {
    var reader = SteeringReader(file: file, origin: origin)
    var rows: [RoundTripTimes.Row] = []
    forEachRow(of: bytes, &reader) { fields, reader in
        let last = fields[fields.endIndex - 1]
        let end = Word(text: [], line: last.line, column: last.column + last.text.count)
        guard (3...4).contains(fields.count) else {
            return reader.report(
                fields.count < 3 ? end : fields[fields.startIndex + 4],
                "expected prefix,target,milliseconds and perhaps samples")
        }
        let (first, rest) = (fields[fields.startIndex], fields.dropFirst())
        let prefix = reader.prefix(first)
        let target = reader.reference(rest[rest.startIndex], "target")
        let time = reader.milliseconds(rest[rest.startIndex + 1])
        let samples =
            rest.count < 3
            ? 1 : reader.integer(rest[rest.startIndex + 2], 1...1_000_000_000, "samples")
        guard let prefix, let target, let time, let samples else { return }
        rows.append(
            RoundTripTimes.Row(
                prefix: prefix, target: target, milliseconds: time, samples: samples))
    }
    return (rows, reader.diagnostics)
}

extension SteeringReader {
    fileprivate mutating func milliseconds(_ word: Word) -> Double? {
        if let value = parseDecimal(word.text), value >= 0, value <= 100_000,
            word.text.first != UInt8(ascii: "-")
        {
            return value
        }
        report(
            word, "milliseconds is a decimal number from 0 to 100000, found \(shown(word.text))")
        return nil
    }
}
