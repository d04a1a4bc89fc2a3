import DNSWire
import Diagnostics
import Testing
import ZoneFile
import Zones

private let origin = DomainName("example.com.") ?? .root

private func parse(
    _ text: String, file: String = "zones/example.com.zone",
    includes: [String: String] = [:]
) -> (draft: ZoneDraft, diagnostics: [Diagnostic]) {
    ZoneFileParser.parse(
        Array(text.utf8), file: file, origin: origin,
        readInclude: { includes[$0].map { Array($0.utf8) } })
}

private func place(_ line: Int, _ column: Int, in file: String = "zones/example.com.zone")
    -> Diagnostics.SourceLocation
{
    Diagnostics.SourceLocation(file: file, line: line, column: column)
}

// MARK: - Places

@Test func recordsStandWhereTheirTypeStandsAlsoWhenFilesAlternate() {
    let (draft, diagnostics) = parse(
        """
        $TTL 1h
        a A 192.0.2.1
        $INCLUDE more.zone
          30 IN A 192.0.2.2
        $INCLUDE more.zone
        """, includes: ["zones/more.zone": "\nx  AAAA ::1\n"])
    #expect(diagnostics == [])
    #expect(
        draft.records.map(draft.location) == [
            place(2, 3), place(2, 4, in: "zones/more.zone"), place(4, 9),
            place(2, 4, in: "zones/more.zone"),
        ])
}

@Test func everyReferenceOfASteeringRecordKnowsItsPlace() throws {
    let (draft, diagnostics) = parse(
        """
        iad REGION 1 2 check=web,other
        app GEO weighted iad:2 fra.example.net.:3 service=api check=a,b backup=c,d last-resort=e
        geo GEO map=atlas
        atlas MAP country=DE iad fra:5
        """)
    #expect(diagnostics == [])
    let region = try #require(draft.regions.first)
    #expect(region.location == place(1, 5))
    #expect(region.value.checks.map(\.location) == [place(1, 22), place(1, 26)])

    let geo = try #require(draft.geos.first)
    #expect(geo.location == place(2, 5))
    #expect(geo.value.record.targets.map(\.location) == [place(2, 18), place(2, 24)])
    #expect(geo.value.record.targets.map(\.weight) == [2, 3])
    #expect(geo.value.record.serviceLocation == place(2, 51))
    #expect(geo.value.record.checks.map(\.location) == [place(2, 61), place(2, 63)])
    #expect(geo.value.record.backups.map(\.location) == [place(2, 72), place(2, 74)])
    guard case .name(let last) = geo.value.record.lastResort else {
        Issue.record("last-resort= names a name")
        return
    }
    #expect(last.location == place(2, 88))

    guard case .map(let map) = draft.geos[1].value.record.policy else {
        Issue.record("the policy is a map")
        return
    }
    #expect(map.location == place(3, 13))
    guard case .targets(let targets) = draft.mapLines[0].value.answer else {
        Issue.record("the line has targets")
        return
    }
    #expect(targets.map(\.location) == [place(4, 22), place(4, 26)])
}

@Test func linesOfAMapFileStandInThatFile() {
    let (draft, diagnostics) = parse(
        "atlas MAP file=maps/partners.csv\n",
        includes: ["zones/maps/partners.csv": "# partners\n 192.0.2.0/24, iad\n"])
    #expect(diagnostics == [])
    #expect(draft.mapLines.map(\.location) == [place(2, 2, in: "zones/maps/partners.csv")])
    #expect(draft.mapLines.map(\.owner.description) == ["atlas.example.com."])
}

// MARK: - Files

@Test func aPathIsTakenFromTheFolderOfTheFileThatNamesIt() {
    var asked: [String] = []
    let files = [
        "zones/sub/one.zone": "$INCLUDE two.zone\n$INCLUDE /etc/three.zone\n",
        "zones/sub/two.zone": "", "/etc/three.zone": "", "four.zone": "",
    ]
    _ = ZoneFileParser.parse(
        Array("$INCLUDE sub/one.zone\n".utf8), file: "zones/z.zone", origin: origin,
        readInclude: { path in
            asked.append(path)
            return files[path].map { Array($0.utf8) }
        })
    #expect(asked == ["zones/sub/one.zone", "zones/sub/two.zone", "/etc/three.zone"])
}

@Test func includesWithinIncludesHaveALimit() throws {
    let diagnostics = ZoneFileParser.parse(
        Array("$INCLUDE 1\n".utf8), file: "0", origin: origin,
        readInclude: { path in Array("$INCLUDE \((Int(path) ?? 0) + 1)\n".utf8) }
    ).diagnostics
    #expect(diagnostics.count == 1)
    let problem = try #require(diagnostics.first)
    #expect(problem.location == place(1, 10, in: "16"))
    #expect(problem.message == "$INCLUDE more than 16 files deep")
}

@Test func twoFilesThatIncludeEachOtherAreReported() {
    let diagnostics = parse(
        "$INCLUDE b\n", file: "a", includes: ["a": "$INCLUDE b\n", "b": "$INCLUDE a\n"]
    ).diagnostics
    #expect(diagnostics.map(\.description) == ["b:1:10: error: a includes itself"])
}

// MARK: - Limits

@Test func problemsOfAFileAreCappedWithANote() {
    let text = String(repeating: "a FOO\n", count: 5000)
    let diagnostics = parse(text).diagnostics
    #expect(diagnostics.count == 1001)
    #expect(diagnostics.last?.message.hasPrefix("1000 problems") == true)
    #expect(diagnostics.last?.location == place(1000, 3))
}

@Test func problemsOfAMapFileAreCappedToo() {
    let rows = String(repeating: "x,y\n", count: 5000)
    let (lines, diagnostics) = parseMapFile(Array(rows.utf8), file: "m.csv", origin: origin)
    #expect(lines.isEmpty)
    #expect(diagnostics.count == 1000)
}

@Test func rdataIsAtMost65535Bytes() {
    let string = "\"" + String(repeating: "x", count: 255) + "\" "
    let longest = "$TTL 1\na TXT " + String(repeating: string, count: 255)
    #expect(parse(longest + "\"" + String(repeating: "y", count: 254) + "\"").diagnostics == [])
    let tooLong = parse(longest + string).diagnostics
    #expect(tooLong.map(\.location) == [place(2, 7)])
}

@Test func utf16IsRecognised() {
    let diagnostics = ZoneFileParser.parse(
        [0xff, 0xfe, 0x24, 0x00], file: "z", origin: origin, readInclude: { _ in nil }
    ).diagnostics
    #expect(diagnostics.map(\.location) == [place(1, 1, in: "z")])
}

/// Nothing an input holds may end the program, and the problems it has are always placed.
@Test(arguments: 0..<200) func randomBytesNeverCrash(_ seed: UInt64) {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    let pieces = [
        "a ", "\n", "\t", "(", ")", "\"", "\\", ";", "@", "$TTL 5\n", "$INCLUDE x\n", "A ", "GEO ",
        "192.0.2.1", "REGION 1 2 ", "check=", ",", ":", "=", "MAP ", "net=", "\\#", " 4 ",
        "0a000001", "SOA ", "TXT ", "CHECK ", "http", "\r", "\u{0}", "é", "60/10 ", "nearest ",
        "$GENERATE 1-3 ", "$ ", "${1,2,n}", "SVCB 1 . ", "alpn=\"h2", "key7=", "LOC 1 N 2 E 3m ",
        "NSEC . ", "DS 1 2 3 ", "RRSIG A 8 1 1 ", "20260101000000 ", "AAAA==", "NSEC3 1 1 1 - ",
    ]
    var text = ""
    for _ in 0..<300 { text += pieces[Int(next() % UInt64(pieces.count))] }
    let (_, diagnostics) = parse(text)
    #expect(diagnostics.allSatisfy { ($0.location?.line ?? 0) >= 1 })
    #expect(diagnostics.allSatisfy { ($0.location?.column ?? 0) >= 1 })
}
