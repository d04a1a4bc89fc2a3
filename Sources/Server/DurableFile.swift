import Glibc
import SystemCalls

/// Files that are whole after a crash of this process or of the machine: the old one, or the new.
enum DurableFile {
    /// Replaces the file `name` in `folder`. Its bytes are on the disk before it has its name, and
    /// that is on the disk before this returns.
    static func replace(
        _ name: String, in folder: String, with bytes: [UInt8]
    ) throws(Errno) {
        let path = "\(folder)/\(name)"
        let temporary = path + ".new"
        let file = try FileDescriptor {
            unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest
            let count = try require {
                // SAFETY: read during the call only.
                unsafe piece.withUnsafeBytes { unsafe write(file.number, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
        try require { fsync(file.number) }
        try require { unsafe rename(temporary, path) }
        let directory = try FileDescriptor {
            unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        try require { fsync(directory.number) }
    }
}
