import DNSWire
package import Health

/// Which targets have failed, and since when those that came back take clients again (`ramp=` of a
/// GEO): a value, told of every state, and handed the time.
///
/// A target that was never seen down does not ramp: at the start of the server everyone gets all
/// of its clients. Targets are remembered by name, so that a reload forgets nothing that is still
/// there.
package struct RampTable: Sendable {
    /// Nil: it has failed, and is not back yet.
    private var starts: [SteeringPlan.EndpointKey: MonotonicTime?] = [:]

    package init() {}

    /// As remembered by a process before this one.
    package init(_ ramps: [HealthMemory.Ramp]) {
        for ramp in ramps {
            starts[SteeringPlan.EndpointKey(name: ramp.name, ordinal: ramp.ordinal)] =
                .some(ramp.since)
        }
    }

    /// What is to be remembered, in an order that stays.
    package var memory: [HealthMemory.Ramp] {
        starts.map { HealthMemory.Ramp($0.name, ordinal: $0.ordinal, since: $1) }.sorted {
            ("\($0.name)", $0.ordinal) < ("\($1.name)", $1.ordinal)
        }
    }

    /// Takes in the state of each endpoint of a plan. One that is held is not back yet.
    package mutating func observe(
        _ plan: SteeringPlan, _ states: [HealthState], held: Set<Int>, at now: MonotonicTime
    ) {
        guard plan.hasRamps else { return }
        for (key, endpoint) in keys(plan) {
            if states[endpoint] == .down {
                starts[key] = .some(nil)
            } else if states[endpoint].isOpen, !held.contains(endpoint),
                let start = starts[key], start == nil
            {
                starts[key] = now
            }
        }
    }

    /// Of what is ramping at that moment, the percentage of its clients that it gets.
    package func parts(
        in plan: SteeringPlan, at now: MonotonicTime
    ) -> [SteeringPlan.Ramp: UInt32] {
        guard !starts.isEmpty else { return [:] }
        let keys = plan.endpointKeys
        var result: [SteeringPlan.Ramp: UInt32] = [:]
        for ramp in plan.ramps {
            guard let start = starts[keys[ramp.endpoint]] ?? nil else { continue }
            let step = ramp.step(at: now - start)
            if step < ramp.stepCount { result[ramp] = UInt32(step * 100 / ramp.stepCount) }
        }
        return result
    }

    /// When the next one gets more; nil when none is ramping.
    package func nextStep(in plan: SteeringPlan, at now: MonotonicTime) -> MonotonicTime? {
        guard !starts.isEmpty else { return nil }
        let keys = plan.endpointKeys
        return plan.ramps.compactMap { ramp in
            guard let start = starts[keys[ramp.endpoint]] ?? nil else { return nil }
            let step = ramp.step(at: now - start)
            return step < ramp.stepCount ? start + ramp.length * (step + 1) / ramp.stepCount : nil
        }.min()
    }

    /// Forgets what has all its clients again, and what the plan does not ramp.
    package mutating func forget(allBut plan: SteeringPlan, at now: MonotonicTime) {
        guard !starts.isEmpty else { return }
        let endpointKeys = plan.endpointKeys
        var longest: [SteeringPlan.EndpointKey: Duration] = [:]
        for ramp in plan.ramps {
            let key = endpointKeys[ramp.endpoint]
            longest[key] = max(longest[key] ?? .zero, ramp.length)
        }
        starts = starts.filter { key, start in
            guard let length = longest[key] else { return false }
            return start.map { now - $0 < length } ?? true
        }
    }

    /// Of the endpoints that ramp, each once.
    private func keys(_ plan: SteeringPlan) -> [SteeringPlan.EndpointKey: Int] {
        let ramps = plan.ramps
        guard !ramps.isEmpty else { return [:] }
        let keys = plan.endpointKeys
        return Dictionary(
            ramps.map { (keys[$0.endpoint], $0.endpoint) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension SteeringPlan {
    /// An endpoint that gets its clients back little by little under some selector, over so long.
    package struct Ramp: Hashable, Sendable {
        package var endpoint: Int
        package var length: Duration

        /// Twenty, unless that would be more than one a second: each is a new table of answers.
        var stepCount: Int { min(max(Int(length.components.seconds), 1), 20) }

        /// Steps done, at most all, that long after the target came back.
        func step(at age: Duration) -> Int {
            guard age > .zero else { return 0 }
            guard age < length else { return stepCount }
            return Int(age.nanoseconds / max(length.nanoseconds / Int64(stepCount), 1))
        }
    }

    /// What an endpoint is known by from one plan to the next.
    struct EndpointKey: Hashable {
        var name: DomainName
        /// Tells endpoints apart that differ in their checks alone.
        var ordinal: Int
    }

    /// One for each endpoint.
    var endpointKeys: [EndpointKey] {
        var counts: [DomainName: Int] = [:]
        return endpoints.map { endpoint in
            defer { counts[endpoint.name, default: 0] += 1 }
            return EndpointKey(name: endpoint.name, ordinal: counts[endpoint.name, default: 0])
        }
    }

    var hasRamps: Bool { selectors.contains { $0.ramp > .zero } }

    /// Each once, in order.
    package var ramps: [Ramp] {
        var seen: Set<Ramp> = []
        return selectors.filter { $0.ramp > .zero }.flatMap { selector in
            selector.targets.compactMap { target in
                guard case .endpoint(let index) = target else { return nil }
                let ramp = Ramp(endpoint: index, length: selector.ramp)
                return seen.insert(ramp).inserted ? ramp : nil
            }
        }
    }
}
