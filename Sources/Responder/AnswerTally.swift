import Synchronization
import Tables

/// How many answers the workers have given for each slot of a plan, each in counters of its own:
/// what demand is guessed by.
package final class AnswerTally: Sendable {
    private let slotCount: Int
    private let parts = Mutex<[CounterArray]>([])

    package init(slotCount: Int) { self.slotCount = slotCount }

    /// Counters for one more worker; they stay in the sums when it is gone.
    func makeCounters() -> CounterArray {
        let made = CounterArray(count: slotCount)
        guard slotCount > 0 else { return made }
        parts.withLock { $0.append(made) }
        return made
    }

    /// Of each slot what was counted so far, modulo 2³².
    package var sums: [UInt32] {
        parts.withLock { parts in
            (0..<slotCount).map { slot in parts.reduce(0) { $0 &+ $1[slot] } }
        }
    }
}
