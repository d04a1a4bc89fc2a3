/// A place in a file, as a compiler prints it. Lines and columns count from 1; columns count bytes.
package struct SourceLocation: Hashable, Sendable, Comparable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

extension SourceLocation: CustomStringConvertible {
    package var description: String { "\(file):\(line):\(column)" }
}

/// One problem of the operator's input: where it is, what was expected, and what to do.
package struct Diagnostic: Error, Hashable, Sendable {
    package enum Severity: String, Sendable {
        /// What was read cannot be served; whatever is being served stays.
        case error
        /// Served as written, and probably not what was meant.
        case warning
    }

    package var severity: Severity
    /// Nil where no line of a file is at fault, for example when a file cannot be read at all.
    package var location: SourceLocation?
    package var message: String

    package init(_ severity: Severity, at location: SourceLocation?, _ message: String) {
        self.severity = severity
        self.location = location
        self.message = message
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `file:line:column: error: message`, one line.
    package var description: String {
        guard let location else { return "\(severity.rawValue): \(message)" }
        return "\(location): \(severity.rawValue): \(message)"
    }
}

extension [Diagnostic] {
    package var hasErrors: Bool { contains { $0.severity == .error } }

    /// By file, line and column; those without a place first.
    package var sortedByLocation: [Diagnostic] {
        enumerated().sorted { left, right in
            switch (left.element.location, right.element.location) {
            case (let first?, let second?) where first != second: first < second
            case (nil, .some): true
            case (.some, nil): false
            default: left.offset < right.offset
            }
        }.map(\.element)
    }
}
