package import Configuration
import Diagnostics
import Glibc
import Health
import Synchronization

/// Events on standard error, one a line: text for people, JSON for machines.
package struct Log: Sendable {
    package enum Level: String, Sendable {
        case info, warning, error
    }

    private let format: ServerSettings.LogFormat
    private let missing = Missing()

    /// Lines left out since the last one that was written.
    private final class Missing: Sendable {
        let count = Atomic<Int>(0)
    }

    package init(_ format: ServerSettings.LogFormat) { self.format = format }

    /// `event` is one word that stays the same; `fields` are its facts, in the order shown.
    package func write(
        _ level: Level, _ event: String, _ message: String = "",
        _ fields: [(name: String, value: String)] = []
    ) {
        let lost = missing.count.exchange(0, ordering: .relaxed)
        if lost > 0 {
            emit(line(.warning, "log", "lines could not be written", [("lines", "\(lost)")]))
        }
        emit(line(level, event, message, fields))
    }

    private func line(
        _ level: Level, _ event: String, _ message: String,
        _ fields: [(name: String, value: String)]
    ) -> String {
        let time = WallClock.now().description
        switch format {
        case .text:
            var line = "\(time) \(level.rawValue) \(event)"
            if !message.isEmpty { line += ": \(message)" }
            for field in fields { line += " \(field.name)=\(Log.quoteIfNeeded(field.value))" }
            return line + "\n"
        case .json:
            let all =
                [("time", time), ("level", level.rawValue), ("event", event)]
                + (message.isEmpty ? [] : [("message", message)])
                + fields.map { ($0.name, $0.value) }
            return JSONText.object(all.map { ($0.0, JSONText.string($0.1)) }) + "\n"
        }
    }

    /// One write for each line, so that lines of several threads never mix. A reader that has
    /// stopped reading must not stop health checks: a line that would have to wait is left out, and
    /// the next one says how many were.
    private func emit(_ line: String) {
        var wait = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&wait, 1, 0) > 0 else {
            missing.count.wrappingAdd(1, ordering: .relaxed)
            return
        }
        var line = line
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

    package init(seconds: Int) { self.seconds = seconds }

    /// A moment of the monotonic clock, which reads `now` at this moment.
    init(of moment: MonotonicTime, now: MonotonicTime) {
        seconds = time(nil) + Int((moment - now).components.seconds)
    }

    /// `2026-11-20T08:15:00Z`
    package var description: String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (year, month, day) = WallClock.date(days: seconds / 86_400)
        let rest = seconds % 86_400
        return "\(year)-\(two(month))-\(two(day))"
            + "T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }

    /// The Gregorian date so many days after 1970-01-01. Years are counted from March, so that the
    /// leap day ends one; 719,468 days lie between 0000-03-01 and 1970-01-01.
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
