import Addressing
import DNSWire
import Diagnostics
import Geography
import Loader
import Steering
import Testing

/// What went wrong once.
@Suite struct SteeringPlans {
    private let client = Client(source: IPAddress(ipv4: 0xC000_0201))

    private func chosen(_ world: World, _ name: String, down: Set<IPAddress> = []) throws -> String?
    {
        let answers = world.snapshot(down: down).answers
        return answers.explain(
            name: try world.geo(name), client: client, place: .unknown, seed: 1
        ).target
    }

    /// The sum of weights is kept in 32 bits.
    @Test func weightsThatDoNotFitTogetherAreAnError() {
        let text = zone(
            """
            a A 192.0.2.1
            b A 192.0.2.2
            www GEO weighted a:4294967295 b:1
            """)
        let (world, diagnostics) = ZoneLoader.load(
            zones: [("example.com", text)], source: MemoryLocationSource([]))
        #expect(world == nil)
        #expect(diagnostics.count == 1)
        #expect(diagnostics.first?.location?.line == 8)
        #expect(diagnostics.first?.message.contains("weights") == true)
    }

    @Test func weightsThatJustFitAreServed() throws {
        let world = try load([
            ("example.com", zone("a A 192.0.2.1\nb A 192.0.2.2\nwww GEO weighted a:4294967294 b:1"))
        ])
        #expect(try chosen(world, "www.example.com") == "a")
    }

    /// Names are one whatever their case (RFC 4343).
    @Test func aMapFindsItsTargetsWhateverTheirCase() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    fra REGION 50 8
                        A 192.0.2.1
                    iad REGION 38 -77
                        A 192.0.2.2
                    atlas MAP default FRA iad
                          MAP net=192.0.2.0/24 iad Fra
                    listed GEO map=atlas fra IAD
                    whole GEO map=atlas
                    """)
            )
        ])
        #expect(try chosen(world, "listed.example.com") == "IAD")
        #expect(try chosen(world, "whole.example.com") == "iad")
        #expect(world.plan.rankings.allSatisfy { $0.orders.allSatisfy { $0.count == 2 } })
    }

    /// A service's addresses are checked as their region's, also where another name lists them as
    /// plain addresses, which nothing checks.
    @Test func aServiceKeepsItsRegionsChecksBesideAPlainTarget() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    fra REGION 50 8 check=web
                        A 192.0.2.1
                    iad REGION 38 -77 check=web
                        A 192.0.2.2
                    api.fra A 192.0.2.11
                    api.iad A 192.0.2.12
                    plain GEO failover api.fra api.iad
                    api GEO failover fra iad service=api
                    """)
            )
        ])
        let down: Set = [try #require(IPAddress("192.0.2.11"))]
        #expect(try chosen(world, "api.example.com", down: down) == "iad")
        #expect(try chosen(world, "plain.example.com", down: down) == "api.fra")
    }

    /// Weight 0: the target is known and gets nothing, so it keeps no name up.
    @Test func aTargetWithoutWeightKeepsNoNameUp() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    fra REGION 50 8 check=web
                        A 192.0.2.1
                    iad REGION 38 -77 check=web
                        A 192.0.2.2
                    nrt REGION 35 139 check=web
                        A 192.0.2.3
                    inner GEO weighted fra:0 iad:1
                    outer GEO failover inner nrt
                    """)
            )
        ])
        let down: Set = [try #require(IPAddress("192.0.2.2"))]
        #expect(try chosen(world, "outer.example.com", down: down) == "nrt")
    }

    /// Explanations call a target of `last-resort=` what its zone calls it.
    @Test(arguments: [
        ("last", "last"), ("fra", "fra"), ("plain", "plain"), ("x.example.net.", "x.example.net."),
    ])
    func theLastResortIsCalledAsItIsWritten(_ written: String, _ label: String) throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    fra REGION 50 8 check=web
                        A 192.0.2.1
                    iad REGION 38 -77 check=web
                        A 192.0.2.2
                    api.iad A 192.0.2.12
                    api.fra A 192.0.2.13
                    plain A 192.0.2.9
                    last GEO failover plain
                    api GEO failover iad service=api last-resort=\(written)
                    """)
            )
        ])
        let down: Set = [try #require(IPAddress("192.0.2.12"))]
        let answers = world.snapshot(down: down).answers
        let explanation = answers.explain(
            name: try world.geo("api.example.com"), client: client, place: .unknown, seed: 1)
        #expect(explanation.steps.first?.chosen == label)
        #expect(explanation.reason == .lastResort)
    }

    /// Records that say the same in the same words are read and resolved once. Whatever is wrong
    /// with them is told of each, in its place.
    @Test func whatIsWrongWithEqualRecordsIsToldOfEach() throws {
        let regions = "fra REGION 50 8\n A 192.0.2.1\niad REGION 38 -77\n A 192.0.2.2\n"
        func lines(_ record: String) -> [Int?] {
            let text = zone(regions + (1...3).map { "www\($0) \(record)\n" }.joined())
            let (_, diagnostics) = ZoneLoader.load(
                zones: [("example.com", text)], source: MemoryLocationSource([]))
            return diagnostics.filter { !$0.message.contains("check") }.map(\.location?.line)
        }
        // Unknown, written twice, without a place, no number, no effect, and a cycle.
        #expect(lines("GEO nearest fra nowhere") == [10, 11, 12])
        #expect(lines("GEO nearest fra fra") == [10, 11, 12])
        #expect(lines("GEO nearest fra ns1") == [10, 11, 12])
        #expect(lines("GEO weighted fra:x iad") == [10, 11, 12])
        #expect(lines("GEO weighted fra iad demand=7") == [10, 11, 12])
        #expect(lines("GEO failover fra www1").count == 1)
        #expect(lines("GEO failover fra other.example.net.") == [])
        #expect(lines("GEO nearest fra iad") == [])
    }

    /// The same words mean something else where names end otherwise, and in another zone.
    @Test func equalWordsOfOtherOriginsAreOtherTargets() throws {
        let regions = "fra REGION 50 8\n A 192.0.2.1\niad REGION 38 -77\n A 192.0.2.2\n"
        let geo = "www 30 GEO failover fra iad\n"
        let world = try load([
            (
                "example.com",
                zone(
                    regions + geo + "$ORIGIN sub.example.com.\n" + geo + "again" + geo.dropFirst(3)
                        + regions.replacing("192.0.2.", with: "198.51.100."))
            ),
            ("example.org", zone(geo + regions.replacing("192.0.2.", with: "203.0.113."))),
        ])
        func addresses(_ name: String) throws -> [String] {
            let selector = world.plan.selectors[world.plan.names[try world.geo(name)].selector]
            return selector.targets.flatMap { target -> [String] in
                guard case .endpoint(let index) = target else { return [] }
                return world.plan.endpoints[index].addresses.map(\.address.description)
            }
        }
        #expect(try addresses("www.example.com") == ["192.0.2.1", "192.0.2.2"])
        #expect(try addresses("www.sub.example.com") == ["198.51.100.1", "198.51.100.2"])
        #expect(try addresses("again.sub.example.com") == ["198.51.100.1", "198.51.100.2"])
        #expect(try addresses("www.example.org") == ["203.0.113.1", "203.0.113.2"])
    }

    /// What stands between two records counts even if it is not kept; what names another file of
    /// measurements is another record.
    @Test func aRecordThatIsNotKeptIsNotTheOneBefore() throws {
        let text = zone(
            """
            fra REGION 50 8
                A 192.0.2.1
            iad REGION 38 -77
                A 192.0.2.2
            one 30 GEO failover fra iad
            two 5-60-7 GEO failover iad fra
            three 30 GEO failover iad fra demand=9
            four 60 GEO failover iad fra demand=9
            """)
        let (world, diagnostics) = ZoneLoader.load(
            zones: [("example.com", text.replacing("5-60-7", with: "30"))],
            source: MemoryLocationSource([]))
        let plan = try #require(world?.plan, "\(diagnostics)")
        #expect(
            plan.names.map { plan.selectors[$0.selector].labels }
                == [["fra", "iad"], ["iad", "fra"], ["iad", "fra"], ["iad", "fra"]])
        #expect(plan.names.map(\.demand) == [nil, nil, 9, 9])
        #expect(plan.names.map(\.ttl.maximum) == [30, 30, 30, 60])
        let bad = ZoneLoader.load(
            zones: [("example.com", text)], source: MemoryLocationSource([]))
        #expect(bad.world == nil)
        #expect(bad.diagnostics.filter { $0.severity == .error }.count == 1)
    }
}
