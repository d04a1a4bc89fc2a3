package import Addressing
import Geography
package import Tables

/// Whose answer it is, as far as it matters: the address that is looked up, and whether it came
/// with the query (EDNS Client Subnet) or is the resolver's own.
package struct Client: Sendable, BitwiseCopyable {
    /// The source address of the query.
    package var source: IPAddress
    /// The client subnet's address, when the query carries one that may be used.
    package var subnet: IPAddress?

    package init(source: IPAddress, subnet: IPAddress? = nil) {
        self.source = source
        self.subnet = subnet
    }
}

/// What to answer for a GEO name.
package struct Decision: Sendable, BitwiseCopyable {
    package enum Outcome: Sendable, BitwiseCopyable, Equatable {
        /// Addresses of an endpoint of the plan.
        case endpoint(Int)
        /// CNAME to the name at this place of the view's bytes.
        case external(Int)
        /// NODATA.
        case nothing
    }
    package var outcome: Outcome
    package var ttl: UInt32
    /// ECS scope for the family of the client subnet; 0 where the client's place played no part.
    package var scope: Int
    /// Of the first policy on the way that was not followed to its ordinary choice, else of the
    /// last one.
    package var reason: Reason
}

/// What queries read to decide, valid while the `AnswerTable` lives.
package struct SteeringView: Sendable {
    let names: TableView<NameState>
    let selectors: TableView<SelectorState>
    let choices: TableView<Choice>
    let shares: TableView<ShareState>
    let endpoints: TableView<EndpointState>
    /// Addresses, each after its RDLENGTH, and external names in wire form.
    package let bytes: TableView<UInt8>
    let tables: TableView<LocationTable.View>

    /// Picks the target for `client` under GEO name `name`; draws from `random` where shares go by
    /// query.
    ///
    /// Changes nothing; mutating, so that the view is not copied for the call (Swift 6.3, seen in
    /// callgrind).
    package mutating func decide(
        name: Int, client: Client, random: inout RandomSource
    ) -> Decision {
        var decision = Decision(outcome: .nothing, ttl: .max, scope: 0, reason: .default)
        var name = name
        // Cycles are refused at load; the bound is stated again.
        for _ in 0..<SteeringPlan.nestingMax {
            let state = names[name]
            decision.ttl = min(decision.ttl, state.ttl)
            let choice = choose(selectors[Int(state.selector)], client, &decision.scope, &random)
            if decision.reason != .lastResort && decision.reason != .backup {
                decision.reason = choice.reason
            }
            switch choice.kind {
            case .endpoint:
                decision.outcome = .endpoint(Int(choice.index))
                return decision
            case .external:
                decision.outcome = .external(Int(choice.index))
                return decision
            case .nothing:
                return decision
            case .name:
                name = Int(choice.index)
            }
        }
        return decision
    }

    @inline(__always)
    mutating func choose(
        _ selector: SelectorState, _ client: Client, _ scope: inout Int,
        _ random: inout RandomSource
    ) -> Choice {
        switch selector.method {
        case .fixed:
            return choices[Int(selector.firstChoice)]
        case .ranked:
            let match: LocationTable.Match
            if selector.usesClientSubnet, let subnet = client.subnet {
                match = tables[Int(selector.table)].find(subnet)
                scope = max(scope, match.scope)
            } else {
                match = tables[Int(selector.table)].find(client.source)
            }
            return choices[Int(selector.firstChoice) + match.order]
        case .sharesByQuery:
            let draw = random.next(below: selector.totalWeight)
            var index = Int(selector.firstShare)
            while shares[index].cumulativeWeight <= draw { index += 1 }
            return shares[index].choice
        case .sharesByClient:
            var address = client.source
            if selector.usesClientSubnet, let subnet = client.subnet {
                address = subnet
                scope = max(scope, Rendezvous.prefixLength(of: subnet.family))
            }
            let first = Int(selector.firstShare)
            return shares[
                Rendezvous.pick(first..<first + Int(selector.shareCount), shares, address)
            ]
            .choice
        }
    }

    /// Where the addresses of an endpoint stand in `bytes`, and how many there are.
    package func addresses(
        of endpoint: Int, family: IPAddress.Family
    ) -> (start: Int, count: UInt16) {
        let state = endpoints[endpoint]
        return family == .ipv4
            ? (Int(state.firstIPv4), state.ipv4Count) : (Int(state.firstIPv6), state.ipv6Count)
    }
}
