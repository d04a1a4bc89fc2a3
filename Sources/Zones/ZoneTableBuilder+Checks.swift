import DNSWire
import Diagnostics

// What may stand beside what, and what is written but will not do what was meant.

extension ZoneTableBuilder {
    /// CNAME stands alone (RFC 1034 §3.6.2) but for its RRSIG and NSEC, and so does GEO beside
    /// anything that answers A or AAAA in another way.
    mutating func checkCompany(_ group: [Int], of draft: ZoneDraft) {
        let all = Set(group.map { type($0, in: draft) })
        // What signs a CNAME, and denies other types, stands beside it (RFC 4035 §2.5).
        let types = all.contains(.cname) ? all.subtracting([.rrsig, .nsec]) : all
        if types.contains(.cname) {
            let cnames = group.filter { type($0, in: draft) == .cname }
            let owner = describeOwner(cnames[0], in: draft)
            if types.count > 1 {
                let others = types.filter { $0 != .cname }.map(\.description).sorted()
                report(
                    .error, location(cnames[0], in: draft),
                    "CNAME at \(owner) beside \(others.joined(separator: ", ")); a CNAME must be "
                        + "the only record of its name")
            } else if let second = cnames.dropFirst().first {
                report(
                    .error, location(second, in: draft),
                    "\(owner) has more than one CNAME; a name can have only one")
            }
        }
        checkDNAME(group, types, of: draft)
        guard types.contains(.geo) else { return }
        for type in [RRType.a, .aaaa] {
            guard let address = group.first(where: { self.type($0, in: draft) == type }) else {
                continue
            }
            report(
                .error, location(address, in: draft),
                "\(type) at \(describeOwner(address, in: draft)) beside GEO; the GEO record "
                    + "answers A and AAAA there, so one of the two must go")
        }
        for index in group where [.svcb, .https].contains(type(index, in: draft)) {
            checkHints(draft.records[index], of: draft)
        }
    }

    /// Hints that are written stay for everyone, whatever the GEO record beside them says.
    private mutating func checkHints(_ record: ZoneDraft.Record, of draft: ZoneDraft) {
        readName(at: Int(record.ownerOffset))
        guard let node = find(from: 0) else { return }
        let rdata = bytes.span.rdata(at: Int(record.dataOffset))
        let owner = Int(nodes[node].nameOffset)
        guard HintPlaces(in: rdata, owner: owner, { bytes[$0] })?.isTaken == true else { return }
        report(
            .warning, draft.location(of: record),
            "these hints are the same for every client, whatever the GEO record of this name "
                + "answers; leave them out to have those of the client's target")
    }

    /// One DNAME (RFC 6672 §2.4), and not where the name is delegated (§2.3).
    private mutating func checkDNAME(
        _ group: [Int], _ types: Set<RRType>, of draft: ZoneDraft
    ) {
        let dnames = group.filter { type($0, in: draft) == .dname }
        guard let first = dnames.first else { return }
        let owner = describeOwner(first, in: draft)
        if let second = dnames.dropFirst().first {
            report(
                .error, location(second, in: draft),
                "\(owner) has more than one DNAME; a name can have only one")
        }
        if types.contains(.ns), owner != draft.origin {
            report(
                .error, location(first, in: draft),
                "DNAME at \(owner) beside NS; the name is delegated, so its DNAME belongs in the "
                    + "child zone (RFC 6672 §2.3)")
        }
    }

    /// The steering records are records of their names too: a CNAME cannot stand beside them.
    mutating func checkSteeringCompany(_ draft: ZoneDraft, apex: Int, zone: UInt32) {
        let all =
            draft.regions.map { ($0.owner, "REGION", $0.location) }
            + draft.checks.map { ($0.owner, "CHECK", $0.location) }
            + draft.mapLines.map { ($0.owner, "MAP", $0.location) }
        for (owner, type, location) in all {
            guard let node = node(for: owner, below: apex, zone: zone),
                rrsetIndex(.cname, at: node) != nil
            else { continue }
            report(
                .error, location,
                "\(type) at \(owner) beside CNAME; a CNAME must be the only record of its name")
        }
    }

    private func type(_ index: Int, in draft: ZoneDraft) -> RRType {
        index < draft.records.count ? draft.records[index].type : .geo
    }

    private func describeOwner(_ index: Int, in draft: ZoneDraft) -> DomainName {
        index < draft.records.count
            ? owner(of: draft.records[index])
            : draft.geos[index - draft.records.count].owner
    }

    private func location(_ index: Int, in draft: ZoneDraft) -> SourceLocation {
        index < draft.records.count
            ? draft.location(of: draft.records[index])
            : draft.geos[index - draft.records.count].location
    }
}

// MARK: - Warnings

extension ZoneTableBuilder {
    /// Warns of records that are never answered, and of names of servers that lead nowhere. Comes
    /// last, when every zone and its delegations are known. `isGlue`: for each node, or nothing
    /// when there is none.
    mutating func audit(_ draft: ZoneDraft, _ index: Int, isGlue: [Bool]) {
        guard let owners = owners[index] else { return }
        for (index, record) in draft.records.enumerated() {
            let owner = owners[index]
            guard owner != ZoneTable.none, !parentSides.contains(owner) else {
                auditForeign(
                    record.type, self.owner(of: record), at: draft.location(of: record))
                continue
            }
            let node = Int(owner)
            if nodes[node].cut != ZoneTable.none {
                auditDelegated(
                    record.type, node,
                    isGlue: record.type.isAddress && !isGlue.isEmpty && isGlue[node],
                    at: draft.location(of: record))
            }
            if nodes[node].cut == ZoneTable.none || record.type == .ns {
                auditTarget(of: record, in: draft, cutNode: node)
            }
        }
        for (index, geo) in draft.geos.enumerated() {
            let node = owners[draft.records.count + index]
            guard node != ZoneTable.none else {
                auditForeign(.geo, geo.owner, at: geo.location)
                continue
            }
            auditDelegated(.geo, Int(node), isGlue: false, at: geo.location)
        }
        self.owners[index] = nil
    }

    /// A record of this zone at a name that belongs to another zone served here. Its delegation
    /// and the glue for that are needed by other servers of this zone, and do no harm here.
    private mutating func auditForeign(
        _ type: RRType, _ owner: DomainName, at location: SourceLocation
    ) {
        guard let inner = apex(enclosing: owner) else { return }
        if type.isAddress || (type == .ns || type == .ds) && owner == inner { return }
        report(
            .warning, location,
            "this \(type) record is never answered: \(owner) belongs to the zone \(inner), which "
                + "has a file of its own; write the record there")
    }

    /// A record at or below a zone cut: of those only the cut's NS and DS and their glue count.
    private mutating func auditDelegated(
        _ type: RRType, _ node: Int, isGlue: Bool, at location: @autoclosure () -> SourceLocation
    ) {
        let cut = nodes[node].cut
        guard cut != ZoneTable.none, !isGlue else { return }
        if isBelowDNAME(node) {
            report(
                .warning, location(),
                "this \(type) record is never answered: the DNAME at \(name(of: Int(cut))) leads "
                    + "all names below it elsewhere (RFC 6672 §2.4)")
            return
        }
        if Int(cut) == node, type == .ns || type == .ds { return }
        report(
            .warning, location(),
            "this \(type) record is never answered: the NS records at \(name(of: Int(cut))) "
                + "delegate its name to other servers")
    }

    /// NS, MX and SRV need a name with addresses (RFC 2181 §10.3, RFC 2782); a CNAME one that
    /// exists. Only names within our zones can be looked at.
    private mutating func auditTarget(
        of record: ZoneDraft.Record, in draft: ZoneDraft, cutNode: Int
    ) {
        // Behind the length of the RDATA, the preference and the like.
        let offset: Int
        switch record.type {
        case .ns, .cname: offset = Int(record.dataOffset) + 2
        case .mx: offset = Int(record.dataOffset) + 4
        case .srv: offset = Int(record.dataOffset) + 8
        default: return
        }
        readName(at: offset)
        guard name.labelCount > 0 else { return }
        let reach = reach()
        // Nearly all are fine: no text is made for those.
        switch reach {
        case .elsewhere: return
        case .delegated(let node?) where hasAddress(node): return
        case .name(let node) where isFine(record.type, node): return
        default: break
        }
        let location = draft.location(of: record)
        let target = storedName(at: offset)
        let what = "\(record.type) target \(target)"
        switch reach {
        case .elsewhere: return
        case .delegated(let node):
            // Below the very cut it serves: resolvers cannot find its address without glue.
            guard record.type == .ns, nodes[cutNode].cut == UInt32(cutNode),
                target.isWithin(name(of: cutNode)),
                !rrsets(at: node).contains(where: \.isAddress)
            else { return }
            report(
                .warning, location,
                "\(what) lies in the zone it serves and has no address here; give it an A or AAAA "
                    + "record as glue")
        case .nothing:
            report(
                .warning, location, "\(what) does not exist; add it, or mend the name")
        case .name(let node):
            let types = rrsets(at: node)
            if record.type == .cname {
                if types.isEmpty {
                    report(
                        .warning, location, "\(what) has no records; add some, or mend the name")
                }
            } else if types.contains(.cname) {
                report(
                    .warning, location,
                    "\(what) is a CNAME, which \(record.type) must not point to (RFC 2181 §10.3); "
                        + "name what it points to")
            } else if !types.contains(where: { $0.isAddress || $0 == .geo }) {
                report(
                    .warning, location, "\(what) has no address; give it an A or AAAA record")
            }
        }
    }

    private enum Reach {
        case elsewhere
        /// The node, if the name itself is there.
        case delegated(Int?)
        case name(Int)
        case nothing
    }

    /// Of the name in hand.
    private func reach() -> Reach {
        let exact = find(from: 0)
        for label in 0...name.labelCount {
            guard let node = label == 0 ? exact : find(from: label) else { continue }
            if isBelowDNAME(node) { return .elsewhere }
            if nodes[node].cut != ZoneTable.none { return .delegated(exact) }
            if exact == nil, nodes[node].traits.contains(.dname) { return .elsewhere }
            if exact != nil { return .name(node) }
            let wildcard = nodes[node].wildcard
            return wildcard == ZoneTable.none ? .nothing : .name(Int(wildcard))
        }
        return .elsewhere
    }

    /// The name has what a record of `type` that leads to it asks for.
    private func isFine(_ type: RRType, _ node: Int) -> Bool {
        if type == .cname { return nodes[node].rrsetCount > 0 }
        return rrsetIndex(.cname, at: node) == nil && hasAddress(node)
    }

    private func hasAddress(_ node: Int) -> Bool {
        rrsetIndex(.a, at: node) != nil || rrsetIndex(.aaaa, at: node) != nil
    }

    private func rrsets(at node: Int?) -> [RRType] {
        guard let node else { return [] }
        let first = Int(nodes[node].firstRRset)
        return rrsets[first..<first + Int(nodes[node].rrsetCount)].map(\.type)
    }

    /// The apex of the deepest zone that holds `name`.
    private mutating func apex(enclosing owner: DomainName) -> DomainName? {
        _ = name.readLower(owner.wire.span, at: 0)
        for label in 0...name.labelCount {
            guard let node = find(from: label) else { continue }
            return name(of: Int(zones[Int(nodes[node].zone)].apex))
        }
        return nil
    }

    private func name(of node: Int) -> DomainName {
        let start = Int(nodes[node].nameOffset)
        return DomainName(wire: Array(bytes[start..<start + Int(nodes[node].nameByteCount)]))
            ?? .root
    }
}

extension RRType {
    fileprivate var isAddress: Bool { self == .a || self == .aaaa }
}
