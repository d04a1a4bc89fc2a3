import DNSWire
import Zones

// What stands between the owner and the RDATA: TTL, class and type, and the records as a whole.
extension ZoneFileParser {
    /// The TTL field of a record.
    enum TTLField {
        case absent
        /// Reported already.
        case invalid
        case seconds(UInt32)
        /// `60/10`
        case range(TTLRange, Token)
    }

    /// `[TTL] [class] type RDATA`, TTL and class in either order (RFC 1035 §5.1).
    mutating func readRecord(from first: Int) {
        var ttl = TTLField.absent
        var hasTTL = false
        var hasClass = false
        var index = first
        while index < scanner.tokens.count {
            let token = scanner.tokens[index]
            if token.count > 0, !token.isQuoted, isDigit(scanner.bytes[token.start]) {
                if hasTTL { report(token, "a second TTL") }
                hasTTL = true
                ttl = readTTLField(token)
            } else if let number = classNumber(token) {
                if hasClass { report(token, "a second class") }
                if number != 1 { report(token, "the class must be IN") }
                hasClass = true
            } else {
                break
            }
            index += 1
        }
        guard index < scanner.tokens.count else {
            if case .invalid = ttl { return }
            reportMissing("expected a record type")
            return
        }
        guard let type = readType(scanner.tokens[index]) else { return }
        if type.isSteering, generation != nil {
            report(scanner.tokens[index], "$GENERATE makes no \(type) records; write them out")
        } else if type.isSteering {
            readSteeringRecord(type, at: index, ttl: ttl)
        } else {
            readOrdinaryRecord(type, at: index, ttl: ttl)
        }
    }

    private mutating func readTTLField(_ token: Token) -> TTLField {
        if let seconds = plainTTL(token) { return .seconds(seconds) }
        let text = text(of: token)
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else {
            if case .malformed = parseTTL(text) {
                report(token, "expected a TTL, a class or a record type, found \(shown(text))")
                return .invalid
            }
            return readTTL(token).map(TTLField.seconds) ?? .invalid
        }
        guard case .value(let maximum) = parseTTL(text[..<slash]),
            case .value(let minimum) = parseTTL(text[(slash + 1)...])
        else {
            report(token, "\(shown(text)) is not a TTL range: most and least, such as 60/10")
            return .invalid
        }
        guard minimum <= maximum else {
            report(token, "TTL range \(shown(text)): the least is above the most")
            return .invalid
        }
        return .range(TTLRange(maximum: UInt32(maximum), minimum: UInt32(minimum)), token)
    }

    /// Up to nine digits: as most TTLs are written, and below the largest.
    private func plainTTL(_ token: Token) -> UInt32? {
        guard token.count <= 9 else { return nil }
        var seconds: UInt32 = 0
        for index in token.start..<token.end {
            let byte = scanner.bytes[index]
            guard isDigit(byte) else { return nil }
            seconds = seconds &* 10 &+ UInt32(byte & 0xf)
        }
        return seconds
    }

    /// The number of a class word, `IN` or `CLASS1` (RFC 3597 §5); nil for any other word.
    private func classNumber(_ token: Token) -> UInt64? {
        guard !token.isQuoted, token.count == 2 || token.count > 5 else { return nil }
        if token.count == 2 {
            let first = scanner.bytes[token.start]
            switch (lowercased(first), lowercased(scanner.bytes[token.start + 1])) {
            case (UInt8(ascii: "i"), UInt8(ascii: "n")): return 1
            case (UInt8(ascii: "c"), UInt8(ascii: "s")): return 2
            case (UInt8(ascii: "c"), UInt8(ascii: "h")): return 3
            case (UInt8(ascii: "h"), UInt8(ascii: "s")): return 4
            default: return nil
            }
        }
        let text = text(of: token)
        guard text.prefix(5).map(lowercased).elementsEqual("class".utf8) else { return nil }
        return parseNumber(text.dropFirst(5), maximum: 65535)
    }

    private mutating func readType(_ token: Token) -> RRType? {
        if token.isQuoted {
            report(token, "expected a record type without quotes")
            return nil
        }
        if let type = typeWord(token) {
            if type.rawValue == 0 || type.isMetaOrQuestionType {
                report(token, "type \(type) cannot stand in a zone")
                return nil
            }
            return type
        }
        report(token, "expected a record type, found \(shown(text(of: token)))")
        return nil
    }

    private func typeWord(_ token: Token) -> RRType? {
        TypeWords.type(scanner.bytes.span.extracting(token.start..<token.end))
    }

    private mutating func readOrdinaryRecord(
        _ type: RRType, at typeIndex: Int, ttl field: TTLField
    ) {
        let typeToken = scanner.tokens[typeIndex]
        let isValid = readRDATA(type, from: typeIndex + 1)
        if type == .soa { noteMinimum(isValid: isValid) }
        var ttl = defaultTTL ?? lastTTL ?? soaMinimum
        switch field {
        case .absent:
            if ttl == nil {
                report(
                    typeToken,
                    "no TTL: the record has none, and no $TTL, no record with a TTL and no SOA "
                        + "stands before it")
                // One $TTL will mend all the records that follow, too.
                defaultTTL = 0
            }
        case .seconds(let seconds):
            ttl = seconds
            lastTTL = seconds
        case .range(_, let token):
            report(token, "a TTL range belongs to GEO; \(type) takes one TTL")
            ttl = nil
        case .invalid:
            ttl = nil
            lastTTL = lastTTL ?? 0
        }
        guard isValid, let ttl, case .valid = owner else { return }
        let place = place(line: typeToken.line, column: typeToken.column)
        draft.add(
            owner: ownerWire, type: type, ttl: ttl, rdata: rdata, line: place.line,
            column: place.column)
    }

    /// The last four bytes of a valid SOA. A value above the largest TTL counts as that. A wrong
    /// SOA has been reported: records that rely on its minimum are not.
    private mutating func noteMinimum(isValid: Bool) {
        guard isValid else {
            soaMinimum = soaMinimum ?? 0
            return
        }
        let minimum = rdata.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
        soaMinimum = min(minimum, ttlMax)
    }
}

/// Record type words, found by their bytes: no text is made of them.
enum TypeWords {
    private static let wordByteCountMax = 16
    /// A small hash table: up to sixteen letters, in upper case, as one number. Zero: no word.
    private static let slots: [(key: UInt128, type: RRType)] = {
        var slots = [(key: UInt128, type: RRType)](
            repeating: (0, RRType(rawValue: 0)), count: slotCount)
        let types =
            RRTypeDescriptor.all.map(\.type) + RRType.withoutDescriptor.map(\.type)
        for type in types {
            let word = type.description
            guard word.utf8.count <= wordByteCountMax else { continue }
            let key = key(word.utf8.span)
            var slot = firstSlot(key)
            while slots[slot].key != 0, slots[slot].key != key { slot = (slot + 1) % slotCount }
            if slots[slot].key == 0 { slots[slot] = (key, type) }
        }
        return slots
    }()
    /// Several times as many as there are types; a power of two.
    private static let slotCount = 512

    private static func key(_ text: Span<UInt8>) -> UInt128 {
        var key: UInt128 = 0
        for index in text.indices {
            let byte = text[index]
            key = key << 8 | UInt128(byte &- 0x61 < 26 ? byte & 0xdf : byte)
        }
        return key
    }

    private static func firstSlot(_ key: UInt128) -> Int {
        let both = UInt64(truncatingIfNeeded: key) ^ UInt64(truncatingIfNeeded: key >> 64)
        return Int(truncatingIfNeeded: (both &* 0x9e37_79b9_7f4a_7c15) >> 55)
    }

    /// A mnemonic or `TYPE123` (RFC 3597 §5), case ignored.
    static func type(_ text: Span<UInt8>) -> RRType? {
        if (1...wordByteCountMax).contains(text.count) {
            let key = key(text)
            var slot = firstSlot(key)
            while slots[slot].key != 0 {
                if slots[slot].key == key { return slots[slot].type }
                slot = (slot + 1) % slotCount
            }
        }
        return generic(text)
    }

    private static func generic(_ text: Span<UInt8>) -> RRType? {
        guard text.count > 4 else { return nil }
        let bytes = text.indices.map { text[$0] }
        guard bytes.prefix(4).map(lowercased).elementsEqual("type".utf8),
            let number = parseNumber(bytes.dropFirst(4), maximum: 65535)
        else { return nil }
        return RRType(rawValue: UInt16(number))
    }
}
