// A movement in words, for reports.
extension Movement {
    private static let rowCountMax = 20

    package var title: String { "\(name) over \(demand.title)" }

    /// How much moves, and below it who does, a line each.
    package var comparison: String {
        ([summary] + moveLines).joined(separator: "\n") + "\n"
    }

    /// `app.example.com. over IPv4: 3.2 % get another answer, 950 km farther on average`
    package var summary: String { "\(title): \(consequence)" }

    /// That without the title.
    package var consequence: String { "\(portion.percent) get another answer\(distance)" }

    /// `, 950 km farther on average`, where that is known.
    package var distance: String {
        guard let fartherKilometers else { return "" }
        let whole = Int(fartherKilometers.magnitude.rounded())
        return ", \(whole) km \(fartherKilometers < 0 ? "nearer" : "farther") on average"
    }

    /// `  JP           3.2 %   nrt → fra`, the largest first.
    package var moveLines: [String] {
        var lines: [String] = []
        for row in moves.prefix(Movement.rowCountMax) {
            lines.append(
                "  \(row.country.padded(to: 10)) \(row.portion.percent.padded(to: 8, onTheLeft: true))"
                    + "   \(row.move.from) → \(row.move.to)")
        }
        if moves.count > Movement.rowCountMax {
            let rest = moves.dropFirst(Movement.rowCountMax)
            let portion = rest.reduce(0) { $0 + $1.portion }
            lines.append("  and \(rest.count) more, together \(portion.percent)")
        }
        return lines
    }
}

extension Double {
    /// Of a portion, with one decimal where that tells something.
    package var percent: String {
        let tenths = Int((self * 1000).rounded())
        if tenths == 0 { return self > 0 ? "<0.1 %" : "0 %" }
        // All but a few are not all.
        if tenths == 1000 { return self < 1 - 1e-9 ? ">99.9 %" : "100 %" }
        return "\(tenths / 10).\(tenths % 10) %"
    }
}

extension String {
    package func padded(to count: Int, onTheLeft: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(count - self.count, 0))
        return onTheLeft ? blanks + self : self + blanks
    }
}
