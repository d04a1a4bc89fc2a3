package import Addressing
package import Diagnostics

/// One line of a geofeed: where the clients of a prefix are, as their operator knows.
package struct GeofeedEntry: Sendable {
    package var prefix: Prefix
    /// ISO 3166-1, upper case; nil: these clients shall not be placed.
    package var country: String?
    /// ISO 3166-2 with its country, upper case.
    package var subdivision: String?
    package var city: String?
    package var location: SourceLocation
}

/// Reads a geofeed (RFC 8805 §2.1): `prefix,country,region,city,postal code`, of which all but the
/// first may be empty or missing; `#` begins a comment; blank lines are passed over. The postal
/// code and whatever follows it say nothing about a place here, and are not looked at.
///
/// RFC 8805 §2.1 has consumers discard what they cannot read, and log it. Here a feed is the word
/// of whoever runs the server, and a mistake in it is theirs: nothing of it is taken, and what was
/// served stays.
package func parseGeofeed(
    _ bytes: [UInt8], file: String
) -> (entries: [GeofeedEntry], diagnostics: [Diagnostic]) {
    var reader = SteeringReader(file: file, origin: .root)
    var entries: [GeofeedEntry] = []
    var known: [Prefix: SourceLocation] = [:]
    forEachRow(of: bytes, &reader) { row, reader in
        let fields = row.map(unquoted)
        let country = fields.count > 1 ? reader.geofeedCountry(fields[1]) : .some(nil)
        let region = fields.count > 2 ? fields[2] : nil
        let prefix = reader.prefix(fields[0])
        guard let prefix, let country,
            let subdivision = reader.geofeedRegion(region, of: country)
        else { return }
        let location = reader.location(fields[0])
        if let first = known[prefix] {
            return reader.report(
                fields[0], "\(prefix) is in this feed already, at \(first); one of the two must go")
        }
        known[prefix] = location
        let city = fields.count > 3 ? fields[3].string : ""
        entries.append(
            GeofeedEntry(
                prefix: prefix, country: country, subdivision: subdivision,
                city: country == nil || city.isEmpty ? nil : city, location: location))
    }
    return (entries, reader.diagnostics)
}

/// Without the quotes that a field may stand in (RFC 4180 §2).
private func unquoted(_ field: Word) -> Word {
    let quote = UInt8(ascii: "\"")
    guard field.text.count >= 2, field.text.first == quote, field.text.last == quote else {
        return field
    }
    return Word(
        text: field.text.dropFirst().dropLast(), line: field.line, column: field.column + 1)
}

extension SteeringReader {
    /// The outer nil after a report; the inner one where the clients shall not be placed: there is
    /// no country, or it is ZZ, which stands for none.
    fileprivate mutating func geofeedCountry(_ word: Word) -> String?? {
        if word.isEmpty || word.string.uppercased() == "ZZ" { return .some(nil) }
        return country(word).map(Optional.some)
    }

    /// The same.
    fileprivate mutating func geofeedRegion(_ word: Word?, of country: String?) -> String?? {
        guard let word, !word.isEmpty else { return .some(nil) }
        let code = word.string.uppercased()
        guard Places.isSubdivision(code) else {
            report(
                word, "region is a code of ISO 3166-2, such as US-CA, found \(shown(word.text))")
            return nil
        }
        guard let country, code.hasPrefix(country + "-") else {
            report(
                word,
                "the region \(code) is not in the country \(country ?? "of this line, which is empty")"
            )
            return nil
        }
        return code
    }
}
