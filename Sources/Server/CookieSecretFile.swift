import DNSWire
import Diagnostics
import Loader

/// The file of `--cookie-secret`: one secret a line, first the one in use, then perhaps the one
/// before it. Empty lines and lines that start with `#` say nothing.
enum CookieSecretFile {
    /// Nil with a problem: a server with another secret than its neighbours looks well, and is not.
    static func read(_ path: String) -> (secrets: CookieSecrets?, [Diagnostic]) {
        do throws(FileError) {
            let (secrets, problems) = parse(try FileSystem.read(path), path: path)
            guard try FileSystem.isReadableByOthers(path) else { return (secrets, problems) }
            // Zones are for all to read; with this anybody can make cookies that are good here.
            let place = SourceLocation(file: path, line: 1, column: 1)
            let warning = Diagnostic(
                .warning, at: place, "everybody may read it; `chmod o= \(path)` ends that")
            return (secrets, problems + [warning])
        } catch {
            return (nil, [Diagnostic(.error, at: nil, "\(error)")])
        }
    }

    static func parse(
        _ bytes: [UInt8], path: String
    ) -> (secrets: CookieSecrets?, [Diagnostic]) {
        var found: [CookieSecret] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
            guard let word = words.first, word.first != UInt8(ascii: "#") else { continue }
            let place = SourceLocation(file: path, line: index + 1, column: 1)
            // The line itself is secret: it must not stand in a log.
            guard words.count == 1, let secret = CookieSecret(String(decoding: word, as: UTF8.self))
            else {
                return (
                    nil,
                    [
                        Diagnostic(
                            .error, at: place,
                            "expected a secret of 32 hexadecimal digits; "
                                + "`openssl rand -hex 16` makes one")
                    ]
                )
            }
            found.append(secret)
            guard found.count <= 2 else {
                return (
                    nil,
                    [
                        Diagnostic(
                            .error, at: place,
                            "a third secret; keep the one in use, and the one before it")
                    ]
                )
            }
        }
        guard let current = found.first else {
            let place = SourceLocation(file: path, line: 1, column: 1)
            return (
                nil,
                [Diagnostic(.error, at: place, "no secret; write 32 hexadecimal digits on a line")]
            )
        }
        let previous = found.count > 1 ? found[1] : nil
        return (CookieSecrets(current: current, previous: previous), [])
    }
}
