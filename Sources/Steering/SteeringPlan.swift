package import Addressing
package import DNSWire
package import Diagnostics
package import Geography
package import Health
import Tables
package import Zones

/// Everything about steering that the zones and the location database decide, before health:
/// checked, resolved to indexes, immutable.
package final class SteeringPlan: Sendable {
    /// Every check of every address, each once.
    package let probes: [Probe]
    package let regions: [Region]
    package let endpoints: [Endpoint]
    /// Ways to pick a target; GEO names that steer alike share one.
    package let selectors: [Selector]
    /// One for each GEO record, in the order `ZoneTableBuilder` numbers them.
    package let names: [GeoName]
    package let rankings: [Ranking]
    /// For numbers of GEO names, where the words of their policies stand; empty unless they were
    /// asked for.
    let lines: [Int: PolicyLines]
    /// Some name has one TTL while all is firm, and another while it is not.
    package let hasTTLRanges: Bool
    /// Some name deals shares by what probes measure.
    package let balances: Bool
    /// Slots of all selectors that spill: what their answers are counted as.
    package let slotCount: Int
    /// Of each selector the first one; nil: it does not spill.
    private let firstSlots: [Int?]
    /// `rankings`, as queries read them.
    let tables: FrozenArray<LocationTable.View>

    init(
        probes: [Probe], regions: [Region], endpoints: [Endpoint], selectors: [Selector],
        names: [GeoName], rankings: [Ranking], lines: [Int: PolicyLines] = [:]
    ) {
        self.probes = probes
        self.regions = regions
        self.endpoints = endpoints
        self.selectors = selectors
        self.names = names
        self.rankings = rankings
        self.lines = lines
        balances = selectors.contains { $0.balance != nil }
        var slotCount = 0
        firstSlots = selectors.map { selector in
            guard selector.spills else { return nil }
            defer { slotCount += SteeringPlan.slotCount(of: selector, rankings) }
            return slotCount
        }
        self.slotCount = slotCount
        hasTTLRanges = names.contains { $0.ttl.maximum != $0.ttl.minimum }
        // SAFETY: the plan holds the rankings, and with them their tables, for as long as it lives.
        tables = FrozenArray(rankings.map { unsafe $0.table.view })
    }

    /// An endpoint that some selector holds when it keeps going up and down, for so long at most.
    package struct Hold: Hashable, Sendable {
        package var endpoint: Int
        package var longest: Duration
    }

    /// Each once, in order.
    package var holds: [Hold] {
        var seen: Set<Hold> = []
        return selectors.filter { $0.hold > .zero }.flatMap { selector in
            selector.targets.compactMap { target in
                guard case .endpoint(let index) = target else { return nil }
                let hold = Hold(endpoint: index, longest: selector.hold)
                return seen.insert(hold).inserted ? hold : nil
            }
        }
    }

    /// Those of one selector, by order, for A, and then for AAAA where both are independent; nil:
    /// it does not spill.
    func slots(of selector: Int) -> Range<Int>? {
        guard let first = firstSlots[selector] else { return nil }
        return first..<first + SteeringPlan.slotCount(of: selectors[selector], rankings)
    }

    private static func slotCount(of selector: Selector, _ rankings: [Ranking]) -> Int {
        var count = 1
        if case .ranked(let ranking) = selector.method { count = rankings[ranking].orders.count }
        return selector.isIndependent ? 2 * count : count
    }

    /// Queries for A and for AAAA are decided apart: those that take turns must not take each
    /// other's, as resolvers ask for both.
    var decidesByFamily: Bool {
        selectors.contains { $0.method == .weighted(by: .turn) || $0.isIndependent }
    }

    var isSomeIndependent: Bool { selectors.contains(where: \.isIndependent) }

    /// No GEO name anywhere.
    package static let empty = SteeringPlan(
        probes: [], regions: [], endpoints: [], selectors: [], names: [], rankings: [])

    /// How many GEO names one decision may pass through.
    package static let nestingMax = 8
    /// And with the one before them that tells clients apart (`AnswerTable+Clients.swift`).
    static let stepMax = nestingMax + 1
    /// How often what is dealt is dealt again: among equals or while a target ramps, and then
    /// where one is full.
    static let dealMax = 2
}

extension SteeringPlan {
    /// The endpoints an operator means by `label`: all of a region's, or the one of that name;
    /// relative to its zone or in full.
    package func endpoints(labelled label: String) -> [Int] {
        let full = DomainName(label)
        let region = regions.firstIndex { $0.label == label || $0.name == full }
        return endpoints.indices.filter { index in
            endpoints[index].label == label || endpoints[index].name == full
                || (region != nil && endpoints[index].region == region)
        }
    }

    /// Those of several labels, and the labels that no target bears.
    package func endpoints(labelled labels: [String]) -> (found: Set<Int>, unknown: [String]) {
        let matches = labels.map { endpoints(labelled: $0) }
        let unknown = zip(labels, matches).filter { $0.1.isEmpty }.map(\.0)
        return (Set(matches.joined()), unknown)
    }
}

/// A datacenter: a REGION record.
package struct Region: Sendable {
    package var name: DomainName
    /// The name relative to its zone, as operators write it.
    package var label: String
    package var record: RegionRecord
    /// Its own front doors.
    package var endpoint: Int
}

/// Addresses that are answered together and judged together: a region's, a service's in a region,
/// or those of a plain name.
package struct Endpoint: Sendable {
    package struct Address: Sendable {
        package var address: IPAddress
        /// One for each name whose checks it has; all must be met. Empty: never checked, always up.
        package var checks: [CheckGroup]

        /// Of all its checks.
        package var probes: [Int] { checks.flatMap(\.probes) }
    }

    /// The CHECK records at one name.
    package struct CheckGroup: Hashable, Sendable {
        /// Indexes into the plan's probes.
        package var probes: [Int]
        /// How many of them must pass.
        package var quorum: Int
    }

    /// Owner of the address records.
    package var name: DomainName
    package var label: String
    /// Index of the region it stands in.
    package var region: Int?
    package var addresses: [Address]
    package var require: RegionRecord.Requirement
}

/// What a policy may pick.
package enum Target: Hashable, Sendable {
    /// Index of an endpoint.
    case endpoint(Int)
    /// Number of another GEO name.
    case name(Int)
    /// A name outside our zones, answered as CNAME.
    case external(DomainName)
}

/// How one or more GEO names pick among their targets.
package struct Selector: Hashable, Sendable {
    package enum Method: Hashable, Sendable {
        /// The first that is up in the order of a ranking (`nearest`, `map=`).
        case ranked(ranking: Int)
        /// The first that is up in the order written.
        case failover
        case weighted(by: GeoRecord.Share)
        /// Every one that is up.
        case all
    }
    package enum LastResort: Hashable, Sendable {
        case all
        case first
        case none
        /// The label as written, like `labels`.
        case target(Target, label: String)
    }

    package var method: Method
    package var targets: [Target]
    /// As written, one for each target.
    package var labels: [String]
    package var weights: [UInt32]
    package var backups: [Target]
    package var backupLabels: [String]
    package var lastResort: LastResort
    package var usesClientSubnet: Bool
    /// What an answer by the first choice of this method is called.
    package var reason: Reason
    /// The longest time that a target is held, see `HoldTable`; zero: none is.
    package var hold = Duration.zero
    /// Of so many targets at most the addresses are answered.
    package var answers = 1
    /// How long a target that comes back takes until it has all of its clients again.
    package var ramp = Duration.zero
    /// Percent of capacity or targets below which health is ignored; 0: never.
    package var panic = 0
    /// How clients are dealt that a target is to share with others.
    package var by = GeoRecord.Share.client
    /// So many of the best are left out.
    package var skip = 0
    /// Percent of the best distance within which targets are equals.
    package var within = 0
    /// A and AAAA are answered each by the state of its own addresses.
    package var isIndependent = false
    /// What its shares go by, besides weights.
    package var balance: Balance?
    /// A target that is full hands clients on.
    package var spills = false

    /// The first that is up is all there is to say.
    var isPlain: Bool {
        answers == 1 && ramp == .zero && skip == 0 && within == 0 && !isIndependent && !spills
    }

    /// Shares go by weight.
    var hasWeights: Bool { if case .weighted = method { true } else { false } }
}

/// What shares go by where they follow the load.
package enum Balance: Hashable, Sendable {
    /// The least connections, of the front doors' reports.
    case connections
    /// The least time to answer a probe.
    case responseTime
    /// The fewer connections of two that are drawn.
    case twoChoices
}

/// One GEO record.
package struct GeoName: Sendable {
    package var name: DomainName
    package var selector: Int
    package var ttl: TTLRange
    package var location: SourceLocation
    /// What all its clients make together, in the unit of capacities; nil: not told.
    package var demand: Double?
}

/// Orders of targets by place, and the table that finds an address's order.
package struct Ranking: Sendable {
    package var table: LocationTable
    /// Positions in the selector's targets, best first.
    package var orders: [[Int]]
    /// For each order, and each place in it, the last place whose target is about as near
    /// (`within=`); empty when nothing is.
    package var reach: [[Int]]
    /// Where the targets stand, for those that have coordinates; for distances in explanations.
    package var sites: [Site?]
    /// For each order, for each place in it, what is lost by that against the first, in `Spill`'s
    /// steps; empty where nobody spills. Orders are then told apart by it, too.
    var extras: [[UInt16]] = []
    /// For each order how many IPv4 addresses of known place have it; empty where nobody spills.
    var addressCounts: [Double] = []
}

/// Why an answer is what it is; the names are a contract that others script against.
package enum Reason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case `static`
    case nearest
    case map
    case failover
    case weighted
    case hash
    case all
    case load
    case fastest
    case `default`
    // From here on nothing is ordinary (`isSpecial`).
    /// An operator has ordered it.
    case override
    case backup
    case lastResort
    case ramp
    /// The better target has as much as it can carry.
    case spill
    case panic

    /// Something other than a policy's ordinary choice: it is the reason of the whole decision.
    @inline(__always)
    var isSpecial: Bool { rawValue >= Reason.override.rawValue }

    /// Of a decision that goes on with another policy: the first special one stays, but what an
    /// operator has ordered gives way to any other, for an alarm is told whoever caused it.
    @inline(__always)
    func followed(by next: Reason) -> Reason {
        if rawValue < Reason.override.rawValue { return next }
        let isOrder = rawValue == Reason.override.rawValue
        return isOrder && next.rawValue > Reason.override.rawValue ? next : self
    }

    package var name: String {
        switch self {
        case .static: "static"
        case .nearest: "nearest"
        case .map: "map"
        case .failover: "failover"
        case .weighted: "weighted"
        case .hash: "hash"
        case .all: "all"
        case .load: "load"
        case .fastest: "fastest"
        case .default: "default"
        case .override: "override"
        case .backup: "backup"
        case .lastResort: "last-resort"
        case .ramp: "ramp"
        case .spill: "spill"
        case .panic: "panic"
        }
    }
}
