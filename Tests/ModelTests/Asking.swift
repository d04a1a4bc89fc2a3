import Addressing
import DNSWire
import Diagnostics
import Geography
import Health
import Loader
import Responder
import Steering
import Testing

/// Zones in memory, loaded as the server loads them.
func load(
    _ zones: [(origin: String, text: String)],
    source: some LocationSource = MemoryLocationSource([]), files: [String: String] = [:],
    keepsLines: Bool = false
) throws -> World {
    let (world, diagnostics) = ZoneLoader.load(
        zones: zones, source: source, files: files, keepsLines: keepsLines)
    return try #require(world, "\(diagnostics.map(\.description).joined(separator: "\n"))")
}

/// SOA and NS of a zone, and what `text` adds.
func zone(_ text: String) -> String {
    """
    $TTL 1h
    @ SOA ns1 hostmaster 1 2h 30m 2w 1m
      NS ns1
    ns1 A 192.0.2.53
    web CHECK tcp 80

    """ + text
}

extension World {
    var probeIdentifiers: [ProbeIdentifier] { plan.probes.indices.map { ProbeIdentifier($0) } }

    /// Every probe of an address in `down` has failed, all others have passed.
    func health(down: Set<IPAddress>) -> HealthTable {
        var health = HealthTable()
        for (index, probe) in plan.probes.enumerated() {
            health[ProbeIdentifier(index)] = down.contains(probe.address) ? .down : .up
        }
        return health
    }

    /// `ramping`: percent of their clients that targets get, by label, wherever they ramp.
    /// `figures`: what is measured at each of a target's addresses.
    func snapshot(
        down: Set<IPAddress> = [], ramping: [String: Int] = [:],
        figures: [String: (connections: Double?, milliseconds: Double?)] = [:]
    ) -> Snapshot {
        var health = health(down: down)
        for endpoint in plan.endpoints {
            guard let figures = figures[endpoint.label] else { continue }
            for probe in endpoint.addresses.flatMap(\.probes) {
                health[figuresOf: ProbeIdentifier(probe)] = ProbeFigures(
                    connections: figures.connections, milliseconds: figures.milliseconds)
            }
        }
        let parts = plan.ramps.compactMap { ramp in
            ramping[plan.endpoints[ramp.endpoint].label].map { (ramp, UInt32($0)) }
        }
        return snapshot(
            health, probes: probeIdentifiers,
            ramping: Dictionary(uniqueKeysWithValues: parts))
    }

    /// Number of the GEO name with this owner.
    func geo(_ name: String) throws -> Int {
        let owner = try #require(DomainName(name))
        return try #require(plan.names.firstIndex { $0.name == owner })
    }
}

/// Asks a responder over its bytes, as a resolver would over TCP.
struct Asker: ~Copyable {
    private var responder: Responder

    init(_ snapshot: Snapshot, seed: UInt64 = 1) {
        responder = Responder(SnapshotCell(snapshot), seed: seed)
    }

    mutating func ask(
        _ name: DomainName, _ type: RRType, from source: IPAddress = IPAddress(ipv4: 0xC000_0201),
        subnet: Prefix? = nil
    ) throws -> Message {
        let query = Message.query(
            name, type, subnet: subnet.map { ($0.address.bytes, UInt8($0.length)) })
        var buffer = [UInt8](repeating: 0, count: Responder.streamByteCountMax)
        var span = buffer.mutableSpan
        let count = responder.respond(to: query.span, from: source, over: .stream, into: &span)
        let message = try #require(Message(Array(buffer[..<count])), "\(name) \(type)")
        #expect(count == CompressionModel.byteCount(of: message), "\(name) \(type)")
        return message
    }
}
