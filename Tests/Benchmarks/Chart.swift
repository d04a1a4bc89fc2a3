import Foundation

/// Small line charts side by side, as SVG that is legible on light and dark pages.
struct Chart {
    struct Panel {
        var title: String
        /// With its unit.
        var quantity: String
        var axis: String
        /// Ascending in x, which is drawn as a logarithm.
        var points: [(x: Double, y: Double)]
    }

    let rows: [[Panel]]

    private static let (width, height) = (250.0, 190.0)
    /// Of the plot within its panel.
    private static let (left, top, right, bottom) = (46.0, 34.0, 12.0, 36.0)

    var svg: String {
        let columns = rows.map(\.count).max() ?? 0
        let total = (Chart.width * Double(columns), Chart.height * Double(rows.count))
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(total.0)) \(Int(total.1))\""
                + " font-family=\"sans-serif\" font-size=\"10\">",
            "<style>svg { color: #222; background: #fff } .mark { fill: #0b62a4 }"
                + " .line { stroke: #0b62a4; fill: none; stroke-width: 1.5 }"
                + " @media (prefers-color-scheme: dark) { svg { color: #ddd; background: #181818 }"
                + " .mark { fill: #6cb6f0 } .line { stroke: #6cb6f0 } }</style>",
        ]
        for (row, panels) in rows.enumerated() {
            for (column, panel) in panels.enumerated() {
                let (x, y) = (Chart.width * Double(column), Chart.height * Double(row))
                lines.append(
                    "<g transform=\"translate(\(Int(x)) \(Int(y)))\" fill=\"currentColor\">")
                lines += Chart.draw(panel)
                lines.append("</g>")
            }
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    private static func draw(_ panel: Panel) -> [String] {
        guard let first = panel.points.first, let last = panel.points.last else { return [] }
        let ceiling = Chart.ceiling(panel.points.map(\.y).max() ?? 1)
        let (plotWidth, plotHeight) = (width - left - right, height - top - bottom)
        let span = max(log10(last.x) - log10(first.x), 1)
        func place(_ x: Double, _ y: Double) -> (x: String, y: String) {
            (
                String(format: "%.1f", left + (log10(x) - log10(first.x)) / span * plotWidth),
                String(format: "%.1f", top + (1 - y / ceiling) * plotHeight)
            )
        }
        var lines = [
            "<text x=\"\(left)\" y=\"14\" font-weight=\"bold\">\(panel.title)</text>",
            "<text x=\"\(left)\" y=\"27\">\(panel.quantity)</text>",
            "<text x=\"\(left + plotWidth / 2)\" y=\"\(height - 6)\" text-anchor=\"middle\">"
                + "\(panel.axis)</text>",
        ]
        for share in [0.0, 0.5, 1.0] {
            let y = place(first.x, ceiling * share).y
            lines.append(
                "<line x1=\"\(left)\" x2=\"\(width - right)\" y1=\"\(y)\" y2=\"\(y)\""
                    + " stroke=\"currentColor\" stroke-opacity=\"0.25\"/>")
            lines.append(
                "<text x=\"\(left - 4)\" y=\"\(y)\" text-anchor=\"end\" dy=\"3\">"
                    + "\(label(ceiling * share))</text>")
        }
        let places = panel.points.map { place($0.x, $0.y) }
        lines.append(
            "<polyline class=\"line\" points=\""
                + places.map { "\($0.x),\($0.y)" }.joined(separator: " ") + "\"/>")
        for (point, place) in zip(panel.points, places) {
            lines.append("<circle class=\"mark\" cx=\"\(place.x)\" cy=\"\(place.y)\" r=\"2.5\"/>")
            lines.append(
                "<text x=\"\(place.x)\" y=\"\(height - bottom + 14)\" text-anchor=\"middle\">"
                    + "\(label(point.x))</text>")
        }
        return lines
    }

    /// The next of 1, 2, 5 times a power of ten.
    private static func ceiling(_ value: Double) -> Double {
        guard value > 0 else { return 1 }
        let power = pow(10, floor(log10(value)))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? value
    }

    private static func label(_ value: Double) -> String {
        switch value {
        case 1_000_000...: short(value / 1_000_000) + "M"
        case 1000...: short(value / 1000) + "k"
        default: short(value)
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String(format: "%.3g", value)
    }
}
