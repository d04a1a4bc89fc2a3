import Addressing
import DNSWire
import Geography
import Health
import Loader
import Steering

/// One side of a survey: a world with some targets down, and what it answers.
struct SurveyedWorld {
    let world: World
    /// Numbers of the plan's endpoints.
    private let down: Set<Int>
    private let drained: Set<Int>
    private let probes: ProbeRun?
    let answers: AnswerTable

    /// Ends the program when a label of the changes names nothing. `probes`: what else is down;
    /// nil: nothing is.
    init(_ world: World, _ changes: Changes, _ probes: ProbeRun?) {
        let (world, down, drained) = world.changed(changes)
        self.init(world, down: down, drained: drained, probes)
    }

    private init(_ world: World, down: Set<Int>, drained: Set<Int>, _ probes: ProbeRun?) {
        self.world = world
        self.down = down
        self.drained = drained
        self.probes = probes
        answers = AnswerTable(
            world.plan, health: probes?.health ?? HealthTable(),
            probes: probes?.identifiers ?? world.plan.probes.indices.map { ProbeIdentifier($0) },
            forcedDown: down, drained: drained)
    }

    /// The same with these down, too.
    func failing(_ more: Set<Int>) -> SurveyedWorld {
        SurveyedWorld(world, down: down.union(more), drained: drained, probes)
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
