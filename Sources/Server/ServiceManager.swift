import CSystemd
import Glibc
import SystemCalls

/// Tells systemd how the service is doing (sd_notify(3)); without systemd nothing happens.
enum ServiceManager {
    static func ready() { notify("READY=1") }

    /// systemd wants the time with it for `Type=notify-reload` (systemd.service(5)).
    static func reloading() {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        notify("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    static func stopping() { notify("STOPPING=1") }

    /// Sockets that it has opened for this process and keeps open (sd_listen_fds(3)). They are
    /// given once: later calls, and programs that this one starts, get none.
    static func takeDescriptors() throws(Errno) -> [Int32] {
        let count = sd_listen_fds(1)
        guard count >= 0 else { throw Errno(-count) }
        return (0..<count).map { SD_LISTEN_FDS_START + $0 }
    }

    private static func notify(_ state: String) { _ = unsafe sd_notify(0, state) }
}
