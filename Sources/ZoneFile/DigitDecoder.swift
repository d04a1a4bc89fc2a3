import DNSWire

/// Base 16, base32hex and base64 (RFC 4648 §8, §7 and §4), word by word: a digest or a key may be
/// split anywhere.
struct DigitDecoder {
    enum Base {
        case hexadecimal
        /// Without padding (RFC 5155 §3.3).
        case base32Hex
        /// With padding.
        case base64

        var bitsPerDigit: Int {
            switch self {
            case .hexadecimal: 4
            case .base32Hex: 5
            case .base64: 6
            }
        }

        /// What a message calls it.
        var description: String {
            switch self {
            case .hexadecimal: "hexadecimal digits"
            case .base32Hex: "base32hex (RFC 4648 §7) without padding"
            case .base64: "base64 (RFC 4648 §4)"
            }
        }
    }

    let base: Base
    private(set) var bytes: [UInt8] = []
    /// Bits that do not make a byte yet, the last ones right.
    private var pending: UInt32 = 0
    private var pendingBitCount = 0
    private var digitCount = 0
    private var paddingCount = 0

    init(_ base: Base) { self.base = base }

    /// False at a byte that is no digit.
    mutating func append(_ text: ArraySlice<UInt8>) -> Bool {
        for byte in text {
            if base == .base64, byte == UInt8(ascii: "="), paddingCount < 2 {
                paddingCount += 1
                continue
            }
            guard paddingCount == 0, let digit = value(of: byte) else { return false }
            digitCount += 1
            pending = pending << UInt32(base.bitsPerDigit) | UInt32(digit)
            pendingBitCount += base.bitsPerDigit
            if pendingBitCount >= 8 {
                pendingBitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBitCount)))
                pending &= 1 << UInt32(pendingBitCount) - 1
            }
        }
        return true
    }

    /// No digit is missing, and those that end the text say nothing more (RFC 4648 §3.5).
    var isComplete: Bool {
        guard pending == 0, pendingBitCount < base.bitsPerDigit else { return false }
        return base != .base64 || (digitCount + paddingCount).isMultiple(of: 4)
    }

    private func value(of byte: UInt8) -> UInt8? {
        let isLower = byte &- 0x61 < 26
        let isUpper = byte &- 0x41 < 26
        switch base {
        case .base64:
            if isUpper { return byte - 0x41 }
            if isLower { return byte - 0x61 + 26 }
            if isDigit(byte) { return byte - 0x30 + 52 }
            return byte == UInt8(ascii: "+") ? 62 : byte == UInt8(ascii: "/") ? 63 : nil
        case .hexadecimal, .base32Hex:
            if isDigit(byte) { return byte - 0x30 }
            guard isLower || isUpper else { return nil }
            let value = lowercased(byte) - 0x61 + 10
            return value < 1 << UInt8(base.bitsPerDigit) ? value : nil
        }
    }
}

/// The digits of `bytes`, upper case where letters have one (hexadecimal: lower).
func digits(of bytes: some Sequence<UInt8>, _ base: DigitDecoder.Base) -> [UInt8] {
    let alphabet: [UInt8] =
        switch base {
        case .hexadecimal: Array("0123456789abcdef".utf8)
        case .base32Hex: Array("0123456789ABCDEFGHIJKLMNOPQRSTUV".utf8)
        case .base64:
            Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        }
    let width = base.bitsPerDigit
    var text: [UInt8] = []
    var pending: UInt32 = 0
    var bitCount = 0
    for byte in bytes {
        pending = pending << 8 | UInt32(byte)
        bitCount += 8
        while bitCount >= width {
            bitCount -= width
            text.append(alphabet[Int(pending >> UInt32(bitCount)) & (1 << width - 1)])
        }
        pending &= 1 << UInt32(bitCount) - 1
    }
    if bitCount > 0 { text.append(alphabet[Int(pending << UInt32(width - bitCount))]) }
    if base == .base64 { while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) } }
    return text
}
