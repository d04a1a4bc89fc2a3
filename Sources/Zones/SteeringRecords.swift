package import Addressing
package import DNSWire
package import Diagnostics
package import Health

/// A name that one record refers to, and where it was written: errors point there.
package struct NameReference: Hashable, Sendable {
    package var name: DomainName
    package var location: SourceLocation

    package init(_ name: DomainName, at location: SourceLocation) {
        self.name = name
        self.location = location
    }
}

/// `REGION <latitude> <longitude> [key=value …]`: where a datacenter stands.
package struct RegionRecord: Sendable {
    /// How many addresses of a family must be up for the region to be up.
    package enum Requirement: Hashable, Sendable {
        case any
        case all
        case count(Int)
        /// 1…100
        case percent(Int)
    }

    package var latitude: Double
    package var longitude: Double
    /// Names that hold the CHECK records; empty: those at the region itself.
    package var checks: [NameReference]
    package var require: Requirement
    /// Nil: unlimited.
    package var capacity: UInt32?
    /// -99…99, Route 53's geoproximity bias.
    package var bias: Int

    package init(
        latitude: Double, longitude: Double, checks: [NameReference] = [],
        require: Requirement = .any, capacity: UInt32? = nil, bias: Int = 0
    ) {
        self.latitude = latitude
        self.longitude = longitude
        self.checks = checks
        self.require = require
        self.capacity = capacity
        self.bias = bias
    }
}

/// `CHECK <kind> [<argument>] [key=value …]`
package struct CheckRecord: Sendable {
    package var specification: CheckSpecification
    /// How many checks of the record's name must pass, as this record says; nil: it does not say.
    package var quorum: Int?

    package init(_ specification: CheckSpecification, quorum: Int? = nil) {
        self.specification = specification
        self.quorum = quorum
    }
}

/// One target of a GEO or MAP record: `fra` or `blue:90`.
package struct TargetReference: Hashable, Sendable {
    package var name: DomainName
    /// 1 where none is written. 0 is allowed: the target is known and gets nothing.
    package var weight: UInt32
    package var location: SourceLocation

    package init(_ name: DomainName, weight: UInt32 = 1, at location: SourceLocation) {
        self.name = name
        self.weight = weight
        self.location = location
    }
}

/// `GEO <policy> <target> … [key=value …]`: a name whose addresses depend on who asks.
package struct GeoRecord: Sendable {
    package enum Policy: Hashable, Sendable {
        case nearest
        case failover
        case weighted
        case map(NameReference)
        /// Shares by hash of the client's prefix.
        case hash
        /// Shares drawn for each query.
        case random
        /// Shares in turn.
        case roundRobin
        /// The addresses of every target.
        case all
        /// Shares of those that report the fewest connections.
        case leastConnections
        /// Shares of those that answer probes the fastest.
        case leastResponseTime
        /// Of two that are drawn the one with fewer connections.
        case twoChoices
        /// The least round-trip time, measured or guessed.
        case fastest
    }
    /// How shares are dealt.
    package enum Share: Sendable {
        /// By hash of the client's prefix: a client keeps its target.
        case client
        /// Drawn for each query.
        case query
        /// Each in turn, counted by every worker for itself.
        case turn
    }
    package enum LastResort: Hashable, Sendable {
        /// Every target counts as up: fail open.
        case all
        /// The first as written.
        case first
        /// No address: NODATA.
        case none
        case name(NameReference)
    }

    package var policy: Policy
    package var targets: [TargetReference]
    /// Whether it says, word for word, what the GEO record before it in the zone says.
    package var repeatsLast = false
    /// A label or labels put before each region's name: `service=api` takes `api.<region>`.
    /// Relative to the region; nil: the region's own addresses.
    package var service: [[UInt8]]?
    /// Where the value of `service=` stands; nil where there is none.
    package var serviceLocation: SourceLocation?
    /// `check=`: checks for those addresses instead of the ones found there.
    package var checks: [NameReference]
    package var by: Share
    /// Where the value of `by=` stands; nil where there is none.
    package var byLocation: SourceLocation?
    package var backups: [NameReference]
    package var lastResort: LastResort
    /// `ecs=on`
    package var usesClientSubnet: Bool
    /// The longest time that a target which keeps going up and down stays out; zero: none.
    package var hold = Duration.zero
    /// Of how many targets the addresses are answered, 1…`answersMax`; nil: of one, of `all` as
    /// many as may be.
    package var answers: Int?

    /// How long a target that comes back takes until it has all of its clients again.
    package var ramp = Duration.zero
    /// Where the value of `ramp=` stands; nil where there is none.
    package var rampLocation: SourceLocation?
    /// Percent of capacity or targets below which health is ignored; 0: never.
    package var panic = 0
    /// So many of the best targets are left out.
    package var skip = 0
    /// Where the value of `skip=` stands; nil where there is none.
    package var skipLocation: SourceLocation?
    /// Percent of the best distance within which targets are equals.
    package var within = 0
    /// Where the value of `within=` stands; nil where there is none.
    package var withinLocation: SourceLocation?
    /// `family=independent`: A and AAAA are answered each by the state of its own addresses.
    package var isIndependent = false
    /// `rtt=FILE`
    package var roundTripTimes: RoundTripTimes?
    /// `spill=on|off`: whether a region over its capacity hands clients on; nil: where it can.
    package var spills: Bool?
    /// Where the value of `spill=` stands; nil where there is none.
    package var spillLocation: SourceLocation?
    /// What all clients of the name make together, in the unit of capacities; nil: not told.
    package var demand: Int?
    /// Where the value of `demand=` stands; nil where there is none.
    package var demandLocation: SourceLocation?

    /// As many addresses of both families, each from its own target, fit into a UDP response.
    package static let answersMax = 32

    package init(
        _ policy: Policy, targets: [TargetReference], service: [[UInt8]]? = nil,
        serviceLocation: SourceLocation? = nil, checks: [NameReference] = [], by: Share = .query,
        backups: [NameReference] = [],
        lastResort: LastResort = .all, usesClientSubnet: Bool = true
    ) {
        self.policy = policy
        self.targets = targets
        self.service = service
        self.serviceLocation = serviceLocation
        self.checks = checks
        self.by = by
        self.backups = backups
        self.lastResort = lastResort
        self.usesClientSubnet = usesClientSubnet
    }
}

/// `rtt=FILE`: how long it takes from clients to targets and back.
package struct RoundTripTimes: Sendable {
    /// One row of the file.
    package struct Row: Sendable {
        package var prefix: Prefix
        package var target: NameReference
        package var milliseconds: Double
        /// How many measurements that is the mean of.
        package var samples: Int

        package init(prefix: Prefix, target: NameReference, milliseconds: Double, samples: Int) {
            self.prefix = prefix
            self.target = target
            self.milliseconds = milliseconds
            self.samples = samples
        }
    }

    /// As written.
    package var path: [UInt8]
    /// Where that stands.
    package var location: SourceLocation
    package var rows: [Row] = []

    package init(path: [UInt8], at location: SourceLocation) {
        self.path = path
        self.location = location
    }
}

/// The TTL of a GEO record: `30`, or `60/10` for at most and at least. Seconds.
package struct TTLRange: Hashable, Sendable {
    package var maximum: UInt32
    package var minimum: UInt32

    package init(maximum: UInt32, minimum: UInt32) {
        self.maximum = maximum
        self.minimum = minimum
    }

    /// Where neither the record nor its line gives one.
    package static let geoDefault = TTLRange(maximum: 30, minimum: 30)
}

/// One line of a MAP: `MAP <selector> <target> … | nearest | none`.
package struct MapLine: Sendable {
    package enum Selector: Hashable, Sendable {
        case `default`
        /// Two letters, upper case.
        case continent(String)
        /// ISO 3166-1, two letters, upper case.
        case country(String)
        /// ISO 3166-2: `US-CA`.
        case subdivision(String)
        /// A subdivision or country and an English name: `US-TX` and `Dallas`.
        case city(area: String, name: String)
        /// The number of an autonomous system, 1…4294967295.
        case asn(UInt32)
        case net(Prefix)
    }
    package enum Answer: Hashable, Sendable {
        case targets([TargetReference])
        case nearest
        /// NODATA there.
        case none
    }

    package var selector: Selector
    package var answer: Answer

    package init(_ selector: Selector, _ answer: Answer) {
        self.selector = selector
        self.answer = answer
    }
}

extension MapLine.Selector: CustomStringConvertible {
    /// As a zone file has it.
    package var description: String {
        switch self {
        case .default: "default"
        case .continent(let code): "continent=\(code)"
        case .country(let code): "country=\(code)"
        case .subdivision(let code): "subdivision=\(code)"
        case .city(let area, let name): "city=\(area)/\(name)"
        case .asn(let number): "asn=\(number)"
        case .net(let prefix): "net=\(prefix)"
        }
    }
}
