import Addressing
package import DNSWire
package import Geography
import Steering

/// How many clients get another answer from one world than from another, and what that does to
/// those who carry them.
package struct Movement {
    /// From one target to another.
    package struct Move: Hashable {
        package var from: String
        package var to: String
    }

    /// What a region, or a target outside of all regions, has of all clients.
    package struct Load {
        package var label: String
        package var before = 0.0
        package var after = 0.0
        /// Nil: unlimited.
        package var capacity: UInt32?
    }

    package let name: DomainName
    package let demand: Demand
    /// The first world does not steer this name: nobody loses anything.
    package let isNew: Bool
    /// Of all clients that count.
    package let portion: Double
    /// Of those: mean of kilometers to the target after, less those before; nil when no place or no
    /// target has coordinates.
    package let fartherKilometers: Double?
    /// Country and move, and the part of all clients; largest first.
    package let moves: [(country: String, move: Move, portion: Double)]
    /// What each target of the second world takes; largest first.
    package let targets: [(label: String, portion: Double)]
    /// By label.
    package let loads: [Load]
    /// Of all: those that are answered although nothing is up, or get nothing.
    package let stranded: Double
    /// Of the second world what full regions hand on, and to whom; largest first.
    package let spilled: [(from: String, to: String, amount: Double)]

    /// Those that get more than they can carry.
    package var overloaded: [Load] {
        guard let total = demand.total else { return [] }
        return loads.filter { load in
            // Sums of portions are not exact, and shares are dealt by 32 bits.
            load.capacity.map { load.after * total > Double($0) * (1 + 1e-6) } ?? false
        }
    }

    package init(
        _ name: DomainName, _ demand: Demand, from before: SurveyedWorld,
        to after: SurveyedWorld, source: some LocationSource
    ) {
        self.name = name
        self.demand = demand
        isNew = before.geoName(name) == nil
        spilled = after.spilled
        let groups = ClientGroups(name, demand, before, after, source)
        var tally = MovementTally(before, after, source.places)
        for (group, weight) in groups.weights {
            tally.add(groups.outlooks[group.outlooks], group.place, weight)
        }
        let total = tally.total > 0 ? tally.total : 1
        moves = tally.moves.flatMap { country, moves in
            moves.map { (country: country, move: $0.key, portion: $0.value / total) }
        }.sorted {
            ($1.portion, $0.country, $0.move.from, $0.move.to)
                < ($0.portion, $1.country, $1.move.from, $1.move.to)
        }
        portion = moves.reduce(0) { $0 + $1.portion }
        targets = tally.targets.map { (label: $0.key, portion: $0.value / total) }
            .sorted { ($1.portion, $0.label) < ($0.portion, $1.label) }
        loads = tally.loads.values.map { load in
            var load = load
            load.before /= total
            load.after /= total
            return load
        }.sorted { $0.label < $1.label }
        stranded = tally.stranded / total
        fartherKilometers =
            tally.farther.weight > 0 ? tally.farther.sum / tally.farther.weight : nil
    }
}

/// Clients of one place that get the same before, and the same after. There are few of them among a
/// million networks, and thinking about one costs more than finding it.
private struct ClientGroups {
    struct Group: Hashable {
        /// Index into `outlooks`.
        var outlooks: Int
        var place: PlaceIndex
    }

    private(set) var outlooks: [(before: Outlook, after: Outlook)] = []
    /// In an order that does not change from run to run: sums of numbers depend on it.
    let weights: [(key: Group, value: Double)]

    init(
        _ name: DomainName, _ demand: Demand, _ before: SurveyedWorld, _ after: SurveyedWorld,
        _ source: some LocationSource
    ) {
        let numbers = (before.geoName(name), after.geoName(name))
        var known: [UInt64: Int] = [:]
        var weights: [Group: Double] = [:]
        var outlooks: [(before: Outlook, after: Outlook)] = []
        var current = 0
        demand.forEachPart(in: source) { address in
            let old = numbers.0.map { before.answers.way(name: $0, around: address) }
            let new = numbers.1.map { after.answers.way(name: $0, around: address) }
            let both = RandomSource.mix(old?.way ?? 0) &+ (new?.way ?? 0)
            if let index = known[both] {
                current = index
            } else {
                current = outlooks.count
                known[both] = current
                outlooks.append(
                    (
                        numbers.0.map { before.answers.outlook(name: $0, around: address) }
                            ?? Outlook(),
                        numbers.1.map { after.answers.outlook(name: $0, around: address) }
                            ?? Outlook()
                    ))
            }
            return max(old?.scope ?? 0, new?.scope ?? 0)
        } _: { _, place, weight in
            guard place != 0 || demand.countsUnknown else { return }
            weights[Group(outlooks: current, place: place), default: 0] += weight
        }
        self.outlooks = outlooks
        self.weights = weights.sorted {
            ($0.key.outlooks, $0.key.place) < ($1.key.outlooks, $1.key.place)
        }
    }
}

/// Sums over groups of clients.
private struct MovementTally {
    private let before: SurveyedWorld
    private let after: SurveyedWorld
    private let places: [Place]
    private(set) var total = 0.0
    /// By country.
    private(set) var moves: [String: [Movement.Move: Double]] = [:]
    private(set) var targets: [String: Double] = [:]
    private(set) var loads: [String: Movement.Load] = [:]
    private(set) var stranded = 0.0
    private(set) var farther = (sum: 0.0, weight: 0.0)

    init(_ before: SurveyedWorld, _ after: SurveyedWorld, _ places: [Place]) {
        self.before = before
        self.after = after
        self.places = places
    }

    mutating func add(
        _ outlooks: (before: Outlook, after: Outlook), _ place: PlaceIndex, _ weight: Double
    ) {
        total += weight
        for share in outlooks.before.shares {
            for (label, capacity, part) in before.carriers(share.outcome) {
                loads[label, default: Movement.Load(label: label, capacity: capacity)].before +=
                    weight * share.portion * part
            }
        }
        for share in outlooks.after.shares {
            for (label, capacity, part) in after.carriers(share.outcome) {
                loads[label, default: Movement.Load(label: label, capacity: capacity)].after +=
                    weight * share.portion * part
                loads[label]?.capacity = capacity
            }
            targets[after.answers.label(of: share.outcome), default: 0] += weight * share.portion
            if share.reason == .lastResort || share.outcome == .nothing {
                stranded += weight * share.portion
            }
        }
        for difference in differences(outlooks) { add(difference, place, weight) }
    }

    private mutating func add(_ difference: Difference, _ place: PlaceIndex, _ weight: Double) {
        let (from, to, portion) = difference
        let country = places[place].country ?? places[place].continent ?? "?"
        let move = Movement.Move(
            from: from.map { before.answers.label(of: $0) } ?? "nothing",
            to: to.map { after.answers.label(of: $0) } ?? "nothing")
        moves[country, default: [:]][move, default: 0] += weight * portion
        guard let client = places[place].coordinates,
            let old = from.flatMap({ before.coordinates($0) }),
            let new = to.flatMap({ after.coordinates($0) })
        else { return }
        let more = GreatCircle.kilometers(client, new) - GreatCircle.kilometers(client, old)
        farther.sum += more * weight * portion
        farther.weight += weight * portion
    }

    private typealias Difference = (
        from: Decision.Outcome?, to: Decision.Outcome?, portion: Double
    )

    /// What each outcome loses, dealt to those that gain in proportion to their gains.
    private func differences(_ outlooks: (before: Outlook, after: Outlook)) -> [Difference] {
        var change: [String: (outcome: Decision.Outcome, lost: Double)] = [:]
        var gained: [String: (outcome: Decision.Outcome, portion: Double)] = [:]
        for share in outlooks.before.shares {
            change[before.answer(share.outcome), default: (share.outcome, 0)].lost += share.portion
        }
        for share in outlooks.after.shares {
            let answer = after.answer(share.outcome)
            let kept = min(change[answer]?.lost ?? 0, share.portion)
            change[answer]?.lost -= kept
            let more = share.portion - kept
            if more > 1e-9 { gained[answer, default: (share.outcome, 0)].portion += more }
        }
        let lost = change.values.filter { $0.lost > 1e-9 }
        // A name that one of the two worlds does not have.
        if outlooks.before.shares.isEmpty {
            return gained.values.map { (nil, $0.outcome, $0.portion) }
        }
        if outlooks.after.shares.isEmpty { return lost.map { ($0.outcome, nil, $0.lost) } }
        let total = gained.values.reduce(0) { $0 + $1.portion }
        return lost.flatMap { loser in
            gained.values.map { (loser.outcome, $0.outcome, loser.lost * $0.portion / total) }
        }
    }
}
