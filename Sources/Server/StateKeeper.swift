import Diagnostics
import Health
import HealthMonitor
import Loader
import Steering
import Synchronization
import SystemCalls

/// Keeps what is known of the front doors in a file, `health`, and what operators have ordered in
/// another, `overrides`, from one process to the next.
///
/// It writes on a thread of its own, for a disk may hang: health with each change, though not more
/// often than once a second, and once a minute, so that the file says how lately it was true;
/// overrides whenever they have changed.
final class StateKeeper: Sendable {
    private struct Wishes {
        var isChanged = true
        var isStopping = false
        /// How often somebody has come to wait for the overrides to be on the disk, and how many of
        /// them may go.
        var orderCount = 0
        var keptOrderCount = 0
        /// Why they are not on the disk.
        var obstacle: String?
        var thread: BackgroundThread?
    }

    private let folder: String
    private let log: Log
    private let wishes = Mutex(Wishes())
    private let signal = Signal()

    static let fileName = "health"
    static let overridesFileName = "overrides"
    private static let gap = Duration.seconds(1)
    private static let beat = Duration.seconds(60)

    init(folder: String, _ log: Log) {
        self.folder = folder
        self.log = log
    }

    private var path: String { "\(folder)/\(StateKeeper.fileName)" }
    private var overridesPath: String { "\(folder)/\(StateKeeper.overridesFileName)" }

    /// What was kept, as far as it can be read. Problems go to the log and stop nothing: without
    /// memory the server starts as it does the first time.
    func recall() -> HealthMemory {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(path)
        } catch {
            log.write(.info, "memory", "nothing is remembered: \(error)")
            return HealthMemory()
        }
        let (memory, problems) = HealthMemory.read(bytes, file: path, now: .now(), wall: .now())
        for problem in problems { log.write(.warning, "memory", "\(problem)") }
        log.write(
            .info, "memory", "", [("file", path), ("checks", "\(memory.count)")])
        return memory
    }

    /// The overrides that were kept. Without a file there are none.
    func recallOverrides() -> Overrides {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(overridesPath)
        } catch {
            if !error.isMissing {
                log.write(.error, "memory", "overrides are lost: \(error)")
            }
            return Overrides()
        }
        let (overrides, problems) = Overrides.read(
            bytes, file: overridesPath, now: .now(), wall: .now())
        for problem in problems { log.write(.warning, "memory", "\(problem)") }
        log.write(
            .info, "memory", "",
            [("file", overridesPath), ("overrides", "\(overrides.all.count)")])
        return overrides
    }

    /// Begins to write what these give, now and with each change. `known`: the overrides that were
    /// recalled.
    func start(
        known: Overrides, _ health: @escaping @Sendable () -> HealthMemory,
        overrides: @escaping @Sendable () -> Overrides
    ) {
        let thread = BackgroundThread { self.run(known, health, overrides) }
        wishes.withLock { $0.thread = thread }
    }

    /// Waits until the overrides of now are on the disk. Nil when they are, else why not.
    func keepOverrides(atMost duration: Duration) -> String? {
        let number = wishes.withLock { wishes in
            wishes.orderCount += 1
            return wishes.orderCount
        }
        signal.broadcast()
        let isKept = signal.wait(until: .now() + duration) {
            wishes.withLock { $0.keptOrderCount < number }
        }
        let obstacle = wishes.withLock(\.obstacle)
        return isKept ? obstacle : obstacle ?? "the disk has not taken it yet"
    }

    /// Something is to be written. May be called from any thread, and never waits.
    func noteChange() {
        wishes.withLock { $0.isChanged = true }
        signal.broadcast()
    }

    /// Writes for the last time.
    func stop() {
        let thread = wishes.withLock { wishes in
            wishes.isStopping = true
            return wishes.thread
        }
        signal.broadcast()
        thread?.join()
    }

    private func run(
        _ known: Overrides, _ health: () -> HealthMemory, _ overrides: () -> Overrides
    ) {
        var isFailing = false
        var kept = known
        while true {
            let (isLast, orderCount) = wishes.withLock { wishes in
                wishes.isChanged = false
                return (wishes.isStopping, wishes.orderCount)
            }
            keep(overrides(), &kept, orderCount: orderCount)
            write(health(), &isFailing)
            if isLast { return }
            let now = MonotonicTime.now()
            _ = signal.wait(until: now + StateKeeper.gap) {
                wishes.withLock { !$0.isStopping && $0.orderCount == orderCount }
            }
            _ = signal.wait(until: now + StateKeeper.beat) {
                wishes.withLock {
                    !$0.isChanged && !$0.isStopping && $0.orderCount == orderCount
                }
            }
        }
    }

    /// Writes the overrides when they are not those on the disk.
    private func keep(_ overrides: Overrides, _ kept: inout Overrides, orderCount: Int) {
        var obstacle: String?
        if overrides != kept {
            let text = overrides.text(now: .now(), wall: .now())
            do throws(Errno) {
                try DurableFile.replace(
                    StateKeeper.overridesFileName, in: folder, with: Array(text.utf8))
            } catch {
                obstacle = "cannot write \(overridesPath): \(error.words)"
            }
        }
        // Also when it is the same: it may know of another plan, and the one before shall go.
        if obstacle == nil { kept = overrides }
        let wasFailing = wishes.withLock { wishes in
            defer {
                wishes.obstacle = obstacle
                wishes.keptOrderCount = orderCount
            }
            return wishes.obstacle != nil
        }
        signal.broadcast()
        if let obstacle, !wasFailing {
            log.write(.error, "memory", "\(obstacle); after a restart overrides are lost")
        } else if obstacle == nil, wasFailing {
            log.write(.info, "memory", "can be written again", [("file", overridesPath)])
        }
    }

    /// Tells of a failure once, and when it is over.
    private func write(_ memory: HealthMemory, _ isFailing: inout Bool) {
        let text = memory.text(now: .now(), wall: .now())
        do throws(Errno) {
            try DurableFile.replace(StateKeeper.fileName, in: folder, with: Array(text.utf8))
            if isFailing { log.write(.info, "memory", "can be written again", [("file", path)]) }
            isFailing = false
        } catch {
            if !isFailing {
                log.write(
                    .error, "memory",
                    "cannot write \(path): \(error.words); after a restart its state is not known",
                    [("file", path)])
            }
            isFailing = true
        }
    }
}
