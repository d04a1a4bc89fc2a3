/// Everything that is being probed: who is due, what state each is in. A value without I/O;
/// whoever runs the probes asks it what to start, and tells it what came out.
package struct Watchlist: Sendable {
    private struct Entry {
        var probe: Probe
        var machine: CheckMachine
        var ticket: ProbeTicket
        /// Before the second start, which comes after a part of a pace (see `spread`).
        var isNew = true
        var startTime: MonotonicTime?
        var obstacle: String?
    }

    private var entries: [Entry?] = []
    private var identifiers: [Probe: ProbeIdentifier] = [:]
    private var freeIndices: [Int] = []
    private var due = DueQueue<ProbeTicket>()
    private var nextSerial: UInt64 = 0
    /// The state of every probe, as last published or to be published.
    package private(set) var table = HealthTable()
    /// Goes up whenever something is forgotten: a sign to look for probes to abandon.
    package private(set) var removalCount = 0

    package init() {}

    /// How many probes are watched.
    package var count: Int { identifiers.count }

    /// When the next probe is due; nil when none is.
    package var nextStart: MonotonicTime? { due.first?.time }

    // MARK: - Who is watched

    /// One identifier per probe, in order; a probe already watched keeps its own. New ones are due
    /// at once.
    package mutating func watch(_ probes: [Probe], at now: MonotonicTime) -> [ProbeIdentifier] {
        probes.map { probe in
            if let known = identifiers[probe] { return known }
            let index = freeIndices.popLast() ?? entries.count
            if index == entries.count { entries.append(nil) }
            let identifier = ProbeIdentifier(index)
            let ticket = ProbeTicket(identifier: identifier, serial: nextSerial)
            nextSerial += 1
            entries[index] = Entry(
                probe: probe, machine: CheckMachine(probe.check), ticket: ticket)
            identifiers[probe] = identifier
            table[identifier] = .unknown
            due.insert(DueQueue.Item(time: now, subject: ticket))
            return identifier
        }
    }

    /// Forgets every other probe. Returns true when that changed the table.
    package mutating func retain(only kept: Set<ProbeIdentifier>) -> Bool {
        var isTableChanged = false
        for index in entries.indices where !kept.contains(ProbeIdentifier(index)) {
            guard let entry = entries[index] else { continue }
            entries[index] = nil
            identifiers[entry.probe] = nil
            freeIndices.append(index)
            removalCount += 1
            if entry.machine.state != .unknown { isTableChanged = true }
            table[ProbeIdentifier(index)] = .unknown
            table[weightOf: ProbeIdentifier(index)] = 100
        }
        return isTableChanged
    }

    /// False once the probe of this start has been forgotten, even if its identifier is in use
    /// again.
    package func isWatched(_ ticket: ProbeTicket) -> Bool {
        entry(of: ticket.identifier)?.ticket == ticket
    }

    // MARK: - Starts and results

    /// Takes the probes that are due, the longest waiting first, at most `countMax`. Each is out of
    /// the queue until `received` or `couldNotProbe` is told about it.
    package mutating func takeDue(
        at now: MonotonicTime, atMost countMax: Int
    ) -> [(ticket: ProbeTicket, probe: Probe)] {
        var starts: [(ticket: ProbeTicket, probe: Probe)] = []
        while starts.count < countMax, let next = due.first, next.time <= now {
            _ = due.removeFirst()
            let ticket = next.subject
            guard isWatched(ticket), let probe = entries[ticket.identifier.index]?.probe
            else { continue }
            // Paces run from when it was due, so that being a little late each time does not add
            // up; after a long delay they begin anew.
            let isPunctual =
                entries[ticket.identifier.index].map { now - next.time < $0.machine.nextDelay / 4 }
                ?? false
            // In place: an entry is large, and this happens a thousand times a second.
            entries[ticket.identifier.index]?.startTime = isPunctual ? next.time : now
            starts.append((ticket, probe))
        }
        return starts
    }

    /// Takes in the result of a start. Returns a report when the state changed.
    package mutating func received(
        _ result: ProbeResult, of ticket: ProbeTicket, at now: MonotonicTime
    ) -> ProbeReport? {
        guard isWatched(ticket), var entry = entries[ticket.identifier.index] else { return nil }
        entry.obstacle = nil
        let transition = entry.machine.received(result, at: now)
        reschedule(&entry, at: now)
        entries[ticket.identifier.index] = entry
        weigh(entry, after: result)
        guard transition != nil else { return nil }
        table[ticket.identifier] = entry.machine.state
        return report(on: entry)
    }

    /// A degraded front door keeps the weight it was given until it says another, or recovers.
    private mutating func weigh(_ entry: Entry, after result: ProbeResult) {
        let identifier = entry.ticket.identifier
        guard entry.machine.state == .degraded else {
            table[weightOf: identifier] = 100
            return
        }
        switch result.verdict {
        case .degraded, .strained:
            table[weightOf: identifier] =
                if case .percent(let part) = result.load?.statement {
                    UInt8(clamping: part)
                } else {
                    HealthTable.degradedWeight
                }
        case .passed, .drained, .failed: break
        }
    }

    /// This machine could not carry out the probe: nothing is known about the front door, so its
    /// state stays, and it is tried again after a pace.
    package mutating func couldNotProbe(
        _ ticket: ProbeTicket, because obstacle: String, at now: MonotonicTime
    ) {
        guard isWatched(ticket), var entry = entries[ticket.identifier.index] else { return }
        entry.obstacle = obstacle
        reschedule(&entry, at: now)
        entries[ticket.identifier.index] = entry
    }

    /// Paces run from start to start; a probe that took longer is followed by the next at once.
    private mutating func reschedule(_ entry: inout Entry, at now: MonotonicTime) {
        var delay = entry.machine.nextDelay
        if entry.isNew {
            delay = Watchlist.spread(entry.probe, over: delay)
            entry.isNew = false
        }
        let time = max((entry.startTime ?? now) + delay, now)
        due.insert(DueQueue.Item(time: time, subject: entry.ticket))
    }

    /// The part of a pace between the first and the second start, the same for the same probe in
    /// every process: all begin together, so without it all would go on together.
    static func spread(_ probe: Probe, over pace: Duration) -> Duration {
        .nanoseconds(
            Int64(
                clamping: probe.hash64.multipliedFullWidth(by: UInt64(clamping: pace.nanoseconds))
                    .high))
    }

    // MARK: - What is known

    /// True while a first result of any of these is still to come; forgotten ones do not count.
    package func isAwaitingFirstResult(of probes: [ProbeIdentifier]) -> Bool {
        probes.contains { entry(of: $0)?.machine.state == .unknown }
    }

    /// In the order asked for; forgotten ones are left out.
    package func report(of probes: [ProbeIdentifier]) -> [ProbeReport] {
        probes.compactMap { entry(of: $0).map(report(on:)) }
    }

    private func report(on entry: Entry) -> ProbeReport {
        ProbeReport(
            identifier: entry.ticket.identifier, probe: entry.probe, machine: entry.machine,
            obstacle: entry.obstacle)
    }

    private func entry(of probe: ProbeIdentifier) -> Entry? {
        entries.indices.contains(probe.index) ? entries[probe.index] : nil
    }
}

/// A probe being watched, told apart from another that was given the same identifier later.
package struct ProbeTicket: Hashable, Sendable, BitwiseCopyable {
    package var identifier: ProbeIdentifier
    var serial: UInt64
}

extension Probe {
    /// The same in every process, unlike `hashValue`: FNV-1a over what makes probes differ, then a
    /// finaliser (MurmurHash3's), for FNV alone leaves the high bits of short inputs alike.
    var hash64: UInt64 {
        let text = "\(address) \(check.host ?? "") \(check.summary)"
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}
