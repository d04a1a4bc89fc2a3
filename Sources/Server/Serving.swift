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
        var overrides = Overrides()
        /// Tells apart whom some of these are limited to.
        var partition: ClientPartition?
        /// What is handed on by regions that are full.
        var spill: SpillTable

        /// When answers change although no health does.
        var nextChange: MonotonicTime? {
            [held.values.min(), nextStep, overrides.nextChange].compactMap(\.self).min()
        }

        /// When to come again.
        var nextCall: MonotonicTime? {
            [nextChange, spill.nextLook].compactMap(\.self).min()
        }

        init(
            _ world: World, _ probes: [ProbeIdentifier], _ health: HealthTable,
            holds: HoldTable = HoldTable(), ramps: RampTable = RampTable(),
            overrides: Overrides = Overrides(), spill: SpillTable? = nil, at now: MonotonicTime
        ) {
            self.world = world
            self.probes = probes
            self.health = health
            self.holds = holds
            self.ramps = ramps
            self.overrides = overrides
            self.spill = spill ?? SpillTable(world.plan)
            answers = .empty
            time = now
            self.holds.forget(allBut: world.plan, at: now)
            self.ramps.forget(allBut: world.plan, at: now)
            held = self.holds.held(in: world.plan, at: now)
        }

        /// The same with another world.
        func moved(
            to world: World, _ probes: [ProbeIdentifier], _ health: HealthTable,
            at now: MonotonicTime
        ) -> Current {
            Current(
                world, probes, health, holds: holds, ramps: ramps, overrides: overrides,
                spill: spill.moved(from: self.world.plan, to: world.plan), at: now)
        }

        /// Brings the overrides up to `now`, and makes the answers. `current`: what is answered
        /// before.
        mutating func advance(
            to now: MonotonicTime, from current: Current?
        ) -> (snapshot: Snapshot, changes: [Overrides.Change]) {
            let plan = world.plan
            let states = plan.endpointStates(health, probes)
            time = now
            ramp(states, at: now)
            overrides.resolve(in: plan)
            // Looked at before a step is taken: nothing is moved to what has just failed.
            let changes = overrides.pauseShifts(in: plan, states) + overrides.advance(to: now)
            if let current { overrides.note(current.answers, at: now) }
            var snapshot = snapshot()
            let reports = plan.slotCount > 0 ? plan.regionReports(health, probes) : []
            spill.adapt(snapshot.answers, reports, at: now)
            if spill.shares != snapshot.answers.spill { snapshot = self.snapshot() }
            answers = snapshot.answers
            return (snapshot, changes)
        }

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
    let journal: Journal

    init(_ journal: Journal) {
        self.journal = journal
        snapshots = SnapshotCell(.empty)
        state = Mutex(nil)
    }

    var current: Current? { state.withLock { $0 } }

    /// Starts to serve `world`. `remembered` and `overrides` count the first time.
    func adopt(
        _ world: World, probes: [ProbeIdentifier], health: HealthTable,
        remembered: HealthMemory = HealthMemory(), overrides: Overrides = Overrides(),
        partition: ClientPartition? = nil, at now: MonotonicTime = .now()
    ) {
        state.withLock { state in
            var next = Current(
                world, probes, health, holds: HoldTable(remembered.holds),
                ramps: RampTable(remembered.ramps), overrides: overrides, at: now)
            if let state { next = state.moved(to: world, probes, health, at: now) }
            next.partition = partition
            state = publish(next, replacing: state, at: now)
            if let state { reportLost(in: state) }
        }
    }

    /// What `world` would answer if it were adopted now; nobody is told of it.
    func answers(
        of world: World, probes: [ProbeIdentifier], health: HealthTable,
        partition: ClientPartition?, at now: MonotonicTime = .now()
    ) -> AnswerTable {
        let current = state.withLock { $0 }
        var next =
            current?.moved(to: world, probes, health, at: now)
            ?? Current(world, probes, health, at: now)
        next.partition = partition
        return next.advance(to: now, from: current).snapshot.answers
    }

    /// Health has changed: the same world, other answers.
    ///
    /// The monitor's thread and a reload may come here at the same time, each with a copy it took
    /// before: the older copy must not undo the newer. Returns when to come again, even if nothing
    /// has changed by then: a target that is held is let go, one that ramps gets more, an override
    /// ends.
    @discardableResult
    func update(_ health: HealthTable, at now: MonotonicTime = .now()) -> MonotonicTime? {
        state.withLock { state in
            guard let current = state, health.version >= current.health.version else { return nil }
            var isDue = current.nextChange.map { $0 <= now } ?? false
            let isLook = current.spill.nextLook.map { $0 <= now } ?? false
            guard health.version > current.health.version || isDue || isLook else {
                return current.nextCall
            }
            let plan = current.world.plan
            var next = current
            next.health = health
            if isLook {
                next.look(at: now)
                if next.spill.shares != current.spill.shares { isDue = true }
            }
            if health.stateVersion == current.health.stateVersion && !isDue {
                // A state has come into question, or is firm again: that is no more than a TTL.
                let isTTL = plan.hasTTLRanges && health.timeVersion != current.health.timeVersion
                let isLoad =
                    plan.balances && health.figureVersion != current.health.figureVersion
                guard isTTL || isLoad else {
                    report(from: current, to: next)
                    state = next
                    return next.nextCall
                }
                let time = current.time + Serving.gap
                if now < time {
                    // What was looked at is not looked at again.
                    next.health = current.health
                    report(from: current, to: next)
                    state = next
                    return [time, next.nextCall].compactMap(\.self).min()
                }
            }
            // What operators order is no failure, and hides none.
            let events =
                plan.holds.isEmpty
                ? []
                : next.holds.observe(
                    plan, from: plan.endpointStates(current.health, current.probes),
                    to: plan.endpointStates(health, current.probes), at: now)
            next.held = next.holds.held(in: plan, at: now)
            next = publish(next, replacing: current, at: now)
            report(events, plan, at: now)
            for hold in current.held.keys where next.held[hold] == nil {
                report("released", "", plan.endpoints[hold.endpoint], [])
            }
            state = next
            return next.nextCall
        }
    }

    /// Has `body` change the overrides, and publishes what comes of it; when `body` throws, nothing
    /// has changed. `body` returns what the journal shall say. Nil before anything is served.
    /// `partition` takes the place of the one before.
    func change<Failure: Error>(
        partition: ClientPartition? = nil, at now: MonotonicTime = .now(),
        _ body: (inout Overrides, Current) throws(Failure) -> [OverrideNote]
    ) throws(Failure) -> Current? {
        let outcome: Result<Current?, Failure> = state.withLock { state in
            guard let current = state else { return .success(nil) }
            var next = current
            next.partition = partition ?? current.partition
            do throws(Failure) {
                for note in try body(&next.overrides, current) {
                    report(note.message, note.override, at: now, note.level, note.fields)
                }
            } catch {
                return .failure(error)
            }
            next = publish(next, replacing: current, at: now)
            state = next
            return .success(next)
        }
        return try outcome.get()
    }

    /// Makes the answers of `now` and has the workers take them up.
    private func publish(
        _ next: Current, replacing current: Current?, at now: MonotonicTime
    ) -> Current {
        var next = next
        let (snapshot, changes) = next.advance(to: now, from: current)
        snapshots.publish(snapshot)
        for change in changes { report(change, at: now) }
        report(from: current, to: next)
        report(from: current?.answers, to: next.answers, next.health, next.probes)
        return next
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
    /// that are down. Worlds are compared by name: after a reload indexes may have moved. Within
    /// one, indexes tell what no name can: which of several sets of checks has failed.
    private func report(
        from before: AnswerTable?, to after: AnswerTable, _ health: HealthTable,
        _ probes: [ProbeIdentifier]
    ) {
        let same = before.flatMap { $0.plan === after.plan ? $0 : nil }
        let endpointStates = same == nil ? states(before) : [:]
        for (index, endpoint) in after.plan.endpoints.enumerated() {
            let state = after.endpointStates[index]
            let earlier = same?.endpointStates[index] ?? endpointStates[endpoint.name] ?? .up
            guard state != earlier else { continue }
            let downCount = endpoint.addresses.count { address in
                address.probes.contains { health[probes[$0]] == .down }
            }
            var fields: [(name: String, value: String)] = [
                ("target", endpoint.label), ("name", endpoint.name.description),
                ("addresses-down", "\(downCount) of \(endpoint.addresses.count)"),
            ]
            if after.overrides.states[.endpoint(index)] != nil {
                fields.append(("because", "override"))
            }
            journal.record(state == .up ? .info : .warning, state.name, "", fields)
        }
        let namesBefore = same == nil ? before?.plan.names.map(\.name) ?? [] : []
        let nameWasUp = Dictionary(
            zip(namesBefore, before?.nameIsUp ?? []), uniquingKeysWith: { $0 || $1 })
        for (index, name) in after.plan.names.enumerated()
        where !after.nameIsUp[index] && same?.nameIsUp[index] ?? nameWasUp[name.name] ?? true {
            journal.record(
                .error, "nothing-up",
                "no target of this name is up; it is answered as its last-resort says",
                [("name", name.name.description)])
        }
        let nameWasInPanic = Dictionary(
            zip(namesBefore, before?.nameIsInPanic ?? []), uniquingKeysWith: { $0 || $1 })
        for (index, name) in after.plan.names.enumerated() {
            let isInPanic = after.nameIsInPanic[index]
            let wasInPanic = same?.nameIsInPanic[index] ?? nameWasInPanic[name.name] ?? false
            guard isInPanic != wasInPanic else { continue }
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
            uniquingKeysWith: { HealthStateCounts([$0, $1]).ofAddresses(needed: 1) })
    }
}
