import Addressing
import DNSWire
import Diagnostics
import Geography
import Health
import Loader
import Responder
import Steering
import Survey
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
        var whereabouts: Whereabouts
        /// What the database calls itself.
        var databaseType: String?

        /// A name's records share one TTL; a chain holds as long as its shortest.
        var ttl: UInt32? { (response.answers + response.authorities).map(\.ttl).min() }
        var reason: Reason { explanation?.reason ?? .static }
        /// ECS scope; 0 when the client's place plays no part.
        var scope: Int { response.clientSubnetScope ?? 0 }
    }

    /// What is known of a client.
    struct Whereabouts {
        var place: PlaceIndex = 0
        /// The prefix of the database or of the geofeed that holds it; nil without either.
        var network: Prefix?
        /// The line of the geofeed.
        var line: SourceLocation?
        /// The number of its autonomous system.
        var system: UInt32?
    }

    let world: World
    let database: GeoData?
    private let systems: AutonomousSystems?
    let answers: AnswerTable
    private let snapshots: SnapshotCell

    /// Of `world`.
    let standing: Standing

    /// Ends the program when a label of the changes names nothing. `demands`: what clients of each
    /// of these names make; what regions cannot carry is handed on.
    init(
        _ world: World, _ database: GeoData?, _ changes: Changes, _ standing: Standing,
        demands: [(name: DomainName, demand: Demand)] = []
    ) {
        self.database = database
        systems = database?.systemsAtHand
        self.standing = standing
        var supposed = SupposedWorld(world, changes, standing)
        if let database { supposed = supposed.carrying(demands, in: database) }
        self.world = supposed.world
        answers = supposed.surveyed.answers
        snapshots = SnapshotCell(Snapshot(zones: supposed.world.zones, answers: answers))
    }

    /// The same draw for the answer and its explanation.
    static let draws = RandomSource(seed: 1)

    func ask(
        _ name: DomainName, _ type: RRType, from client: Prefix,
        drawing source: RandomSource = Simulation.draws
    ) -> Result? {
        let query = Message.query(
            name, type, subnet: (client.address.bytes, UInt8(client.length)))
        var responder = Responder(snapshots, seed: 0)
        responder.draw(from: source)
        var bytes = [UInt8](repeating: 0, count: Responder.streamByteCountMax)
        var span = bytes.mutableSpan
        let count = responder.respond(
            to: query.span, from: client.address, over: .stream, into: &span)
        guard let response = Message(Array(bytes[..<count])) else { return nil }
        let whereabouts = locate(client.address)
        return Result(
            client: client, name: name, type: type, response: response,
            explanation: explain(name, type, response, client, whereabouts.place, source),
            place: database?.places[whereabouts.place] ?? .unknown, whereabouts: whereabouts,
            databaseType: database?.metadata?.databaseType)
    }

    func locate(_ address: IPAddress) -> Whereabouts {
        guard let database else { return Whereabouts() }
        let (place, network) = database.lookup(address)
        let correction = database.correction(of: address)
        return Whereabouts(
            place: place, network: correction?.prefix ?? network, line: correction?.line,
            system: systems?.number(of: address))
    }

    /// What steers `name`: the GEO name there, or at the end of its CNAMEs.
    func geoName(_ name: DomainName, _ response: Message) -> Int? {
        let owners =
            [name]
            + response.answers.filter { $0.type == .cname }
            .compactMap { DomainName(wire: $0.rdata) }
        return owners.lazy.compactMap { world.zones.geoName(at: $0) }.first
    }

    /// With a prefix of 0 the client does not want to be placed.
    static func client(_ prefix: Prefix) -> Client {
        Client(source: prefix.address, subnet: prefix.length > 0 ? prefix.address : nil)
    }

    /// For each step of a result's explanation how the client's hash chose, where one did.
    func dealings(_ result: Result) -> [Dealing?] {
        guard let geo = geoName(result.name, result.response) else { return [] }
        return answers.dealings(
            name: geo, client: Simulation.client(result.client),
            family: Simulation.family(of: result.type), drawing: Simulation.draws)
    }

    /// For each step how a full region was passed by, or not.
    func spilled(_ result: Result) -> [Spilled?] {
        guard let geo = geoName(result.name, result.response) else { return [] }
        return answers.spilled(
            name: geo, client: Simulation.client(result.client),
            family: Simulation.family(of: result.type), drawing: Simulation.draws)
    }

    /// Of the addresses that are asked for.
    static func family(of type: RRType) -> IPAddress.Family { type == .aaaa ? .ipv6 : .ipv4 }

    private func explain(
        _ name: DomainName, _ type: RRType, _ response: Message, _ client: Prefix,
        _ place: PlaceIndex, _ source: RandomSource
    ) -> Explanation? {
        guard let geo = geoName(name, response) else { return nil }
        let explanation = answers.explain(
            name: geo, client: Simulation.client(client),
            place: database?.places[place] ?? .unknown, family: Simulation.family(of: type),
            drawing: source)
        // Another type at a GEO name is ordinary data, unless steering answers with a CNAME or adds
        // hints.
        let isSteered =
            type == .a || type == .aaaa || type == .any
            || world.zones.takesHints(type, at: world.plan.names[geo].name)
        if case .external = explanation.decision.outcome { return explanation }
        return isSteered ? explanation : nil
    }
}
