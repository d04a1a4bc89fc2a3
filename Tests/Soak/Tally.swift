import Foundation
import Synchronization

/// What all threads of the soak count together, and what went wrong.
final class Tally: Sendable {
    /// Good queries answered rightly.
    let datagramAnswers = Atomic<Int>(0)
    let streamAnswers = Atomic<Int>(0)
    /// Good queries without an answer, over UDP: the kernel's drops are compared with it.
    let datagramLosses = Atomic<Int>(0)
    let hostileDatagrams = Atomic<Int>(0)
    let hostileConnections = Atomic<Int>(0)
    let reloads = Atomic<Int>(0)
    let refusedReloads = Atomic<Int>(0)
    let doorChanges = Atomic<Int>(0)

    private let isStopped = Atomic<Bool>(false)
    private let found = Mutex<(count: Int, told: [String])>((0, []))
    /// Violations told in full.
    private static let toldMax = 20

    var isRunning: Bool { !isStopped.load(ordering: .relaxed) }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Something that must not be. Told at once, and at the end.
    func violation(_ words: String) {
        let isTold = found.withLock { found in
            found.count += 1
            guard found.told.count < Tally.toldMax else { return false }
            found.told.append(words)
            return true
        }
        if isTold { say("VIOLATION: \(words.prefix(2000))") }
    }

    var violationCount: Int { found.withLock { $0.count } }
}

extension Atomic where Value == Int {
    func advance(by count: Int = 1) { add(count, ordering: .relaxed) }
    var value: Int { load(ordering: .relaxed) }
}

/// A line on standard output, at once.
func say(_ words: String) {
    print(words)
    fflush(nil)
}
