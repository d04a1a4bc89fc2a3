import Configuration
import Glibc
import Health

/// Colours for people at a terminal (ECMA-48, SGR); none where the text goes elsewhere, and none
/// for who has set NO_COLOR (no-color.org).
struct Paint {
    var isOn: Bool

    static let output = Paint(
        isOn: isatty(1) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb")

    func bold(_ text: String) -> String { paint("1", text) }
    func good(_ text: String) -> String { paint("32", text) }
    func bad(_ text: String) -> String { paint("31", text) }
    func warning(_ text: String) -> String { paint("33", text) }

    func state(_ state: HealthState) -> String {
        switch state {
        case .up, .unknown: good("\(state)")
        case .degraded, .drain: warning("\(state)")
        case .down: bad("\(state)")
        }
    }

    private func paint(_ code: String, _ text: String) -> String {
        isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
