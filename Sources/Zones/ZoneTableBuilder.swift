import DNSWire
package import Diagnostics
import Tables

/// Compiles drafts of zones into one `ZoneTable`, and checks what only the whole zone can tell.
///
/// Zones are added deepest first, so that where one zone lies inside another the inner zone's
/// names are its own and the outer zone's records there are left out; but for those at the inner
/// zone's apex, which a DS query asks for.
package struct ZoneTableBuilder: ~Copyable {
    private(set) var nodes: [ZoneNode] = []
    private(set) var rrsets: [RRset] = []
    private var slots: [UInt32]
    /// The pools of all drafts, and names that had to be written anew.
    private(set) var bytes: [UInt8] = []
    private(set) var glue: [UInt32] = []
    private(set) var zones: [Zone] = []
    /// Nodes that no slot leads to (`Zone.parentSide`).
    private(set) var parentSides: Set<UInt32> = []
    private var geoCount = 0
    private var diagnostics: [Diagnostic] = []
    /// For each draft: the node of each record, then of each GEO; `ZoneTable.none` where the name
    /// belongs to another zone. Nil for a second draft of a zone.
    var owners: [[UInt32]?]
    /// The name in hand.
    var name = QuestionName()

    /// The table of all `drafts`, and every problem found. A table with an error is only good for
    /// finding further ones. The drafts' records become part of the table: only what steers is left
    /// in them.
    ///
    /// GEO names are numbered over all drafts in the order given: the number stands in the `link`
    /// of the GEO RRset.
    package static func build(
        _ drafts: inout [ZoneDraft]
    ) -> (table: ZoneTable, diagnostics: [Diagnostic]) {
        var builder = ZoneTableBuilder(takingPoolsOf: &drafts)
        var firstGeo: [Int] = []
        for draft in drafts {
            firstGeo.append(builder.geoCount)
            builder.geoCount += draft.geos.count
        }
        let depths = drafts.map(\.origin.labels.count)
        for index in drafts.indices.sorted(by: { depths[$0] > depths[$1] }) {
            builder.add(drafts[index], index, firstGeo: firstGeo[index])
        }
        builder.linkDelegations()
        var isGlue = [Bool](repeating: false, count: builder.glue.isEmpty ? 0 : builder.nodes.count)
        for node in builder.glue { isGlue[Int(node)] = true }
        for index in drafts.indices {
            builder.audit(drafts[index], index, isGlue: isGlue)
            drafts[index].discardRecords()
        }
        builder.bytes += ZoneTable.padding
        let table = ZoneTable(
            nodes: builder.nodes, rrsets: builder.rrsets, slots: builder.slots,
            bytes: builder.bytes, glue: builder.glue, zones: builder.zones)
        return (table, builder.diagnostics)
    }

    /// Makes room for everything at once: arrays that grow are copied, and in memory twice.
    private init(takingPoolsOf drafts: inout [ZoneDraft]) {
        owners = Array(repeating: nil, count: drafts.count)
        let largest = drafts.indices.max { drafts[$0].bytes.count < drafts[$1].bytes.count }
        let byteCount = drafts.reduce(0) { $0 + $1.bytes.count }
        let nameCount = drafts.reduce(drafts.count) { $0 + $1.ownerCount + $1.geos.count }
        if let largest { drafts[largest].movePool(to: &bytes) }
        // Names in upper case and empty non-terminals come on top.
        bytes.reserveCapacity(byteCount + byteCount / 16 + 4096)
        for index in drafts.indices where index != largest { drafts[index].movePool(to: &bytes) }
        nodes.reserveCapacity(nameCount + nameCount / 4)
        rrsets.reserveCapacity(drafts.reduce(0) { $0 + $1.recordCount + $1.geos.count })
        var slotCount = 1024
        while slotCount <= nameCount * 2 { slotCount *= 2 }
        slots = Array(repeating: 0, count: slotCount)
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

        let owners = ownerNodes(of: draft, below: apex, zone: zone)
        for owner in draft.regions.map(\.owner) + draft.checks.map(\.owner)
            + draft.mapLines.map(\.owner)
        {
            _ = node(for: owner, below: apex, zone: zone)
        }
        gather(
            PendingRecords(draft, owners, nodes: firstNode..<nodes.count), of: draft,
            firstGeo: firstGeo)
        self.owners[draftIndex] = owners
        checkSteeringCompany(draft, apex: apex, zone: zone)
        checkApex(apex, zone: Int(zone), draft: draft)
        markCuts(from: firstNode, apex: apex)
    }

    /// The node of each record, then of each GEO.
    private mutating func ownerNodes(
        of draft: ZoneDraft, below apex: Int, zone: UInt32
    ) -> [UInt32] {
        var owners: [UInt32] = []
        owners.reserveCapacity(draft.records.count + draft.geos.count)
        var lastOffset: UInt32?
        var lastNode = ZoneTable.none
        for record in draft.records {
            if record.ownerOffset != lastOffset {
                lastOffset = record.ownerOffset
                readName(at: Int(record.ownerOffset))
                let node = node(
                    below: apex, zone: zone, storedAt: Int(record.ownerOffset), orParentSide: true)
                lastNode = node.map { UInt32($0) } ?? ZoneTable.none
            }
            owners.append(lastNode)
        }
        for geo in draft.geos {
            let node = node(for: geo.owner, below: apex, zone: zone)
            owners.append(node.map { UInt32($0) } ?? ZoneTable.none)
        }
        return owners
    }

    // MARK: - Names

    /// Makes the name at `offset` of `bytes` the one in hand.
    mutating func readName(at offset: Int) {
        ZoneTableBuilder.read(bytes, at: offset, into: &name)
    }

    private static func read(
        _ bytes: [UInt8], at offset: Int, into name: inout QuestionName
    ) {
        let end = name.readLower(bytes.span, at: offset)
        precondition(end != nil, "drafts hold only valid names")
    }

    private mutating func insertApex(_ origin: DomainName, zone: UInt32) -> Int? {
        _ = name.readLower(origin.wire.span, at: 0)
        guard find(from: 0) == nil else { return nil }
        return insert(from: 0, at: storeName(), zone: zone)
    }

    /// The node for the owner of a steering record.
    mutating func node(for owner: DomainName, below apex: Int, zone: UInt32) -> Int? {
        _ = name.readLower(owner.wire.span, at: 0)
        return node(below: apex, zone: zone, storedAt: nil)
    }

    /// The node for the name in hand, an owner within the zone, made together with the empty
    /// non-terminals above it; nil when another zone of ours owns the name. `orParentSide`: at that
    /// zone's apex, the node for this zone's side of the cut.
    private mutating func node(
        below apex: Int, zone: UInt32, storedAt offset: Int?, orParentSide: Bool = false
    ) -> Int? {
        let exact = find(from: 0)
        if let exact, nodes[exact].zone == zone { return exact }
        let apexLabel = label(where: nodes[apex])
        // What is there already above the name: mostly nothing but the apex.
        var closest = apex
        var label = 1
        while exact == nil, label < apexLabel {
            if let found = find(from: label) {
                closest = found
                break
            }
            label += 1
        }
        guard exact == nil, nodes[closest].zone == zone else {
            return foreignNode(below: apex, zone: zone, orParentSide: orParentSide)
        }
        let start = canonicalName(storedAt: offset)
        while label > 0 {
            label -= 1
            closest = insert(from: label, at: start, zone: zone, below: closest)
        }
        return closest
    }

    /// The same where another zone lies between: from the apex inwards to that zone.
    private mutating func foreignNode(below apex: Int, zone: UInt32, orParentSide: Bool) -> Int? {
        var current = apex
        for label in (0..<label(where: nodes[apex])).reversed() {
            guard let existing = find(from: label) else {
                current = insert(from: label, at: storeName(), zone: zone, below: current)
                continue
            }
            guard nodes[existing].zone == zone else {
                // Made for names below it too: to this zone it is an empty non-terminal then.
                let side = parentSide(of: existing, in: zone, below: current)
                return label == 0 && orParentSide ? side : nil
            }
            current = existing
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
            // As in `insert(from:at:zone:below:)`: the parent link, until cuts are marked.
            side.cut = UInt32(parent)
            zones[inner].parentSide = UInt32(nodes.count)
            parentSides.insert(UInt32(nodes.count))
            nodes.append(side)
        }
        return Int(zones[inner].parentSide)
    }

    /// The label of the name in hand with which the name of `node`, a suffix of it, begins.
    private func label(where node: ZoneNode) -> Int {
        var label = 0
        while name.byteCount - offset(of: label) > Int(node.nameByteCount) { label += 1 }
        return label
    }

    /// Where the name in hand stands in lower case: where it was read, or else written anew.
    private mutating func canonicalName(storedAt offset: Int?) -> Int {
        if let offset, !hasUpperCase(offset..<offset + name.byteCount) { return offset }
        return storeName()
    }

    private mutating func storeName() -> Int {
        let start = bytes.count
        for index in 0..<name.byteCount { bytes.append(name.byte(at: index)) }
        return start
    }

    private func hasUpperCase(_ range: Range<Int>) -> Bool {
        let bytes = bytes.span
        var index = range.lowerBound
        while index < range.upperBound {
            if index + 8 <= range.upperBound {
                let word = bytes.word(at: index)
                if lowercased(word: word) != word { return true }
                index += 8
            } else {
                if lowercased(bytes[index]) != bytes[index] { return true }
                index += 1
            }
        }
        return false
    }

    /// Where a label of the name in hand starts in it, counted from the front; the root, too.
    private func offset(of label: Int) -> Int {
        var offset = 0
        for _ in 0..<label { offset = name.parent(of: offset) }
        return offset
    }

    /// The node of the suffix of the name in hand that begins with `label`.
    func find(from label: Int) -> Int? {
        let hash = label == 0 ? name.hash : name.hash(from: offset(of: label))
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot] - 1)
            if nodes[index].hash == hash, isName(of: nodes[index], from: label) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func isName(of node: ZoneNode, from label: Int) -> Bool {
        let start = offset(of: label)
        let count = name.byteCount - start
        guard count == Int(node.nameByteCount) else { return false }
        let bytes = bytes.span
        for index in 0..<count
        where name.byte(at: start + index) != bytes[Int(node.nameOffset) + index] {
            return false
        }
        return true
    }

    /// A node for the suffix that begins with `label`; the name in hand stands in lower case at
    /// `start` of `bytes`.
    private mutating func insert(from label: Int, at start: Int, zone: UInt32) -> Int {
        if nodes.count * 2 >= slots.count { growSlots() }
        let offset = offset(of: label)
        nodes.append(
            ZoneNode(
                hash: name.hash(from: offset), nameOffset: UInt32(start + offset), firstRRset: 0,
                rrsetCount: 0, nameByteCount: UInt8(name.byteCount - offset), zone: zone,
                cut: ZoneTable.none, wildcard: ZoneTable.none))
        place(nodes.count - 1)
        return nodes.count - 1
    }

    private mutating func insert(
        from label: Int, at start: Int, zone: UInt32, below parent: Int
    ) -> Int {
        let added = insert(from: label, at: start, zone: zone)
        let offset = offset(of: label)
        if name.byte(at: offset) == 1, name.byte(at: offset + 1) == UInt8(ascii: "*") {
            nodes[parent].wildcard = UInt32(added)
        }
        // Parents come before their children in `nodes`: the cut is already known when a child is
        // marked.
        nodes[added].cut = UInt32(parent)
        return added
    }

    private mutating func place(_ node: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: nodes[node].hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(node + 1)
    }

    private mutating func growSlots() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for node in nodes.indices where !parentSides.contains(UInt32(node)) { place(node) }
    }

    // MARK: - Records

    /// Packs sorted records into RRsets, node by node.
    private mutating func gather(
        _ pending: borrowing PendingRecords, of draft: ZoneDraft, firstGeo: Int
    ) {
        var start = 0
        while start < pending.count {
            let node = pending.node(start)
            var end = start
            var mayConflict = false
            nodes[node].firstRRset = UInt32(rrsets.count)
            while end < pending.count, pending.node(end) == node {
                let first = end
                let type = pending.type(first, in: draft)
                repeat {
                    end += 1
                } while end < pending.count && pending.node(end) == node
                    && pending.type(end, in: draft) == type
                if type == .geo {
                    addGeo(first..<end, of: pending, draft, firstGeo: firstGeo)
                } else {
                    addRRset(first..<end, of: pending, draft)
                }
                nodes[node].rrsetCount += 1
                mayConflict = mayConflict || type == .cname || type == .dname || type == .geo
            }
            if mayConflict, end - start > 1 {
                var group: [Int] = []
                for position in start..<end { group.append(pending.index(position)) }
                checkCompany(group, of: draft)
            }
            start = end
        }
    }

    private mutating func addGeo(
        _ group: Range<Int>, of pending: borrowing PendingRecords, _ draft: ZoneDraft, firstGeo: Int
    ) {
        var geos: [Int] = []
        for position in group { geos.append(pending.index(position) - draft.records.count) }
        for extra in geos.dropFirst() {
            report(
                .error, draft.geos[extra].location,
                "\(draft.geos[extra].owner) has more than one GEO record; keep one, and name "
                    + "all its targets there")
        }
        let index = geos[0]
        rrsets.append(
            RRset(
                type: .geo, recordCount: 0, ttl: draft.geos[index].value.ttl.maximum,
                dataOffset: 0, link: UInt32(firstGeo + index), glueCount: 0))
    }

    private mutating func addRRset(
        _ group: Range<Int>, of pending: borrowing PendingRecords, _ draft: ZoneDraft
    ) {
        let first = draft.records[pending.index(group.lowerBound)]
        var rrset = RRset(
            type: first.type, recordCount: 0, ttl: first.ttl, dataOffset: first.dataOffset, link: 0,
            glueCount: 0)
        var seen: Set<[UInt8]> = []
        /// Where the data of the records taken so far ends.
        var end = Int(first.dataOffset)
        var messageByteCount = 0
        for position in group {
            let record = draft.records[pending.index(position)]
            let rdata = bytes.span.rdata(at: Int(record.dataOffset))
            let isNew =
                group.count > ZoneTableBuilder.fewCount
                ? seen.insert(Array(bytes[rdata])).inserted
                : !isIn(group.lowerBound..<position, of: pending, draft, rdata)
            guard isNew else {
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
            if record.ttl != first.ttl {
                // RFC 2181 §5.2: the records of an RRset have one TTL; the lowest is safe.
                rrset.ttl = min(rrset.ttl, record.ttl)
                report(
                    .warning, draft.location(of: record),
                    "TTL \(record.ttl) differs from the \(first.ttl) of the same name and type; "
                        + "\(rrset.ttl) is used for all")
            }
            messageByteCount += 12 + rdata.count
            guard messageByteCount <= ZoneTableBuilder.rrsetByteCountMax else {
                report(
                    .error, draft.location(of: record),
                    "the \(rrset.type) records of \(owner(of: record)) do not fit into one DNS "
                        + "message; from this one on they must go, or move to other names")
                break
            }
            if Int(record.dataOffset) != end {
                // Not behind the last one in the file: together at the end of the pool.
                if end != bytes.count {
                    let taken = Int(rrset.dataOffset)..<end
                    rrset.dataOffset = UInt32(bytes.count)
                    copyBytes(taken)
                }
                copyBytes(rdata.lowerBound - 2..<rdata.upperBound)
                end = bytes.count
            } else {
                end = rdata.upperBound
            }
            rrset.recordCount += 1
        }
        rrsets.append(rrset)
    }

    /// So few records are compared with each other rather than put into a set.
    private static let fewCount = 8

    private func isIn(
        _ group: Range<Int>, of pending: borrowing PendingRecords, _ draft: ZoneDraft,
        _ rdata: Range<Int>
    ) -> Bool {
        for position in group {
            let record = draft.records[pending.index(position)]
            let other = bytes.span.rdata(at: Int(record.dataOffset))
            if bytes[other].elementsEqual(bytes[rdata]) { return true }
        }
        return false
    }

    private mutating func copyBytes(_ range: Range<Int>) {
        for index in range { bytes.append(bytes[index]) }
    }

    /// As written.
    func owner(of record: ZoneDraft.Record) -> DomainName {
        storedName(at: Int(record.ownerOffset))
    }

    func storedName(at offset: Int) -> DomainName {
        let count = bytes.span.nameByteCount(at: offset)
        return DomainName(wire: Array(bytes[offset..<offset + count])) ?? .root
    }

    /// The records of one RRset, each with twelve bytes before its RDATA, must fit a TCP message
    /// with room for question, OPT and the CNAMEs that may lead to it.
    package static let rrsetByteCountMax = 60_000

    // MARK: - The whole zone

    private mutating func checkApex(_ apex: Int, zone: Int, draft: ZoneDraft) {
        for record in draft.records where record.type == .soa {
            let owner = owner(of: record)
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
        let negativeTTL = min(rrsets[found].ttl, number(at: end - 4))
        zones[zone].negativeTTL = negativeTTL
        zones[zone].negative =
            NegativeRecord(
                apex: draft.origin.wire.map(lowercased), rdata: Array(bytes[start + 2..<end]),
                ttl: negativeTTL, appendingTo: &bytes) ?? NegativeRecord()
    }

    func rrsetIndex(_ type: RRType, at node: Int) -> Int? {
        let first = Int(nodes[node].firstRRset)
        for index in first..<first + Int(nodes[node].rrsetCount) where rrsets[index].type == type {
            return index
        }
        return nil
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
                readName(at: position + 2)
                position += 2 + count
                if let node = find(from: 0), nodes[node].zone == nodes[index].zone,
                    !isBelowDNAME(node),
                    rrsetIndex(.a, at: node) != nil || rrsetIndex(.aaaa, at: node) != nil
                {
                    glue.append(UInt32(node))
                    rrsets[ns].glueCount += 1
                }
            }
        }
    }

    mutating func report(
        _ severity: Diagnostic.Severity, _ location: SourceLocation?, _ message: String
    ) {
        diagnostics.append(Diagnostic(severity, at: location, message))
    }
}
