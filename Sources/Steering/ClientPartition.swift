import Addressing
package import Geography

/// Divides all clients by the overrides that are limited to some of them: for every address the
/// set of those that it belongs to, and the widest prefix in which that is so.
///
/// It takes a walk through the location database to make one; it holds for as long as the database
/// does, whatever becomes of the overrides.
package struct ClientPartition: Sendable {
    /// All that are told apart, none of them `all`.
    package let clients: Set<Override.Clients>
    /// What an address belongs to: the table's orders are indexes into it.
    let sets: [Set<Override.Clients>]
    let table: LocationTable

    package init(_ clients: Set<Override.Clients>, source: some LocationSource) {
        self.clients = clients
        let ordered = clients.sorted { "\($0)" < "\($1)" }
        let nets = ordered.enumerated().compactMap { index, clients in
            if case .net(let prefix) = clients { PrefixOverride(prefix, line: index) } else { nil }
        }
        var sets: [Set<Override.Clients>] = []
        var indexes: [Set<Override.Clients>: Int] = [:]
        let places = source.places
        table = LocationTable.build(from: source, overrides: nets) { place, line in
            let prefix = line.flatMap { ordered[$0].prefix }
            let set = Set(ordered.filter { $0.includes(places[place], prefix) })
            if let known = indexes[set] { return known }
            indexes[set] = sets.count
            sets.append(set)
            return sets.count - 1
        }
        self.sets = sets
    }
}

extension Override.Clients {
    fileprivate var prefix: Prefix? { if case .net(let prefix) = self { prefix } else { nil } }

    /// `net`: the longest prefix told apart that the address lies in.
    fileprivate func includes(_ place: Place, _ net: Prefix?) -> Bool {
        switch self {
        case .all: true
        case .continent(let code): place.continent == code
        case .country(let code): place.country == code
        case .net(let prefix): net.map { prefix.contains($0) } ?? false
        }
    }
}

/// What overrides make of a plan: for everybody, and for clients that some are limited to.
package struct OverrideEffects: Sendable {
    package var everybody: OverrideEffect
    var parts: Parts?

    /// Clients that are told apart.
    struct Parts: Sendable {
        var table: LocationTable
        /// For each order of the table.
        var effects: [OverrideEffect]
    }

    package init(_ everybody: OverrideEffect = OverrideEffect()) { self.everybody = everybody }

    package var isEmpty: Bool { everybody.isEmpty && parts == nil }
}

extension Overrides {
    /// Whom overrides are limited to, without `all`.
    package var limits: Set<Override.Clients> {
        Set(all.map(\.clients)).subtracting([.all])
    }

    /// `partition` tells apart whom overrides are limited to; those that it does not know of have
    /// no effect.
    package func effects(
        in plan: SteeringPlan, _ partition: ClientPartition? = nil
    ) -> OverrideEffects {
        var effects = OverrideEffects(effect(in: plan))
        guard let partition, !limits.isDisjoint(with: partition.clients) else { return effects }
        let parts = partition.sets.map { set in
            effect(in: plan) { $0 == .all || set.contains($0) }
        }
        if parts.contains(where: { $0 != effects.everybody }) {
            effects.parts = OverrideEffects.Parts(table: partition.table, effects: parts)
        }
        return effects
    }
}
