package import DNSWire
package import Health

/// Every override that holds, in the order given: a value, told of each change and handed the time.
package struct Overrides: Sendable, Equatable {
    package private(set) var all: [Override] = []
    /// Until when answers that name an endpoint may be in some cache, for those that were answered
    /// since overrides have held. By owner name, so that a reload forgets nothing.
    package var cachedUntil: [DomainName: MonotonicTime] = [:]
    /// What the subjects of states hold for in one plan; see `resolve`.
    private var resolution = Resolution()

    private struct Resolution {
        var plan: SteeringPlan?
        var targets: [String: Set<Target>] = [:]
    }

    /// So many orders at most: each is looked at with every change of health.
    package static let countMax = 1000

    package init() {}

    /// What has been looked up is no part of what was ordered.
    package static func == (left: Overrides, right: Overrides) -> Bool {
        left.all == right.all && left.cachedUntil == right.cachedUntil
    }

    /// As remembered by a process before this one: what has ended meanwhile is left to `advance`.
    package init(_ remembered: [Override], cachedUntil: [DomainName: MonotonicTime] = [:]) {
        for override in remembered { _ = add(override) }
        self.cachedUntil = cachedUntil
    }

    package var isEmpty: Bool { all.isEmpty }

    /// When something changes by itself: the first end of an override, or step of a shift.
    package var nextChange: MonotonicTime? {
        all.lazy.compactMap { override in
            [override.until, override.shift?.nextStep].compactMap { $0 }.min()
        }.min()
    }

    /// What becomes known by handing over the time.
    package enum Change: Hashable, Sendable {
        case ended(Override)
        /// A shift has taken a step, perhaps the last one; as it is now.
        case stepped(Override)
        /// A shift has stopped by itself.
        case stopped(Override)
    }

    /// Stops the shifts to targets that are not well under a plan. `states`: of its endpoints, by
    /// their checks.
    package mutating func pauseShifts(
        in plan: SteeringPlan, _ states: [HealthState]
    ) -> [Change] {
        var changes: [Change] = []
        for index in all.indices {
            guard case .weights(var weights) = all[index].order, let shift = weights.shift,
                shift.nextStep != nil,
                let words = plan.ailment(
                    of: all[index].subject, shift.destination, states,
                    ordered: effect(in: plan, for: all[index].clients).states)
            else { continue }
            weights.shift?.pause(because: words)
            all[index].order = .weights(weights)
            changes.append(.stopped(all[index]))
        }
        return changes
    }

    /// Ends what is over, and takes the steps that are due.
    package mutating func advance(to now: MonotonicTime) -> [Change] {
        var changes: [Change] = []
        all.removeAll { override in
            guard let until = override.until, until <= now else { return false }
            changes.append(.ended(override))
            return true
        }
        for index in all.indices {
            guard case .weights(var weights) = all[index].order,
                weights.shift?.advance(to: now) == true
            else { continue }
            all[index].order = .weights(weights)
            changes.append(.stepped(all[index]))
        }
        return changes
    }

    /// As they will be when every shift has come to its end.
    package var withShiftsDone: Overrides {
        var overrides = self
        for index in overrides.all.indices {
            guard case .weights(var weights) = overrides.all[index].order else { continue }
            weights.shift?.moved = Shift.whole
            overrides.all[index].order = .weights(weights)
        }
        return overrides
    }

    /// Replaces what was said of the same subject and clients, and returns that.
    @discardableResult
    package mutating func add(_ override: Override) -> Override? {
        var replaced: Override?
        if let index = all.firstIndex(where: { $0.key == override.key }) {
            replaced = all.remove(at: index)
        }
        all.append(override)
        return replaced
    }

    /// Changes one in place; the order stays.
    package mutating func replace(_ override: Override) {
        guard let index = all.firstIndex(where: { $0.key == override.key }) else { return }
        all[index] = override
    }

    /// Takes back; returns what there was.
    package mutating func remove(where isGone: (Override) -> Bool) -> [Override] {
        let gone = all.filter(isGone)
        all.removeAll(where: isGone)
        return gone
    }

    /// States of the targets that `pattern` names or matches.
    package func states(of pattern: String) -> [Override] {
        all.filter { override in
            guard case .state = override.order else { return false }
            return TargetPattern(pattern).matches(override.subject)
        }
    }

    /// The weights of a GEO name, for those clients.
    package func weights(of name: DomainName, for clients: Override.Clients) -> Override? {
        all.first { override in
            guard case .weights = override.order else { return false }
            return override.clients == clients && DomainName(override.subject) == name
        }
    }
}

extension Overrides {
    /// Added to the TTL of the last answer: by then every worker has taken up the next snapshot
    /// (within a second, `Transport/Worker.swift`), the answer has arrived, and whole seconds have
    /// been rounded.
    package static var grace: Duration { .seconds(5) }

    /// Takes note of what `answers` may have said up to now; nothing is kept while nothing is
    /// overridden.
    package mutating func note(_ answers: AnswerTable, at now: MonotonicTime) {
        guard !all.isEmpty || !answers.overrides.isEmpty else {
            cachedUntil = [:]
            return
        }
        cachedUntil = cachedUntil.filter { $0.value > now }
        for (endpoint, ttl) in zip(answers.plan.endpoints, answers.longestTTLs) {
            guard let ttl else { continue }
            let until = now + .seconds(Int64(ttl)) + Overrides.grace
            cachedUntil[endpoint.name] = max(cachedUntil[endpoint.name] ?? until, until)
        }
    }
}

extension Override {
    package var shift: Shift? {
        if case .weights(let weights) = order { weights.shift } else { nil }
    }
}

extension HealthState {
    /// After "is".
    package var inSentence: String { self == .drain ? "drained" : name }
}

/// What overrides make of one plan, for clients that are alike to them.
package struct OverrideEffect: Hashable, Sendable {
    /// Of targets, in place of what their checks say.
    package var states: [Target: HealthState] = [:]
    /// Of GEO names, by number: one for each target of its selector.
    package var weights: [Int: [UInt32]] = [:]

    package init() {}

    package var isEmpty: Bool { states.isEmpty && weights.isEmpty }
}

extension Overrides {
    /// `includes`: whether these clients are among those of an override. Where several speak of one
    /// target or name, that for the narrowest clients counts, and of those the one given last.
    package func effect(
        in plan: SteeringPlan, including includes: (Override.Clients) -> Bool = { $0 == .all }
    ) -> OverrideEffect {
        var effect = OverrideEffect()
        let ordered = all.filter { includes($0.clients) }.enumerated().sorted { left, right in
            (left.element.clients.narrowness, left.offset)
                < (right.element.clients.narrowness, right.offset)
        }
        for (_, override) in ordered {
            switch override.order {
            case .state(let state):
                for target in plan.targets(named: override.subject) {
                    effect.states[target] = state
                }
            case .weights(let weights):
                guard let name = plan.weightedName(override.subject) else { continue }
                let selector = plan.selectors[plan.names[name].selector]
                guard weights.isUseful(for: selector.labels, zone: selector.weights)
                else { continue }
                effect.weights[name] = weights.weights(
                    of: selector.labels, zone: selector.weights)
            }
        }
        return effect
    }
}

extension Overrides {
    /// Looks up once what all patterns match: there may be many targets, and health changes often.
    package mutating func resolve(in plan: SteeringPlan) {
        if resolution.plan !== plan { resolution = Resolution(plan: plan) }
        var targets: [String: Set<Target>] = [:]
        for override in all {
            guard case .state = override.order else { continue }
            targets[override.subject] = self.targets(of: override, in: plan)
        }
        resolution.targets = targets
    }

    private func targets(of override: Override, in plan: SteeringPlan) -> Set<Target> {
        let known = resolution.plan === plan ? resolution.targets[override.subject] : nil
        return known ?? plan.targets(named: override.subject)
    }

    /// For clients of whom nothing else is known.
    package func effect(
        in plan: SteeringPlan, for clients: Override.Clients
    ) -> OverrideEffect {
        effect(in: plan) { $0 == .all || $0 == clients }
    }
}

extension SteeringPlan {
    /// What an override of that subject holds for: all endpoints of a region that it names or
    /// matches, those of that name, and GEO names and names outside that are targets.
    package func targets(named pattern: String) -> Set<Target> {
        let pattern = TargetPattern(pattern)
        func isNamed(_ label: String, _ name: DomainName) -> Bool {
            pattern.matches(label) || pattern.matches(name.description)
        }
        let named = Set(regions.indices.filter { isNamed(regions[$0].label, regions[$0].name) })
        var targets: Set<Target> = []
        for (index, endpoint) in endpoints.enumerated()
        where isNamed(endpoint.label, endpoint.name)
            || endpoint.region.map({ named.contains($0) }) ?? false
        {
            targets.insert(.endpoint(index))
        }
        for selector in selectors {
            for (target, label) in selector.allTargets where !targets.contains(target) {
                switch target {
                case .endpoint: break
                case .name(let index) where isNamed(label, names[index].name):
                    targets.insert(target)
                case .external(let name) where isNamed(label, name): targets.insert(target)
                case .name, .external: break
                }
            }
        }
        return targets
    }

    /// Number of a GEO name whose policy is `weighted`.
    package func weightedName(_ text: String) -> Int? {
        guard let name = DomainName(text), let index = names.firstIndex(where: { $0.name == name }),
            case .weighted = selectors[names[index].selector].method
        else { return nil }
        return index
    }

    /// As an operator calls it.
    package func label(of target: Target) -> String {
        switch target {
        case .endpoint(let index): endpoints[index].label
        case .name(let index): names[index].name.description
        case .external(let name): name.description
        }
    }
}

extension SteeringPlan {
    /// What is the matter with a target of a GEO name, in words: something that it leads to is
    /// neither up nor unknown. Nil when it is well, or not there. `states`: of the endpoints, by
    /// their checks; `ordered`: what operators have said instead.
    package func ailment(
        of name: String, _ label: String, _ states: [HealthState],
        ordered: [Target: HealthState] = [:]
    ) -> String? {
        guard let number = weightedName(name) else { return nil }
        let selector = selectors[names[number].selector]
        guard let position = selector.labels.firstIndex(of: label) else { return nil }
        var targets = [selector.targets[position]]
        var seen = Set(targets)
        while let target = targets.popLast() {
            var state = ordered[target]
            if case .endpoint(let index) = target { state = state ?? states[index] }
            if let state, state != .up, state != .unknown {
                return "\(self.label(of: target)) is \(state.inSentence)"
            }
            switch target {
            case .endpoint: break
            case .name(let index):
                // Cycles are refused at load; a target is looked at once even so.
                let next = selectors[names[index].selector].targets
                targets += next.filter { seen.insert($0).inserted }
            case .external: break
            }
        }
        return nil
    }
}

extension Selector {
    /// Targets, backups and a last resort that has a name, with their labels.
    var allTargets: [(Target, String)] {
        var all = Array(zip(targets + backups, labels + backupLabels))
        if case .target(let target, let label) = lastResort { all.append((target, label)) }
        return all
    }
}
