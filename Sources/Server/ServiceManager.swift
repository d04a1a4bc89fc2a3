import CSystemd
import Glibc

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

    private static func notify(_ state: String) { _ = unsafe sd_notify(0, state) }
}
