import DNSWire
import Diagnostics
import Foundation
import Testing
import ZoneFile
import Zones

/// RDATA as RFCs print it, and its bytes as they print those.
private struct WireVector: CustomTestStringConvertible {
    let type: String
    let text: String
    let hexadecimal: String
    let source: String

    init(_ type: String, _ text: String, _ hexadecimal: String, _ source: String) {
        self.type = type
        self.text = text
        self.hexadecimal = hexadecimal.filter { $0 != " " }
        self.source = source
    }

    var testDescription: String { "\(type) \(text) (\(source))" }
}

private let fooExampleCom = "03 66 6f 6f 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00"
private let fooExampleOrg = "03 66 6f 6f 07 65 78 61 6d 70 6c 65 03 6f 72 67 00"

private let vectors: [WireVector] = [
    .init("HTTPS", "0 foo.example.com.", "00 00 \(fooExampleCom)", "RFC 9460 D.1"),
    .init("SVCB", "1 .", "00 01 00", "RFC 9460 D.2 figure 3"),
    .init(
        "SVCB", "16 foo.example.com. port=53", "00 10 \(fooExampleCom) 00 03 00 02 00 35",
        "RFC 9460 D.2 figure 4"),
    .init(
        "SVCB", "1 foo.example.com. key667=hello",
        "00 01 \(fooExampleCom) 02 9b 00 05 68 65 6c 6c 6f", "RFC 9460 D.2 figure 5"),
    .init(
        "SVCB", #"1 foo.example.com. key667="hello\210qoo""#,
        "00 01 \(fooExampleCom) 02 9b 00 09 68 65 6c 6c 6f d2 71 6f 6f", "RFC 9460 D.2 figure 6"),
    .init(
        "SVCB", #"1 foo.example.com. ( ipv6hint="2001:db8::1,2001:db8::53:1" )"#,
        "00 01 \(fooExampleCom) 00 06 00 20 20010db8000000000000000000000001"
            + "20010db8000000000000000000530001", "RFC 9460 D.2 figure 7"),
    .init(
        "SVCB", #"1 example.com. ( ipv6hint="2001:db8:122:344::192.0.2.33" )"#,
        "00 01 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 06 00 10 20010db80122034400000000c0000221",
        "RFC 9460 D.2 figure 8"),
    .init(
        "SVCB",
        "16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )",
        "00 10 \(fooExampleOrg) 00 00 00 04 00 01 00 04 00 01 00 09 02 68 32 05 68 33 2d 31 39"
            + "00 04 00 04 c0 00 02 01", "RFC 9460 D.2 figure 9"),
    .init(
        "SVCB", #"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
        "00 10 \(fooExampleOrg) 00 01 00 0c 08 66 5c 6f 6f 2c 62 61 72 02 68 32",
        "RFC 9460 D.2 figure 10"),
    .init(
        "SVCB", #"16 foo.example.org. alpn=f\\\092oo\092,bar,h2"#,
        "00 10 \(fooExampleOrg) 00 01 00 0c 08 66 5c 6f 6f 2c 62 61 72 02 68 32",
        "RFC 9460 D.2 figure 10"),
    .init(
        "NSEC", "host.example.com. ( A MX RRSIG NSEC TYPE1234 )",
        "04 68 6f 73 74 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 06 40 01 00 00 00 03 04 1b"
            + "000000000000000000000000000000000000000000000000000020", "RFC 4034 §4.3"),
    .init(
        "DHCID", "( AAABxLmlskllE0MVjd57zHcWmEH3pCQ6VytcKD//7es/deY= )",
        "00 00 01 c4 b9 a5 b2 49 65 13 43 15 8d de 7b cc 77 16 98 41 f7 a4 24 3a 57 2b 5c 28 3f ff"
            + "ed eb 3f 75 e6", "RFC 4701 §3.6.3"),
    .init("EUI48", "00-00-5e-00-53-2a", "00 00 5e 00 53 2a", "RFC 7043 §3.2"),
    .init("EUI64", "00-00-5e-ef-10-00-00-2a", "00 00 5e ef 10 00 00 2a", "RFC 7043 §4.2"),
    .init("CSYNC", "66 3 A NS AAAA", "00000042 0003 00 04 60 00 00 08", "RFC 7477 §2.1.3"),
    .init(
        "LOC", "42 21 54 N 71 06 18 W -24m 30m",
        "00 33 16 13 89 17 2d d0 70 be 15 f0 00 98 8d 20", "RFC 1876 appendix A"),
    .init("CDNSKEY", "0 3 0 AA==", "0000 03 00 00", "RFC 8078 §4"),
    .init("CDS", "0 0 0 00", "0000 00 00 00", "RFC 8078 §4"),
]

private func parsed(_ type: String, _ text: String) throws -> [UInt8] {
    let origin = try #require(DomainName("example.com."))
    let (draft, diagnostics) = ZoneFileParser.parse(
        Array("owner 1 IN \(type) \(text)\n".utf8), file: "z", origin: origin,
        readInclude: { _ in nil })
    #expect(diagnostics.map(\.message) == [])
    let record = try #require(draft.records.first)
    return Array(draft.rdata(of: record))
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
}

@Test(arguments: vectors) private func theTextOfAnRFCHasItsBytes(_ vector: WireVector) throws {
    let wire = try parsed(vector.type, vector.text)
    #expect(hexadecimal(wire) == vector.hexadecimal)
    let type = try #require(RRType(vector.type))
    #expect(try parsed(vector.type, RecordPresentation.rdata(wire[...], type: type)) == wire)
}

/// BIND's own converter from text to bytes, as a second opinion on every sample.
@Test(
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: "/usr/bin/named-rrchecker"),
        "named-rrchecker (package bind9-utils) is not installed"),
    arguments: samples.flatMap { sample in sample.rdata.map { (sample.type, $0) } }
)
func bindMakesTheSameBytes(_ type: RRType, _ text: String) throws {
    let wire = try parsed(type.description, text)
    // Absolute names and units taken away, as BIND has no origin here.
    let printed = RecordPresentation.rdata(wire[...], type: type)
    let answer = try run(
        "/usr/bin/named-rrchecker", ["-u"], input: "IN \(type) \(printed)\n")
    let words = answer.split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
    #expect(words.dropFirst(4).joined() == hexadecimal(wire), "\(printed): \(answer)")
}

/// What a tool of another server prints.
func run(_ program: String, _ arguments: [String], input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let (standardInput, output) = (Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    process.standardError = output
    try process.run()
    standardInput.fileHandleForWriting.write(Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
}

// MARK: - Random bytes

/// Printing is total: bytes that a type takes come back the same through its own form, and all
/// others through the generic one.
@Test(arguments: RRTypeDescriptor.all.map(\.type))
func whateverBytesARecordHasTheyComeBackFromPrint(_ type: RRType) throws {
    var random = Randomness(state: UInt64(type.rawValue) &* 0x9e37_79b9_7f4a_7c15 | 1)
    let seeds = try samples.first { $0.type == type }?.rdata.map {
        try parsed(type.description, $0)
    }
    var lines = ""
    var expected: [[UInt8]] = []
    for round in 0..<400 {
        var wire = try #require(seeds?[round % (seeds?.count ?? 1)])
        if round.isMultiple(of: 7) { wire = (0..<random.below(40)).map { _ in random.byte() } }
        for _ in 0..<random.below(4) where !wire.isEmpty {
            switch random.below(3) {
            case 0: wire[random.below(wire.count)] = random.byte()
            case 1: wire.remove(at: random.below(wire.count))
            default: wire.insert(random.byte(), at: random.below(wire.count + 1))
            }
        }
        let printed = RecordPresentation.rdata(wire[...], type: type)
        if printed.hasPrefix("\\#") {
            // Bytes that do not fit the type are refused when it is named.
            #expect(throws: (any Error).self) {
                try parsedQuietly(type.description, printed)
            }
        } else {
            lines += "owner 1 IN \(type) \(printed)\n"
            expected.append(wire)
        }
    }
    let origin = try #require(DomainName("example.com."))
    let (draft, diagnostics) = ZoneFileParser.parse(
        Array(lines.utf8), file: "z", origin: origin, readInclude: { _ in nil })
    #expect(diagnostics.map(\.description) == [])
    #expect(draft.records.map { Array(draft.rdata(of: $0)) } == expected)
    #expect(expected.count > 20)
}

private struct Refused: Error {}

private func parsedQuietly(_ type: String, _ text: String) throws {
    let origin = try #require(DomainName("example.com."))
    let (_, diagnostics) = ZoneFileParser.parse(
        Array("owner 1 IN \(type) \(text)\n".utf8), file: "z", origin: origin,
        readInclude: { _ in nil })
    if !diagnostics.isEmpty { throw Refused() }
}

private struct Randomness {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 11) % bound
    }

    mutating func byte() -> UInt8 { UInt8(below(256)) }
}
