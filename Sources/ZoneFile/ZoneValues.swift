import Addressing
import DNSWire

/// The values a zone file is made of, each from the bytes of its word. Pure functions: the caller
/// knows the place and reports what is wrong.

/// Largest TTL (RFC 2181 §8).
let ttlMax: UInt32 = 0x7fff_ffff

/// Why a word is not a domain name.
enum NameFault: Error {
    case emptyLabel
    case labelTooLong
    case nameTooLong
    case badEscape
    case quote

    var message: String {
        switch self {
        case .emptyLabel: "empty label: two dots in a row, or a dot in front"
        case .labelTooLong: "a label is longer than 63 bytes (RFC 1035 §2.3.4)"
        case .nameTooLong: "the name is longer than 255 bytes with its origin (RFC 1035 §2.3.4)"
        case .badEscape: "a backslash takes one character or three digits up to 255"
        case .quote: "a quote inside a name; write it as \\\""
        }
    }
}

/// Appends the wire form of a name in presentation format. `@` is the origin, and a name without a
/// final dot is completed by it (RFC 1035 §5.1). After a fault `wire` holds a piece of the name.
func appendName(
    _ text: Span<UInt8>, origin: DomainName, to wire: inout [UInt8]
) -> NameFault? {
    if text.count == 1 {
        if text[0] == UInt8(ascii: "@") {
            wire += origin.wire
            return nil
        }
        if text[0] == UInt8(ascii: ".") {
            wire.append(0)
            return nil
        }
    }
    let start = wire.count
    var lengthIndex = start
    wire.append(0)
    var position = 0
    while position < text.count {
        let byte = text[position]
        position += 1
        switch byte {
        case UInt8(ascii: "."):
            if let fault = closeLabel(at: lengthIndex, of: &wire) { return fault }
            lengthIndex = wire.count
            wire.append(0)
        case UInt8(ascii: "\\"):
            guard let escaped = unescape(text, at: &position) else { return .badEscape }
            wire.append(escaped)
        case UInt8(ascii: "\""):
            return .quote
        default:
            wire.append(byte)
        }
    }
    let isAbsolute = lengthIndex == wire.count - 1 && lengthIndex > start
    if !isAbsolute {
        if let fault = closeLabel(at: lengthIndex, of: &wire) { return fault }
        wire += origin.wire
    }
    return wire.count - start > DomainName.byteCountMax ? .nameTooLong : nil
}

/// The name that stands at `range` of `bytes`.
func appendName(
    _ bytes: [UInt8], _ range: Range<Int>, origin: DomainName, to wire: inout [UInt8]
) -> NameFault? {
    appendName(bytes.span.extracting(range), origin: origin, to: &wire)
}

/// The byte that the escape at `position` stands for; nil when it is none.
private func unescape(_ text: Span<UInt8>, at position: inout Int) -> UInt8? {
    var rest: ArraySlice<UInt8> = []
    for index in position..<min(position + 3, text.count) { rest.append(text[index]) }
    let count = rest.count
    let escaped = unescape(&rest)
    position += count - rest.count
    return escaped
}

private func closeLabel(at lengthIndex: Int, of wire: inout [UInt8]) -> NameFault? {
    let length = wire.count - lengthIndex - 1
    if length == 0 { return .emptyLabel }
    if length > DomainName.labelByteCountMax { return .labelTooLong }
    wire[lengthIndex] = UInt8(length)
    return nil
}

func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// An unsigned decimal number without sign or blank; nil when it is not one, or above `maximum`.
func parseNumber(_ text: ArraySlice<UInt8>, maximum: UInt64) -> UInt64? {
    guard !text.isEmpty, text.count <= 19 else { return nil }
    var value: UInt64 = 0
    for byte in text {
        guard isDigit(byte) else { return nil }
        value = value * 10 + UInt64(byte - 0x30)
    }
    return value <= maximum ? value : nil
}

/// A quantity with units as written: the sum in the smallest unit, or what is wrong.
enum Quantity {
    case value(UInt64)
    case malformed
    case tooLarge
}

/// A TTL: plain seconds, or numbers with the units w d h m s in any case (RFC 2308 has no units;
/// these are BIND's, and every operator's).
func parseTTL(_ text: ArraySlice<UInt8>, maximum: UInt32 = ttlMax) -> Quantity {
    if text.allSatisfy(isDigit), let first = text.first {
        let digits = text.drop { $0 == UInt8(ascii: "0") }
        if digits.isEmpty, first == UInt8(ascii: "0") { return .value(0) }
        return parseNumber(digits, maximum: UInt64(maximum)).map(Quantity.value) ?? .tooLarge
    }
    return parseQuantity(text, maximum: UInt64(maximum)) { unit in
        guard unit.count == 1, let letter = unit.first else { return nil }
        return secondsPerUnit(letter)
    }
}

private func secondsPerUnit(_ letter: UInt8) -> UInt64? {
    switch lowercased(letter) {
    case UInt8(ascii: "s"): 1
    case UInt8(ascii: "m"): 60
    case UInt8(ascii: "h"): 3600
    case UInt8(ascii: "d"): 86400
    case UInt8(ascii: "w"): 604_800
    default: nil
    }
}

/// `500ms`, `10s`, `1m30s`, `1h`, in milliseconds. A unit is asked for: a bare number would be
/// seconds to a DNS operator and milliseconds to an HAProxy operator.
func parseMilliseconds(_ text: ArraySlice<UInt8>, maximum: UInt64) -> Quantity {
    parseQuantity(text, maximum: maximum) { unit in
        if unit.elementsEqual("ms".utf8) { return 1 }
        guard unit.count == 1, let letter = unit.first else { return nil }
        return secondsPerUnit(letter).map { $0 * 1000 }
    }
}

/// Number, unit, number, unit… to the end of the text.
private func parseQuantity(
    _ text: ArraySlice<UInt8>, maximum: UInt64, unit: (ArraySlice<UInt8>) -> UInt64?
) -> Quantity {
    var rest = text
    var sum: UInt64 = 0
    var isTooLarge = false
    guard !rest.isEmpty else { return .malformed }
    while !rest.isEmpty {
        let digits = rest.prefix(while: isDigit)
        rest = rest[digits.endIndex...]
        let letters = rest.prefix { !isDigit($0) }
        rest = rest[letters.endIndex...]
        guard !digits.isEmpty, let factor = unit(letters) else { return .malformed }
        guard let number = parseNumber(digits, maximum: 1 << 40) else {
            isTooLarge = true
            continue
        }
        sum += number * factor
        if sum > maximum { isTooLarge = true }
        sum = min(sum, maximum)
    }
    return isTooLarge ? .tooLarge : .value(sum)
}

/// The bytes of a character-string or a steering value, escapes taken away; nil at a bad escape.
func decodeText(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            result.append(byte)
            continue
        }
        guard let escaped = unescape(&rest) else { return nil }
        result.append(escaped)
    }
    return result
}

/// A decimal number such as `-77.45`; no exponent, no `nan`.
func parseDecimal(_ text: ArraySlice<UInt8>) -> Double? {
    let sign = text.first.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } ?? false
    let digits = sign ? text.dropFirst() : text
    guard digits.contains(where: isDigit), digits.count <= 40,
        digits.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }),
        digits.count(where: { $0 == UInt8(ascii: ".") }) <= 1
    else { return nil }
    // Without a digit on both sides of the point `Double` would refuse what people write: `.5`.
    let whole = digits.first == UInt8(ascii: ".") ? [UInt8(ascii: "0")] + digits : Array(digits)
    let padded = whole.last == UInt8(ascii: ".") ? whole + [UInt8(ascii: "0")] : whole
    guard let magnitude = Double(String(decoding: padded, as: UTF8.self)) else { return nil }
    return text.first == UInt8(ascii: "-") ? -magnitude : magnitude
}

/// Text of the file inside a message: in quotes, printable, and short.
func shown(_ text: ArraySlice<UInt8>) -> String {
    let shownByteCountMax = 40
    var result: [UInt8] = [UInt8(ascii: "'")]
    result += text.prefix(shownByteCountMax).map { $0 < 0x20 || $0 == 0x7f ? 0x3f : $0 }
    result += text.count > shownByteCountMax ? Array("…'".utf8) : [UInt8(ascii: "'")]
    return String(decoding: result, as: UTF8.self)
}
