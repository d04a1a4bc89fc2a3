import Foundation
import TestSupport

/// A command that a page shows, and what the page says that it prints.
struct Example: CustomStringConvertible {
    var page: String
    var line: Int
    /// As written, comment and all; lines that end in a backslash are one.
    var command: String
    /// Nil: the page shows none.
    var output: [String]?

    var description: String { "\(page):\(line): \(command)" }

    /// Whether it calls a program of ours, at the begin or behind a pipe.
    var isOurs: Bool {
        command.contains(#/(^|[|;&] *)(geodnsd|geodnsctl|geodns-check|geodns-mmdb)( |$)/#)
    }

    /// Of all pages, those for people who install this.
    static let pages: [String] = {
        let folder = Programs.packageFolder + "/docs"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return ["README.md", "CONTRIBUTING.md", "geo-data/README.md"]
            + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
    }()

    /// In a block in which lines begin with `$ `, these are commands, and what follows each is what
    /// it prints. In any other a line is a command when it calls a program of ours.
    static func all(of page: String) throws -> [Example] {
        let text = try String(contentsOfFile: Programs.packageFolder + "/" + page, encoding: .utf8)
        var examples: [Example] = []
        var block: [(line: Int, text: String)]?
        var indentation = 0
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            let content = line.drop { $0 == " " }
            if content.hasPrefix("```") {
                if let lines = block { examples += commands(lines, page) }
                block = block == nil ? [] : nil
                indentation = line.count - content.count
            } else {
                block?.append((index + 1, String(line.dropFirst(indentation))))
            }
        }
        return examples
    }

    private static func commands(_ lines: [(line: Int, text: String)], _ page: String) -> [Example]
    {
        let hasPrompts = lines.contains { $0.text.hasPrefix("$ ") }
        var examples: [Example] = []
        var isContinued = false
        for (line, text) in lines {
            let begins = !hasPrompts || text.hasPrefix("$ ")
            if isContinued {
                examples[examples.count - 1].command += "\n" + text
            } else if begins {
                let command = hasPrompts ? String(text.dropFirst(2)) : text
                examples.append(Example(page: page, line: line, command: command))
            } else if !examples.isEmpty {
                examples[examples.count - 1].output = (examples.last?.output ?? []) + [text]
            }
            isContinued = (isContinued || begins) && text.hasSuffix("\\")
        }
        return hasPrompts ? examples : examples.filter(\.isOurs)
    }

    /// What is wrong with what was printed; nil: nothing. In `output` `…` stands for anything on a
    /// line, alone on it for any number of lines; several blanks are two.
    func fault(of printed: String) -> String? {
        guard var output else { return nil }
        while output.last == "" { output.removeLast() }
        func plain(_ line: some StringProtocol) -> String {
            String(line).replacing(#/ {2,}/#, with: "  ").replacing(
                #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#, with: "TIME")
        }
        let pattern = output.map { line in
            line.trimmingCharacters(in: .whitespaces) == "…"
                ? "(.*\n)*?"
                : plain(line).components(separatedBy: "…")
                    .map { NSRegularExpression.escapedPattern(for: $0) }.joined(separator: ".*")
                    + "\n"
        }.joined()
        var lines = printed.components(separatedBy: "\n").map(plain)
        while lines.last == "" { lines.removeLast() }
        let whole = lines.map { $0 + "\n" }.joined()
        guard let expression = try? NSRegularExpression(pattern: "\\A\(pattern)\\z") else {
            return "\(self): cannot be compared"
        }
        let range = NSRange(whole.startIndex..., in: whole)
        guard expression.firstMatch(in: whole, range: range) == nil else { return nil }
        return "\(self)\nprints\n\(whole)and the page says\n\(output.joined(separator: "\n"))"
    }
}
