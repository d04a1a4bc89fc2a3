import Geography
import Glibc
import TestSupport
import Testing

/// The textbook formula with the C library's functions; in kilometers.
private func haversine(_ from: Coordinates, _ to: Coordinates) -> Double {
    func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
    let (phi1, phi2) = (radians(from.latitude), radians(to.latitude))
    let deltaPhi = phi2 - phi1
    let deltaLambda = radians(to.longitude - from.longitude)
    let a =
        pow(sin(deltaPhi / 2), 2) + cos(phi1) * cos(phi2) * pow(sin(deltaLambda / 2), 2)
    return 2 * 6371.0088 * asin(min(1, sqrt(a)))
}

private let meter = 0.001

private func point(_ latitude: Double, _ longitude: Double) -> Coordinates {
    Coordinates(latitude: latitude, longitude: longitude)
}

@Suite struct Distances {
    @Test func randomPointsAreWithinAMeterOfHaversine() {
        var random = SeededGenerator(seed: 6371)
        for _ in 0..<20_000 {
            let from = random.coordinates()
            let to = random.coordinates()
            #expect(abs(GreatCircle.kilometers(from, to) - haversine(from, to)) < meter)
        }
    }

    @Test func nearPointsAreWithinAMeterOfHaversine() {
        var random = SeededGenerator(seed: 6372)
        for _ in 0..<5000 {
            let from = random.coordinates()
            let to = point(
                min(90, max(-90, from.latitude + Double.random(in: -1e-3...1e-3, using: &random))),
                from.longitude + Double.random(in: -1e-3...1e-3, using: &random))
            #expect(abs(GreatCircle.kilometers(from, to) - haversine(from, to)) < meter)
        }
    }

    @Test func antipodesAreHalfTheWayRound() {
        var random = SeededGenerator(seed: 6373)
        for _ in 0..<2000 {
            let from = random.coordinates()
            let to = point(
                -from.latitude, from.longitude > 0 ? from.longitude - 180 : from.longitude + 180)
            #expect(abs(GreatCircle.kilometers(from, to) - 6371.0088 * .pi) < meter)
        }
    }

    @Test func atThePolesTheLongitudeIsOfNoAccount() {
        for longitude in stride(from: -180.0, through: 180, by: 7.5) {
            #expect(GreatCircle.kilometers(point(90, longitude), point(90, 12)) < meter)
            let quarter = GreatCircle.kilometers(point(-90, longitude), point(0, 33))
            #expect(abs(quarter - 6371.0088 * .pi / 2) < meter)
        }
    }

    @Test func theDateLineIsNoBorder() {
        let across = GreatCircle.kilometers(point(10, 179.5), point(10, -179.5))
        #expect(abs(across - GreatCircle.kilometers(point(10, 0), point(10, 1))) < meter)
        #expect(GreatCircle.kilometers(point(-20, 180), point(-20, -180)) < meter)
    }

    @Test func theSamePointIsAtDistanceZero() {
        var random = SeededGenerator(seed: 6374)
        for _ in 0..<1000 {
            let here = random.coordinates()
            #expect(GreatCircle.kilometers(here, here) == 0)
        }
    }

    /// Frankfurt (FRA) to Washington (IAD), New York (JFK) to Tokyo (NRT): 6,540 and 10,830 km.
    @Test func citiesAreWhereTheyAre() {
        let frankfurt = GreatCircle.kilometers(point(50.03, 8.57), point(38.95, -77.45))
        #expect((6520...6560).contains(frankfurt))
        let tokyo = GreatCircle.kilometers(point(40.64, -73.78), point(35.76, 140.39))
        #expect((10_810...10_850).contains(tokyo))
    }
}

@Suite struct Bias {
    /// Route 53's geoproximity bias: d·(1−b/100) for b ≥ 0, d/(1+b/100) below.
    @Test(arguments: [
        (0, 1000.0), (50, 500), (99, 10), (25, 750), (-50, 2000), (-20, 1250), (-99, 100_000),
    ])
    func formula(_ bias: Int, _ expected: Double) {
        let site = Site(point(0, 0), bias: bias)
        #expect(abs(site.biased(kilometers: 1000) - expected) < 1e-6)
        #expect(site.biased(kilometers: 0) == 0)
    }

    @Test func biasMovesTheBorder() {
        // Halfway between the two, and a little to the east of it.
        let client = point(0, 5.5)
        let plain = DistanceOrder([Site(point(0, 0)), Site(point(0, 10))])
        #expect(plain.order(from: client) == [1, 0])
        let grown = DistanceOrder([Site(point(0, 0), bias: 30), Site(point(0, 10))])
        #expect(grown.order(from: client) == [0, 1])
        let shrunk = DistanceOrder([Site(point(0, 0)), Site(point(0, 10), bias: -30)])
        #expect(shrunk.order(from: client) == [0, 1])
    }
}

@Suite struct Orders {
    @Test func equalDistancesKeepTheOrderGiven() {
        let here = Site(point(48, 11))
        let far = Site(point(-33, 151))
        let order = DistanceOrder([far, here, here, far, here])
        #expect(order.order(from: point(50, 10)) == [1, 2, 4, 0, 3])
        // On the equator, as far from one as from the other.
        let sides = DistanceOrder([Site(point(0, 20)), Site(point(0, -20))])
        #expect(sides.order(from: point(0, 0)) == [0, 1])
        let poles = DistanceOrder([Site(point(-90, 0)), Site(point(90, 0))])
        #expect(poles.order(from: point(0, 77)) == [0, 1])
    }

    @Test func anUnknownPlaceKeepsTheOrderGiven() {
        let sites = DistanceOrder([Site(point(80, 0)), Site(point(0, 0)), Site(point(10, 10))])
        #expect(sites.order(from: nil) == [0, 1, 2])
        #expect(DistanceOrder([]).order(from: point(0, 0)) == [])
    }

    @Test func randomOrdersEqualTheSlowOne() {
        var random = SeededGenerator(seed: 6375)
        for _ in 0..<500 {
            let sites = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                Site(random.coordinates(), bias: Int.random(in: -99...99, using: &random))
            }
            let client = random.coordinates()
            let order = DistanceOrder(sites).order(from: client)
            #expect(order.sorted() == Array(sites.indices))
            let distances = order.map {
                sites[$0].biased(kilometers: haversine(client, sites[$0].coordinates))
            }
            #expect(zip(distances, distances.dropFirst()).allSatisfy { $0 <= $1 + meter })
        }
    }
}
