extension IPAddress {
    /// Networks of which no client can come over the Internet (IANA's registries of special-purpose
    /// addresses, RFC 6890): private use, this host, links, multicast, reserved. Of no such address
    /// can it be told where it is, unless by who uses it.
    ///
    /// Those for documentation are left out: whoever writes them down means somebody.
    package static let specialPrefixes: [Prefix] = [
        ("0.0.0.0", 8), ("10.0.0.0", 8), ("100.64.0.0", 10), ("127.0.0.0", 8), ("169.254.0.0", 16),
        ("172.16.0.0", 12), ("192.168.0.0", 16), ("198.18.0.0", 15),
        // Multicast, and what is reserved behind it.
        ("224.0.0.0", 3),
        // Loopback and what else has no network; IPv6 forms of IPv4 are looked up as that.
        ("::", 8), ("fc00::", 7), ("fe80::", 10), ("ff00::", 8),
    ].compactMap { text, length in IPAddress(text).map { Prefix($0, length: length) } }
}
