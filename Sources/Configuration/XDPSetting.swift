import Addressing

/// One `--xdp`: an interface, and the port of the queries that are taken from it.
package struct XDPSetting: Equatable, Sendable {
    package var interface: String
    package var port: UInt16

    /// `IFNAME[@PORT]`. Nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].isEmpty else { return nil }
        interface = String(parts[0])
        port = ListenAddress.defaultPort
        guard parts.count == 2 else { return }
        // UInt16's own parser would take a sign.
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(parts[1]), number > 0
        else { return nil }
        port = number
    }

    static func all(
        _ arguments: Arguments, listen: [ListenAddress]
    ) throws(UsageError) -> [XDPSetting] {
        var all: [XDPSetting] = []
        for text in arguments.all("xdp") {
            guard let setting = XDPSetting(text) else {
                throw arguments.error(
                    "xdp", text, "expected an interface and perhaps a port, like eth0 or eth0@53")
            }
            guard !all.contains(where: { $0.interface == setting.interface }) else {
                throw arguments.error("xdp", text, "an interface can be given once")
            }
            guard listen.contains(where: { $0.port == setting.port }) else {
                throw arguments.error(
                    "xdp", text,
                    "nothing listens on port \(setting.port): the sockets must have the port, too "
                        + "(--listen)")
            }
            all.append(setting)
        }
        return all
    }
}
