import Foundation
import Testing

/// The project's files, read as text.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    struct File: CustomTestStringConvertible, Sendable {
        /// From the root: `Sources/Zones/ZoneTable.swift`.
        let path: String
        let lines: [String]

        var testDescription: String { path }

        /// `Zones` of `Sources/Zones/ZoneTable.swift`.
        var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

        /// The modules its import lines name.
        var imports: [String] {
            lines.compactMap { line in
                var words = line.split(separator: " ")[...]
                while let word = words.first,
                    word.hasPrefix("@") || word == "package" || word == "public"
                {
                    words.removeFirst()
                }
                guard words.count == 2, words.first == "import" else { return nil }
                return words.last.map(String.init)
            }
        }
    }

    /// Files below `folders` whose names end in `suffix`, sorted.
    static func files(_ folders: [String], _ suffix: String) -> [File] {
        folders.flatMap { folder -> [File] in
            let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
            let paths = (names?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(suffix) }
            return paths.sorted().compactMap { file("\(folder)/\($0)") }
        }
    }

    static func file(_ path: String) -> File? {
        guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
        else { return nil }
        return File(path: path, lines: text.components(separatedBy: "\n"))
    }

    static let sources = files(["Sources"], ".swift")
    static let swift =
        sources + files(["Tests"], ".swift") + [file("Package.swift")].compactMap { $0 }
    static let documents =
        files(["docs", "geo-data"], ".md") + ["README.md", "CONTRIBUTING.md"].compactMap(file)
}
