import DNSWire
import Testing

@Test(
    arguments: [
        (".", [0]),
        ("com", [3, 0x63, 0x6f, 0x6d, 0]),
        ("com.", [3, 0x63, 0x6f, 0x6d, 0]),
        (#"a\.b.c."#, [3, 0x61, 0x2e, 0x62, 1, 0x63, 0]),
        (#"\000\255."#, [2, 0, 255, 0]),
        (#"\065."#, [1, 0x41, 0]),
        (#"\\."#, [1, 0x5c, 0]),
        (#"\a."#, [1, 0x61, 0]),
    ] as [(String, [UInt8])])
func presentationFormatBecomesWireFormat(_ text: String, _ wire: [UInt8]) {
    #expect(DomainName(text)?.wire == wire)
}

@Test(arguments: ["", "..", ".a", "a..b", #"a\"#, #"a\25"#, #"a\256."#, #"a\2x5."#])
func whatIsNoNameIsRefused(_ text: String) {
    #expect(DomainName(text) == nil)
}

@Test(arguments: [
    ".", "com.", "*.Example.COM.", #"a\.b.c."#, #"\000\032\127\255."#, #"\@\$\"\;\(\)\\."#,
])
func printedNamesAreReadBackAsTheyWere(_ text: String) {
    #expect(DomainName(text)?.description == text)
}

@Test func everyByteOfALabelSurvivesPrintingAndReading() throws {
    for byte in UInt8.min...UInt8.max {
        let name = try #require(DomainName(labels: [[byte, 0x61, byte]]))
        #expect(DomainName(name.description) == name)
        #expect(DomainName(name.description)?.wire == name.wire)
    }
}

@Test func aLabelHas63BytesAtMost() {
    #expect(DomainName(String(repeating: "x", count: 63)) != nil)
    #expect(DomainName(String(repeating: "x", count: 64)) == nil)
    #expect(DomainName(wire: [64] + Array(repeating: 0x61, count: 64) + [0]) == nil)
}

@Test func aNameHas255BytesAtMost() throws {
    let label = String(repeating: "x", count: 49)
    let longest = Array(repeating: label, count: 5).joined(separator: ".") + ".xxx."
    let name = try #require(DomainName(longest))
    #expect(name.wire.count == 255)
    #expect(DomainName("a." + longest) == nil)
    #expect(name.prepending([0x61]) == nil)
    #expect(name.appending(try #require(DomainName("a."))) == nil)
    #expect(name.appending(.root) == name)
}

@Test(
    arguments: [[], [0, 0], [1], [1, 0x61], [1, 0x61, 0, 0], [0xc0, 0x0c], [3, 0x61, 0]]
        as [[UInt8]])
func bytesThatAreNotOneNameAreRefused(_ wire: [UInt8]) {
    #expect(DomainName(wire: wire) == nil)
}

@Test func namesAreEqualWhateverTheirCase() throws {
    let lower = try #require(DomainName("www.example.com."))
    let mixed = try #require(DomainName("wWw.EXAMPLE.com"))
    #expect(lower == mixed)
    #expect(lower.hashValue == mixed.hashValue)
    #expect(mixed.canonical.wire == lower.wire)
    // Only ASCII letters fold: '@' and '`' differ by the same bit and stay apart (RFC 4343 §3).
    #expect(DomainName(labels: [[0x40]]) != DomainName(labels: [[0x60]]))
    #expect(DomainName(labels: [[0xc1]]) != DomainName(labels: [[0xe1]]))
}

@Test(arguments: [
    ("example.com.", "example.com.", true),
    ("a.Example.com.", "example.COM.", true),
    ("example.com.", "a.example.com.", false),
    ("notexample.com.", "example.com.", false),
    (#"x\.example.com."#, "example.com.", false),
    ("anything.", ".", true),
    (".", "com.", false),
])
func withinCountsWholeLabels(_ name: String, _ ancestor: String, _ expected: Bool) throws {
    let name = try #require(DomainName(name))
    let ancestor = try #require(DomainName(ancestor))
    #expect(name.isWithin(ancestor) == expected)
}

@Test func aDotInsideALabelIsNotALabelBoundary() throws {
    // The length byte of a label may look like a letter of the ancestor's: labels are walked.
    let name = try #require(DomainName(labels: [Array("a\u{03}com".utf8)]))
    let ancestor = try #require(DomainName("com."))
    #expect(!name.isWithin(ancestor))
}

@Test func parentsEndAtTheRoot() throws {
    let name = try #require(DomainName(#"*.a\.b.com."#))
    #expect(name.isWildcard)
    #expect(name.parent?.description == #"a\.b.com."#)
    #expect(name.parent?.isWildcard == false)
    #expect(name.parent?.parent?.parent == .root)
    #expect(DomainName.root.parent == nil)
    #expect(name.labels.map(Array.init) == [Array("*".utf8), Array("a.b".utf8), Array("com".utf8)])
}

// MARK: - Types

@Test(arguments: ["A", "aaaa", "Soa", "CAA", "REGION", "check", "TYPE65280", "type1"])
func typesAreKnownByNameWhateverTheCase(_ text: String) throws {
    let type = try #require(RRType(text))
    #expect(RRType(type.description) == type)
}

@Test(arguments: ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "IN", "AX"])
func whatIsNoTypeIsRefused(_ text: String) {
    #expect(RRType(text) == nil)
}

@Test func everyFieldOfADescriptorHasAName() {
    for descriptor in RRTypeDescriptor.all {
        #expect(descriptor.fields.count == descriptor.fieldNames.count)
        #expect(RRTypeDescriptor.of(descriptor.type)?.mnemonic == descriptor.mnemonic)
    }
}
