import Addressing

/// Everything that is being probed: who is due, what state each is in. A value without I/O;
/// whoever runs the probes asks it what to start, and tells it what came out.
package struct Watchlist: Sendable {
    /// Whether what probes measure is put into the table: it changes often.
    package var wantsFigures = false
    /// And what reports say that is held against capacities.
    package var wantsLoads = false
    var entries: [Entry?] = []
    private var identifiers: [Probe: ProbeIdentifier] = [:]
    private var freeIndices: [Int] = []
    private var due = DueQueue<ProbeTicket>()
    private var nextSerial: UInt64 = 0
    /// The state of every probe, as last published or to be published.
    package internal(set) var table = HealthTable()
    var isolations: [IPAddress.Family: Isolation] = [:]
    var anchors: [ProbeIdentifier] = []
    var waiting: [Waiting] = []
    var isolationChanges: [IsolationChange] = []
    /// Back up since it is known that this server was cut off.
    var excused: [ProbeReport] = []
    /// Goes up whenever something is forgotten: a sign to look for probes to abandon.
    package private(set) var removalCount = 0

    /// `anchors` are due at once, and for ever.
    package init(
        anchors probes: [Probe] = [], at now: MonotonicTime = MonotonicTime(nanoseconds: 0)
    ) {
        for probe in probes { anchors.append(add(probe, isAnchor: true, at: now)) }
        for family in IPAddress.Family.allCases {
            isolations[family] = Isolation(
                anchors: zip(anchors, probes).filter { $1.address.family == family }.map(\.0))
        }
    }

    /// How many probes are watched.
    package var count: Int { identifiers.count }

    /// When the next probe is due; nil when none is.
    package var nextStart: MonotonicTime? { due.first?.time }

    // MARK: - Who is watched

    /// One identifier per probe, in order; a probe already watched keeps its own. New ones are due
    /// at once; what `memory` has of them is their state until then.
    package mutating func watch(
        _ probes: [Probe], remembering memory: HealthMemory = HealthMemory(), at now: MonotonicTime
    ) -> [ProbeIdentifier] {
        probes.map { probe in
            if let known = identifiers[probe] { return known }
            let identifier = add(probe, remembering: memory, isAnchor: false, at: now)
            identifiers[probe] = identifier
            return identifier
        }
    }

    private mutating func add(
        _ probe: Probe, remembering memory: HealthMemory = HealthMemory(), isAnchor: Bool,
        at now: MonotonicTime
    ) -> ProbeIdentifier {
        let index = freeIndices.popLast() ?? entries.count
        if index == entries.count { entries.append(nil) }
        let identifier = ProbeIdentifier(index)
        let ticket = ProbeTicket(identifier: identifier, serial: nextSerial)
        nextSerial += 1
        let definition = probe.check.definition
        let known = memory.recall(probe.address, definition, probe.check.every, at: now)
        let machine =
            known.map { CheckMachine(probe.check, from: $0) } ?? CheckMachine(probe.check)
        entries[index] = Entry(
            probe: probe, definition: definition, machine: machine, ticket: ticket,
            isAnchor: isAnchor)
        table[identifier] = machine.state
        table[weightOf: identifier] = known?.weight ?? 100
        table[timeToChangeOf: identifier] = machine.timeToChange
        schedule(ticket, at: now)
        return identifier
    }

    /// The last time given counts.
    mutating func schedule(_ ticket: ProbeTicket, at time: MonotonicTime) {
        entries[ticket.identifier.index]?.dueTime = time
        due.insert(DueQueue.Item(time: time, subject: ticket))
    }

    /// Forgets every other probe. Returns true when that changed the table.
    package mutating func retain(only kept: Set<ProbeIdentifier>) -> Bool {
        var isTableChanged = false
        for index in entries.indices where !kept.contains(ProbeIdentifier(index)) {
            guard let entry = entries[index], !entry.isAnchor else { continue }
            entries[index] = nil
            identifiers[entry.probe] = nil
            freeIndices.append(index)
            removalCount += 1
            if entry.machine.state != .unknown { isTableChanged = true }
            table[ProbeIdentifier(index)] = .unknown
            table[weightOf: ProbeIdentifier(index)] = 100
            table[timeToChangeOf: ProbeIdentifier(index)] = nil
            table[figuresOf: ProbeIdentifier(index)] = nil
        }
        let left = entries.compactMap { $0?.isAnchor == false ? $0?.probe.address : nil }
        for family in IPAddress.Family.allCases {
            isolations[family]?.forget(allBut: left.filter { $0.family == family })
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
            guard isKnown(ticket.identifier),
                let probe = entries[ticket.identifier.index]?.start(ticket, due: next.time, at: now)
            else { continue }
            starts.append((ticket, probe))
        }
        return starts
    }

    /// Takes in the result of a start. Returns a report for each state that has changed: a silence
    /// may count later, when an anchor has answered.
    package mutating func received(
        _ result: ProbeResult, of ticket: ProbeTicket, at now: MonotonicTime
    ) -> [ProbeReport] {
        guard isKnown(ticket.identifier),
            let subject = entries[ticket.identifier.index]?.subject(of: ticket, at: now)
        else { return [] }
        var reports: [ProbeReport] = []
        if !result.isSilence { waiting.removeAll { $0.ticket == ticket } }
        switch ruling(on: result, of: ticket, subject, at: now) {
        case .counts:
            var result = result
            // Whatever an anchor answers, it does answer.
            if subject.isAnchor, !result.isSilence { result.verdict = .passed }
            if let report = count(result, of: ticket, at: now) { reports.append(report) }
            reschedule(ticket, at: now)
        case .waits:
            waiting.append(
                Waiting(ticket: ticket, result: result, start: subject.start, since: now))
            reschedule(ticket, atMost: subject.fast, at: now)
        case .isOurs: couldNotProbe(ticket, because: Watchlist.words(result), at: now)
        }
        return reports + settleWaiting(at: now)
    }

    /// Has its machine take in a result.
    mutating func count(
        _ result: ProbeResult, of ticket: ProbeTicket, at now: MonotonicTime
    ) -> ProbeReport? {
        let identifier = ticket.identifier
        guard let standing = entries[identifier.index]?.count(result, at: now) else { return nil }
        if wantsFigures { measure(identifier, after: result) }
        weigh(identifier, standing.state, after: result)
        table[timeToChangeOf: identifier] = standing.timeToChange
        guard standing.hasChanged else { return nil }
        table[identifier] = standing.state
        return entry(of: identifier).map(report(on:))
    }

    private mutating func measure(_ identifier: ProbeIdentifier, after result: ProbeResult) {
        guard let figures = entries[identifier.index]?.measure(result, withLoad: wantsLoads)
        else { return }
        let published = table[figuresOf: identifier] ?? ProbeFigures()
        if !figures.isAbout(published) { table[figuresOf: identifier] = figures }
    }

    /// A degraded front door keeps the weight it was given until it says another, or recovers.
    private mutating func weigh(
        _ identifier: ProbeIdentifier, _ state: HealthState, after result: ProbeResult
    ) {
        guard state == .degraded else {
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
        guard isWatched(ticket) else { return }
        entries[ticket.identifier.index]?.obstacle = obstacle
        reschedule(ticket, at: now)
    }

    /// Paces run from start to start; a probe that took longer is followed by the next at once.
    private mutating func reschedule(
        _ ticket: ProbeTicket, atMost limit: Duration? = nil, at now: MonotonicTime
    ) {
        guard let time = entries[ticket.identifier.index]?.nextStart(atMost: limit, at: now)
        else { return }
        schedule(ticket, at: time)
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

    /// What is to be remembered of all of them.
    package var memory: HealthMemory {
        var memory = HealthMemory()
        for case .some(let entry) in entries where !entry.isAnchor {
            guard let seen = entry.machine.lastResultTime,
                let transition = entry.machine.lastTransition
            else { continue }
            memory.remember(
                entry.probe.address, entry.definition,
                HealthMemory.Entry(
                    entry.machine.state, since: transition.time, seen: seen,
                    weight: table[weightOf: entry.ticket.identifier], reason: transition.reason))
        }
        return memory
    }

    /// In the order asked for; forgotten ones are left out.
    package func report(of probes: [ProbeIdentifier]) -> [ProbeReport] {
        probes.compactMap { entry(of: $0).map(report(on:)) }
    }

    /// One for each anchor.
    package var anchorReports: [ProbeReport] {
        anchors.compactMap { entry(of: $0).map(report(on:)) }
    }

    func report(on entry: Entry) -> ProbeReport {
        ProbeReport(
            identifier: entry.ticket.identifier, probe: entry.probe, machine: entry.machine,
            obstacle: entry.obstacle, evidence: entry.evidence, isAnchor: entry.isAnchor)
    }

    private func entry(of probe: ProbeIdentifier) -> Entry? {
        isKnown(probe) ? entries[probe.index] : nil
    }

    private func isKnown(_ probe: ProbeIdentifier) -> Bool { entries.indices.contains(probe.index) }
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
