package import Addressing
package import Geography
package import Health
import Zones

/// Why a client gets what it gets under a GEO name: every step of the decision that
/// `SteeringView.decide` takes, told from the plan.
package struct Explanation: Sendable {
    package struct Candidate: Sendable {
        package var label: String
        /// From the client's place; nil without coordinates on either side.
        package var kilometers: Double?
        /// Nil: nothing was measured around the client, or it is not known where that is written.
        package var roundTrip: PolicyLines.RoundTrip?
        package var weight: UInt32
        package var isUp: Bool
        /// Never `unknown`.
        package var state: HealthState
        package var isChosen: Bool
    }

    /// One GEO name on the way.
    package struct Step: Sendable {
        package var name: GeoName
        package var method: Selector.Method
        package var usesClientSubnet: Bool
        /// In the order in which they are tried.
        package var candidates: [Candidate]
        /// The first of them, where several are answered together.
        package var chosen: String?
        package var reason: Reason
        /// What an answer by the first choice of this step's policy is called.
        package var ordinaryReason: Reason
        /// Whether this step looked the client up, and how wide its answer holds.
        package var match: LocationTable.Match?
        /// The line of the map that the order is from, if that is known.
        package var line: PolicyLines.Line?
        /// The prefix that round-trip times were measured from.
        package var measuredPrefix: Prefix?
        package var backups: [String]
    }

    package var steps: [Step]
    package var decision: Decision

    /// The first step's reason that is not the ordinary one, else the last step's.
    package var reason: Reason { decision.reason }
    /// The label of the target the answer comes from.
    package var target: String? { steps.last?.chosen }
}

extension AnswerTable {
    /// Explains the decision for GEO name `name`. `place` is where the client's address is.
    ///
    /// `family` is that of the addresses asked for. What is drawn for each query is drawn with
    /// `seed`; the explanation shows that one draw.
    package func explain(
        name: Int, client: Client, place: Place, family: IPAddress.Family = .ipv4, seed: UInt64
    ) -> Explanation {
        explain(
            name: name, client: client, place: place, family: family,
            drawing: RandomSource(seed: seed))
    }

    /// The same with the draw that `source` gives next.
    package func explain(
        name: Int, client: Client, place: Place, family: IPAddress.Family,
        drawing source: RandomSource
    ) -> Explanation {
        let name = name + (family == .ipv6 ? ipv6NameOffset : 0)
        var random = source
        var decision = decide(name: name, client: client, random: &random)
        random = source
        var steps: [Explanation.Step] = []
        var current: Int? = name
        while let number = current, steps.count < SteeringPlan.nestingMax {
            if isDivider(Int(names[number].selector)) {
                var scope = 0
                let selector = selectors[Int(names[number].selector)]
                current = Int(choose(selector, client, &scope, &random).index)
                continue
            }
            let (step, next) = explainStep(number, client, place, &random)
            steps.append(step)
            current = next
        }
        if decision.reason == .nearest, place.coordinates == nil { decision.reason = .default }
        return Explanation(steps: steps, decision: decision)
    }

    /// As `decide`, and a number that tells its way from others: two decisions have passed through
    /// the same names, orders and draws when it is the same, as far as 64 bits can tell. Whoever
    /// explained the one has explained the other, but for distances.
    package func trace(
        name: Int, client: Client, family: IPAddress.Family, random: inout RandomSource
    ) -> (decision: Decision, way: UInt64) {
        let name = name + (family == .ipv6 ? ipv6NameOffset : 0)
        var replay = random
        let decision = decide(name: name, client: client, random: &random)
        var way: UInt64 = 0
        var number = name
        for _ in 0..<SteeringPlan.stepMax {
            let selector = selectors[Int(names[number].selector)]
            var scope = 0
            let choice = choose(selector, client, &scope, &replay)
            var order = 0
            if selector.method == .ranked {
                let found = find(client, selector)
                order = found.match.order
                // Whose order is the same may have it from another line.
                if let lines = plan.lines[planName(number)] {
                    way = RandomSource.mix(
                        way ^ UInt64((lines.number(around: found.placed) ?? -1) + 1))
                }
            }
            way = RandomSource.mix(way ^ UInt64(number) << 32 ^ UInt64(order))
            way = RandomSource.mix(
                way ^ UInt64(choice.index) << 16 ^ UInt64(choice.kind.rawValue) << 8
                    ^ UInt64(choice.reason.rawValue))
            guard choice.kind == .name else { break }
            number = Int(choice.index)
        }
        return (decision, way)
    }

    private func explainStep(
        _ number: Int, _ client: Client, _ place: Place, _ random: inout RandomSource
    ) -> (Explanation.Step, next: Int?) {
        let name = plan.names[planName(number)]
        let selector = policies[Int(names[number].selector)]
        var scope = 0
        let state = selectors[Int(names[number].selector)]
        let choice = choose(state, client, &scope, &random)
        var order = Array(selector.targets.indices)
        var match: LocationTable.Match?
        var line: PolicyLines.Line?
        var measurement: PolicyLines.Measurement?
        var sites: [Site?] = selector.targets.map { site(of: $0) }
        if case .ranked(let ranking) = selector.method {
            let (found, address) = find(client, state)
            match = found
            order = plan.rankings[ranking].orders[found.order]
            sites = plan.rankings[ranking].sites
            let lines = plan.lines[planName(number)]
            line = lines?.line(for: address, in: place)
            measurement = lines?.measurement(from: address)
        }
        let chosen = chosenTarget(choice, selector)
        let together = choice.kind == .group ? endpoints(of: .group(Int(choice.index))) : []
        let candidates = order.map { position in
            let kilometers = sites[position].flatMap { site in
                place.coordinates.map { GreatCircle.kilometers($0, site.coordinates) }
            }
            let guess = kilometers.map {
                PolicyLines.RoundTrip(
                    milliseconds: DistanceOrder.milliseconds(kilometers: $0), rows: [])
            }
            return Explanation.Candidate(
                label: selector.labels[position],
                kilometers: kilometers,
                roundTrip: measurement.flatMap { $0.roundTrips[position] ?? guess },
                weight: selector.weights[position],
                isUp: isUp(selector.targets[position], selector, number),
                state: health(of: selector.targets[position], selector, number),
                isChosen: selector.labels[position] == chosen
                    || together.contains { selector.targets[position] == .endpoint($0) })
        }
        let step = Explanation.Step(
            name: name, method: selector.method, usesClientSubnet: selector.usesClientSubnet,
            candidates: candidates, chosen: chosen, reason: choice.reason,
            ordinaryReason: selector.reason, match: match, line: line,
            measuredPrefix: measurement?.prefix,
            backups: selector.backupLabels)
        return (step, choice.kind == .name ? Int(choice.index) : nil)
    }

    private func site(of target: Target) -> Site? {
        guard case .endpoint(let index) = target, let region = plan.endpoints[index].region
        else { return nil }
        let record = plan.regions[region].record
        return Site(
            Coordinates(latitude: record.latitude, longitude: record.longitude),
            bias: record.bias)
    }

    /// The label of what was chosen among targets, backups and last resort.
    private func chosenTarget(_ choice: Choice, _ selector: Selector) -> String? {
        let targets = selector.targets + selector.backups
        for (target, label) in zip(targets, selector.labels + selector.backupLabels)
        where isTarget(target, of: choice) {
            return label
        }
        if case .target(let target, let label) = selector.lastResort, isTarget(target, of: choice) {
            return label
        }
        return nil
    }

    private func isTarget(_ target: Target, of choice: Choice) -> Bool {
        switch (target, choice.kind) {
        case (.endpoint(let index), .endpoint):
            return index == Int(choice.index)
        case (.endpoint(let index), .group):
            return endpoints(of: .group(Int(choice.index))).first == index
        case (.name(let index), .name):
            return index == planName(Int(choice.index))
        case (.external(let name), .external):
            let start = Int(choice.index)
            return name.wire.indices.allSatisfy { bytes[start + $0] == name.wire[$0] }
        default:
            return false
        }
    }

    private func isUp(_ target: Target, _ selector: Selector, _ number: Int) -> Bool {
        if let ordered = variant(number).states[target] { return ordered.isOpen }
        guard selector.isIndependent, case .endpoint = target else { return isUp(target) }
        return health(of: target, selector, number).isOpen
    }

    private func health(
        of target: Target, _ selector: Selector, _ number: Int
    ) -> HealthState {
        if let ordered = variant(number).states[target] { return ordered }
        guard case .endpoint(let index) = target else { return isUp(target) ? .up : .down }
        guard selector.isIndependent else { return endpointStates[index] }
        return familyStates[family(number)][index] ?? .down
    }

    /// A target is up when its endpoint is, or when anything a nested name may pick is.
    package func isUp(_ target: Target) -> Bool {
        switch target {
        case .endpoint(let index): endpointIsUp[index]
        case .external: overrides.states[target]?.isOpen ?? true
        case .name(let index): nameIsUp[index]
        }
    }
}
