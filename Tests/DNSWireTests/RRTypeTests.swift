import DNSWire
import Foundation
import Testing

@Test func typesStandInTheOrderOfTheirNumbersEachOnce() {
    let numbers = RRTypeDescriptor.all.map(\.type.rawValue)
    #expect(numbers == numbers.sorted())
    #expect(Set(numbers).count == numbers.count)
    let mnemonics =
        RRTypeDescriptor.all.map(\.mnemonic) + RRType.withoutDescriptor.map(\.mnemonic)
    #expect(Set(mnemonics).count == mnemonics.count)
}

/// Only types of RFC 1035 may be compressed (RFC 3597 §4), and what every answer asks is what the
/// descriptors say.
@Test(arguments: RRTypeDescriptor.all.map(\.type))
func compressibleNamesFollowFromTheDescriptor(_ type: RRType) throws {
    var offset = 0
    var count = 0
    for field in try #require(RRTypeDescriptor.of(type)).fields {
        switch field {
        case .compressibleName: count += 1
        case .uint16 where count == 0: offset += 2
        default: if count == 0 { offset = -1 }
        }
    }
    #expect(type.compressibleNames?.count ?? 0 == count)
    #expect(type.mayCompress == (count > 0))
    if count > 0 {
        #expect(type.compressibleNames?.offset == offset)
        #expect([2, 5, 6, 12, 15].contains(type.rawValue))
    }
}

// MARK: - docs/records.md

/// The table of types as the documentation has it.
private func documentation() -> String {
    var text = """
        # Record types

        Every type that can be written by name. All others are written as RFC 3597 has it:
        `TYPE65280 \\# 4 0a000001`, or with their mnemonic where IANA has one. Made from the table
        that parsing and printing follow (`Sources/DNSWire/RRTypeDescriptor.swift`): a test keeps
        them equal.

        | type | number | RDATA | defined in |
        |---|---|---|---|

        """
    for descriptor in RRTypeDescriptor.all {
        let fields = zip(descriptor.fieldNames, descriptor.fields).map { name, field in
            field.form.isEmpty ? name : "\(name) (\(field.form))"
        }
        text +=
            "| \(descriptor.mnemonic) | \(descriptor.type.rawValue) | "
            + "\(fields.joined(separator: ", ")) | \(descriptor.reference) |\n"
    }
    text += """

        ## Service parameters of SVCB and HTTPS (RFC 9460)

        | key | number | value |
        |---|---|---|

        """
    for (key, name, form) in ServiceParameterKey.all {
        text += "| `\(name)` | \(key.rawValue) | \(form.summary) |\n"
    }
    text += "| `key667` | 667 | \(ServiceParameterKey.Form.opaque.summary) |\n"
    return text
}

@Test func theDocumentationOfTypesIsTheTable() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent("docs/records.md")
    let written = String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    if written != documentation() {
        let fresh = FileManager.default.temporaryDirectory.appendingPathComponent("records.md")
        try Data(documentation().utf8).write(to: fresh)
        Issue.record("docs/records.md is not the table; copy \(fresh.path) there")
    }
}
