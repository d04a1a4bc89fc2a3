import Addressing
import Glibc
import TestSupport
import Testing

@Suite struct IPv6Text {
    /// RFC 5952: what is written, and how it must be printed.
    @Test(arguments: [
        // §1, §2.2: one address, eight spellings.
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
        // §4.1: leading zeros go.
        ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
        // §4.2.1: as short as possible.
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        // §4.2.2: one group alone is not shortened.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        // §4.2.3: the longest run; of equal runs the first.
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::"),
        // §4.3: lower case.
        ("2001:DB8::ABCD:EF01", "2001:db8::abcd:ef01"),
        // §5: the mapped prefix keeps its IPv4 part in decimals.
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ])
    func canonical(_ written: String, _ printed: String) throws {
        let address = try #require(IPAddress(written))
        #expect(address.family == .ipv6)
        #expect(address.description == printed)
        #expect(IPAddress(printed) == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "+1::",
        "-1::", "1:-2::", "::1.2.3", "::1.2.3.256", "::1.2.3.4:5", "1.2.3.4::", "::01.2.3.4",
        "fe80::1%eth0", "::1/128", " ::1", "::1 ", "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "::ffff:1.2.3",
    ])
    func refused(_ text: String) { #expect(IPAddress(text) == nil) }
}

@Suite struct IPv4Text {
    @Test(
        arguments: [
            ("0.0.0.0", 0), ("255.255.255.255", 0xffff_ffff), ("198.51.100.1", 0xC633_6401),
            ("1.2.3.4", 0x0102_0304),
        ] as [(String, UInt32)])
    func parsed(_ text: String, _ value: UInt32) throws {
        let address = try #require(IPAddress(text))
        #expect(address == IPAddress(ipv4: value))
        #expect(address.ipv4Value == value)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.04",
        "00.0.0.0", "+1.2.3.4", "1.2.3.-4", "1.2.3.4 ", "0x1.2.3.4", "1.2.3.4/32", "１.2.3.4",
        "1.2.3.1000",
    ])
    func refused(_ text: String) { #expect(IPAddress(text) == nil) }
}

@Suite struct AddressBytes {
    /// The C library is the second opinion on both formats.
    @Test func roundTripsAgreeWithTheCLibrary() throws {
        var random = SeededGenerator(seed: 5952)
        for _ in 0..<5000 {
            let family: IPAddress.Family = Bool.random(using: &random) ? .ipv4 : .ipv6
            var bytes = (0..<(family == .ipv4 ? 4 : 16)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Runs of zeros are what IPv6 text is about.
            for index in bytes.indices where UInt8.random(in: 0...2, using: &random) == 0 {
                bytes[index & ~1] = 0
                bytes[index] = 0
            }
            let address = try #require(IPAddress(bytes: bytes))
            #expect(address.bytes == bytes)
            #expect(address.family == family)
            let text = address.description
            #expect(IPAddress(text) == address)
            #expect(cBytes(text, family) == bytes, "\(text)")
            let printed = try #require(cText(bytes, family))
            #expect(IPAddress(printed) == address, "\(printed)")
            // The C library writes ::1.2.3.4 and leaves a single zero group alone as we do.
            if !printed.contains(".") || family == .ipv4 { #expect(printed == text) }
        }
    }

    /// Mutated text: whatever one accepts, the other does, with the same value.
    @Test func agreesWithTheCLibraryOnDamagedText() {
        var random = SeededGenerator(seed: 4291)
        let alphabet = Array("0123456789abcdefABCDEF::::....g".utf8)
        for _ in 0..<20_000 {
            let whole = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"]
            var text = Array(random.pick(whole).utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
                let index = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: text[index] = random.pick(alphabet)
                case 1: text.insert(random.pick(alphabet), at: index)
                default: text.remove(at: index)
                }
            }
            let string = String(decoding: text, as: UTF8.self)
            let expected = cBytes(string, .ipv4) ?? cBytes(string, .ipv6)
            #expect(IPAddress(string)?.bytes == expected, "\(string)")
        }
    }

    @Test func otherCountsOfBytesAreNoAddress() {
        for count in [0, 1, 3, 5, 15, 17] {
            #expect(IPAddress(bytes: Array(repeating: 1, count: count)) == nil)
        }
    }

    private func cBytes(_ text: String, _ family: IPAddress.Family) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(family == .ipv4 ? AF_INET : AF_INET6, text, &bytes) == 1 else { return nil }
        return Array(bytes.prefix(family == .ipv4 ? 4 : 16))
    }

    private func cText(_ bytes: [UInt8], _ family: IPAddress.Family) -> String? {
        var text = [CChar](repeating: 0, count: 64)
        guard inet_ntop(family == .ipv4 ? AF_INET : AF_INET6, bytes, &text, 64) != nil
        else { return nil }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

@Suite struct EmbeddedIPv4 {
    @Test(arguments: [
        ("::ffff:192.0.2.33", "192.0.2.33", 96),  // RFC 4291 §2.5.5.2
        ("64:ff9b::192.0.2.33", "192.0.2.33", 96),  // RFC 6052 §2.4
        ("2002:c000:221::", "192.0.2.33", 16),  // RFC 3056 §2
        ("2002:c000:221:1:2:3:4:5", "192.0.2.33", 16),
        // RFC 4380 §5.2.9 has the obscured address; 192.0.2.45 inverted is 3fff:fdd2.
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45", 96),
    ])
    func carried(_ text: String, _ inside: String, _ offset: Int) throws {
        let address = try #require(IPAddress(text))
        let embedded = try #require(address.embeddedIPv4)
        #expect(embedded.address == IPAddress(inside))
        #expect(embedded.offset == offset)
        #expect(IPAddress.embeddingPrefixes.count { $0.contains(address) } == 1)
    }

    @Test(arguments: [
        "192.0.2.33", "::192.0.2.33", "::fffe:192.0.2.33", "1::ffff:192.0.2.33",
        "64:ff9b:1::192.0.2.33", "64:ff9c::192.0.2.33", "2003::", "2001:1::1", "2001:db8::1",
        "::", "::1",
    ])
    func notCarried(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.embeddedIPv4 == nil)
        #expect(!IPAddress.embeddingPrefixes.contains { $0.contains(address) })
    }

    /// The two descriptions of the forms, prefixes and bits, are one.
    @Test func thePrefixesSayTheSame() {
        var random = SeededGenerator(seed: 6052)
        for prefix in IPAddress.embeddingPrefixes {
            for _ in 0..<200 {
                let noise =
                    UInt128.random(in: 0...UInt128.max, using: &random) >> UInt128(prefix.length)
                let inside = IPAddress(ipv6: prefix.address.bits | noise)
                #expect(inside.embeddedIPv4 != nil)
                let flipped = UInt128(1) << UInt128(128 - prefix.length)
                let outside = IPAddress(ipv6: inside.bits ^ flipped)
                #expect(outside.embeddedIPv4 == nil)
            }
        }
    }
}

/// What is an address and what is not, of random text, as inet_pton(3) has it.
@Suite struct AddressText {
    @Test(arguments: 0..<8 as Range<UInt64>) func agreesWithTheLibrary(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x4291)
        let pieces = [
            "0", "1", "12", "25", "255", "a", "F", "abcd", "01", ".", ".", ":", ":", "::",
        ]
        for _ in 0..<20_000 {
            let text = (0..<random.number(1...18)).map { _ in random.pick(pieces) }.joined()
            var four: UInt32 = 0
            var six = in6_addr()
            let isFour = inet_pton(AF_INET, text, &four) == 1
            let isSix = inet_pton(AF_INET6, text, &six) == 1
            let address = IPAddress(text)
            #expect((address != nil) == (isFour || isSix), "\(text)")
            if isFour { #expect(address?.ipv4Value == UInt32(bigEndian: four), "\(text)") }
            if isSix {
                let bytes = withUnsafeBytes(of: six) { Array($0) }
                #expect(address == IPAddress(bytes: bytes), "\(text)")
            }
        }
    }
}
