package import Addressing
import DNSWire
package import Geography

/// What clients of some part of the address space get under a GEO name: one outcome, or several
/// where shares are drawn or hashed.
package struct Outlook: Sendable, Equatable {
    package struct Share: Sendable, Equatable {
        package var outcome: Decision.Outcome
        package var reason: Reason
        /// Of the clients, above 0; all together make 1.
        package var portion: Double
    }

    /// What such answers are counted as.
    package struct Count: Sendable, Equatable {
        /// A slot of the plan.
        package var slot: Int
        /// Of the clients.
        package var portion: Double
    }

    package private(set) var shares: [Share] = []
    /// Of names that spill.
    package fileprivate(set) var counts: [Count] = []
    /// Length of the widest prefix around the address that has the same; 0: all of its family has.
    package fileprivate(set) var scope = 0

    /// Nothing for anyone.
    package init() {}

    fileprivate mutating func add(_ outcome: Decision.Outcome, _ reason: Reason, _ portion: Double)
    {
        if let index = shares.firstIndex(where: { $0.outcome == outcome && $0.reason == reason }) {
            shares[index].portion += portion
        } else {
            shares.append(Share(outcome: outcome, reason: reason, portion: portion))
        }
    }
}

extension AnswerTable {
    /// What clients around `address` get under GEO name `name`. Hashes count as shares: whom they
    /// give what is as good as drawn.
    package func outlook(name: Int, around address: IPAddress) -> Outlook {
        var outlook = Outlook()
        follow(name, address, portion: 1, reason: nil, depth: 0, into: &outlook)
        return outlook
    }

    /// As `SteeringView.decide`, for all draws at once.
    private func follow(
        _ name: Int, _ address: IPAddress, portion: Double, reason: Reason?, depth: Int,
        into outlook: inout Outlook
    ) {
        // Cycles are refused at load; the bound is stated again.
        guard depth < SteeringPlan.stepMax else { return }
        func spread(_ selector: SelectorState, _ portion: Double) {
            let first = Int(selector.firstShare)
            var rest = portion
            if selector.isSpill {
                outlook.counts.append(
                    Outlook.Count(slot: Int(selector.table), portion: portion))
            }
            for (index, share) in (first..<first + Int(selector.shareCount)).enumerated().map({
                ($0, shares[$1])
            }) {
                switch selector.method {
                case .rampByClient, .rampByQuery, .spillByClient, .spillByQuery:
                    let isLast = index == Int(selector.shareCount) - 1
                    let taken = isLast ? rest : rest * Double(share.weight) * 0x1p-32
                    if taken > 0 { take(share.choice, taken) }
                    rest -= taken
                default:
                    let portion = portion * Double(share.weight) / Double(selector.totalWeight)
                    if portion > 0 { take(share.choice, portion) }
                }
            }
        }
        func take(_ choice: Choice, _ portion: Double) {
            let reason = reason?.followed(by: choice.reason) ?? choice.reason
            switch choice.kind {
            case .endpoint: outlook.add(.endpoint(Int(choice.index)), reason, portion)
            case .group: outlook.add(.group(Int(choice.index)), reason, portion)
            case .external: outlook.add(.external(Int(choice.index)), reason, portion)
            case .nothing: outlook.add(.nothing, reason, portion)
            case .dealt: spread(deals[Int(choice.index)], portion)
            case .name:
                follow(
                    Int(choice.index), address, portion: portion, reason: reason,
                    depth: depth + 1, into: &outlook)
            }
        }
        let selector = selectors[Int(names[name].selector)]
        switch selector.method {
        case .fixed:
            take(choices[Int(selector.firstChoice)], portion)
        case .ranked:
            let match = find(address, selector)
            outlook.scope = max(outlook.scope, match.scope)
            take(choices[Int(selector.firstChoice) + match.order], portion)
        default:
            spread(selector, portion)
        }
    }

    /// A number that tells the outlook of an address from others under the same name: two addresses
    /// have one outlook when it is the same, as far as 64 bits can tell. It costs only the lookups.
    package func way(name: Int, around address: IPAddress) -> (way: UInt64, scope: Int) {
        var found = (way: UInt64(0), scope: 0)
        lookUp(name, address, depth: 0, &found)
        return found
    }

    private func lookUp(
        _ name: Int, _ address: IPAddress, depth: Int, _ found: inout (way: UInt64, scope: Int)
    ) {
        guard depth < SteeringPlan.stepMax else { return }
        func take(_ choice: Choice, _ found: inout (way: UInt64, scope: Int)) {
            switch choice.kind {
            case .name: lookUp(Int(choice.index), address, depth: depth + 1, &found)
            case .dealt: takeShares(of: deals[Int(choice.index)], &found)
            case .endpoint, .group, .external, .nothing: break
            }
        }
        func takeShares(
            of selector: SelectorState, _ found: inout (way: UInt64, scope: Int)
        ) {
            let first = Int(selector.firstShare)
            for index in first..<first + Int(selector.shareCount) {
                take(shares[index].choice, &found)
            }
        }
        let selector = selectors[Int(names[name].selector)]
        switch selector.method {
        case .fixed:
            take(choices[Int(selector.firstChoice)], &found)
        case .ranked:
            let match = find(address, selector)
            found.scope = max(found.scope, match.scope)
            found.way = RandomSource.mix(found.way ^ UInt64(match.order + 1))
            take(choices[Int(selector.firstChoice) + match.order], &found)
        default:
            takeShares(of: selector, &found)
        }
    }

    /// Of what GEO name `name` does at this moment: names that have the same one answer alike.
    package func selector(ofName name: Int) -> Int { Int(names[name].selector) }

    /// The target's label, the external name, or `nothing`.
    package func label(of outcome: Decision.Outcome) -> String {
        switch outcome {
        case .endpoint(let index): plan.endpoints[index].label
        case .group:
            endpoints(of: outcome).map { plan.endpoints[$0].label }.joined(separator: "+")
        case .external(let start): externalName(at: start)
        case .nothing: "nothing"
        }
    }

    private func externalName(at start: Int) -> String {
        var end = start
        while bytes[end] != 0 { end += 1 + Int(bytes[end]) }
        return DomainName(wire: (start...end).map { bytes[$0] })?.description ?? "?"
    }
}

extension LocationSource {
    /// Divides the address space of `family` so that each part lies in one place and has one
    /// scope: `scope` gives the length of the widest prefix around an address that is alike.
    /// Parts come in address order. IPv6 forms of IPv4 addresses are left out: they are IPv4.
    package func forEachPart(
        of family: IPAddress.Family, scope: (IPAddress) -> Int,
        _ body: (_ part: Prefix, _ place: PlaceIndex) -> Void
    ) {
        forEachLeaf(of: family) { bits, length, place in
            let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
            var address = leaf.address
            while true {
                var part: Prefix
                if let embedding = Self.embedding(around: address) {
                    part = embedding
                } else {
                    part = Prefix(address, length: max(scope(address), length, address.alignment))
                    while part.holdsAnEmbedding { part = part.half(0) }
                    body(part, place)
                }
                guard let next = part.following, leaf.contains(next) else { break }
                address = next
            }
        }
    }

    private static func embedding(around address: IPAddress) -> Prefix? {
        IPAddress.embeddingPrefixes.first { $0.family == address.family && $0.contains(address) }
    }
}

extension IPAddress {
    /// Length of the widest prefix that begins with this address.
    package var alignment: Int { bits == 0 ? 0 : 128 - bits.trailingZeroBitCount }
}

extension Prefix {
    fileprivate var holdsAnEmbedding: Bool {
        IPAddress.embeddingPrefixes.contains { $0.family == family && contains($0) }
    }

    /// The address behind the last one; nil at the end of the family.
    package var following: IPAddress? {
        guard length > 0 else { return nil }
        let (next, overflow) = address.bits.addingReportingOverflow(1 << UInt128(128 - length))
        return overflow ? nil : IPAddress(leftAligned: next, family: family)
    }
}
