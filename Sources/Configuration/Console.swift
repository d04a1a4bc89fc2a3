import Glibc

extension Program {
    /// Writes `name: message` to standard error, and ends the process.
    package func fail(_ message: String, status: Int32) -> Never {
        printError("\(name): \(message)")
        exit(status)
    }
}

/// One line to standard error, unbuffered.
package func printError(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
}

/// Hands over what was printed, also to a pipe or a file.
package func flushOutput() { _ = fflush(nil) }

/// A variable of the environment; nil when it is not set, or empty.
package func environment(_ name: String) -> String? {
    // SAFETY: nobody changes the environment while this program runs.
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}
