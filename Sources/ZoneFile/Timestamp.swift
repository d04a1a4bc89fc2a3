/// A point in time as RRSIG writes it (RFC 4034 §3.2): seconds since 1970 in 32 bits.
///
/// The number is really a serial number (RFC 1982) around now; as this needs a clock, it is taken
/// as it stands, which holds until 2106.
enum Timestamp {
    /// `YYYYMMDDHHmmSS`, or up to ten digits that are the number itself; nil for anything else.
    static func parse(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard text.count == 14 else {
            return text.count <= 10
                ? parseNumber(text, maximum: 0xffff_ffff).map(UInt32.init) : nil
        }
        guard text.allSatisfy(isDigit) else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int {
            text.dropFirst(offset).prefix(count).reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        let (year, month, day) = (number(0, 4), number(4, 2), number(6, 2))
        let (hour, minute, second) = (number(8, 2), number(10, 2), number(12, 2))
        guard (1970...2106).contains(year), (1...12).contains(month),
            (1...dayCount(year, month)).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        let days = daysBefore(year, month) + day - 1
        return UInt32(exactly: ((days * 24 + hour) * 60 + minute) * 60 + second)
    }

    static func text(_ seconds: UInt32) -> [UInt8] {
        var days = Int(seconds) / 86400
        var year = 1970
        while days >= daysBefore(year + 1, 1) - daysBefore(year, 1) {
            days -= daysBefore(year + 1, 1) - daysBefore(year, 1)
            year += 1
        }
        var month = 1
        while days >= dayCount(year, month) {
            days -= dayCount(year, month)
            month += 1
        }
        let time = Int(seconds) % 86400
        return padded(year, 4) + padded(month, 2) + padded(days + 1, 2)
            + padded(time / 3600, 2) + padded(time / 60 % 60, 2) + padded(time % 60, 2)
    }

    private static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
    }

    private static func dayCount(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970 to the first of the month.
    private static func daysBefore(_ year: Int, _ month: Int) -> Int {
        let years = (1970..<year).reduce(0) { $0 + (isLeap($1) ? 366 : 365) }
        return (1..<month).reduce(years) { $0 + dayCount(year, $1) }
    }

    private static func padded(_ number: Int, _ count: Int) -> [UInt8] {
        let digits = Array(String(number).utf8)
        return Array(repeating: 0x30, count: max(0, count - digits.count)) + digits
    }
}
