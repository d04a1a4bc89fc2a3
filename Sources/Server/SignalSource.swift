import Glibc
import SystemCalls

/// Signals as something to poll for: SIGHUP, SIGTERM and SIGINT. SIGPIPE is ignored.
///
/// Must be made before any thread is, because threads inherit which signals are blocked.
struct SignalSource {
    private let file: FileDescriptor

    var descriptor: Int32 { file.number }

    init?() {
        signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGHUP, SIGTERM, SIGINT] { unsafe sigaddset(&set, number) }
        guard unsafe pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else { return nil }
        let descriptor = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC.rawValue))
        guard descriptor >= 0 else { return nil }
        file = FileDescriptor(descriptor)
    }

    /// The signal that has arrived; 0 when reading failed.
    func next() -> Int32 {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor, &info, size) == size else { return 0 }
        return Int32(info.ssi_signo)
    }
}
