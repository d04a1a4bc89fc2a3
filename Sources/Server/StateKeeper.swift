import Diagnostics
import Health
import HealthMonitor
import Loader
import Synchronization
import SystemCalls

/// Keeps what is known of the front doors in a file, `health`, from one process to the next.
///
/// It writes on a thread of its own, for a disk may hang: with each change, though not more often
/// than once a second, and once a minute, so that the file says how lately it was true.
final class StateKeeper: Sendable {
    private struct Wishes {
        var isChanged = true
        var isStopping = false
        var thread: BackgroundThread?
    }

    private let folder: String
    private let log: Log
    private let wishes = Mutex(Wishes())
    private let signal = Signal()

    static let fileName = "health"
    private static let gap = Duration.seconds(1)
    private static let beat = Duration.seconds(60)

    init(folder: String, _ log: Log) {
        self.folder = folder
        self.log = log
    }

    private var path: String { "\(folder)/\(StateKeeper.fileName)" }

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

    /// Begins to write what `collect` gives, now and with each change.
    func start(_ collect: @escaping @Sendable () -> HealthMemory) {
        let thread = BackgroundThread { self.run(collect) }
        wishes.withLock { $0.thread = thread }
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

    private func run(_ collect: () -> HealthMemory) {
        var isFailing = false
        while true {
            let isLast = wishes.withLock { wishes in
                wishes.isChanged = false
                return wishes.isStopping
            }
            write(collect(), &isFailing)
            if isLast { return }
            let now = MonotonicTime.now()
            _ = signal.wait(until: now + StateKeeper.gap) { !wishes.withLock(\.isStopping) }
            _ = signal.wait(until: now + StateKeeper.beat) {
                wishes.withLock { !$0.isChanged && !$0.isStopping }
            }
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
