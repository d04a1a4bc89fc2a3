/// What is said over the control socket, a Unix stream socket. One exchange per connection:
///
/// - The client sends one line: words separated by spaces, ended by a newline. A word that is
///   empty or holds a space, a quote, a backslash or a control character stands in double quotes,
///   where `\"` and `\\` are themselves and `\DDD` is the byte with that decimal value, as in zone
///   files (RFC 1035 §5.1).
/// - The server answers `ok` or `error <message>` on the first line, then any further lines, and
///   closes. Text is UTF-8.
///
/// `printf 'status\n' | nc -U /run/geodns/control.sock` is a client.
enum ControlRequest {
    /// Longest request line, newline included.
    static let byteCountMax = 8192

    /// One line, newline included.
    static func line(_ words: [String]) -> [UInt8] {
        var line: [UInt8] = []
        for (index, word) in words.enumerated() {
            if index > 0 { line.append(space) }
            append(word, to: &line)
        }
        line.append(newline)
        return line
    }

    private static func append(_ word: String, to line: inout [UInt8]) {
        let bytes = word.utf8
        let isPlain =
            !bytes.isEmpty
            && bytes.allSatisfy { $0 > space && $0 != quote && $0 != backslash && $0 != delete }
        if isPlain {
            line += bytes
            return
        }
        line.append(quote)
        for byte in bytes {
            switch byte {
            case quote, backslash:
                line += [backslash, byte]
            case 0..<space, delete:
                let (hundreds, tens, ones) = (byte / 100, byte / 10 % 10, byte % 10)
                line += [backslash, zero + hundreds, zero + tens, zero + ones]
            default:
                line.append(byte)
            }
        }
        line.append(quote)
    }

    /// The words of a line without its newline; nil when a quote is not closed or an escape is
    /// not one.
    static func words(_ line: [UInt8]) -> [String]? {
        var words: [String] = []
        var rest = line[...]
        while true {
            rest = rest.drop { $0 == space || $0 == tab || $0 == carriageReturn }
            guard let first = rest.first else { return words }
            if first == quote {
                rest = rest.dropFirst()
                guard let word = quotedWord(&rest) else { return nil }
                words.append(word)
            } else {
                let word = rest.prefix { $0 != space && $0 != tab && $0 != carriageReturn }
                words.append(String(decoding: word, as: UTF8.self))
                rest = rest.dropFirst(word.count)
            }
        }
    }

    /// Takes a word up to its closing quote.
    private static func quotedWord(_ rest: inout ArraySlice<UInt8>) -> String? {
        var word: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case quote:
                return String(decoding: word, as: UTF8.self)
            case backslash:
                guard let escaped = escapedByte(&rest) else { return nil }
                word.append(escaped)
            default:
                word.append(byte)
            }
        }
        return nil
    }

    private static func escapedByte(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        guard let first = rest.popFirst() else { return nil }
        guard (zero...zero + 9).contains(first) else { return first }
        guard let second = rest.popFirst(), let third = rest.popFirst() else { return nil }
        return UInt8(String(decoding: [first, second, third], as: UTF8.self))
    }
}

/// What the server answers to a request.
package enum ControlReply: Equatable, Sendable {
    /// Done; the text to print, empty or lines.
    case ok(String)
    /// Not done, and why; may be several lines.
    case failed(String)

    /// As sent: UTF-8.
    var bytes: [UInt8] {
        switch self {
        case .ok(let body): Array("ok\n\(body)".utf8)
        case .failed(let message): Array("error \(message)".utf8)
        }
    }

    /// Nil when it is not a whole reply: the server closed early, or is no geodnsd.
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.hasPrefix("ok\n") {
            self = .ok(String(text.dropFirst(3)))
        } else if text.hasPrefix("error ") {
            self = .failed(String(text.dropFirst(6)))
        } else {
            return nil
        }
    }
}

private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
private let delete: UInt8 = 0x7f
private let zero = UInt8(ascii: "0")
