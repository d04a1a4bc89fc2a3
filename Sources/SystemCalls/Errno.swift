import CLinux
import Glibc

/// Why a system call failed (errno(3)): a number, its name and its words.
package struct Errno: Error, Equatable, Sendable {
    package let code: Int32

    package init(_ code: Int32) { self.code = code }

    /// "EADDRINUSE"; the number for one that this C library does not know.
    package var name: String {
        // SAFETY: a string constant of the C library, or null.
        guard let name = unsafe clinux_error_name(code) else { return "error \(code)" }
        return unsafe String(cString: name)
    }

    package static let addressFamilyNotSupported = Errno(EAFNOSUPPORT)
    package static let addressInUse = Errno(EADDRINUSE)
    package static let addressNotAvailable = Errno(EADDRNOTAVAIL)
    package static let again = Errno(EAGAIN)
    package static let connectionRefused = Errno(ECONNREFUSED)
    package static let messageTooLong = Errno(EMSGSIZE)
    package static let nameTooLong = Errno(ENAMETOOLONG)
    package static let noBufferSpace = Errno(ENOBUFS)
    package static let noMemory = Errno(ENOMEM)
    package static let noSuchFile = Errno(ENOENT)
    package static let permissionDenied = Errno(EACCES)
    package static let protocolNotSupported = Errno(EPROTONOSUPPORT)
    package static let timedOut = Errno(ETIMEDOUT)
    package static let tooManyFiles = Errno(EMFILE)
    package static let tooManyFilesInSystem = Errno(ENFILE)
}

extension Errno: CustomStringConvertible {
    /// strerror(3): "Address already in use".
    package var description: String {
        // SAFETY: never null, and valid until this thread's next call (glibc 2.32 and later).
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? name
    }

    /// The same for the middle of a sentence: "address already in use".
    package var words: String {
        let words = description
        guard words.dropFirst().first?.isLowercase == true else { return words }
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
