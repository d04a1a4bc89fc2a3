import Addressing
import DNSWire
import GeoSources
import Geography
import Steering

/// How many clients get another answer from one world than from another, and what that does to
/// those who carry them.
struct Movement {
    /// From one target to another.
    struct Move: Hashable {
        var from: String
        var to: String
    }

    /// What a region, or a target outside of all regions, has of all clients.
    struct Load {
        var label: String
        var before = 0.0
        var after = 0.0
        /// Nil: unlimited.
        var capacity: UInt32?
    }

    let name: DomainName
    let demand: Demand
    /// Of all clients that count.
    private(set) var portion = 0.0
    /// Of those: mean of kilometers to the target after, less those before; nil when no place or no
    /// target has coordinates.
    private(set) var fartherKilometers: Double?
    /// Country and move, and the part of all clients; largest first.
    private(set) var moves: [(country: String, move: Move, portion: Double)] = []
    /// What each target of the second world takes; largest first.
    private(set) var targets: [(label: String, portion: Double)] = []
    /// By label.
    private(set) var loads: [Load] = []
    /// Of all: those that are answered although nothing is up, or get nothing.
    private(set) var stranded = 0.0

    /// Those that get more than they can carry.
    var overloaded: [Load] {
        guard let total = demand.total else { return [] }
        return loads.filter { load in
            // Sums of portions are not exact.
            load.capacity.map { load.after * total > Double($0) * (1 + 1e-9) } ?? false
        }
    }

    init(
        _ name: DomainName, _ demand: Demand, from before: SurveyedWorld,
        to after: SurveyedWorld, database: MaxMindDatabase
    ) {
        self.name = name
        self.demand = demand
        let names = (before.geoName(name), after.geoName(name))
        var total = 0.0
        var byCountry: [String: [Move: Double]] = [:]
        var targets = Matrix.Count()
        var loads: [String: Load] = [:]
        var farther = (sum: 0.0, weight: 0.0)
        var outlooks = (Outlook(), Outlook())
        let places = database.places
        demand.forEachPart(in: database) { address in
            outlooks = (
                names.0.map { before.answers.outlook(name: $0, around: address) } ?? Outlook(),
                names.1.map { after.answers.outlook(name: $0, around: address) } ?? Outlook()
            )
            return max(outlooks.0.scope, outlooks.1.scope)
        } _: { _, place, weight in
            guard place != 0 || demand.countsUnknown else { return }
            total += weight
            for share in outlooks.0.shares {
                for (label, capacity, part) in before.carriers(share.outcome) {
                    loads[label, default: Load(label: label, capacity: capacity)].before +=
                        weight * share.portion * part
                }
            }
            for share in outlooks.1.shares {
                for (label, capacity, part) in after.carriers(share.outcome) {
                    loads[label, default: Load(label: label, capacity: capacity)].after +=
                        weight * share.portion * part
                    loads[label]?.capacity = capacity
                }
                targets.byTarget[after.answers.label(of: share.outcome), default: 0] +=
                    weight * share.portion
                if share.reason == .lastResort || share.outcome == .nothing {
                    stranded += weight * share.portion
                }
            }
            for (from, to, portion) in Movement.differences(outlooks, before, after) {
                let country = places[place].country ?? places[place].continent ?? "?"
                let move = Move(
                    from: from.map { before.answers.label(of: $0) } ?? "nothing",
                    to: to.map { after.answers.label(of: $0) } ?? "nothing")
                byCountry[country, default: [:]][move, default: 0] += weight * portion
                if let client = places[place].coordinates,
                    let old = from.flatMap({ before.coordinates($0) }),
                    let new = to.flatMap({ after.coordinates($0) })
                {
                    let more =
                        GreatCircle.kilometers(client, new) - GreatCircle.kilometers(client, old)
                    farther.sum += more * weight * portion
                    farther.weight += weight * portion
                }
            }
        }
        guard total > 0 else { return }
        moves = byCountry.flatMap { country, moves in
            moves.map { (country: country, move: $0.key, portion: $0.value / total) }
        }.sorted {
            ($1.portion, $0.country, $0.move.to) < ($0.portion, $1.country, $1.move.to)
        }
        portion = moves.reduce(0) { $0 + $1.portion }
        self.targets = targets.targets
        self.loads = loads.values.map { load in
            var load = load
            load.before /= total
            load.after /= total
            return load
        }.sorted { $0.label < $1.label }
        stranded /= total
        if farther.weight > 0 { fartherKilometers = farther.sum / farther.weight }
    }

    private typealias Difference = (
        from: Decision.Outcome?, to: Decision.Outcome?, portion: Double
    )

    /// What each outcome loses, dealt to those that gain in proportion to their gains.
    private static func differences(
        _ outlooks: (Outlook, Outlook), _ before: SurveyedWorld, _ after: SurveyedWorld
    ) -> [Difference] {
        var change: [String: (outcome: Decision.Outcome, lost: Double)] = [:]
        var gained: [String: (outcome: Decision.Outcome, portion: Double)] = [:]
        for share in outlooks.0.shares {
            change[before.answer(share.outcome), default: (share.outcome, 0)].lost += share.portion
        }
        for share in outlooks.1.shares {
            let answer = after.answer(share.outcome)
            let kept = change[answer]?.lost ?? 0
            change[answer]?.lost = max(kept - share.portion, 0)
            let more = share.portion - kept
            if more > 1e-9 { gained[answer, default: (share.outcome, 0)].portion += more }
        }
        let lost = change.values.filter { $0.lost > 1e-9 }
        // A name that one of the two worlds does not have.
        if outlooks.0.shares.isEmpty { return gained.values.map { (nil, $0.outcome, $0.portion) } }
        if outlooks.1.shares.isEmpty { return lost.map { ($0.outcome, nil, $0.lost) } }
        let total = gained.values.reduce(0) { $0 + $1.portion }
        return lost.flatMap { loser in
            gained.values.map { (loser.outcome, $0.outcome, loser.lost * $0.portion / total) }
        }
    }
}
