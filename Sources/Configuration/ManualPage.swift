// The manual page of a program, in the man(7) macros of troff.

extension Program {
    var manualPage: String {
        var lines = [
            ".TH \(name.uppercased()) \(section) \(Program.date) \"geodns \(Program.version)\"",
            ".SH NAME", "\(name) \\- \(Troff.text(summaryWords))", ".SH SYNOPSIS",
            "\\fB\(Troff.literal(name))\\fR [\\fIoptions\\fR]"
                + (operands.isEmpty ? "" : " \\fI\(Troff.text(operands))\\fR"),
            ".SH DESCRIPTION", Troff.text(summary),
        ]
        for note in notes { lines += [".PP", Troff.text(note)] }
        if !commands.isEmpty {
            lines.append(".SH COMMANDS")
            for command in commands {
                lines += [
                    ".TP",
                    "\\fB\(Troff.literal(String(command.name)))\\fR"
                        + Troff.text(String(command.usage.dropFirst(command.name.count))),
                    Troff.text(command.help),
                ]
            }
        }
        lines.append(".SH OPTIONS")
        for option in allOptions {
            var head = "\\fB\(Troff.literal("--" + option.name))\\fR"
            if let placeholder = option.placeholder {
                head += " \\fI\(Troff.text(placeholder))\\fR"
            }
            if option.mayRepeat { head += " ..." }
            if let heading = option.heading {
                lines.append(".SS \(heading.prefix(1).uppercased() + heading.dropFirst())")
            }
            lines += [".TP", head, Troff.text(option.help)]
        }
        lines += [".SH SEE ALSO", seeAlso]
        return lines.joined(separator: "\n") + "\n"
    }

    /// One phrase without a full stop, as whatis(1) shows it.
    private var summaryWords: String {
        var words = summary
        if words.hasSuffix(".") { words.removeLast() }
        return words.prefix(1).lowercased() + words.dropFirst()
    }

    private static let pages = [
        ("geodns-check", 1), ("geodns-mmdb", 1), ("geodnsctl", 8), ("geodnsd", 8),
    ]

    private var seeAlso: String {
        Program.pages.filter { $0.0 != name }.map { "\\fB\(Troff.literal($0.0))\\fR(\($0.1))" }
            .joined(separator: ",\n")
    }
}

/// Text that troff shall print as it is.
private enum Troff {
    /// Prose: what stands in backticks is bold.
    static func text(_ text: String) -> String {
        var result = ""
        var isBold = false
        for character in text {
            switch character {
            case "`":
                result += isBold ? "\\fR" : "\\fB"
                isBold.toggle()
            case "\\": result += "\\e"
            case "…": result += "..."
            case "→": result += "\\(->"
            // In prose a hyphen is one; what looks like an option is to be copied.
            case "-" where result.isEmpty || result.last == " " || result.hasSuffix("\\-"):
                result += "\\-"
            default: result.append(character)
            }
        }
        if isBold { result += "\\fR" }
        // A line that begins like this would be a command.
        return result.hasPrefix(".") || result.hasPrefix("'") ? "\\&" + result : result
    }

    /// Something to be typed.
    static func literal(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    }
}
