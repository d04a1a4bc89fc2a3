import DNSWire

// `$ORIGIN`, `$TTL` and `$INCLUDE` (RFC 1035 §5.1, RFC 2308 §4).
extension ZoneFileParser {
    mutating func readDirective() {
        let directive = scanner.tokens[0]
        switch String(decoding: text(of: directive), as: UTF8.self).uppercased() {
        case "$ORIGIN": readOrigin()
        case "$TTL": readDefaultTTL()
        case "$INCLUDE": readIncludeLine()
        case "$GENERATE": readGenerate()
        default:
            report(
                directive,
                "unknown directive \(shown(text(of: directive))); there are $ORIGIN, $TTL, "
                    + "$INCLUDE and $GENERATE")
        }
    }

    /// The only argument of a directive, or nil after a report.
    private mutating func argument(_ name: String, countMax: Int = 1) -> Token? {
        guard scanner.tokens.count > 1 else {
            reportMissing("expected \(name)")
            return nil
        }
        if scanner.tokens.count > countMax + 1 {
            let extra = scanner.tokens[countMax + 1]
            report(extra, "unexpected \(shown(text(of: extra))) after \(name)")
            return nil
        }
        return scanner.tokens[1]
    }

    private mutating func readOrigin() {
        guard let token = argument("the origin"), let name = readOriginName(token) else { return }
        origin = name
    }

    /// A name that may become the origin, or nil after a report.
    private mutating func readOriginName(_ token: Token) -> DomainName? {
        var wire: [UInt8] = []
        if token.isQuoted {
            report(token, "expected a name, found a quoted string")
        } else if let fault = appendName(text(of: token).span, origin: origin, to: &wire) {
            report(token, "origin \(shown(text(of: token))): \(fault.message)")
        } else if let name = DomainName(wire: wire) {
            if name.isWithin(zone) { return name }
            report(token, "the origin \(name) is outside the zone \(zone)")
        }
        return nil
    }

    private mutating func readDefaultTTL() {
        guard let token = argument("a TTL") else { return }
        // A wrong $TTL is one problem, not one more at each record that relies on it.
        defaultTTL = readTTL(token) ?? 0
    }

    /// A TTL in seconds, or nil after a report.
    mutating func readTTL(_ token: Token) -> UInt32? {
        let text = text(of: token)
        switch token.isQuoted ? .malformed : parseTTL(text) {
        case .value(let seconds):
            return UInt32(seconds)
        case .tooLarge:
            report(token, "TTL \(shown(text)) is above \(ttlMax) seconds (RFC 2181 §8)")
        case .malformed:
            report(token, "\(shown(text)) is not a TTL: seconds, or numbers with w d h m s")
        }
        return nil
    }

    private mutating func readIncludeLine() {
        guard let token = argument("a file name and at most an origin", countMax: 2) else { return }
        var includedOrigin = origin
        if scanner.tokens.count == 3 {
            guard let name = readOriginName(scanner.tokens[2]) else { return }
            includedOrigin = name
        }
        guard suspended.count < ZoneFileParser.includeDepthMax else {
            report(
                token, "$INCLUDE more than \(ZoneFileParser.includeDepthMax) files deep")
            return
        }
        let path = path(text(of: token))
        guard path != file, !suspended.contains(where: { $0.file == path }) else {
            report(token, "\(path) includes itself")
            return
        }
        guard let bytes = readFile(path, for: token) else { return }
        suspended.append(
            SuspendedFile(
                scanner: scanner, file: file, origin: origin, owner: owner, ownerWire: ownerWire))
        file = path
        origin = includedOrigin
        open(bytes)
    }

    /// The bytes of a file that the zone names, or nil after a report.
    mutating func readFile(_ path: String, for token: Token) -> [UInt8]? {
        includeCount += 1
        if includeCount > ZoneFileParser.includeCountMax {
            report(token, "more than \(ZoneFileParser.includeCountMax) files in one zone")
            return nil
        }
        guard let bytes = readInclude(path) else {
            report(token, "cannot read \(path)")
            return nil
        }
        return bytes
    }

    /// A path as written, joined to the folder of the current file when it is relative.
    func path(_ written: ArraySlice<UInt8>) -> String {
        let name = String(decoding: decodeText(written) ?? Array(written), as: UTF8.self)
        guard !name.hasPrefix("/"), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return name
        }
        return file[...slash] + name
    }
}
