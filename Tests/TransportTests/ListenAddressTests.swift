import Addressing
import Testing

@Suite("Listen addresses")
struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1@53"), ("127.0.0.1@5300", "127.0.0.1@5300"),
        ("::1@5300", "::1@5300"), ("[::1]@5300", "::1@5300"), ("[2001:db8::1]", "2001:db8::1@53"),
        ("0.0.0.0@0", "0.0.0.0@0"), ("::@65535", "::@65535"),
    ])
    func `is read and written`(text: String, written: String) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.description == written)
        #expect(ListenAddress(written) == address)
    }

    @Test(arguments: [
        "", "@53", "localhost", "127.0.0.1@", "127.0.0.1@65536", "127.0.0.1@+53", "127.0.0.1@-1",
        "127.0.0.1@53@53", "127.0.0.1:53", "[127.0.0.1]@53", "[::1", "::1]", "[]",
    ])
    func `refuses`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `knows wildcards`() {
        #expect(ListenAddress("0.0.0.0")?.isWildcard == true)
        #expect(ListenAddress("::")?.isWildcard == true)
        #expect(ListenAddress("127.0.0.1")?.isWildcard == false)
    }
}
