import Addressing
import Geography

// Overrides that are limited to some clients. There is one variant of all names for everybody, and
// one for each other effect; they stand one behind the other, and in front of them stands an entry
// for each name. Of a name that is the same in all of them it is the first one itself: nothing has
// changed for its queries. Of any other it is a divider, ranked by the partition of clients, whose
// choices are the name's variants: the path of a query knows nothing of all this, and the scope of
// an answer is that of the divider too.
extension AnswerTableBuilder {
    /// Makes one for everybody, and for each other effect, of which `build` knows all but what it
    /// changes.
    static func build(
        _ plan: SteeringPlan, _ overrides: OverrideEffects,
        _ build: (OverrideEffect) -> AnswerTableBuilder
    ) -> AnswerTableBuilder {
        guard !overrides.isEmpty else { return build(OverrideEffect()) }
        let plain = build(OverrideEffect())
        func marked(_ effect: OverrideEffect) -> AnswerTableBuilder {
            var builder = build(effect)
            builder.markOverridden(against: plain)
            return builder
        }
        var builder = marked(overrides.everybody)
        guard let parts = overrides.parts else { return builder }
        var variants: [OverrideEffect: Int] = [overrides.everybody: 0]
        var others: [AnswerTableBuilder] = []
        let partOf = parts.effects.map { effect in
            if let known = variants[effect] { return known }
            others.append(marked(effect))
            variants[effect] = others.count
            return others.count
        }
        builder.divide(others, partOf: partOf, table: plan.rankings.count)
        return builder
    }

    /// Puts the variants together; the first one is `self`, for everybody. `partOf[i]`: which of
    /// them clients in order i of the partition get. `table`: the partition's number.
    private mutating func divide(
        _ others: [AnswerTableBuilder], partOf: [Int], table: Int
    ) {
        // Twice those of the plan where A and AAAA are decided apart.
        let count = names.count
        let variants = [self] + others
        let differing = names(differingIn: variants)
        self.variants = variants.map(\.overrides)
        (names, selectors, choices, shares, deals, bytes) = ([], [], [], [], [], [])
        (endpoints, groups, selectorPolicies) = ([], [], [])
        var variantNames: [NameState] = []
        for (number, variant) in variants.enumerated() {
            variantNames += append(variant, nameOffset: count * (1 + number))
        }
        names = (0..<count).map { name in
            let planned = name % plan.names.count
            guard differing[planned] else { return variantNames[name] }
            // TTL and reason are those of the variant that follows.
            let state = NameState(selector: UInt32(selectors.count), ttl: .max)
            selectors.append(
                SelectorState(
                    method: .ranked,
                    usesClientSubnet: policies[policyIndexes[planned]].usesClientSubnet,
                    table: UInt32(table), firstChoice: UInt32(choices.count),
                    firstShare: UInt32(shares.count), shareCount: 0, totalWeight: 0))
            choices += partOf.map { part in
                Choice(
                    kind: .name, reason: .default, index: UInt32(count * (1 + part) + name))
            }
            return state
        }
        names += variantNames
    }

    /// Returns its names.
    private mutating func append(
        _ variant: AnswerTableBuilder, nameOffset: Int
    ) -> [NameState] {
        let isFirst = endpoints.isEmpty
        let (choiceCount, shareCount, dealCount, byteCount, selectorCount) = (
            UInt32(choices.count), UInt32(shares.count), UInt32(deals.count), UInt32(bytes.count),
            UInt32(selectors.count)
        )
        // Endpoints are the same in all: what of them is up is for the checks to say. Groups are
        // each variant's own.
        let groupOffset = isFirst ? 0 : UInt32(endpoints.count - plan.endpoints.count)
        func moved(_ choice: Choice) -> Choice {
            var choice = choice
            switch choice.kind {
            case .name: choice.index += UInt32(nameOffset)
            case .external: choice.index += byteCount
            case .group: choice.index += groupOffset
            case .dealt: choice.index += dealCount
            case .endpoint, .nothing: break
            }
            return choice
        }
        func moved(_ selector: SelectorState) -> SelectorState {
            var selector = selector
            selector.firstShare += shareCount
            // Whose turn it is goes on, whichever of the variants is asked.
            if selector.method != .sharesInTurn { selector.firstChoice += choiceCount }
            return selector
        }
        selectors += variant.selectors.map(moved)
        deals += variant.deals.map(moved)
        choices += variant.choices.map(moved)
        shares += variant.shares.map { share in
            var share = share
            share.choice = moved(share.choice)
            return share
        }
        endpoints += variant.endpoints[(isFirst ? 0 : plan.endpoints.count)...].map { endpoint in
            var endpoint = endpoint
            endpoint.firstIPv4 += byteCount
            endpoint.firstIPv6 += byteCount
            return endpoint
        }
        groups += variant.groups
        bytes += variant.bytes
        selectorPolicies += variant.selectorPolicies
        return variant.names.map { name in
            NameState(selector: name.selector + selectorCount, ttl: name.ttl)
        }
    }

    /// Names of the plan that not all clients are answered alike under.
    private func names(differingIn variants: [AnswerTableBuilder]) -> [Bool] {
        let families = stride(from: 0, to: names.count, by: max(plan.names.count, 1))
        var differing = plan.names.indices.map { name in
            variants.dropFirst().contains { variant in
                !families.allSatisfy { variant.isAlike(name + $0, self) }
            }
        }
        // Names that lead to such names. Nesting is bounded and without cycles.
        for _ in 0..<SteeringPlan.nestingMax {
            for name in plan.names.indices where !differing[name] {
                differing[name] = variants.contains { variant in
                    families.contains { family in
                        variant.nestedNames(of: name + family).contains {
                            differing[$0 % plan.names.count]
                        }
                    }
                }
            }
        }
        return differing
    }

    private func isAlike(_ name: Int, _ other: AnswerTableBuilder) -> Bool {
        let (index, otherIndex) = (Int(names[name].selector), Int(other.names[name].selector))
        let (left, right) = (selectors[index], other.selectors[otherIndex])
        let (mine, theirs) = (picks(left), other.picks(right))
        // Weights may be of no account for the moment; explanations show them.
        return names[name].ttl == other.names[name].ttl && left.method == right.method
            && selectorPolicies[index].weights == other.selectorPolicies[otherIndex].weights
            && mine.choices.count == theirs.choices.count
            && zip(mine.choices, theirs.choices).allSatisfy {
                isEqual(choices[$0], other.choices[$1], other)
            }
            && areSame(mine.shares, theirs.shares, other)
            && zip(mine.shares, theirs.shares).allSatisfy {
                shares[$0].choice.reason == other.shares[$1].choice.reason
            }
    }

    /// The reason is part of what is answered.
    private func isEqual(
        _ choice: Choice, _ other: Choice, _ builder: AnswerTableBuilder
    ) -> Bool {
        choice.reason == other.reason && isSame(choice, other, builder)
    }

    private func nestedNames(of name: Int) -> [Int] {
        func names(_ choice: Choice) -> [Int] {
            switch choice.kind {
            case .name: [Int(choice.index)]
            case .dealt:
                picks(deals[Int(choice.index)]).shares.flatMap { names(shares[$0].choice) }
            case .endpoint, .group, .external, .nothing: []
            }
        }
        let found = picks(selectors[Int(self.names[name].selector)])
        return found.choices.flatMap { names(choices[$0]) }
            + found.shares.flatMap { names(shares[$0].choice) }
    }
}

extension AnswerTable {
    /// Number in the plan of a name as choices have it.
    func planName(_ index: Int) -> Int { index % max(plan.names.count, 1) }

    /// The variant that such a name belongs to: what operators have ordered for its clients.
    func variant(_ index: Int) -> OverrideEffect {
        variants[max(index / max(variantNameCount, 1) - 1, 0)]
    }

    /// 0 or 1: for which of IPv4 and IPv6 it decides, where they are decided apart.
    func family(_ index: Int) -> Int { index % max(variantNameCount, 1) / plan.names.count }

    private var variantNameCount: Int {
        ipv6NameOffset > 0 ? 2 * plan.names.count : plan.names.count
    }

    /// Whether it only finds out which variant of a name counts. Variants stand in front of it.
    func isDivider(_ selector: Int) -> Bool { selector >= policies.count }

    /// What the table of a ranked selector says.
    func find(_ address: IPAddress, _ selector: SelectorState) -> LocationTable.Match {
        let index = Int(selector.table)
        if index == plan.rankings.count, let clientTable { return clientTable.find(address) }
        return plan.rankings[index].table.find(address)
    }

    /// What `decide` goes by for this client, and the address that has that order.
    func find(
        _ client: Client, _ selector: SelectorState
    ) -> (match: LocationTable.Match, placed: IPAddress) {
        guard selector.usesClientSubnet, let subnet = client.subnet else {
            return (find(client.source, selector), client.source)
        }
        var match = find(subnet, selector)
        let index = Int(selector.table)
        guard index < plan.rankings.count, match.order == plan.rankings[index].table.special
        else { return (match, subnet) }
        match.order = find(client.source, selector).order
        return (match, client.source)
    }
}
