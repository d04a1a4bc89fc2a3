import Addressing
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
    /// Round-trip times, each prefix once.
    var measurements: [Measurement] = []
    /// Orders are told apart by what is lost from one target to the next, too.
    var hasExtras = false

    struct Measurement: Hashable {
        var prefix: Prefix
        /// Milliseconds, one for each target; below 0: not measured.
        var times: [Double]
    }
}

/// Orders the targets for every place of a location database, and compiles the table.
struct RankingBuilder {
    private let key: RankingKey
    private let distances: DistanceOrder
    private let matcher: PlaceMatcher
    private var orders: [[Int]] = []
    private var reach: [[Int]] = []
    private var extras: [[UInt16]] = []
    private var orderIndexes: [Entry: OrderIndex] = [:]

    private struct Entry: Hashable {
        var order: [Int]
        var reach: [Int]
        var extras: [UInt16]
    }

    /// `systemNetworks`: of every autonomous system that a line names.
    static func build(
        _ key: RankingKey, source: some LocationSource, systemNetworks: [UInt32: [Prefix]]
    ) -> Ranking {
        var builder = RankingBuilder(key)
        let places = source.places
        var overrides = overrides(of: key.lines ?? [], systemNetworks)
        // A policy goes by a map or by measurements, never by both.
        overrides += key.measurements.enumerated().map { PrefixOverride($1.prefix, line: $0) }
        // Where nothing is known of anybody, there is nothing to be told apart.
        let special =
            places.count > 1 || !overrides.isEmpty ? builder.orderOfSpecialPurpose() : nil
        let table = LocationTable.build(
            from: source, overrides: overrides, special: special
        ) { place, line in
            builder.order(for: places[place], line: line)
        }
        var ranking = Ranking(
            table: table, orders: builder.orders, reach: key.within > 0 ? builder.reach : [],
            sites: key.sites)
        if key.hasExtras {
            ranking.extras = builder.extras
            ranking.addressCounts = table.addressCounts(orderCount: builder.orders.count)
            // Those without a place are nobody's.
            for nowhere in [builder.order(for: .unknown, line: nil), special].compactMap(\.self)
            where nowhere < ranking.addressCounts.count {
                ranking.addressCounts[nowhere] = 0
            }
        }
        return ranking
    }

    /// The prefixes of `net=`, and those of `asn=` that lie in none of them: `net` beats `asn`
    /// however short its prefix is, and a longer one wins anyhow.
    static func overrides(
        of lines: [RankingKey.Line], _ systemNetworks: [UInt32: [Prefix]]
    ) -> [PrefixOverride] {
        var nets: [PrefixOverride] = []
        var systems: [PrefixOverride] = []
        for (index, line) in lines.enumerated() {
            switch line.selector {
            case .net(let prefix): nets.append(PrefixOverride(prefix, line: index))
            case .asn(let number):
                systems += (systemNetworks[number] ?? []).map { PrefixOverride($0, line: index) }
            default: break
            }
        }
        let prefixes = Set(nets.map(\.prefix))
        let lengths = Set(nets.map(\.prefix.length))
        return nets
            + systems.filter { system in
                !lengths.contains { length in
                    length <= system.prefix.length
                        && prefixes.contains(Prefix(system.prefix.address, length: length))
                }
            }
    }

    private init(_ key: RankingKey) {
        self.key = key
        // Where `nearest` is used every target has a site: checked before.
        distances = DistanceOrder(key.sites.compactMap { $0 })
        matcher = PlaceMatcher(key.lines ?? [])
    }

    /// As that of an unknown place, under a number of its own.
    private mutating func orderOfSpecialPurpose() -> OrderIndex {
        let open = order(for: .unknown, line: nil)
        orders.append(orders[open])
        reach.append(reach[open])
        extras.append(extras[open])
        return orders.count - 1
    }

    /// `line` is that of the `net=` prefix or the autonomous system that the address is in, if
    /// there is one, or the number of the measurement.
    private mutating func order(for place: Place, line: Int?) -> OrderIndex {
        var order: [Int]
        var reach: [Int] = []
        if let lines = key.lines, let match = line ?? matcher.line(for: place),
            case .order(let positions) = lines[match].answer
        {
            order = positions
            // What is listed is meant in that order.
            if key.within > 0 { reach = Array(order.indices) }
        } else {
            let measured = key.lines == nil ? line.map { key.measurements[$0].times } : nil
            (order, reach) = distances.order(
                from: place.coordinates, measured: measured, within: key.within)
        }
        var extras: [UInt16] = []
        if key.hasExtras {
            let times = key.lines == nil ? line.map { key.measurements[$0].times } : nil
            extras = Spill.extras(
                order.map { kilometers(to: $0, from: place.coordinates, measured: times) })
        }
        let entry = Entry(order: order, reach: reach, extras: extras)
        if let known = orderIndexes[entry] { return known }
        orders.append(order)
        self.reach.append(reach)
        self.extras.append(extras)
        orderIndexes[entry] = orders.count - 1
        return orders.count - 1
    }
}

extension RankingBuilder {
    /// Nil where that is not known: targets of a map need no coordinates.
    private func kilometers(
        to position: Int, from place: Coordinates?, measured: [Double]?
    ) -> Double? {
        guard let site = key.sites[position] else { return nil }
        let known = DistanceOrder([site]).kilometers(
            from: place, measured: measured.map { [$0[position]] })
        return known[0].isFinite ? known[0] : nil
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
