// What shells want to know to complete a program's command lines.

extension Option {
    /// What its value may be, as far as its placeholder tells.
    fileprivate enum Value {
        case none
        case files
        case words([Substring])
        case anything
    }

    fileprivate var value: Value {
        guard let placeholder else { return .none }
        if ["FILE", "DIR", "PATH", "PROGRAM"].contains(where: { placeholder.contains($0) }) {
            return .files
        }
        let words = placeholder.split(separator: "|")
        let areWords = words.count > 1 && !placeholder.contains { $0.isUppercase }
        return areWords ? .words(words) : .anything
    }
}

extension Program {
    /// Nil for a shell that is none of these.
    func completion(for shell: String) -> String? {
        switch shell {
        case "bash": bashCompletion
        case "zsh": zshCompletion
        case "fish": fishCompletion
        default: nil
        }
    }

    /// For names of functions.
    private var identifier: String { "_" + name.replacing("-", with: "_") }

    // MARK: - bash

    private var bashCompletion: String {
        let words = allOptions.map { "--" + $0.name } + commands.map { String($0.name) }
        var lines = [
            "# bash completion for \(name); made by `\(name) --completion bash`",
            "\(identifier)() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
            "    if [[ $current == = ]]; then",
            "        current=",
            "    elif [[ $before == = ]]; then",
            "        before=${COMP_WORDS[COMP_CWORD-2]}",
            "    fi",
            "    COMPREPLY=()",
            "    case $before in",
        ]
        func pattern(_ isWanted: (Option) -> Bool) -> String {
            allOptions.filter(isWanted).map { "--" + $0.name }.joined(separator: " | ")
        }
        let files = pattern { if case .files = $0.value { true } else { false } }
        if !files.isEmpty {
            lines += [
                "    \(files))", "        compopt -o filenames 2> /dev/null",
                "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")", "        return ;;",
            ]
        }
        for option in allOptions {
            guard case .words(let values) = option.value else { continue }
            lines += [
                "    --\(option.name))",
                "        mapfile -t COMPREPLY < <(compgen -W '\(values.joined(separator: " "))' "
                    + "-- \"$current\")", "        return ;;",
            ]
        }
        let anything = pattern { if case .anything = $0.value { true } else { false } }
        if !anything.isEmpty { lines.append("    \(anything)) return ;;") }
        lines += [
            "    esac",
            "    mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- \"$current\")",
            "}", "complete -F \(identifier) \(name)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - zsh

    private var zshCompletion: String {
        var arguments = allOptions.map { option -> String in
            let repeats = option.mayRepeat ? "*" : ""
            let help = Program.zshText(option.help)
            let head = "'\(repeats)--\(option.name)"
            let placeholder = Program.zshText(option.placeholder ?? "")
            switch option.value {
            case .none: return head + "[\(help)]'"
            case .files: return head + "=[\(help)]:\(placeholder):_files'"
            case .words(let words):
                return head + "=[\(help)]:\(placeholder):(\(words.joined(separator: " ")))'"
            case .anything: return head + "=[\(help)]:\(placeholder): '"
            }
        }
        if !commands.isEmpty {
            let words = commands.map {
                "\($0.name)\\:\"\(Program.zshText($0.help).replacing("\"", with: ""))\""
            }
            arguments.append("'1:command:((\(words.joined(separator: " "))))'")
        }
        return "#compdef \(name)\n# Made by `\(name) --completion zsh`.\n_arguments -S \\\n    "
            + arguments.joined(separator: " \\\n    ") + "\n"
    }

    /// For text between single quotes in a specification of _arguments.
    private static func zshText(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "'": result += "'\\''"
            case "[", "]", ":", "\\": result += "\\" + String(character)
            case "`": break
            default: result.append(character)
            }
        }
        return result
    }

    // MARK: - fish

    private var fishCompletion: String {
        var lines = [
            "# fish completion for \(name); made by `\(name) --completion fish`",
            "complete -c \(name) -f",
        ]
        for option in allOptions {
            var line = "complete -c \(name) -l \(option.name)"
            switch option.value {
            case .none: break
            case .files: line += " -r -F"
            case .words(let words): line += " -x -a '\(words.joined(separator: " "))'"
            case .anything: line += " -x"
            }
            lines.append(line + " -d '\(Program.fishText(option.help))'")
        }
        for command in commands {
            lines.append(
                "complete -c \(name) -n __fish_use_subcommand -a \(command.name) "
                    + "-d '\(Program.fishText(command.help))'")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func fishText(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    }
}
