package import Addressing
package import SystemCalls

/// The two transports of DNS (RFC 1035 §4.2).
package enum TransportProtocol: String, Sendable, CaseIterable {
    case udp = "UDP"
    case tcp = "TCP"
}

/// An address that could not be listened on: which, why, and what to do about it.
package struct ListenError: Error, Equatable, Sendable, CustomStringConvertible {
    package let address: ListenAddress
    package let transport: TransportProtocol
    package let reason: Errno

    package var description: String {
        "cannot listen on \(address) (\(transport.rawValue)): \(reason.words); \(advice)"
    }

    private var advice: String {
        switch reason {
        case .addressInUse:
            """
            is another DNS server running? `ss -lnp 'sport = :\(address.port)'` shows it; \
            stop it or listen on another address or port
            """
        case .permissionDenied:
            """
            ports under 1024 want the capability CAP_NET_BIND_SERVICE \
            (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE) or root
            """
        case .addressNotAvailable:
            """
            it is not an address of this machine; `ip address` lists them; for an address that \
            comes later (anycast, failover) consider `sysctl \
            net.\(address.address.family == .ipv4 ? "ipv4" : "ipv6").ip_nonlocal_bind=1`
            """
        case .tooManyFiles, .tooManyFilesInSystem:
            "raise the limit of open files (ulimit -n, systemd: LimitNOFILE=)"
        default:
            "check the address and the limits of this process"
        }
    }
}
