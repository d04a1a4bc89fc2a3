import Addressing
import DNSWire
import Foundation
import TestSupport

/// One kind of query, as many different ones as wanted.
struct Workload: Sendable {
    var name: String
    /// The query with a number; its ID is the number's lower bits.
    var query: @Sendable (Int) -> [UInt8]

    /// What the server is measured with; the order is that of the table.
    static let all: [Workload] = [
        Workload(name: "static") { plain("h\($0 % 1000).static.example", number: $0) },
        Workload(name: "static, EDNS") { edns("h\($0 % 1000).static.example", number: $0) },
        Workload(name: "geo") { plain("h\($0 % 1000).geo.example", number: $0) },
        Workload(name: "geo, client subnet") {
            edns("h\($0 % 1000).geo.example", number: $0, option: (8, subnet(number: $0)))
        },
        Workload(name: "geo, cookie") {
            edns("h\($0 % 1000).geo.example", number: $0, option: (10, [1, 2, 3, 4, 5, 6, 7, 8]))
        },
        Workload(name: "geo, server cookie") {
            edns("h\($0 % 1000).geo.example", number: $0, option: (10, serverCookie))
        },
        Workload(name: "wildcard") { plain("x\($0).w.static.example", number: $0) },
        Workload(name: "referral") { plain("x\($0).sub.static.example", number: $0) },
        Workload(name: "NXDOMAIN") { plain("x\($0).static.example", number: $0) },
        Workload(name: "NODATA") {
            plain("h\($0 % 1000).static.example", number: $0, type: .https)
        },
        Workload(name: "geo, NODATA") {
            plain("h\($0 % 1000).geo.example", number: $0, type: .https)
        },
        Workload(name: "REFUSED") { plain("x\($0).elsewhere.example", number: $0) },
        Workload(name: "FORMERR") { Array(plain("h1.static.example", number: $0).dropLast()) },
    ]

    /// What a server with a rate limit is measured with: a limit that nobody reaches.
    static let limited: [Workload] = all.compactMap { workload in
        guard
            ["static", "geo", "geo, server cookie", "NXDOMAIN", "REFUSED"].contains(workload.name)
        else { return nil }
        return Workload(name: workload.name + ", rate limit", query: workload.query)
    }

    /// What a server of so many names is measured with that it reads ahead.
    static let crowded = [
        Workload(name: "static, many names") {
            plain("h\($0 &* 7919 % crowdedNameCount).crowded.example", number: $0, type: .a)
        }
    ]

    private static let crowdedNameCount = 40_000

    static let crowdedZones = [
        (
            file: "crowded.example.zone",
            text: head
                + (0..<crowdedNameCount).map { "h\($0) A 198.51.100.\($0 % 250 + 1)\n" }.joined()
        )
    ]

    /// The first label of each of a thousand names, of which two zones are made.
    static let names = (0..<1000).map { "h\($0)" }

    /// Two zones of a thousand names each, and eight regions.
    static let zones: [(file: String, text: String)] = [
        (
            "static.example.zone",
            head + staticRecords + "*.w 300 A 198.51.100.7\nsub NS ns.sub\nns.sub A 192.0.2.9\n"
        ),
        (
            "geo.example.zone",
            head + regionRecords
                + names.map { "\($0) 30 GEO nearest \(regionNames)\n" }.joined()
        ),
    ]

    /// What every zone begins with.
    static let head = """
        $TTL 3600
        @ SOA ns1 host 1 7200 1800 1209600 60
        @ NS ns1
        @ NS ns2
        ns1 A 192.0.2.1
        ns2 A 192.0.2.2

        """

    static let staticRecords = names.enumerated().map { number, name in
        "\(name) 300 A 198.51.100.\(number % 250 + 1)\n"
            + "\(name) 300 AAAA 2001:db8::\(String(number, radix: 16))\n"
    }.joined()

    /// Region number n, counted from 1, has 198.51.100.n and 2001:db8::n.
    static let manyNameCount = 1_000_000

    static let manyRecords = (0..<manyNameCount).map {
        "h\($0) 300 A 198.51.100.\($0 % 250 + 1)\n"
    }.joined()

    static let regions: [(name: String, latitude: Double, longitude: Double)] = [
        ("iad", 38.95, -77.45), ("fra", 50.03, 8.57), ("nrt", 35.76, 140.39),
        ("sin", 1.36, 103.99), ("gru", -23.43, -46.47), ("syd", -33.95, 151.18),
        ("jnb", -26.13, 28.24), ("bom", 19.09, 72.87),
    ]

    private static let regionNames = regions.map(\.name).joined(separator: " ")

    private static let regionRecords = regions.enumerated().map { index, region in
        "\(region.name) REGION \(region.latitude) \(region.longitude)\n"
            + " A 198.51.100.\(index + 1)\n AAAA 2001:db8::\(index + 1)\n"
    }.joined()

    // MARK: - Messages

    /// Seven of ten ask for A, the others for AAAA, or all for `type`.
    static func plain(_ name: String, number: Int, type: RRType? = nil) -> [UInt8] {
        guard let domain = DomainName(name) else { preconditionFailure("\(name) is no name") }
        let type = type ?? (number % 10 < 7 ? .a : .aaaa)
        let header: [UInt8] =
            [UInt8(number >> 8 & 0xff), UInt8(number & 0xff), 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0]
        return header + domain.wire + [0, UInt8(type.rawValue), 0, 1]
    }

    private static func edns(
        _ name: String, number: Int, option: (code: UInt8, data: [UInt8])? = nil
    ) -> [UInt8] {
        var query = plain(name, number: number)
        query[11] = 1
        let options = option.map { [0, $0.code, 0, UInt8($0.data.count)] + $0.data } ?? []
        return query + [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, UInt8(options.count)] + options
    }

    /// What the server is told to make cookies with.
    static let cookieSecret = "000102030405060708090a0b0c0d0e0f"

    /// One that a server with that secret gave a client at 127.0.0.1 when this began.
    private static let serverCookie: [UInt8] = {
        guard let secret = CookieSecret(cookieSecret) else { preconditionFailure(cookieSecret) }
        let (client, front) = (UInt64(7), CookieSecrets.front(now: UInt32(time(nil))))
        let hash = secret.hash(
            client: client, front: front, address: IPAddress(ipv4: 0x7f00_0001))
        return [client, front, hash].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
    }()

    /// An IPv4 /24 from all over.
    private static func subnet(number: Int) -> [UInt8] {
        let bits = UInt32(truncatingIfNeeded: number) &* 0x9e37_79b1
        let first = UInt8(bits >> 24) % 223 + 1
        return [0, 1, 24, 0, first, UInt8(bits >> 16 & 0xff), UInt8(bits >> 8 & 0xff)]
    }
}
