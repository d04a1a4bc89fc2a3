import Configuration
import Foundation

extension FuzzTarget {
    /// Any bytes as a settings file: settings, or problems, each on a line of the file.
    static let settings = FuzzTarget(
        name: "settings", byteCountMax: 2000,
        seeds: {
            [
                "listen: [192.0.2.53, \"[2001:db8::53]\"]\nworkers: 2\nlog: json\n",
                "cookie:\n  secret: /etc/secret\nidentity: \"ns1\"\n",
                "zones: |\n  several\n  lines\n",
                "listen:\n  - 127.0.0.1@5300\n  - ::1@5300\n---\nmore: 1\n", "a: &x 1\nb: *x\n",
                "{workers: 1, workers: 2, unknown: [1, [2, {a: b}]]}\n", "? [a]\n: !!tag value\n",
            ].map { Array($0.utf8) }
        },
        words: {
            (ServerSettings.program.options.map(\.name)
                + ["---", "...", "|", ">-", "&a", "*a", "!!str", "%YAML 1.2", "null", "true", "? "])
                .map { Array($0.utf8) }
        },
        fault: settingsFault)
}

private let file = FuzzFile()

private func settingsFault(_ input: [UInt8]) -> String? {
    guard file.write(input) else { return "the file cannot be written" }
    do throws(UsageError) {
        guard
            case .run(let arguments) = try ServerSettings.program.parse(["--config", file.path])
        else { return "help" }
        _ = try ServerSettings(arguments)
        return nil
    } catch {
        return error.description.split(separator: "\n").lazy
            .compactMap { problemFault(String($0), input) }.first
    }
}

/// A problem begins with its place. The end of the file may be told as the line after the last.
private func problemFault(_ problem: String, _ input: [UInt8]) -> String? {
    guard problem.hasPrefix(file.path + ":") else { return nil }
    let words = problem.dropFirst(file.path.utf8.count + 1).split(separator: ":")
    // Line feed, carriage return, and the last bytes of NEL, LS and PS (YAML 1.1 §4.1.4).
    let lineCount = 1 + input.count { [0x0a, 0x0d, 0x85, 0xa8, 0xa9].contains($0) }
    guard words.count >= 3, let line = Int(words[0]), (1...lineCount + 1).contains(line),
        let column = Int(words[1]), column >= 1
    else { return problem }
    return nil
}
