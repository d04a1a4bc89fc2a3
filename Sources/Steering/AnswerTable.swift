import Addressing
package import Health
import Tables
import Zones

/// What every policy answers at this moment: made anew from a plan whenever health changes, and
/// read by queries without any further thought about health.
package final class AnswerTable: Sendable {
    package let plan: SteeringPlan
    /// The state of each endpoint of the plan: never `unknown`.
    package let endpointStates: [HealthState]
    /// Whether each endpoint of the plan takes clients: `up` or `degraded`.
    package let endpointIsUp: [Bool]
    /// Whether each GEO name of the plan has anything that is up.
    package let nameIsUp: [Bool]
    let names: FrozenArray<NameState>
    let selectors: FrozenArray<SelectorState>
    let choices: FrozenArray<Choice>
    let shares: FrozenArray<ShareState>
    let endpoints: FrozenArray<EndpointState>
    /// Addresses of endpoints, each after its RDLENGTH, and names of external targets, as they
    /// stand on the wire.
    let bytes: FrozenArray<UInt8>

    /// `probes[i]` names the plan's probe i in `health`. The endpoints in `forcedDown` count as
    /// down whatever their checks say, those in `drained` as drained unless they are down; those in
    /// `held` are used only where nothing else is up.
    package init(
        _ plan: SteeringPlan, health: HealthTable, probes: [ProbeIdentifier],
        forcedDown: Set<Int> = [], drained: Set<Int> = [], held: Set<SteeringPlan.Hold> = []
    ) {
        var builder = AnswerTableBuilder(
            plan, forcedDown: forcedDown, drained: drained, held: held)
        builder.build(health, probes)
        self.plan = plan
        endpointStates = builder.endpointStates
        endpointIsUp = endpointStates.map(\.isOpen)
        nameIsUp = plan.names.indices.map { builder.isUp(.name($0)) }
        names = FrozenArray(builder.names)
        selectors = FrozenArray(builder.selectors)
        choices = FrozenArray(builder.choices)
        shares = FrozenArray(builder.shares)
        endpoints = FrozenArray(builder.endpoints)
        bytes = FrozenArray(builder.bytes)
    }

    /// Windows on the tables, valid for as long as this object lives (`FrozenArray.view`).
    @unsafe package var view: SteeringView {
        unsafe SteeringView(
            names: names.view, selectors: selectors.view, choices: choices.view,
            shares: shares.view, endpoints: endpoints.view, bytes: bytes.view,
            tables: plan.tables.view)
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

    /// One step of a decision.
    func choose(
        _ selector: SelectorState, _ client: Client, _ scope: inout Int,
        _ random: inout RandomSource
    ) -> Choice {
        withExtendedLifetime(self) {
            var view = unsafe view
            return view.choose(selector, client, &scope, &random)
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
    }
    var method: Method
    var usesClientSubnet: Bool
    var table: UInt32
    var firstChoice: UInt32
    var firstShare: UInt32
    var shareCount: UInt32
    var totalWeight: UInt32
}

struct Choice: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable {
        case endpoint
        case name
        case external
        /// Nothing is to be answered: NODATA.
        case nothing
    }
    var kind: Kind
    var reason: Reason
    /// Of an endpoint, of a GEO name, or where the external name starts in `bytes`.
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
private struct AnswerTableBuilder {
    let plan: SteeringPlan
    let forcedDown: Set<Int>
    let drained: Set<Int>
    let held: Set<SteeringPlan.Hold>
    var endpointStates: [HealthState] = []
    /// Percent of the weight that a share of it has.
    private var endpointWeights: [UInt32] = []
    var names: [NameState] = []
    var selectors: [SelectorState] = []
    var choices: [Choice] = []
    var shares: [ShareState] = []
    var endpoints: [EndpointState] = []
    var bytes: [UInt8] = []
    /// Per GEO name: known once it has been asked for.
    private var nameIsUp: [Bool?]

    init(
        _ plan: SteeringPlan, forcedDown: Set<Int>, drained: Set<Int>,
        held: Set<SteeringPlan.Hold>
    ) {
        self.plan = plan
        self.forcedDown = forcedDown
        self.drained = drained
        self.held = held
        nameIsUp = Array(repeating: nil, count: plan.names.count)
    }

    mutating func build(_ health: HealthTable, _ probes: [ProbeIdentifier]) {
        for endpoint in plan.endpoints { addEndpoint(endpoint, health, probes) }
        for selector in plan.selectors { addSelector(selector) }
        var isSteady = plan.selectors.map { selector in
            selector.targets.allSatisfy { target in
                guard case .endpoint(let index) = target else { return true }
                return endpointStates[index].isOpen && !isHeld(target, by: selector)
            }
        }
        // A name is steady when all it may pass through is; nesting is bounded and without cycles.
        for _ in 0..<SteeringPlan.nestingMax {
            for (index, selector) in plan.selectors.enumerated() where isSteady[index] {
                isSteady[index] = selector.targets.allSatisfy { target in
                    if case .name(let name) = target {
                        isSteady[plan.names[name].selector]
                    } else {
                        true
                    }
                }
            }
        }
        names = plan.names.map { name in
            NameState(
                selector: UInt32(name.selector),
                ttl: isSteady[name.selector] ? name.ttl.maximum : name.ttl.minimum)
        }
    }

    // MARK: - Endpoints

    private mutating func addEndpoint(
        _ endpoint: Endpoint, _ health: HealthTable, _ probes: [ProbeIdentifier]
    ) {
        let isForcedDown = forcedDown.contains(endpointStates.count)
        let isDrained = drained.contains(endpointStates.count)
        let states = endpoint.addressStates(health, probes)
        let families = endpoint.families
        var endpointState = isForcedDown ? .down : endpoint.state(states)
        if isDrained, endpointState != .down { endpointState = .drain }
        endpointStates.append(endpointState)
        endpointWeights.append(
            endpointState == .degraded ? weight(of: endpoint, health, probes) : 100)
        // An endpoint that is closed is answered only when nothing better is left: then whole.
        let answered = families.map { members in
            members.filter { states[$0].isOpen || !endpointState.isOpen }
                .map { endpoint.addresses[$0].address }
        }
        var state = EndpointState(firstIPv4: 0, ipv4Count: 0, ipv6Count: 0, firstIPv6: 0)
        state.firstIPv4 = UInt32(bytes.count)
        state.ipv4Count = UInt16(answered[0].count)
        for address in answered[0] { bytes += [0, 4] + address.bytes }
        state.firstIPv6 = UInt32(bytes.count)
        state.ipv6Count = UInt16(answered[1].count)
        for address in answered[1] { bytes += [0, 16] + address.bytes }
        endpoints.append(state)
    }

    /// Percent: each address has the least that a check of it says, and the mean of them counts.
    private func weight(
        of endpoint: Endpoint, _ health: HealthTable, _ probes: [ProbeIdentifier]
    ) -> UInt32 {
        let parts = endpoint.addresses.map { address in
            address.probes.map { UInt32(health[weightOf: probes[$0]]) }.min() ?? 100
        }
        return parts.isEmpty ? 100 : max(parts.reduce(0, +) / UInt32(parts.count), 1)
    }

    mutating func isUp(_ target: Target) -> Bool {
        switch target {
        case .endpoint(let index): return endpointStates[index].isOpen
        case .external: return true
        case .name(let index):
            if let known = nameIsUp[index] { return known }
            let selector = plan.selectors[plan.names[index].selector]
            var result = false
            for candidate in selector.served + selector.backups where !result {
                result = isUp(candidate)
            }
            nameIsUp[index] = result
            return result
        }
    }

    // MARK: - Selectors

    private mutating func addSelector(_ selector: Selector) {
        let up = selector.targets.map { isUp($0) && !isHeld($0, by: selector) }
        var state = SelectorState(
            method: .fixed, usesClientSubnet: selector.usesClientSubnet, table: 0,
            firstChoice: UInt32(choices.count), firstShare: 0, shareCount: 0, totalWeight: 0)
        switch selector.method {
        case .failover:
            addChoice(selector, order: Array(selector.targets.indices), up)
        case .ranked(let ranking):
            state.method = .ranked
            state.table = UInt32(ranking)
            for order in plan.rankings[ranking].orders { addChoice(selector, order: order, up) }
        case .weighted(let by):
            addShares(selector, by: by, up, to: &state)
        }
        selectors.append(state)
    }

    /// The answer for clients whose order of targets is `order`.
    private mutating func addChoice(_ selector: Selector, order: [Int], _ up: [Bool]) {
        if let best = order.first(where: { up[$0] }) {
            choices.append(choice(selector.targets[best], selector.reason))
        } else if order.isEmpty {
            choices.append(Choice(kind: .nothing, reason: selector.reason, index: 0))
        } else if let backup = selector.backups.first(where: { isUp($0) }) {
            choices.append(choice(backup, .backup))
        } else {
            choices.append(lastResort(selector, best: bestOfTheRest(order, selector)))
        }
    }

    private func isHeld(_ target: Target, by selector: Selector) -> Bool {
        guard selector.hold > .zero, case .endpoint(let index) = target else { return false }
        return held.contains(SteeringPlan.Hold(endpoint: index, longest: selector.hold))
    }

    /// Not down: held or drained, it serves better than what is dead.
    private func isAlive(_ target: Target) -> Bool {
        guard case .endpoint(let index) = target else { return true }
        return endpointStates[index] != .down
    }

    private func bestOfTheRest(_ order: [Int], _ selector: Selector) -> Int {
        order.first { position in
            guard case .endpoint = selector.targets[position] else { return false }
            return isAlive(selector.targets[position])
        } ?? order[0]
    }

    private mutating func lastResort(_ selector: Selector, best: Int) -> Choice {
        switch selector.lastResort {
        case .all: choice(selector.targets[best], .lastResort)
        case .first: choice(selector.targets[0], .lastResort)
        case .none: Choice(kind: .nothing, reason: .lastResort, index: 0)
        case .target(let target, _): choice(target, .lastResort)
        }
    }

    private mutating func addShares(
        _ selector: Selector, by: GeoRecord.Share, _ up: [Bool], to state: inout SelectorState
    ) {
        let weighted = selector.targets.indices.filter { selector.weights[$0] > 0 }
        var members = weighted.filter { up[$0] }
        var reason = Reason.weighted
        if members.isEmpty {
            if let backup = selector.backups.first(where: { isUp($0) }) {
                choices.append(choice(backup, .backup))
                return
            }
            guard selector.lastResort == .all, !weighted.isEmpty else {
                choices.append(lastResort(selector, best: 0))
                return
            }
            members = weighted.filter { isAlive(selector.targets[$0]) }
            if members.isEmpty { members = weighted }
            reason = .lastResort
        }
        state.method = by == .query ? .sharesByQuery : .sharesByClient
        state.firstShare = UInt32(shares.count)
        state.shareCount = UInt32(members.count)
        let weights = graded(members.map { selector.weights[$0] }, members, selector)
        for (member, weight) in zip(members, weights) {
            state.totalWeight += weight
            shares.append(
                ShareState(
                    choice: choice(selector.targets[member], reason),
                    cumulativeWeight: state.totalWeight, weight: weight,
                    hash: Rendezvous.hash(of: selector.labels[member])))
        }
    }

    /// Degraded targets weigh less. The others are scaled up with them, so that small weights stay
    /// exact; where the sum would not fit, parts are rounded up.
    private func graded(
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

    private mutating func choice(_ target: Target, _ reason: Reason) -> Choice {
        switch target {
        case .endpoint(let index):
            return Choice(kind: .endpoint, reason: reason, index: UInt32(index))
        case .name(let index):
            return Choice(kind: .name, reason: reason, index: UInt32(index))
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
