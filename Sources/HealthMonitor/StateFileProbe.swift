import CLinux
import Glibc
import Health
import SystemCalls

/// A file probe. Reading a local file does not wait for anything, so it is over at once.
func readStateFile(_ path: String, for probe: Probe) -> Outcome {
    let start = MonotonicTime.now()
    do throws(Errno) {
        // A FIFO without a writer must not hold up every other probe.
        let file = try FileDescriptor {
            unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        }
        let written = clinux_file_time(file.number)
        guard written >= 0 else { throw Errno(errno) }
        var bytes = [UInt8](repeating: 0, count: StateFile.byteCountMax)
        let room = bytes.count
        guard case .success(let count) = attempt({ unsafe read(file.number, &bytes, room) })
        else { throw Errno(errno) }
        let age = Duration.seconds(max(Int64(time(nil)) - written, 0))
        return .result(
            StateFile.judge(
                Array(bytes.prefix(count)), age: age, by: probe.check, after: .now() - start))
    } catch {
        if let words = Outcome.obstacleWords(error.code) { return .obstacle(words) }
        let words = error.code == EINVAL ? "not a regular file" : error.words
        return .result(
            ProbeResult(
                .failed, in: .connect, because: "cannot read \(path): \(words)",
                after: .now() - start))
    }
}
