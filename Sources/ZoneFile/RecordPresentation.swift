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
        var text = Array("\\# \(wire.count)".utf8)
        if !wire.isEmpty { text.append(UInt8(ascii: " ")) }
        let digits = Array("0123456789abcdef".utf8)
        for byte in wire { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return text
    }

    /// Nil when the type has no descriptor or the bytes do not fit it.
    private static func fields(of wire: ArraySlice<UInt8>, type: RRType) -> [UInt8]? {
        guard let descriptor = RRTypeDescriptor.of(type) else { return nil }
        var rest = wire
        var text: [UInt8] = []
        for field in descriptor.fields {
            if !text.isEmpty { text.append(UInt8(ascii: " ")) }
            guard append(field, from: &rest, to: &text) else { return nil }
        }
        return rest.isEmpty ? text : nil
    }

    private static func append(
        _ field: RDATAField, from rest: inout ArraySlice<UInt8>, to text: inout [UInt8]
    ) -> Bool {
        switch field {
        case .uint8: appendNumber(byteCount: 1, from: &rest, to: &text)
        case .uint16: appendNumber(byteCount: 2, from: &rest, to: &text)
        case .uint32, .duration: appendNumber(byteCount: 4, from: &rest, to: &text)
        case .ipv4: appendAddress(byteCount: 4, from: &rest, to: &text)
        case .ipv6: appendAddress(byteCount: 16, from: &rest, to: &text)
        case .compressibleName, .name: appendName(from: &rest, to: &text)
        case .characterStrings: appendCharacterStrings(from: &rest, to: &text)
        case .tag: appendTag(from: &rest, to: &text)
        case .text: appendText(from: &rest, to: &text)
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
        guard !rest.isEmpty else { return false }
        var isFirst = true
        while let length = rest.popFirst() {
            guard let string = take(Int(length), from: &rest) else { return false }
            if !isFirst { text.append(UInt8(ascii: " ")) }
            appendQuoted(string[...], to: &text)
            isFirst = false
        }
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

    private static func appendQuoted(_ string: ArraySlice<UInt8>, to text: inout [UInt8]) {
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

/// ASCII letters and digits, 1…255 of them (RFC 8659 §4.1).
func isTag(_ text: ArraySlice<UInt8>) -> Bool {
    (1...255).contains(text.count)
        && text.allSatisfy { isDigit($0) || lowercased($0) &- 0x61 < 26 }
}
