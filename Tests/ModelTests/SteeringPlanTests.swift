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
}
