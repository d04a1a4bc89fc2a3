/// Seconds since 1970 of a moment as OpenSSL prints it, `Nov 21 14:38:50 2026 GMT`, perhaps with a
/// fraction of a second (ASN1_TIME_print(3)); nil for anything else.
func certificateTime(_ text: String) -> Int64? {
    let words = text.split(separator: " ")
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard words.count == 5, words[4] == "GMT",
        let month = months.firstIndex(where: { $0 == words[0] }),
        let day = Int64(words[1]), (1...31).contains(day),
        let year = Int64(words[3]), (1...9999).contains(year)
    else { return nil }
    let clock = words[2].prefix { $0 != "." }.split(separator: ":").compactMap { Int64($0) }
    guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]),
        (0...60).contains(clock[2])
    else { return nil }
    // Years begin in March here, so that the day that comes and goes is the last.
    let shifted = month < 2 ? year - 1 : year
    let monthFromMarch = (Int64(month) + 10) % 12
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let days =
        365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    return days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
}
