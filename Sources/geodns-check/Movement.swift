import Addressing
import DNSWire
import Geography
import Steering

/// How much of the address space gets another answer from one world than from another.
struct Movement {
    /// From one target to another.
    struct Move: Hashable {
        var from: String
        var to: String
    }

    let name: DomainName
    let family: IPAddress.Family
    /// Of all addresses whose place is known.
    private(set) var portion = 0.0
    /// Of those: mean of kilometers to the target after, less those before; nil when no place or no
    /// target has coordinates.
    private(set) var fartherKilometers: Double?
    /// Country and move, and the part of all addresses; largest first.
    private(set) var moves: [(country: String, move: Move, portion: Double)] = []
    /// Of all addresses whose place is known: what each target of the second world takes.
    private(set) var load: [(label: String, portion: Double)] = []
    /// Of all: those that are answered although nothing is up, or get nothing.
    private(set) var stranded = 0.0

    init(
        _ name: DomainName, _ family: IPAddress.Family, from before: SurveyedWorld,
        to after: SurveyedWorld, source: some LocationSource
    ) {
        self.name = name
        self.family = family
        let names = (before.geoName(name), after.geoName(name))
        var total = 0.0
        var byCountry: [String: [Move: Double]] = [:]
        var load = Matrix.Count()
        var farther = (sum: 0.0, weight: 0.0)
        var outlooks = (Outlook(), Outlook())
        let places = source.places
        source.forEachPart(of: family) { address in
            outlooks = (
                names.0.map { before.answers.outlook(name: $0, around: address) } ?? Outlook(),
                names.1.map { after.answers.outlook(name: $0, around: address) } ?? Outlook()
            )
            return max(outlooks.0.scope, outlooks.1.scope)
        } _: { part, place in
            guard place != 0 else { return }
            let addresses = part.addressCount
            total += addresses
            for share in outlooks.1.shares {
                load.byTarget[after.answers.label(of: share.outcome), default: 0] +=
                    addresses * share.portion
                if share.reason == .lastResort || share.outcome == .nothing {
                    stranded += addresses * share.portion
                }
            }
            for (from, to, portion) in Movement.differences(outlooks, before, after) {
                let country = places[place].country ?? places[place].continent ?? "?"
                let move = Move(
                    from: from.map { before.answers.label(of: $0) } ?? "nothing",
                    to: to.map { after.answers.label(of: $0) } ?? "nothing")
                byCountry[country, default: [:]][move, default: 0] += addresses * portion
                if let client = places[place].coordinates,
                    let old = from.flatMap({ before.coordinates($0) }),
                    let new = to.flatMap({ after.coordinates($0) })
                {
                    let more =
                        GreatCircle.kilometers(client, new) - GreatCircle.kilometers(client, old)
                    farther.sum += more * addresses * portion
                    farther.weight += addresses * portion
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
        self.load = load.targets
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
