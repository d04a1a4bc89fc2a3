extension Program {
    /// What to tell somebody who wrote `word` where one of the program's commands must stand: the
    /// one it is nearest to, when it is near to one, else all of them. Nil: it is a command.
    package func complaint(aboutCommand word: String) -> UsageError? {
        let names = commands.map { String($0.name) }
        guard !names.contains(word) else { return nil }
        let distances = names.map { Program.distance(Array(word.utf8), Array($0.utf8)) }
        let nearest = zip(distances, names).min { $0.0 < $1.0 }
        // Two slips of the hand, though not half of a short word.
        if let (distance, name) = nearest, distance <= 2,
            distance * 2 < max(name.utf8.count, word.utf8.count)
        {
            return UsageError(
                "unknown command \(word); did you mean \(name)? `\(self.name) --help` lists all")
        }
        return UsageError("unknown command \(word); there are \(names.joined(separator: ", "))")
    }

    /// How many characters must be added, left out, exchanged for others or for their neighbours to
    /// make one of the other (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var next = [i + 1]
            for (j, other) in right.enumerated() {
                var least = min(next[j] + 1, row[j + 1] + 1, row[j] + (byte == other ? 0 : 1))
                if i > 0, j > 0, byte == right[j - 1], left[i - 1] == other {
                    least = min(least, before[j - 1] + 1)
                }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
