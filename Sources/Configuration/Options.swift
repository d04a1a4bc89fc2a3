import Diagnostics
import SystemCalls

/// One option of a program: the row that parsing, `--help` and the manual follow.
package struct Option: Sendable {
    package var name: String
    /// What stands for the value in the help; nil for a flag.
    package var placeholder: String?
    package var help: String
    package var mayRepeat: Bool
    /// Has no place in a settings file.
    package var isForCommandLineOnly: Bool

    package init(
        _ name: String, _ placeholder: String? = nil, mayRepeat: Bool = false,
        isForCommandLineOnly: Bool = false, _ help: String
    ) {
        self.name = name
        self.placeholder = placeholder
        self.mayRepeat = mayRepeat
        self.isForCommandLineOnly = isForCommandLineOnly
        self.help = help
    }
}

/// A program's command line: its options, and what it says about itself.
package struct Program: Sendable {
    package var name: String
    package var summary: String
    /// What follows the name and `[options]` in the usage line.
    package var operands: String
    package var options: [Option]
    /// Lines after the options in the help.
    package var notes: [String]

    package init(
        name: String, summary: String, operands: String = "", options: [Option],
        notes: [String] = []
    ) {
        self.name = name
        self.summary = summary
        self.operands = operands
        self.options = options
        self.notes = notes
    }

    /// Of all three programs.
    package static let version = "0.1.0"
}

/// What a program was told cannot be understood; it prints this and ends with `status`.
package struct UsageError: Error, Sendable, CustomStringConvertible {
    package var description: String
    /// 2 for the command line, 1 for a settings file.
    package var status: Int32

    package init(_ description: String, status: Int32 = 2) {
        self.description = description
        self.status = status
    }
}

/// A command line that has been understood, and the settings file it names.
package struct Arguments: Sendable {
    private struct Value: Sendable {
        var text: String
        /// Nil: from the command line.
        var location: SourceLocation?
    }

    private var values: [String: [Value]] = [:]
    package private(set) var operands: [String] = []

    package func has(_ option: String) -> Bool { values[option] != nil }
    /// The value given last.
    package func last(_ option: String) -> String? { values[option]?.last?.text }
    package func all(_ option: String) -> [String] { values[option]?.map(\.text) ?? [] }

    /// The error for a value of `option`, with its place: `--workers 0: expected …`, or
    /// `geodnsd.yaml:3:10: error: workers 0: expected …`.
    package func error(_ option: String, _ value: String, _ message: String) -> UsageError {
        let source = values[option]?.last { $0.text == value }
        // Nobody wants to read a value that is too long once more.
        let shown = (1...80).contains(value.utf8.count) ? "\(option) \(value)" : option
        guard let location = source?.location else {
            return UsageError("--\(shown): \(message)")
        }
        let problem = Diagnostic(.error, at: location, "\(shown): \(message)")
        return UsageError("\(problem)", status: 1)
    }

    /// Adds what the file says of options that the command line does not give. Every problem of
    /// its form is in the error, a line each.
    package mutating func read(
        settingsFile path: String, for options: [Option]
    ) throws(UsageError) {
        let file: SettingsFile
        do throws(Errno) {
            file = try SettingsFile(path, for: options)
        } catch {
            throw UsageError("cannot read \(path): \(error.words)", status: 1)
        }
        guard file.problems.isEmpty else {
            let lines = file.problems.sortedByLocation.map(\.description)
            throw UsageError(lines.joined(separator: "\n"), status: 1)
        }
        let given = Set(values.keys)
        for setting in file.settings where !given.contains(setting.option) {
            values[setting.option, default: []].append(
                Value(text: setting.value, location: setting.location))
        }
    }
}

extension Program {
    package enum Request: Sendable {
        case run(Arguments)
        /// `--help` or `--version`: print this and end with status 0.
        case print(String)
    }

    /// `--name value`, `--name=value`, operands; `--` ends the options.
    package func parse(_ words: some Sequence<String>) throws(UsageError) -> Request {
        var arguments = Arguments()
        var words = Array(words)[...]
        while let word = words.popFirst() {
            if word == "--help" || word == "-h" { return .print(help) }
            if word == "--version" { return .print("\(name) \(Program.version)\n") }
            if word == "--" {
                for rest in words { arguments.append(operand: rest) }
                break
            }
            guard word.hasPrefix("-"), word.count > 1 else {
                arguments.append(operand: word)
                continue
            }
            try parse(option: word, &words, into: &arguments)
        }
        return .run(arguments)
    }

    private func parse(
        option word: String, _ words: inout ArraySlice<String>, into arguments: inout Arguments
    ) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let option = options.first(where: { "--" + $0.name == parts[0] }) else {
            throw UsageError("unknown option \(parts[0]); `\(name) --help` lists them all")
        }
        var value = ""
        if let placeholder = option.placeholder {
            if parts.count == 2 {
                value = String(parts[1])
            } else if let next = words.popFirst() {
                value = next
            } else {
                throw UsageError("--\(option.name) needs a value: --\(option.name) \(placeholder)")
            }
        } else if parts.count == 2 {
            throw UsageError("--\(option.name) takes no value")
        }
        if !option.mayRepeat, arguments.has(option.name) {
            throw UsageError("--\(option.name) is given twice")
        }
        arguments.append(value, for: option.name)
    }

    package var help: String {
        var lines = [
            "usage: \(name) [options]\(operands.isEmpty ? "" : " " + operands)", "", summary, "",
            "options:",
        ]
        let rows =
            options + [
                Option("help", nil, "show this and end"),
                Option("version", nil, "show the version and end"),
            ]
        let heads = rows.map { option in
            "  --\(option.name)" + (option.placeholder.map { " " + $0 } ?? "")
                + (option.mayRepeat ? " …" : "")
        }
        let width = heads.map(\.count).max() ?? 0
        for (head, option) in zip(heads, rows) {
            lines.append(
                head + String(repeating: " ", count: width - head.count + 2) + option.help)
        }
        if !notes.isEmpty { lines += [""] + notes }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Arguments {
    fileprivate mutating func append(_ value: String, for option: String) {
        values[option, default: []].append(Value(text: value, location: nil))
    }

    fileprivate mutating func append(operand: String) { operands.append(operand) }
}
