import DNSWire
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
    }

    let snapshots: SnapshotCell
    private let state: Mutex<Current?>
    private let log: Log

    init(_ log: Log) {
        self.log = log
        snapshots = SnapshotCell(.empty)
        state = Mutex(nil)
    }

    var current: Current? { state.withLock { $0 } }

    /// Starts to serve `world`.
    func adopt(_ world: World, probes: [ProbeIdentifier], health: HealthTable) {
        state.withLock { state in
            let snapshot = world.snapshot(health, probes: probes)
            snapshots.publish(snapshot)
            report(from: state?.answers, to: snapshot.answers, health, probes)
            state = Current(
                world: world, probes: probes, health: health, answers: snapshot.answers)
        }
    }

    /// Health has changed: the same world, other answers.
    ///
    /// The monitor's thread and a reload may come here at the same time, each with a copy it took
    /// before: the older copy must not undo the newer.
    func update(_ health: HealthTable) {
        state.withLock { state in
            guard let current = state, health.version > current.health.version else { return }
            let snapshot = current.world.snapshot(health, probes: current.probes)
            snapshots.publish(snapshot)
            report(from: current.answers, to: snapshot.answers, health, current.probes)
            state?.health = health
            state?.answers = snapshot.answers
        }
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
            log.write(
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
            log.write(
                .error, "nothing-up",
                "no target of this name is up; it is answered as its last-resort says",
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
