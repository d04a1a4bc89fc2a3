/// A file in which another monitor keeps the state of a front door: one word of `up`, `degraded`,
/// `drain` and `down`, and perhaps a reason behind `#`.
package enum StateFile {
    /// Longest file that is read; a state is one word, so a longer one is another kind of file.
    package static var byteCountMax: Int { 4096 }

    /// The verdict on a file's bytes, so old.
    package static func judge(
        _ bytes: [UInt8], age: Duration, by check: CheckSpecification, after duration: Duration
    ) -> ProbeResult {
        func result(_ verdict: ProbeResult.Verdict, _ reason: String) -> ProbeResult {
            ProbeResult(verdict, in: .content, because: reason, after: duration)
        }
        if let ageMax = check.ageMax, age > ageMax {
            return result(
                .failed,
                "file is \(Duration.seconds(age.components.seconds).inWords) old, "
                    + "wanted at most \(ageMax.inWords)")
        }
        let line = bytes.drop(while: isBlank).prefix { $0 != 0x0a && $0 != 0x0d }
        let word = line.prefix { !isBlank($0) && $0 != UInt8(ascii: "#") }
        let comment = line.drop { $0 != UInt8(ascii: "#") }.dropFirst().drop(while: isBlank)
            .filter { (0x20...0x7e).contains($0) }
        let text = String(decoding: word, as: UTF8.self).lowercased()
        let reason =
            "file says \(text)"
            + (comment.isEmpty ? "" : ": " + String(decoding: comment.prefix(100), as: UTF8.self))
        switch text {
        case "up": return result(.passed, reason)
        case "degraded": return result(.degraded, reason)
        case "drain": return result(.drained, reason)
        case "down": return result(.failed, reason)
        default:
            return result(
                .failed, "file says \(quoted(word)), expected up, degraded, drain or down")
        }
    }
}
