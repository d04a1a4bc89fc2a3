/// What somebody probably meant who wrote something else.
package enum Spelling {
    /// Of `words` the one that is at most two slips of the hand away, though not half of a short
    /// word; nil: none is that near.
    package static func nearest(to typed: String, among words: some Sequence<String>) -> String? {
        guard typed.utf8.count <= 64 else { return nil }
        var best: (word: String, distance: Int)?
        for word in words {
            let distance = distance(Array(typed.utf8), Array(word.utf8))
            if distance < best?.distance ?? 3,
                distance * 2 < max(word.utf8.count, typed.utf8.count)
            {
                best = (word, distance)
            }
        }
        return best?.word
    }

    /// How many bytes must be added, left out, exchanged for others or for their neighbours to make
    /// one of the other (optimal string alignment).
    package static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for i in left.indices {
            var current = [i + 1]
            for j in right.indices {
                let replaced = previous[j] + (left[i] == right[j] ? 0 : 1)
                var best = min(replaced, previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, older[j - 1] + 1)
                }
                current.append(best)
            }
            older = previous
            previous = current
        }
        return previous[right.count]
    }
}
