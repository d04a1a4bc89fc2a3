import CLinux
import Glibc

/// An open file or socket; closed when its last holder lets go of it.
package final class FileDescriptor: Sendable {
    package let number: Int32

    /// Takes ownership of `number`.
    package init(_ number: Int32) {
        precondition(number >= 0)
        self.number = number
    }

    /// Calls `open` and takes ownership of what it returns.
    package convenience init(_ open: () -> Int32) throws(Errno) {
        self.init(try require(open))
    }

    // Linux closes the descriptor even when close(2) reports an error; there is nothing to repeat.
    deinit { _ = close(number) }
}
