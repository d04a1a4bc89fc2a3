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
    /// Of the options from this one on, in help and manual; nil: it belongs to those before.
    package var heading: String?

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

    /// The same option, with which a group begins.
    package func under(_ heading: String) -> Option {
        var option = self
        option.heading = heading
        return option
    }
}

/// A program's command line: its options, and what it says about itself. Help, manual page and
/// shell completions are made of it.
package struct Program: Sendable {
    /// A first operand that says what to do.
    package struct Command: Sendable {
        /// With its own operands: `drain TARGET…`.
        package var usage: String
        package var help: String

        package init(_ usage: String, _ help: String) {
            self.usage = usage
            self.help = help
        }

        package var name: Substring { usage.prefix { $0 != " " } }
    }

    package var name: String
    /// Of the manual: 1 for anybody's programs, 8 for the administrator's (man(1)).
    package var section: Int
    package var summary: String
    /// What follows the name and `[options]` in the usage line.
    package var operands: String
    package var commands: [Command]
    package var options: [Option]
    /// Lines after the options in the help.
    package var notes: [String]

    package init(
        name: String, section: Int = 1, summary: String, operands: String = "",
        commands: [Command] = [], options: [Option], notes: [String] = []
    ) {
        self.name = name
        self.section = section
        self.summary = summary
        self.operands = operands
        self.commands = commands
        self.options = options
        self.notes = notes
    }

    /// Of all programs.
    package static let version = "0.1.0"
    /// Of the manual pages: when that version was made.
    static let date = "2026-11-21"

    /// Of every program.
    static let commonOptions = [
        Option("help", nil, "show this and end").under("the program itself"),
        Option("version", nil, "show the version and end"),
        Option("manual", nil, "write the manual page for man(1) and end"),
        Option(
            "completion", "bash|zsh|fish",
            "write what that shell wants to know to complete command "
                + "lines, and end"),
    ]

    var allOptions: [Option] { options + Program.commonOptions }

    package var usage: String {
        "usage: \(name) [options]\(operands.isEmpty ? "" : " " + operands)"
    }
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

    /// The value of `option` as a part of 1: `2%`, `0.5%` and `2` are percentages.
    package func portion(_ option: String) throws(UsageError) -> Double? {
        guard let text = last(option) else { return nil }
        let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
        guard let percent = Double(digits), (0...100).contains(percent) else {
            throw error(option, text, "expected a percentage like 2%, from 0 to 100")
        }
        return percent / 100
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
        /// `--help` and the like: print this and end with status 0.
        case print(String)
    }

    /// `--name value`, `--name=value`, operands; `--` ends the options.
    package func parse(_ words: some Sequence<String>) throws(UsageError) -> Request {
        var arguments = Arguments()
        var words = Array(words)[...]
        while let word = words.popFirst() {
            if word == "--help" || word == "-h" { return .print(help) }
            if word == "--version" { return .print("\(name) \(Program.version)\n") }
            if word == "--manual" { return .print(manualPage) }
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
        if let shell = arguments.last("completion") {
            guard let text = completion(for: shell) else {
                throw UsageError("--completion \(shell): expected bash, zsh or fish")
            }
            return .print(text)
        }
        return .run(arguments)
    }

    private func parse(
        option word: String, _ words: inout ArraySlice<String>, into arguments: inout Arguments
    ) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let option = allOptions.first(where: { "--" + $0.name == parts[0] }) else {
            throw complaint(aboutOption: String(parts[0]))
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
}

extension Arguments {
    fileprivate mutating func append(_ value: String, for option: String) {
        values[option, default: []].append(Value(text: value, location: nil))
    }

    fileprivate mutating func append(operand: String) { operands.append(operand) }
}
