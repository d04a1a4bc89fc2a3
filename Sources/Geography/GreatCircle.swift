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
        guard let place else { return Array(sites.indices) }
        return order(by: distances(from: place))
    }

    /// With it, for each place in the order, the last one that is at most so many percent farther.
    /// Where the client's place is unknown nothing is as near as another.
    package func order(
        from place: Coordinates?, within percent: Int
    ) -> (order: [Int], reach: [Int]) {
        guard let place else { return (Array(sites.indices), Array(sites.indices)) }
        let distances = distances(from: place)
        let order = order(by: distances)
        let reach = order.map { site in
            let limit = distances[site] * (1 + Double(percent) / 100)
            return (order.lastIndex { distances[$0] <= limit }) ?? 0
        }
        return (order, reach)
    }

    private func order(by distances: [Double]) -> [Int] {
        sites.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
    }

    private func distances(from place: Coordinates) -> [Double] {
        let here = UnitVector(place)
        return sites.map { site, vector in
            site.biased(kilometers: GreatCircle.kilometers(here, vector))
        }
    }
}
