package import Configuration
package import Diagnostics
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
        write(Event(time: .now(), level: level, name: event, message: message, fields: fields))
    }

    func write(_ event: Event) {
        let lost = missing.count.exchange(0, ordering: .relaxed)
        if lost > 0 {
            let gap = Event(
                time: .now(), level: .warning, name: "log", message: "lines could not be written",
                fields: [("lines", "\(lost)")])
            emit(line(gap))
        }
        emit(line(event))
    }

    private func line(_ event: Event) -> String {
        switch format {
        case .text: event.text + "\n"
        case .json: event.json + "\n"
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
}

extension WallClock {
    package static func now() -> WallClock { WallClock(seconds: time(nil)) }

    /// A moment of the monotonic clock, which reads `now` at this moment.
    init(of moment: MonotonicTime, now: MonotonicTime) {
        self.init(seconds: time(nil) + Int((moment - now).components.seconds))
    }
}
