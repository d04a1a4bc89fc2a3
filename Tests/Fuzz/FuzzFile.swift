import Foundation

/// A file without a name of its own, written anew for each input that is read from a path.
final class FuzzFile: Sendable {
    private let descriptor: Int32

    var path: String { "/proc/self/fd/\(descriptor)" }

    init() {
        // Closed when the process ends.
        descriptor = tmpfile().map { fileno($0) } ?? -1
    }

    func write(_ bytes: [UInt8]) -> Bool {
        ftruncate(descriptor, off_t(bytes.count)) == 0
            && pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    }
}
