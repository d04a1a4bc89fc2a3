import Zones

// `REGION <latitude> <longitude> [key=value …]`
extension SteeringReader {
    /// Nil after a report. `end` is where a missing word is reported.
    mutating func region(_ words: ArraySlice<Word>, end: Word) -> RegionRecord? {
        let reportedBefore = diagnostics.count
        let point = words.prefix(2).prefix { $0.firstUnescaped(UInt8(ascii: "=")) == nil }
        let rest = words[point.endIndex...]
        if point.count < 2 {
            let missing = point.isEmpty ? "the latitude and the longitude" : "the longitude"
            report(rest.first ?? end, "REGION: expected \(missing) here, in degrees")
        }
        let latitude = point.first.flatMap { degrees($0, limit: 90, "latitude") }
        let longitude = point.dropFirst().first.flatMap { degrees($0, limit: 180, "longitude") }
        var record = RegionRecord(latitude: latitude ?? 0, longitude: longitude ?? 0)
        let keys: [(key: RegionKey, value: Word)] = keys(rest)
        for (key, value) in keys {
            switch key {
            case .check:
                record.checks = references(value, "check name")
            case .require:
                record.require = requirement(value) ?? .any
            case .capacity:
                // 0 could be taken for "unlimited" as well as for "nothing": it is refused.
                record.capacity = integer(value, 1...Int(UInt32.max), "capacity")
                    .map(UInt32.init)
            case .bias:
                record.bias = integer(value, -99...99, "bias") ?? 0
            }
        }
        return diagnostics.count == reportedBefore ? record : nil
    }

    private mutating func degrees(_ word: Word, limit: Double, _ what: String) -> Double? {
        guard let value = parseDecimal(word.text), abs(value) <= limit else {
            report(
                word,
                "the \(what) is a decimal number of degrees, -\(Int(limit))…\(Int(limit)), found "
                    + shown(word.text))
            return nil
        }
        return value
    }

    /// `any`, `all`, `N` or `P%`
    private mutating func requirement(_ word: Word) -> RegionRecord.Requirement? {
        if word.string == "any" { return .any }
        if word.string == "all" { return .all }
        let isPercent = word.text.last == UInt8(ascii: "%")
        let digits = isPercent ? word.text.dropLast() : word.text
        let number = parseNumber(digits, maximum: isPercent ? 100 : 65535)
        guard let number, number >= 1 else {
            report(
                word,
                "require is any, all, a number from 1, or 1%…100%, found \(shown(word.text))")
            return nil
        }
        return isPercent ? .percent(Int(number)) : .count(Int(number))
    }
}
