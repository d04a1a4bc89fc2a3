package import Configuration
import Diagnostics
import Glibc

/// Events on standard error, one a line: text for people, JSON for machines.
package struct Log: Sendable {
    package enum Level: String, Sendable {
        case info, warning, error
    }

    private let format: ServerSettings.LogFormat

    package init(_ format: ServerSettings.LogFormat) { self.format = format }

    /// `event` is one word that stays the same; `fields` are its facts, in the order shown.
    package func write(
        _ level: Level, _ event: String, _ message: String = "",
        _ fields: [(name: String, value: String)] = []
    ) {
        let time = WallClock.now().description
        var line: String
        switch format {
        case .text:
            line = "\(time) \(level.rawValue) \(event)"
            if !message.isEmpty { line += ": \(message)" }
            for field in fields { line += " \(field.name)=\(Log.quoteIfNeeded(field.value))" }
        case .json:
            let all =
                [("time", time), ("level", level.rawValue), ("event", event)]
                + (message.isEmpty ? [] : [("message", message)])
                + fields.map { ($0.name, $0.value) }
            line = JSONText.object(all.map { ($0.0, JSONText.string($0.1)) })
        }
        line += "\n"
        // One write for each line, so that lines of several threads never mix.
        line.withUTF8 { bytes in _ = unsafe Glibc.write(2, bytes.baseAddress, bytes.count) }
    }

    private static func quoteIfNeeded(_ text: String) -> String {
        text.contains { $0 == " " || $0 == "\"" || $0 == "=" } || text.isEmpty
            ? JSONText.string(text) : text
    }
}

/// A moment of the wall clock; only for people to read.
package struct WallClock: Sendable, CustomStringConvertible {
    package var seconds: Int

    package static func now() -> WallClock { WallClock(seconds: time(nil)) }

    /// `2026-11-20T08:15:00Z`
    package var description: String {
        var seconds = self.seconds
        var parts = tm()
        unsafe gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
