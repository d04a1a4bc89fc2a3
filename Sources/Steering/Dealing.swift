package import Addressing
import Tables

/// How the hash of a client's prefix chose among the shares of a GEO name: `weighted` with
/// `by=client`, and `hash` (`Rendezvous`). For accounts of one client; nothing is served by it.
package struct Dealing: Sendable {
    package struct Share: Sendable {
        package var label: String
        /// As it counts now: less for what is degraded or ramps.
        package var weight: UInt32
        /// −log₂(u) / weight, u drawn from prefix and target.
        package var score: Double
    }

    /// All clients in it get the same.
    package var prefix: Prefix
    /// The number that stands for it.
    package var hash: UInt64
    /// Of the targets that are up. The least score gets the client.
    package var shares: [Share]
}

extension AnswerTable {
    /// For each step of `explain` with the same arguments: nil where no hash chose.
    package func dealings(
        name: Int, client: Client, family: IPAddress.Family, drawing source: RandomSource
    ) -> [Dealing?] {
        var random = source
        var dealings: [Dealing?] = []
        var current: Int? = name + (family == .ipv6 ? ipv6NameOffset : 0)
        while let number = current, dealings.count < SteeringPlan.nestingMax {
            let index = Int(names[number].selector)
            var scope = 0
            let choice = choose(selectors[index], client, &scope, &random)
            if !isDivider(index) {
                dealings.append(dealing(selectors[index], policies[index], client))
            }
            current = choice.kind == .name ? Int(choice.index) : nil
        }
        return dealings
    }

    private func dealing(
        _ state: SelectorState, _ selector: Selector, _ client: Client
    ) -> Dealing? {
        guard state.method == .sharesByClient else { return nil }
        let address = state.usesClientSubnet ? client.subnet ?? client.source : client.source
        let hash = Rendezvous.client(address)
        let labels = Dictionary(
            selector.labels.map { (Rendezvous.hash(of: $0), $0) },
            uniquingKeysWith: { first, _ in first })
        let first = Int(state.firstShare)
        return Dealing(
            prefix: Prefix(
                address.masked(to: Rendezvous.prefixLength(of: address.family)),
                length: Rendezvous.prefixLength(of: address.family)),
            hash: hash,
            shares: (first..<first + Int(state.shareCount)).map { index in
                let share = shares[index]
                let drawn = RandomSource.mix(hash ^ share.hash)
                let uniform = (Double(drawn >> 11) + 0.5) * 0x1p-53
                return Dealing.Share(
                    label: labels[share.hash] ?? "?", weight: share.weight,
                    score: -Rendezvous.binaryLogarithm(uniform) / Double(share.weight))
            })
    }
}

/// How a full region was passed by, or not, for one client (`spill=`).
package struct Spilled: Sendable {
    package struct Share: Sendable {
        package var label: String
        /// Of all clients that are in the same place and would get the first one.
        package var portion: Double
    }

    /// All clients in it get the same.
    package var prefix: Prefix
    /// The number that stands for it; nil: drawn for each query.
    package var hash: UInt64?
    /// The first is the one that is full.
    package var shares: [Share]
}

extension AnswerTable {
    /// For each step of `explain` with the same arguments: nil where the best target keeps all of
    /// its clients.
    package func spilled(
        name: Int, client: Client, family: IPAddress.Family, drawing source: RandomSource
    ) -> [Spilled?] {
        var random = source
        var result: [Spilled?] = []
        var current: Int? = name + (family == .ipv6 ? ipv6NameOffset : 0)
        while let number = current, result.count < SteeringPlan.nestingMax {
            let index = Int(names[number].selector)
            var scope = 0
            var spilled: Spilled?
            let choice = choose(selectors[index], client, &scope, &random) { deal in
                if deals[deal].isSpill {
                    spilled = self.spilled(deals[deal], policies[index], client)
                }
            }
            if !isDivider(index) { result.append(spilled) }
            current = choice.kind == .name ? Int(choice.index) : nil
        }
        return result
    }

    private func spilled(
        _ deal: SelectorState, _ selector: Selector, _ client: Client
    ) -> Spilled? {
        guard deal.shareCount > 1 else { return nil }
        let address = deal.usesClientSubnet ? client.subnet ?? client.source : client.source
        let length = Rendezvous.prefixLength(of: address.family)
        let labels = Dictionary(
            selector.labels.map { (Spill.hash(of: $0), $0) },
            uniquingKeysWith: { first, _ in first })
        var rest = 1.0
        let places = deal.picks(of: plan).shares
        return Spilled(
            prefix: Prefix(address.masked(to: length), length: length),
            hash: deal.method == .spillByClient ? Rendezvous.client(address) : nil,
            shares: places.map { place in
                let isLast = place == places.upperBound - 1
                let part = isLast ? rest : rest * Double(shares[place].weight) * 0x1p-32
                rest -= part
                return Spilled.Share(label: labels[shares[place].hash] ?? "?", portion: part)
            })
    }
}

extension SelectorState {
    /// It hands clients on when a target is full.
    var isSpill: Bool { method == .spillByClient || method == .spillByQuery }
}
