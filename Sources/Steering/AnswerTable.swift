import Addressing
import Geography
package import Health
import Tables
import Zones

/// What every policy answers at this moment: made anew from a plan whenever health changes, and
/// read by queries without any further thought about health.
package final class AnswerTable: Sendable {
    package let plan: SteeringPlan
    /// What operators have ordered for all clients.
    package let overrides: OverrideEffect
    /// That, and what they have ordered for some, one for each variant of the names.
    let variants: [OverrideEffect]
    /// Finds whom other orders are limited to; nil when none is.
    let clientTable: LocationTable?
    /// The plan's tables, and behind them that one.
    private let tables: FrozenArray<LocationTable.View>
    /// The state of each endpoint of the plan, under the overrides: never `unknown`.
    package let endpointStates: [HealthState]
    /// Whether each endpoint of the plan takes clients: `up` or `degraded`.
    package let endpointIsUp: [Bool]
    /// Whether each GEO name of the plan has anything that is up.
    package let nameIsUp: [Bool]
    /// The state of each endpoint by its addresses of one family, IPv4 and IPv6; nil: it has none.
    let familyStates: [[HealthState?]]
    /// Whether each GEO name of the plan ignores health, because too little is up (`panic=`).
    package let nameIsInPanic: [Bool]
    /// What may be handed on from where, as far as names spill.
    let spillSources: [Spill.Source]
    /// What is.
    package let spill: Spill.Shares
    /// Endpoints that are answered together.
    let groups: [[Int]]
    /// Where those of A begin, those of AAAA, if queries for the two are decided apart; else 0.
    package let ipv6NameOffset: Int
    let names: FrozenArray<NameState>
    let selectors: FrozenArray<SelectorState>
    /// What each of them was made of, but for those that divide clients, which stand behind them.
    let policies: [Selector]
    let choices: FrozenArray<Choice>
    let shares: FrozenArray<ShareState>
    let deals: FrozenArray<SelectorState>
    let endpoints: FrozenArray<EndpointState>
    /// Addresses of endpoints, each after its RDLENGTH, and names of external targets, as they
    /// stand on the wire.
    let bytes: FrozenArray<UInt8>

    /// `probes[i]` names the plan's probe i in `health`. The endpoints in `forcedDown` count as
    /// down whatever their checks say, those in `drained` as drained unless they are down; those in
    /// `held` are used only where nothing else is up. Those in `ramping` get that percentage of
    /// their clients. `overrides` beat all of that. `spill` hands clients on among what is
    /// up then.
    package init(
        _ plan: SteeringPlan, health: HealthTable, probes: [ProbeIdentifier],
        forcedDown: Set<Int> = [], drained: Set<Int> = [], held: Set<SteeringPlan.Hold> = [],
        ramping: [SteeringPlan.Ramp: UInt32] = [:],
        overrides: OverrideEffects = OverrideEffects(), spill: Spill.Shares = Spill.Shares()
    ) {
        let builder = AnswerTableBuilder.build(plan, overrides) { effect in
            var builder = AnswerTableBuilder(
                plan, forcedDown: forcedDown, drained: drained, held: held, ramping: ramping,
                overrides: effect, spill: spill)
            builder.build(health, probes)
            return builder
        }
        self.plan = plan
        self.overrides = overrides.everybody
        variants = builder.variants
        clientTable = overrides.parts?.table
        if let clientTable {
            let planned = (0..<plan.tables.count).map { plan.tables[$0] }
            // SAFETY: this object holds that table, and the plan, which holds the others.
            tables = unsafe FrozenArray(planned + [clientTable.view])
        } else {
            tables = plan.tables
        }
        policies = builder.selectorPolicies
        endpointStates = builder.endpointStates
        endpointIsUp = endpointStates.map(\.isOpen)
        familyStates = builder.familyStates
        nameIsUp = builder.namesUp
        nameIsInPanic = builder.policyIndexes.map { builder.selectorsInPanic.contains($0) }
        spillSources = builder.spillSources.sorted { $0.key < $1.key }.map(\.value)
            .filter { $0.portion > 0 }
        self.spill = spill
        groups = builder.groups
        ipv6NameOffset = plan.decidesByFamily ? plan.names.count : 0
        names = FrozenArray(builder.names)
        selectors = FrozenArray(builder.selectors)
        choices = FrozenArray(builder.choices)
        shares = FrozenArray(builder.shares)
        deals = FrozenArray(builder.deals)
        endpoints = FrozenArray(builder.endpoints)
        bytes = FrozenArray(builder.bytes)
    }

    /// No GEO name anywhere.
    package static let empty = AnswerTable(.empty, health: HealthTable(), probes: [])

    /// Windows on the tables, valid for as long as this object lives (`FrozenArray.view`).
    @unsafe package var view: SteeringView {
        unsafe SteeringView(
            names: names.view, selectors: selectors.view, choices: choices.view,
            shares: shares.view, deals: deals.view, endpoints: endpoints.view, bytes: bytes.view,
            tables: tables.view, ipv6NameOffset: ipv6NameOffset)
    }

    /// One decision: what `SteeringView.decide` says.
    package func decide(
        name: Int, client: Client, random: inout RandomSource
    ) -> Decision {
        withExtendedLifetime(self) {
            var view = unsafe view
            return view.decide(name: name, client: client, random: &random)
        }
    }

    /// One step of a decision; `dealt` is told of the deals on the way.
    func choose(
        _ selector: SelectorState, _ client: Client, _ scope: inout Int,
        _ random: inout RandomSource, dealt: (_ deal: Int) -> Void = { _ in }
    ) -> Choice {
        withExtendedLifetime(self) {
            var view = unsafe view
            var choice = view.choose(selector, client, &scope, &random)
            for _ in 0..<SteeringPlan.dealMax where choice.kind == .dealt {
                dealt(Int(choice.index))
                choice = view.deal(choice, client, &scope, &random)
            }
            return choice
        }
    }
}

struct NameState: BitwiseCopyable, Sendable {
    var selector: UInt32
    var ttl: UInt32
}

struct SelectorState: BitwiseCopyable, Sendable {
    enum Method: UInt8, BitwiseCopyable {
        /// `choices[firstChoice]`, whoever asks.
        case fixed
        /// `choices[firstChoice + order]`, the order found in table `table`.
        case ranked
        case sharesByQuery
        case sharesByClient
        case sharesInTurn
        /// Only for what is dealt: the first of the shares that gets this client or query; of
        /// 2³² it gets `weight`, the last one all.
        case rampByQuery
        case rampByClient
        /// The same, and each answer is counted as one of slot `table`.
        case spillByQuery
        case spillByClient
    }
    var method: Method
    var usesClientSubnet: Bool
    /// The location table of `ranked`; the slot of what spills; the step of `sharesInTurn` from
    /// one answer to the next.
    var table: UInt32
    /// Of `sharesInTurn` its number among those.
    var firstChoice: UInt32
    var firstShare: UInt32
    var shareCount: UInt32
    var totalWeight: UInt32
}

struct Choice: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable {
        case endpoint
        /// Endpoints that are answered together.
        case group
        case name
        case external
        /// Nothing is to be answered: NODATA.
        case nothing
        /// Differs by client or query: what the deal of that index says.
        case dealt
    }
    var kind: Kind
    var reason: Reason
    /// Of an endpoint, of a GEO name, or where the external name starts in `bytes`; of a group its
    /// number behind that of the last endpoint.
    var index: UInt32
}

struct ShareState: BitwiseCopyable, Sendable {
    var choice: Choice
    /// Weights up to and including this share.
    var cumulativeWeight: UInt32
    var weight: UInt32
    /// Of the target's name: what rendezvous hashing mixes with the client's prefix.
    var hash: UInt64
}

struct EndpointState: BitwiseCopyable, Sendable {
    var firstIPv4: UInt32
    var ipv4Count: UInt16
    var ipv6Count: UInt16
    var firstIPv6: UInt32
}

/// Computes the tables of an `AnswerTable`.
struct AnswerTableBuilder {
    let plan: SteeringPlan
    let forcedDown: Set<Int>
    let drained: Set<Int>
    let held: Set<SteeringPlan.Hold>
    let ramping: [SteeringPlan.Ramp: UInt32]
    let overrides: OverrideEffect
    let spill: Spill.Shares
    /// The plan's selectors, and one more for each name whose weights are overridden.
    let policies: [Selector]
    /// For each GEO name, which of these.
    let policyIndexes: [Int]
    /// For each selector, what it was made of.
    var selectorPolicies: [Selector] = []
    /// See `divide`.
    var variants: [OverrideEffect]
    var endpointStates: [HealthState] = []
    /// For IPv4 and IPv6.
    var familyStates: [[HealthState?]] = [[], []]
    /// How long nothing can change about each endpoint; see `calmSeconds`.
    var endpointCalm: [UInt32] = []
    /// Means over the addresses that are up, where anything is known.
    var endpointFigures: [ProbeFigures] = []
    /// Percent of the weight that a share of it has.
    private var endpointWeights: [UInt32] = []
    var names: [NameState] = []
    var selectors: [SelectorState] = []
    var choices: [Choice] = []
    var shares: [ShareState] = []
    var deals: [SelectorState] = []
    /// Indexes of the selectors that ignore health.
    var selectorsInPanic: Set<Int> = []
    var endpoints: [EndpointState] = []
    var bytes: [UInt8] = []
    var groups: [[Int]] = []
    var groupIndexes: [[Int]: Int] = [:]
    /// The part of a selector that spills which is being made.
    var slot: Slot?
    /// By the index of the deal.
    var spillSources: [Int: Spill.Source] = [:]
    /// Whether each GEO name has anything that is up.
    private(set) var namesUp: [Bool] = []
    /// Per policy, as names share them: known once it has been asked for.
    private var policyIsUp: [Bool?]
    private var turnCount: UInt32 = 0
    /// Of endpoints that are down, one family of which is not: what each family answers.
    var openParts: [Int: [[IPAddress]]] = [:]
    /// What is being made: for queries of both families, or where they are told apart for A (0)
    /// and then for AAAA (1).
    var family = 0
    private var nameOffset: Int { family * plan.names.count }
    /// Endpoints one family of which is up though the whole is not, as that family has them;
    /// known once one has been asked for.
    var familyEndpoints: [Int: Int] = [:]

    init(
        _ plan: SteeringPlan, forcedDown: Set<Int>, drained: Set<Int>,
        held: Set<SteeringPlan.Hold>, ramping: [SteeringPlan.Ramp: UInt32],
        overrides: OverrideEffect, spill: Spill.Shares
    ) {
        self.plan = plan
        self.spill = spill
        self.forcedDown = forcedDown
        self.drained = drained
        self.held = held
        self.ramping = ramping
        self.overrides = overrides
        (policies, policyIndexes) = overrides.policies(of: plan)
        variants = [overrides]
        policyIsUp = Array(repeating: nil, count: policies.count)
    }

    mutating func build(_ health: HealthTable, _ probes: [ProbeIdentifier]) {
        for endpoint in plan.endpoints { addEndpoint(endpoint, health, probes) }
        for (index, selector) in policies.enumerated() { addSelector(selector, index) }
        selectorPolicies = policies
        namesUp = plan.names.indices.map { isNameUp($0) }
        if plan.decidesByFamily {
            family = 1
            policyIsUp = Array(repeating: nil, count: policies.count)
            namesUp = plan.names.indices.map { namesUp[$0] || isNameUp($0) }
            for (index, selector) in policies.enumerated() { addSelector(selector, index) }
            selectorPolicies += policies
        }
        let calm = calmSeconds()
        names = zip(plan.names, policyIndexes).map { name, policy in
            NameState(selector: UInt32(policy), ttl: name.ttl.clamp(calm[policy]))
        }
        guard plan.decidesByFamily else { return }
        names += names.map { state in
            NameState(selector: state.selector + UInt32(policies.count), ttl: state.ttl)
        }
    }

    // MARK: - Endpoints

    private mutating func addEndpoint(
        _ endpoint: Endpoint, _ health: HealthTable, _ probes: [ProbeIdentifier]
    ) {
        let isForcedDown = forcedDown.contains(endpointStates.count)
        let isDrained = drained.contains(endpointStates.count)
        let ordered = overrides.states[.endpoint(endpointStates.count)]
        // What operators have ordered, else what was said to be down or drained, else the checks.
        func state(_ checked: HealthState) -> HealthState {
            if let ordered { return ordered }
            if isForcedDown { return .down }
            return isDrained && checked != .down ? .drain : checked
        }
        let states = endpoint.addressStates(health, probes)
        let checkedState = isForcedDown ? .down : endpoint.state(states)
        let endpointState = state(checkedState)
        endpointStates.append(endpointState)
        for (number, family) in IPAddress.Family.allCases.enumerated() {
            familyStates[number].append(endpoint.state(states, of: family).map(state))
        }
        // What is taken out is taken back some time: that should not take long.
        endpointCalm.append(
            ordered.map { $0.isOpen ? .max : 0 }
                ?? (isForcedDown ? 0 : calmSeconds(endpoint, endpointState, health, probes)))
        endpointWeights.append(
            endpointState == .degraded ? endpoint.weight(health, probes) : 100)
        if plan.balances {
            endpointFigures.append(figures(of: endpoint, states, health, probes))
        }
        // An endpoint that is closed is answered only when nothing better is left: then whole. One
        // that an operator has closed still has its good addresses.
        let answered = zip(endpoint.addresses, states)
            .filter { $1.isOpen || !checkedState.isOpen }.map(\.0.address)
        endpoints.append(
            addAddresses(
                answered.filter { $0.family == .ipv4 }, answered.filter { $0.family == .ipv6 }))
        // For `family=independent`.
        guard !endpointState.isOpen, plan.isSomeIndependent,
            familyStates.contains(where: { $0[endpoints.count - 1]?.isOpen ?? false })
        else { return }
        openParts[endpoints.count - 1] = IPAddress.Family.allCases.enumerated().map {
            let isOpen = familyStates[$0][endpoints.count - 1]?.isOpen ?? false
            return endpoint.members($1).filter { !isOpen || states[$0].isOpen }
                .map { endpoint.addresses[$0].address }
        }
    }

    mutating func addAddresses(_ ipv4: [IPAddress], _ ipv6: [IPAddress]) -> EndpointState {
        let state = EndpointState(
            firstIPv4: UInt32(bytes.count), ipv4Count: UInt16(ipv4.count),
            ipv6Count: UInt16(ipv6.count), firstIPv6: UInt32(bytes.count + ipv4.count * 6))
        for address in ipv4 + ipv6 {
            bytes.append(0)
            bytes.append(UInt8(address.byteCount))
            for index in 0..<address.byteCount { bytes.append(address.byte(index)) }
        }
        return state
    }

    private func figures(
        of endpoint: Endpoint, _ states: [HealthState], _ health: HealthTable,
        _ probes: [ProbeIdentifier]
    ) -> ProbeFigures {
        let known = zip(endpoint.addresses, states).filter { $1.isOpen }.flatMap { address, _ in
            address.probes.compactMap { health[figuresOf: probes[$0]] }
        }
        func mean(_ values: [Double]) -> Double? {
            values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        return ProbeFigures(
            connections: mean(known.compactMap(\.connections)),
            milliseconds: mean(known.compactMap(\.milliseconds)))
    }

    mutating func isUp(_ target: Target, by selector: Selector) -> Bool {
        switch target {
        case .endpoint(let index): state(of: index, by: selector)?.isOpen ?? false
        case .external: overrides.states[target]?.isOpen ?? true
        case .name(let index): isNameUp(index)
        }
    }

    private mutating func isNameUp(_ index: Int) -> Bool {
        if let ordered = overrides.states[.name(index)] { return ordered.isOpen }
        let policy = policyIndexes[index]
        if let known = policyIsUp[policy] { return known }
        let selector = policies[policy]
        let result =
            isAnyUp(selector.served, by: selector) || isAnyUp(selector.backups, by: selector)
        policyIsUp[policy] = result
        return result
    }

    private mutating func isAnyUp(_ targets: [Target], by selector: Selector) -> Bool {
        for target in targets where isUp(target, by: selector) { return true }
        return false
    }

    /// As the selector sees it; nil: it has no address of the family asked for, and the selector
    /// looks at that alone.
    func state(of endpoint: Int, by selector: Selector) -> HealthState? {
        selector.isIndependent ? familyStates[family][endpoint] : endpointStates[endpoint]
    }

    // MARK: - Selectors

    private mutating func addSelector(_ selector: Selector, _ index: Int) {
        var selector = selector
        var up = selector.targets.map { isUp($0, by: selector) && !isHeld($0, by: selector) }
        if panics(selector, up) {
            selectorsInPanic.insert(index)
            selector.reason = .panic
            selector.ramp = .zero
            // What is drained is so by order, not by accident.
            up = selector.targets.map { target in
                if let ordered = overrides.states[target] { return ordered.isOpen }
                guard case .endpoint(let index) = target else { return true }
                return self.state(of: index, by: selector).map { $0 != .drain } ?? false
            }
        }
        var state = SelectorState(
            method: .fixed, usesClientSubnet: selector.usesClientSubnet, table: 0,
            firstChoice: UInt32(choices.count), firstShare: 0, shareCount: 0, totalWeight: 0)
        switch selector.method {
        case .failover:
            let order = Array(selector.targets.indices)
            slot = slot(selector, index, order: order, index: 0)
            addChoice(selector, order: order, up)
        case .ranked(let ranking):
            state.method = .ranked
            state.table = UInt32(ranking)
            let ranking = plan.rankings[ranking]
            for (place, order) in ranking.orders.enumerated() {
                let reach = ranking.reach.isEmpty ? nil : ranking.reach[place]
                slot = slot(selector, index, order: order, index: place)
                addChoice(selector, order: order, reach: reach, up)
            }
        case .all:
            addChoice(selector, order: Array(selector.targets.indices), up)
        case .weighted(let by):
            addShares(selector, by: by, up, to: &state)
        }
        slot = nil
        selectors.append(state)
    }

    /// The answer for clients whose order of targets is `order`. `reach`: for each place of the
    /// order the last one that is about as good.
    private mutating func addChoice(
        _ selector: Selector, order: [Int], reach: [Int]? = nil, _ up: [Bool]
    ) {
        if let best = order.firstIndex(where: { up[$0] }) {
            choices.append(
                selector.isPlain
                    ? choice(selector.targets[order[best]], selector.reason)
                    : sharedChoice(selector, order, reach, up))
        } else if order.isEmpty {
            choices.append(Choice(kind: .nothing, reason: selector.reason, index: 0))
        } else {
            addSubstitute(selector, order: order)
        }
        if slot != nil { measureSources(choices[choices.count - 1]) }
    }

    /// Of those in `order` none is up.
    private mutating func addSubstitute(_ selector: Selector, order: [Int]) {
        if let backup = selector.backups.first(where: { isUp($0, by: selector) }) {
            let choice = choice([backup], of: selector, .backup)
            choices.append(countedChoice(choice, backup, selector))
        } else {
            let choice = lastResort(selector, order: order)
            choices.append(countedChoice(choice, target(of: choice), selector))
        }
    }

    private func target(of choice: Choice) -> Target? {
        choice.kind == .endpoint ? .endpoint(Int(choice.index)) : nil
    }

    func isHeld(_ target: Target, by selector: Selector) -> Bool {
        guard selector.hold > .zero, case .endpoint(let index) = target,
            overrides.states[target] == nil
        else { return false }
        return held.contains(SteeringPlan.Hold(endpoint: index, longest: selector.hold))
    }

    /// Not down: held or drained, it serves better than what is dead.
    private func isAlive(_ target: Target, by selector: Selector) -> Bool {
        guard case .endpoint(let index) = target else { return overrides.states[target] != .down }
        return state(of: index, by: selector).map { $0 != .down } ?? false
    }

    /// Whether it has anything of the family that the selector looks at.
    func isThere(_ target: Target, by selector: Selector) -> Bool {
        guard case .endpoint(let index) = target else { return true }
        return state(of: index, by: selector) != nil
    }

    /// In order, what is not dead; everything when all of it is.
    private func bestOfTheRest(_ order: [Int], _ selector: Selector) -> [Int] {
        let alive = order.filter { position in
            guard case .endpoint = selector.targets[position] else { return false }
            return isAlive(selector.targets[position], by: selector)
        }
        if !alive.isEmpty { return alive }
        let there = order.filter { isThere(selector.targets[$0], by: selector) }
        return there.isEmpty ? order : there
    }

    private mutating func lastResort(_ selector: Selector, order: [Int]) -> Choice {
        switch selector.lastResort {
        case .all:
            choice(
                bestOfTheRest(order, selector).map { selector.targets[$0] }, of: selector,
                .lastResort)
        case .first: choice([selector.targets[0]], of: selector, .lastResort)
        case .none: Choice(kind: .nothing, reason: .lastResort, index: 0)
        case .target(let target, _): choice([target], of: selector, .lastResort)
        }
    }

    private mutating func addShares(
        _ selector: Selector, by: GeoRecord.Share, _ up: [Bool], to state: inout SelectorState
    ) {
        let weighted = selector.targets.indices.filter { selector.weights[$0] > 0 }
        var members = weighted.filter { up[$0] }
        var reason = selector.reason
        if members.isEmpty {
            let hasBackup = selector.backups.contains { isUp($0, by: selector) }
            guard !hasBackup, selector.lastResort == .all, !weighted.isEmpty else {
                addSubstitute(selector, order: Array(selector.targets.indices))
                return
            }
            members = weighted.filter { isAlive(selector.targets[$0], by: selector) }
            if members.isEmpty {
                members = weighted.filter { isThere(selector.targets[$0], by: selector) }
            }
            if members.isEmpty { members = weighted }
            reason = .lastResort
        }
        switch by {
        case .client: state.method = .sharesByClient
        case .query: state.method = .sharesByQuery
        case .turn: state.method = .sharesInTurn
        }
        state.firstShare = UInt32(shares.count)
        let dealt = dealtShares(members, then: [], selector, reason)
        state.shareCount = UInt32(dealt.count)
        state.totalWeight = dealt.last?.cumulativeWeight ?? 0
        shares += dealt
        if by == .turn {
            state.table = Turns.step(dealt.map(\.weight))
            state.firstChoice = turnCount
            turnCount += 1
        }
    }

    /// Degraded targets weigh less. The others are scaled up with them, so that small weights stay
    /// exact; where the sum would not fit, parts are rounded up.
    func graded(
        _ weights: [UInt32], _ members: [Int], _ selector: Selector
    ) -> [UInt32] {
        let parts = members.map { member -> UInt64 in
            guard case .endpoint(let index) = selector.targets[member] else { return 100 }
            return UInt64(endpointWeights[index])
        }
        guard parts.contains(where: { $0 != parts[0] }) else { return weights }
        let sum = weights.reduce(into: UInt64(0)) { $0 += UInt64($1) }
        let divisor: UInt64 = sum <= UInt64(UInt32.max / 100) ? 1 : 100
        return zip(weights, parts).map { weight, part in
            UInt32((UInt64(weight) * part + divisor - 1) / divisor)
        }
    }

    mutating func choice(_ target: Target, _ reason: Reason) -> Choice {
        switch target {
        case .endpoint(let index):
            return Choice(kind: .endpoint, reason: reason, index: UInt32(index))
        case .name(let index):
            return Choice(kind: .name, reason: reason, index: UInt32(nameOffset + index))
        case .external(let name):
            defer { bytes += name.wire }
            return Choice(kind: .external, reason: reason, index: UInt32(bytes.count))
        }
    }
}

extension Selector {
    /// The targets that may get clients: a share of weight 0 never does.
    fileprivate var served: [Target] {
        guard case .weighted = method else { return targets }
        return zip(targets, weights).filter { $0.1 > 0 }.map(\.0)
    }
}

extension RegionRecord.Requirement {
    /// How many of `total` addresses of a family must be up; at least one.
    package func count(of total: Int) -> Int {
        switch self {
        case .any: 1
        case .all: total
        case .count(let count): min(max(count, 1), total)
        case .percent(let percent): max((total * percent + 99) / 100, 1)
        }
    }
}
