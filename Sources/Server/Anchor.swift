import Addressing
import Configuration
import DNSWire
import Health

extension AnchorSetting {
    /// Asked seldom while all is well, and at once when a front door falls silent.
    var probe: Probe {
        let kind: CheckSpecification.Kind =
            switch self.kind {
            case .ping: .ping
            case .tcp: .tcp
            // The root's name servers: whatever a server says to that, it says something.
            case .dns: .dns(DNSQuestion(.root, .ns))
            }
        let check = CheckSpecification(
            kind, port: port, every: .seconds(10), fast: .seconds(1), timeout: .seconds(2), fall: 2,
            rise: 1)
        return Probe(check, of: address)
    }
}
