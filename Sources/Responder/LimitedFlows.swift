package import Addressing
package import DNSWire
import Health
import Synchronization
import Tables

/// What one worker holds responses back from, as far as the log is to tell: when it began, how
/// much it was, and that it is over.
///
/// A fixed number at a time; what comes beyond is counted without a name. Since each one stays for
/// `quietTime` at least, that bounds the lines of the log as well.
struct LimitedFlows: ~Copyable {
    /// Not private: with a private element the compiler fails on the array (Swift 6.3, debug).
    struct Flow: BitwiseCopyable {
        var isUsed = false
        var isTold = false
        /// The whole hash: tells whether a bucket's hint is still right.
        var hash: UInt64 = 0
        var prefix = Prefix(IPAddress(ipv4: 0), length: 0)
        var kind = AnswerKind.error
        var nameByteCount = 0
        var droppedCount: UInt64 = 0
        var slippedCount: UInt64 = 0
        /// When a response was held back last.
        var last = MonotonicTime(nanoseconds: 0)
    }

    private static var countMax: Int { 64 }
    /// Without a response held back for so long, it is over.
    package static var quietTime: Duration { .seconds(5) }

    private var flows = ScratchArray(capacity: LimitedFlows.countMax, repeating: Flow())
    /// The name of each, `DomainName.byteCountMax` bytes apart.
    private var names = ScratchArray<UInt8>(
        capacity: LimitedFlows.countMax * DomainName.byteCountMax, repeating: 0)
    private var usedCount = 0
    /// Responses held back for which there was no place.
    private var untoldCount: UInt64 = 0

    /// One more response was held back. `hint` is what the last call for that hash returned.
    mutating func count(
        _ hash: UInt64, hint: UInt16, _ prefix: Prefix, _ subject: RateLimiter.Subject,
        names: TableView<UInt8>, slips: Bool, at now: MonotonicTime
    ) -> UInt16 {
        var index = Int(hint)
        if index >= LimitedFlows.countMax || !flows[index].isUsed || flows[index].hash != hash {
            guard let free = begin(hash, prefix, subject, names: names) else {
                untoldCount += 1
                return hint
            }
            index = free
        }
        flows[index].last = now
        if slips { flows[index].slippedCount += 1 } else { flows[index].droppedCount += 1 }
        return UInt16(index)
    }

    private mutating func begin(
        _ hash: UInt64, _ prefix: Prefix, _ subject: RateLimiter.Subject,
        names source: TableView<UInt8>
    ) -> Int? {
        guard usedCount < LimitedFlows.countMax else { return nil }
        var index = 0
        while flows[index].isUsed { index += 1 }
        usedCount += 1
        var flow = Flow()
        flow.isUsed = true
        flow.hash = hash
        flow.prefix = prefix
        flow.kind = subject.kind
        flow.nameByteCount = subject.nameByteCount
        flows[index] = flow
        var byte = 0
        while byte < subject.nameByteCount {
            names[index * DomainName.byteCountMax + byte] = source[subject.nameOffset + byte]
            byte += 1
        }
        return index
    }

    /// Tells `reports` what has begun and what is over since the last call. When they cannot be
    /// had at this moment, the next call tells it.
    mutating func report(to reports: RateLimitReports, at now: MonotonicTime) {
        guard usedCount > 0 || untoldCount > 0 else { return }
        var events: [RateLimitEvent] = []
        for index in 0..<LimitedFlows.countMax where flows[index].isUsed {
            if !flows[index].isTold { events.append(event(index, isOver: false)) }
            if isOver(index, at: now) { events.append(event(index, isOver: true)) }
        }
        guard reports.add(events, untoldCount: untoldCount) else { return }
        untoldCount = 0
        for index in 0..<LimitedFlows.countMax where flows[index].isUsed {
            flows[index].isTold = true
            if isOver(index, at: now) {
                flows[index].isUsed = false
                usedCount -= 1
            }
        }
    }

    private func isOver(_ index: Int, at now: MonotonicTime) -> Bool {
        now - flows[index].last >= LimitedFlows.quietTime
    }

    private func event(_ index: Int, isOver: Bool) -> RateLimitEvent {
        let flow = flows[index]
        let start = index * DomainName.byteCountMax
        let name = (start..<start + flow.nameByteCount).map { names[$0] }
        return RateLimitEvent(
            flow: .init(prefix: flow.prefix, kind: flow.kind, name: DomainName(wire: name)),
            held: isOver ? (flow.droppedCount, flow.slippedCount) : nil)
    }
}

/// A worker has begun to hold responses back, or has not done so for a while.
package struct RateLimitEvent: Sendable {
    package struct Flow: Sendable, Hashable {
        package var prefix: Prefix
        package var kind: AnswerKind
        /// The zone's for names that do not exist, nil for errors.
        package var name: DomainName?
    }
    package var flow: Flow
    /// When it is over: how many responses were dropped, and how many went out in another form.
    package var held: (droppedCount: UInt64, slippedCount: UInt64)?
}

/// Where workers leave their events, and the log's thread takes them. No worker waits for it.
package final class RateLimitReports: Sendable {
    private let waiting = Mutex<(events: [RateLimitEvent], untoldCount: UInt64)>(([], 0))

    /// Events that wait while the log's thread is busy, with a reload perhaps.
    private static let countMax = 4096

    /// False when somebody else is here, or too many wait: the same may be added later.
    func add(_ events: [RateLimitEvent], untoldCount: UInt64) -> Bool {
        waiting.withLockIfAvailable { waiting in
            guard waiting.events.count + events.count <= RateLimitReports.countMax else {
                return false
            }
            waiting.events += events
            waiting.untoldCount += untoldCount
            return true
        } ?? false
    }

    /// What was added since the last call; `untoldCount`: responses held back that no event tells.
    package func take() -> (events: [RateLimitEvent], untoldCount: UInt64) {
        waiting.withLock { waiting in
            let taken = waiting
            waiting = ([], 0)
            return taken
        }
    }
}
