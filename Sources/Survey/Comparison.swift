import Addressing
package import DNSWire
package import Geography
import Steering

/// Every GEO name of a world beside another world: which of them more clients than a limit get
/// something else for.
package struct Comparison {
    /// Of names that more clients move under than may, and the names that move with them.
    package struct Excess {
        package var movement: Movement
        package var alike: [DomainName]
    }

    package private(set) var excesses: [Excess] = []
    /// The largest of all; nil when nothing was compared.
    package private(set) var largest: Movement?
    /// Everything was looked at.
    package private(set) var isComplete = true

    /// What tells apart names that move alike.
    private struct Pair: Hashable {
        var before: Int
        var after: Int?
    }

    /// Clients are those of `source`, by family. A name that only `after` has takes nothing away
    /// from anybody, and is left out. Before each look at all clients, which may take a part of a
    /// second, `shouldGoOn` is asked.
    package init(
        from before: SurveyedWorld, to after: SurveyedWorld, source: some LocationSource,
        portionMax: Double, shouldGoOn: () -> Bool
    ) {
        var names: [Pair: [DomainName]] = [:]
        var pairs: [Pair] = []
        for name in before.plan.names.map(\.name) {
            guard let number = before.geoName(name) else { continue }
            let pair = Pair(
                before: before.answers.selector(ofName: number),
                after: after.geoName(name).map { after.answers.selector(ofName: $0) })
            if names[pair] == nil { pairs.append(pair) }
            names[pair, default: []].append(name)
        }
        let demands = Demand.families(of: source)
        for pair in pairs {
            guard let name = names[pair]?.first else { continue }
            for demand in demands {
                guard shouldGoOn() else {
                    isComplete = false
                    return
                }
                let movement = Movement(name, demand, from: before, to: after, source: source)
                if movement.portion > largest?.portion ?? -1 { largest = movement }
                if movement.portion > portionMax {
                    let alike = Array((names[pair] ?? []).dropFirst())
                    excesses.append(Excess(movement: movement, alike: alike))
                }
            }
        }
        excesses.sort { $0.movement.portion > $1.movement.portion }
    }
}

extension Demand {
    /// One for each family of which `source` knows any place; when it knows none at all, both, with
    /// all of their addresses.
    package static func families(of source: some LocationSource, total: Double? = nil) -> [Demand] {
        guard source.places.count > 1 else {
            return IPAddress.Family.allCases.map { Demand($0, total: total, countsUnknown: true) }
        }
        return IPAddress.Family.allCases.filter { family in
            var isKnown = false
            source.forEachLeaf(of: family) { _, _, place in
                if place != 0 { isKnown = true }
            }
            return isKnown
        }.map { Demand($0, total: total) }
    }
}
