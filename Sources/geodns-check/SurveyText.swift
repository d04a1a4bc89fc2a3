import Addressing
import DNSWire
import Diagnostics
import Survey

// Matrices and movements in words, and as JSON.

extension Matrix {
    var title: String { "\(name) over \(demand.title)" }

    var text: String {
        let lines =
            [Matrix.line(all)]
            + rows.flatMap { row in
                [Matrix.line(row)] + row.subdivisions.map { "  " + Matrix.line($0) }
            }
        return title + "\n" + lines.map { $0 + "\n" }.joined()
    }

    private static func line(_ row: Row) -> String {
        let place = (row.place.isEmpty ? "unknown" : row.place).padded(to: 10)
        let portion = (row.portion?.percent ?? "").padded(to: 8, onTheLeft: true)
        return "  \(place) \(portion)   \(row.targets.words)"
    }

    /// One object for each row.
    var json: String {
        ([all] + rows).flatMap { row in
            [json(row, subdivision: nil)]
                + row.subdivisions.map { json(row, subdivision: $0) }
        }.map { $0 + "\n" }.joined()
    }

    private func json(_ country: Row, subdivision: Row?) -> String {
        let row = subdivision ?? country
        return JSONText.object([
            ("name", JSONText.string(name.description)),
            ("family", JSONText.optional(demand.family?.name)),
            ("place", JSONText.optional(country.place.isEmpty ? nil : country.place)),
            ("subdivision", JSONText.optional(subdivision?.place)),
            ("portion", row.portion?.jsonPortion ?? "null"),
            ("targets", row.targets.json),
        ])
    }
}

extension Movement {
    /// What `--down` and the like tell: who carries how much, and who moves.
    func consequences(of changes: Changes) -> String {
        let supposed = changes.moveClients ? ", with \(changes.words)" : ""
        var lines = [title + supposed + ": " + consequence]
        if stranded > 0 { lines.append("  \(stranded.percent) get a last resort, or nothing") }
        let width = max(10, loads.map(\.label.count).max() ?? 0)
        let numbers = 18
        var head = "  " + "".padded(to: width)
        for title in ["before", "after", "capacity"] {
            head += " " + title.padded(to: numbers, onTheLeft: true)
        }
        lines.append(head)
        for load in loads {
            var line = "  " + load.label.padded(to: width)
            for portion in [load.before, load.after] {
                line += " " + amount(portion).padded(to: numbers, onTheLeft: true)
            }
            line +=
                " " + (load.capacity.map { "\($0)" } ?? "-").padded(to: numbers, onTheLeft: true)
            if let capacity = load.capacity, let total = demand.total, capacity > 0 {
                line += "  \((load.after * total / Double(capacity)).percent) of it"
            }
            if overloaded.contains(where: { $0.label == load.label }) { line += "  TOO MUCH" }
            lines.append(line)
        }
        for (from, to, amount) in spilled {
            let portion = demand.total.map { " (\((amount / $0).percent))" } ?? ""
            lines.append("  \(from) is full: \(amount.short)\(portion) of its clients go to \(to)")
        }
        if demand.total == nil, loads.contains(where: { $0.capacity != nil }) {
            lines.append("  how much that is of a capacity: say how much there is with --demand")
        }
        if !moves.isEmpty { lines += ["  who moves"] + moveLines }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A portion, and where all of it is known, how much that is.
    private func amount(_ portion: Double) -> String {
        guard let total = demand.total else { return portion.percent }
        return "\((portion * total).short)  " + portion.percent.padded(to: 7, onTheLeft: true)
    }

    /// What `--each` tells of the failure of `target`, which has this portion of all before.
    func failure(of target: String, with before: Double) -> String {
        let line = "  \(target.padded(to: 10)) \(before.percent.padded(to: 8, onTheLeft: true))   "
        guard stranded == 0 else {
            return line + "nobody takes over: \(stranded.percent) get a last resort, or nothing\n"
        }
        return line + "move\(distance); then: \(targets.words)\n"
            + overloaded.map { "    \($0.label) gets \(excess($0))\n" }.joined()
    }

    /// `3000, and can carry 2000`
    private func excess(_ load: Load) -> String {
        let count = load.after * (demand.total ?? 0)
        return "\(count.short), and can carry \(load.capacity ?? 0)"
    }

    /// `down`: the target whose failure it tells of.
    func json(down: String?) -> String {
        let moves = moves.map { row in
            JSONText.object([
                ("place", JSONText.string(row.country)), ("from", JSONText.string(row.move.from)),
                ("to", JSONText.string(row.move.to)), ("portion", row.portion.jsonPortion),
            ])
        }
        return JSONText.object([
            ("name", JSONText.string(name.description)),
            ("family", JSONText.optional(demand.family?.name)), ("down", JSONText.optional(down)),
            ("moved", portion.jsonPortion), ("stranded", stranded.jsonPortion),
            (
                "fartherKilometers",
                fartherKilometers.map { "\(Int($0.rounded()))" } ?? "null"
            ),
            ("targets", targets.json), ("loads", JSONText.array(loads.map(json))),
            (
                "spilled",
                JSONText.array(
                    spilled.map { move in
                        JSONText.object([
                            ("from", JSONText.string(move.from)), ("to", JSONText.string(move.to)),
                            ("load", move.amount.jsonNumber),
                        ])
                    })
            ),
            ("moves", JSONText.array(moves)),
        ]) + "\n"
    }
}

extension Movement {
    private func json(_ load: Load) -> String {
        JSONText.object([
            ("target", JSONText.string(load.label)), ("before", load.before.jsonPortion),
            ("after", load.after.jsonPortion),
            ("load", demand.total.map { ($0 * load.after).jsonNumber } ?? "null"),
            ("capacity", load.capacity.map { "\($0)" } ?? "null"),
        ])
    }
}

extension [(label: String, portion: Double)] {
    fileprivate var words: String {
        map { "\($0.label) \($0.portion.percent)" }.joined(separator: "  ")
    }

    fileprivate var json: String {
        JSONText.array(
            map { target in
                JSONText.object([
                    ("target", JSONText.string(target.label)),
                    ("portion", target.portion.jsonPortion),
                ])
            })
    }
}

extension Double {
    /// Six decimals.
    fileprivate var jsonPortion: String { "\((self * 1_000_000).rounded() / 1_000_000)" }

    /// Three decimals.
    fileprivate var jsonNumber: String { "\((self * 1000).rounded() / 1000)" }

    /// An amount of demand: whole, but for small ones.
    fileprivate var short: String {
        if self >= 100 || self == rounded() {
            return self < 1e15 ? "\(Int(rounded()))" : "\(self)"
        }
        return "\((self * 10).rounded() / 10)"
    }
}
