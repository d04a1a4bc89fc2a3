import Addressing
import DNSWire
import Geography
import Loader
import Steering

/// One side of a survey: a world with some targets down, and what it answers.
struct SurveyedWorld {
    let world: World
    /// Numbers of the plan's endpoints.
    private let down: Set<Int>
    private let drained: Set<Int>
    private let standing: Standing
    let answers: AnswerTable

    /// Ends the program when a label of the changes names nothing. `standing`: of that world.
    init(_ world: World, _ changes: Changes, _ standing: Standing) {
        let (world, down, drained) = world.changed(changes)
        self.init(world, down: down, drained: drained, standing)
    }

    private init(_ world: World, down: Set<Int>, drained: Set<Int>, _ standing: Standing) {
        self.world = world
        self.down = down
        self.drained = drained
        self.standing = standing
        answers = standing.answers(world.plan, down: down, drained: drained)
    }

    /// The same with these down, too.
    func failing(_ more: Set<Int>) -> SurveyedWorld {
        SurveyedWorld(world, down: down.union(more), drained: drained, standing)
    }

    /// Who carries the clients that get this, how many it can carry, and which part of them it is
    /// that comes to each.
    func carriers(
        _ outcome: Decision.Outcome
    ) -> [(label: String, capacity: UInt32?, part: Double)] {
        let endpoints = answers.endpoints(of: outcome)
        guard !endpoints.isEmpty else { return [(answers.label(of: outcome), nil, 1)] }
        // Of several that are answered together each client takes any.
        let part = 1 / Double(endpoints.count)
        return endpoints.map { index in
            let endpoint = world.plan.endpoints[index]
            guard let region = endpoint.region.map({ world.plan.regions[$0] }) else {
                return (endpoint.label, nil, part)
            }
            return (region.label, region.record.capacity, part)
        }
    }

    /// Nil when nothing is steered at `name`.
    func geoName(_ name: DomainName) -> Int? { world.zones.geoName(at: name) }

    /// Where an endpoint's region stands; of several the first.
    func coordinates(_ outcome: Decision.Outcome) -> Coordinates? {
        guard let index = answers.endpoints(of: outcome).first,
            let region = world.plan.endpoints[index].region
        else { return nil }
        let record = world.plan.regions[region].record
        return Coordinates(latitude: record.latitude, longitude: record.longitude)
    }

    /// What a client would notice: the label, and where the addresses come from.
    func answer(_ outcome: Decision.Outcome) -> String {
        let addresses = answers.endpoints(of: outcome).flatMap { index in
            world.plan.endpoints[index].addresses.map { "\($0.address)" }
        }
        return ([answers.label(of: outcome)] + addresses).joined(separator: " ")
    }
}

extension Prefix {
    /// How many addresses it has.
    var addressCount: Double {
        Double(sign: .plus, exponent: family.bitCount - length, significand: 1)
    }
}
