import DNSWire
import Foundation
import Testing
import ZoneFile
import Zones

private let origin = DomainName("example.com.") ?? .root

private func parse(_ text: String) -> (draft: ZoneDraft, problems: [String]) {
    let (draft, diagnostics) = ZoneFileParser.parse(
        Array(text.utf8), file: "test.zone", origin: origin, readInclude: { _ in nil })
    return (draft, diagnostics.map(\.description))
}

/// RDATA of every type of the table, chosen to be awkward.
private let samples: [(type: RRType, rdata: [String])] = [
    (.a, ["0.0.0.0", "255.255.255.255"]),
    (.ns, [".", "@", #"a\.b.\000\255"#]),
    (.cname, ["*.x", "a.example.net."]),
    (.soa, ["@ host\\.master 0 0 0 0 0", "ns.example. a 4294967295 1w 1d 1h 4294967295"]),
    (.ptr, ["1.0.0.127.in-addr.arpa."]),
    (.mx, ["0 .", "65535 mail"]),
    (.txt, [#""""#, #""a\"b" c\;d "\000\\\200""#, "\"\(String(repeating: "x", count: 255))\""]),
    (.aaaa, ["::", "::1", "2001:db8::1:0:0:1", "::ffff:192.0.2.1"]),
    (.srv, ["0 0 0 .", "1 2 65535 target"]),
    (.caa, [#"0 issue ";""#, #"128 iodef "mailto:\"x\"@example.com""#, #"0 issue """#]),
    (RRType(rawValue: 65280), [##"\# 0"##, ##"\# 3 00 ff 7f"##]),
]

@Test func theSamplesCoverTheTable() {
    #expect(Set(RRTypeDescriptor.all.map(\.type)).isSubset(of: samples.map(\.type)))
}

@Test(arguments: samples.flatMap { sample in sample.rdata.map { (sample.type, $0) } })
func whatIsPrintedParsesBackToTheSameBytes(_ type: RRType, _ rdata: String) throws {
    let first = parse("owner 300 IN \(type) \(rdata)\n")
    #expect(first.problems == [])
    let record = try #require(first.draft.records.first)
    let printed = try #require(lines(of: first.draft).first)
    let second = parse(printed + "\n")
    #expect(second.problems == [])
    #expect(second.draft.bytes == first.draft.bytes)
    #expect(second.draft.records.first?.ttl == record.ttl)
    #expect(second.draft.records.first?.type == type)

    // The generic form says the same (RFC 3597 §5).
    let wire = first.draft.rdata(of: record)
    let digits = wire.map { String(format: "%02x", $0) }.joined()
    let generic = parse("owner 300 \(type) \\# \(wire.count) \(digits)\n")
    #expect(generic.problems == [])
    #expect(generic.draft.bytes == first.draft.bytes)
}

@Test(arguments: Vector.all.filter { !$0.name.contains("error") })
func everyGoodVectorPrintedParsesBackToItself(_ vector: Vector) throws {
    let printed = try vector.outcome()
    let again = parse(printed)
    #expect(again.problems == [])
    #expect(lines(of: again.draft).map { $0 + "\n" }.joined() == printed)
}

@Test func rdataThatDoesNotFitItsTypeIsPrintedInTheGenericForm() {
    #expect(RecordPresentation.rdata([192, 0, 2], type: .a) == ##"\# 3 c00002"##)
    #expect(RecordPresentation.rdata([0, 10, 0xc0, 12], type: .mx) == ##"\# 4 000ac00c"##)
    #expect(RecordPresentation.rdata([5, 0x61], type: .txt) == ##"\# 2 0561"##)
    #expect(RecordPresentation.rdata([], type: .ns) == ##"\# 0"##)
    #expect(RecordPresentation.rdata([192, 0, 2, 1, 0], type: .a) == ##"\# 5 c000020100"##)
}

@Test func aLineReadsAsDigPrintsIt() throws {
    let owner = try #require(DomainName("app.example.com."))
    let line = RecordPresentation.line(
        owner: owner, ttl: 30, type: .a, rdata: [198, 51, 100, 1])
    #expect(line == "app.example.com.  30  IN  A  198.51.100.1")
}

@Test(
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: namedCheckzone),
        "named-checkzone (package bind9-utils) is not installed"))
func bindAcceptsWhatIsPrinted() throws {
    let vector = try #require(Vector.all.first { $0.name.hasSuffix("_every_type") })
    // BIND wants an address for each server of the zone itself.
    let zone =
        try vector.outcome() + "example.com. 60 IN NS ns1.example.com.\n"
        + "ns1.example.com. 60 IN A 192.0.2.53\n"
    let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("geodns-\(UUID().uuidString).zone")
    try Data(zone.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }

    let checker = Process()
    checker.executableURL = URL(fileURLWithPath: namedCheckzone)
    checker.arguments = ["-k", "fail", "example.com", file.path]
    let output = Pipe()
    checker.standardOutput = output
    checker.standardError = output
    try checker.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    checker.waitUntilExit()
    #expect(checker.terminationStatus == 0, "\(text)")
}

private let namedCheckzone = "/usr/bin/named-checkzone"
