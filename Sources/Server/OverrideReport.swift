import Diagnostics
import Health
import Steering

extension OverrideDesk {
    /// What comes of it for those who are to have no more clients.
    static func effects(
        of command: OverrideCommand, in current: Serving.Current, now: MonotonicTime
    ) -> [String] {
        guard case .order(let state, let targets, _) = command, !state.isOpen else { return [] }
        let closed = Set(
            targets.flatMap { target in
                current.world.plan.targets(named: target).compactMap { target in
                    if case .endpoint(let index) = target { index } else { Int?.none }
                }
            })
        return Table.text(current.safetyLines(of: closed.sorted(), now: now))
            .split(separator: "\n").map(String.init)
    }
}

extension Serving.Current {
    /// Where it stands, and what of it has no effect.
    func words(on override: Override) -> String {
        if let loss = loss(of: override) { return loss }
        guard case .state = override.order else { return override.details }
        let targets = world.plan.targets(named: override.subject)
        return targets.map { world.plan.label(of: $0) }.sorted().joined(separator: " ")
    }

    /// The endpoints that are to have no clients because of it.
    func closedEndpoints(by override: Override) -> [Int] {
        guard case .state(let state) = override.order, !state.isOpen else { return [] }
        return world.plan.targets(named: override.subject).compactMap { target in
            if case .endpoint(let index) = target { index } else { nil }
        }
    }

    func json(of override: Override, now: MonotonicTime) -> String {
        func clock(_ time: MonotonicTime?) -> String {
            JSONText.optional(time.map { "\(WallClock(of: $0, now: now))" })
        }
        var members = [
            ("order", JSONText.string(override.verb)), ("of", JSONText.string(override.subject)),
            ("clients", JSONText.string("\(override.clients)")), ("since", clock(override.since)),
            ("until", clock(override.until)), ("by", JSONText.string(override.author)),
            ("reason", JSONText.string(override.reason)),
            ("lost", JSONText.optional(loss(of: override))),
        ]
        switch override.order {
        case .state:
            let closed = Set(closedEndpoints(by: override))
            let targets = world.plan.targets(named: override.subject).map { target in
                var members = [("target", JSONText.string(world.plan.label(of: target)))]
                if case .endpoint(let index) = target, closed.contains(index) {
                    switch safety(of: index) {
                    case .answered(let names):
                        members.append(
                            ("answeredFor", JSONText.array(names.map(JSONText.string))))
                    case .safe(let time): members.append(("safeAt", clock(time)))
                    case .unanswered: members.append(("safeAt", clock(override.since)))
                    }
                }
                return JSONText.object(members)
            }
            members.append(("targets", JSONText.array(targets.sorted())))
        case .weights(let weights):
            members.append(("weights", JSONText.object(effectiveWeights(override, weights))))
            if let shift = weights.shift { members.append(("shift", shift.json(clock))) }
        }
        return JSONText.object(members)
    }

    private func effectiveWeights(
        _ override: Override, _ weights: WeightOrder
    ) -> [(name: String, value: String)] {
        guard let name = world.plan.weightedName(override.subject) else {
            return weights.shares.map { ($0.label, "\($0.weight)") }
        }
        let selector = world.plan.selectors[world.plan.names[name].selector]
        let effective = weights.weights(of: selector.labels, zone: selector.weights)
        return zip(selector.labels, effective).map { ($0, "\($1)") }
    }
}

extension Shift {
    fileprivate func json(_ clock: (MonotonicTime?) -> String) -> String {
        func percent(_ hundredths: Int) -> String {
            Shift.percent(hundredths).split(separator: " ").first.map(String.init) ?? "0"
        }
        var members = [
            ("from", JSONText.string(source)), ("to", JSONText.string(destination)),
            ("movedPercent", percent(moved)), ("stepPercent", percent(step)),
            ("paceMilliseconds", "\(pace.milliseconds)"),
        ]
        switch phase {
        case .running(let next):
            members += [("state", JSONText.string("running")), ("next", clock(next))]
        case .paused(let reason):
            members += [
                ("state", JSONText.string("stopped")), ("because", JSONText.string(reason)),
            ]
        case .done: members.append(("state", JSONText.string("done")))
        }
        return JSONText.object(members)
    }
}

extension Override {
    /// `drain fra until 2026-… for country=US`
    func sentence(now: MonotonicTime) -> String {
        var words = "\(verb) \(subject)"
        if !details.isEmpty { words += " \(details)" }
        if clients != .all { words += " for \(clients)" }
        if let until { words += " until \(WallClock(of: until, now: now))" }
        return words
    }
}
