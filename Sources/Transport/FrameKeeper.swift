package import Addressing
import CLinux
import Glibc
package import Responder
import Synchronization
package import SystemCalls
import XDP

/// The interfaces whose queries are answered past the kernel's sockets, and the thread that opens
/// them, watches them and closes them.
///
/// To be made before all other threads: rights belong to threads, and those that this takes are
/// given up by whoever makes it at once, so that nobody has them but this thread, for as long as it
/// opens interfaces.
package final class FrameKeeper: Sendable {
    private let shared: Shared
    private let thread: Mutex<pthread_t?>

    /// What the thread and its owner have in common.
    private final class Shared: Sendable {
        let interfaces: [FrameInterface]
        let onEvent: @Sendable (FrameEvent) -> Void
        let orders = Mutex(Orders())
        /// Orders have come; all is open.
        let wakeUp: FileDescriptor
        let opened: FileDescriptor

        init(
            _ settings: [FrameSetting], _ onEvent: @escaping @Sendable (FrameEvent) -> Void
        ) throws(Errno) {
            interfaces = settings.map { FrameInterface($0) }
            self.onEvent = onEvent
            wakeUp = try FileDescriptor { eventfd(0, Int32(EFD_CLOEXEC)) }
            opened = try FileDescriptor { eventfd(0, Int32(EFD_CLOEXEC)) }
        }

        func order(_ change: (inout Orders) -> Void) {
            orders.withLock { change(&$0) }
            _ = eventfd_write(wakeUp.number, 1)
        }
    }

    private struct Orders {
        var job: FrameJob?
        var isStopping = false
    }

    /// Interfaces wait for `start`. `onEvent` is called on the thread of the keeper.
    package init(
        _ settings: [FrameSetting], onEvent: @escaping @Sendable (FrameEvent) -> Void
    ) throws(Errno) {
        let shared = try Shared(settings, onEvent)
        self.shared = shared
        thread = Mutex(try startThread("xdp", running: Keeping(shared)))
        do throws(Errno) {
            try Capabilities.usedForXDP.giveUp()
        } catch {
            FrameKeeper.report(error, shared)
        }
    }

    /// Opens the interfaces, and returns when each is served or left to the sockets; `onEvent` has
    /// told which. To be called once, when the sockets are served: `listen` is where.
    package func start(
        listen: [ListenAddress], snapshots: SnapshotCell, seed: UInt64, proxies: ProxySources
    ) {
        shared.order {
            $0.job = FrameJob(
                listen: listen, snapshots: snapshots, seed: seed, proxies: proxies)
        }
        var count: eventfd_t = 0
        while unsafe eventfd_read(shared.opened.number, &count) != 0, errno == EINTR {}
    }

    /// Leaves everything to the sockets, answers what has come in by then, and returns. Does
    /// nothing when called again.
    package func stop() {
        shared.order { $0.isStopping = true }
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let running { pthread_join(running, nil) }
    }

    /// One for each setting, in their order.
    package var reports: [FrameReport] { shared.interfaces.map(\.report) }

    private static func report(_ error: Errno, _ shared: Shared) {
        let names = Capabilities.ofThisThread.intersection(.usedForXDP).names
        guard !names.isEmpty else { return }
        for interface in shared.interfaces.prefix(1) {
            shared.onEvent(
                FrameEvent(
                    interface: interface.setting.interface,
                    change: .capabilitiesKept(
                        "\(names.joined(separator: ", ")) cannot be given up: \(error.words)")))
        }
    }

    /// What the thread does.
    private struct Keeping: ThreadBody, ~Copyable {
        private let shared: Shared

        init(_ shared: Shared) { self.shared = shared }

        mutating func run() {
            guard let job = waitForJob() else { return }
            do throws(Errno) {
                // Before the first look, so that nothing is missed in between.
                let watch = try NetworkWatch()
                open(job)
                keep(watch, job)
                for interface in shared.interfaces { interface.close() }
            } catch {
                for interface in shared.interfaces {
                    let error = XDPError(interface.setting.interface, .watchNetwork, error)
                    tell(interface, [interface.refuse("\(error)")])
                }
                _ = eventfd_write(shared.opened.number, 1)
            }
        }

        /// Nil: told to stop before there was one.
        private func waitForJob() -> FrameJob? {
            while true {
                var count: eventfd_t = 0
                _ = unsafe eventfd_read(shared.wakeUp.number, &count)
                let orders = shared.orders.withLock { $0 }
                if orders.isStopping { return nil }
                if let job = orders.job { return job }
            }
        }

        private func open(_ job: FrameJob) {
            for (number, interface) in shared.interfaces.enumerated() {
                var job = job
                job.seed &+= UInt64(number) << 32
                tell(interface, [interface.open(job)])
            }
            do throws(Errno) {
                try Capabilities.usedForXDP.giveUp()
            } catch {
                FrameKeeper.report(error, shared)
            }
            _ = eventfd_write(shared.opened.number, 1)
        }

        private func keep(_ watch: borrowing NetworkWatch, _ job: FrameJob) {
            while !shared.orders.withLock({ $0.isStopping }) {
                var waits = [
                    pollfd(fd: shared.wakeUp.number, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0),
                ]
                _ = unsafe poll(&waits, 2, -1)
                guard waits[1].revents != 0 else { continue }
                watch.forget()
                for interface in shared.interfaces { tell(interface, interface.look(job)) }
            }
        }

        private func tell(_ interface: FrameInterface, _ changes: [FrameEvent.Change]) {
            for change in changes {
                shared.onEvent(
                    FrameEvent(interface: interface.setting.interface, change: change))
            }
        }
    }
}
