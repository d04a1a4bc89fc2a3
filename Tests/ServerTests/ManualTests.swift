import Foundation
import TestSupport
import Testing

/// Manual pages and shell completions: made of the table of options, for every program.
@Suite struct Manuals {
    private static let programs = ["geodnsd", "geodnsctl", "geodns-check", "geodns-mmdb"]

    private func write(_ program: String, _ words: String..., to name: String) throws -> (
        folder: TemporaryFolder, file: String, text: String
    ) {
        let (status, text) = try RunningProcess.run(Programs.own(program), words)
        #expect(status == 0)
        let folder = try TemporaryFolder()
        return (folder, try folder.write(text, to: name), text)
    }

    /// What its manual page is called.
    private func page(_ program: String) -> String {
        program + (["geodnsd", "geodnsctl"].contains(program) ? ".8" : ".1")
    }

    /// Names of the options that the help shows.
    private func options(_ program: String) throws -> [String] {
        let help = try RunningProcess.run(Programs.own(program), ["--help"]).text
        return help.matches(of: /(?m)^ +--([a-z0-9-]+)/).map { String($0.1) }
    }

    @Test(arguments: programs) func theManualTellsOfEveryOption(_ program: String) throws {
        let (_, _, text) = try write(program, "--manual", to: "page")
        #expect(text.hasPrefix(".TH \(program.uppercased()) "))
        let all = try options(program)
        #expect(all.count > 4)
        for option in all {
            let escaped = option.replacing("-", with: "\\-")
            #expect(text.contains("\n.TP\n\\fB\\-\\-\(escaped)\\fR"), "--\(option)")
        }
    }

    @Test(.enabled(if: Programs.find("mandoc") != nil, "install mandoc"), arguments: programs)
    func mandocFindsNothingWrong(_ program: String) throws {
        let (folder, file, _) = try write(program, "--manual", to: page(program))
        let mandoc = try #require(Programs.find("mandoc"))
        let (status, text) = try RunningProcess.run(mandoc, ["-T", "lint", "-W", "warning", file])
        #expect(status == 0, "\(text)")
        #expect(text == "")
        withExtendedLifetime(folder) {}
    }

    @Test(.enabled(if: Programs.find("man") != nil, "install man-db"), arguments: programs)
    func manWarnsOfNothing(_ program: String) throws {
        let (folder, file, _) = try write(program, "--manual", to: page(program))
        let (status, text) = try RunningProcess.run(
            "/bin/sh",
            ["-c", "LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l '\(file)' 2>&1 > /dev/null"])
        #expect(status == 0, "\(text)")
        #expect(text == "")
        withExtendedLifetime(folder) {}
    }

    @Test(arguments: programs) func bashCompletesEveryOption(_ program: String) throws {
        let (folder, file, _) = try write(program, "--completion", "bash", to: "completion")
        func complete(_ words: String...) throws -> [String] {
            let line = ([program] + words).map { "'\($0)'" }.joined(separator: " ")
            let script = """
                source '\(file)'; COMP_WORDS=(\(line)); COMP_CWORD=\(words.count)
                _\(program.replacing("-", with: "_")); printf '%s\\n' "${COMPREPLY[@]}"
                """
            let (status, text) = try RunningProcess.run("/bin/bash", ["-c", script])
            #expect(status == 0)
            return text.split(separator: "\n").map(String.init)
        }
        let all = try options(program).map { "--" + $0 }
        #expect(Set(try complete("--")) == Set(all))
        #expect(try complete("--completion", "z") == ["zsh"])
        #expect(try complete("--completion", "=", "f") == ["fish"])
        if program == "geodnsctl" {
            #expect(try complete("reg") == ["regions"])
            #expect(try complete("--control", file.dropLast(3).description) == [file])
        }
        if program == "geodnsd" {
            #expect(Set(try complete("--log", "")) == ["json", "text"])
            #expect(try complete("--workers", "") == [])
        }
        withExtendedLifetime(folder) {}
    }

    @Test(arguments: programs) func otherShellsReadTheirs(_ program: String) throws {
        for shell in ["zsh", "fish"] {
            let (folder, file, text) = try write(program, "--completion", shell, to: "completion")
            for option in try options(program) {
                #expect(
                    text.contains(shell == "zsh" ? "--\(option)" : " -l \(option)"), "\(option)")
            }
            guard let found = Programs.find(shell) else { continue }
            let checked = try RunningProcess.run(found, ["-n", file])
            #expect(checked.status == 0, "\(checked.text)")
            withExtendedLifetime(folder) {}
        }
    }

    @Test func fishKnowsCommandsAndValues() throws {
        let fish = try #require(Programs.find("fish"), "install fish")
        let (folder, file, _) = try write("geodnsctl", "--completion", "fish", to: "completion")
        func complete(_ line: String) throws -> String {
            try RunningProcess.run(
                fish, ["--no-config", "-c", "source '\(file)'; complete -C '\(line)'"]
            ).text
        }
        #expect(try complete("geodnsctl reg").contains("regions\tevery target"))
        #expect(try complete("geodnsctl --completion z").hasPrefix("zsh\t"))
        withExtendedLifetime(folder) {}
    }

    /// Whoever copies a command from the documents shall not meet an option that is not there.
    @Test func examplesInDocumentsUseOptionsThatExist() throws {
        let folder = URL(filePath: Programs.packageFolder)
        let documents =
            try FileManager.default.contentsOfDirectory(
                atPath: folder.appending(path: "docs").path
            ).filter { $0.hasSuffix(".md") }.map { "docs/" + $0 } + ["README.md"]
        let known = try Dictionary(
            uniqueKeysWithValues: Manuals.programs.map { ($0, Set(try options($0))) })
        var count = 0
        for document in documents {
            let text = try String(contentsOf: folder.appending(path: document), encoding: .utf8)
            for line in text.split(separator: "\n") {
                // A command begins the line, or stands behind a pipe or a backtick.
                let pattern = #/(?:^|^\$ |[|`] ?)(geodns[a-z-]*)( [^`|#]*)/#
                for match in line.matches(of: pattern) {
                    guard let all = known[String(match.1)] else { continue }
                    for option in match.2.matches(of: #/ --([a-z0-9-]+)/#) {
                        count += 1
                        #expect(all.contains(String(option.1)), "\(document): \(line)")
                    }
                }
            }
        }
        #expect(count > 20)
    }

    @Test func anUnknownShellIsWrongUsage() throws {
        let (status, text) = try RunningProcess.run(
            Programs.own("geodnsd"), ["--completion", "csh"])
        #expect(status == 2)
        #expect(text == "geodnsd: --completion csh: expected bash, zsh or fish\n")
    }
}
