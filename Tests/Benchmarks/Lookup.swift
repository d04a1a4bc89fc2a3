import Addressing
import DNSWire
import GeoSources
import Geography
import TestSupport

/// Looking up addresses in a location table: time, and loads that wait for one another.
struct Lookup {
    var regions: Int
    var addresses: Addresses
    var mebibytes: Double
    /// An entry of each array, the block: for each the address of the load before has to be known.
    var loads = Sample()
    /// One after the other, as a query does it. Nanoseconds.
    var latency = Sample()

    private static let addressCount = 1 << 20

    enum Addresses: String, CaseIterable {
        /// Of all that is global unicast, and of 2000::/3.
        case ipv4 = "IPv4, any"
        case ipv6 = "IPv6, any"
        /// In a network of the database, whichever, however large it is.
        case ipv4Networks = "IPv4, any network"
        case ipv6Networks = "IPv6, any network"
    }

    static func measure(database: String, rounds: Int) throws -> [Lookup] {
        let source = try MaxMindDatabase.load(path: database)
        let kinds = Addresses.allCases.map { ($0, random($0, source)) }
        return [8, 200].flatMap { regions in
            let table = build(regions: regions, from: source)
            return kinds.map { kind, addresses in
                var lookup = Lookup(
                    regions: regions, addresses: kind,
                    mebibytes: Double(table.byteCount) / 1_048_576)
                for address in addresses { lookup.loads.add(Double(table.loadCount(for: address))) }
                for _ in 0..<rounds { lookup.latency.add(time(addresses, in: table)) }
                return lookup
            }
        }
    }

    /// Share of the lookups that take so many loads or fewer.
    func share(upTo loadCount: Double) -> Double {
        Double(loads.values.count { $0 <= loadCount }) / Double(loads.values.count)
    }

    static func table(_ lookups: [Lookup]) -> String {
        let lines = lookups.map { lookup in
            let fields = [
                "\(lookup.regions)", lookup.addresses.rawValue,
                PerformanceReport.fixed(lookup.mebibytes, 1) + " MiB",
                PerformanceReport.fixed(lookup.loads.mean, 2),
                PerformanceReport.fixed(lookup.share(upTo: 3) * 100, 2) + " %",
                PerformanceReport.fixed(lookup.loads.quantile(1), 0),
                PerformanceReport.fixed(lookup.latency.median, 1)
                    + " (\(PerformanceReport.percent(lookup.latency.spread)))",
            ]
            return "| " + fields.joined(separator: " | ") + " |"
        }
        return """
            Random addresses in a location table of 1.13 million networks, each lookup waiting for
            the one before; *any network*: first one of the networks, small or large, then an
            address in it. Loads that depend on one another: of an array's entry, of a block.

            | regions | addresses | table | loads, mean | three or fewer | most | ns |
            |---|---|---|---|---|---|---|
            \(lines.joined(separator: "\n"))

            """
    }

    private static func random(_ kind: Addresses, _ source: some LocationSource) -> [IPAddress] {
        var generator = SeededGenerator(seed: 7)
        func bits() -> UInt128 { UInt128(generator.next()) << 64 | UInt128(generator.next()) }
        func within(_ family: IPAddress.Family) -> [IPAddress] {
            var networks: [(start: UInt128, length: Int)] = []
            source.forEachLeaf(of: family) { start, length, place in
                if place != 0 { networks.append((start, length)) }
            }
            return (0..<addressCount).map { _ in
                let network = networks[Int.random(in: networks.indices, using: &generator)]
                let rest = network.length < 128 ? bits() >> UInt128(network.length) : 0
                return IPAddress(leftAligned: network.start | rest, family: family)
            }
        }
        switch kind {
        case .ipv4:
            return (0..<addressCount).map { _ in
                IPAddress(ipv4: 0x0100_0000 + UInt32(bits() >> 96) % 0xdf00_0000)
            }
        case .ipv6: return (0..<addressCount).map { _ in IPAddress(ipv6: 1 << 125 | bits() >> 3) }
        case .ipv4Networks: return within(.ipv4)
        case .ipv6Networks: return within(.ipv6)
        }
    }

    private static func time(_ addresses: [IPAddress], in table: LocationTable) -> Double {
        var order = 0
        let start = monotonicNanoseconds()
        for index in addresses.indices {
            // Each waits for the one before.
            order = table.find(addresses[(index + order & 1) % addresses.count]).order
        }
        let spent = monotonicNanoseconds() - start
        return Double(spent) / Double(addresses.count)
    }

    private static func build(regions: Int, from source: some LocationSource) -> LocationTable {
        let sites = (0..<regions).map { number -> Site in
            let (latitude, longitude) = (number * 37 % 120 - 60, number * 101 % 360 - 180)
            return Site(Coordinates(latitude: Double(latitude), longitude: Double(longitude)))
        }
        let distances = DistanceOrder(sites)
        var orders: [[Int]: Int] = [:]
        let places = source.places
        return LocationTable.build(from: source, overrides: []) { place, _ in
            let order = distances.order(from: places[place].coordinates)
            orders[order] = orders[order] ?? orders.count
            return orders[order] ?? 0
        }
    }
}
