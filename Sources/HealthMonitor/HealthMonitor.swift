package import Addressing
import Glibc
package import Health
import Synchronization

/// Probes front doors, for ever, on one thread of its own, and says which are up.
///
/// What to probe and when is decided by `Watchlist`, what the results mean by `CheckMachine`; this
/// carries it out with libcurl. All methods may be called from any thread.
package final class HealthMonitor: Sendable {
    private let engine: ProbeEngine
    private let thread: BackgroundThread
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - certificateAuthorities: path of a PEM file; nil: the system's.
    ///   - onChange: called on the monitor's thread with the whole table, once per round in which
    ///     states have changed, or come into question (`CheckMachine.timeToChange`). Returns when
    ///     to call again even if nothing changes until then.
    ///   - onTransition: called on the monitor's thread for each change of a state, before the
    ///     table that holds it is handed out.
    ///   - anchors: probes that tell whether this server is cut off (`Isolation`).
    ///   - onIsolation: called on the monitor's thread when it is, and when it no longer is.
    package init(
        certificateAuthorities: String?, anchors: [Probe] = [],
        onChange: @escaping @Sendable (HealthTable) -> MonotonicTime?,
        onTransition: @escaping @Sendable (ProbeReport) -> Void,
        onIsolation: @escaping @Sendable (Watchlist.IsolationChange) -> Void = { _ in }
    ) {
        let engine = ProbeEngine(
            certificateAuthorities: certificateAuthorities, anchors: anchors, onChange: onChange,
            onTransition: onTransition, onIsolation: onIsolation)
        self.engine = engine
        thread = BackgroundThread { engine.run() }
    }

    deinit { stop() }

    /// Starts those not yet watched: they are probed at once. Equal probes are one probe, with one
    /// identifier. What `memory` has of them is their state until then. Returns an identifier for
    /// each, in order.
    package func watch(
        _ probes: [Probe], remembering memory: HealthMemory = HealthMemory()
    ) -> [ProbeIdentifier] {
        let now = MonotonicTime.now()
        let identifiers = engine.watchlist.withLock {
            $0.watch(probes, remembering: memory, at: now)
        }
        engine.wakeUp()
        return identifiers
    }

    /// Whether tables are to hold what probes measure (`HealthTable`, `figuresOf`), and what of
    /// reports is held against capacities.
    package func wantFigures(_ isWanted: Bool, loads: Bool) {
        engine.watchlist.withLock {
            $0.wantsFigures = isWanted || loads
            $0.wantsLoads = loads
        }
    }

    /// Stops and forgets the rest. Their identifiers may be given to other probes afterwards.
    package func retain(only kept: Set<ProbeIdentifier>) {
        if engine.watchlist.withLock({ $0.retain(only: kept) }) {
            engine.isTableChanged.store(true, ordering: .relaxed)
        }
        engine.firstResults.broadcast()
        engine.wakeUp()
    }

    /// Waits until each of these has been probed once. False when time ran out first, or the
    /// monitor was stopped. Not to be called from the callbacks.
    package func waitForFirstResults(
        of probes: [ProbeIdentifier], atMost duration: Duration
    ) -> Bool {
        let engine = engine
        _ = engine.firstResults.wait(until: .now() + duration) {
            !engine.isStopping.load(ordering: .acquiring)
                && engine.watchlist.withLock { $0.isAwaitingFirstResult(of: probes) }
        }
        return !engine.watchlist.withLock { $0.isAwaitingFirstResult(of: probes) }
    }

    /// Has `onChange` called with the table as it is.
    package func refresh() {
        engine.isTableChanged.store(true, ordering: .relaxed)
        engine.wakeUp()
    }

    /// What is to be remembered of every probe. Put together outside of the lock: it takes a while.
    package var memory: HealthMemory { engine.watchlist.withLock { $0 }.memory }

    /// Families in which this server is cut off, and since when.
    package var cutOff: [IPAddress.Family: MonotonicTime] {
        engine.watchlist.withLock { $0.cutOff }
    }

    /// One for each anchor.
    package var anchorReports: [ProbeReport] { engine.watchlist.withLock { $0.anchorReports } }

    package var table: HealthTable { engine.watchlist.withLock { $0.table } }

    /// In the order asked for; forgotten probes are left out.
    package func report(of probes: [ProbeIdentifier]) -> [ProbeReport] {
        engine.watchlist.withLock { $0.report(of: probes) }
    }

    /// What this machine cannot probe at all, and why: to be told before anything counts on it.
    package static func obstacles(to probes: [Probe]) -> [String] {
        var words: [String] = []
        var looked: Set<String> = []
        for probe in probes {
            // What may be in the way is the same for all addresses of a family.
            let subject = "\(probe.address.family) \(probe.check.summary)"
            guard looked.insert(subject).inserted, let obstacle = Flights.obstacle(to: probe),
                !words.contains(obstacle)
            else { continue }
            words.append(obstacle)
        }
        return words
    }

    /// Abandons what is in flight and ends the thread; no callback comes after it returns, unless
    /// it was called from one. Calling it again does nothing.
    package func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        engine.isStopping.store(true, ordering: .releasing)
        engine.firstResults.broadcast()
        engine.wakeUp()
        if thread.isCurrent { thread.detach() } else { thread.join() }
    }
}

/// The loop: start what is due, let probes go on, take in what ended, tell, wait.
final class ProbeEngine: Sendable {
    let watchlist: Mutex<Watchlist>
    let isStopping = Atomic(false)
    /// The table has changed since `onChange` was last called.
    let isTableChanged = Atomic(false)
    let firstResults = Signal()
    private let poller = Poller()
    private let certificateAuthorities: String?
    private let onChange: @Sendable (HealthTable) -> MonotonicTime?
    private let onTransition: @Sendable (ProbeReport) -> Void
    private let onIsolation: @Sendable (Watchlist.IsolationChange) -> Void

    /// New probes per round: with many due at once, handshakes of those under way get their turn
    /// first, and this thread's own work does not eat up the timeouts.
    private static let startCountPerRoundMax = 64

    /// How late a probe may start, when nothing else wakes this thread, so that those due meanwhile
    /// start with it. No pace is longer for it: paces run from when a probe was due.
    private static let gathering = Duration.milliseconds(4)

    init(
        certificateAuthorities: String?, anchors: [Probe],
        onChange: @escaping @Sendable (HealthTable) -> MonotonicTime?,
        onTransition: @escaping @Sendable (ProbeReport) -> Void,
        onIsolation: @escaping @Sendable (Watchlist.IsolationChange) -> Void
    ) {
        watchlist = Mutex(Watchlist(anchors: anchors, at: .now()))
        self.onIsolation = onIsolation
        self.certificateAuthorities = certificateAuthorities
        self.onChange = onChange
        self.onTransition = onTransition
    }

    func wakeUp() { poller.wakeUp() }

    func run() {
        let flightCountMax = ProbeEngine.flightCountMax()
        let flights = Flights(poller, certificateAuthorities: certificateAuthorities)
        var removalCount = 0
        var callTime: MonotonicTime?
        while !isStopping.load(ordering: .acquiring) {
            abandonForgotten(flights, since: &removalCount)
            startDue(
                flights,
                atMost: min(flightCountMax - flights.count, ProbeEngine.startCountPerRoundMax))
            flights.performTimers(at: .now()) { finish($0, $1) }
            flights.takeEnded { finish($0, $1) }
            let isCalled = callTime.map { $0 <= .now() } ?? false
            if isTableChanged.exchange(false, ordering: .relaxed) || isCalled {
                callTime = onChange(watchlist.withLock { $0.table })
            }
            let hasRoom = flights.count < flightCountMax
            let nextStart = hasRoom ? watchlist.withLock { $0.nextStart } : nil
            let startTime = nextStart.map { $0 + ProbeEngine.gathering }
            flights.wait(until: [startTime, callTime].compactMap { $0 }.min()) {
                finish($0, $1)
            }
        }
        flights.abandonAll { _ in true }
    }

    private func abandonForgotten(_ flights: Flights, since removalCount: inout Int) {
        let current = watchlist.withLock { $0.removalCount }
        guard current != removalCount else { return }
        removalCount = current
        flights.abandonAll { ticket in !watchlist.withLock { $0.isWatched(ticket) } }
    }

    private func startDue(_ flights: Flights, atMost countMax: Int) {
        let now = MonotonicTime.now()
        let starts = watchlist.withLock { $0.takeDue(at: now, atMost: countMax) }
        for start in starts {
            guard let outcome = flights.start(start.probe, ticket: start.ticket) else { continue }
            finish(start.ticket, outcome)
        }
    }

    private func finish(_ ticket: ProbeTicket, _ outcome: Outcome) {
        let now = MonotonicTime.now()
        switch outcome {
        case .result(let result):
            let (reports, changes, hasChanged) = watchlist.withLock { list in
                let before = list.table.version
                let reports = list.received(result, of: ticket, at: now)
                return (reports, list.takeIsolationChanges(), list.table.version != before)
            }
            if hasChanged { isTableChanged.store(true, ordering: .relaxed) }
            for change in changes { onIsolation(change) }
            if reports.contains(where: { $0.transition?.from == .unknown }) {
                firstResults.broadcast()
            }
            for report in reports { onTransition(report) }
        case .obstacle(let words):
            watchlist.withLock { $0.couldNotProbe(ticket, because: words, at: now) }
        }
    }

    /// Probes in flight at once: what the limit on file descriptors leaves, for a probe that cannot
    /// open its socket says nothing about its front door. libcurl may hold two each.
    private static func flightCountMax() -> Int {
        var limit = rlimit()
        let keptForOthers = 256
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 128
        }
        let half = (Int(clamping: limit.rlim_cur) - keptForOthers) / 2
        return min(max(half, 32), 8192)
    }
}
