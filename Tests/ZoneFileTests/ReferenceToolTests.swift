import DNSWire
import Diagnostics
import Foundation
import Testing
import ZoneFile
import Zones

// Zone checkers of other servers as a second opinion: they must take what we print, and we what
// they print.

private func isInstalled(_ program: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: program)
}

private let namedCompilezone = "/usr/bin/named-compilezone"
private let nsdCheckzone = "/usr/sbin/nsd-checkzone"
private let kzonecheck = "/usr/bin/kzonecheck"
private let ldnsReadZone = "/usr/bin/ldns-read-zone"

private let origin = DomainName("example.com.") ?? .root

private let frame = """
    example.com. 3600 IN SOA ns1.example.com. host.example.com. 1 2 3 4 5
    example.com. 3600 IN NS ns1.example.com.
    ns1.example.com. 3600 IN A 192.0.2.53

    """

private func parse(_ text: String) -> (draft: ZoneDraft, problems: [String]) {
    let (draft, diagnostics) = ZoneFileParser.parse(
        Array(text.utf8), file: "z", origin: origin, readInclude: { _ in nil })
    return (draft, diagnostics.map(\.description))
}

/// A zone that holds every sample, each at a name of its own, as we print it.
private func sampleZone(without left: Set<RRType>) -> String {
    var text = ""
    var number = 0
    for sample in samples where !left.union([.soa]).contains(sample.type) {
        for rdata in sample.rdata {
            text += "s\(number) 60 IN \(sample.type) \(rdata)\n"
            number += 1
        }
    }
    let (draft, problems) = parse(text)
    #expect(problems == [])
    return frame + lines(of: draft).map { $0 + "\n" }.joined()
}

private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
    let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("geodns-\(UUID().uuidString).zone")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file.path)
}

/// Owner, TTL, type and bytes of each record, in order.
private func records(_ text: String) -> [String] {
    let (draft, problems) = parse(text)
    #expect(problems == [])
    return draft.records.map { record in
        let owner = draft.owner(of: record).map { String(format: "%02x", lowercased($0)) }.joined()
        let rdata = draft.rdata(of: record).map { String(format: "%02x", $0) }.joined()
        return "\(owner) \(record.ttl) \(record.type) \(rdata)"
    }.sorted()
}

/// Prints the zone, and looks at nothing but its records.
private let compile = [
    "-i", "none", "-k", "ignore", "-n", "ignore", "-q", "-o", "-", "example.com",
]

@Test(.enabled(if: isInstalled(namedCompilezone), "bind9-utils is not installed"))
func bindReadsWhatWePrintAndWeWhatItPrints() throws {
    let zone = sampleZone(without: [])
    let printed = try withFile(zone) { try run(namedCompilezone, compile + [$0]) }
    #expect(records(printed) == records(zone))
}

/// BIND's `$GENERATE` is the model.
@Test(.enabled(if: isInstalled(namedCompilezone), "bind9-utils is not installed"))
func bindGeneratesTheSameRecords() throws {
    let vector = try #require(Vector.bytes("22_generate.in"))
    let zone = frame + String(decoding: vector, as: UTF8.self)
    let printed = try withFile(zone) { try run(namedCompilezone, compile + [$0]) }
    #expect(records(printed) == records(zone))
}

@Test(.enabled(if: isInstalled(nsdCheckzone), "nsd is not installed"))
func nsdReadsWhatWePrint() throws {
    let output = try withFile(sampleZone(without: [])) {
        try run(nsdCheckzone, ["example.com", $0])
    }
    #expect(output.contains("zone example.com is ok"), "\(output)")
}

@Test(.enabled(if: isInstalled(kzonecheck), "knot-dnssecutils is not installed"))
func knotReadsWhatWePrint() throws {
    // Debian 12's Knot is older than RFC 9461's parameter. It finds what the sample does not have
    // (glue, keys), which is no error of form.
    let zone = sampleZone(without: []).split(separator: "\n")
        .filter { !$0.contains("dohpath=") }.joined(separator: "\n")
    let output = try withFile(zone + "\n") {
        try run(kzonecheck, ["-d", "off", "-o", "example.com", $0])
    }
    #expect(!output.contains("error"), "\(output)")
}

@Test(.enabled(if: isInstalled(ldnsReadZone), "ldnsutils is not installed"))
func ldnsReadsWhatWePrintAndWeWhatItPrints() throws {
    // It wants a type in each bitmap, CSYNC's too.
    let zone = sampleZone(without: [.csync])
    let printed = try withFile(zone) { try run(ldnsReadZone, [$0]) }
    #expect(records(printed) == records(zone))
}
