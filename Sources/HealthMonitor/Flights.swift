import Addressing
import CCurl
import Glibc
import Health
import SystemCalls

/// Every probe under way: libcurl's, and our own sockets and programs. Each kind of check finds
/// here who carries it out. For the monitor's thread only.
final class Flights {
    private let poller: Poller
    private let multi: Multi
    private var transfers: TransferPool
    private let patterns = PatternCache()
    /// By the number that events carry.
    private var flights: [UInt64: any Flight] = [:]
    private var nextNumber: UInt64 = 0
    /// When each of `flights` runs out of time; those that have ended are passed over then.
    private var deadlines = DueQueue<UInt64>()
    private var programCount = 0
    /// exec probes that wait for others to end.
    private var waitingPrograms: [(probe: Probe, ticket: ProbeTicket, path: String)] = []
    /// What ended outside the hands of whoever asks.
    private var ended: [(ProbeTicket, Outcome)] = []

    /// Programs run at once: each is a process on the machine that answers queries.
    static let programCountMax = 16

    init(_ poller: Poller, certificateAuthorities: String?) {
        self.poller = poller
        multi = Multi(poller)
        transfers = TransferPool(certificateAuthorities: certificateAuthorities)
    }

    /// Probes under way or waiting for a turn.
    var count: Int { multi.count + flights.count + waitingPrograms.count }

    // MARK: - Starts

    /// Begins a probe; returns what came of it when that is known at once.
    func start(_ probe: Probe, ticket: ProbeTicket) -> Outcome? {
        switch probe.check.kind {
        case .http, .https, .tls, .load:
            guard let transfer = transfers.take(probe, ticket: ticket), multi.add(transfer) else {
                return .obstacle("libcurl refused the probe \(probe.url)")
            }
            return nil
        case .tcp, .dns, .ping:
            let number = takeNumber()
            guard
                let flight = Conversation(probe, ticket: ticket, number: number, poller: poller)
            else { return nil }
            if let outcome = flight.start() { return outcome }
            add(flight, number)
            return nil
        case .exec(let path):
            guard programCount < Flights.programCountMax else {
                waitingPrograms.append((probe, ticket, path))
                return nil
            }
            return startProgram(probe, ticket, path)
        case .file(let path): return readStateFile(path, for: probe)
        }
    }

    private func startProgram(_ probe: Probe, _ ticket: ProbeTicket, _ path: String) -> Outcome? {
        let number = takeNumber()
        let (flight, outcome) = RunningProgram.start(
            probe, ticket: ticket, program: path, number: number, poller: poller)
        guard let flight else { return outcome }
        programCount += 1
        add(flight, number)
        return nil
    }

    private func takeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    private func add(_ flight: any Flight, _ number: UInt64) {
        flights[number] = flight
        let deadline = MonotonicTime.now() + flight.probe.check.timeout
        deadlines.insert(DueQueue.Item(time: deadline, subject: number))
    }

    private func settle(_ number: UInt64, _ flight: any Flight) {
        guard flight.isOver else { return }
        flights[number] = nil
        guard flight is RunningProgram else { return }
        programCount -= 1
        guard !waitingPrograms.isEmpty else { return }
        let next = waitingPrograms.removeFirst()
        if let outcome = startProgram(next.probe, next.ticket, next.path) {
            ended.append((next.ticket, outcome))
        }
    }

    // MARK: - Rounds

    /// Ends what has run out of time, and lets libcurl look at its own clocks.
    func performTimers(at now: MonotonicTime, _ finish: (ProbeTicket, Outcome) -> Void) {
        multi.perform(at: now)
        while let next = deadlines.first, next.time <= now {
            _ = deadlines.removeFirst()
            guard let flight = flights[next.subject] else { continue }
            finish(flight.ticket, flight.expire())
            settle(next.subject, flight)
        }
    }

    func takeEnded(_ finish: (ProbeTicket, Outcome) -> Void) {
        for (ticket, outcome) in ended { finish(ticket, outcome) }
        ended = []
        multi.takeEnded { transfer, code in
            let now = Int64(time(nil))
            finish(
                transfer.ticket,
                Outcome(transfer, endedWith: code, now: now, patterns: patterns))
            if code == CURLE_OK { transfers.giveBack(transfer) }
        }
    }

    /// Waits until something is ready, or it is time for something: for what the caller waits for,
    /// if that is given, or for what runs out.
    func wait(
        until moment: MonotonicTime?, _ finish: (ProbeTicket, Outcome) -> Void
    ) {
        let moments = [moment, multi.deadline, deadlines.first?.time].compactMap { $0 }
        var patience = Int64(60_000)
        if let next = moments.min() {
            patience = min(max((next - .now()).milliseconds, 0), patience)
        }
        if !ended.isEmpty { patience = 0 }
        poller.wait(atMostMilliseconds: Int32(patience)) { source, readiness in
            switch source {
            case .wakeUp: break
            case .transfer(let descriptor): multi.proceed(descriptor, readiness)
            case .flight(let number):
                guard let flight = flights[number] else { return }
                if let outcome = flight.proceed() { finish(flight.ticket, outcome) }
                settle(number, flight)
            }
        }
    }

    func abandonAll(where isAbandoned: (ProbeTicket) -> Bool) {
        multi.removeAll { isAbandoned($0.ticket) }
        waitingPrograms.removeAll { isAbandoned($0.ticket) }
        for (number, flight) in flights where isAbandoned(flight.ticket) {
            flight.abandon()
            settle(number, flight)
        }
    }

    // MARK: - Obstacles

    /// Why this machine cannot carry out a probe at all; nil: it can.
    static func obstacle(to probe: Probe) -> String? {
        switch probe.check.kind {
        case .ping:
            do throws(Errno) {
                _ = try Conversation.openEcho(probe.address.family)
                return nil
            } catch {
                let family = probe.address.family == .ipv4 ? "IPv4" : "IPv6"
                return "CHECK ping: this server may not send \(family) ICMP "
                    + "(\(error.words)); allow its group in sysctl net.ipv4.ping_group_range, "
                    + "or give it CAP_NET_RAW"
            }
        case .exec(let program):
            guard unsafe access(program, X_OK) != 0 else { return nil }
            return "CHECK exec: cannot run \(program): \(Errno(errno).words)"
        default: return nil
        }
    }
}
