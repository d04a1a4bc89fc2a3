package import Addressing

/// One `--anchor`: something outside that answers whenever this server is not cut off. Its words
/// are those of a CHECK, with the address: `ping 192.0.2.1`, `tcp 192.0.2.1@443`, `dns 192.0.2.53`.
package struct AnchorSetting: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case ping
        case tcp
        case dns
    }

    package var kind: Kind
    package var address: IPAddress
    /// 0 for `ping`.
    package var port: UInt16

    static let expectation =
        "expected ping ADDRESS, tcp ADDRESS@PORT or dns ADDRESS[@PORT], like `tcp 192.0.2.1@443`"

    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2 else { return nil }
        let place = words[1].split(separator: "@", omittingEmptySubsequences: false)
        guard place.count <= 2, let address = IPAddress(String(place[0])) else { return nil }
        self.address = address
        let port = place.count == 2 ? UInt16(place[1]) : nil
        guard port != 0, (port == nil) == (place.count == 1) else { return nil }
        switch words[0] {
        case "ping" where port == nil:
            kind = .ping
            self.port = 0
        case "tcp":
            guard let port else { return nil }
            kind = .tcp
            self.port = port
        case "dns":
            kind = .dns
            self.port = port ?? 53
        default: return nil
        }
    }
}
