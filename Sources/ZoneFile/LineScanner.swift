/// One word of a zone file, by its place in the file's bytes: no text is copied.
struct Token {
    /// The content; the quotes of a quoted string are left out.
    var start: Int
    var end: Int
    /// Of the first byte, the opening quote included; both count from 1.
    var line: Int
    var column: Int
    /// `"…"` as a whole.
    var isQuoted: Bool
    /// A quoted part inside the word: `city="US-NY/New York"`.
    var hasInnerQuotes = false

    var count: Int { end - start }
    /// Just behind the last byte: where a missing word is reported.
    var endColumn: Int { column + count + (isQuoted ? 2 : 0) }
}

/// Splits the bytes of a zone file into logical lines and these into words: parentheses, comments,
/// quotes and backslashes (RFC 1035 §5.1). What the words mean is not known here.
struct LineScanner {
    /// Something wrong with the text itself.
    struct Fault {
        var line: Int
        var column: Int
        var message: String
    }

    let bytes: [UInt8]
    /// The words of the current logical line.
    private(set) var tokens: [Token] = []
    /// The line starts with a blank: its owner is the previous record's.
    private(set) var beginsWithBlank = false
    /// The text of the current line is broken; its words after the first must not be trusted.
    private(set) var isDamaged = false
    /// Found since the last call of `takeFaults`.
    private var faults: [Fault] = []

    private var position = 0
    private var line = 1
    /// Where the current physical line starts in `bytes`.
    private var lineStart = 0

    init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    private var column: Int { position - lineStart + 1 }

    mutating func takeFaults() -> [Fault] {
        if faults.isEmpty { return [] }
        defer { faults = [] }
        return faults
    }

    /// Reads the next logical line that holds anything; false at the end of the file.
    mutating func nextLine() -> Bool {
        tokens.removeAll(keepingCapacity: true)
        isDamaged = false
        beginsWithBlank = startsBlank
        var group: OpenGroup?
        while position < bytes.count {
            switch ByteClass.of(bytes[position]) {
            case .blank:
                position += 1
            case .newline:
                endPhysicalLine()
                if group == nil {
                    if !tokens.isEmpty || isDamaged { return true }
                    beginsWithBlank = startsBlank
                }
            case .semicolon:
                skipComment()
            case .open:
                if group == nil {
                    group = OpenGroup(
                        depth: 0, line: line, lineStart: lineStart, position: position,
                        tokenCount: tokens.count, faultCount: faults.count)
                }
                group?.depth += 1
                position += 1
            case .close:
                close(&group)
            case .quote:
                scanQuoted()
            case .carriageReturn:
                scanCarriageReturn()
            case .control, .backslash, .word:
                scanWord()
            }
        }
        if let group { giveUp(group) }
        return !tokens.isEmpty || isDamaged
    }

    private var startsBlank: Bool {
        position < bytes.count && ByteClass.of(bytes[position]) == .blank
    }

    private mutating func fault(_ message: String, line: Int, column: Int) {
        faults.append(Fault(line: line, column: column, message: message))
        isDamaged = true
    }

    private mutating func endPhysicalLine() {
        position += 1
        line += 1
        lineStart = position
    }

    private mutating func skipComment() {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
    }
}

// MARK: - Words

extension LineScanner {
    private mutating func scanWord() {
        var token = Token(
            start: position, end: position, line: line, column: column, isQuoted: false)
        scanning: while true {
            position = endOfPlain(from: position)
            guard position < bytes.count else { break }
            switch ByteClass.of(bytes[position]) {
            case .word:
                position += 1
            case .backslash:
                skipEscape()
            case .quote:
                token.hasInnerQuotes = true
                skipQuoted()
            case .control:
                faultControl()
            case .blank, .newline, .carriageReturn, .semicolon, .open, .close:
                break scanning
            }
        }
        token.end = position
        tokens.append(token)
    }

    /// Behind the run of bytes that nearly all words consist of.
    private func endOfPlain(from start: Int) -> Int {
        let bytes = bytes.span
        var end = start
        while end < bytes.count, ByteClass.isWord(bytes[end]) { end &+= 1 }
        return end
    }

    private mutating func scanQuoted() {
        var token = Token(
            start: position + 1, end: position, line: line, column: column, isQuoted: true)
        guard skipQuoted() else { return }
        token.end = position - 1
        tokens.append(token)
    }

    /// Past the closing quote. A string ends on the line it began on: a forgotten quote must not
    /// swallow the rest of the file.
    @discardableResult
    private mutating func skipQuoted() -> Bool {
        let openColumn = column
        position += 1
        while position < bytes.count {
            switch ByteClass.of(bytes[position]) {
            case .quote:
                position += 1
                return true
            case .backslash:
                skipEscape()
            case .newline:
                fault("this quote is not closed on its line", line: line, column: openColumn)
                return false
            case .control:
                faultControl()
            default:
                position += 1
            }
        }
        fault("this quote is not closed", line: line, column: openColumn)
        return false
    }

    /// The backslash and what it makes ordinary; digits of `\DDD` are ordinary anyway.
    private mutating func skipEscape() {
        let next = position + 1
        guard next < bytes.count, ![.newline, .carriageReturn].contains(ByteClass.of(bytes[next]))
        else {
            fault("a backslash needs a character behind it", line: line, column: column)
            position += 1
            return
        }
        position += 2
    }

    private mutating func faultControl() {
        let byte = bytes[position]
        let hint = byte == 0 ? "; is the file in UTF-16?" : "; write it as \\DDD"
        fault("control character with code \(byte)\(hint)", line: line, column: column)
        // One message for a run of them.
        while position < bytes.count, ByteClass.of(bytes[position]) == .control { position += 1 }
    }

    /// A carriage return is part of the line's end, or else it is a stray one.
    private mutating func scanCarriageReturn() {
        if position + 1 < bytes.count, bytes[position + 1] != UInt8(ascii: "\n") {
            fault("carriage return inside a line", line: line, column: column)
        }
        position += 1
    }
}

// MARK: - Parentheses

extension LineScanner {
    /// An outermost `(`, and all that is needed to go back to it.
    private struct OpenGroup {
        var depth: Int
        var line: Int
        var lineStart: Int
        var position: Int
        var tokenCount: Int
        var faultCount: Int
    }

    private mutating func close(_ group: inout OpenGroup?) {
        if group == nil {
            fault("')' without a '(' before it", line: line, column: column)
        } else if group?.depth == 1 {
            group = nil
        } else {
            group?.depth -= 1
        }
        position += 1
    }

    /// The parenthesis is not closed to the end of the file. Scanning goes on with the first line
    /// after it that has an owner, so that the rest of the file is checked all the same.
    private mutating func giveUp(_ group: OpenGroup) {
        tokens.removeSubrange(group.tokenCount...)
        faults.removeSubrange(group.faultCount...)
        line = group.line
        lineStart = group.lineStart
        position = group.position
        fault("this '(' is never closed", line: line, column: column)
        repeat {
            skipComment()
            if position < bytes.count { endPhysicalLine() }
        } while position < bytes.count && !startsEntry
    }

    private var startsEntry: Bool {
        switch ByteClass.of(bytes[position]) {
        case .word, .backslash: true
        default: false
        }
    }
}

/// What a byte means to the scanner.
private enum ByteClass {
    case word, blank, newline, carriageReturn, semicolon, open, close, quote, backslash, control

    @inline(__always) static func of(_ byte: UInt8) -> ByteClass {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"): .blank
        case UInt8(ascii: "\n"): .newline
        case UInt8(ascii: "\r"): .carriageReturn
        case UInt8(ascii: ";"): .semicolon
        case UInt8(ascii: "("): .open
        case UInt8(ascii: ")"): .close
        case UInt8(ascii: "\""): .quote
        case UInt8(ascii: "\\"): .backslash
        case 0..<0x20, 0x7f: .control
        default: .word
        }
    }

    /// `of(byte) == .word`, for the loop that most of the time goes into.
    @inline(__always) static func isWord(_ byte: UInt8) -> Bool {
        if byte < 0x40 { return special >> UInt64(byte) & 1 == 0 }
        return byte != UInt8(ascii: "\\") && byte != 0x7f
    }

    /// Bit i: byte i, one of those below 64, has a meaning of its own: controls, blanks, `"();`.
    private static var special: UInt64 {
        0xffff_ffff | 1 << 0x20 | 1 << 0x22 | 1 << 0x28 | 1 << 0x29 | 1 << 0x3b
    }
}
