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
    package enum Outcome: Sendable, BitwiseCopyable, Hashable {
        /// Addresses of an endpoint of the plan.
        case endpoint(Int)
        /// Those of several; which they are says `AnswerTable.endpoints(of:)`.
        case group(Int)
        /// CNAME to the name at this place of the view's bytes.
        case external(Int)
        /// NODATA.
        case nothing
    }
    package var outcome: Outcome
    package var ttl: UInt32
    /// ECS scope for the family of the client subnet; 0 where the client's place played no part.
    package var scope: Int
    /// Of the first policy on the way that was not followed to its ordinary choice (an operator's
    /// order after all others), else of the last one.
    package var reason: Reason
}

/// What queries read to decide, valid while the `AnswerTable` lives.
package struct SteeringView: Sendable {
    let names: TableView<NameState>
    let selectors: TableView<SelectorState>
    let choices: TableView<Choice>
    let shares: TableView<ShareState>
    let deals: TableView<SelectorState>
    let endpoints: TableView<EndpointState>
    /// Addresses, each after its RDLENGTH, and external names in wire form.
    package let bytes: TableView<UInt8>
    let tables: TableView<LocationTable.View>
    /// Where answers of what spills are counted; nowhere unless whoever holds the counters says so.
    package var counts = CounterView()
    /// To be added to the number of a GEO name when AAAA is asked for.
    package let ipv6NameOffset: Int

    /// What most decisions come to: addresses, after one look at a ranking, or at a choice for all.
    package struct Step: Sendable, BitwiseCopyable {
        /// An endpoint, or a group.
        package var endpoint: UInt32
        package var ttl: UInt32
        package var scope: UInt8
        package var reason: Reason

        @inline(__always)
        init(endpoint: UInt32, ttl: UInt32, scope: UInt8, reason: Reason) {
            self.endpoint = endpoint
            self.ttl = ttl
            self.scope = scope
            self.reason = reason
        }

        /// Nil when no addresses are to be answered.
        package init?(_ decision: Decision) {
            switch decision.outcome {
            case .endpoint(let index), .group(let index):
                self.init(
                    endpoint: UInt32(index), ttl: decision.ttl,
                    scope: UInt8(decision.scope), reason: decision.reason)
            case .external, .nothing: return nil
            }
        }
    }

    /// The way in which GEO name `name` picks.
    package func selector(ofName name: Int) -> UInt32 { names[name].selector }

    /// What `decide` says where it is as simple as that; nil: it is not. `address` is the client's
    /// own, or, with `isSubnet`, what its client subnet says.
    ///
    /// Mutating as `decide` is.
    package mutating func decideAtOnce(
        name: Int, for address: IPAddress, isSubnet: Bool
    ) -> Step? {
        let state = names[name]
        let selector = selectors[Int(state.selector)]
        var place = Int(selector.firstChoice)
        var scope = 0
        switch selector.method {
        case .fixed: break
        case .ranked where selector.usesClientSubnet || !isSubnet:
            let match = tables[Int(selector.table)].find(address)
            place &+= match.order
            if isSubnet {
                // It gets the order of the resolver.
                if match.order == tables[Int(selector.table)].special { return nil }
                scope = match.scope
            }
        default: return nil
        }
        let choice = choices[place]
        switch choice.kind {
        case .endpoint, .group: break
        default: return nil
        }
        return Step(
            endpoint: choice.index, ttl: state.ttl, scope: UInt8(truncatingIfNeeded: scope),
            reason: Reason.default.followed(by: choice.reason))
    }

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
        for _ in 0..<SteeringPlan.stepMax {
            let state = names[name]
            decision.ttl = min(decision.ttl, state.ttl)
            var choice = choose(selectors[Int(state.selector)], client, &decision.scope, &random)
            while true {
                decision.reason = decision.reason.followed(by: choice.reason)
                switch choice.kind {
                case .endpoint:
                    decision.outcome = .endpoint(Int(choice.index))
                    return decision
                case .group:
                    decision.outcome = .group(Int(choice.index))
                    return decision
                case .external:
                    decision.outcome = .external(Int(choice.index))
                    return decision
                case .nothing:
                    return decision
                case .dealt:
                    // At most `dealMax` times.
                    choice = deal(choice, client, &decision.scope, &random)
                    continue
                case .name:
                    name = Int(choice.index)
                }
                break
            }
        }
        return decision
    }

    /// One step, up to what is `dealt`.
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
                match = tables[Int(selector.table)].find(subnet: subnet, else: client.source)
                scope = max(scope, match.scope)
            } else {
                match = tables[Int(selector.table)].find(client.source)
            }
            return choices[Int(selector.firstChoice) + match.order]
        default:
            return share(selector, client, &scope, &random)
        }
    }

    /// What a choice of kind `dealt` comes to for this client or query.
    mutating func deal(
        _ choice: Choice, _ client: Client, _ scope: inout Int, _ random: inout RandomSource
    ) -> Choice {
        share(deals[Int(choice.index)], client, &scope, &random)
    }

    /// Of the shares of `selector` that of this client or query. Apart, so that what has no shares
    /// does not pay for them.
    @inline(never)
    private mutating func share(
        _ selector: SelectorState, _ client: Client, _ scope: inout Int,
        _ random: inout RandomSource
    ) -> Choice {
        let first = Int(selector.firstShare)
        let range = first..<first + Int(selector.shareCount)
        switch selector.method {
        case .fixed, .ranked:
            return choices[Int(selector.firstChoice)]
        case .sharesByQuery:
            return share(at: random.next(below: selector.totalWeight), from: first)
        case .sharesInTurn:
            let position = random.turn(
                of: Int(selector.firstChoice), step: selector.table, below: selector.totalWeight)
            return share(at: position, from: first)
        case .rampByQuery:
            return shares[Rendezvous.ramp(range, shares, random.next())].choice
        case .spillByQuery:
            counts.increment(Int(selector.table))
            return shares[Rendezvous.ramp(range, shares, random.next())].choice
        case .spillByClient where selector.shareCount == 1:
            counts.increment(Int(selector.table))
            return shares[first].choice
        case .sharesByClient, .rampByClient, .spillByClient:
            if selector.method == .spillByClient { counts.increment(Int(selector.table)) }
            var address = client.source
            if selector.usesClientSubnet, let subnet = client.subnet {
                address = subnet
                scope = max(scope, Rendezvous.prefixLength(of: subnet.family))
            }
            let index =
                selector.method == .sharesByClient
                ? Rendezvous.pick(range, shares, address)
                : Rendezvous.ramp(range, shares, Rendezvous.client(address))
            return shares[index].choice
        }
    }

    /// `position` is below the sum of the weights.
    private func share(at position: UInt32, from first: Int) -> Choice {
        var index = first
        while shares[index].cumulativeWeight <= position { index += 1 }
        return shares[index].choice
    }

    /// Where the addresses of an endpoint or a group stand in `bytes`, and how many there are.
    package func addresses(
        of endpoint: Int, family: IPAddress.Family
    ) -> (start: Int, count: UInt16) {
        let state = endpoints[endpoint]
        return family == .ipv4
            ? (Int(state.firstIPv4), state.ipv4Count) : (Int(state.firstIPv6), state.ipv6Count)
    }
}
