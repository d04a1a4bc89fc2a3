import Addressing
package import DNSWire

/// RDATA from wire format to presentation format, field by field as `RRTypeDescriptor` lists them.
package enum RecordPresentation {
    /// `10 mail.example.com.`; `\# 4 0a000001` (RFC 3597 §5) for a type without a descriptor, and
    /// for RDATA that is not what its type asks for. Names are absolute, times in seconds.
    package static func rdata(_ wire: ArraySlice<UInt8>, type: RRType) -> String {
        let text = fields(of: wire, type: type) ?? generic(wire)
        return String(decoding: text, as: UTF8.self)
    }

    /// `app.example.com.  30  IN  A  198.51.100.1`: a line of a zone file that parses back to the
    /// same record.
    package static func line(
        owner: DomainName, ttl: UInt32, type: RRType, rdata: ArraySlice<UInt8>
    ) -> String {
        "\(owner)  \(ttl)  IN  \(type)  \(self.rdata(rdata, type: type))"
    }

    /// True when the bytes are exactly what the type asks for; any bytes are, for a type without a
    /// descriptor.
    static func isValid(_ wire: ArraySlice<UInt8>, type: RRType) -> Bool {
        RRTypeDescriptor.of(type) == nil || fields(of: wire, type: type) != nil
    }

    private static func generic(_ wire: ArraySlice<UInt8>) -> [UInt8] {
        let mark = Array("\\# \(wire.count)".utf8)
        return wire.isEmpty ? mark : mark + [UInt8(ascii: " ")] + digits(of: wire, .hexadecimal)
    }

    /// Nil when the type has no descriptor or the bytes do not fit it.
    private static func fields(of wire: ArraySlice<UInt8>, type: RRType) -> [UInt8]? {
        guard let descriptor = RRTypeDescriptor.of(type) else { return nil }
        var rest = wire
        var text: [UInt8] = []
        for field in descriptor.fields {
            if !text.isEmpty, !(rest.isEmpty && field.mayBeAbsent) {
                text.append(UInt8(ascii: " "))
            }
            guard append(field, after: wire[..<rest.startIndex].last, from: &rest, to: &text)
            else { return nil }
        }
        return rest.isEmpty ? text : nil
    }

    private static func append(
        _ field: RDATAField, after previous: UInt8?, from rest: inout ArraySlice<UInt8>,
        to text: inout [UInt8]
    ) -> Bool {
        switch field {
        case .uint8, .algorithm: appendNumber(byteCount: 1, from: &rest, to: &text)
        case .uint16, .certificateType: appendNumber(byteCount: 2, from: &rest, to: &text)
        case .uint32, .duration: appendNumber(byteCount: 4, from: &rest, to: &text)
        case .ipv4: appendAddress(byteCount: 4, from: &rest, to: &text)
        case .ipv6: appendAddress(byteCount: 16, from: &rest, to: &text)
        case .compressibleName, .name: appendName(from: &rest, to: &text)
        case .characterStrings: appendCharacterStrings(from: &rest, to: &text)
        case .tag: appendTag(from: &rest, to: &text)
        case .text: appendText(from: &rest, to: &text)
        case .nonEmptyText: !rest.isEmpty && appendText(from: &rest, to: &text)
        case .characterString: appendCharacterString(from: &rest, to: &text)
        case .timestamp: appendTimestamp(from: &rest, to: &text)
        case .rrType: appendType(from: &rest, to: &text)
        case .hyphenated(let byteCount):
            appendHyphenated(byteCount: byteCount, from: &rest, to: &text)
        case .hexadecimalWithLength:
            appendCounted(.hexadecimal, mayBeEmpty: true, from: &rest, to: &text)
        case .base32HexWithLength:
            appendCounted(.base32Hex, mayBeEmpty: false, from: &rest, to: &text)
        case .base64: appendWhole(&rest, to: &text) { $0.isEmpty ? nil : digits(of: $0, .base64) }
        case .digest(let kind):
            appendWhole(&rest, to: &text) {
                kind.byteCounts(previous ?? 0).contains($0.count)
                    ? digits(of: $0, .hexadecimal) : nil
            }
        case .typeBitmap(let mayBeEmpty):
            appendWhole(&rest, to: &text) {
                $0.isEmpty && !mayBeEmpty
                    ? nil
                    : TypeBitmap.types($0).map { types in
                        Array(types.map(\.description).joined(separator: " ").utf8)
                    }
            }
        case .serviceParameters: appendWhole(&rest, to: &text, ServiceParameters.text)
        case .location:
            appendWhole(&rest, to: &text) {
                GeographicLocation(wire: $0).map { Array($0.text.utf8) }
            }
        }
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private static func appendNumber(
        byteCount: Int, from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let bytes = take(byteCount, from: &rest) else { return false }
        text += String(bytes.reduce(0) { $0 << 8 | UInt32($1) }).utf8
        return true
    }

    private static func appendAddress(
        byteCount: Int, from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let bytes = take(byteCount, from: &rest), let address = IPAddress(bytes: bytes)
        else { return false }
        text += address.description.utf8
        return true
    }

    private static func appendName(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        var end = rest.startIndex
        while end < rest.endIndex, rest[end] != 0 { end += 1 + Int(rest[end]) }
        guard end < rest.endIndex, let name = DomainName(wire: Array(rest[...end])) else {
            return false
        }
        rest = rest[(end + 1)...]
        text += name.description.utf8
        return true
    }

    private static func appendCharacterStrings(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard appendCharacterString(from: &rest, to: &text) else { return false }
        while !rest.isEmpty {
            text.append(UInt8(ascii: " "))
            guard appendCharacterString(from: &rest, to: &text) else { return false }
        }
        return true
    }

    private static func appendCharacterString(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let length = rest.popFirst(), let string = take(Int(length), from: &rest)
        else { return false }
        appendQuoted(string[...], to: &text)
        return true
    }

    private static func appendTag(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let length = rest.popFirst(), let tag = take(Int(length), from: &rest),
            isTag(tag[...])
        else { return false }
        text += tag
        return true
    }

    private static func appendText(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        appendQuoted(rest, to: &text)
        rest = rest[rest.endIndex...]
        return true
    }

    static func appendQuoted(_ string: ArraySlice<UInt8>, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case 0x20...0x7e: text.append(byte)
            default:
                text.append(UInt8(ascii: "\\"))
                text += [byte / 100, byte / 10 % 10, byte % 10].map { 0x30 + $0 }
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

// MARK: - Fields of later types

extension RecordPresentation {
    private static func appendTimestamp(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let bytes = take(4, from: &rest) else { return false }
        text += Timestamp.text(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        return true
    }

    private static func appendType(
        from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let bytes = take(2, from: &rest) else { return false }
        let type = RRType(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
        text += type.description.utf8
        return type.rawValue != 0
    }

    private static func appendHyphenated(
        byteCount: Int, from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        guard let bytes = take(byteCount, from: &rest) else { return false }
        text += bytes.map { digits(of: [$0], .hexadecimal) }
            .joined(separator: [UInt8(ascii: "-")])
        return true
    }

    private static func appendCounted(
        _ base: DigitDecoder.Base, mayBeEmpty: Bool, from rest: inout ArraySlice<UInt8>,
        to text: inout [UInt8]
    ) -> Bool {
        guard let length = rest.popFirst(), let bytes = take(Int(length), from: &rest),
            mayBeEmpty || length > 0
        else { return false }
        text += bytes.isEmpty ? [UInt8(ascii: "-")] : digits(of: bytes, base)
        return true
    }

    /// What stands to the end of the RDATA.
    private static func appendWhole(
        _ rest: inout ArraySlice<UInt8>, to text: inout [UInt8],
        _ form: (ArraySlice<UInt8>) -> [UInt8]?
    ) -> Bool {
        guard let whole = form(rest) else { return false }
        text += whole
        rest = rest[rest.endIndex...]
        return true
    }
}

/// ASCII letters and digits, 1…255 of them (RFC 8659 §4.1).
func isTag(_ text: ArraySlice<UInt8>) -> Bool {
    (1...255).contains(text.count)
        && text.allSatisfy { isDigit($0) || lowercased($0) &- 0x61 < 26 }
}
