import DNSWire
import Diagnostics
import Health
import Steering

// What the log says of overrides, and what can be said of their effect.
extension Serving {
    func report(_ change: Overrides.Change, at now: MonotonicTime) {
        switch change {
        case .ended(let override): report("its time is over", override, at: now)
        case .stepped(let override):
            let isDone = override.shift?.phase == .done
            report(isDone ? "everything is moved" : "a step", override, at: now)
        case .stopped(let override): report("stopped", override, at: now, .warning)
        }
    }

    func report(
        _ message: String, _ override: Override, at now: MonotonicTime,
        _ level: Log.Level = .info, _ fields: [(name: String, value: String)] = []
    ) {
        journal.record(
            level, override.shift == nil ? "override" : "shift", message,
            override.fields(now: now) + fields)
    }

    /// What speaks of targets that are not there: told, and kept, for they may come again.
    func reportLost(in current: Current) {
        for override in current.overrides.all {
            guard let loss = current.loss(of: override) else { continue }
            report(loss, override, at: .now(), .warning)
        }
    }
}

extension Serving.Current {
    /// What of an override has no effect since the zones have changed; nil when all of it has.
    func loss(of override: Override) -> String? {
        let plan = world.plan
        switch override.order {
        case .state:
            return plan.targets(named: override.subject).isEmpty
                ? "there is no such target any more" : nil
        case .weights(let weights):
            guard let name = plan.weightedName(override.subject) else {
                return "there is no weighted name \(override.subject) any more"
            }
            let labels = plan.selectors[plan.names[name].selector].labels
            let missing = weights.shares.map(\.label).filter { !labels.contains($0) }
            return missing.isEmpty
                ? nil : "it has no target \(missing.joined(separator: " ")) any more"
        }
    }

    /// Whether clients may still come to an endpoint.
    enum Safety: Equatable {
        /// It is answered now: to these names.
        case answered([String])
        /// From then on no cache holds an answer that names it.
        case safe(at: MonotonicTime)
        /// It has not been answered for so long that nothing is known of it.
        case unanswered
    }

    func safety(of endpoint: Int) -> Safety {
        let names = answers.names(offering: endpoint).map { $0.name.description }
        guard names.isEmpty else { return .answered(names) }
        let until = overrides.cachedUntil[world.plan.endpoints[endpoint].name]
        return until.map { .safe(at: $0) } ?? .unanswered
    }

    /// For people: one line for each target of the endpoints given that is to have no clients.
    func safetyLines(of endpoints: [Int], now: MonotonicTime) -> [[String]] {
        endpoints.map { endpoint in
            let words: String
            switch safety(of: endpoint) {
            case .answered(let names):
                let shown = names.prefix(3).joined(separator: " ")
                let more = names.count > 3 ? " and \(names.count - 3) more" : ""
                words = "still answered for \(shown)\(more)"
            case .safe(let time) where time > now:
                words = "safe at \(WallClock(of: time, now: now))"
            case .safe, .unanswered: words = "safe: no cache can hold it any more"
            }
            return ["", world.plan.endpoints[endpoint].label, words]
        }
    }
}

extension Override {
    /// `drain`, `up`, `down`, `set` or `shift`.
    var verb: String {
        switch order {
        case .state(let state): state.name
        case .weights(let weights): weights.shift == nil ? "set" : "shift"
        }
    }

    /// Of weights: `blue:0 green:100`; of a shift where it stands.
    var details: String {
        guard case .weights(let weights) = order else { return "" }
        guard let shift = weights.shift else {
            return weights.shares.map { "\($0.label):\($0.weight)" }.joined(separator: " ")
        }
        let moved = Shift.percent(shift.moved)
        let route = "\(shift.source)->\(shift.destination), \(moved) moved"
        switch shift.phase {
        case .running:
            return "\(route), \(Shift.percent(shift.step)) every \(shift.pace.inWords)"
        case .paused(let reason): return "\(route), stopped: \(reason)"
        case .done: return "\(route), done"
        }
    }

    func fields(now: MonotonicTime) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = [("order", verb), ("of", subject)]
        if !details.isEmpty { fields.append(("what", details)) }
        if clients != .all { fields.append(("clients", "\(clients)")) }
        if let until { fields.append(("until", "\(WallClock(of: until, now: now))")) }
        fields.append(("by", author))
        if !reason.isEmpty { fields.append(("reason", reason)) }
        return fields
    }
}
