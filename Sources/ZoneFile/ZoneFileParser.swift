package import DNSWire
package import Diagnostics
package import Zones

/// Reads a zone file (RFC 1035 §5) with the four record types of the zone language into a
/// `ZoneDraft`, and goes on after an error, so that every problem is reported with its place.
///
/// What can be said of a record by itself is checked here; what needs the whole zone (a missing
/// SOA, an unknown target, data beside a CNAME) is checked later, from the draft.
package struct ZoneFileParser {
    /// Problems reported for one zone, its includes counted in; reading stops there.
    static let problemCountMax = 1000
    /// $INCLUDE within $INCLUDE.
    static let includeDepthMax = 16
    /// All $INCLUDE, `MAP file=` and `rtt=` of one zone: a bound for files that include each other
    /// in many ways.
    static let includeCountMax = 10_000

    /// Whose records come next.
    enum CurrentOwner {
        /// No record has been read yet.
        case none
        /// The name was wrong and has been reported: its records are checked but not kept.
        case invalid
        /// `ownerWire`.
        case valid
    }

    /// A file whose $INCLUDE is being read, and what its next line goes on with.
    struct SuspendedFile {
        var scanner: LineScanner
        var file: String
        var origin: DomainName
        var owner: CurrentOwner
        var ownerWire: [UInt8]
    }

    let zone: DomainName
    let readInclude: (String) -> [UInt8]?
    var draft: ZoneDraft
    private(set) var diagnostics: [Diagnostic] = []

    var scanner: LineScanner
    var file: String
    var suspended: [SuspendedFile] = []
    var includeCount = 0
    /// Rows of `rtt=` files that have been read, by path and origin.
    var roundTripRows: [String: [RoundTripTimes.Row]] = [:]
    /// Of the last GEO record in the draft.
    var lastGeo: WrittenWords?
    var lastTargets: SteeringReader.WrittenTargets?

    /// What relative names are completed by.
    var origin: DomainName
    var owner = CurrentOwner.none
    var ownerWire: [UInt8] = []
    /// `$TTL`; seconds.
    var defaultTTL: UInt32?
    /// The last one written in a record of an ordinary type; seconds.
    var lastTTL: UInt32?
    var soaMinimum: UInt32?
    /// The RDATA being put together.
    var rdata: [UInt8] = []
    /// Set while records of a `$GENERATE` line are read.
    var generation: Generation?

    /// Parses a whole zone file.
    ///
    /// - Parameters:
    ///   - file: the path, as messages show it.
    ///   - origin: the zone's apex, and the first origin.
    ///   - readInclude: the bytes of the file named by `$INCLUDE` or `MAP file=`, or nil when it
    ///     cannot be read. A relative path has been joined to the folder of the file that names it.
    package static func parse(
        _ bytes: [UInt8], file: String, origin: DomainName, readInclude: (String) -> [UInt8]?
    ) -> (draft: ZoneDraft, diagnostics: [Diagnostic]) {
        withoutActuallyEscaping(readInclude) { readInclude in
            var parser = ZoneFileParser(
                bytes, file: file, zone: origin, readInclude: readInclude)
            parser.readFiles()
            return (parser.draft, parser.diagnostics)
        }
    }

    private init(
        _ bytes: [UInt8], file: String, zone: DomainName,
        readInclude: @escaping (String) -> [UInt8]?
    ) {
        self.zone = zone
        self.readInclude = readInclude
        self.file = file
        self.origin = zone
        draft = ZoneDraft(
            origin: zone, at: SourceLocation(file: file, line: 1, column: 1))
        scanner = LineScanner([])
        draft.reserve(fileByteCount: bytes.count)
        open(bytes)
    }

    private mutating func readFiles() {
        while diagnostics.count < ZoneFileParser.problemCountMax {
            if scanner.nextLine() {
                if scanner.isDamaged { reportFaults() }
                let problemCount = diagnostics.count
                readEntry()
                if diagnostics.count > problemCount, case .valid = owner,
                    let name = DomainName(wire: ownerWire)
                {
                    draft.unreadableOwners.insert(name)
                }
            } else if !resumeIncluding() {
                return
            }
        }
        diagnostics.append(
            Diagnostic(
                .error, at: diagnostics.last?.location,
                "\(ZoneFileParser.problemCountMax) problems; the rest of the zone was not read"))
    }

    mutating func reportFaults() {
        for fault in scanner.takeFaults() {
            report(line: fault.line, column: fault.column, fault.message)
        }
    }

    /// Starts with the first line of `file`. A byte order mark is reported and passed over.
    mutating func open(_ bytes: [UInt8]) {
        draft.enter(file: file)
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
            scanner = LineScanner(bytes, from: 3)
            report(
                line: 1, column: 1, "the file begins with a byte order mark; save it without one")
        } else if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            scanner = LineScanner([])
            report(line: 1, column: 1, "the file is in UTF-16; save it in UTF-8 or ASCII")
        } else {
            scanner = LineScanner(bytes)
        }
    }

    /// Back to the line after the $INCLUDE. The origin and the owner are what they were (RFC 1035
    /// §5.1); a $TTL inside stays, because it holds for all records "appearing after" it (RFC 2308
    /// §4).
    private mutating func resumeIncluding() -> Bool {
        guard let including = suspended.popLast() else { return false }
        scanner = including.scanner
        file = including.file
        draft.enter(file: file)
        origin = including.origin
        owner = including.owner
        ownerWire = including.ownerWire
        return true
    }
}

// MARK: - Entries

extension ZoneFileParser {
    /// One logical line: a directive or a record.
    private mutating func readEntry() {
        guard let first = scanner.tokens.first else { return }
        let isDirective = !first.isQuoted && scanner.bytes[first.start] == UInt8(ascii: "$")
        if isDirective, scanner.beginsWithBlank {
            report(first, "a directive begins in the first column")
        } else if isDirective {
            if !scanner.isDamaged { readDirective() }
        } else if scanner.beginsWithBlank {
            if case .none = owner {
                report(
                    first,
                    "this record has no owner: the line begins with a blank, and no "
                        + "record stands before it")
                owner = .invalid
            }
            if !scanner.isDamaged { readRecord(from: 0) }
        } else {
            readOwner(first)
            if !scanner.isDamaged { readRecord(from: 1) }
        }
    }

    mutating func readOwner(_ token: Token) {
        ownerWire.removeAll(keepingCapacity: true)
        owner = .invalid
        guard !token.isQuoted else {
            report(token, "expected an owner name, found a quoted string")
            return
        }
        let range = token.start..<token.end
        if let fault = appendName(scanner.bytes, range, origin: origin, to: &ownerWire) {
            report(token, "owner name \(shown(text(of: token))): \(fault.message)")
            return
        }
        // A relative name is within its origin, and the origin is within the zone.
        if token.count > 0, scanner.bytes[token.end - 1] == UInt8(ascii: "."),
            !isWithinZone(ownerWire)
        {
            report(token, "\(shown(text(of: token))) is outside the zone \(zone)")
            return
        }
        owner = .valid
    }

    private func isWithinZone(_ wire: [UInt8]) -> Bool {
        DomainName(wire: wire)?.isWithin(zone) ?? false
    }
}

// MARK: - Reporting

extension ZoneFileParser {
    func text(of token: Token) -> ArraySlice<UInt8> { scanner.bytes[token.start..<token.end] }

    func location(_ token: Token) -> SourceLocation {
        location(line: token.line, column: token.column)
    }

    private func location(line: Int, column: Int) -> SourceLocation {
        let place = place(line: line, column: column)
        return SourceLocation(file: file, line: place.line, column: place.column)
    }

    /// Where a place in the current text stands in the file.
    func place(line: Int, column: Int) -> (line: Int, column: Int) {
        generation?.place(column) ?? (line, column)
    }

    mutating func report(line: Int, column: Int, _ message: String) {
        let note = generation.map { "with $ as \($0.number): " } ?? ""
        report(Diagnostic(.error, at: location(line: line, column: column), note + message))
    }

    mutating func report(_ token: Token, _ message: String) {
        report(line: token.line, column: token.column, message)
    }

    /// Where a word is missing: just behind the last one of the line.
    mutating func reportMissing(_ message: String) {
        guard let last = scanner.tokens.last else { return }
        report(line: last.line, column: last.endColumn, message)
    }

    mutating func report(_ diagnostic: Diagnostic) {
        guard diagnostics.count < ZoneFileParser.problemCountMax else { return }
        diagnostics.append(diagnostic)
    }
}
