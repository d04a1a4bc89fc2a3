import CLinux
import SystemCalls

/// Signals as something to poll for: SIGHUP, SIGTERM and SIGINT. SIGPIPE is ignored.
///
/// Must be made before any thread is, because threads inherit which signals are blocked.
struct SignalSource {
    private let file: FileDescriptor

    var descriptor: Int32 { file.number }

    init() throws(Errno) {
        file = try FileDescriptor { clinux_signal_descriptor() }
    }

    /// The signal that has arrived; 0 when none has.
    func next() -> Int32 { clinux_next_signal(descriptor) }
}
