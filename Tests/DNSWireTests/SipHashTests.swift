import DNSWire
import Testing

/// The reference implementation's vectors: key 00…0f, message 00, 01, 02… of so many bytes
/// (github.com/veorq/SipHash, `vectors.h`, read as little-endian words).
@Test(arguments: [
    (0, UInt64(0x726f_db47_dd0e_0e31)), (1, 0x74f8_39c5_93dc_67fd),
    (15, 0xa129_ca61_49be_45e5), (63, 0x958a_324c_eb06_4572),
])
func sipHashIsTheReferences(byteCount: Int, expected: UInt64) {
    let bytes = (0..<byteCount).map { UInt8($0) }
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    let key = (0..<16).map { UInt8($0) }
    var hash = SipHash(key: (word(key[..<8]), word(key[8...])))
    var rest = bytes[...]
    while rest.count >= 8 {
        hash.add(word(rest.prefix(8)))
        rest = rest.dropFirst(8)
    }
    #expect(hash.finish(word(rest), byteCount: byteCount) == expected)
}
