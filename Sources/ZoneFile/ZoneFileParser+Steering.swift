import DNSWire
import Diagnostics
import Zones

// REGION, CHECK, GEO and MAP: from the words of the line to the draft.
extension ZoneFileParser {
    /// What a steering record says, before it is known whose it is.
    private enum SteeringValue {
        case region(RegionRecord)
        case check(CheckRecord)
        case geo(GeoRecord)
        case map(SteeringReader.MapEntry)
    }

    mutating func readSteeringRecord(_ type: RRType, at typeIndex: Int, ttl field: TTLField) {
        let typeToken = scanner.tokens[typeIndex]
        let ttl = steeringTTL(type, field)
        let rest = scanner.tokens[(typeIndex + 1)...]
        if let first = rest.first, text(of: first).elementsEqual("\\#".utf8) {
            report(
                first,
                "\(type) in the form of RFC 3597 is not supported by this version; write its words")
            return
        }
        let words = rest.map(word)[...]
        let last = scanner.tokens[scanner.tokens.count - 1]
        let end = Word(text: [], line: last.line, column: last.endColumn)
        var reader = SteeringReader(file: file, origin: origin)
        reader.lastTargets = lastTargets
        let value: SteeringValue? =
            switch type {
            case .region: reader.region(words, end: end).map(SteeringValue.region)
            case .check: reader.check(words, end: end).map(SteeringValue.check)
            case .geo: reader.geo(words, end: end).map(SteeringValue.geo)
            default: reader.map(words, end: end).map(SteeringValue.map)
            }
        lastTargets = reader.lastTargets
        for diagnostic in reader.diagnostics { report(diagnostic) }
        guard let value, let ttl else { return }
        keep(value, written: words, ttl: ttl, at: typeToken)
    }

    /// A steering record's TTL is its own or the default, never `$TTL` or another record's, and
    /// another record never takes over this one: `$TTL` is for static data. Nil after a report.
    private mutating func steeringTTL(_ type: RRType, _ field: TTLField) -> TTLRange? {
        switch field {
        case .absent:
            return .geoDefault
        case .invalid:
            return nil
        case .seconds(let seconds):
            return TTLRange(maximum: seconds, minimum: seconds)
        case .range(let range, let token):
            if type == .geo { return range }
            report(token, "a TTL range belongs to GEO; \(type) takes one TTL")
            return nil
        }
    }

    private mutating func keep(
        _ value: SteeringValue, written words: ArraySlice<Word>, ttl: TTLRange, at token: Token
    ) {
        guard let name = steeringOwner else {
            // The lines of a MAP file are checked all the same.
            if case .map(.file(let path)) = value { readMapFile(path, of: nil) }
            return
        }
        let location = location(token)
        switch value {
        case .region(let record):
            draft.regions.append(.init(owner: name, value: record, at: location))
        case .check(let record):
            draft.checks.append(.init(owner: name, value: record, at: location))
        case .geo(var record):
            readRoundTripTimes(&record)
            // Where a file is named, the same words may mean another one.
            record.repeatsLast =
                record.roundTripTimes == nil
                && lastGeo?.isWritten(as: words, origin: origin) ?? false
            if !record.repeatsLast { lastGeo = WrittenWords(words, origin: origin) }
            draft.geos.append(.init(owner: name, value: (record: record, ttl: ttl), at: location))
        case .map(.line(let line)):
            draft.mapLines.append(.init(owner: name, value: line, at: location))
        case .map(.file(let path)):
            readMapFile(path, of: name)
        }
    }

    private var steeringOwner: DomainName? {
        guard case .valid = owner else { return nil }
        return DomainName(wire: ownerWire)
    }

    private mutating func readMapFile(_ written: Word, of owner: DomainName?) {
        let path = path(written.text)
        draft.dataFiles.insert(path)
        let place = Token(
            start: 0, end: 0, line: written.line, column: written.column, isQuoted: false)
        guard let bytes = readFile(path, for: place) else { return }
        let (lines, diagnostics) = parseMapFile(bytes, file: path, origin: origin)
        for diagnostic in diagnostics { report(diagnostic) }
        guard let owner else { return }
        for (line, location) in lines {
            draft.mapLines.append(.init(owner: owner, value: line, at: location))
        }
    }

    /// Files are read once, whatever the number of names that go by them.
    private mutating func readRoundTripTimes(_ record: inout GeoRecord) {
        guard let times = record.roundTripTimes else { return }
        let path = path(times.path[...])
        draft.dataFiles.insert(path)
        let key = "\(path) \(origin)"
        if let known = roundTripRows[key] {
            record.roundTripTimes?.rows = known
            return
        }
        let place = Token(
            start: 0, end: 0, line: times.location.line, column: times.location.column,
            isQuoted: false)
        guard let bytes = readFile(path, for: place) else {
            record.roundTripTimes = nil
            return
        }
        let (rows, diagnostics) = parseRoundTripFile(bytes, file: path, origin: origin)
        for diagnostic in diagnostics { report(diagnostic) }
        roundTripRows[key] = rows
        record.roundTripTimes?.rows = rows
    }

    /// A token as the steering records see it: quotes inside a word are only for its blanks.
    private func word(_ token: Token) -> Word {
        let text = text(of: token)
        return Word(
            text: token.hasInnerQuotes ? withoutQuotes(text) : text, line: token.line,
            column: token.column + (token.isQuoted ? 1 : 0))
    }

    private func withoutQuotes(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var result: [UInt8] = []
        var isEscaped = false
        for byte in text {
            if byte != UInt8(ascii: "\"") || isEscaped { result.append(byte) }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return result[...]
    }
}
