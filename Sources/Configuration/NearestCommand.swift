import Diagnostics

extension Program {
    /// What to tell somebody who wrote `word` where one of the program's commands must stand: the
    /// one it is nearest to, when it is near to one, else all of them. Nil: it is a command.
    package func complaint(aboutCommand word: String) -> UsageError? {
        let names = commands.map { String($0.name) }
        guard !names.contains(word) else { return nil }
        if let name = Spelling.nearest(to: word, among: names) {
            return UsageError(
                "unknown command \(word); did you mean \(name)? `\(self.name) --help` lists all")
        }
        return UsageError("unknown command \(word); there are \(names.joined(separator: ", "))")
    }

    func complaint(aboutOption word: String) -> UsageError {
        let hint =
            Spelling.nearest(to: word, among: allOptions.map { "--" + $0.name })
            .map { "did you mean \($0)? " } ?? ""
        return UsageError("unknown option \(word); \(hint)`\(name) --help` lists them all")
    }
}
