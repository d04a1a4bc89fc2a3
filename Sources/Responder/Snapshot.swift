import Synchronization

/// The whole world a query sees: zones, places, policies and health, immutable and consistent.
package final class Snapshot: Sendable {
    package init() {}
}

/// Where the current snapshot is published, and picked up by the workers.
package final class SnapshotCell: Sendable {
    private let current: Mutex<Snapshot>
    private let generation: Atomic<UInt64>

    package init(_ first: Snapshot) {
        current = Mutex(first)
        generation = Atomic(1)
    }

    package func publish(_ next: Snapshot) {
        current.withLock { $0 = next }
        generation.wrappingAdd(1, ordering: .releasing)
    }

    package var latest: Snapshot { current.withLock { $0 } }

    /// One atomic load when nothing has changed; true when `held` was replaced.
    package func refresh(_ held: inout Snapshot, seen: inout UInt64) -> Bool {
        let latest = generation.load(ordering: .acquiring)
        guard latest != seen else { return false }
        held = current.withLock { $0 }
        seen = latest
        return true
    }
}
