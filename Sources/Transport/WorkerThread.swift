import CLinux
import Glibc
import SystemCalls

/// What has a thread of its own.
protocol ThreadBody: ~Copyable {
    mutating func run()
}

/// Hands a body to its thread. The kind of body is known to the subclass only, as a function that C
/// calls cannot be generic.
private class ThreadStart {
    func run() {}
}

private final class StartOf<Body: ThreadBody & ~Copyable>: ThreadStart {
    private var body: Body?

    init(_ body: consuming Body) { self.body = consume body }

    override func run() {
        guard var body = body.take() else { return }
        body.run()
    }
}

/// Runs `body` on a thread of its own, with all signals blocked.
func startThread<Body: ThreadBody & ~Copyable>(
    _ name: String, running body: consuming Body
) throws(Errno) -> pthread_t {
    let start = unsafe Unmanaged<ThreadStart>.passRetained(StartOf(body))
    var thread = pthread_t()
    // SAFETY: the thread takes over the reference that `passRetained` made; it is released here
    // if there is no thread.
    let code = unsafe clinux_start_thread(
        &thread, name,
        { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, unsafe start.toOpaque())
    guard code == 0 else {
        unsafe start.release()
        throw Errno(code)
    }
    return thread
}
