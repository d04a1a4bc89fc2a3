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

    /// Who carries the clients that get this, and how many it can.
    func carrier(_ outcome: Decision.Outcome) -> (label: String, capacity: UInt32?) {
        guard case .endpoint(let index) = outcome,
            let number = world.plan.endpoints[index].region
        else { return (answers.label(of: outcome), nil) }
        let region = world.plan.regions[number]
        return (region.label, region.record.capacity)
    }

    /// Nil when nothing is steered at `name`.
    func geoName(_ name: DomainName) -> Int? { world.zones.geoName(at: name) }

    /// Where an endpoint's region stands.
    func coordinates(_ outcome: Decision.Outcome) -> Coordinates? {
        guard case .endpoint(let index) = outcome,
            let region = world.plan.endpoints[index].region
        else { return nil }
        let record = world.plan.regions[region].record
        return Coordinates(latitude: record.latitude, longitude: record.longitude)
    }

    /// What a client would notice: the label, and where the addresses come from.
    func answer(_ outcome: Decision.Outcome) -> String {
        guard case .endpoint(let index) = outcome else { return answers.label(of: outcome) }
        let addresses = world.plan.endpoints[index].addresses.map { "\($0.address)" }
        return ([answers.label(of: outcome)] + addresses).joined(separator: " ")
    }
}

extension Prefix {
    /// How many addresses it has.
    var addressCount: Double {
        Double(sign: .plus, exponent: family.bitCount - length, significand: 1)
    }
}
