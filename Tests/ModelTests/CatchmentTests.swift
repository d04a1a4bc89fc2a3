import Addressing
import Geography
import Steering
import TestSupport
import Testing

/// The address space divided by what clients get: nothing is left out or counted twice, and who
/// asks from a part gets what the part says.
@Suite struct Catchments {
    @Test(arguments: 0..<40 as Range<UInt64>) func partsHoldWhatClientsGet(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x636174)
        var model = SteeringModel.random(&random)
        model.drawHealth(&random)
        let source = model.source
        let world = try load(
            [("example.com", model.zoneText)], source: source, files: model.files)
        let answers = world.snapshot(
            down: model.down, ramping: model.ramping, figures: model.figures
        ).answers
        let geo = random.pick(model.geos)
        let comment: Comment = "seed \(seed), \(geo.label):\n\(model.zoneText)"
        let name = try world.geo("\(geo.label).example.com.")
        for family in IPAddress.Family.allCases {
            var parts: [(prefix: Prefix, place: PlaceIndex)] = []
            source.forEachPart(of: family) {
                answers.outlook(name: name, around: $0).scope
            } _: {
                parts.append(($0, $1))
            }
            expectWhole(parts.map(\.prefix), family, comment)
            for part in parts.count < 200 ? parts : parts.shuffled(using: &random).suffix(200) {
                let outlook = answers.outlook(name: name, around: part.prefix.address)
                let sum = outlook.shares.reduce(0) { $0 + $1.portion }
                #expect(abs(sum - 1) < 1e-9, comment)
                for _ in 0..<3 {
                    let address = random.address(in: part.prefix)
                    #expect(
                        answers.outlook(name: name, around: address).shares == outlook.shares,
                        comment)
                    var draws = RandomSource(seed: random.next())
                    let decision = answers.decide(
                        name: name, client: Client(source: address), random: &draws)
                    #expect(
                        outlook.shares.contains {
                            $0.outcome == decision.outcome && $0.reason == decision.reason
                        }, comment)
                }
            }
        }
    }

    /// In order and without a gap, but for the IPv6 forms of IPv4 addresses.
    private func expectWhole(
        _ parts: [Prefix], _ family: IPAddress.Family, _ comment: Comment
    ) {
        let gaps = IPAddress.embeddingPrefixes.filter { $0.family == family }
        let all = (parts + gaps).sorted { $0.address.bits < $1.address.bits }
        var next: UInt128? = 0
        for prefix in all {
            #expect(prefix.address.bits == next, comment)
            let size = prefix.length == 0 ? nil : UInt128(1) << UInt128(128 - prefix.length)
            next = size.flatMap { size in
                let (end, overflow) = prefix.address.bits.addingReportingOverflow(size)
                return overflow ? nil : end
            }
        }
        #expect(next == nil, comment)
        #expect(parts.map(\.address.bits) == parts.map(\.address.bits).sorted(), comment)
    }

    /// Hashed and drawn shares are told as shares.
    @Test func weightsAreShares() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    blue REGION 1 2
                     A 192.0.2.1
                    green REGION 3 4
                     A 192.0.2.2
                    www GEO weighted blue:3 green:1
                    """)
            )
        ])
        let answers = world.snapshot().answers
        let outlook = answers.outlook(
            name: try world.geo("www.example.com."), around: IPAddress(ipv4: 0))
        #expect(outlook.scope == 0)
        #expect(outlook.shares.map { answers.label(of: $0.outcome) } == ["blue", "green"])
        #expect(outlook.shares.map(\.portion) == [0.75, 0.25])
    }
}
