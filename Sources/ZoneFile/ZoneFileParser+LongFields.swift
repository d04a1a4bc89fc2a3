import DNSWire

// Fields of RDATA that take as many words as they like, and those of DNSSEC.
extension ZoneFileParser {
    /// Digits to the end of the line.
    mutating func appendDigits(
        _ index: inout Int, _ name: String, _ base: DigitDecoder.Base, kind: DigestKind? = nil
    ) -> Bool {
        let first = scanner.tokens[index]
        var decoder = DigitDecoder(base)
        while index < scanner.tokens.count {
            let token = scanner.tokens[index]
            index += 1
            guard !token.isQuoted, decoder.append(text(of: token)) else {
                report(
                    token,
                    "\(name): expected \(base.description), found \(shown(text(of: token)))")
                return false
            }
        }
        guard decoder.isComplete, !decoder.bytes.isEmpty else {
            reportMissing("\(name): expected whole bytes in \(base.description)")
            return false
        }
        if let kind {
            let number = rdata.last ?? 0
            let expected = kind.byteCounts(number)
            guard expected.contains(decoder.bytes.count) else {
                let count =
                    expected.count == 1
                    ? "\(expected.lowerBound)" : "at least \(expected.lowerBound)"
                report(
                    first,
                    "\(name): \(count) bytes are expected for type \(number), and there are "
                        + "\(decoder.bytes.count)")
                return false
            }
        }
        rdata += decoder.bytes
        return true
    }

    /// A length byte and what one word of digits says; `-` for nothing, where that may be.
    mutating func appendCounted(
        _ token: Token, _ name: String, _ base: DigitDecoder.Base, mayBeEmpty: Bool
    ) -> Bool {
        let text = text(of: token)
        if mayBeEmpty, text.elementsEqual([UInt8(ascii: "-")]) {
            rdata.append(0)
            return true
        }
        var decoder = DigitDecoder(base)
        guard decoder.append(text), decoder.isComplete, (1...255).contains(decoder.bytes.count)
        else {
            report(
                token,
                "\(name): expected 1…255 bytes in \(base.description)"
                    + "\(mayBeEmpty ? ", or - for none" : ""), found \(shown(text))")
            return false
        }
        rdata.append(UInt8(decoder.bytes.count))
        rdata += decoder.bytes
        return true
    }

    mutating func appendTypeBitmap(_ index: inout Int) -> Bool {
        var types: Set<RRType> = []
        var isValid = true
        while index < scanner.tokens.count {
            let token = scanner.tokens[index]
            index += 1
            if let type = readListedType(token) { types.insert(type) } else { isValid = false }
        }
        rdata += TypeBitmap.wire(types)
        return isValid
    }

    mutating func appendType(_ token: Token) -> Bool {
        guard let type = readListedType(token) else { return false }
        appendBigEndian(UInt64(type.rawValue), byteCount: 2)
        return true
    }

    /// A type that a record speaks of, or nil after a report.
    private mutating func readListedType(_ token: Token) -> RRType? {
        if !token.isQuoted, let type = TypeWords.type(text(of: token).span), type.rawValue != 0 {
            return type
        }
        report(token, "expected a record type, found \(shown(text(of: token)))")
        return nil
    }

    mutating func appendTimestamp(_ token: Token, _ name: String) -> Bool {
        guard let seconds = Timestamp.parse(text(of: token)) else {
            report(
                token,
                "\(name): expected YYYYMMDDHHmmSS from 1970 to 2106, found "
                    + shown(text(of: token)))
            return false
        }
        appendBigEndian(UInt64(seconds), byteCount: 4)
        return true
    }

    /// A number or its mnemonic.
    mutating func appendNumber(
        _ token: Token, _ name: String, byteCount: Int,
        or mnemonics: [(number: UInt16, mnemonic: String)]
    ) -> Bool {
        let word = String(decoding: text(of: token), as: UTF8.self).uppercased()
        if let known = mnemonics.first(where: { $0.mnemonic == word }) {
            appendBigEndian(UInt64(known.number), byteCount: byteCount)
            return true
        }
        let maximum = UInt64(1) << UInt64(8 * byteCount) - 1
        guard let number = parseNumber(text(of: token), maximum: maximum) else {
            let examples = mnemonics.suffix(6).map { $0.mnemonic }.joined(separator: ", ")
            report(
                token,
                "\(name): expected a number 0…\(maximum) or a mnemonic such as \(examples), found "
                    + shown(text(of: token)))
            return false
        }
        appendBigEndian(number, byteCount: byteCount)
        return true
    }

    mutating func appendHyphenated(_ token: Token, _ name: String, byteCount: Int) -> Bool {
        let pairs = text(of: token).split(
            separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        var decoder = DigitDecoder(.hexadecimal)
        guard pairs.count == byteCount,
            pairs.allSatisfy({ $0.count == 2 && decoder.append($0) })
        else {
            report(
                token,
                "\(name): expected \(byteCount) pairs of hexadecimal digits with hyphens between "
                    + "them (RFC 7043), found \(shown(text(of: token)))")
            return false
        }
        rdata += decoder.bytes
        return true
    }
}

// MARK: - Service parameters

extension ZoneFileParser {
    mutating func appendServiceParameters(_ index: inout Int) -> Bool {
        guard index < scanner.tokens.count else { return true }
        let first = scanner.tokens[index]
        var parameters: [ServiceParameters.Parameter] = []
        var isValid = true
        while index < scanner.tokens.count {
            let token = scanner.tokens[index]
            index += 1
            if let parameter = readServiceParameter(token) {
                if parameters.contains(where: { $0.key == parameter.key }) {
                    report(token, "\(parameter.key) is there already (RFC 9460 §2.1)")
                    isValid = false
                } else {
                    parameters.append(parameter)
                }
            } else {
                isValid = false
            }
        }
        guard isValid else { return false }
        if let complaint = ServiceParameters.complaint(about: parameters) {
            report(first, complaint)
            return false
        }
        rdata += ServiceParameters.wire(parameters)
        return true
    }

    /// `key`, `key=value` or `key="value"`, or nil after a report.
    private mutating func readServiceParameter(_ token: Token) -> ServiceParameters.Parameter? {
        let word = text(of: token)
        let name = word.prefix { $0 != UInt8(ascii: "=") }
        guard !token.isQuoted, let (key, isNumbered) = ServiceParameters.parseKey(name) else {
            let known = ServiceParameterKey.all.map(\.name).joined(separator: ", ")
            report(
                token,
                "expected a service parameter (\(known), or keyNNNNN), found \(shown(word))")
            return nil
        }
        guard let value = unquoted(word.dropFirst(name.count + 1)) else {
            report(token, "\(key): quotes stand around a whole value, as in alpn=\"h2,h3\"")
            return nil
        }
        guard let decoded = decodeText(value) else {
            report(token, NameFault.badEscape.message)
            return nil
        }
        // A numbered key has its value as it is on the wire, whether it has a name or not.
        let wire =
            isNumbered
            ? ServiceParameters.checked(decoded, key) : ServiceParameters.wireValue(decoded, key)
        guard let wire else {
            report(token, "\(key): expected \(key.form.summary), found \(shown(word))")
            return nil
        }
        return (key, wire)
    }

    /// The inside of a quoted value, or one without quotes; nil when they are elsewhere.
    private func unquoted(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let quote = UInt8(ascii: "\"")
        let isQuoted = value.count >= 2 && value.first == quote && value.last == quote
        let inside = isQuoted ? value.dropFirst().dropLast() : value
        var isEscaped = false
        for byte in inside {
            if byte == quote, !isEscaped { return nil }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return inside
    }
}
