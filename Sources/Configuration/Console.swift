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
