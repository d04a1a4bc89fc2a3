package import DNSWire
package import Tables

/// Every owner name of every zone, empty non-terminals included, in one hash table.
///
/// Built once by `ZoneTableBuilder`, never changed. Names are found from the full QNAME outwards
/// (`View.find`): an exact hit is one probe, a miss walks up to the closest encloser. Each step
/// hashes what is left of the name anew: most questions need one step or two.
package final class ZoneTable: Sendable {
    let nodes: FrozenArray<ZoneNode>
    let rrsets: FrozenArray<RRset>
    let slots: FrozenArray<UInt32>
    let bytes: FrozenArray<UInt8>
    let glue: FrozenArray<UInt32>
    let zones: FrozenArray<Zone>
    /// Labels of the zone nearest to the root, and of the deepest name: no suffix of a QNAME with
    /// fewer or more is here, so that nobody can have many looked for.
    private let labelCounts: (least: Int, most: Int)

    /// Names are compared in words of eight bytes, which may reach past the last one: `bytes` end
    /// with that many that have no meaning.
    init(
        nodes: [ZoneNode], rrsets: [RRset], slots: [UInt32], bytes: [UInt8], glue: [UInt32],
        zones: [Zone]
    ) {
        var most = 0
        for node in nodes {
            most = max(most, bytes.labelCount(at: Int(node.nameOffset)))
        }
        let apexes = zones.map { nodes[Int($0.apex)] }
        let least = apexes.map { bytes.labelCount(at: Int($0.nameOffset)) }.min() ?? 0
        labelCounts = (least, most)
        self.nodes = FrozenArray(nodes)
        self.rrsets = FrozenArray(rrsets)
        self.slots = FrozenArray(slots)
        self.bytes = FrozenArray(bytes)
        self.glue = FrozenArray(glue)
        self.zones = FrozenArray(zones)
    }

    /// A table without any zone: everything is refused.
    package static let empty = ZoneTable(
        nodes: [], rrsets: [], slots: [0], bytes: padding, glue: [], zones: [])

    static let padding = [UInt8](repeating: 0, count: 8)

    /// Valid for as long as this object lives (`FrozenArray.view`).
    @unsafe package var view: View {
        unsafe View(
            nodes: nodes.view, rrsets: rrsets.view, slots: slots.view, bytes: bytes.view,
            glue: glue.view, zones: zones.view, labelCounts: labelCounts)
    }
}

extension [UInt8] {
    /// Labels of the name at `offset`, the root not counted.
    fileprivate func labelCount(at offset: Int) -> Int {
        var count = 0
        var position = offset
        while self[position] != 0 {
            position += 1 + Int(self[position])
            count += 1
        }
        return count
    }
}

/// One owner name.
package struct ZoneNode: BitwiseCopyable, Sendable {
    /// Of the owner name (`QuestionName.hash`).
    package var hash: UInt64
    /// The owner name in lower case, in `bytes`.
    package var nameOffset: UInt32
    var firstRRset: UInt32
    var rrsetCount: UInt16
    package var nameByteCount: UInt8
    var traits: Traits = []
    /// Index of the zone.
    package var zone: UInt32
    /// The zone cut at or above this name within its zone, as a node; or a node with a DNAME above
    /// this name, which has no cut itself. `ZoneTable.none`: none, the name is authoritative.
    package var cut: UInt32
    /// The node `*.<this name>`; `ZoneTable.none`: there is no wildcard.
    var wildcard: UInt32

    /// What of its RRsets matters also when their type is not asked for.
    struct Traits: OptionSet, BitwiseCopyable, Sendable {
        var rawValue: UInt8
        /// A DNAME: names below this one lead elsewhere (RFC 6672).
        static let dname = Traits(rawValue: 1)
        /// A CNAME or a GEO.
        static let alias = Traits(rawValue: 2)
    }

    /// Whether it may have an answer for other types than those of its RRsets.
    package var hasAlias: Bool { traits.contains(.alias) }
}

/// Records of one owner and type. The RDATA stands in `bytes` as `RDLENGTH RDATA`, once per record.
package struct RRset: BitwiseCopyable, Sendable {
    package var type: RRType
    package var recordCount: UInt16
    package var ttl: UInt32
    package var dataOffset: UInt32
    /// NS at a zone cut: where its glue starts in the glue list. GEO: the number of the GEO name.
    package var link: UInt32
    /// NS at a zone cut: nodes with addresses of its targets.
    package var glueCount: UInt16
}

/// What negative answers and status pages need of a zone.
package struct Zone: BitwiseCopyable, Sendable {
    /// Node of the apex.
    package var apex: UInt32
    /// The SOA RRset.
    package var soa: UInt32
    /// TTL of negative answers: the lesser of the SOA's TTL and its MINIMUM (RFC 2308 §3).
    package var negativeTTL: UInt32
    /// The SOA with that TTL.
    package var negative = NegativeRecord()
    /// The SOA's SERIAL.
    package var serial: UInt32
    /// A node with what the zone above has at the apex's name (NS and DS of the delegation), which
    /// only a DS query finds; `ZoneTable.none`: the zone above has nothing there.
    var parentSide: UInt32 = ZoneTable.none
}

extension ZoneTable {
    /// No such node.
    package static let none = UInt32.max

    /// Where a QNAME leads (RFC 1034 §4.3.2 steps 2 and 3).
    package enum Lookup: Sendable, BitwiseCopyable {
        /// No zone of ours encloses the name.
        case outsideZones
        /// At or below a zone cut; the node of the cut.
        case delegation(cut: Int)
        /// Below a name with a DNAME; the node of that (RFC 6672 §3.2 step 3c).
        case redirection(dname: Int)
        /// The name exists, perhaps without any records (an empty non-terminal).
        case name(Int)
        /// The node of the wildcard that the answer is synthesized from (RFC 4592 §3.3.1).
        case wildcard(Int)
        /// The name does not exist in the zone.
        case nothing(zone: Int)
    }

    /// What queries read: windows on the tables, valid while the `ZoneTable` lives.
    package struct View: Sendable {
        package let nodes: TableView<ZoneNode>
        package let rrsets: TableView<RRset>
        let slots: TableView<UInt32>
        /// Owner names and RDATA.
        package let bytes: TableView<UInt8>
        package let glue: TableView<UInt32>
        package let zones: TableView<Zone>
        let labelCounts: (least: Int, most: Int)

        /// `name` was read from `message`. `dsAtCut`: a DS query at a zone cut itself is the
        /// parent's to answer (RFC 4035 §3.1.4.1).
        ///
        /// Changes nothing; mutating, and the name inout, so that neither is copied for the call
        /// (Swift 6.3, seen in callgrind).
        package mutating func find(
            _ name: inout QuestionName, readFrom message: Span<UInt8>, dsAtCut: Bool = false
        ) -> Lookup {
            guard let index = first(withHash: name.hash) else {
                return findAbove(&name, readFrom: message)
            }
            // What most questions ask for.
            guard !dsAtCut, nodes[index].cut == ZoneTable.none,
                Int(nodes[index].nameByteCount) == name.byteCount,
                name.isSuffix(
                    from: 0, equalTo: bytes, at: Int(nodes[index].nameOffset), readFrom: message)
            else { return findAtLength(&name, readFrom: message, dsAtCut: dsAtCut) }
            return .name(index)
        }

        @inline(never)
        private mutating func findAtLength(
            _ name: inout QuestionName, readFrom message: Span<UInt8>, dsAtCut: Bool
        ) -> Lookup {
            let hash = name.hash
            guard let index = node(&name, from: 0, hash: hash, readFrom: message) else {
                return findAbove(&name, readFrom: message)
            }
            return classify(exact: index, &name, readFrom: message, dsAtCut: dsAtCut)
        }

        @inline(never)
        private mutating func findAbove(
            _ name: inout QuestionName, readFrom message: Span<UInt8>
        ) -> Lookup {
            guard let index = encloser(of: &name, readFrom: message) else { return .outsideZones }
            return classify(index, isExact: false, dsAtCut: false)
        }

        @inline(never)
        private mutating func classify(
            exact index: Int, _ name: inout QuestionName, readFrom message: Span<UInt8>,
            dsAtCut: Bool
        ) -> Lookup {
            if dsAtCut, Int(zones[Int(nodes[index].zone)].apex) == index {
                return findAboveCut(&name, readFrom: message, apex: index)
            }
            return classify(index, isExact: true, dsAtCut: dsAtCut)
        }

        /// The node of the longest name above `name`.
        @inline(__always)
        private mutating func encloser(
            of name: inout QuestionName, readFrom message: Span<UInt8>
        ) -> Int? {
            var offset = 0
            var labelCount = name.labelCount
            while labelCount > labelCounts.least {
                offset = name.parent(of: offset, readFrom: message)
                labelCount -= 1
                guard labelCount <= labelCounts.most else { continue }
                let hash = name.hash(from: offset, readFrom: message)
                // Mostly there is none.
                guard first(withHash: hash) != nil else { continue }
                if let index = node(&name, from: offset, hash: hash, readFrom: message) {
                    return index
                }
            }
            return nil
        }

        /// DS at the apex of a zone: what the zone above says, if it is served here too; else the
        /// zone itself, which has none (RFC 4035 §3.1.4.1).
        @inline(never)
        private mutating func findAboveCut(
            _ name: inout QuestionName, readFrom message: Span<UInt8>, apex: Int
        ) -> Lookup {
            let above = zones[Int(nodes[apex].zone)].parentSide
            if above != ZoneTable.none {
                return classify(Int(above), isExact: true, dsAtCut: true)
            }
            guard let index = encloser(of: &name, readFrom: message) else { return .name(apex) }
            return classify(index, isExact: false, dsAtCut: false)
        }

        private func classify(_ index: Int, isExact: Bool, dsAtCut: Bool) -> Lookup {
            let node = nodes[index]
            if node.cut != ZoneTable.none {
                guard nodes[Int(node.cut)].cut == node.cut else {
                    return .redirection(dname: Int(node.cut))
                }
                if isExact && dsAtCut && Int(node.cut) == index { return .name(index) }
                return .delegation(cut: Int(node.cut))
            }
            if isExact { return .name(index) }
            if node.traits.contains(.dname) { return .redirection(dname: index) }
            if node.wildcard != ZoneTable.none { return .wildcard(Int(node.wildcard)) }
            return .nothing(zone: Int(node.zone))
        }

        /// The first node whose name has this hash; nearly always there is one at most.
        @inline(__always)
        private func first(withHash hash: UInt64) -> Int? {
            let mask = slots.count &- 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while true {
                let entry = slots[slot]
                if entry == 0 { return nil }
                let index = Int(entry &- 1)
                if nodes[index].hash == hash { return index }
                slot = (slot &+ 1) & mask
            }
        }

        /// The node whose name is the suffix of `name` at `offset`, which has this hash.
        @inline(never)
        private mutating func node(
            _ name: inout QuestionName, from offset: Int, hash: UInt64,
            readFrom message: Span<UInt8>
        ) -> Int? {
            let byteCount = name.byteCount &- offset
            let mask = slots.count &- 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while true {
                let entry = slots[slot]
                if entry == 0 { return nil }
                let index = Int(entry &- 1)
                let node = nodes[index]
                if node.hash == hash, Int(node.nameByteCount) == byteCount,
                    name.isSuffix(
                        from: offset, equalTo: bytes, at: Int(node.nameOffset), readFrom: message)
                {
                    return index
                }
                slot = (slot &+ 1) & mask
            }
        }

        /// The RRset of `type` at a node, as an index of `rrsets`.
        package func rrset(_ type: RRType, at node: Int) -> Int? {
            var index = Int(nodes[node].firstRRset)
            let end = index &+ Int(nodes[node].rrsetCount)
            while index < end {
                if rrsets[index].type == type { return index }
                index &+= 1
            }
            return nil
        }

        /// All RRsets at a node.
        package func rrsets(at node: Int) -> Range<Int> {
            let first = Int(nodes[node].firstRRset)
            return first..<first + Int(nodes[node].rrsetCount)
        }
    }
}

// MARK: - For the control plane

extension ZoneTable {
    /// The serial of the zone with this apex.
    package func serial(of origin: DomainName) -> UInt32? {
        withExtendedLifetime(self) {
            let view = unsafe view
            return view.node(named: origin).map { view.zones[Int(view.nodes[$0].zone)].serial }
        }
    }

    /// The number of the GEO name that answers at `name`, wildcards considered.
    package func geoName(at name: DomainName) -> Int? {
        withExtendedLifetime(self) {
            var view = unsafe view
            var question = QuestionName()
            guard question.read(name.wire.span, at: 0) != nil else { return nil }
            switch view.find(&question, readFrom: name.wire.span) {
            case .name(let node), .wildcard(let node):
                return view.rrset(.geo, at: node).map { Int(view.rrsets[$0].link) }
            default:
                return nil
            }
        }
    }
}

extension ZoneTable.View {
    /// The node named `name` exactly, zone cuts and wildcards not considered.
    package func node(named name: DomainName) -> Int? {
        var view = self
        var question = QuestionName()
        guard question.read(name.wire.span, at: 0) != nil else { return nil }
        let hash = question.hash
        return view.node(&question, from: 0, hash: hash, readFrom: name.wire.span)
    }

    /// The name stored at `offset` of `bytes`, an owner or a name inside RDATA.
    package func name(at offset: Int) -> DomainName {
        var wire: [UInt8] = []
        var position = offset
        while bytes[position] != 0 {
            let end = position + Int(bytes[position])
            while position <= end {
                wire.append(bytes[position])
                position += 1
            }
        }
        guard let name = DomainName(wire: wire + [0]) else {
            preconditionFailure("a table holds only valid names")
        }
        return name
    }

    package func ownerName(of node: Int) -> DomainName { name(at: Int(nodes[node].nameOffset)) }

    /// The RDATA of each record of an RRset.
    package func rdata(of rrset: Int) -> [[UInt8]] {
        var position = Int(rrsets[rrset].dataOffset)
        return (0..<Int(rrsets[rrset].recordCount)).map { _ in
            let count = Int(bytes[position]) << 8 | Int(bytes[position + 1])
            defer { position += 2 + count }
            return (position + 2..<position + 2 + count).map { bytes[$0] }
        }
    }
}
