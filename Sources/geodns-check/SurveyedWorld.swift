import Addressing
import DNSWire
import Geography
import Health
import Loader
import Steering

/// One side of a survey: a world with some targets down, and what it answers.
struct SurveyedWorld {
    let world: World
    /// Numbers of the plan's endpoints; all others are up.
    let down: Set<Int>
    let answers: AnswerTable

    /// Ends the program when a label names nothing.
    init(_ world: World, labelledDown labels: [String]) {
        let (down, unknown) = world.plan.endpoints(labelled: labels)
        if !unknown.isEmpty { failForUnknown(unknown, in: world) }
        self.init(world, down: down)
    }

    init(_ world: World, down: Set<Int>) {
        self.world = world
        self.down = down
        answers = AnswerTable(
            world.plan, health: HealthTable(),
            probes: world.plan.probes.indices.map { ProbeIdentifier($0) }, forcedDown: down)
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
