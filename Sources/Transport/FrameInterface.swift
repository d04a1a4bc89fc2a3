import Addressing
import Frames
import Glibc
import Responder
import Synchronization
import SystemCalls
package import XDP

/// What the threads of an interface answer with.
struct FrameJob: Sendable {
    /// Where the sockets listen.
    var listen: [ListenAddress]
    var snapshots: SnapshotCell
    var seed: UInt64
    var proxies: ProxySources
}

/// One interface: its program, and a thread for each of its receive queues.
///
/// One thread opens it, looks after it and closes it; anybody reads its figures.
final class FrameInterface: Sendable {
    /// Every IPv6 link can carry so much (RFC 8200 §5), and every truncated response fits it.
    private static let mtuMin = 1280

    /// How long all queues together are waited for, whose owner has ended a moment ago.
    private static let patience = Duration.seconds(2)

    let setting: FrameSetting
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var program = Optional<XDPProgram>.none
        var interface: NetworkInterface?
        var mode = XDPProgram.Mode.native
        /// Whose queries the program takes, and those that it would not be told.
        var addresses: Set<IPAddress> = []
        var refusedAddresses: Set<IPAddress> = []
        var shared: FrameWorker.Shared?
        var threads: [pthread_t] = []
        var counters: [FrameCounters] = []
        /// Why it is not served.
        var reason = "not started yet"
        /// By `PassReason`, of a program that is gone.
        var passed = [UInt64](repeating: 0, count: PassReason.allCases.count)
    }

    init(_ setting: FrameSetting) { self.setting = setting }

    // MARK: - Start

    /// Takes queries from the interface from now on, or says why not.
    func open(_ job: FrameJob) -> FrameEvent.Change {
        do throws(XDPError) {
            let interface = try NetworkInterface(named: setting.interface)
            guard interface.mtu >= FrameInterface.mtuMin else {
                return refuse(FrameInterface.words(mtu: interface.mtu))
            }
            return try serve(interface, job)
        } catch {
            close()
            return refuse("\(error)")
        }
    }

    /// It is left to the sockets.
    func refuse(_ reason: String) -> FrameEvent.Change {
        state.withLock { $0.reason = reason }
        return .refused(reason)
    }

    private static func words(mtu: Int) -> String {
        "its MTU is \(mtu), and responses want \(mtuMin)"
    }

    /// The order matters: the program, then queues and addresses, and as the last it is attached.
    private func serve(
        _ interface: NetworkInterface, _ job: FrameJob
    ) throws(XDPError) -> FrameEvent.Change {
        var program = try XDPProgram(interface, port: setting.port)
        try startThreads(interface, program, job)
        let addresses = try wantedAddresses(job.listen)
        for address in addresses { try program.add(address) }
        let mode = try program.attach()
        let isZeroCopy = report.figures.kernel.isZeroCopy
        var held = Optional(program)
        state.withLock { state in
            state.program = held.take()
            state.interface = interface
            state.mode = mode
            state.addresses = addresses
        }
        return .started(
            mode, isZeroCopy: isZeroCopy, queueCount: interface.queueCount,
            addressCount: addresses.count)
    }

    private func startThreads(
        _ interface: NetworkInterface, _ program: borrowing XDPProgram, _ job: FrameJob
    ) throws(XDPError) {
        let deadline = ContinuousClock.now + FrameInterface.patience
        let shared: FrameWorker.Shared
        do throws(Errno) {
            shared = try FrameWorker.Shared(mtu: interface.mtu)
        } catch {
            throw XDPError(interface.name, .openQueue(0), error)
        }
        state.withLock { $0.shared = shared }
        for index in 0..<interface.queueCount {
            let queue = try XDPQueue(
                interface, queue: index, patience: max(.zero, deadline - .now))
            try program.serve(queue)
            let counters = FrameCounters()
            counters.note(queue.statistics)
            // As for the workers of sockets, and apart from theirs.
            let seed = job.seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
            let worker = FrameWorker(
                queue, filter: program.filter, shared: shared,
                responder: Responder(
                    job.snapshots, seed: seed, workerCount: interface.queueCount),
                proxies: job.proxies, counters: counters)
            do throws(Errno) {
                let thread = try startThread("\(interface.name) \(index)", running: worker)
                state.withLock {
                    $0.threads.append(thread)
                    $0.counters.append(counters)
                }
            } catch {
                throw XDPError(interface.name, .openQueue(index), error)
            }
        }
    }

    /// The addresses of the sockets at this port; for a wildcard, those of this machine. Nothing of
    /// loopback comes over a cable.
    private func wantedAddresses(_ listen: [ListenAddress]) throws(XDPError) -> Set<IPAddress> {
        var wanted: Set<IPAddress> = []
        for place in listen where place.port == setting.port {
            if place.isWildcard {
                do throws(Errno) {
                    wanted.formUnion(
                        try NetworkInterface.ownAddresses().filter {
                            $0.family == place.address.family
                        })
                } catch {
                    throw XDPError(setting.interface, .addAddress, error)
                }
            } else if !place.address.isLoopback {
                wanted.insert(place.address)
            }
        }
        return wanted
    }

    // MARK: - Looking after it

    /// Something about interfaces or addresses has changed: what of it is news here. Does nothing
    /// for an interface that is not served.
    func look(_ job: FrameJob) -> [FrameEvent.Change] {
        guard let known = state.withLock({ $0.interface }) else { return [] }
        guard let now = known.now else {
            return end("the interface is gone; restart to use it when it is back")
        }
        guard now.hardwareAddress == known.hardwareAddress else {
            return end("its hardware address has changed; restart to use it again")
        }
        guard now.mtu >= FrameInterface.mtuMin else {
            return end(FrameInterface.words(mtu: now.mtu) + "; restart to use it again")
        }
        var changes: [FrameEvent.Change] = []
        if now.mtu != known.mtu {
            state.withLock { $0.shared?.mtu.store(now.mtu, ordering: .relaxed) }
            changes.append(.mtu(now.mtu))
        }
        if now.isUp != known.isUp { changes.append(now.isUp ? .linkUp : .linkDown) }
        state.withLock { $0.interface = now }
        do throws(XDPError) {
            return changes + take(try wantedAddresses(job.listen))
        } catch {
            return changes + [.addressRefused("\(error)")]
        }
    }

    private func take(_ wanted: Set<IPAddress>) -> [FrameEvent.Change] {
        state.withLock { state in
            guard wanted != state.addresses.union(state.refusedAddresses) else { return [] }
            var changes: [FrameEvent.Change] = []
            state.refusedAddresses.formIntersection(wanted)
            for address in state.addresses.subtracting(wanted) {
                state.program?.remove(address)
                state.addresses.remove(address)
            }
            let new = wanted.subtracting(state.addresses).subtracting(state.refusedAddresses)
            for address in new {
                do throws(XDPError) {
                    try state.program?.add(address)
                    state.addresses.insert(address)
                } catch {
                    state.refusedAddresses.insert(address)
                    changes.append(.addressRefused("\(address): \(error)"))
                }
            }
            return changes + [.addresses(state.addresses.count)]
        }
    }

    private func end(_ reason: String) -> [FrameEvent.Change] {
        close()
        state.withLock { $0.reason = reason }
        return [.ended(reason)]
    }

    // MARK: - End

    /// Leaves everything to the sockets, then answers what has come in, and returns when all
    /// threads have ended.
    func close() {
        let (shared, threads) = state.withLock { state in
            state.program?.detach()
            state.interface = nil
            defer { state.threads = [] }
            return (state.shared, state.threads)
        }
        shared?.stop()
        for thread in threads { pthread_join(thread, nil) }
        let passed = report.figures.passed
        state.withLock { state in
            state.passed = passed
            state.program = nil
            state.reason = "stopped"
        }
    }

    // MARK: - Figures

    var report: FrameReport {
        state.withLock { state in
            var figures = FrameStatistics()
            for counters in state.counters { counters.add(to: &figures) }
            figures.passed = state.passed
            for queue in state.counters.indices {
                for (index, reason) in PassReason.allCases.enumerated() {
                    figures.passed[index] += state.program?.passedCount(reason, queue: queue) ?? 0
                }
            }
            return FrameReport(
                setting: setting,
                state: state.interface.map {
                    .serving(
                        state.mode, queueCount: state.counters.count,
                        addressCount: state.addresses.count, isUp: $0.isUp)
                } ?? .off(state.reason), figures: figures)
        }
    }
}

/// How it stands with one interface.
package struct FrameReport: Sendable {
    package enum State: Sendable {
        case serving(XDPProgram.Mode, queueCount: Int, addressCount: Int, isUp: Bool)
        /// The sockets alone answer, and why.
        case off(String)
    }

    package var setting: FrameSetting
    package var state: State
    package var figures: FrameStatistics
}

extension IPAddress {
    /// 127.0.0.0/8 and ::1.
    fileprivate var isLoopback: Bool {
        family == .ipv4 ? ipv4Value >> 24 == 127 : bits == 1
    }
}
