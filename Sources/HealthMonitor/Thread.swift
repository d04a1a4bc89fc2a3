import Glibc
package import Health

extension MonotonicTime {
    /// CLOCK_MONOTONIC, clock_gettime(2).
    package static func now() -> MonotonicTime {
        var time = timespec()
        let status = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        precondition(status == 0, "CLOCK_MONOTONIC exists on every Linux")
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// One POSIX thread, with every signal blocked: signals are the main thread's business,
/// and OpenSSL writing to a closed connection must not end the process (SIGPIPE).
@safe package struct BackgroundThread: Sendable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    package init(_ run: @escaping @Sendable () -> Void) {
        let body = Body {
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            run()
        }
        var handle = pthread_t()
        // SAFETY: the retained body is released exactly once, by the thread that is handed it.
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                body.run()
                return nil
            }, Unmanaged.passRetained(body).toOpaque())
        guard status == 0 else { fatalError("no thread: error \(status)") }
        self.handle = handle
    }

    var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

    /// To be called once, or `detach`, never both.
    package func join() {
        let status = pthread_join(handle, nil)
        precondition(status == 0, "joined once, from another thread")
    }

    func detach() { pthread_detach(handle) }
}

/// Wakes threads that wait for something to become true.
@safe package final class Signal: @unchecked Sendable {
    // SAFETY: both are made in init, at addresses that never move, and used only through pthread
    // functions, which are made for sharing.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// To be called after the change, without a lock that `isWaiting` takes.
    package func broadcast() {
        unsafe pthread_mutex_lock(mutex)
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Returns when `isWaiting` has become false, or at the deadline: true is the former.
    package func wait(until deadline: MonotonicTime, while isWaiting: () -> Bool) -> Bool {
        let (seconds, rest) = deadline.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while isWaiting() {
            guard MonotonicTime.now() < deadline else { return false }
            unsafe pthread_cond_timedwait(condition, mutex, &time)
        }
        return true
    }
}
