import Configuration
import DNSWire
import Diagnostics
import Geography
import Health
import Loader
import Responder
import Steering

/// What is known of the front doors of a world, and ordered about them: by probes made now, by what
/// a server has kept, or nothing, and then everything is up.
struct Standing {
    private let health: HealthTable
    private let identifiers: [ProbeIdentifier]
    /// One for each of the plan's probes; none when nothing is known.
    private let reports: [ProbeReport]
    private let kept: KeptState?
    private let partition: ClientPartition?

    /// Probes say what is; of what was kept then only orders, holds and ramps count.
    init(_ world: World, _ probes: ProbeRun?, _ kept: KeptState?, _ database: GeoData?) {
        self.kept = kept
        let limits = kept?.overrides.limits ?? []
        partition =
            limits.isEmpty
            ? nil
            : database.map { ClientPartition(limits, source: $0) }
                ?? ClientPartition(limits, source: MemoryLocationSource([]))
        if let probes {
            (health, identifiers, reports) = (probes.health, probes.identifiers, probes.reports)
        } else if let kept {
            var list = Watchlist()
            identifiers = list.watch(world.plan.probes, remembering: kept.health, at: kept.now)
            health = list.table
            reports = list.report(of: identifiers)
        } else {
            health = HealthTable()
            identifiers = world.plan.probes.indices.map { ProbeIdentifier($0) }
            reports = []
        }
    }

    /// Tells how much is not known, if a server's memory is asked at all.
    func reportUnknown() {
        guard let kept else { return }
        let unknown = reports.count { $0.state == .unknown && $0.evidence.isEmpty }
        guard unknown > 0 else { return }
        printError(
            "\(CheckSettings.program.name): --state \(kept.folder): nothing is known of \(unknown) of "
                + "\(reports.count) checks, or it is too old; they count as up")
    }

    /// What is answered under a plan of the world with these down and drained besides.
    func answers(
        _ plan: SteeringPlan, down: Set<Int>, drained: Set<Int>,
        spill: Spill.Shares = Spill.Shares()
    ) -> AnswerTable {
        guard let kept else {
            return AnswerTable(
                plan, health: health, probes: identifiers, forcedDown: down, drained: drained,
                spill: spill)
        }
        // As `Server` does when it publishes.
        let held = held(in: plan, kept)
        let ramping = ramping(in: plan, kept)
        var overrides = overrides(in: plan, kept)
        for (state, endpoints) in [(HealthState.down, down), (.drain, drained)] {
            suppose(state, of: endpoints, in: plan, &overrides)
        }
        return AnswerTable(
            plan, health: health, probes: identifiers, forcedDown: down, drained: drained,
            held: Set(held.keys), ramping: ramping,
            overrides: overrides.effects(in: plan, partition), spill: spill)
    }

    /// Of each region; nil: unlimited.
    func capacities(of plan: SteeringPlan) -> [Double?] {
        plan.regionReports(health, identifiers).map(\.capacity)
    }

    /// Of the world, with health and orders as far as they are known.
    func epoch(of world: World) -> Epoch {
        let plan = world.plan
        return world.epoch.with(
            overrides: kept.map { overrides(in: plan, $0).fingerprint } ?? 0,
            health: plan.fingerprint(
                plan.endpointStates(health, identifiers),
                held: kept.map { Array(held(in: plan, $0).keys) } ?? [],
                ramping: kept.map { ramping(in: plan, $0) } ?? [:]))
    }

    private func held(
        in plan: SteeringPlan, _ kept: KeptState
    ) -> [SteeringPlan.Hold: MonotonicTime] {
        var holds = HoldTable(kept.health.holds)
        holds.forget(allBut: plan, at: kept.now)
        return holds.held(in: plan, at: kept.now)
    }

    private func ramping(
        in plan: SteeringPlan, _ kept: KeptState
    ) -> [SteeringPlan.Ramp: UInt32] {
        var ramps = RampTable(kept.health.ramps)
        ramps.forget(allBut: plan, at: kept.now)
        ramps.observe(
            plan, plan.endpointStates(health, identifiers),
            held: Set(held(in: plan, kept).keys.map(\.endpoint)), at: kept.now)
        return ramps.parts(in: plan, at: kept.now)
    }

    /// Those that hold now.
    private func overrides(in plan: SteeringPlan, _ kept: KeptState) -> Overrides {
        var overrides = kept.overrides
        _ = overrides.pauseShifts(in: plan, plan.endpointStates(health, identifiers))
        _ = overrides.advance(to: kept.now)
        return overrides
    }

    /// An order beats what is only supposed. So what is supposed of something that was ordered
    /// otherwise is taken for the latest order, of everybody who has given one.
    private func suppose(
        _ state: HealthState, of endpoints: Set<Int>, in plan: SteeringPlan,
        _ overrides: inout Overrides
    ) {
        for endpoint in endpoints.sorted() {
            let target = Target.endpoint(endpoint)
            let clients = overrides.all.filter { isState($0, of: target, in: plan) }.map(\.clients)
            for clients in Set(clients) {
                let name = plan.endpoints[endpoint].name.description
                overrides.add(
                    Override(
                        .state(state), of: name, for: clients,
                        since: kept?.now ?? .init(nanoseconds: 0)))
            }
        }
    }

    private func isState(_ override: Override, of target: Target, in plan: SteeringPlan) -> Bool {
        guard case .state = override.order else { return false }
        return plan.targets(named: override.subject).contains(target)
    }

    // MARK: - Words

    /// Why a target of a GEO name is in its state, as far as it is known: since when, by which
    /// result, by whose order. Empty when nothing is.
    func words(of label: String, under name: GeoName, in plan: SteeringPlan) -> String {
        guard let number = plan.names.firstIndex(where: { $0.name == name.name }) else { return "" }
        let selector = plan.selectors[plan.names[number].selector]
        guard let position = selector.labels.firstIndex(of: label) else { return "" }
        let target = selector.targets[position]
        var parts: [String] = []
        if let kept {
            for order in overrides(in: plan, kept).all where isState(order, of: target, in: plan) {
                parts.append(words(order, kept))
            }
        }
        guard case .endpoint(let endpoint) = target else { return parts.joined(separator: "; ") }
        if let kept {
            for (hold, until) in held(in: plan, kept) where hold.endpoint == endpoint {
                parts.append("held until \(kept.clock(until))")
            }
            for (ramp, part) in ramping(in: plan, kept) where ramp.endpoint == endpoint {
                parts.append("back, with \(part) % of its clients")
            }
        }
        if parts.isEmpty, let words = probeWords(of: plan.endpoints[endpoint]) {
            parts.append(words)
        }
        return parts.joined(separator: "; ")
    }

    private func words(_ order: Override, _ kept: KeptState) -> String {
        guard case .state(let state) = order.order else { return "" }
        var words = "ordered \(state.name)"
        if order.clients != .all { words += " for \(order.clients)" }
        if !order.author.isEmpty { words += " by \(order.author)" }
        words += " since \(kept.clock(order.since))"
        if let until = order.until { words += " until \(kept.clock(until))" }
        return order.reason.isEmpty ? words : words + ": \(order.reason)"
    }

    /// Of its checks in the worst state the one that came to it last.
    private func probeWords(of endpoint: Endpoint) -> String? {
        guard !reports.isEmpty else { return nil }
        let known = endpoint.addresses.flatMap(\.probes).map { reports[$0] }
        let worst = known.map(\.state).max { $0.rawValue < $1.rawValue }
        guard let worst, worst != .unknown else { return nil }
        let last = known.filter { $0.state == worst }.max {
            ($0.since?.nanoseconds ?? 0) < ($1.since?.nanoseconds ?? 0)
        }
        var words: [String] = []
        // A probe made just now says nothing about before.
        if let kept, let since = last?.since, last?.evidence.isEmpty == true {
            words.append("since \(kept.clock(since))")
        }
        if worst != .up, let reason = last?.transition?.reason { words.append(reason) }
        return words.isEmpty ? nil : words.joined(separator: ": ")
    }
}
