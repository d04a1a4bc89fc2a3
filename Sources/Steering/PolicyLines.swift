package import Addressing
package import Diagnostics
import Geography
package import Zones

/// Which lines of files a client's order under one GEO name comes from, for accounts of single
/// answers. A server keeps none of it.
package struct PolicyLines: Sendable {
    /// A line of a map, or of a file that the map names.
    package struct Line: Sendable {
        package var selector: MapLine.Selector
        package var location: SourceLocation
    }

    /// What was measured from a prefix, and is not from a longer one.
    package struct Measurement: Sendable {
        package var prefix: Prefix
        /// For each target of the GEO name; nil: it was not measured from there.
        package var roundTrips: [RoundTrip?]
    }

    package struct RoundTrip: Sendable {
        package var milliseconds: Double
        /// Where that is written; several rows are one by their samples. Empty: guessed from the
        /// distance.
        package var rows: [SourceLocation]
    }

    private var lines: [Line] = []
    private var matcher = PlaceMatcher([])
    private var measurements: [Measurement] = []
    /// Indexes of lines or of measurements.
    private let numbers: PrefixNumbers

    /// Of a map: `key` and `locations` tell of the same lines. `systemNetworks`: of the autonomous
    /// systems that it names.
    init(
        _ key: [RankingKey.Line], at locations: [SourceLocation],
        systemNetworks: [UInt32: [Prefix]]
    ) {
        lines = zip(key, locations).map { Line(selector: $0.selector, location: $1) }
        matcher = PlaceMatcher(key)
        // Of two that name the same prefix the last one counts, as in the table.
        var byPrefix: [Prefix: Int] = [:]
        for override in RankingBuilder.overrides(of: key, systemNetworks) {
            byPrefix[override.prefix] = override.line
        }
        numbers = PrefixNumbers(byPrefix.map { ($0.key, $0.value) })
    }

    init(_ measurements: [Measurement]) {
        self.measurements = measurements
        numbers = PrefixNumbers(measurements.enumerated().map { ($1.prefix, $0) })
    }

    /// The number of what is written for the longest prefix around an address; nil: nothing is.
    func number(around address: IPAddress) -> Int? {
        numbers.find(address.embeddedIPv4?.address ?? address)
    }

    /// Nil: no map has a part in it.
    func line(for address: IPAddress, in place: Place) -> Line? {
        guard !lines.isEmpty else { return nil }
        return (number(around: address) ?? matcher.line(for: place)).map { lines[$0] }
    }

    /// Nil: nothing was measured around the address.
    func measurement(from address: IPAddress) -> Measurement? {
        guard !measurements.isEmpty else { return nil }
        return number(around: address).map { measurements[$0] }
    }
}

/// Finds the number of the longest prefix around an address, among a few or a million.
private struct PrefixNumbers {
    /// From each start on that number holds, up to the next one; nil: no prefix is around.
    private struct Start {
        var bits: UInt128
        var number: Int?
    }

    private var ipv4: [Start]
    private var ipv6: [Start]

    /// Each prefix once.
    init(_ prefixes: [(prefix: Prefix, number: Int)]) {
        ipv4 = PrefixNumbers.starts(of: prefixes.filter { $0.prefix.family == .ipv4 })
        ipv6 = PrefixNumbers.starts(of: prefixes.filter { $0.prefix.family == .ipv6 })
    }

    func find(_ address: IPAddress) -> Int? {
        let starts = address.family == .ipv4 ? ipv4 : ipv6
        // The last that does not lie behind the address is before `high`.
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle].bits <= address.bits { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? starts[low - 1].number : nil
    }

    private static func starts(of prefixes: [(prefix: Prefix, number: Int)]) -> [Start] {
        var starts: [Start] = []
        // Prefixes around the one at hand, outermost first, with their last bits.
        var open: [(last: UInt128, number: Int)] = []
        func begin(_ bits: UInt128, _ number: Int?) {
            if starts.last?.bits == bits { starts.removeLast() }
            starts.append(Start(bits: bits, number: number))
        }
        func close(before bits: UInt128?) {
            while let inner = open.last, bits.map({ inner.last < $0 }) ?? true {
                open.removeLast()
                if inner.last < .max { begin(inner.last + 1, open.last?.number) }
            }
        }
        let sorted = prefixes.sorted {
            ($0.prefix.address.bits, $0.prefix.length)
                < ($1.prefix.address.bits, $1.prefix.length)
        }
        for (prefix, number) in sorted {
            let bits = prefix.address.bits
            close(before: bits)
            begin(bits, number)
            let size = prefix.length == 0 ? .max : UInt128.max >> UInt128(prefix.length)
            open.append((bits | size, number))
        }
        close(before: nil)
        return starts
    }
}
