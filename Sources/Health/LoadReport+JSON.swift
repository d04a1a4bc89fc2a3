// A JSON object with the figures of a load report as members (RFC 8259). Other members are passed
// over, whatever they hold: reports grow.
extension LoadReport {
    init(json body: [UInt8]) throws(Fault) {
        var reader = JSONReader(body)
        guard let figures = reader.members(), reader.isAtEnd else {
            throw Fault(message: "load report is not a JSON object, from byte \(reader.position)")
        }
        self.init()
        for (key, number) in figures {
            guard let figure = Figure(rawValue: key) else { continue }
            guard let number else { throw Fault(message: "\(key) of the load report is no number") }
            guard number >= 0 else { throw Fault(message: "\(key) of the load report is negative") }
            self[figure] = number
        }
        guard !self.figures.isEmpty else {
            throw Fault(message: "load report has none of the figures known")
        }
    }
}

/// Reads one JSON text from front to back; every step is nil, or false, where it is not JSON.
private struct JSONReader {
    /// Deeper nesting is refused, so that no input can exhaust the stack.
    private static let depthMax = 16

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// The outermost object's members: numbers, and nil for everything else. Of a key that stands
    /// there twice both are given.
    mutating func members() -> [(key: String, number: Double?)]? {
        var result: [(key: String, number: Double?)] = []
        skipBlanks()
        guard take("{") else { return nil }
        skipBlanks()
        if !take("}") {
            repeat {
                skipBlanks()
                let start = position
                guard string() else { return nil }
                let key = bytes[(start + 1)..<(position - 1)]
                skipBlanks()
                guard take(":") else { return nil }
                skipBlanks()
                let valueStart = position
                guard value(depth: 1) else { return nil }
                // An escape in a key makes it one that nobody asks for.
                result.append(
                    (
                        String(decoding: key, as: UTF8.self),
                        number(bytes[valueStart..<position])
                    ))
                skipBlanks()
            } while take(",")
            guard take("}") else { return nil }
        }
        skipBlanks()
        return result
    }

    private func number(_ text: ArraySlice<UInt8>) -> Double? {
        guard let first = text.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first)
        else { return nil }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
        else { return nil }
        return value
    }

    private mutating func value(depth: Int) -> Bool {
        guard depth <= JSONReader.depthMax, position < bytes.count else { return false }
        switch bytes[position] {
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "{"): return list("{", "}", depth) { $0.member(depth) }
        case UInt8(ascii: "["): return list("[", "]", depth) { $0.value(depth: depth + 1) }
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return numberText()
        }
    }

    private mutating func member(_ depth: Int) -> Bool {
        guard string() else { return false }
        skipBlanks()
        guard take(":") else { return false }
        skipBlanks()
        return value(depth: depth + 1)
    }

    private mutating func list(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ depth: Int,
        _ item: (inout JSONReader) -> Bool
    ) -> Bool {
        guard take(open) else { return false }
        skipBlanks()
        if take(close) { return true }
        repeat {
            skipBlanks()
            guard item(&self) else { return false }
            skipBlanks()
        } while take(",")
        return take(close)
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard escape() else { return false }
            case 0..<0x20: return false
            default: break
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        guard position < bytes.count else { return false }
        let byte = bytes[position]
        position += 1
        if "\"\\/bfnrt".utf8.contains(byte) { return true }
        guard byte == UInt8(ascii: "u"), position + 4 <= bytes.count else { return false }
        defer { position += 4 }
        return bytes[position..<position + 4].allSatisfy { digit in
            switch digit {
            case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
            default: false
            }
        }
    }

    private mutating func numberText() -> Bool {
        _ = take("-")
        if take("0") {
            // No digit may follow a leading zero.
        } else if digits() == 0 {
            return false
        }
        if take("."), digits() == 0 { return false }
        guard take("e") || take("E") else { return true }
        if !take("+") { _ = take("-") }
        return digits() > 0
    }

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        return position - start
    }

    private mutating func word(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while position < bytes.count, isBlank(bytes[position]) { position += 1 }
    }
}
