import DNSWire
import Diagnostics
import Health
import HealthMonitor
import Loader
import Responder
import Steering
import Synchronization

/// What is being served: a world and the health of its probes, published together whenever one of
/// the two changes.
final class Serving: Sendable {
    struct Current {
        var world: World
        /// Names the world's probes in the monitor's tables.
        var probes: [ProbeIdentifier]
        var health: HealthTable
        var answers: AnswerTable
        var holds: HoldTable
        /// When the answers were made.
        var time: MonotonicTime
        /// What is kept out, and until when.
        var held: [SteeringPlan.Hold: MonotonicTime]
        var ramps = RampTable()
        /// What gets a part of its clients, in percent.
        var ramping: [SteeringPlan.Ramp: UInt32] = [:]
        /// When that becomes more.
        var nextStep: MonotonicTime?

        /// When answers change although no health does.
        var nextChange: MonotonicTime? { [held.values.min(), nextStep].compactMap(\.self).min() }

        /// Takes in states that are seen at that moment.
        mutating func ramp(_ states: [HealthState], at now: MonotonicTime) {
            ramps.observe(world.plan, states, held: Set(held.keys.map(\.endpoint)), at: now)
            ramping = ramps.parts(in: world.plan, at: now)
            nextStep = ramps.nextStep(in: world.plan, at: now)
        }
    }

    /// Of many checks one fails now and then, and every one measures something: answers are not
    /// made anew for each.
    private static let gap = Duration.seconds(1)

    let snapshots: SnapshotCell
    private let state: Mutex<Current?>
    private let journal: Journal

    init(_ journal: Journal) {
        self.journal = journal
        snapshots = SnapshotCell(.empty)
        state = Mutex(nil)
    }

    var current: Current? { state.withLock { $0 } }

    /// Starts to serve `world`. `remembered` counts the first time.
    func adopt(
        _ world: World, probes: [ProbeIdentifier], health: HealthTable,
        remembered: HealthMemory = HealthMemory(), at now: MonotonicTime = .now()
    ) {
        state.withLock { state in
            var holds = state?.holds ?? HoldTable(remembered.holds)
            holds.forget(allBut: world.plan, at: now)
            var ramps = state?.ramps ?? RampTable(remembered.ramps)
            ramps.forget(allBut: world.plan, at: now)
            var next = Current(
                world: world, probes: probes, health: health,
                answers: state?.answers ?? snapshots.latest.answers, holds: holds,
                time: now, held: holds.held(in: world.plan, at: now), ramps: ramps)
            next.ramp(world.plan.endpointStates(health, probes), at: now)
            let snapshot = world.snapshot(
                health, probes: probes, held: Set(next.held.keys), ramping: next.ramping)
            next.answers = snapshot.answers
            snapshots.publish(snapshot)
            report(from: state?.answers, to: snapshot.answers, health, probes)
            state = next
        }
    }

    /// Health has changed: the same world, other answers.
    ///
    /// The monitor's thread and a reload may come here at the same time, each with a copy it took
    /// before: the older copy must not undo the newer. Returns when to come again, even if nothing
    /// has changed by then: a target that is held is let go, one that ramps gets more.
    @discardableResult
    func update(_ health: HealthTable, at now: MonotonicTime = .now()) -> MonotonicTime? {
        state.withLock { state in
            guard let current = state, health.version >= current.health.version else { return nil }
            let isDue = current.nextChange.map { $0 <= now } ?? false
            guard health.version > current.health.version || isDue else {
                return current.nextChange
            }
            let plan = current.world.plan
            var next = current
            next.health = health
            if health.stateVersion == current.health.stateVersion && !isDue {
                // A state has come into question, or is firm again: that is no more than a TTL.
                let isTTL = plan.hasTTLRanges && health.timeVersion != current.health.timeVersion
                let isLoad =
                    plan.usesFigures && health.figureVersion != current.health.figureVersion
                guard isTTL || isLoad else {
                    state = next
                    return next.nextChange
                }
                let time = current.time + Serving.gap
                if now < time { return [time, current.nextChange].compactMap(\.self).min() }
            }
            next.time = now
            let states = plan.endpointStates(health, current.probes)
            let events = next.holds.observe(
                plan, from: current.answers.endpointStates, to: states, at: now)
            next.held = next.holds.held(in: plan, at: now)
            next.ramp(states, at: now)
            let snapshot = current.world.snapshot(
                health, probes: current.probes, held: Set(next.held.keys), ramping: next.ramping)
            next.answers = snapshot.answers
            snapshots.publish(snapshot)
            report(from: current.answers, to: snapshot.answers, health, current.probes)
            report(events, plan, at: now)
            for hold in current.held.keys where next.held[hold] == nil {
                report("released", "", plan.endpoints[hold.endpoint], [])
            }
            state = next
            return next.nextChange
        }
    }

    private func report(_ events: [HoldTable.Event], _ plan: SteeringPlan, at now: MonotonicTime) {
        for event in events {
            report(
                "held", "it keeps going up and down, and stays out for a while",
                plan.endpoints[event.endpoint],
                [("until", WallClock(of: event.until, now: now).description)])
        }
    }

    private func report(
        _ event: String, _ message: String, _ endpoint: Endpoint, _ fields: [(String, String)]
    ) {
        journal.record(
            event == "held" ? .warning : .info, event, message,
            [("target", endpoint.label), ("name", endpoint.name.description)] + fields)
    }

    /// Logs every endpoint and every GEO name that went up or down; of those that are new, the ones
    /// that are down. Worlds are compared by name: after a reload indexes may have moved.
    private func report(
        from before: AnswerTable?, to after: AnswerTable, _ health: HealthTable,
        _ probes: [ProbeIdentifier]
    ) {
        let endpointStates = states(before)
        for (index, endpoint) in after.plan.endpoints.enumerated() {
            let state = after.endpointStates[index]
            guard state != endpointStates[endpoint.name] ?? .up else { continue }
            let downCount = endpoint.addresses.count { address in
                address.probes.contains { health[probes[$0]] == .down }
            }
            journal.record(
                state == .up ? .info : .warning, state.name, "",
                [
                    ("target", endpoint.label), ("name", endpoint.name.description),
                    ("addresses-down", "\(downCount) of \(endpoint.addresses.count)"),
                ])
        }
        let nameWasUp = Dictionary(
            zip(before?.plan.names.map(\.name) ?? [], before?.nameIsUp ?? []),
            uniquingKeysWith: { $0 || $1 })
        for (index, name) in after.plan.names.enumerated()
        where !after.nameIsUp[index] && nameWasUp[name.name] ?? true {
            journal.record(
                .error, "nothing-up",
                "no target of this name is up; it is answered as its last-resort says",
                [("name", name.name.description)])
        }
        let nameWasInPanic = Dictionary(
            zip(before?.plan.names.map(\.name) ?? [], before?.nameIsInPanic ?? []),
            uniquingKeysWith: { $0 || $1 })
        for (index, name) in after.plan.names.enumerated() {
            let isInPanic = after.nameIsInPanic[index]
            guard isInPanic != nameWasInPanic[name.name] ?? false else { continue }
            journal.record(
                isInPanic ? .error : .info, isInPanic ? "panic" : "panic-over",
                isInPanic
                    ? "too little of this name is up: its health is ignored"
                    : "enough of this name is up again",
                [("name", name.name.description)])
        }
    }

    /// A name with several sets of checks counts as up when one of them is.
    private func states(_ answers: AnswerTable?) -> [DomainName: HealthState] {
        guard let answers else { return [:] }
        return Dictionary(
            zip(answers.plan.endpoints.map(\.name), answers.endpointStates),
            uniquingKeysWith: { .ofAddresses([$0, $1], needed: 1) })
    }
}
