import Addressing
import DNSWire
import Diagnostics
import Geography
import Health
import Loader
import Steering
import Survey

/// A picture of who is sent where: countries in the colours of regions, as SVG.
struct CatchmentMap {
    /// A region, or whatever else clients are sent to.
    private struct Carrier {
        var label: String
        var coordinates: Coordinates?
        /// Nil: not ours to know.
        var state: HealthState?
        /// Of all clients.
        var portion: Double
    }

    private let matrix: Matrix
    /// In the order of the zone; those that get clients and are no region of ours come last.
    private let carriers: [Carrier]
    /// Where a country's clients are, for countries that the outline does not have.
    private let centres: [String: Coordinates]
    private let supposed: String

    private static let outline = WorldOutline()
    private static let projection = EqualEarth(width: 1000)
    private static let margin = 20.0
    private static let headHeight = 62.0
    private static let rowHeight = 22.0

    /// What a second region must have of a country to be shown there.
    private static let shownPortionMin = 0.1

    init(
        _ matrix: Matrix, in surveyed: SurveyedWorld, database: GeoData, changes: Changes
    ) {
        self.matrix = matrix
        supposed = changes.moveClients ? ", with " + changes.words : ""
        var portions: [String: Double] = [:]
        for target in matrix.all.targets { portions[target.label] = target.portion }
        // The same region has the same colour on maps of several names of a zone.
        var carriers = surveyed.endpoints(of: matrix.name).sorted().map { index in
            let label = surveyed.plan.endpoints[index].label
            return Carrier(
                label: label, coordinates: surveyed.coordinates(.endpoint(index)),
                state: surveyed.answers.endpointStates[index],
                portion: portions.removeValue(forKey: label) ?? 0)
        }
        carriers += portions.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            Carrier(label: $0.key, portion: $0.value)
        }
        self.carriers = carriers
        var centres: [String: Coordinates] = [:]
        for place in database.places {
            guard let country = place.country, let point = place.coordinates else { continue }
            if centres[country] == nil { centres[country] = point }
        }
        self.centres = centres
    }

    // MARK: - The document

    var svg: String {
        let projection = CatchmentMap.projection
        let width = projection.width + 2 * CatchmentMap.margin
        let legendTop = CatchmentMap.headHeight + projection.height + 24
        let height = legendTop + CatchmentMap.rowHeight * Double(legendRowCount) + 62
        let title = "\(matrix.title)\(supposed)"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width.short) \(height.short)" \
            role="img" aria-labelledby="title about">
            <title id="title">Who is sent where: \(title.xml)</title>
            <desc id="about">\(summary.xml)</desc>
            \(style)
            <defs>\(patterns)</defs>
            <rect class="back" width="\(width.short)" height="\(height.short)"/>
            <text class="head" x="20" y="34">\(title.xml)</text>
            <text x="20" y="54">\(meaning.xml)</text>
            <g transform="translate(20 62)">
            <g class="land">\(land)</g>
            <g class="land">\(small)</g>
            <path class="border" d="\(borders)"/>
            \(markers)
            </g>
            \(legend(top: legendTop))
            <text class="small" x="20" y="\((height - 34).short)">\(percentages.xml)</text>
            <text class="small" x="20" y="\((height - 16).short)">Shapes of countries: Natural \
            Earth, 1:110m. They take no side in disputes about borders.</text>
            </svg>

            """
    }

    private var meaning: String {
        "A country has the colour of the region that most of it gets; stripes: a second one gets more than "
            + "a tenth. Lines part catchments."
    }

    private var percentages: String {
        matrix.demand.countsUnknown
            ? "Percentages: of what \(matrix.demand.title) counts."
            : "Percentages: of all \(matrix.demand.title) addresses that the location database places."
    }

    private var summary: String {
        matrix.all.targets.map { "\($0.label) gets \($0.portion.percent)" }.joined(separator: ", ")
    }

    /// Colours that people with any kind of colour vision can tell apart: those of Okabe and Ito
    /// (2008), but for black, which no dark background shows. Behind the eighth they come from
    /// around the colour circle.
    private static func colour(_ index: Int) -> String {
        let known = [
            "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7700dd",
        ]
        guard index >= known.count else { return known[index] }
        let hue = (index - known.count) * 137 % 360
        return "hsl(\(hue) 45% \(index % 2 == 0 ? 38 : 66)%)"
    }

    private var style: String {
        let colours = carriers.indices.map { index in
            ".c\(index){fill:\(CatchmentMap.colour(index))}"
        }.joined()
        return """
            <style>
            text{font:13px system-ui,sans-serif;fill:#1b1f24}.head{font-size:19px;font-weight:600}
            .small{font-size:11px}.back{fill:#fff}
            .land path,.land circle{stroke:#fff;stroke-width:.5}
            .none{fill:#d3d7db}
            .border{fill:none;stroke:#1b1f24;stroke-width:1.1;stroke-linejoin:round}
            .spot{stroke:#fff;stroke-width:1.5;fill:#1b1f24}
            .cross{stroke:#1b1f24;stroke-width:3;fill:none}
            .halo{stroke:#fff;stroke-width:5;fill:none}
            .name{font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:3.5px}
            .name,.halo{stroke-linejoin:round}
            @media (prefers-color-scheme:dark){text{fill:#e8ebee}.back{fill:#15191e}
            .land path,.land circle{stroke:#15191e}.none{fill:#3a424b}.border{stroke:#e8ebee}
            .spot{stroke:#15191e;fill:#fff}.cross{stroke:#fff}.halo,.name{stroke:#15191e}}
            \(colours)
            </style>
            """
    }

    // MARK: - Land

    /// Classes or patterns by country.
    private func fill(_ row: Matrix.Row?) -> String {
        guard let row, let first = number(row.targets.first?.label) else { return "class=\"none\"" }
        guard let second = secondTarget(row) else { return "class=\"c\(first)\"" }
        return "fill=\"url(#p\(first)-\(second))\""
    }

    private func secondTarget(_ row: Matrix.Row) -> Int? {
        guard row.targets.count > 1, row.targets[1].portion >= CatchmentMap.shownPortionMin
        else { return nil }
        return number(row.targets[1].label)
    }

    private func number(_ label: String?) -> Int? {
        carriers.firstIndex { $0.label == label }
    }

    private var rows: [String: Matrix.Row] {
        Dictionary(matrix.rows.map { ($0.place, $0) }) { first, _ in first }
    }

    /// Stripes in two colours for each pair that some country needs.
    private var patterns: String {
        var pairs: Set<[Int]> = []
        for row in matrix.rows {
            guard let first = number(row.targets.first?.label), let second = secondTarget(row)
            else { continue }
            pairs.insert([first, second])
        }
        return pairs.sorted { $0.lexicographicallyPrecedes($1) }.map { pair in
            "<pattern id=\"p\(pair[0])-\(pair[1])\" width=\"6\" height=\"6\" "
                + "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
                + "<rect class=\"c\(pair[0])\" width=\"6\" height=\"6\"/>"
                + "<rect class=\"c\(pair[1])\" width=\"2\" height=\"6\"/></pattern>"
        }.joined()
    }

    private var land: String {
        let rows = rows
        return CatchmentMap.outline.countries.map { country in
            let path = country.rings.map { CatchmentMap.path($0) + "Z" }.joined()
            return "<path \(fill(rows[country.code])) d=\"\(path)\">"
                + "<title>\(words(country.code, rows[country.code]).xml)</title></path>\n"
        }.joined()
    }

    /// Countries that are too small for the outline, as dots.
    private var small: String {
        let drawn = Set(CatchmentMap.outline.countries.map(\.code))
        return matrix.rows.compactMap { row in
            guard row.place.utf8.count == 2, !drawn.contains(row.place),
                let centre = centres[row.place], row.place != "AQ"
            else { return nil }
            let point = CatchmentMap.projection.point(
                longitude: centre.longitude, latitude: centre.latitude)
            return "<circle \(fill(row)) cx=\"\(point.x.short)\" cy=\"\(point.y.short)\" r=\"3\">"
                + "<title>\(words(row.place, row).xml)</title></circle>\n"
        }.joined()
    }

    private func words(_ code: String, _ row: Matrix.Row?) -> String {
        let code = code == "--" ? "no ISO code" : code
        guard let row else { return "\(code): no addresses known" }
        let targets = row.targets.map { "\($0.label) \($0.portion.percent)" }
        let portion = row.portion.map { " (\($0.percent) of all)" } ?? ""
        return "\(code): \(targets.joined(separator: ", "))\(portion)"
    }

    private static func path(_ ring: [WorldOutline.Point]) -> String {
        var text = ""
        for (index, point) in ring.enumerated() {
            let place = projection.point(
                longitude: Double(point.x) / 10, latitude: Double(point.y) / 10)
            text += (index == 0 ? "M" : "L") + "\(place.x.short) \(place.y.short)"
        }
        return text
    }

    /// Where two countries meet that mostly get different regions.
    private var borders: String {
        struct Side: Hashable {
            var start: WorldOutline.Point
            var end: WorldOutline.Point
        }
        let rows = rows
        var sides: [Side: Int] = [:]
        var path = ""
        for country in CatchmentMap.outline.countries {
            let region = number(rows[country.code]?.targets.first?.label) ?? -1
            for ring in country.rings {
                for (start, end) in zip(ring, ring.dropFirst() + ring.prefix(1)) {
                    // The other country comes along the border the other way.
                    if let other = sides[Side(start: end, end: start)] {
                        if other != region, other >= 0, region >= 0 {
                            path += CatchmentMap.path([start, end])
                        }
                    } else {
                        sides[Side(start: start, end: end)] = region
                    }
                }
            }
        }
        return path
    }

    // MARK: - Regions

    private var markers: String {
        carriers.compactMap { carrier in
            guard let place = carrier.coordinates else { return nil }
            let point = CatchmentMap.projection.point(
                longitude: place.longitude, latitude: place.latitude)
            return "<g transform=\"translate(\(point.x.short) \(point.y.short))\">"
                + CatchmentMap.marker(carrier.state)
                + "<text class=\"name\" x=\"9\" y=\"-6\">\(carrier.label.xml)</text></g>\n"
        }.joined()
    }

    /// A dot: up; a ring: drained; a cross: down.
    private static func marker(_ state: HealthState?) -> String {
        switch state {
        case .down:
            let cross = "d=\"M-5-5L5 5M-5 5L5-5\""
            return "<path class=\"halo\" \(cross)/><path class=\"cross\" \(cross)/>"
        case .drain:
            return "<circle class=\"halo\" r=\"5\"/><circle class=\"cross\" r=\"5\"/>"
        default: return "<circle class=\"spot\" r=\"5.5\"/>"
        }
    }

    private static let legendColumnCount = 2

    private var legendRowCount: Int {
        // One more for what nobody knows.
        (carriers.count + CatchmentMap.legendColumnCount) / CatchmentMap.legendColumnCount
    }

    private func legend(top: Double) -> String {
        var entries = carriers.enumerated().map { index, carrier in
            let state = carrier.state.map { ", \($0)" } ?? ""
            return (
                fill: "class=\"c\(index)\"", marker: carrier.coordinates.map { _ in carrier.state },
                text: "\(carrier.label): \(carrier.portion.percent)\(state)"
            )
        }
        entries.append((fill: "class=\"none\"", marker: nil, text: "no addresses known"))
        return entries.enumerated().map { index, entry in
            let x = index / legendRowCount * 500 + 20
            let y = top + Double(index % legendRowCount) * CatchmentMap.rowHeight
            let marker = entry.marker.map { state in
                "<g transform=\"translate(38 8)\">" + CatchmentMap.marker(state) + "</g>"
            }
            return "<g transform=\"translate(\(x) \(y.short))\">"
                + "<rect \(entry.fill) width=\"24\" height=\"16\" rx=\"2\"/>\(marker ?? "")"
                + "<text x=\"52\" y=\"12.5\">\(entry.text.xml)</text></g>\n"
        }.joined()
    }
}

extension SurveyedWorld {
    /// The endpoints that a GEO name may answer, in the order written, nested names followed.
    func endpoints(of name: DomainName) -> [Int] {
        var found: [Int] = []
        var waiting = geoName(name).map { [$0] } ?? []
        var seen = Set(waiting)
        while !waiting.isEmpty {
            let selector = plan.selectors[plan.names[waiting.removeFirst()].selector]
            for target in selector.targets + selector.backups {
                switch target {
                case .endpoint(let index): if !found.contains(index) { found.append(index) }
                case .name(let number): if seen.insert(number).inserted { waiting.append(number) }
                case .external: break
                }
            }
        }
        return found
    }
}

extension Double {
    /// One decimal at most.
    fileprivate var short: String {
        let tenths = Int((self * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        let (whole, part) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
        return sign + (part == 0 ? "\(whole)" : "\(whole).\(part)")
    }
}

extension String {
    /// As text in XML.
    fileprivate var xml: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
