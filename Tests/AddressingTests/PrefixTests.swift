import Addressing
import TestSupport
import Testing

@Suite struct Masks {
    @Test func maskedClearsEveryBitPastTheLength() {
        for family in IPAddress.Family.allCases {
            let ones = IPAddress(
                leftAligned: family == .ipv4 ? UInt128.max << 96 : .max, family: family)
            for length in 0...family.bitCount {
                let masked = ones.masked(to: length)
                #expect(masked.bits.nonzeroBitCount == length)
                #expect(masked.bits.leadingZeroBitCount == (length == 0 ? 128 : 0))
            }
        }
    }
}

@Suite struct Prefixes {
    @Test(arguments: [
        "0.0.0.0/0", "203.0.113.0/24", "203.0.113.7/32", "::/0", "2001:db8::/32", "::1/128",
        "128.0.0.0/1", "8000::/1",
    ])
    func roundTrip(_ text: String) throws {
        #expect(try #require(Prefix(text)).description == text)
    }

    @Test func aBareAddressIsTheLongestPrefix() {
        #expect(Prefix("203.0.113.7")?.length == 32)
        #expect(Prefix("2001:db8::")?.length == 128)
    }

    @Test(arguments: [
        "", "/", "1.2.3.4/", "/24", "1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3.4/+8",
        "203.0.113.7/24", "2001:db8::1/32", "1.2.3.0/24/8", "1.2.3.0/ 24", "1.2.3/24",
        "0.0.0.0/0x0",
    ])
    func refused(_ text: String) { #expect(Prefix(text) == nil) }

    @Test func containsAndHalves() throws {
        var random = SeededGenerator(seed: 24)
        for _ in 0..<2000 {
            let family: IPAddress.Family = Bool.random(using: &random) ? .ipv4 : .ipv6
            let bits = UInt128.random(in: 0...UInt128.max, using: &random)
            let address = IPAddress(
                leftAligned: family == .ipv4 ? (bits >> 96) << 96 : bits, family: family)
            let length = Int.random(in: 0..<family.bitCount, using: &random)
            let prefix = Prefix(address, length: length)
            #expect(prefix.contains(address))
            #expect(prefix.contains(prefix))
            let halves = [prefix.half(0), prefix.half(1)]
            #expect(halves.allSatisfy { prefix.contains($0) && !$0.contains(prefix) })
            #expect(halves.count { $0.contains(address) } == 1)
            #expect(halves[0] != halves[1] && halves[0].length == length + 1)
            if length > 0 {
                let other = IPAddress(
                    leftAligned: address.bits ^ (UInt128(1) << UInt128(128 - length)),
                    family: family)
                #expect(!prefix.contains(other))
            }
        }
    }

    @Test func familiesDoNotMix() throws {
        let ipv4 = try #require(Prefix("0.0.0.0/0"))
        let ipv6 = try #require(Prefix("::/0"))
        #expect(!ipv4.contains(IPAddress(ipv6: 0)))
        #expect(!ipv6.contains(IPAddress(ipv4: 0)))
        #expect(!ipv6.contains(ipv4))
    }
}

@Suite struct ListenAddresses {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1@53"), ("127.0.0.1@5300", "127.0.0.1@5300"),
        ("::1@5300", "::1@5300"),
        ("[::1]@5300", "::1@5300"), ("[::]", "::@53"), ("0.0.0.0@0", "0.0.0.0@0"),
    ])
    func parsed(_ text: String, _ printed: String) throws {
        #expect(try #require(ListenAddress(text)).description == printed)
    }

    @Test(arguments: [
        "", "@53", "127.0.0.1@", "127.0.0.1@65536", "127.0.0.1@+53", "[127.0.0.1]", "[::1", "::1]",
        "127.0.0.1:53", "localhost", "127.0.0.1@53@54",
    ])
    func refused(_ text: String) { #expect(ListenAddress(text) == nil) }
}
