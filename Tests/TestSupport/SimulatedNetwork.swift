package import Addressing
package import Health

/// Front doors, anchors and the network between them and us, in simulated time: a watchlist that
/// lives through whatever happens to them.
package struct SimulatedNetwork {
    package enum Door: Sendable {
        case answers, hangs, refuses
    }

    package var list: Watchlist
    package var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    /// By address; the anchors too.
    package var doors: [IPAddress: Door] = [:]
    /// Times between which nothing passes.
    package var cut: ClosedRange<MonotonicTime>?
    /// Changes of state, and when.
    package var reports: [(time: MonotonicTime, report: ProbeReport)] = []
    package var changes: [(time: MonotonicTime, change: Isolation.Change)] = []
    private var underWay: [(end: MonotonicTime, ticket: ProbeTicket, result: ProbeResult)] = []

    package static let roundTrip = Duration.milliseconds(20)
    package static let anchorCheck = CheckSpecification(
        .ping, every: .seconds(10), fast: .seconds(1), timeout: .seconds(2), fall: 2, rise: 1)

    /// Each anchor and each front door in a network of its own.
    package init(anchorCount: Int, checks: [CheckSpecification]) {
        self.init(
            anchorCount: anchorCount,
            probes: checks.indices.map { Probe(checks[$0], of: SimulatedNetwork.address($0)) })
    }

    package init(anchorCount: Int, probes: [Probe]) {
        let anchors = (0..<anchorCount).map(SimulatedNetwork.anchor)
        list = Watchlist(
            anchors: anchors.map { Probe(SimulatedNetwork.anchorCheck, of: $0) }, at: now)
        for address in anchors + probes.map(\.address) { doors[address] = .answers }
        identifiers = list.watch(probes, at: now)
    }

    /// Of the front doors.
    package private(set) var identifiers: [ProbeIdentifier] = []

    package static func address(_ number: Int) -> IPAddress {
        IPAddress(ipv4: 0x0A00_0001 + UInt32(number) << 8)
    }

    package static func anchor(_ number: Int) -> IPAddress {
        IPAddress(ipv4: 0xCB00_0001 + UInt32(number) << 8)
    }

    package mutating func run(until end: MonotonicTime) {
        while true {
            let next = min(
                underWay.map(\.end).min() ?? end, list.nextStart.map { max($0, now) } ?? end)
            guard next < end else { break }
            now = next
            let ended = underWay.filter { $0.end <= now }
            underWay.removeAll { $0.end <= now }
            for probe in ended {
                for report in list.received(probe.result, of: probe.ticket, at: now) {
                    reports.append((now, report))
                }
                for change in list.takeIsolationChanges() { changes.append((now, change.change)) }
            }
            for start in list.takeDue(at: now, atMost: 1000) { begin(start.ticket, start.probe) }
        }
        now = end
    }

    private mutating func begin(_ ticket: ProbeTicket, _ probe: Probe) {
        let isLost =
            cut.map { $0.contains(now) || $0.contains(now + SimulatedNetwork.roundTrip) } ?? false
        switch isLost ? .hangs : doors[probe.address] ?? .hangs {
        case .answers:
            let result = ProbeResult(
                .passed, in: .status, because: "status 200", after: SimulatedNetwork.roundTrip)
            underWay.append((now + SimulatedNetwork.roundTrip, ticket, result))
        case .refuses:
            let result = ProbeResult(
                .failed, in: .connect, because: "connection refused",
                after: SimulatedNetwork.roundTrip)
            underWay.append((now + SimulatedNetwork.roundTrip, ticket, result))
        case .hangs:
            var result = ProbeResult(
                .failed, in: .connect, because: "no connection", after: probe.check.timeout)
            result.isSilence = true
            underWay.append((now + probe.check.timeout, ticket, result))
        }
    }

    /// States of the front doors, in order.
    package var states: [HealthState] {
        list.report(of: identifiers).map(\.state)
    }

    /// Those that have gone down so far, each once.
    package var down: Set<IPAddress> {
        Set(
            reports.filter { $0.report.transition?.to == .down && !$0.report.isAnchor }
                .map(\.report.probe.address))
    }
}
