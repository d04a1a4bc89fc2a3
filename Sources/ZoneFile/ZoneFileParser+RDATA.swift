import Addressing
import DNSWire

// RDATA from presentation format to wire format, field by field as `RRTypeDescriptor` lists them.
extension ZoneFileParser {
    /// Fills `rdata` from the words from `first` on. False after a report.
    mutating func readRDATA(_ type: RRType, from first: Int) -> Bool {
        rdata.removeAll(keepingCapacity: true)
        if first < scanner.tokens.count, isGenericMark(scanner.tokens[first]) {
            return readGeneric(type, from: first + 1)
        }
        if first == scanner.tokens.count - 1, readOneWord(type, scanner.tokens[first]) {
            return true
        }
        guard let descriptor = RRTypeDescriptor.of(type) else {
            let message = "\(type) takes its RDATA as \\# <length> <hexadecimal> (RFC 3597 §5)"
            if first < scanner.tokens.count {
                report(scanner.tokens[first], message)
            } else {
                reportMissing(message)
            }
            return false
        }
        var index = first
        var isValid = true
        for (field, name) in zip(descriptor.fields, descriptor.fieldNames) {
            guard index < scanner.tokens.count || field.mayBeAbsent else {
                reportMissing("\(descriptor.mnemonic): expected the \(name), found the end")
                return false
            }
            if !append(field, &index, name) {
                // Where a field of many words breaks, those behind it mean nothing.
                if field.takesManyWords { return false }
                isValid = false
            }
        }
        if index < scanner.tokens.count {
            let extra = scanner.tokens[index]
            report(
                extra,
                "unexpected \(shown(text(of: extra))) after the RDATA of \(descriptor.mnemonic)")
            return false
        }
        return isValid && checkRDATALength(type, at: first)
    }

    /// The types that most records have, when all is well: without a look at the table of types.
    /// What is wrong is found out again in the order of the fields.
    private mutating func readOneWord(_ type: RRType, _ token: Token) -> Bool {
        guard !token.isQuoted, !token.hasInnerQuotes else { return false }
        switch type {
        case .a, .aaaa:
            let family: IPAddress.Family = type == .a ? .ipv4 : .ipv6
            guard let address = address(token), address.family == family else { return false }
            for index in 0..<address.byteCount { rdata.append(address.byte(index)) }
            return true
        case .ns, .cname, .ptr:
            let range = token.start..<token.end
            if ZoneFile.appendName(scanner.bytes, range, origin: origin, to: &rdata) == nil {
                return true
            }
            rdata.removeAll(keepingCapacity: true)
            return false
        default:
            return false
        }
    }

    private func address(_ token: Token) -> IPAddress? {
        IPAddress(utf8: scanner.bytes.span.extracting(token.start..<token.end))
    }

    private mutating func checkRDATALength(_ type: RRType, at first: Int) -> Bool {
        if rdata.count <= 65535 { return true }
        report(scanner.tokens[first], "the RDATA of this \(type) is longer than 65535 bytes")
        return false
    }

    /// Takes the words of one field, mostly one.
    private mutating func append(_ field: RDATAField, _ index: inout Int, _ name: String) -> Bool {
        switch field {
        case .characterStrings:
            var isValid = true
            while index < scanner.tokens.count {
                isValid = appendCharacterString(scanner.tokens[index]) && isValid
                index += 1
            }
            return isValid
        case .base64: return appendDigits(&index, name, .base64)
        case .digest(let kind): return appendDigits(&index, name, .hexadecimal, kind: kind)
        case .typeBitmap: return appendTypeBitmap(&index)
        case .serviceParameters: return appendServiceParameters(&index)
        case .location: return appendLocation(&index)
        default:
            index += 1
            return append(field, scanner.tokens[index - 1], name)
        }
    }

    private mutating func append(_ field: RDATAField, _ token: Token, _ name: String) -> Bool {
        if token.isQuoted || token.hasInnerQuotes {
            switch field {
            case .text, .nonEmptyText, .characterString: break
            default:
                report(token, "expected the \(name) without quotes")
                return false
            }
        }
        switch field {
        case .uint8: return appendNumber(token, name, maximum: 255, byteCount: 1)
        case .uint16: return appendNumber(token, name, maximum: 65535, byteCount: 2)
        case .uint32: return appendNumber(token, name, maximum: 0xffff_ffff, byteCount: 4)
        case .duration: return appendDuration(token, name)
        case .ipv4: return appendAddress(token, .ipv4)
        case .ipv6: return appendAddress(token, .ipv6)
        case .compressibleName, .name: return appendName(token, name)
        case .timestamp: return appendTimestamp(token, name)
        case .algorithm:
            return appendNumber(token, name, byteCount: 1, or: NumberMnemonics.algorithms)
        case .certificateType:
            return appendNumber(token, name, byteCount: 2, or: NumberMnemonics.certificateTypes)
        case .rrType: return appendType(token)
        case .hyphenated(let byteCount):
            return appendHyphenated(token, name, byteCount: byteCount)
        case .characterString: return appendCharacterString(token)
        case .tag: return appendTag(token)
        case .text: return appendText(token)
        case .nonEmptyText:
            if token.count > 0 { return appendText(token) }
            report(token, "the \(name) must not be empty")
            return false
        case .hexadecimalWithLength:
            return appendCounted(token, name, .hexadecimal, mayBeEmpty: true)
        case .base32HexWithLength:
            return appendCounted(token, name, .base32Hex, mayBeEmpty: false)
        case .characterStrings, .base64, .digest, .typeBitmap, .serviceParameters, .location:
            preconditionFailure("these take as many words as there are")
        }
    }

    mutating func appendBigEndian(_ value: UInt64, byteCount: Int) {
        for shift in (0..<byteCount).reversed() {
            rdata.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift)))
        }
    }

    private mutating func appendNumber(
        _ token: Token, _ name: String, maximum: UInt64, byteCount: Int
    ) -> Bool {
        guard let value = parseNumber(text(of: token), maximum: maximum) else {
            report(
                token, "\(name): expected a number 0…\(maximum), found \(shown(text(of: token)))")
            return false
        }
        appendBigEndian(value, byteCount: byteCount)
        return true
    }

    private mutating func appendDuration(_ token: Token, _ name: String) -> Bool {
        guard case .value(let seconds) = parseTTL(text(of: token), maximum: .max) else {
            report(
                token,
                "\(name): expected seconds, or a time with units such as 1h30m, found "
                    + shown(text(of: token)))
            return false
        }
        appendBigEndian(seconds, byteCount: 4)
        return true
    }

    private mutating func appendAddress(_ token: Token, _ family: IPAddress.Family) -> Bool {
        guard let address = address(token), address.family == family else {
            let expected = family == .ipv4 ? "an IPv4 address" : "an IPv6 address"
            report(token, "expected \(expected), found \(shown(text(of: token)))")
            return false
        }
        for index in 0..<address.byteCount { rdata.append(address.byte(index)) }
        return true
    }

    private mutating func appendName(_ token: Token, _ name: String) -> Bool {
        let text = text(of: token)
        guard let fault = ZoneFile.appendName(text.span, origin: origin, to: &rdata) else {
            return true
        }
        report(token, "\(name) \(shown(text)): \(fault.message)")
        return false
    }

    private mutating func appendCharacterString(_ token: Token) -> Bool {
        guard let string = plainText(token) else { return false }
        guard string.count <= 255 else {
            report(
                token,
                "a character-string of \(string.count) bytes; at most 255 (RFC 1035 §3.3): split it "
                    + "into several")
            return false
        }
        rdata.append(UInt8(string.count))
        rdata += string
        return true
    }

    private mutating func appendTag(_ token: Token) -> Bool {
        let text = text(of: token)
        guard isTag(text) else {
            report(
                token, "the tag has letters and digits only (RFC 8659 §4.1), found \(shown(text))")
            return false
        }
        rdata.append(UInt8(text.count))
        rdata += text
        return true
    }

    private mutating func appendText(_ token: Token) -> Bool {
        guard let string = plainText(token) else { return false }
        rdata += string
        return true
    }

    private mutating func plainText(_ token: Token) -> [UInt8]? {
        if token.hasInnerQuotes {
            report(token, "a quote inside a word; put quotes around it all, or write it as \\\"")
            return nil
        }
        guard let string = decodeText(text(of: token)) else {
            report(token, NameFault.badEscape.message)
            return nil
        }
        return string
    }
}

// MARK: - RFC 3597 §5

extension ZoneFileParser {
    private func isGenericMark(_ token: Token) -> Bool {
        !token.isQuoted && token.count == 2 && text(of: token).elementsEqual("\\#".utf8)
    }

    /// `<length> <hexadecimal> …`, for any type; known types must make sense.
    private mutating func readGeneric(_ type: RRType, from first: Int) -> Bool {
        guard first < scanner.tokens.count else {
            reportMissing("\\#: expected the length of the RDATA, found the end")
            return false
        }
        let lengthToken = scanner.tokens[first]
        guard let length = parseNumber(text(of: lengthToken), maximum: 65535) else {
            report(
                lengthToken,
                "the length of RDATA is a number 0…65535, found \(shown(text(of: lengthToken)))")
            return false
        }
        for token in scanner.tokens[(first + 1)...] {
            var decoder = DigitDecoder(.hexadecimal)
            guard token.count.isMultiple(of: 2), decoder.append(text(of: token)) else {
                report(
                    token, "expected pairs of hexadecimal digits, found \(shown(text(of: token)))")
                return false
            }
            rdata += decoder.bytes
        }
        guard rdata.count == length else {
            report(lengthToken, "\\# says \(length) bytes, and \(rdata.count) follow")
            return false
        }
        guard RecordPresentation.isValid(rdata[...], type: type) else {
            report(lengthToken, "these bytes are not the RDATA of \(type)")
            return false
        }
        return true
    }
}
