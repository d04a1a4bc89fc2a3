/// A moment of the wall clock, as people read it; no decision that must be right rests on it.
package struct WallClock: Hashable, Sendable {
    /// Since 1970, leap seconds not counted.
    package var seconds: Int

    package init(seconds: Int) { self.seconds = seconds }

    /// What `description` gives; nil for anything else, a date that no calendar has included.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20, let year = WallClock.number(bytes[0..<4]),
            let month = WallClock.number(bytes[5..<7]), let day = WallClock.number(bytes[8..<10]),
            let hour = WallClock.number(bytes[11..<13]),
            let minute = WallClock.number(bytes[14..<16]),
            let second = WallClock.number(bytes[17..<19]),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let days = WallClock.days(year: year, month: month, day: day)
        seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        // Punctuation, 30 February and the hour 25 all fail here.
        guard description == text else { return nil }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Days since 1970-01-01 of a Gregorian date. Years are counted from March, so that the leap
    /// day ends one; 719,468 days lie between 0000-03-01 and 1970-01-01.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month < 3 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The inverse of `days`.
    private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension WallClock: CustomStringConvertible {
    /// `2026-11-20T08:15:00Z` (RFC 3339)
    package var description: String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (year, month, day) = WallClock.date(days: seconds / 86_400)
        let rest = seconds % 86_400
        let digits = String(String(10_000 + year).dropFirst())
        return "\(digits)-\(two(month))-\(two(day))"
            + "T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }
}
