import CMaxMindDB
import Glibc

/// A private copy of a file in memory that has a path, so that libmaxminddb, which opens and maps
/// files by path, can read it.
///
/// Mapping the operator's file itself would be fatal: when it is truncated while mapped, the next
/// access raises SIGBUS.
struct DatabaseImage: ~Copyable {
    private let descriptor: Int32
    let byteCount: Int

    /// Path for this process only.
    var path: String { "/proc/self/fd/\(descriptor)" }

    init(copying file: String) throws(GeoSourceError) {
        let source = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard source >= 0 else { throw GeoSourceError(file, .systemError()) }
        defer { close(source) }
        var status = stat()
        guard unsafe fstat(source, &status) == 0 else { throw GeoSourceError(file, .systemError()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw GeoSourceError(file, .cannotRead("it is not a regular file"))
        }
        let image = unsafe geodns_memory_file("geodns location database")
        guard image >= 0 else { throw GeoSourceError(file, .systemError()) }
        do throws(GeoSourceError) {
            let count = try copyAll(from: source, to: image, naming: file)
            guard count > 0 else { throw GeoSourceError(file, .empty) }
            descriptor = image
            byteCount = count
        } catch {
            close(image)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The last `count` bytes, or all if there are fewer.
    func tail(_ count: Int) -> [UInt8] {
        let count = min(count, byteCount)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            // SAFETY: the kernel writes at most `count` bytes, the buffer's capacity.
            unsafe filled = max(
                0, pread(descriptor, buffer.baseAddress, count, off_t(byteCount - count)))
        }
    }
}

/// Copies to the end of the file; the count of bytes.
private func copyAll(
    from source: Int32, to target: Int32, naming file: String
) throws(GeoSourceError) -> Int {
    var total = 0
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        // SAFETY: the kernel writes at most the chunk's own count of bytes.
        let count = unsafe chunk.withUnsafeMutableBytes {
            unsafe read(source, $0.baseAddress, $0.count)
        }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw GeoSourceError(file, .systemError()) }
        guard count > 0 else { return total }
        var written = 0
        while written < count {
            // SAFETY: written < count <= chunk.count.
            let step = unsafe chunk.withUnsafeBytes {
                unsafe write(target, $0.baseAddress! + written, count - written)
            }
            if step < 0 && errno == EINTR { continue }
            guard step >= 0 else { throw GeoSourceError(file, .systemError()) }
            written += step
        }
        total += count
    }
}

extension GeoSourceError.Reason {
    /// From `errno`.
    static func systemError() -> Self {
        // SAFETY: strerror returns a valid string, copied at once; a race could garble its words
        // for an unknown code, nothing else.
        .cannotRead(unsafe String(cString: strerror(errno)))
    }
}
