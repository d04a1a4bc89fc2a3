import DNSWire
import Diagnostics
import Health
import Zones

/// All steering records by owner name, over all zones; finds what is written twice.
struct SteeringDirectory {
    private(set) var diagnostics: [Diagnostic] = []
    private var regions: [DomainName: ZoneDraft.Steering<RegionRecord>] = [:]
    private var checkRecords: [DomainName: [ZoneDraft.Steering<CheckRecord>]] = [:]
    private var geoNumbers: [DomainName: Int] = [:]
    private var maps: [DomainName: MapReference] = [:]
    private let origins: [DomainName]
    private let unreadable: Set<DomainName>
    /// Filled by the builder: indexes of the regions without errors.
    var regionIndexes: [DomainName: Int] = [:]

    init(_ drafts: [ZoneDraft]) {
        origins = drafts.map(\.origin)
        unreadable = drafts.reduce(into: []) { $0.formUnion($1.unreadableOwners) }
        var geoCount = 0
        for draft in drafts {
            for region in draft.regions {
                if let first = regions[region.owner] {
                    report(
                        region.location,
                        "a second REGION at \(region.owner); the first is at \(first.location), "
                            + "so one of the two must go")
                } else {
                    regions[region.owner] = region
                }
            }
            for check in draft.checks {
                checkRecords[check.owner, default: []].append(check)
            }
            for geo in draft.geos {
                // The second GEO of a name is an error of its zone; numbers go on.
                geoNumbers[geo.owner] = geoNumbers[geo.owner] ?? geoCount
                geoCount += 1
            }
            for line in draft.mapLines {
                maps[line.owner, default: MapReference()].lines.append(line)
            }
        }
        for records in checkRecords.values { checkQuorum(records) }
        for (owner, map) in maps.sorted(by: { $0.key.description < $1.key.description }) {
            check(map, at: owner)
        }
    }

    private mutating func report(_ location: SourceLocation, _ message: String) {
        diagnostics.append(Diagnostic(.error, at: location, message))
    }

    private mutating func check(_ map: MapReference, at owner: DomainName) {
        var seen: [MapLine.Selector: SourceLocation] = [:]
        for line in map.lines {
            if let first = seen[line.value.selector] {
                report(
                    line.location,
                    "this selector is in the map \(owner) already, at \(first); one of the two must "
                        + "go")
            } else {
                seen[line.value.selector] = line.location
            }
        }
        if seen[.default] == nil, let first = map.lines.first {
            report(
                first.location,
                "the map \(owner) has no `default` line; add one for all other places, such as "
                    + "MAP default nearest")
        }
    }

    func region(_ name: DomainName) -> ZoneDraft.Steering<RegionRecord>? { regions[name] }

    /// What several records of one name say about their quorum must agree, and be possible.
    private mutating func checkQuorum(_ records: [ZoneDraft.Steering<CheckRecord>]) {
        var first: (quorum: Int, location: SourceLocation)?
        for record in records {
            guard let quorum = record.value.quorum else { continue }
            if let first, first.quorum != quorum {
                report(
                    record.location,
                    "quorum=\(quorum) here, and \(first.quorum) at \(first.location); say it once")
            } else if quorum > records.count {
                report(
                    record.location,
                    "quorum=\(quorum), but \(record.owner) has only \(records.count) CHECK "
                        + (records.count == 1 ? "record" : "records"))
            }
            first = first ?? (quorum, record.location)
        }
    }

    func checks(at name: DomainName) -> [CheckSpecification] {
        (checkRecords[name] ?? []).map(\.value.specification)
    }

    /// How many of the checks at a name must pass.
    func quorum(at name: DomainName) -> Int {
        let records = checkRecords[name] ?? []
        return records.lazy.compactMap(\.value.quorum).first ?? records.count
    }

    func geo(_ name: DomainName) -> Int? { geoNumbers[name] }

    func map(_ name: DomainName) -> MapReference? { maps[name] }

    /// A record of this owner could not be read, and was reported.
    func isUnreadable(_ name: DomainName) -> Bool { unreadable.contains(name) }

    func isWithinZones(_ name: DomainName) -> Bool { origins.contains { name.isWithin($0) } }

    /// As an operator of that zone writes it: relative to its origin, without the final dot.
    func label(_ name: DomainName, zone: Int) -> String {
        guard name.isWithin(origins[zone]) else { return name.description }
        if name == origins[zone] { return "@" }
        let depth = name.wire.count - origins[zone].wire.count
        guard let relative = DomainName(wire: name.wire.prefix(depth) + [0])
        else { return name.description }
        return String(relative.description.dropLast())
    }
}

/// The lines of one MAP, in the order written.
struct MapReference {
    var lines: [ZoneDraft.Steering<MapLine>] = []

    /// Every target any line names, in order of first appearance.
    var targets: [TargetReference] {
        var seen: Set<DomainName> = []
        return lines.flatMap { line -> [TargetReference] in
            guard case .targets(let targets) = line.value.answer else { return [] }
            return targets.filter { seen.insert($0.name).inserted }
        }
    }
}
