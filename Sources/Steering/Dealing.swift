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
