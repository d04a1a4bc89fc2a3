import Diagnostics
import Health
import HealthMonitor
import Synchronization

/// What happened to the health of front doors: each event goes to the log, to whoever is to be
/// told, and into a ring for `geodnsctl events`.
final class Journal: Sendable {
    private struct Ring {
        var events: [Event] = []
        /// Where the oldest stands, once the ring is full.
        var start = 0
        var lastNumber: UInt64 = 0
    }

    private let log: Log
    private let couriers: [Courier]
    private let ring = Mutex(Ring())

    private let eventCountMax: Int

    /// A thousand events are about a megabyte; a site in trouble has a few a second.
    init(_ log: Log, couriers: [Courier] = [], eventCountMax: Int = 1000) {
        self.eventCountMax = eventCountMax
        self.log = log
        self.couriers = couriers
    }

    /// `now`: the monotonic clock's time of the event, for its evidence.
    func record(
        _ level: Log.Level, _ name: String, _ message: String = "",
        _ fields: [(name: String, value: String)] = [],
        evidence: [ProbeReport.Evidence] = [], now: MonotonicTime = .now()
    ) {
        let proofs = evidence.map {
            Event.Proof(time: WallClock(of: $0.time, now: now), result: $0.result)
        }
        var event = Event(
            time: .now(), level: level, name: name, message: message, fields: fields,
            proofs: proofs)
        // In one order for all who are told.
        ring.withLock { ring in
            log.write(event)
            ring.lastNumber += 1
            event.number = ring.lastNumber
            if ring.events.count < eventCountMax {
                ring.events.append(event)
            } else {
                ring.events[ring.start] = event
                ring.start = (ring.start + 1) % eventCountMax
            }
            for courier in couriers { courier.tell(event.json) }
        }
    }

    /// The events kept that came after that number, the oldest first. All of them when there are no
    /// such numbers yet: whoever asks has seen those of a process before this one.
    func events(after number: UInt64) -> [Event] {
        ring.withLock { ring in
            let ordered = Array(ring.events[ring.start...] + ring.events[..<ring.start])
            guard number <= ring.lastNumber else { return ordered }
            return ordered.filter { ($0.number ?? 0) > number }
        }
    }

    /// Ends what is under way; what has not arrived by now does not.
    func stop() {
        for courier in couriers { courier.stop() }
    }
}

/// Carries events to one receiver, on a thread of its own: nobody else ever waits for it.
final class Courier: Sendable {
    private struct State {
        var queue = DeliveryQueue()
        var isStopping = false
        var thread: BackgroundThread?
    }

    private let state = Mutex(State())
    private let signal = Signal()

    /// `name`: what the log calls the receiver.
    init(
        _ name: String, _ log: Log, _ deliver: @escaping @Sendable (String, () -> Bool) -> Delivery
    ) {
        let thread = BackgroundThread { [self] in run(name, log, deliver) }
        state.withLock { $0.thread = thread }
    }

    /// Never waits.
    func tell(_ message: String) {
        state.withLock { $0.queue.add(Array(message.utf8)) }
        signal.broadcast()
    }

    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread
        }
        signal.broadcast()
        thread?.join()
    }

    private var isStopping: Bool { state.withLock(\.isStopping) }

    private func run(
        _ name: String, _ log: Log, _ deliver: (String, () -> Bool) -> Delivery
    ) {
        var isFailing = false
        var toldDroppedCount = 0
        while true {
            let (message, next) = state.withLock { state in
                (state.queue.take(at: .now()), state.queue.nextAttempt)
            }
            if isStopping { break }
            guard let message else {
                let count = state.withLock(\.queue.count)
                _ = signal.wait(until: next ?? .now() + .seconds(60)) {
                    state.withLock { !$0.isStopping && $0.queue.count == count }
                }
                continue
            }
            let delivery = deliver(String(decoding: message, as: UTF8.self)) { isStopping }
            if isStopping { break }
            let droppedCount = state.withLock { state in
                switch delivery {
                case .done: state.queue.delivered()
                case .failed(_): state.queue.failed(isFinal: false, at: .now())
                case .refused(_): state.queue.failed(isFinal: true, at: .now())
                }
                return state.queue.droppedCount
            }
            var fields = [("to", name)]
            if droppedCount > toldDroppedCount {
                fields.append(("dropped", "\(droppedCount - toldDroppedCount)"))
            }
            switch delivery {
            case .done where isFailing || fields.count > 1:
                log.write(.info, "notify", "events arrive again", fields)
                toldDroppedCount = droppedCount
            case .done: break
            case .failed(let words), .refused(let words):
                // Once for each time of trouble, and for each event that is lost.
                if !isFailing || fields.count > 1 {
                    log.write(.warning, "notify", "an event did not arrive: \(words)", fields)
                    toldDroppedCount = droppedCount
                }
            }
            isFailing = delivery != .done
        }
        let rest = state.withLock(\.queue.count)
        if rest > 0 {
            log.write(
                .warning, "notify", "events have not arrived",
                [("to", name), ("dropped", "\(rest)")])
        }
    }
}
