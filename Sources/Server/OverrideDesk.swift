import DNSWire
import Health
import Steering

/// Something that an operator has done, for the journal.
struct OverrideNote {
    var message: String
    var override: Override
    var level: Log.Level
    var fields: [(name: String, value: String)]
}

/// Carries out commands on the overrides, as they are looked up in what is served.
struct OverrideDesk {
    typealias Refusal = OverrideCommand.Refusal

    let current: Serving.Current
    let author: String
    let rules: SafetyRules
    let now: MonotonicTime
    /// For the journal, once all of it is done.
    private(set) var notes: [OverrideNote] = []

    init(current: Serving.Current, author: String, rules: SafetyRules, now: MonotonicTime) {
        self.current = current
        self.rules = rules
        self.author = author
        self.now = now
    }

    private var plan: SteeringPlan { current.world.plan }

    /// What is to be said about it.
    mutating func carryOut(
        _ command: OverrideCommand, on overrides: inout Overrides
    ) throws(Refusal) -> [String] {
        switch command {
        case .order(let state, let targets, let terms):
            for target in targets { try checkTarget(target) }
            return try add(
                targets.map { made(.state(state), of: $0, terms) }, to: &overrides, terms)
        case .takeBack(let targets, let drainsOnly, let terms):
            return try takeBack(targets, drainsOnly: drainsOnly, terms, from: &overrides)
        case .set(let name, let shares, let terms):
            let number = try weightedName(name)
            let weights = WeightOrder(try resolved(shares, of: number))
            let selector = plan.selectors[plan.names[number].selector]
            guard weights.isUseful(for: selector.labels, zone: selector.weights) else {
                throw Refusal("set: every target of \(name) would have weight 0; give one a share")
            }
            let sum = weights.shares.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
            guard sum <= UInt64(UInt32.max) else {
                throw Refusal("set: the weights add up to \(sum), more than \(UInt32.max)")
            }
            let override = made(.weights(weights), of: fullName(number), terms)
            return try add([override], to: &overrides, terms)
        case .unset(let name, let terms):
            return [try unset(name, terms, from: &overrides)]
        case .shift(let name, let from, let to, let step, let pace, let terms):
            return try shift(name, from, to, step: step, pace: pace, terms, on: &overrides)
        case .steer(let name, let steering, let terms):
            return [try steer(name, steering, terms, on: &overrides)]
        }
    }

    private func made(
        _ order: Override.Order, of subject: String, _ terms: OverrideCommand.Terms
    ) -> Override {
        Override(
            order, of: subject, for: terms.clients, since: now,
            until: terms.duration.map { now + $0 }, by: author, because: terms.reason)
    }

    /// Together they must be in keeping with the safety rules.
    private mutating func add(
        _ made: [Override], to overrides: inout Overrides, _ terms: OverrideCommand.Terms
    ) throws(Refusal) -> [String] {
        let before = overrides
        var replaced: [Override?] = []
        for override in made { replaced.append(overrides.add(override)) }
        guard overrides.all.count <= Overrides.countMax else {
            throw Refusal("there are \(Overrides.countMax) orders already; take some back")
        }
        let objections = objections(to: overrides, before, terms.clients)
        guard objections.isEmpty || terms.isForced else {
            let shown = objections.prefix(10).joined(separator: "\n")
            let more = objections.count > 10 ? "\nand \(objections.count - 10) more" : ""
            throw Refusal("refused:\n\(shown)\(more)\n--force does it all the same")
        }
        for (override, replaced) in zip(made, replaced) {
            note(
                replaced.map { "ordered, in place of \($0.verb)" } ?? "ordered", override,
                objections.isEmpty ? .info : .warning,
                objections.first.map { [("forced", $0)] } ?? [])
        }
        return made.map { $0.sentence(now: now) }
    }

    /// Shifts count as what they will be in the end.
    private func objections(
        to after: Overrides, _ before: Overrides, _ clients: Override.Clients
    ) -> [String] {
        rules.objections(
            in: plan, plan.endpointStates(current.health, current.probes),
            before: before.effect(in: plan, for: clients),
            after: after.withShiftsDone.effect(in: plan, for: clients))
    }

    private mutating func note(
        _ message: String, _ override: Override, _ level: Log.Level = .info,
        _ fields: [(name: String, value: String)] = []
    ) {
        notes.append(
            OverrideNote(message: message, override: override, level: level, fields: fields))
    }

    // MARK: - Targets

    private func checkTarget(_ target: String) throws(Refusal) {
        guard plan.targets(named: target).isEmpty else { return }
        let labels = Set(plan.regions.map(\.label) + plan.endpoints.map(\.label)).sorted()
        let shown = labels.prefix(20).joined(separator: " ")
        let more = labels.count > 20 ? " and \(labels.count - 20) more" : ""
        throw Refusal(
            "there is no target \(target); there are: \(shown.isEmpty ? "none" : shown)\(more)")
    }

    private mutating func takeBack(
        _ targets: [String], drainsOnly: Bool, _ terms: OverrideCommand.Terms,
        from overrides: inout Overrides
    ) throws(Refusal) -> [String] {
        var told: [String] = []
        for target in targets {
            let meant = overrides.states(of: target).filter { override in
                (!drainsOnly || override.order == .state(.drain))
                    && (terms.clients == .all || override.clients == terms.clients)
            }
            guard !meant.isEmpty else {
                throw Refusal(nothing(about: target, drainsOnly, overrides))
            }
            for override in overrides.remove(where: { meant.contains($0) }) {
                note("taken back", override, .info, [("taken-back-by", author)])
                told.append("no longer: \(override.sentence(now: now))")
            }
        }
        return told
    }

    /// A target may be covered by what was said of its region, or by a pattern.
    private func nothing(
        about target: String, _ drainsOnly: Bool, _ overrides: Overrides
    ) -> String {
        let members = plan.targets(named: target)
        let others = overrides.all.filter { override in
            guard case .state = override.order else { return false }
            return !members.isDisjoint(with: plan.targets(named: override.subject))
        }
        let what = drainsOnly ? "drained" : "overridden"
        guard let first = others.first else { return "\(target) is not \(what)" }
        return "\(target) itself is not \(what); what holds for it is \(first.verb) "
            + "\(first.subject): take that back"
    }

    // MARK: - Weights

    /// Number of the weighted GEO name that is called so: in full, or relative to a zone.
    private func weightedName(_ text: String) throws(Refusal) -> Int {
        let meant =
            [DomainName(text)]
            + current.world.summaries.map { DomainName(text)?.appending($0.origin) }
        let found = plan.names.indices.filter { meant.contains(plan.names[$0].name) }
        guard let first = found.first else {
            let names = plan.names.indices.filter(isWeighted).map { fullName($0) }
            throw Refusal(
                "there is no GEO name \(text); weighted are: "
                    + (names.isEmpty ? "none" : names.prefix(20).joined(separator: " ")))
        }
        guard found.count == 1 else {
            let names = found.map { fullName($0) }.joined(separator: " ")
            throw Refusal("\(text) may be any of \(names): write it in full")
        }
        guard isWeighted(first) else {
            throw Refusal("\(fullName(first)) has no weights: its policy is not `weighted`")
        }
        return first
    }

    private func isWeighted(_ name: Int) -> Bool {
        if case .weighted = plan.selectors[plan.names[name].selector].method { true } else { false }
    }

    private func fullName(_ name: Int) -> String { plan.names[name].name.description }

    /// With the targets called as the zone does.
    private func resolved(
        _ shares: [WeightOrder.Share], of name: Int
    ) throws(Refusal) -> [WeightOrder.Share] {
        var resolved: [WeightOrder.Share] = []
        for share in shares {
            let label = try label(share.label, of: name)
            guard !resolved.contains(where: { $0.label == label }) else {
                throw Refusal("\(label) is given twice")
            }
            resolved.append(WeightOrder.Share(label, share.weight))
        }
        return resolved
    }

    private func label(_ text: String, of name: Int) throws(Refusal) -> String {
        let selector = plan.selectors[plan.names[name].selector]
        for (label, target) in zip(selector.labels, selector.targets)
        where label.lowercased() == text.lowercased() || fullName(of: target) == DomainName(text) {
            return label
        }
        throw Refusal(
            "\(fullName(name)) has no target \(text); it has: "
                + selector.labels.joined(separator: " "))
    }

    private func fullName(of target: Target) -> DomainName {
        switch target {
        case .endpoint(let index): plan.endpoints[index].name
        case .name(let index): plan.names[index].name
        case .external(let name): name
        }
    }

    private mutating func unset(
        _ name: String, _ terms: OverrideCommand.Terms, from overrides: inout Overrides
    ) throws(Refusal) -> String {
        let override = try weights(of: name, terms, in: overrides)
        _ = overrides.remove { $0 == override }
        note("taken back", override, .info, [("taken-back-by", author)])
        return "no longer: \(override.sentence(now: now))"
    }

    /// What was said of a name that may be gone by now.
    private func weights(
        of name: String, _ terms: OverrideCommand.Terms, in overrides: Overrides
    ) throws(Refusal) -> Override {
        let meant =
            [DomainName(name)]
            + current.world.summaries.map { DomainName(name)?.appending($0.origin) }
        for name in meant.compactMap({ $0 }) {
            if let found = overrides.weights(of: name, for: terms.clients) { return found }
        }
        let clients = terms.clients == .all ? "" : " for \(terms.clients)"
        throw Refusal("the weights of \(name)\(clients) are the zone's")
    }

    private mutating func shift(
        _ name: String, _ from: String, _ to: String, step: Int, pace: Duration,
        _ terms: OverrideCommand.Terms, on overrides: inout Overrides
    ) throws(Refusal) -> [String] {
        let number = try weightedName(name)
        let (source, destination) = (try label(from, of: number), try label(to, of: number))
        guard source != destination else { throw Refusal("\(from) and \(to) are the same target") }
        let known = overrides.weights(of: plan.names[number].name, for: terms.clients)
        if let known, let shift = known.shift, shift.phase != .done {
            throw Refusal(
                "\(name) is being shifted: \(known.details); abort that first, or wait")
        }
        let selector = plan.selectors[plan.names[number].selector]
        var base = selector.weights
        if case .weights(let weights) = known?.order {
            base = weights.weights(of: selector.labels, zone: selector.weights)
        }
        let shares = zip(selector.labels, base).map { WeightOrder.Share($0, $1) }
        guard shares.contains(where: { $0.label == source && $0.weight > 0 }) else {
            throw Refusal("\(source) has no share to give away")
        }
        if let ailment = ailment(of: number, destination, terms, overrides) {
            throw Refusal("\(destination) is not well: \(ailment)")
        }
        var weights = WeightOrder(shares)
        weights.shift = Shift(
            from: source, to: destination, step: step, pace: pace, isFromZone: known == nil, at: now
        )
        let override = made(.weights(weights), of: fullName(number), terms)
        return try add([override], to: &overrides, terms)
    }

    private func ailment(
        of name: Int, _ label: String, _ terms: OverrideCommand.Terms, _ overrides: Overrides
    ) -> String? {
        plan.ailment(
            of: fullName(name), label, plan.endpointStates(current.health, current.probes),
            ordered: overrides.effect(in: plan, for: terms.clients).states)
    }

    private mutating func steer(
        _ name: String, _ steering: OverrideCommand.Steering, _ terms: OverrideCommand.Terms,
        on overrides: inout Overrides
    ) throws(Refusal) -> String {
        var override = try weights(of: name, terms, in: overrides)
        guard case .weights(var weights) = override.order, var shift = weights.shift else {
            throw Refusal("\(name) is not being shifted")
        }
        switch (steering, shift.phase) {
        case (.pause, .running): shift.pause(because: "by \(author)")
        case (.resume, .paused):
            if let number = plan.weightedName(override.subject),
                let ailment = ailment(of: number, shift.destination, terms, overrides)
            {
                throw Refusal("\(shift.destination) is not well: \(ailment)")
            }
            shift.resume(at: now)
        case (.abort, _):
            if shift.isFromZone {
                _ = overrides.remove { $0 == override }
                note("aborted: the zone's weights hold", override)
                return "aborted: the zone's weights of \(override.subject) hold again"
            }
            weights.shift = nil
            override.order = .weights(weights)
            overrides.replace(override)
            note("aborted", override)
            return "aborted: \(override.sentence(now: now))"
        case (.pause, _), (.resume, _):
            throw Refusal("there is nothing to \(steering.rawValue): \(override.details)")
        }
        weights.shift = shift
        override.order = .weights(weights)
        overrides.replace(override)
        note("\(steering.rawValue)d", override)
        return override.sentence(now: now)
    }
}
