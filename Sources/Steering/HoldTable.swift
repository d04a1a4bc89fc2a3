import DNSWire
package import Health

/// Which targets are held because they keep going up and down (`hold=` of a GEO, `HoldDown`): a
/// value, told of every change, and handed the time.
///
/// Targets are remembered by name, so that a reload forgets nothing that is still there.
package struct HoldTable: Sendable {
    private struct Key: Hashable {
        var name: DomainName
        /// Tells endpoints apart that differ in their checks alone.
        var ordinal: Int
        var longest: Duration
    }

    /// A target that has just been held, or is held for longer now.
    package struct Event: Sendable {
        package var endpoint: Int
        package var until: MonotonicTime
    }

    private var machines: [Key: HoldDown] = [:]

    package init() {}

    /// As remembered by a process before this one.
    package init(_ holds: [HealthMemory.Hold]) {
        for hold in holds {
            let key = Key(name: hold.name, ordinal: hold.ordinal, longest: hold.machine.longest)
            machines[key] = hold.machine
        }
    }

    /// What is to be remembered, in an order that stays.
    package var memory: [HealthMemory.Hold] {
        machines.map { HealthMemory.Hold($0.name, ordinal: $0.ordinal, machine: $1) }.sorted {
            ("\($0.name)", $0.ordinal, $0.machine.longest)
                < ("\($1.name)", $1.ordinal, $1.machine.longest)
        }
    }

    /// Takes in what has changed under one plan. Returns what is held because of it.
    package mutating func observe(
        _ plan: SteeringPlan, from before: [HealthState], to after: [HealthState],
        at now: MonotonicTime
    ) -> [Event] {
        let keys = plan.endpointKeys
        var events: [Event] = []
        for hold in plan.holds {
            // Drained is no failure.
            guard before[hold.endpoint] != .down, after[hold.endpoint] == .down else { continue }
            let key = Key(
                name: keys[hold.endpoint].name, ordinal: keys[hold.endpoint].ordinal,
                longest: hold.longest)
            var machine = machines[key] ?? HoldDown(longest: hold.longest)
            machine.wentDown(at: now)
            machines[key] = machine
            if let until = machine.heldUntil, until > now {
                events.append(Event(endpoint: hold.endpoint, until: until))
            }
        }
        return events
    }

    /// What is held at that moment, and until when.
    package func held(
        in plan: SteeringPlan, at now: MonotonicTime
    ) -> [SteeringPlan.Hold: MonotonicTime] {
        guard !machines.isEmpty else { return [:] }
        let keys = plan.endpointKeys
        var result: [SteeringPlan.Hold: MonotonicTime] = [:]
        for hold in plan.holds {
            let key = Key(
                name: keys[hold.endpoint].name, ordinal: keys[hold.endpoint].ordinal,
                longest: hold.longest)
            if let until = machines[key]?.heldUntil, until > now { result[hold] = until }
        }
        return result
    }

    /// Forgets what has recovered for long, and what the plan no longer holds.
    package mutating func forget(allBut plan: SteeringPlan, at now: MonotonicTime) {
        guard !machines.isEmpty else { return }
        let keys = plan.endpointKeys
        let known = Set(
            plan.holds.map { hold in
                Key(
                    name: keys[hold.endpoint].name, ordinal: keys[hold.endpoint].ordinal,
                    longest: hold.longest)
            })
        for (key, machine) in machines {
            var machine = machine
            if !known.contains(key) || machine.isForgotten(at: now) { machines[key] = nil }
        }
    }
}
