import Geography
import Zones

/// What a ranking depends on: GEO names with the same key share one table.
struct RankingKey: Hashable {
    struct Line: Hashable {
        enum Answer: Hashable {
            /// Positions in the targets; empty: NODATA there.
            case order([Int])
            case nearest
        }
        var selector: MapLine.Selector
        var answer: Answer
    }

    /// One for each target; nil for one without coordinates.
    var sites: [Site?]
    /// Nil: `nearest`, without a map.
    var lines: [Line]?
    /// Percent of the best distance within which targets are equals.
    var within = 0
}

/// Orders the targets for every place of a location database, and compiles the table.
struct RankingBuilder {
    private let key: RankingKey
    private let distances: DistanceOrder
    private let matcher: PlaceMatcher
    private var orders: [[Int]] = []
    private var reach: [[Int]] = []
    private var orderIndexes: [Entry: OrderIndex] = [:]

    private struct Entry: Hashable {
        var order: [Int]
        var reach: [Int]
    }

    static func build(_ key: RankingKey, source: some LocationSource) -> Ranking {
        var builder = RankingBuilder(key)
        let places = source.places
        let overrides = (key.lines ?? []).enumerated().compactMap { index, line in
            if case .net(let prefix) = line.selector {
                PrefixOverride(prefix, line: index)
            } else {
                PrefixOverride?.none
            }
        }
        let table = LocationTable.build(from: source, overrides: overrides) { place, line in
            builder.order(for: places[place], line: line)
        }
        return Ranking(
            table: table, orders: builder.orders, reach: key.within > 0 ? builder.reach : [],
            sites: key.sites)
    }

    private init(_ key: RankingKey) {
        self.key = key
        // Where `nearest` is used every target has a site: checked before.
        distances = DistanceOrder(key.sites.compactMap { $0 })
        matcher = PlaceMatcher(key.lines ?? [])
    }

    /// `line` is that of the `net=` prefix that covers the address, if one does.
    private mutating func order(for place: Place, line: Int?) -> OrderIndex {
        var order: [Int]
        var reach: [Int] = []
        if let lines = key.lines, let match = line ?? matcher.line(for: place),
            case .order(let positions) = lines[match].answer
        {
            order = positions
            // What is listed is meant in that order.
            if key.within > 0 { reach = Array(order.indices) }
        } else if key.within > 0 {
            (order, reach) = distances.order(from: place.coordinates, within: key.within)
        } else {
            order = distances.order(from: place.coordinates)
        }
        let entry = Entry(order: order, reach: reach)
        if let known = orderIndexes[entry] { return known }
        orders.append(order)
        self.reach.append(reach)
        orderIndexes[entry] = orders.count - 1
        return orders.count - 1
    }
}

/// Finds the line of a map for a place: city before subdivision before country before continent
/// before default.
struct PlaceMatcher {
    private var lines: [MapLine.Selector: Int] = [:]

    init(_ lines: [RankingKey.Line]) {
        for (index, line) in lines.enumerated() {
            var selector = line.selector
            if case .city(let area, let name) = selector {
                selector = .city(area: area, name: name.lowercased())
            }
            self.lines[selector] = index
        }
    }

    func line(for place: Place) -> Int? {
        if let city = place.city?.lowercased() {
            for area in [place.subdivision, place.country].compactMap({ $0 }) {
                if let line = lines[.city(area: area, name: city)] { return line }
            }
        }
        if let subdivision = place.subdivision, let line = lines[.subdivision(subdivision)] {
            return line
        }
        if let country = place.country, let line = lines[.country(country)] { return line }
        if let continent = place.continent, let line = lines[.continent(continent)] { return line }
        return lines[.default]
    }
}
