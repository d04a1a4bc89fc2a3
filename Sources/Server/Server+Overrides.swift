import Administration
import Diagnostics
import Health
import Loader
import Steering

// `geodnsctl drain`, `set` and the like.
extension Server {
    func order(_ words: [String], by author: String) -> ControlReply {
        let now = MonotonicTime.now()
        do throws(OverrideCommand.Refusal) {
            let command = try OverrideCommand(words)
            var told: [String] = []
            // Outside of the lock that health changes take, for it may take a while.
            let partition = try partition(for: command.terms.clients)
            let current = try serving.change(partition: partition, at: now) {
                (overrides, current) throws(OverrideCommand.Refusal) in
                var desk = OverrideDesk(
                    current: current, author: author,
                    rules: SafetyRules(
                        minimumRegions: settings.minimumRegions,
                        minimumCapacity: settings.minimumCapacity), now: now)
                told = try desk.carryOut(command, on: &overrides)
                return desk.notes
            }
            guard let current else {
                throw OverrideCommand.Refusal("nothing is served yet; try again when it is ready")
            }
            // So that the monitor knows when to come next.
            monitor.refresh()
            told += OverrideDesk.effects(of: command, in: current, now: now)
            if let problem = keepOverrides() { told.append("warning: \(problem)") }
            return .ok(told.map { $0 + "\n" }.joined())
        } catch {
            return .failed(error.message)
        }
    }

    /// One that tells these clients apart too; nil when the one there is does.
    private func partition(
        for clients: Override.Clients
    ) throws(OverrideCommand.Refusal) -> ClientPartition? {
        let known = serving.current?.partition?.clients ?? []
        guard clients != .all, !known.contains(clients) else { return nil }
        switch clients {
        case .country, .continent:
            guard geoData.isNone else { break }
            throw OverrideCommand.Refusal(
                "\(clients): without a location database nobody is known to be there")
        case .all, .net: break
        }
        let limits = serving.current?.overrides.limits ?? []
        return geoData.partition(limits.union([clients]))
    }

    /// Everything that is overridden.
    func overrides(_ words: ArraySlice<String>) -> ControlReply {
        guard words.isEmpty || Array(words) == ["json"] else {
            return .failed("overrides takes no arguments")
        }
        guard let current = serving.current else { return .ok("") }
        let now = MonotonicTime.now()
        guard words.isEmpty else {
            return .ok(current.overrides.all.map { current.json(of: $0, now: now) + "\n" }.joined())
        }
        guard !current.overrides.isEmpty else { return .ok("nothing is overridden\n") }
        var rows = [["ORDER", "OF", "CLIENTS", "SINCE", "UNTIL", "BY", "WHAT", "REASON"]]
        for override in current.overrides.all {
            rows.append([
                override.verb, override.subject, "\(override.clients)",
                "\(WallClock(of: override.since, now: now))",
                override.until.map { "\(WallClock(of: $0, now: now))" } ?? "-",
                override.author, current.words(on: override), override.reason,
            ])
        }
        let closed = Set(current.overrides.all.flatMap { current.closedEndpoints(by: $0) }).sorted()
        return .ok(
            Table.text(rows) + Table.text(current.safetyLines(of: closed, now: now)))
    }
}

extension GeoData {
    /// Takes a walk through the whole database; nil where nobody is told apart.
    func partition(_ clients: Set<Override.Clients>) -> ClientPartition? {
        clients.isEmpty ? nil : ClientPartition(clients, source: self)
    }
}
