/// The parts of a `$GENERATE` line that need no zone: its range and its templates (BIND 9
/// Administrator Reference Manual, "BIND Primary File Extension: the $GENERATE Directive").
enum Generate {
    /// Records that one line may make.
    static let recordCountMax = 100_000
    /// Longest padding: no label is longer.
    static let widthMax = 63
    /// Largest number of a range, and offset.
    static let numberMax: UInt64 = 0x7fff_ffff

    /// `start-stop` or `start-stop/step`; nil for anything else.
    static func parseRange(_ text: ArraySlice<UInt8>) -> (range: StrideThrough<Int>, count: Int)? {
        let halves = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let ends = halves[0].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard halves.count <= 2, ends.count == 2,
            let start = parseNumber(ends[0], maximum: numberMax),
            let stop = parseNumber(ends[1], maximum: numberMax), start <= stop
        else { return nil }
        var step: UInt64 = 1
        if halves.count == 2 {
            guard let written = parseNumber(halves[1], maximum: numberMax), written > 0
            else { return nil }
            step = written
        }
        return (
            stride(from: Int(start), through: Int(stop), by: Int(step)),
            Int((stop - start) / step) + 1
        )
    }

    /// How a number is written.
    enum Form: UInt8 {
        case decimal = 0x64
        case octal = 0x6f
        case hexadecimal = 0x78
        case upperHexadecimal = 0x58
        /// Hexadecimal digits as labels, last one first: for `ip6.arpa`.
        case nibbles = 0x6e
        case upperNibbles = 0x4e
    }

    private enum Piece {
        case text([UInt8])
        case number(offset: Int, width: Int, Form)
    }

    /// A text with `$` in it.
    struct Template {
        private var pieces: [Piece] = []

        /// Nil when a `${…}` is wrong.
        init?(_ text: ArraySlice<UInt8>) {
            let dollar = UInt8(ascii: "$")
            var rest = text
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\\") {
                    // Kept: what reads the record takes the backslash away.
                    add(byte)
                    if let next = rest.popFirst() { add(next) }
                } else if byte != dollar {
                    add(byte)
                } else if rest.first == dollar {
                    // An older way to write a plain `$`.
                    rest.removeFirst()
                    add(UInt8(ascii: "\\"))
                    add(dollar)
                } else if rest.first == UInt8(ascii: "{") {
                    guard let end = rest.firstIndex(of: UInt8(ascii: "}")),
                        let piece = Template.modifiers(rest[(rest.startIndex + 1)..<end])
                    else { return nil }
                    pieces.append(piece)
                    rest = rest[(end + 1)...]
                } else {
                    pieces.append(.number(offset: 0, width: 0, .decimal))
                }
            }
        }

        private mutating func add(_ byte: UInt8) {
            if case .text(let bytes)? = pieces.last {
                pieces[pieces.count - 1] = .text(bytes + [byte])
            } else {
                pieces.append(.text([byte]))
            }
        }

        /// `offset[,width[,form]]`
        private static func modifiers(_ text: ArraySlice<UInt8>) -> Piece? {
            let parts = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            let sign = parts[0].first
            let isNegative = sign == UInt8(ascii: "-")
            let digits = isNegative || sign == UInt8(ascii: "+") ? parts[0].dropFirst() : parts[0]
            guard parts.count <= 3, let offset = parseNumber(digits, maximum: numberMax) else {
                return nil
            }
            var width: UInt64 = 0
            if parts.count > 1 {
                guard let written = parseNumber(parts[1], maximum: UInt64(widthMax)) else {
                    return nil
                }
                width = written
            }
            var form = Form.decimal
            if parts.count > 2 {
                guard parts[2].count == 1, let written = parts[2].first.flatMap(Form.init)
                else { return nil }
                form = written
            }
            return .number(
                offset: isNegative ? -Int(offset) : Int(offset), width: Int(width), form)
        }

        /// The text for one number of the range; nil when an offset makes it negative.
        func expanded(_ number: Int) -> [UInt8]? {
            var text: [UInt8] = []
            for piece in pieces {
                switch piece {
                case .text(let bytes):
                    text += bytes
                case .number(let offset, let width, let form):
                    guard number + offset >= 0 else { return nil }
                    text += written(number + offset, width: width, form)
                }
            }
            return text
        }

        private func written(_ number: Int, width: Int, _ form: Form) -> [UInt8] {
            let radix =
                switch form {
                case .decimal: 10
                case .octal: 8
                case .hexadecimal, .upperHexadecimal, .nibbles, .upperNibbles: 16
                }
            let isUpper = form == .upperHexadecimal || form == .upperNibbles
            let isNibbles = form == .nibbles || form == .upperNibbles
            let digits = Array(String(number, radix: radix, uppercase: isUpper).utf8)
            if isNibbles { return labels(Array(digits.reversed()), width: width) }
            return Array(repeating: 0x30, count: max(0, width - digits.count)) + digits
        }

        /// Digits with dots between them. The width counts digits and dots, so that an even one
        /// ends in a dot, as BIND has it.
        private func labels(_ digits: [UInt8], width: Int) -> [UInt8] {
            var text: [UInt8] = []
            for index in 0..<max(digits.count, (width + 1) / 2) {
                text.append(index < digits.count ? digits[index] : 0x30)
                if index + 1 < digits.count || text.count < width {
                    text.append(UInt8(ascii: "."))
                }
            }
            return text
        }
    }
}
