import Addressing
import DNSWire
import Diagnostics
import GeoSources
import Geography
import Health
import Loader
import Responder
import Steering
import Zones

/// The engine of the server, fed with made-up queries.
struct Simulation {
    /// What one query gets, and why.
    struct Result {
        var client: Prefix
        var name: DomainName
        var type: RRType
        var response: Message
        /// CNAMEs and the name that was steered; nil when the answer is static.
        var explanation: Explanation?
        var place: Place
        /// The network of the database that holds the client; nil without a database.
        var network: Prefix?

        /// A name's records share one TTL; a chain holds as long as its shortest.
        var ttl: UInt32? { (response.answers + response.authorities).map(\.ttl).min() }
        var reason: Reason { explanation?.reason ?? .static }
        /// ECS scope; 0 when the client's place plays no part.
        var scope: Int { response.clientSubnetScope ?? 0 }
    }

    let world: World
    let database: MaxMindDatabase?
    private let answers: AnswerTable
    private let snapshots: SnapshotCell

    /// Nil, with the words that name nothing, when `down` has labels that no target bears.
    static func make(
        _ world: World, _ database: MaxMindDatabase?, down: [String]
    ) -> (simulation: Simulation?, unknown: [String]) {
        let (forcedDown, unknown) = world.plan.endpoints(labelled: down)
        guard unknown.isEmpty else { return (nil, unknown) }
        return (Simulation(world, database, forcedDown: forcedDown), [])
    }

    private init(_ world: World, _ database: MaxMindDatabase?, forcedDown: Set<Int>) {
        self.world = world
        self.database = database
        let probes = world.plan.probes.indices.map { ProbeIdentifier($0) }
        let snapshot = world.snapshot(HealthTable(), probes: probes, forcedDown: forcedDown)
        answers = snapshot.answers
        snapshots = SnapshotCell(snapshot)
    }

    /// The same draw for the answer and its explanation.
    private static let seed: UInt64 = 1

    func ask(_ name: DomainName, _ type: RRType, from client: Prefix) -> Result? {
        let query = Message.query(
            name, type, subnet: (client.address.bytes, UInt8(client.length)))
        var responder = Responder(snapshots, seed: Simulation.seed)
        var bytes = [UInt8](repeating: 0, count: Responder.streamByteCountMax)
        var span = bytes.mutableSpan
        let count = responder.respond(
            to: query.span, from: client.address, over: .stream, into: &span)
        guard let response = Message(Array(bytes[..<count])) else { return nil }
        let (place, network) = locate(client.address)
        return Result(
            client: client, name: name, type: type, response: response,
            explanation: explain(name, type, response, client, place), place: place,
            network: network)
    }

    private func locate(_ address: IPAddress) -> (Place, Prefix?) {
        guard let database else { return (.unknown, nil) }
        let found = database.lookup(address)
        return (database.places[found.place], found.network)
    }

    /// Follows the answer's CNAMEs to the name that was steered.
    private func explain(
        _ name: DomainName, _ type: RRType, _ response: Message, _ client: Prefix, _ place: Place
    ) -> Explanation? {
        let owners =
            [name]
            + response.answers.filter { $0.type == .cname }
            .compactMap { DomainName(wire: $0.rdata) }
        guard let geo = owners.compactMap({ world.zones.geoName(at: $0) }).first else { return nil }
        // With a prefix of 0 the client does not want to be placed.
        let subnet = client.length > 0 ? client.address : nil
        let explanation = answers.explain(
            name: geo, client: Client(source: client.address, subnet: subnet), place: place,
            family: type == .aaaa ? .ipv6 : .ipv4, seed: Simulation.seed)
        // Another type at a GEO name is ordinary data, unless steering answers with a CNAME.
        let isAddress = type == .a || type == .aaaa || type == .any
        if case .external = explanation.decision.outcome { return explanation }
        return isAddress ? explanation : nil
    }
}
