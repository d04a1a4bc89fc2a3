package import DNSWire
package import Geography
package import Steering
package import Zones

/// One side of a survey: names, and what they answer.
package struct SurveyedWorld {
    package let zones: ZoneTable
    package let answers: AnswerTable
    /// What becomes of the demand that it carries; nil: none is told, or nothing spills.
    package let spill: SpillPlan?

    package init(zones: ZoneTable, answers: AnswerTable, spill: SpillPlan? = nil) {
        self.zones = zones
        self.answers = answers
        self.spill = spill
    }

    /// What regions that are full hand on, and to whom; the most first.
    var spilled: [(from: String, to: String, amount: Double)] {
        let regions = plan.regions
        return (spill?.moves ?? [:]).map { move, amount in
            (regions[move.from].label, move.to.map { regions[$0].label } ?? "elsewhere", amount)
        }.sorted { ($1.amount, $0.from, $0.to) < ($0.amount, $1.from, $1.to) }
    }

    package var plan: SteeringPlan { answers.plan }

    /// Nil when nothing is steered at `name`.
    package func geoName(_ name: DomainName) -> Int? { zones.geoName(at: name) }

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
            let endpoint = plan.endpoints[index]
            guard let region = endpoint.region.map({ plan.regions[$0] }) else {
                return (endpoint.label, nil, part)
            }
            return (region.label, region.record.capacity, part)
        }
    }

    /// Where an endpoint's region stands; of several the first.
    package func coordinates(_ outcome: Decision.Outcome) -> Coordinates? {
        guard let index = answers.endpoints(of: outcome).first,
            let region = plan.endpoints[index].region
        else { return nil }
        let record = plan.regions[region].record
        return Coordinates(latitude: record.latitude, longitude: record.longitude)
    }

    /// What a client would notice: addresses, whatever their region is called; else the name
    /// outside our zones, or that there is nothing.
    func answer(_ outcome: Decision.Outcome) -> String {
        let addresses = answers.endpoints(of: outcome).flatMap { index in
            plan.endpoints[index].addresses.map { "\($0.address)" }
        }
        return addresses.isEmpty
            ? answers.label(of: outcome) : addresses.sorted().joined(separator: " ")
    }
}
