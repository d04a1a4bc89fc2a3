import Addressing
import DNSWire
import GeoSources
import Geography
import TestSupport

/// Looking up addresses in a location table: time, and loads that wait for one another.
struct Lookup {
    var regions: Int
    var family: String
    var mebibytes: Double
    /// The root array's entry, each node, the leaf: for each the address of the load before has to
    /// be known.
    var loads = Sample()
    /// One after the other, as a query does it. Nanoseconds.
    var latency = Sample()

    private static let addressCount = 1 << 20

    /// Random addresses: of all that is global unicast in IPv4, and of 2000::/3.
    static func measure(database: String, rounds: Int) throws -> [Lookup] {
        let source = try MaxMindDatabase.load(path: database)
        return [8, 200].flatMap { regions in
            let table = build(regions: regions, from: source)
            return [IPAddress.Family.ipv4, .ipv6].map { family in
                var generator = SeededGenerator(seed: 7)
                let addresses = (0..<addressCount).map { _ -> IPAddress in
                    let bits = UInt128(generator.next()) << 64 | UInt128(generator.next())
                    guard family == .ipv6 else {
                        return IPAddress(ipv4: 0x0100_0000 + UInt32(bits >> 96) % 0xdf00_0000)
                    }
                    return IPAddress(ipv6: 1 << 125 | bits >> 3)
                }
                var lookup = Lookup(
                    regions: regions, family: family == .ipv4 ? "IPv4" : "IPv6",
                    mebibytes: Double(table.byteCount) / 1_048_576)
                for address in addresses { lookup.loads.add(Double(table.loadCount(for: address))) }
                for _ in 0..<rounds { lookup.latency.add(time(addresses, in: table)) }
                return lookup
            }
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
