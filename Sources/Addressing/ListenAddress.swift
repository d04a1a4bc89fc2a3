/// An address and a port to listen on.
package struct ListenAddress: Hashable, Sendable {
    /// The port of DNS (RFC 1035 §4.2).
    package static let defaultPort: UInt16 = 53

    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, port: UInt16 = ListenAddress.defaultPort) {
        self.address = address
        self.port = port
    }

    /// 0.0.0.0 or ::, every address of the machine in that family.
    package var isWildcard: Bool { address.bits == 0 }
}

extension ListenAddress: LosslessStringConvertible {
    /// `ADDRESS[@PORT]`, brackets around an IPv6 address allowed: `127.0.0.1`, `::1@5300`,
    /// `[::1]@5300`. The port is 0…65535, 53 when not given; 0 lets the kernel choose. Nil for
    /// anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return nil }
        var addressText = parts[0]
        let isBracketed = addressText.hasPrefix("[") && addressText.hasSuffix("]")
        if isBracketed { addressText = addressText.dropFirst().dropLast() }
        guard let address = IPAddress(String(addressText)),
            !isBracketed || address.family == .ipv6
        else { return nil }
        guard parts.count == 2 else {
            self.init(address)
            return
        }
        // UInt16's own parser would take a sign.
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(parts[1])
        else { return nil }
        self.init(address, port: port)
    }

    package var description: String { "\(address)@\(port)" }
}
