import Synchronization

/// A fixed number of counters, written by one worker alone and read by anyone.
@safe @usableFromInline
package final class CounterArray: @unchecked Sendable {
    // SAFETY: `count` initialized counters, which only this object frees.
    private let storage: UnsafeMutablePointer<Atomic<UInt32>>
    package let count: Int

    package init(count: Int) {
        unsafe storage = .allocate(capacity: max(count, 1))
        self.count = count
        for index in 0..<count { unsafe (storage + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe storage.deinitialize(count: count)
        unsafe storage.deallocate()
    }

    /// What was counted so far, modulo 2³².
    package subscript(index: Int) -> UInt32 {
        precondition(index >= 0 && index < count)
        return unsafe storage[index].load(ordering: .relaxed)
    }

    /// Valid for as long as this object lives; for its only writer.
    @unsafe package var view: CounterView { unsafe CounterView(storage, count: count) }
}

/// A window on a `CounterArray`: nothing to retain.
///
/// SAFETY: the holder of a view holds the array it came from for at least as long.
@safe
package struct CounterView: @unchecked Sendable, BitwiseCopyable {
    private let base: UnsafeMutablePointer<Atomic<UInt32>>?
    private let count: Int

    fileprivate init(_ base: UnsafeMutablePointer<Atomic<UInt32>>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// Counts nothing.
    package init() {
        unsafe base = nil
        count = 0
    }

    /// Counts one more, if there is such a counter.
    package func increment(_ index: Int) {
        guard UInt(bitPattern: index) < UInt(bitPattern: count) else { return }
        // SAFETY: index < count, checked above; what has counters has a base. There is one writer:
        // a relaxed load and store are one plain increment.
        let counter = unsafe base.unsafelyUnwrapped + index
        unsafe counter.pointee.store(
            counter.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}
