import Addressing
import Diagnostics

/// A location database written by hand: lines
/// `prefix,continent,country,subdivision,city,latitude,longitude[,asn]`.
///
/// Empty fields are unknown; a subdivision is ISO 3166-2 (`US-CA`); a field may be quoted (RFC
/// 4180). A first line that starts with `prefix` is a heading.
package struct PrefixTable {
    package static let databaseType = "geodns-City"
    package private(set) var builder = DatabaseBuilder(version: .ipv6)
    package private(set) var rowCount = 0

    package init(_ source: SourceText) throws(SourceError) {
        try source.forEachLine(separator: UInt8(ascii: ",")) { line throws(SourceError) in
            let fields = line.fields
            if rowCount == 0, fields[0].bytes.elementsEqual("prefix".utf8) { return }
            guard (7...8).contains(fields.count) else {
                throw SourceError(
                    line.end,
                    "expected prefix,continent,country,subdivision,city,latitude,longitude[,asn], "
                        + "found \(fields.count) fields")
            }
            guard let prefix = Prefix(fields[0].text) else {
                throw SourceError(
                    fields[0].location,
                    "expected a prefix like 203.0.113.0/24 without bits past its length, "
                        + "found '\(fields[0].text)'")
            }
            builder.insert(prefix, try PrefixTable.record(fields).value)
            rowCount += 1
        }
    }

    private static func record(_ fields: [SourceText.Field]) throws(SourceError) -> LocationRecord {
        var record = LocationRecord()
        record.continent = try continent(fields[1])
        record.country = fields[2].bytes.isEmpty ? nil : try fields[2].countryCode()
        record.subdivision = try subdivision(fields[3], country: record.country)
        record.city = fields[4].bytes.isEmpty ? nil : fields[4].text
        record.latitude = try degrees(fields[5], limit: 90, name: "latitude")
        record.longitude = try degrees(fields[6], limit: 180, name: "longitude")
        guard (record.latitude == nil) == (record.longitude == nil) else {
            throw SourceError(
                fields[record.latitude == nil ? 5 : 6].location,
                "latitude and longitude stand together: give both or neither")
        }
        if fields.count == 8, !fields[7].bytes.isEmpty {
            guard let number = UInt32(fields[7].text), !fields[7].text.hasPrefix("+") else {
                throw SourceError(
                    fields[7].location,
                    "expected an autonomous system number, found '\(fields[7].text)'")
            }
            record.autonomousSystemNumber = number
        }
        return record
    }

    private static func continent(_ field: SourceText.Field) throws(SourceError) -> String? {
        guard !field.bytes.isEmpty else { return nil }
        guard ["AF", "AN", "AS", "EU", "NA", "OC", "SA"].contains(field.text) else {
            throw SourceError(
                field.location,
                "expected a continent (AF AN AS EU NA OC SA), found '\(field.text)'")
        }
        return field.text
    }

    /// The part after the country: the record keeps the two apart.
    private static func subdivision(
        _ field: SourceText.Field, country: String?
    ) throws(SourceError) -> String? {
        guard !field.bytes.isEmpty else { return nil }
        let parts = field.text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let country, parts[0] == country, (1...3).contains(parts[1].count)
        else {
            throw SourceError(
                field.location,
                "expected an ISO 3166-2 code of the row's country, like US-CA, "
                    + "found '\(field.text)'")
        }
        return String(parts[1])
    }

    private static func degrees(
        _ field: SourceText.Field, limit: Double, name: String
    ) throws(SourceError) -> Double? {
        guard !field.bytes.isEmpty else { return nil }
        guard let value = Double(field.text), abs(value) <= limit else {
            throw SourceError(
                field.location,
                "expected a \(name) from -\(Int(limit)) to \(Int(limit)), found '\(field.text)'")
        }
        return value
    }
}
