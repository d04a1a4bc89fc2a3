import Addressing
import DNSWire
import Foundation
import GeoSources
import Geography
import Steering
import TestSupport
import Testing

/// The sources of `make geo-data`, read without any of the code under test: ranges in address
/// order, and a position for each country.
struct WorldSources {
    /// One table, line by line.
    struct Ranges {
        var firsts: [UInt128] = []
        var lasts: [UInt128] = []
        var countries: [String] = []

        /// The line that holds the address, found from the first to the last.
        func country(of address: UInt128) -> String? {
            // Without the arrays' own checks: a debug build runs this a billion times.
            let line = firsts.withUnsafeBufferPointer { firsts in
                lasts.withUnsafeBufferPointer { lasts in
                    var line = 0
                    while line < firsts.count {
                        if firsts[line] <= address, address <= lasts[line] { break }
                        line += 1
                    }
                    return line
                }
            }
            return line < countries.count ? countries[line] : nil
        }
    }
    let ipv4: Ranges
    let ipv6: Ranges
    let positions: [String: Coordinates]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let database = root.appending(path: "geo-data/world-country.mmdb").path
    /// Where Debian's tor-geoipdb puts its files, or `make deps` has unpacked them.
    private static let ranges =
        ["/usr/share/tor", root.appending(path: ".build/packages/usr/share/tor").path].first {
            FileManager.default.fileExists(atPath: $0 + "/geoip6")
        } ?? "/usr/share/tor"
    static let files = [
        ranges + "/geoip", ranges + "/geoip6", "/usr/share/zoneinfo/zone.tab",
    ]

    static var missing: String? {
        ([database] + files).first { !FileManager.default.fileExists(atPath: $0) }
    }

    init() throws {
        let bytes = try WorldSources.files.map { Array(try Data(contentsOf: URL(filePath: $0))) }
        ipv4 = WorldSources.ranges(bytes[0]) { text in
            text.reduce(UInt128(0)) { $0 * 10 + UInt128($1 - 0x30) }
        }
        ipv6 = WorldSources.ranges(bytes[1]) { text in
            var value = [UInt8](repeating: 0, count: 16)
            inet_pton(AF_INET6, String(decoding: text, as: UTF8.self), &value)
            return value.reduce(0) { $0 << 8 | UInt128($1) }
        }
        positions = WorldSources.positions(String(decoding: bytes[2], as: UTF8.self))
    }

    /// Lines `first,last,CC`; `#` begins a comment.
    private static func ranges(
        _ bytes: [UInt8], _ number: (ArraySlice<UInt8>) -> UInt128
    ) -> Ranges {
        var ranges = Ranges()
        for line in bytes.split(separator: 0x0a) where line.first != UInt8(ascii: "#") {
            let fields = line.split(separator: UInt8(ascii: ","))
            ranges.firsts.append(number(fields[0]))
            ranges.lasts.append(number(fields[1]))
            ranges.countries.append(String(decoding: fields[2], as: UTF8.self))
        }
        return ranges
    }

    /// A country stands where the first of its rows says, or its main city; the European Union at
    /// Brussels, Asia and the Pacific at Singapore, as geo-data/README.md has it.
    private static func positions(_ text: String) -> [String: Coordinates] {
        let main = [
            "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto",
            "MX": "America/Mexico_City", "RU": "Europe/Moscow", "UA": "Europe/Kyiv",
            "US": "America/Chicago", "UZ": "Asia/Tashkent",
        ]
        var result: [String: Coordinates] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t").map(String.init)
            guard main[fields[0]].map({ $0 == fields[2] }) ?? (result[fields[0]] == nil)
            else { continue }
            let split = fields[1].dropFirst().lastIndex { $0 == "+" || $0 == "-" }
            guard let split else { continue }
            result[fields[0]] = Coordinates(
                latitude: degrees(fields[1][..<split], digits: 2),
                longitude: degrees(fields[1][split...], digits: 3))
        }
        result["EU"] = result["BE"]
        result["AP"] = result["SG"]
        result["UK"] = result["GB"]
        return result
    }

    /// `+DDMM`, `-DDDMMSS` and the like, to four decimals as in the database.
    private static func degrees(_ text: Substring, digits: Int) -> Double {
        let numbers = text.dropFirst()
        var value = Double(numbers.prefix(digits)) ?? .nan
        var divisor = 60.0
        var rest = numbers.dropFirst(digits)
        while !rest.isEmpty {
            value += (Double(rest.prefix(2)) ?? .nan) / divisor
            divisor *= 60
            rest = rest.dropFirst(2)
        }
        return ((text.first == "-" ? -value : value) * 10_000).rounded() / 10_000
    }

    /// The country whose range holds the address, found from the first line to the last.
    func country(of address: IPAddress) -> String? {
        if let (inside, _) = address.embeddedIPv4 { return country(of: inside) }
        return address.family == .ipv4
            ? ipv4.country(of: address.bits >> 96) : ipv6.country(of: address.bits)
    }
}

/// "2,000 addresses drawn from the built database: the target chosen equals a slow, obvious model."
@Suite struct WorldDatabase {
    /// Two pairs stand close together, one pair in the same place.
    private static let regions: [(label: String, latitude: Double, longitude: Double)] = [
        ("iad", 38.95, -77.45), ("fra", 50.03, 8.57), ("nrt", 35.76, 140.39),
        ("gru", -23.43, -46.47),
        ("syd", -33.95, 151.18), ("cgn", 50.87, 7.14), ("kix", 34.43, 135.24),
        ("fra2", 50.03, 8.57),
    ]

    @Test(
        .enabled(
            if: WorldSources.missing == nil, "no \(WorldSources.missing ?? ""); run make geo-data"))
    func chosenTargetsEqualTheModel() throws {
        let sources = try WorldSources()
        let database = try MaxMindDatabase.load(path: WorldSources.database)
        var text = ""
        for (index, region) in WorldDatabase.regions.enumerated() {
            text += "\(region.label) REGION \(region.latitude) \(region.longitude)\n"
            text += "  A 198.51.100.\(index)\n  AAAA 2001:db8::\(index)\n"
        }
        text += "app GEO nearest \(WorldDatabase.regions.map(\.label).joined(separator: " "))\n"
        let world = try load([("example.com", zone(text))], source: database)
        var asker = Asker(world.snapshot())
        let app = try #require(DomainName("app.example.com"))

        var random = SeededGenerator(seed: 2000)
        var chosen: Set<Int> = []
        var known = 0
        for number in 0..<2000 {
            let address = draw(number, sources, &random)
            let country = sources.country(of: address)
            let position = country.flatMap { sources.positions[$0] }
            if position != nil { known += 1 }
            let expected = nearest(to: position)
            for type in [RRType.a, .aaaa] {
                let message = try asker.ask(app, type, subnet: Prefix(address))
                let answer = try #require(message.answers.first, "\(address)")
                let target = Int(answer.rdata[answer.rdata.count - 1])
                #expect(
                    message.answers.count == 1 && target == expected,
                    "\(address), \(country ?? "in no range")")
                chosen.insert(target)
            }
            // What the scope promises: its two ends are answered alike.
            let message = try asker.ask(app, .a, subnet: Prefix(address))
            let scope = Prefix(address, length: try #require(message.clientSubnetScope))
            for end in [scope.address, scope.last] {
                let there = try asker.ask(app, .a, subnet: Prefix(end))
                #expect(there.answers == message.answers, "\(address), scope \(scope)")
                #expect(there.clientSubnetScope == scope.length)
            }
        }
        #expect(known > 1500)
        // Every region but the second in Frankfurt, whose clients all go to the first.
        #expect(chosen.sorted() == Array(0...6))
    }

    /// Half from the ranges, both ends often; a quarter anywhere; the rest in IPv6 forms of IPv4.
    private func draw(
        _ number: Int, _ sources: WorldSources, _ random: inout SeededGenerator
    ) -> IPAddress {
        func ofRange(_ family: IPAddress.Family) -> IPAddress {
            let ranges = family == .ipv4 ? sources.ipv4 : sources.ipv6
            let line = random.number(0...ranges.firsts.count - 1)
            let (first, last) = (ranges.firsts[line], ranges.lasts[line])
            let value = random.pick([
                first, last, UInt128.random(in: first...last, using: &random),
            ])
            return IPAddress(leftAligned: family == .ipv4 ? value << 96 : value, family: family)
        }
        switch number % 8 {
        case 0, 1: return ofRange(.ipv4)
        case 2, 3, 4: return ofRange(.ipv6)
        case 5: return IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
        case 6:
            // 2000::/3 is all that is given out.
            let bits = UInt128.random(in: 0...UInt128.max, using: &random) >> 3
            return IPAddress(ipv6: bits | 1 << 125)
        default:
            let form = random.pick(IPAddress.embeddingPrefixes)
            let inside = ofRange(.ipv4).bits >> 96
            return switch form.length {
            case 96: IPAddress(ipv6: form.address.bits | inside)
            case 16: IPAddress(ipv6: form.address.bits | inside << 80)
            default: IPAddress(ipv6: form.address.bits | inside ^ 0xffff_ffff)
            }
        }
    }

    /// An unknown place keeps the order written; so do equal distances.
    private func nearest(to place: Coordinates?) -> Int {
        guard let place else { return 0 }
        var best = 0
        var bestDistance = Double.infinity
        for (index, region) in WorldDatabase.regions.enumerated() {
            let there = Coordinates(latitude: region.latitude, longitude: region.longitude)
            let distance = haversine(place, there)
            if distance < bestDistance {
                best = index
                bestDistance = distance
            }
        }
        return best
    }
}
