import DNSWire
package import Diagnostics

/// Compiles drafts of zones into one `ZoneTable`, and checks what only the whole zone can tell.
///
/// Zones are added deepest first, so that where one zone lies inside another the inner zone's
/// names are its own and the outer zone's records there are left out; but for those at the inner
/// zone's apex, which a DS query asks for.
package struct ZoneTableBuilder {
    private(set) var nodes: [ZoneNode] = []
    private(set) var rrsets: [RRset] = []
    private var slots: [UInt32] = Array(repeating: 0, count: 1024)
    private(set) var bytes: [UInt8] = []
    private(set) var glue: [UInt32] = []
    private(set) var zones: [Zone] = []
    private var geoCount = 0
    private var diagnostics: [Diagnostic] = []
    /// For each zone: the node of each record of its draft, then of each GEO; nil where the name
    /// belongs to another zone.
    var owners: [Int: Owners] = [:]

    struct Owners {
        var records: [Int?] = []
        var geos: [Int?] = []
    }

    /// The table of all `drafts`, and every problem found. A table with an error is only good for
    /// finding further ones.
    ///
    /// GEO names are numbered over all drafts in the order given: the number stands in the `link`
    /// of the GEO RRset.
    package static func build(
        _ drafts: [ZoneDraft]
    ) -> (table: ZoneTable, diagnostics: [Diagnostic]) {
        var builder = ZoneTableBuilder()
        var firstGeo: [Int] = []
        for draft in drafts {
            firstGeo.append(builder.geoCount)
            builder.geoCount += draft.geos.count
        }
        let deepestFirst = drafts.indices.sorted {
            drafts[$0].origin.labels.count > drafts[$1].origin.labels.count
        }
        for index in deepestFirst {
            builder.add(drafts[index], index, firstGeo: firstGeo[index])
        }
        builder.linkDelegations()
        for index in drafts.indices { builder.audit(drafts[index], index) }
        let table = ZoneTable(
            nodes: builder.nodes, rrsets: builder.rrsets, slots: builder.slots,
            bytes: builder.bytes, glue: builder.glue, zones: builder.zones)
        return (table, builder.diagnostics)
    }

    /// A record or a GEO on its way to its node.
    struct Pending {
        var node: Int
        var type: RRType
        /// Index of the draft's records; for GEO of its GEO names.
        var index: Int
    }

    private mutating func add(_ draft: ZoneDraft, _ draftIndex: Int, firstGeo: Int) {
        let zone = UInt32(zones.count)
        let firstNode = nodes.count
        guard let apex = insertApex(draft.origin, zone: zone) else {
            report(
                .error, draft.location,
                "another file holds the zone \(draft.origin) too; keep one of the two")
            return
        }
        zones.append(Zone(apex: UInt32(apex), soa: 0, negativeTTL: 0, serial: 0))

        var pending: [Pending] = []
        pending.reserveCapacity(draft.records.count)
        var owners = Owners()
        owners.records.reserveCapacity(draft.records.count)
        for (index, record) in draft.records.enumerated() {
            let owner = draft.owner(of: record)
            let own = node(for: owner, below: apex, zone: zone)
            owners.records.append(own)
            guard
                let node = own
                    ?? node(for: owner, below: apex, zone: zone, orParentSide: true)
            else { continue }
            pending.append(Pending(node: node, type: record.type, index: index))
        }
        for (index, geo) in draft.geos.enumerated() {
            let node = self.node(for: geo.owner.wire[...], below: apex, zone: zone)
            owners.geos.append(node)
            guard let node else { continue }
            pending.append(Pending(node: node, type: .geo, index: index))
        }
        self.owners[draftIndex] = owners
        for owner in draft.regions.map(\.owner) + draft.checks.map(\.owner)
            + draft.mapLines.map(\.owner)
        {
            _ = self.node(for: owner.wire[...], below: apex, zone: zone)
        }
        pending.sort {
            ($0.node, $0.type.rawValue, $0.index) < ($1.node, $1.type.rawValue, $1.index)
        }
        gather(pending, of: draft, firstGeo: firstGeo)
        checkSteeringCompany(draft, apex: apex, zone: zone)
        checkApex(apex, zone: Int(zone), draft: draft)
        markCuts(from: firstNode, apex: apex)
    }

    // MARK: - Names

    private mutating func insertApex(_ origin: DomainName, zone: UInt32) -> Int? {
        let canonical = origin.canonical
        let hash = NameHash.of(canonical.wire[...])
        guard find(canonical.wire[...], hash: hash) == nil else { return nil }
        return insert(canonical.wire[...], hash: hash, zone: zone)
    }

    /// The node for an owner within the zone, made together with the empty non-terminals above it;
    /// nil when another zone of ours owns the name. `orParentSide`: at that zone's apex, the node
    /// for this zone's side of the cut.
    mutating func node(
        for owner: ArraySlice<UInt8>, below apex: Int, zone: UInt32, orParentSide: Bool = false
    ) -> Int? {
        let name = owner.map(lowercased)
        var starts: [Int] = []
        var position = 0
        let depth = name.count - Int(nodes[apex].nameByteCount)
        while position < depth {
            starts.append(position)
            position += 1 + Int(name[position])
        }
        var current = apex
        for start in starts.reversed() {
            let hash = NameHash.of(name[start...])
            if let existing = find(name[start...], hash: hash) {
                guard nodes[existing].zone == zone else {
                    let side = parentSide(of: existing, in: zone, below: current)
                    return start == 0 && orParentSide ? side : nil
                }
                current = existing
                continue
            }
            let added = insert(name[start...], hash: hash, zone: zone)
            if name[start] == 1, name[start + 1] == UInt8(ascii: "*") {
                nodes[current].wildcard = UInt32(added)
            }
            // Parents come before their children in `nodes`: the cut is already known when a
            // child is marked.
            nodes[added].cut = UInt32(current)
            current = added
        }
        return current
    }

    /// The node of the outer zone at an inner zone's apex; it is in no slot.
    private mutating func parentSide(of apex: Int, in zone: UInt32, below parent: Int) -> Int {
        let inner = Int(nodes[apex].zone)
        if zones[inner].parentSide == ZoneTable.none {
            var side = nodes[apex]
            side.zone = zone
            side.firstRRset = 0
            side.rrsetCount = 0
            side.wildcard = ZoneTable.none
            // As in `node(for:)`: the parent link, until cuts are marked.
            side.cut = UInt32(parent)
            zones[inner].parentSide = UInt32(nodes.count)
            nodes.append(side)
        }
        return Int(zones[inner].parentSide)
    }

    private func find(_ name: ArraySlice<UInt8>, hash: UInt64) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let node = nodes[Int(slots[slot] - 1)]
            let start = Int(node.nameOffset)
            if node.hash == hash, Int(node.nameByteCount) == name.count,
                bytes[start..<start + name.count].elementsEqual(name)
            {
                return Int(slots[slot] - 1)
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func insert(_ name: ArraySlice<UInt8>, hash: UInt64, zone: UInt32) -> Int {
        if nodes.count * 2 >= slots.count { growSlots() }
        nodes.append(
            ZoneNode(
                hash: hash, nameOffset: UInt32(bytes.count), firstRRset: 0, rrsetCount: 0,
                nameByteCount: UInt8(name.count), zone: zone, cut: ZoneTable.none,
                wildcard: ZoneTable.none))
        bytes += name
        place(nodes.count - 1)
        return nodes.count - 1
    }

    private mutating func place(_ node: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: nodes[node].hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(node + 1)
    }

    private mutating func growSlots() {
        slots = Array(repeating: 0, count: slots.count * 2)
        let parentSides = Set(zones.map(\.parentSide))
        for node in nodes.indices where !parentSides.contains(UInt32(node)) { place(node) }
    }

    // MARK: - Records

    /// Packs sorted records into RRsets, node by node.
    private mutating func gather(_ pending: [Pending], of draft: ZoneDraft, firstGeo: Int) {
        var start = 0
        while start < pending.count {
            let node = pending[start].node
            var end = start
            nodes[node].firstRRset = UInt32(rrsets.count)
            while end < pending.count, pending[end].node == node {
                let first = end
                while end < pending.count, pending[end].node == node,
                    pending[end].type == pending[first].type
                {
                    end += 1
                }
                if pending[first].type == .geo {
                    addGeo(pending[first..<end], of: draft, firstGeo: firstGeo)
                } else {
                    addRRset(pending[first..<end], of: draft)
                }
                nodes[node].rrsetCount += 1
            }
            checkCompany(pending[start..<end], of: draft)
            start = end
        }
    }

    private mutating func addGeo(
        _ group: ArraySlice<Pending>, of draft: ZoneDraft, firstGeo: Int
    ) {
        for extra in group.dropFirst() {
            report(
                .error, draft.geos[extra.index].location,
                "\(draft.geos[extra.index].owner) has more than one GEO record; keep one, and name "
                    + "all its targets there")
        }
        let index = group[group.startIndex].index
        rrsets.append(
            RRset(
                type: .geo, recordCount: 0, ttl: draft.geos[index].value.ttl.maximum,
                dataOffset: 0, link: UInt32(firstGeo + index), glueCount: 0))
    }

    private mutating func addRRset(_ group: ArraySlice<Pending>, of draft: ZoneDraft) {
        let records = group.map { draft.records[$0.index] }
        var rrset = RRset(
            type: records[0].type, recordCount: 0, ttl: records[0].ttl,
            dataOffset: UInt32(bytes.count), link: 0, glueCount: 0)
        var seen: Set<ArraySlice<UInt8>> = []
        var messageByteCount = 0
        for record in records {
            let rdata = draft.rdata(of: record)
            guard records.count == 1 || seen.insert(rdata).inserted else {
                report(
                    .warning, draft.location(of: record),
                    "the same \(record.type) record is there already; this one is ignored")
                continue
            }
            if record.type == .soa, rrset.recordCount > 0 {
                report(
                    .error, draft.location(of: record),
                    "a second SOA record; a zone has one, so one of the two must go")
            }
            if record.ttl != records[0].ttl {
                // RFC 2181 §5.2: the records of an RRset have one TTL; the lowest is safe.
                rrset.ttl = min(rrset.ttl, record.ttl)
                report(
                    .warning, draft.location(of: record),
                    "TTL \(record.ttl) differs from the \(records[0].ttl) of the same name and "
                        + "type; \(rrset.ttl) is used for all")
            }
            messageByteCount += 12 + rdata.count
            guard messageByteCount <= ZoneTableBuilder.rrsetByteCountMax else {
                let owner = DomainName(wire: Array(draft.owner(of: record))) ?? .root
                report(
                    .error, draft.location(of: record),
                    "the \(rrset.type) records of \(owner) do not fit into one DNS message; from "
                        + "this one on they must go, or move to other names")
                break
            }
            bytes += [UInt8(rdata.count >> 8), UInt8(truncatingIfNeeded: rdata.count)]
            bytes += rdata
            rrset.recordCount += 1
        }
        rrsets.append(rrset)
    }

    /// The records of one RRset, each with twelve bytes before its RDATA, must fit a TCP message
    /// with room for question, OPT and the CNAMEs that may lead to it.
    private static let rrsetByteCountMax = 60_000

    // MARK: - The whole zone

    private mutating func checkApex(_ apex: Int, zone: Int, draft: ZoneDraft) {
        for record in draft.records where record.type == .soa {
            let owner = DomainName(wire: Array(draft.owner(of: record))) ?? .root
            if owner != draft.origin {
                report(
                    .error, draft.location(of: record),
                    "SOA at \(owner); it belongs at the apex, \(draft.origin)")
            }
        }
        // A record of the apex that could not be read may be the one that is missing.
        let isComplete = !draft.unreadableOwners.contains(draft.origin)
        if isComplete, rrsetIndex(.ns, at: apex) == nil {
            report(
                .error, draft.location,
                "the zone \(draft.origin) has no NS record at its apex; name its servers there")
        }
        guard let found = rrsetIndex(.soa, at: apex) else {
            guard isComplete else { return }
            report(
                .error, draft.location,
                "the zone \(draft.origin) has no SOA record at its apex; its first record should "
                    + "be one")
            return
        }
        // SERIAL and MINIMUM: the first and the last of the five numbers that end the RDATA.
        let start = Int(rrsets[found].dataOffset)
        let end = start + 2 + (Int(bytes[start]) << 8 | Int(bytes[start + 1]))
        func number(at position: Int) -> UInt32 {
            bytes[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        zones[zone].soa = UInt32(found)
        zones[zone].serial = number(at: end - 20)
        zones[zone].negativeTTL = min(rrsets[found].ttl, number(at: end - 4))
    }

    func rrsetIndex(_ type: RRType, at node: Int) -> Int? {
        let first = Int(nodes[node].firstRRset)
        return (first..<first + Int(nodes[node].rrsetCount)).first { rrsets[$0].type == type }
    }

    /// Turns the parent links left in `cut` into zone cuts and DNAMEs, parents first: what is
    /// nearest to the apex holds.
    private mutating func markCuts(from firstNode: Int, apex: Int) {
        for index in firstNode..<nodes.count {
            if rrsetIndex(.dname, at: index) != nil { nodes[index].traits.insert(.dname) }
            if rrsetIndex(.cname, at: index) != nil || rrsetIndex(.geo, at: index) != nil {
                nodes[index].traits.insert(.alias)
            }
            if index == apex {
                nodes[index].cut = ZoneTable.none
                continue
            }
            let parent = nodes[index].cut
            if nodes[Int(parent)].cut != ZoneTable.none {
                nodes[index].cut = nodes[Int(parent)].cut
            } else if nodes[Int(parent)].traits.contains(.dname) {
                nodes[index].cut = parent
            } else {
                let isCut = rrsetIndex(.ns, at: index) != nil
                nodes[index].cut = isCut ? UInt32(index) : ZoneTable.none
            }
        }
    }

    /// Whether the name is never answered because a DNAME stands above it.
    func isBelowDNAME(_ node: Int) -> Bool {
        let cut = nodes[node].cut
        return cut != ZoneTable.none && nodes[Int(cut)].cut != cut
    }

    /// Lists, for each zone cut, the nodes with addresses of its name servers.
    private mutating func linkDelegations() {
        for index in nodes.indices where nodes[index].cut == UInt32(index) {
            guard let ns = rrsetIndex(.ns, at: index) else { continue }
            rrsets[ns].link = UInt32(glue.count)
            var position = Int(rrsets[ns].dataOffset)
            for _ in 0..<rrsets[ns].recordCount {
                let count = Int(bytes[position]) << 8 | Int(bytes[position + 1])
                let target = bytes[position + 2..<position + 2 + count].map(lowercased)
                position += 2 + count
                if let node = find(target), nodes[node].zone == nodes[index].zone,
                    !isBelowDNAME(node),
                    rrsetIndex(.a, at: node) != nil || rrsetIndex(.aaaa, at: node) != nil
                {
                    glue.append(UInt32(node))
                    rrsets[ns].glueCount += 1
                }
            }
        }
    }

    func find(_ canonical: [UInt8]) -> Int? {
        find(canonical[...], hash: NameHash.of(canonical[...]))
    }

    mutating func report(
        _ severity: Diagnostic.Severity, _ location: SourceLocation?, _ message: String
    ) {
        diagnostics.append(Diagnostic(severity, at: location, message))
    }
}
