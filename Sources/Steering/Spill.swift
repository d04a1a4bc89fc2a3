/// Clients of a region that is over its capacity are handed to their next best one (`spill=`).
///
/// A *slot* is a part of a selector's clients that have the same order of targets and lose about
/// the same by each: what is counted, planned and dealt as one. A *source* is what of a slot has
/// one first choice: all of it, unless targets ramp or are equals.
package enum Spill {
    /// What losing is counted in: differences below it are told apart by nobody, and scopes of
    /// answers stay wide.
    static let stepKilometers = 100.0
    /// What the next target costs where no distance is known: by a map or an order as written.
    static let unknownSteps: UInt16 = 10

    /// For each place in an order what is lost against the first, in steps; never less than by the
    /// place before it. `kilometers`: nil where they are not known.
    static func extras(_ kilometers: [Double?]) -> [UInt16] {
        var result: [UInt16] = []
        for (index, distance) in kilometers.enumerated() {
            let last = result.last ?? 0
            guard index > 0 else {
                result.append(0)
                continue
            }
            guard let distance, let first = kilometers[0] else {
                result.append(last > .max - unknownSteps ? .max : last + unknownSteps)
                continue
            }
            let steps = ((distance - first) / stepKilometers).rounded()
            result.append(max(last, UInt16(min(max(steps, 0), Double(UInt16.max)))))
        }
        return result
    }

    /// Of a source: its slot and its first choice, a position in the selector's targets.
    package struct Key: Hashable, Sendable {
        var slot: Int
        var head: Int
    }

    /// What of a source goes to a target, a position in the selector's targets; above 0.
    struct Portion: Hashable, Sendable {
        var target: Int
        var part: Double
    }

    /// Who is handed on, and where to; nobody is missing a source.
    package struct Shares: Hashable, Sendable {
        var portions: [Key: [Portion]] = [:]

        package init() {}

        package var isEmpty: Bool { portions.isEmpty }
    }

    /// What is up for a source.
    struct Source: Equatable, Sendable {
        struct Option: Equatable, Sendable {
            /// -1: none of the targets, but a backup or the like.
            var target: Int
            /// Index; nil: it stands in none.
            var region: Int?
            var extra: UInt16
        }

        var key: Key
        /// Which part of the slot it is.
        var portion: Double
        /// Best first; one alone where nobody may be handed on.
        var options: [Option]
    }
}

/// The demand of this moment, laid out over the regions that are up.
package struct SpillPlan: Sendable {
    /// Empty when every region can carry its own.
    package private(set) var shares = Spill.Shares()
    /// Of the regions, in the unit of capacities: what they would have if nothing were handed on,
    /// and what they have.
    package private(set) var wanted: [Double]
    package private(set) var loads: [Double]
    /// By how much the capacity of a region is passed because all that could help are full, too;
    /// 1: it is not.
    package private(set) var overloads: [Double]
    /// What is handed from one region to another, or to what stands in none (nil).
    package private(set) var moves: [Move: Double] = [:]

    package struct Move: Hashable, Sendable {
        package var from: Int
        package var to: Int?
    }

    /// `demands`: of each slot. `capacities`: of each region; nil: unlimited.
    init(_ sources: [Spill.Source], demands: [Double], capacities: [Double?]) {
        wanted = SpillPlan.loads(sources, demands, capacities.count) { source in [(0, 1)] }
        loads = wanted
        overloads = capacities.map { _ in 1 }
        let isOver = zip(wanted, capacities).contains { load, capacity in
            capacity.map { load > $0 } ?? false
        }
        guard isOver else { return }
        let solution = SpillSolver.solve(
            sources.map { source in
                SpillSolver.Source(
                    demand: demands[source.key.slot] * source.portion,
                    options: source.options.map { .init(region: $0.region, extra: $0.extra) })
            }, capacities: capacities)
        (loads, overloads) = (solution.loads, solution.overloads)
        for (source, portions) in zip(sources, solution.portions) where portions[0] < 1 {
            shares.portions[source.key] = zip(source.options, portions).filter { $0.1 > 0 }.map {
                Spill.Portion(target: $0.target, part: $1)
            }
        }
        moves = SpillPlan.moves(sources, demands, shares)
    }

    /// What each region has when the options of each source get those parts of it.
    private static func loads(
        _ sources: [Spill.Source], _ demands: [Double], _ regionCount: Int,
        _ parts: (Spill.Source) -> [(option: Int, part: Double)]
    ) -> [Double] {
        var loads = [Double](repeating: 0, count: regionCount)
        for source in sources {
            for (option, part) in parts(source) {
                guard let region = source.options[option].region else { continue }
                loads[region] += demands[source.key.slot] * source.portion * part
            }
        }
        return loads
    }

    /// The same under `shares`.
    static func loads(
        _ sources: [Spill.Source], demands: [Double], _ shares: Spill.Shares, regionCount: Int
    ) -> [Double] {
        loads(sources, demands, regionCount) { $0.parts(shares) }
    }

    static func moves(
        _ sources: [Spill.Source], _ demands: [Double], _ shares: Spill.Shares
    ) -> [Move: Double] {
        var moves: [Move: Double] = [:]
        for source in sources where shares.portions[source.key] != nil {
            guard let home = source.options[0].region else { continue }
            for (option, part) in source.parts(shares) where option > 0 && part > 0 {
                moves[Move(from: home, to: source.options[option].region), default: 0] +=
                    demands[source.key.slot] * source.portion * part
            }
        }
        return moves
    }
}

extension Spill.Source {
    /// Which of its options get which part under `shares`: of targets that are no longer up the
    /// others have their parts, and when none of them is up the first has all.
    func parts(_ shares: Spill.Shares) -> [(option: Int, part: Double)] {
        guard let portions = shares.portions[key] else { return [(0, 1)] }
        let known = options.enumerated().compactMap { index, option in
            portions.first { $0.target == option.target }.map { (option: index, part: $0.part) }
        }
        let total = known.reduce(0) { $0 + $1.part }
        guard total > 0 else { return [(0, 1)] }
        return known.map { ($0.option, $0.part / total) }
    }
}
