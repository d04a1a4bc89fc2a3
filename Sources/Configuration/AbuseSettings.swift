package import Addressing
import DNSWire

/// What `geodnsd` is told about clients that come over UDP, whose address may be forged.
package struct AbuseSettings: Sendable {
    /// Responses a second to one client prefix for one kind of answer; 0: no limit.
    package var rate: Int
    /// Every so many limited responses one goes out truncated; 0: none.
    package var slip: Int
    package var ipv4PrefixLength: Int
    package var ipv6PrefixLength: Int
    /// Clients without a limit.
    package var exempt: [Prefix]
    /// Longest response in bytes, and longest one to a query without a good server cookie.
    package var byteCountMax: Int
    package var byteCountMaxWithoutCookie: Int
    /// Whether only queries with a good server cookie are answered.
    package var demandsCookies: Bool

    /// An exemption is looked for along the whole list.
    private static let exemptCountMax = 100
    private static let byteCounts = 512...4096
    private static let defaultByteCountMax = 1232

    static let options = [
        Option(
            "cookies", "offer|demand",
            "over UDP, answer every client, or only those that show a DNS cookie of this server "
                + "(default offer)"),
        Option("udp-size", "BYTES", "longest response over UDP (default \(defaultByteCountMax))"),
        Option(
            "udp-size-without-cookie", "BYTES",
            "longest one for a query without a good server cookie (default: as udp-size)"),
        Option(
            "rrl-rate", "N",
            "responses a second over UDP to one client prefix for one kind of answer (default 0: "
                + "no limit)"),
        Option(
            "rrl-slip", "N",
            "every Nth limited response goes out truncated; 0: none does (default 2)"),
        Option("rrl-exempt", "PREFIX", mayRepeat: true, "clients without a limit"),
        Option("rrl-ipv4-prefix", "BITS", "length of an IPv4 client prefix (default 24)"),
        Option("rrl-ipv6-prefix", "BITS", "length of an IPv6 client prefix (default 56)"),
    ]

    init(_ arguments: Arguments) throws(UsageError) {
        rate = try AbuseSettings.number(arguments, "rrl-rate", 0...1_000_000) ?? 0
        slip = try AbuseSettings.number(arguments, "rrl-slip", 0...1000) ?? 2
        ipv4PrefixLength = try AbuseSettings.number(arguments, "rrl-ipv4-prefix", 1...32) ?? 24
        ipv6PrefixLength = try AbuseSettings.number(arguments, "rrl-ipv6-prefix", 1...64) ?? 56
        let byteCounts = AbuseSettings.byteCounts
        byteCountMax =
            try AbuseSettings.number(arguments, "udp-size", byteCounts)
            ?? AbuseSettings.defaultByteCountMax
        byteCountMaxWithoutCookie =
            try AbuseSettings.number(
                arguments, "udp-size-without-cookie", byteCounts.lowerBound...byteCountMax)
            ?? byteCountMax
        let cookies = arguments.last("cookies") ?? "offer"
        guard cookies == "offer" || cookies == "demand" else {
            throw arguments.error("cookies", cookies, "expected offer or demand")
        }
        demandsCookies = cookies == "demand"
        exempt = []
        for text in arguments.all("rrl-exempt") {
            guard let prefix = Prefix(text) else {
                throw arguments.error(
                    "rrl-exempt", text,
                    "expected an address or a prefix, like 192.0.2.53 or 2001:db8::/32")
            }
            exempt.append(prefix)
            guard exempt.count <= AbuseSettings.exemptCountMax else {
                throw arguments.error(
                    "rrl-exempt", text, "more than \(AbuseSettings.exemptCountMax) prefixes")
            }
        }
    }

    private static func number(
        _ arguments: Arguments, _ option: String, _ range: ClosedRange<Int>
    ) throws(UsageError) -> Int? {
        guard let text = arguments.last(option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw arguments.error(
                option, text,
                "expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension ServerSettings {
    static let reportAgentOption = Option(
        "report-agent", "NAME",
        "domain that resolvers are told to report errors to (RFC 9567; default: none)")

    static func reportAgent(_ arguments: Arguments) throws(UsageError) -> DomainName? {
        guard let text = arguments.last("report-agent") else { return nil }
        guard let name = DomainName(text), !name.isRoot else {
            throw arguments.error(
                "report-agent", text, "expected a domain name, like errors.example.net")
        }
        return name
    }
}
