import Addressing
import Configuration
import SystemCalls

/// Reads clients from streams, one to a line, and names the lines that are none.
struct ClientReader {
    private var faultCount = 0

    private static let shownFaultCountMax = 100

    /// Calls `body` for each client, and `afterBlock` now and then with how many bytes of the
    /// stream and lines of it have been read.
    mutating func read(
        _ stream: LineStream, _ body: (Prefix) -> Void,
        afterBlock: (_ byteCount: Int, _ lineCount: Int) -> Void
    ) {
        var stream = stream
        var number = 0
        var byteCount = 0
        while let lines = next(&stream) {
            let block = stream.bytes.span
            var start = lines.lowerBound
            while start < lines.upperBound {
                var end = start
                while end < lines.upperBound, block[end] != UInt8(ascii: "\n") { end += 1 }
                number += 1
                if let client = read(block.extracting(start..<end), number, of: stream.name) {
                    body(client)
                }
                start = end + 1
            }
            byteCount += lines.count
            afterBlock(byteCount, number)
        }
    }

    /// Whether every line was a client; tells how many were not.
    var isFine: Bool {
        guard faultCount > 0 else { return true }
        let lines = faultCount == 1 ? "1 line" : "\(faultCount) lines"
        printError("\(CheckSettings.program.name): --from: \(lines) to mend")
        return false
    }

    private func next(_ stream: inout LineStream) -> Range<Int>? {
        do throws(Errno) {
            return try stream.next()
        } catch {
            CheckSettings.program.fail("cannot read \(stream.name): \(error)", status: 1)
        }
    }

    /// One line: a client, blanks around it, and perhaps a comment.
    private mutating func read(_ line: Span<UInt8>, _ number: Int, of file: String) -> Prefix? {
        var start = 0
        while start < line.count, line[start].isBlank { start += 1 }
        var end = start
        while end < line.count, line[end] != UInt8(ascii: "#") { end += 1 }
        while end > start, line[end - 1].isBlank { end -= 1 }
        guard start < end else { return nil }
        let word = line.extracting(start..<end)
        if let client = Prefix(utf8: word) { return client }
        faultCount += 1
        guard faultCount <= ClientReader.shownFaultCountMax else { return nil }
        let shown = (0..<min(word.count, 80)).map { word[$0] }
        printError(
            "\(file):\(number):\(start + 1): error: \(CheckSettings.clientExpectation), found '"
                + String(decoding: shown, as: UTF8.self) + "'")
        return nil
    }
}

extension UInt8 {
    /// A blank, a tab or a carriage return.
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0d }
}
