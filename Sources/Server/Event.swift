import Diagnostics
import Health

/// Something that happened, as the log tells it: one line. Those about health are also kept, and
/// told to others (`Journal`).
struct Event: Sendable {
    /// One probe that led to it.
    struct Proof: Sendable {
        var time: WallClock
        var result: ProbeResult
    }

    var time: WallClock
    var level: Log.Level
    /// One word that stays the same.
    var name: String
    var message: String
    /// Its facts, in the order shown.
    var fields: [(name: String, value: String)]
    /// The last ones, the latest last.
    var proofs: [Proof] = []
    /// Counted from 1 by the journal; nil outside of it.
    var number: UInt64?

    /// Without the newline.
    var text: String {
        var line = "\(time) \(level.rawValue) \(name)"
        if !message.isEmpty { line += ": \(message)" }
        for field in fields { line += " \(field.name)=\(Event.quoteIfNeeded(field.value))" }
        if !proofs.isEmpty {
            let words = proofs.map(\.words).joined(separator: "; ")
            line += " probes=\(JSONText.string(words))"
        }
        return line
    }

    /// Without the newline.
    var json: String {
        var members: [(String, String)] = []
        if let number { members.append(("number", "\(number)")) }
        let words =
            [("time", time.description), ("level", level.rawValue), ("event", name)]
            + (message.isEmpty ? [] : [("message", message)])
            + fields.map { ($0.name, $0.value) }
        members += words.map { ($0.0, JSONText.string($0.1)) }
        if !proofs.isEmpty { members.append(("probes", JSONText.array(proofs.map(\.json)))) }
        return JSONText.object(members)
    }

    private static func quoteIfNeeded(_ text: String) -> String {
        text.contains { $0 == " " || $0 == "\"" || $0 == "=" } || text.isEmpty
            ? JSONText.string(text) : text
    }
}

extension Event.Proof {
    /// `2026-11-21T18:00:01Z status 5 ms: status 500, expected 200-299 (12 bytes)`
    fileprivate var words: String {
        let clock = "\(time) \(result.phase) \(result.duration.inWords)"
        var details: [String] = []
        if let count = result.byteCount { details.append("\(count) bytes") }
        if let days = result.certificateDays { details.append("certificate \(days) days") }
        let rest = details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
        return "\(clock): \(result.reason)\(rest)"
    }

    /// What is not known is left out.
    fileprivate var json: String {
        var members = [
            ("time", JSONText.string("\(time)")),
            ("verdict", JSONText.string("\(result.verdict)")),
            ("phase", JSONText.string("\(result.phase)")),
            ("milliseconds", "\(result.duration.milliseconds)"),
            ("reason", JSONText.string(result.reason)),
        ]
        if let status = result.statusCode { members.append(("status", "\(status)")) }
        if let count = result.byteCount { members.append(("bytes", "\(count)")) }
        if let days = result.certificateDays { members.append(("certificateDays", "\(days)")) }
        return JSONText.object(members)
    }
}
