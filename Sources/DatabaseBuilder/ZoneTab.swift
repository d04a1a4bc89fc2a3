import Diagnostics

/// The countries of tzdata's `zone.tab`, each with the position of one of its cities, and their
/// names from `iso3166.tab`.
package struct ZoneTab {
    package struct Country: Equatable {
        /// Decimal degrees, north and east positive, to four decimals (about 10 m).
        package var latitude: Double
        package var longitude: Double
        /// The zone the position was taken from, `Asia/Tokyo`.
        package var zone: String
    }

    /// By ISO 3166-1 code.
    package private(set) var countries: [String: Country] = [:]

    /// From `zone.tab`: tab-separated country, ISO 6709 position, zone, comment.
    package init(_ source: SourceText) throws(SourceError) {
        var preferred: Set<String> = []
        try source.forEachLine(separator: UInt8(ascii: "\t")) { line throws(SourceError) in
            guard line.fields.count >= 3 else {
                throw SourceError(
                    line.end, "expected a country, a position and a zone, separated by tabs")
            }
            let country = try line.fields[0].countryCode()
            let position = try ZoneTab.position(line.fields[1])
            let zone = line.fields[2].text
            let isPreferred = CountryTables.zones[country] == zone
            guard isPreferred || (countries[country] == nil && !preferred.contains(country))
            else { return }
            if isPreferred { preferred.insert(country) }
            countries[country] = Country(
                latitude: position.latitude, longitude: position.longitude, zone: zone)
        }
    }

    /// From `iso3166.tab`: tab-separated code and English name.
    package static func names(_ source: SourceText) throws(SourceError) -> [String: String] {
        var names: [String: String] = [:]
        try source.forEachLine(separator: UInt8(ascii: "\t")) { line throws(SourceError) in
            guard line.fields.count >= 2 else {
                throw SourceError(line.end, "expected a country and its name, separated by a tab")
            }
            names[try line.fields[0].countryCode()] = line.fields[1].text
        }
        return names
    }

    // MARK: - ISO 6709

    /// `±DDMM±DDDMM` or `±DDMMSS±DDDMMSS`.
    private static func position(
        _ field: SourceText.Field
    ) throws(SourceError) -> (latitude: Double, longitude: Double) {
        let bytes = field.bytes
        if let split = bytes.dropFirst().firstIndex(where: isSign),
            let latitude = degrees(bytes[..<split], degreeDigitCount: 2), abs(latitude) <= 90,
            let longitude = degrees(bytes[split...], degreeDigitCount: 3), abs(longitude) <= 180
        {
            return (latitude, longitude)
        }
        throw SourceError(
            field.location,
            "expected a position like +3539+13944 or +353916+1394441, found '\(field.text)'")
    }

    private static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
    }

    /// A sign, `degreeDigitCount` digits of degrees, two of minutes, none or two of seconds.
    private static func degrees(_ bytes: ArraySlice<UInt8>, degreeDigitCount: Int) -> Double? {
        let digits = bytes.dropFirst()
        guard let sign = bytes.first, isSign(sign),
            digits.count == degreeDigitCount + 2 || digits.count == degreeDigitCount + 4,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        let values = digits.map { Int($0) - 0x30 }
        func number(_ range: Range<Int>) -> Int { values[range].reduce(0) { $0 * 10 + $1 } }
        let whole = number(0..<degreeDigitCount)
        let minutes = number(degreeDigitCount..<degreeDigitCount + 2)
        let seconds =
            values.count > degreeDigitCount + 2 ? number(values.count - 2..<values.count) : 0
        guard minutes < 60, seconds < 60 else { return nil }
        let value = Double(whole) + Double(minutes * 60 + seconds) / 3600
        return (sign == UInt8(ascii: "-") ? -value : value).roundedToFourDecimals
    }
}

extension SourceText.Field {
    /// Two capital letters.
    func countryCode() throws(SourceError) -> String {
        guard bytes.count == 2, bytes.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            throw SourceError(
                location, "expected a country code of two capital letters, found '\(text)'")
        }
        return text
    }
}

extension Double {
    fileprivate var roundedToFourDecimals: Double { (self * 10_000).rounded() / 10_000 }
}
