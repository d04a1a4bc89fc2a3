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
    /// Index of a line or of a measurement.
    private var numbers: [Prefix: Int] = [:]
    /// Lengths of those prefixes, the longest first.
    private var lengths: [Int] = []

    /// Of a map: `key` and `locations` tell of the same lines. `systemNetworks`: of the autonomous
    /// systems that it names.
    init(
        _ key: [RankingKey.Line], at locations: [SourceLocation],
        systemNetworks: [UInt32: [Prefix]]
    ) {
        lines = zip(key, locations).map { Line(selector: $0.selector, location: $1) }
        matcher = PlaceMatcher(key)
        for override in RankingBuilder.overrides(of: key, systemNetworks) {
            numbers[override.prefix] = override.line
        }
        lengths = Set(numbers.keys.map(\.length)).sorted(by: >)
    }

    init(_ measurements: [Measurement]) {
        self.measurements = measurements
        for (number, measurement) in measurements.enumerated() {
            numbers[measurement.prefix] = number
        }
        lengths = Set(numbers.keys.map(\.length)).sorted(by: >)
    }

    /// The number of what is written for the longest prefix around an address; nil: nothing is.
    func number(around address: IPAddress) -> Int? {
        let address = address.embeddedIPv4?.address ?? address
        for length in lengths where length <= address.family.bitCount {
            if let number = numbers[Prefix(address, length: length)] { return number }
        }
        return nil
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
