import Glibc

/// Why a file could not be read, in words.
package struct FileError: Error, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String
    /// There is no such file.
    package var isMissing: Bool

    package var description: String { "cannot read \(path): \(reason)" }

    init(_ path: String) {
        self.path = path
        isMissing = errno == ENOENT
        reason = unsafe String(cString: strerror(errno))
    }
}

/// What tells one state of a file from the next, without reading it: which file it is, how long,
/// and when it was written or renamed.
package struct FileStamp: Hashable, Sendable {
    private var device: UInt64
    private var inode: UInt64
    private var byteCount: Int64
    /// Nanoseconds.
    private var modified: Int128
    private var changed: Int128

    fileprivate init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        byteCount = Int64(status.st_size)
        modified = FileStamp.nanoseconds(status.st_mtim)
        changed = FileStamp.nanoseconds(status.st_ctim)
    }

    private static func nanoseconds(_ time: timespec) -> Int128 {
        Int128(time.tv_sec) * 1_000_000_000 + Int128(time.tv_nsec)
    }
}

/// The little of a file system that loading needs.
package enum FileSystem {
    package static func isDirectory(_ path: String) throws(FileError) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw FileError(path) }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether its mode lets every user of the machine read it.
    package static func isReadableByOthers(_ path: String) throws(FileError) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw FileError(path) }
        return status.st_mode & S_IROTH != 0
    }

    /// Nil: it is not there, or cannot be looked at.
    package static func stamp(of path: String) -> FileStamp? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? FileStamp(status) : nil
    }

    /// Names in a directory, sorted, those that start with a dot left out.
    package static func names(in directory: String) throws(FileError) -> [String] {
        guard let handle = unsafe opendir(directory) else { throw FileError(directory) }
        defer { unsafe _ = closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    package static func read(_ path: String) throws(FileError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(path) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw FileError(path) }
        if status.st_mode & S_IFMT == S_IFDIR {
            errno = EISDIR
            throw FileError(path)
        }
        // One more than it should hold, so that a single read sees its end.
        var bytes = try readOnce(file, path, byteCountMax: Int(status.st_size) + 1)
        if bytes.count == status.st_size { return bytes }
        // It is a pipe or the like, or being written: on to its end.
        while true {
            let more = try readOnce(file, path, byteCountMax: 1 << 18)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// What one call of `read` gives; nothing at the end of the file.
    private static func readOnce(
        _ file: Int32, _ path: String, byteCountMax: Int
    ) throws(FileError) -> [UInt8] {
        var status = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
            repeat {
                // SAFETY: the kernel writes at most the buffer's own count of bytes.
                unsafe status = Glibc.read(file, buffer.baseAddress, buffer.count)
            } while status < 0 && errno == EINTR
            count = max(0, status)
        }
        guard status >= 0 else { throw FileError(path) }
        return bytes
    }
}
