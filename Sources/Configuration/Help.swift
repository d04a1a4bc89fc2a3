// What `--help` shows, in lines that fit a terminal of 80 columns.

extension Program {
    private static let lineWidth = 80
    /// Where explanations begin; a longer head has a line of its own.
    private static let textColumn = 28

    package var help: String {
        var lines = [usage, "", summary, "", "options:"]
        for option in allOptions {
            if let heading = option.heading { lines += ["", "\(heading):"] }
            lines += Program.entry(
                "--\(option.name)" + (option.placeholder.map { " " + $0 } ?? "")
                    + (option.mayRepeat ? " …" : ""), option.help)
        }
        if !commands.isEmpty {
            lines += ["", "commands:"] + commands.flatMap { Program.entry($0.usage, $0.help) }
        }
        for note in notes { lines += [""] + Program.wrapped(note, to: Program.lineWidth) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func entry(_ head: String, _ text: String) -> [String] {
        let column = String(repeating: " ", count: textColumn)
        var lines = wrapped(text, to: lineWidth - textColumn).map { column + $0 }
        let start = "  " + head
        if start.count + 2 <= textColumn, let first = lines.first {
            lines[0] = start + first.dropFirst(start.count)
        } else {
            lines.insert(start, at: 0)
        }
        return lines
    }

    /// Words that are longer stand alone.
    private static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
