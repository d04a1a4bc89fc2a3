import DatabaseBuilder
import Glibc

/// A file that cannot be read or written, and why.
struct FileError: Error, CustomStringConvertible {
    let description: String

    /// `action` is a verb: "read".
    init(_ action: String, _ path: String, _ code: Int32) {
        // SAFETY: strerror returns a valid string for every code; this program has one thread.
        description = "cannot \(action) \(path): \(unsafe String(cString: strerror(code)))"
    }

    init(_ description: String) { self.description = description }
}

/// To standard error; when even that fails there is nobody left to tell.
func complain(_ message: String) {
    try? writeAll(Array((message + "\n").utf8), to: STDERR_FILENO, path: "standard error")
}

/// The whole file; its name in messages is its path.
func readSource(_ path: String) throws(FileError) -> SourceText {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("read", path, errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        // SAFETY: the kernel writes at most the chunk's own count of bytes.
        let count = unsafe chunk.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw FileError("read", path, errno) }
        guard count > 0 else { return SourceText(file: path, bytes: bytes) }
        bytes += chunk[..<count]
    }
}

/// Writes beside `path` and renames, so that a reader sees the old file or the new one, whole.
func writeFile(_ path: String, _ bytes: [UInt8]) throws(FileError) {
    let temporary = "\(path).\(getpid()).tmp"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError("write", temporary, errno) }
    do throws(FileError) {
        do throws(FileError) {
            try writeAll(bytes, to: descriptor, path: temporary)
            guard fsync(descriptor) == 0 else { throw FileError("write", temporary, errno) }
        } catch {
            close(descriptor)
            throw error
        }
        guard close(descriptor) == 0 else { throw FileError("write", temporary, errno) }
        guard unsafe rename(temporary, path) == 0 else { throw FileError("write", path, errno) }
    } catch {
        _ = unsafe unlink(temporary)
        throw error
    }
}

private func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, path: String
) throws(FileError) {
    var written = 0
    while written < bytes.count {
        // SAFETY: written < bytes.count, so base and count stay inside the array.
        let count = unsafe bytes.withUnsafeBytes {
            unsafe write(descriptor, $0.baseAddress! + written, $0.count - written)
        }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw FileError("write", path, errno) }
        written += count
    }
}

/// Seconds since 1970: `SOURCE_DATE_EPOCH` if it is set
/// (https://reproducible-builds.org/specs/source-date-epoch/), else the newest input's
/// modification time. Never the clock: the same inputs give the same file.
func buildEpoch(of paths: [String]) throws(FileError) -> UInt64 {
    // SAFETY: the environment is not changed by this program; the value is copied at once.
    if let variable = unsafe getenv("SOURCE_DATE_EPOCH") {
        let text = unsafe String(cString: variable)
        guard let epoch = UInt64(text) else {
            throw FileError("SOURCE_DATE_EPOCH: expected seconds since 1970, found '\(text)'")
        }
        return epoch
    }
    var newest: UInt64 = 0
    for path in paths {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw FileError("read", path, errno) }
        newest = max(newest, UInt64(max(0, status.st_mtim.tv_sec)))
    }
    return newest
}
