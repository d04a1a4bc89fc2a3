package import Steering
import Synchronization
import Tables
package import Zones

/// The whole world a query sees: zones, places, policies and health, immutable and consistent.
package final class Snapshot: Sendable {
    package let zones: ZoneTable
    /// The steering plan and what it answers under the health of this moment.
    package let answers: AnswerTable
    package let epoch: Epoch
    /// That as RDATA.
    let epochText: FrozenArray<UInt8>
    /// Where answers of what spills are counted.
    package let tally: AnswerTally

    package init(
        zones: ZoneTable, answers: AnswerTable, epoch: Epoch = Epoch(),
        tally: AnswerTally = AnswerTally(slotCount: 0)
    ) {
        self.zones = zones
        self.answers = answers
        self.epoch = epoch
        self.tally = tally
        epochText = FrozenArray(epoch.rdata)
    }

    /// No zone: every query is refused.
    package static var empty: Snapshot {
        Snapshot(zones: .empty, answers: .empty)
    }
}

/// Where the current snapshot and settings are published, and picked up by the workers.
package final class SnapshotCell: Sendable {
    private let current: Mutex<(snapshot: Snapshot, settings: ResponderSettings)>
    private let generation: Atomic<UInt64>
    private let counters = Mutex<[AnswerCounters]>([])
    /// What responders tell of their rate limits.
    package let rateLimitReports = RateLimitReports()

    package init(_ first: Snapshot, settings: ResponderSettings = .anonymous()) {
        current = Mutex((first, settings))
        generation = Atomic(1)
    }

    package func publish(_ next: Snapshot) {
        current.withLock { $0.snapshot = next }
        generation.wrappingAdd(1, ordering: .releasing)
    }

    package func publish(_ settings: ResponderSettings) {
        current.withLock { $0.settings = settings }
        generation.wrappingAdd(1, ordering: .releasing)
    }

    package var latest: Snapshot { current.withLock { $0.snapshot } }
    package var settings: ResponderSettings { current.withLock { $0.settings } }

    /// One atomic load when nothing has changed; true when the two were replaced.
    package func refresh(
        _ held: inout Snapshot, _ settings: inout ResponderSettings, seen: inout UInt64
    ) -> Bool {
        let latest = generation.load(ordering: .acquiring)
        guard latest != seen else { return false }
        (held, settings) = current.withLock { $0 }
        seen = latest
        return true
    }

    /// Counters for one more responder; they stay in the totals when it is gone.
    func makeCounters() -> AnswerCounters {
        let made = AnswerCounters()
        counters.withLock { $0.append(made) }
        return made
    }

    /// Summed over all responders that were ever made for this cell.
    package var totals: AnswerTotals {
        counters.withLock { all in all.reduce(into: AnswerTotals()) { $0.add($1) } }
    }
}
