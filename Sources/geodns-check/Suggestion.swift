import Diagnostics

/// What to tell somebody who named something that is not there.
enum Suggestion {
    /// A list of hundreds helps nobody.
    private static let shownCountMax = 12

    /// `did you mean fra?`, or `there are fra iad nrt`
    static func words(for typed: String, among known: [String]) -> String {
        if let near = Spelling.nearest(to: typed, among: known) { return "did you mean \(near)?" }
        guard !known.isEmpty else { return "there is none" }
        let shown = known.prefix(shownCountMax).joined(separator: " ")
        let more = known.count - shownCountMax
        return "there are \(shown)" + (more > 0 ? " and \(more) more" : "")
    }
}
