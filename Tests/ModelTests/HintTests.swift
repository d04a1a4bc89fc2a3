import Addressing
import DNSWire
import Geography
import Loader
import Steering
import TestSupport
import Testing

/// SVCB and HTTPS at GEO names of random worlds: hints are what A and AAAA answer the same client,
/// read by a parser that shares nothing with the server.
@Suite struct Hints {
    private static let seeds: [UInt64] = Array(0..<12)

    @Test(arguments: seeds) func areTheAddressesOfTheSameDecision(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ 0x4817)
        var hintCount = 0
        for number in 0..<12 {
            var model = SteeringModel.random(&random)
            let hosts = model.geos.filter { !model.leadsOutside($0.label) }
            let text =
                model.zoneText
                + hosts.map { geo in
                    """
                    \(geo.label) 45 HTTPS 1 . alpn=h2 port=8443 key65400=x
                    \(geo.label) 45 HTTPS 3 . ech=AAAA
                    \(geo.label) 45 SVCB 0 elsewhere.example.net.
                    \(geo.label) 45 SVCB 2 \(geo.label) alpn=h3

                    """
                }.joined()
            let world = try load(
                [("example.com", text)], source: model.source, files: model.files)
            for _ in 0..<3 {
                model.drawHealth(&random)
                let snapshot = world.snapshot(
                    down: model.down, ramping: model.ramping, figures: model.figures)
                var asker = Asker(snapshot, seed: random.next())
                for geo in hosts {
                    let name = try #require(DomainName("\(geo.label).example.com"))
                    let source = SteeringModel.client(&random)
                    let client = SteeringModel.client(&random)
                    let subnet = Prefix(client, length: client.family.bitCount)
                    let comment: Comment =
                        "seed \(seed), world \(number), \(geo.label) for \(client):\n\(text)"
                    func ask(_ type: RRType) throws -> Message {
                        try asker.ask(name, type, from: source, subnet: subnet)
                    }
                    let bindings = try ask(.https)
                    #expect(bindings.answers.count == 2, comment)
                    let (ipv4, ipv6) = (try ask(.a), try ask(.aaaa))
                    for record in bindings.answers {
                        let binding = try #require(Binding(record.rdata), comment)
                        guard !model.isDrawn(geo.label) else { continue }
                        #expect(
                            binding.hints(4, byteCount: 4) == ipv4.answers.map(\.rdata), comment)
                        #expect(
                            binding.hints(6, byteCount: 16) == ipv6.answers.map(\.rdata), comment)
                        let ttl = ([45] + (ipv4.answers + ipv6.answers).map(\.ttl)).min()
                        #expect(record.ttl <= ttl ?? 0, comment)
                        if !model.isApart(geo.label), ipv4.answers.count > 0 {
                            #expect(record.ttl == min(45, ipv4.answers[0].ttl), comment)
                        }
                        hintCount += ipv4.answers.count + ipv6.answers.count
                    }
                    // Both may have looked, and each has said how far its answer holds.
                    if !model.isDrawn(geo.label) {
                        #expect(
                            bindings.clientSubnetScope
                                == max(ipv4.clientSubnetScope ?? 0, ipv6.clientSubnetScope ?? 0),
                            comment)
                    }
                    let service = try ask(.svcb)
                    let priorities = service.answers.map { $0.rdata[1] }
                    #expect(priorities.sorted() == [0, 2], comment)
                    for record in service.answers where record.rdata[1] == 0 {
                        #expect(try #require(Binding(record.rdata)).parameters.isEmpty, comment)
                    }
                }
            }
        }
        #expect(hintCount > 50)
    }

    /// Turns are those of the addresses; draws are drawn for hints, too.
    @Test func whatGoesInTurnShowsWhoseTurnItIs() throws {
        let world = try load([
            (
                "example.com",
                zone(
                    """
                    one A 192.0.2.1
                    two A 192.0.2.2
                    turns GEO round-robin one two
                          HTTPS 1 .
                    dice  GEO random one two
                          HTTPS 1 .

                    """)
            )
        ])
        var asker = Asker(world.snapshot())
        func address(_ name: String, _ type: RRType) throws -> UInt8 {
            let message = try asker.ask(try #require(DomainName("\(name).example.com")), type)
            return try #require(message.answers.first?.rdata.last)
        }
        for turn in 0..<20 {
            let expected = UInt8(1 + turn % 2)
            for _ in 0..<3 { #expect(try address("turns", .https) == expected) }
            #expect(try address("turns", .a) == expected)
        }
        let drawn = try (0..<400).map { _ in Int(try address("dice", .https)) }
        #expect((120...280).contains(drawn.count { $0 == 1 }))
    }

    /// What could not be sent is refused with the zone.
    @Test func whatWouldNotFitIsAnError() throws {
        let addresses = (0..<3000).map { "big A 10.0.\($0 / 250).\($0 % 250)\n" }.joined()
        func problems(_ records: ClosedRange<Int>) -> [String] {
            let bindings = records.map { "app HTTPS \($0) .\n" }.joined()
            return ZoneLoader.load(
                zones: [("example.com", zone(addresses + "app GEO failover big\n" + bindings))],
                source: MemoryLocationSource([])
            ).diagnostics.filter { $0.severity == .error }.map(\.description)
        }
        #expect(problems(1...1) == [])
        let many = problems(1...6)
        #expect(many.count == 1)
        #expect(
            many.first?.contains(
                "error: the HTTPS records of this name take up to 72138 bytes with the addresses of its "
                    + "targets as hints, more than the 60000 that fit into a message") == true,
            "\(many)")
    }
}

/// RDATA of SVCB and HTTPS (RFC 9460 §2.2); nil unless the keys ascend.
private struct Binding {
    var parameters: [(key: Int, value: [UInt8])] = []

    init?(_ rdata: [UInt8]) {
        var position = 2
        while rdata[position] != 0 { position += 1 + Int(rdata[position]) }
        position += 1
        while position < rdata.count {
            guard position + 4 <= rdata.count else { return nil }
            let key = Int(rdata[position]) << 8 | Int(rdata[position + 1])
            let count = Int(rdata[position + 2]) << 8 | Int(rdata[position + 3])
            guard position + 4 + count <= rdata.count, parameters.last?.key ?? -1 < key else {
                return nil
            }
            parameters.append((key, Array(rdata[position + 4..<position + 4 + count])))
            position += 4 + count
        }
    }

    func hints(_ key: Int, byteCount: Int) -> [[UInt8]] {
        let value = parameters.first { $0.key == key }?.value ?? []
        return stride(from: 0, to: value.count, by: byteCount).map {
            Array(value[$0..<min(value.count, $0 + byteCount)])
        }
    }
}

extension SteeringModel {
    /// Whether a CNAME to a name outside may be the answer: then nothing may stand beside it.
    func leadsOutside(_ label: String) -> Bool {
        guard let geo = geo(label) else { return label.hasSuffix(".") }
        return (targets(of: geo) + geo.backups + [geo.lastResort]).contains { leadsOutside($0) }
    }
}
