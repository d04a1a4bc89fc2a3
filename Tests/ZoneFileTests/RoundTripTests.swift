import DNSWire
import Foundation
import Testing
import ZoneFile
import Zones

private let origin = DomainName("example.com.") ?? .root

private func parse(_ text: String) -> (draft: ZoneDraft, problems: [String]) {
    let (draft, diagnostics) = ZoneFileParser.parse(
        Array(text.utf8), file: "test.zone", origin: origin, readInclude: { Vector.bytes($0) })
    return (draft, diagnostics.map(\.description))
}

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
