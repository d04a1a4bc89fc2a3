/// Turns records into numbers of autonomous systems: GeoLite2 ASN and GeoIP2 ISP have them at the
/// top, GeoIP2 Enterprise under `traits`, IPinfo as text (`AS64500`).
struct SystemReader: ~Copyable {
    private let number = LookupPath("autonomous_system_number")
    private let traitsNumber = LookupPath("traits", "autonomous_system_number")
    private let flat = LookupPath("asn")

    /// 0 for a record that is in none: nobody has that number (RFC 7607).
    func number(
        at offset: UInt32, in reader: borrowing DatabaseReader
    ) throws(GeoSourceError) -> UInt32 {
        if let found = try reader.unsigned(number, at: offset) { return found }
        if let found = try reader.unsigned(traitsNumber, at: offset) { return found }
        if let found = try reader.unsigned(flat, at: offset) { return found }
        guard let text = try reader.string(flat, at: offset) else { return 0 }
        let digits = text.uppercased().hasPrefix("AS") ? text.dropFirst(2) : text[...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return 0 }
        return UInt32(digits) ?? 0
    }
}
