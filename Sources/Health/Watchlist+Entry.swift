import Addressing

extension Watchlist {
    /// What is known of one probe.
    ///
    /// It is large, and of ten thousand a thousand have something happen to them each second: what
    /// is done with one is done in place, and the functions are mutating, also those that change
    /// nothing, because a borrowed entry of an array is copied (Swift 6.3, seen in callgrind).
    struct Entry {
        var probe: Probe
        /// What `HealthMemory` knows its check by.
        var definition: String
        var machine: CheckMachine
        var ticket: ProbeTicket
        /// Before the second start, which comes after a part of a pace (see `spread`).
        var isNew = true
        /// It tells whether this server is cut off, and belongs to no target.
        var isAnchor = false
        var startTime: MonotonicTime?
        /// Nil while it is under way.
        var dueTime: MonotonicTime?
        var obstacle: String?
        var figures = ProbeFigures()
        /// The last results, the latest last.
        var evidence: [ProbeReport.Evidence] = []
    }

    /// What has to be known of a probe to rule on its result.
    struct Subject {
        var address: IPAddress
        var start: MonotonicTime
        var fast: Duration
        var isAnchor: Bool
        var isOfTheNetwork: Bool
    }

    /// What a result has made of a probe.
    struct Standing {
        var state: HealthState
        var timeToChange: Duration?
        var hasChanged: Bool
    }
}

extension Watchlist.Entry {
    /// What leads to a change of state is seldom more; a `fall` of a hundred alike tells no more.
    private static var evidenceCountMax: Int { 5 }

    /// Begins the probe; nil when the ticket is of one that has been forgotten, or another time has
    /// been set since.
    mutating func start(
        _ ticket: ProbeTicket, due time: MonotonicTime, at now: MonotonicTime
    ) -> Probe? {
        guard self.ticket == ticket, dueTime == time else { return nil }
        dueTime = nil
        // Paces run from when it was due, so that being a little late each time does not add up;
        // after a long delay they begin anew.
        startTime = now - time < machine.nextDelay / 4 ? time : now
        return probe
    }

    /// Nil when the ticket is of one that has been forgotten.
    mutating func subject(
        of ticket: ProbeTicket, at now: MonotonicTime
    ) -> Watchlist.Subject? {
        guard self.ticket == ticket else { return nil }
        return Watchlist.Subject(
            address: probe.address, start: startTime ?? now, fast: probe.check.fast,
            isAnchor: isAnchor, isOfTheNetwork: probe.check.isOfTheNetwork)
    }

    /// Has the machine take in a result.
    mutating func count(_ result: ProbeResult, at now: MonotonicTime) -> Watchlist.Standing {
        obstacle = nil
        if evidence.count == Watchlist.Entry.evidenceCountMax { evidence.removeFirst() }
        var past = result
        past.load = nil
        evidence.append(ProbeReport.Evidence(past, at: now))
        let transition = machine.received(result, at: now)
        return Watchlist.Standing(
            state: machine.state, timeToChange: machine.timeToChange,
            hasChanged: transition != nil)
    }

    /// What went down is measured anew when it is back. A probe that failed measures nothing.
    mutating func measure(_ result: ProbeResult, withLoad: Bool) -> ProbeFigures {
        if machine.state == .down {
            figures = ProbeFigures()
        } else if result.verdict != .failed, probe.check.isOfTheNetwork {
            figures.take(result, withLoad: withLoad)
        }
        return figures
    }

    /// When it is to be started next: paces run from start to start.
    mutating func nextStart(atMost limit: Duration?, at now: MonotonicTime) -> MonotonicTime {
        var delay = machine.nextDelay
        if let limit { delay = min(delay, limit) }
        if isNew {
            delay = Watchlist.spread(probe, over: delay)
            isNew = false
        }
        return max((startTime ?? now) + delay, now)
    }
}
