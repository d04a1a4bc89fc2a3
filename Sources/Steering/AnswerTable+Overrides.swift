import DNSWire

extension OverrideEffect {
    /// The plan's selectors and one more for each name whose weights are overridden, and which of
    /// these each name uses. Names that steer alike share a selector, so none is changed in place.
    func policies(of plan: SteeringPlan) -> (policies: [Selector], indexes: [Int]) {
        var policies = plan.selectors
        var indexes = plan.names.map(\.selector)
        for (name, weights) in weights.sorted(by: { $0.key < $1.key }) {
            var selector = plan.selectors[indexes[name]]
            selector.weights = weights
            indexes[name] = policies.count
            policies.append(selector)
        }
        return (policies, indexes)
    }
}

extension AnswerTableBuilder {
    /// Gives the reason `override` to every choice that would be another one without overrides.
    /// What became a backup or a last resort stays that: an alarm is an alarm whoever caused it.
    mutating func markOverridden(against plain: AnswerTableBuilder) {
        let names = Dictionary(
            zip(names.map { Int($0.selector) }, plain.names.map { Int($0.selector) }),
            uniquingKeysWith: { first, _ in first })
        for index in selectors.indices {
            // What no name uses any more nobody asks.
            guard let original = names[index] else { continue }
            let (mine, theirs) = (picks(selectors[index]), plain.picks(plain.selectors[original]))
            let isAlike =
                selectors[index].method == plain.selectors[original].method
                && mine.choices.count == theirs.choices.count
            for (offset, place) in mine.choices.enumerated() {
                if isAlike,
                    isSame(choices[place], plain.choices[theirs.choices.lowerBound + offset], plain)
                {
                    continue
                }
                mark(&choices[place])
                if choices[place].kind == .dealt {
                    markShares(of: deals[Int(choices[place].index)])
                }
            }
            if !areSame(mine.shares, theirs.shares, plain) { markShares(of: selectors[index]) }
        }
    }

    /// Of shares nobody can say which one would have been another.
    private mutating func markShares(of selector: SelectorState) {
        for place in picks(selector).shares {
            mark(&shares[place].choice)
            if shares[place].choice.kind == .dealt {
                markShares(of: deals[Int(shares[place].choice.index)])
            }
        }
    }

    private func mark(_ choice: inout Choice) {
        if !choice.reason.isSpecial { choice.reason = .override }
    }

    /// Whether both choices lead to the same.
    func isSame(_ choice: Choice, _ other: Choice, _ builder: AnswerTableBuilder) -> Bool {
        guard choice.kind == other.kind else { return false }
        let (index, otherIndex) = (Int(choice.index), Int(other.index))
        switch choice.kind {
        case .endpoint, .name: return index == otherIndex
        case .nothing: return true
        case .external: return wireName(at: index) == builder.wireName(at: otherIndex)
        case .group:
            let count = plan.endpoints.count
            return groups[index - count] == builder.groups[otherIndex - count]
        case .dealt:
            let (mine, theirs) = (deals[index], builder.deals[otherIndex])
            return mine.method == theirs.method
                && areSame(picks(mine).shares, builder.picks(theirs).shares, builder)
        }
    }

    func areSame(
        _ range: Range<Int>, _ other: Range<Int>, _ builder: AnswerTableBuilder
    ) -> Bool {
        range.count == other.count
            && zip(range, other).allSatisfy { mine, theirs in
                shares[mine].weight == builder.shares[theirs].weight
                    && isSame(shares[mine].choice, builder.shares[theirs].choice, builder)
            }
    }

    private func wireName(at start: Int) -> ArraySlice<UInt8> {
        var end = start
        while bytes[end] != 0 { end += 1 + Int(bytes[end]) }
        return bytes[start...end]
    }

    /// Where the choices and the shares of a selector stand.
    func picks(_ selector: SelectorState) -> Picks { selector.picks(of: plan) }
}

/// What a selector may pick.
struct Picks {
    var choices: Range<Int>
    var shares: Range<Int>
}

extension SelectorState {
    /// Where the choices and the shares of a selector stand. Of one that divides clients nothing:
    /// it leads to names alone.
    func picks(of plan: SteeringPlan) -> Picks {
        let choiceCount: Int
        switch method {
        case .fixed: choiceCount = 1
        case .ranked:
            let isPlanned = Int(table) < plan.rankings.count
            choiceCount = isPlanned ? plan.rankings[Int(table)].orders.count : 0
        case .sharesByQuery, .sharesByClient, .sharesInTurn, .rampByQuery, .rampByClient,
            .spillByQuery, .spillByClient:
            choiceCount = 0
        }
        let first = choiceCount == 0 ? 0 : Int(firstChoice)
        return Picks(
            choices: first..<first + choiceCount,
            shares: Int(firstShare)..<Int(firstShare) + Int(shareCount))
    }
}

extension AnswerTable {
    /// For each endpoint of the plan the longest TTL of an answer that may name it now; nil when
    /// none may.
    package var longestTTLs: [UInt32?] {
        var selectorTTLs = [UInt32?](repeating: nil, count: selectors.count)
        for name in 0..<names.count {
            let selector = Int(names[name].selector)
            selectorTTLs[selector] = max(selectorTTLs[selector] ?? 0, names[name].ttl)
        }
        var result = [UInt32?](repeating: nil, count: plan.endpoints.count)
        for (selector, ttl) in selectorTTLs.enumerated() {
            guard let ttl else { continue }
            forEachOffer(of: selector) { result[$0] = max(result[$0] ?? 0, ttl) }
        }
        return result
    }

    /// The GEO names that may answer with an endpoint now, not counting those that lead to others.
    package func names(offering endpoint: Int) -> [GeoName] {
        let isOffering = (0..<selectors.count).map { selector in
            var isFound = false
            forEachOffer(of: selector) { if $0 == endpoint { isFound = true } }
            return isFound
        }
        let found = (0..<names.count).filter { isOffering[Int(names[$0].selector)] }
        return Set(found.map(planName)).sorted().map { plan.names[$0] }
    }

    /// Many names may share a selector: it is looked at once. A name that leads to another has that
    /// name's answers, with at most its TTL: the other is told of, so it need not be.
    private func forEachOffer(of selector: Int, _ body: (_ endpoint: Int) -> Void) {
        let picks = selectors[selector].picks(of: plan)
        for place in picks.choices { offer(choices[place], body) }
        for place in picks.shares { offer(shares[place].choice, body) }
    }

    private func offer(_ choice: Choice, _ body: (_ endpoint: Int) -> Void) {
        switch choice.kind {
        case .endpoint: body(Int(choice.index))
        case .group: for endpoint in endpoints(of: .group(Int(choice.index))) { body(endpoint) }
        case .dealt:
            // At most `dealMax` times.
            let deal = deals[Int(choice.index)].picks(of: plan)
            for place in deal.shares { offer(shares[place].choice, body) }
        case .name, .external, .nothing: break
        }
    }
}
