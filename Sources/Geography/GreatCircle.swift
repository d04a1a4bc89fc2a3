/// Distances on a spherical Earth.
///
/// The functions are our own, not the C library's, whose last digit differs between versions and
/// machines: two servers with the same inputs must order targets the same way.
package enum GreatCircle {
    /// Mean radius (IUGG).
    static let earthRadiusKilometers = 6371.0088

    /// Great-circle distance.
    package static func kilometers(_ from: Coordinates, _ to: Coordinates) -> Double {
        kilometers(UnitVector(from), UnitVector(to))
    }

    static func kilometers(_ from: UnitVector, _ to: UnitVector) -> Double {
        // The chord is exact for near points, where the arc cosine is not.
        let chord = from.squaredDistance(to: to).squareRoot()
        return 2 * earthRadiusKilometers * arcSine(min(1, chord / 2))
    }

    /// Of an angle in degrees.
    static func sine(degrees: Double) -> Double {
        var angle = degrees.remainder(dividingBy: 360)
        // Into -90…90, where the sine is the same.
        if angle > 90 { angle = 180 - angle }
        if angle < -90 { angle = -180 - angle }
        let x = angle * .pi / 180
        // Taylor's series; for |x| ≤ π/2 the term after x^23 is below 2⁻⁵³.
        var term = x
        var sum = x
        for n in stride(from: 2.0, through: 22.0, by: 2.0) {
            term *= -x * x / (n * (n + 1))
            sum += term
        }
        return sum
    }

    static func cosine(degrees: Double) -> Double { sine(degrees: 90 - abs(degrees)) }

    /// For 0…1.
    static func arcSine(_ value: Double) -> Double {
        // Halving the angle three times (sin(a/2) = s / √(2(1 + cos a))) brings it below 0.2, where
        // the series converges fast.
        var s = value
        for _ in 0..<3 { s /= (2 * (1 + (1 - s * s).squareRoot())).squareRoot() }
        var power = s
        var sum = s
        for n in stride(from: 1.0, through: 29.0, by: 2.0) {
            power *= s * s * n / (n + 1)
            sum += power / (n + 2)
        }
        return sum * 8
    }
}

/// A point on the unit sphere.
struct UnitVector {
    var x: Double
    var y: Double
    var z: Double

    init(_ point: Coordinates) {
        let level = GreatCircle.cosine(degrees: point.latitude)
        x = level * GreatCircle.cosine(degrees: point.longitude)
        y = level * GreatCircle.sine(degrees: point.longitude)
        z = GreatCircle.sine(degrees: point.latitude)
    }

    func squaredDistance(to other: UnitVector) -> Double {
        let (dx, dy, dz) = (x - other.x, y - other.y, z - other.z)
        return dx * dx + dy * dy + dz * dz
    }
}

/// A site that clients are sent to by distance.
package struct Site: Hashable, Sendable {
    package var coordinates: Coordinates
    /// -99…99: grows (+) or shrinks (−) the catchment.
    package var bias: Int

    package init(_ coordinates: Coordinates, bias: Int = 0) {
        self.coordinates = coordinates
        self.bias = bias
    }

    /// Distance as Route 53's geoproximity bias has it: d·(1−b/100), or d/(1+b/100) for b < 0.
    package func biased(kilometers: Double) -> Double {
        let share = Double(bias) / 100
        return bias >= 0 ? kilometers * (1 - share) : kilometers / (1 + share)
    }
}

/// Orders sites by distance; made once for a set of sites, used for every place.
package struct DistanceOrder {
    private let sites: [(site: Site, vector: UnitVector)]

    package init(_ sites: [Site]) {
        self.sites = sites.map { ($0, UnitVector($0.coordinates)) }
    }

    /// Indexes of the sites, nearest first; equal distances and unknown places keep the order the
    /// sites were given in.
    package func order(from place: Coordinates?) -> [Int] {
        order(by: costs(from: place, measured: nil))
    }

    /// The same by `measured` milliseconds where there are any, one for each site, below 0 for one
    /// that was not measured: for that they are guessed from the distance. `reach` tells for each
    /// place in the order the last one that is at most so many percent farther; what is neither
    /// measured nor has a distance is as near as nothing else, and comes last. Empty for 0 percent.
    package func order(
        from place: Coordinates?, measured: [Double]?, within percent: Int
    ) -> (order: [Int], reach: [Int]) {
        let costs = costs(from: place, measured: measured)
        let order = order(by: costs)
        guard percent > 0 else { return (order, []) }
        let reach = order.indices.map { index in
            let cost = costs[order[index]]
            guard cost.isFinite else { return index }
            let limit = cost * (1 + Double(percent) / 100)
            return order.lastIndex { costs[$0] <= limit } ?? index
        }
        return (order, reach)
    }

    /// What each site costs, in kilometers with bias; for measured times how far that would be.
    /// Infinite where nothing is known.
    package func kilometers(from place: Coordinates?, measured: [Double]? = nil) -> [Double] {
        let costs = costs(from: place, measured: measured)
        return measured == nil ? costs : costs.map { $0 / DistanceOrder.millisecondsPerKilometer }
    }

    private func order(by costs: [Double]) -> [Int] {
        sites.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
    }

    /// Of a kilometer, there and back: light in glass takes a hundredth of a millisecond, and the
    /// ways of the Internet are about twice as long as the great circle.
    private static let millisecondsPerKilometer = 0.02

    /// What is taken for the round trip where none was measured.
    package static func milliseconds(kilometers: Double) -> Double {
        kilometers * millisecondsPerKilometer
    }

    /// Kilometers, or milliseconds where some were measured; with bias.
    private func costs(from place: Coordinates?, measured: [Double]?) -> [Double] {
        let here = place.map { UnitVector($0) }
        let scale = measured == nil ? 1 : DistanceOrder.millisecondsPerKilometer
        return sites.indices.map { index in
            let (site, vector) = sites[index]
            if let time = measured?[index], time >= 0 { return site.biased(kilometers: time) }
            guard let here else { return .infinity }
            return site.biased(kilometers: GreatCircle.kilometers(here, vector) * scale)
        }
    }
}
