import Addressing
import DNSWire
import Geography
import Steering
import TestSupport
import Testing

/// Accounts of single answers say on which line of which file the client's order stands.
@Suite struct PolicyLineTests {
    private static let zoneText = zone(
        """
        fra REGION 50.03 8.57
         A 192.0.2.1
        nrt REGION 35.76 140.39
         A 192.0.2.2
        app GEO map=atlas
        twin GEO map=copy
        fast GEO fastest fra nrt rtt=rtt.csv
        both GEO failover app
        atlas MAP default nearest
         MAP country=ZA nrt fra
         MAP city=DE-HE/Frankfurt fra
         MAP net=10.0.0.0/8 nrt
         MAP net=2001:db8::/32 fra
         MAP file=partners.csv
        copy MAP default nearest
         MAP country=ZA nrt fra
        """)

    private static let files = [
        "partners.csv": "# ours\n10.1.0.0/16,fra\n\n  10.1.2.0/24 , nearest\n",
        "rtt.csv": """
        198.51.100.0/24,fra,90,3
        198.51.100.0/24,fra,50
        198.51.100.0/24,nrt,12.5
        198.51.100.128/25,nrt,5
        203.0.113.0/24,fra,40
        """,
    ]

    private static func source() throws -> MemoryLocationSource {
        MemoryLocationSource([
            (
                try #require(Prefix("41.0.0.0/8")),
                Place(country: "ZA", coordinates: Coordinates(latitude: -26, longitude: 28))
            ),
            (
                try #require(Prefix("141.0.0.0/8")),
                Place(
                    country: "DE", subdivision: "DE-HE", city: "Frankfurt",
                    coordinates: Coordinates(latitude: 50, longitude: 8.6))
            ),
            (
                try #require(Prefix("203.0.113.0/24")),
                Place(country: "JP", coordinates: Coordinates(latitude: 35.7, longitude: 139.7))
            ),
        ])
    }

    private func explanation(
        _ name: String, _ client: String, keepsLines: Bool = true
    ) throws -> Explanation {
        let source = try PolicyLineTests.source()
        let world = try load(
            [("example.com", PolicyLineTests.zoneText)], source: source,
            files: PolicyLineTests.files, keepsLines: keepsLines)
        let address = try #require(IPAddress(client))
        return world.snapshot().answers.explain(
            name: try world.geo("\(name).example.com."), client: Client(source: address),
            place: source.places[source.lookup(address).place], seed: 1)
    }

    @Test(arguments: [
        ("41.1.2.3", "country=ZA", "example.com.zone", 15),
        ("141.1.2.3", "city=DE-HE/Frankfurt", "example.com.zone", 16),
        ("8.8.8.8", "default", "example.com.zone", 14),
        ("10.200.0.1", "net=10.0.0.0/8", "example.com.zone", 17),
        ("10.1.200.1", "net=10.1.0.0/16", "partners.csv", 2),
        ("10.1.2.200", "net=10.1.2.0/24", "partners.csv", 4),
        ("2001:db8::1", "net=2001:db8::/32", "example.com.zone", 18),
        // Looked up as the IPv4 address that they carry.
        ("::ffff:10.1.2.3", "net=10.1.2.0/24", "partners.csv", 4),
        ("2002:0a01:0203::1", "net=10.1.2.0/24", "partners.csv", 4),
    ])
    func ofAMap(_ client: String, _ selector: String, _ file: String, _ line: Int) throws {
        let steps = try explanation("app", client).steps
        let found = try #require(steps.last?.line)
        #expect("\(found.selector)" == selector)
        #expect(found.location.file.hasSuffix(file))
        #expect(found.location.line == line)
        // Of a nested name the last step has it.
        let nested = try explanation("both", client).steps
        #expect(nested.map { $0.line?.location.line } == [nil, line])
    }

    /// Two maps that say the same share a table, and each is told as its own.
    @Test func mapsThatAreAlikeKeepTheirLines() throws {
        #expect(try explanation("twin", "41.1.2.3").steps.last?.line?.location.line == 21)
        #expect(try explanation("app", "41.1.2.3").steps.last?.line?.location.line == 15)
    }

    @Test func ofMeasurements() throws {
        let step = try #require(try explanation("fast", "198.51.100.7").steps.last)
        #expect(step.line == nil)
        #expect(step.measuredPrefix == Prefix("198.51.100.0/24"))
        #expect(step.candidates.map(\.label) == ["nrt", "fra"])
        #expect(step.candidates.map { $0.roundTrip?.milliseconds } == [12.5, 80])
        #expect(step.candidates.map { $0.roundTrip?.rows.map(\.line) } == [[3], [1, 2]])
        // What the longer prefix lacks it has from the shorter.
        let inner = try #require(try explanation("fast", "198.51.100.200").steps.last)
        #expect(inner.measuredPrefix == Prefix("198.51.100.128/25"))
        #expect(inner.candidates.map { $0.roundTrip?.rows.map(\.line) } == [[4], [1, 2]])
        // And what nobody has measured is guessed: 20 µs a kilometre.
        let guessed = try #require(try explanation("fast", "203.0.113.7").steps.last)
        #expect(guessed.candidates.map(\.label) == ["nrt", "fra"])
        let near = try #require(guessed.candidates.first)
        #expect(near.roundTrip?.rows.isEmpty == true)
        #expect(
            abs((near.roundTrip?.milliseconds ?? 0) - (near.kilometers ?? 0) * 0.02) < 1e-9)
        #expect(guessed.candidates.last?.roundTrip?.rows.map(\.line) == [5])
        // Around others nothing was measured: distance decides, in kilometres.
        let far = try #require(try explanation("fast", "141.1.2.3").steps.last)
        #expect(far.measuredPrefix == nil)
        #expect(far.candidates.allSatisfy { $0.roundTrip == nil })
    }

    /// Prefixes inside one another and side by side, against a look at each of them.
    @Test(arguments: 0..<20 as Range<UInt64>) func theLongestPrefixHasIt(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x6c69_6e65)
        var prefixes: Set<Prefix> = []
        while prefixes.count < 40 {
            let family: IPAddress.Family = random.once(in: 2) ? .ipv4 : .ipv6
            let length = Int.random(in: 0...12, using: &random)
            let bits = UInt128(UInt64.random(in: 0...3, using: &random)) << 126
            let low = UInt128(UInt64.random(in: 0...7, using: &random)) << 117
            prefixes.insert(
                Prefix(IPAddress(leftAligned: bits | low, family: family), length: length))
        }
        let lines = prefixes.sorted { "\($0)" < "\($1)" }
        let text = lines.map { " MAP net=\($0) fra\n" }.joined()
        let world = try load(
            [
                (
                    "example.com",
                    zone("fra REGION 0 0\n A 192.0.2.1\napp GEO map=m\nm MAP default fra\n" + text)
                )
            ], keepsLines: true)
        let name = try world.geo("app.example.com.")
        let answers = world.snapshot().answers
        for _ in 0..<200 {
            let address = random.address(in: random.pick(lines))
            guard address.embeddedIPv4 == nil else { continue }
            let steps = answers.explain(
                name: name, client: Client(source: address), place: .unknown, seed: 1
            ).steps
            let found = try #require(steps.last?.line)
            let longest = try #require(
                lines.filter { $0.contains(address) }.max { $0.length < $1.length })
            #expect("\(found.selector)" == "net=\(longest)", "seed \(seed), \(address)")
        }
    }

    /// A server has no use for any of it.
    @Test func areKeptOnlyWhenAskedFor() throws {
        let step = try #require(
            try explanation("app", "41.1.2.3", keepsLines: false).steps.last)
        #expect(step.line == nil)
        #expect(step.candidates.map(\.label) == ["nrt", "fra"])
    }
}
