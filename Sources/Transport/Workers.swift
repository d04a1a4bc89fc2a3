package import Addressing
import CLinux
import Glibc
package import Responder
import Synchronization
package import SystemCalls

/// Bounds on what clients may take.
package struct TransportLimits: Sendable {
    /// Open TCP connections per worker. 1 or more.
    package var connectionCountMax = 1024

    /// Of these, connections of clients in one prefix (`ConnectionRoster`). 1 or more.
    package var connectionCountPerPrefixMax = 64

    /// How long a TCP connection may be without a query. RFC 9210 §4.5 recommends ten seconds,
    /// RFC 7766 §6.2.3 speaks of "a few seconds"; clients are expected to reconnect.
    package var idleTimeout: Duration = .seconds(10)

    /// How long one query may take to arrive, and responses to be taken, before the client counts
    /// as too slow. A segment lost three times in a row comes after seven seconds (RFC 6298 §2).
    package var transferTimeout: Duration = .seconds(10)

    /// How long `stop` waits for clients to take their last responses.
    package var stopTimeout: Duration = .seconds(2)

    package init() {}
}

/// The threads that answer queries, one for each set of sockets in `Listeners`.
package final class Workers: Sendable {
    /// Where the workers listen, with the ports that the kernel chose.
    package let boundAddresses: [ListenAddress]

    private let counters: [WorkerCounters]
    private let stopSignal: FileDescriptor
    private let threads: Mutex<[pthread_t]>

    /// Starts the threads. Each makes its own `Responder` from `snapshots` and a seed derived
    /// from `seed`. Peers in `proxies` put a `ProxyHeader` before what they send. Throws when the
    /// process may have no more threads or descriptors; nothing runs then.
    package init(
        _ listeners: consuming Listeners, snapshots: SnapshotCell, seed: UInt64,
        limits: TransportLimits = TransportLimits(), proxies: ProxySources = ProxySources()
    ) throws(Errno) {
        boundAddresses = listeners.boundAddresses
        counters = listeners.workers.map { _ in WorkerCounters() }
        stopSignal = try FileDescriptor {
            eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        }
        threads = Mutex([])
        for (index, sockets) in listeners.workers.enumerated() {
            // The golden ratio in 64 bits: seeds far apart (Knuth, TAOCP 3, §6.4).
            let workerSeed = seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
            do throws(Errno) {
                let worker = Worker(
                    sockets, poller: try .watching(sockets, stopSignal: stopSignal),
                    responder: Responder(
                        snapshots, seed: workerSeed, streamIdleTimeout: limits.idleTimeout,
                        workerCount: listeners.workers.count),
                    limits: limits, proxies: proxies, counters: counters[index])
                let thread = try startThread("worker \(index)", running: worker)
                threads.withLock { $0.append(thread) }
            } catch {
                stop()
                throw error
            }
        }
    }

    /// Sums over all workers; callable at any time, also after `stop`.
    package var statistics: TransportStatistics {
        var sum = TransportStatistics()
        for worker in counters { worker.add(to: &sum) }
        return sum
    }

    /// Answers what has arrived, closes every socket and returns when all threads have ended:
    /// at once as a rule, after `TransportLimits.stopTimeout` at worst. Does nothing when called
    /// again.
    package func stop() {
        // Nobody reads the eventfd, so that one write wakes every worker.
        _ = eventfd_write(stopSignal.number, 1)
        let running = threads.withLock { threads in
            let all = threads
            threads = []
            return all
        }
        for thread in running { pthread_join(thread, nil) }
    }
}
