package import Addressing

// Failures without a sign of life, which may be this server's own (`Isolation`).
extension Watchlist {
    /// Something to be told: this server is cut off, or no longer.
    package struct IsolationChange: Hashable, Sendable {
        package var family: IPAddress.Family
        package var change: Isolation.Change
    }

    /// A silence that nothing is known about yet.
    struct Waiting {
        var ticket: ProbeTicket
        var result: ProbeResult
        /// Of its probe.
        var start: MonotonicTime
        var since: MonotonicTime
    }

    /// When anchors cannot even be asked, by then a silence counts.
    static var waitMax: Duration { .seconds(10) }

    /// What of a family's addresses is cut off, and since when.
    package var cutOff: [IPAddress.Family: MonotonicTime] {
        isolations.compactMapValues(\.cutOffSince)
    }

    /// What has changed since this was last asked.
    package mutating func takeIsolationChanges() -> [IsolationChange] {
        defer { isolationChanges = [] }
        return isolationChanges
    }

    /// Whether a result says something about its front door.
    mutating func ruling(
        on result: ProbeResult, of ticket: ProbeTicket, _ subject: Subject, at now: MonotonicTime
    ) -> Isolation.Ruling {
        let family = subject.address.family
        var change: Isolation.Change?
        if subject.isAnchor {
            change = isolations[family]?.anchor(
                ticket.identifier, isSilent: result.isSilence, start: subject.start, at: now)
        } else if subject.isOfTheNetwork {
            change = isolations[family]?.frontDoor(
                at: subject.address, isSilent: result.isSilence, start: subject.start, at: now)
        }
        if let change {
            isolationChanges.append(IsolationChange(family: family, change: change))
            if case .cutOff(let since) = change { excuse(family, since: since, at: now) }
        }
        guard result.isSilence, !subject.isAnchor else { return .counts }
        return isolations[family]?.ruling(onSilenceFrom: subject.start) ?? .counts
    }

    /// A guess comes late: what fell silent first may be down by then.
    private mutating func excuse(
        _ family: IPAddress.Family, since: MonotonicTime, at now: MonotonicTime
    ) {
        for index in entries.indices {
            guard var entry = entries[index], entry.probe.address.family == family,
                !entry.isAnchor, entry.machine.excuseFailures(since: since, at: now)
            else { continue }
            entries[index] = entry
            table[timeToChangeOf: entry.ticket.identifier] = entry.machine.timeToChange
            guard table[entry.ticket.identifier] != entry.machine.state else { continue }
            table[entry.ticket.identifier] = entry.machine.state
            excused.append(report(on: entry))
        }
    }

    /// Silences that can be ruled on by now.
    mutating func settleWaiting(at now: MonotonicTime) -> [ProbeReport] {
        var reports = excused
        excused = []
        guard !waiting.isEmpty else { return reports }
        let all = waiting
        waiting = []
        for item in all {
            guard isWatched(item.ticket), let entry = entries[item.ticket.identifier.index]
            else { continue }
            let family = entry.probe.address.family
            switch isolations[family]?.ruling(onSilenceFrom: item.start) ?? .counts {
            case .waits where now - item.since < Watchlist.waitMax:
                waiting.append(item)
                hurryAnchors(family, at: now)
            case .counts, .waits:
                if let report = count(item.result, of: item.ticket, at: now) {
                    reports.append(report)
                }
            case .isOurs:
                entries[item.ticket.identifier.index]?.obstacle = Watchlist.words(item.result)
            }
        }
        return reports
    }

    static func words(_ result: ProbeResult) -> String {
        "this server is cut off: \(result.reason)"
    }

    /// Asks anchors before their time, though not more often than at their fast pace.
    mutating func hurryAnchors(_ family: IPAddress.Family, at now: MonotonicTime) {
        for identifier in anchors {
            guard let entry = entries[identifier.index], entry.probe.address.family == family,
                let dueTime = entry.dueTime
            else { continue }
            let earliest = entry.startTime.map { $0 + entry.probe.check.fast } ?? now
            let time = max(now, earliest)
            guard time < dueTime else { continue }
            schedule(entry.ticket, at: time)
        }
    }
}

extension CheckSpecification {
    /// A probe reaches the address itself: a program or a file may have asked anybody.
    package var isOfTheNetwork: Bool {
        switch kind {
        case .exec, .file: false
        default: true
        }
    }
}
