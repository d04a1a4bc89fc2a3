import Glibc

/// A POSIX extended regular expression, compiled (regcomp(3)); only whether it matches is told.
///
/// Back-references are refused: without them the C library matches in time proportional to the
/// text, which may come from anybody.
@safe
package final class RegularExpression {
    private let compiled: UnsafeMutablePointer<regex_t>

    /// Why text is no expression, in the C library's words.
    package struct Fault: Error {
        package var message: String
    }

    package init(_ text: String) throws(Fault) {
        guard !text.utf8.contains(0) else { throw Fault(message: "it holds a zero byte") }
        guard !RegularExpression.hasBackReference(text) else {
            throw Fault(message: "back-references are not supported")
        }
        let room = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        unsafe room.initialize(to: regex_t())
        let code = unsafe regcomp(room, text, REG_EXTENDED | REG_NOSUB)
        guard code == 0 else {
            var words = [CChar](repeating: 0, count: 128)
            let count = unsafe regerror(code, room, &words, words.count)
            unsafe room.deallocate()
            let shown = words.prefix(max(min(Int(count), words.count) - 1, 0))
            throw Fault(message: String(decoding: shown.map(UInt8.init), as: UTF8.self))
        }
        unsafe compiled = unsafe room
    }

    deinit {
        // SAFETY: compiled in init, and let go of nowhere else.
        unsafe regfree(compiled)
        unsafe compiled.deallocate()
    }

    /// Bytes are taken as they are; zero bytes are like any other (REG_STARTEND).
    package func matches(_ text: [UInt8]) -> Bool {
        var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(text.count))
        // The zero at the end is for AddressSanitizer, which does not know REG_STARTEND and looks
        // for the end of a string.
        let terminated = text + [0]
        // SAFETY: with REG_STARTEND only the bytes in the range are read.
        return unsafe terminated.withUnsafeBytes { bytes in
            unsafe regexec(
                compiled, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), 0, &range,
                REG_STARTEND) == 0
        }
    }

    private static func hasBackReference(_ text: String) -> Bool {
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped, (0x31...0x39).contains(byte) { return true }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return false
    }
}
