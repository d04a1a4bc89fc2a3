import Addressing
import Geography

/// Reads a database's search tree once, from the first address to the last, decoding each distinct
/// record once.
struct TreeWalk: ~Copyable {
    /// What is read of each record.
    enum Content {
        /// The index of its place.
        case places
        /// The number of its autonomous system; 0: none.
        case systems
    }

    private let reader: DatabaseReader
    private let content: Content
    private let placeReader = PlaceReader()
    private let systemReader = SystemReader()
    private var check: StructureCheck
    /// Nodes that may still be visited. A tree has each node once; files that reach one part of it
    /// by several ways (aliases beyond those below) visit it as often. A file with a cycle would go
    /// on for ever.
    private var nodeCountLeft: Int

    /// One of the first records is in an autonomous system.
    private(set) var hasSeenSystem = false
    /// How many are looked at for that.
    private static let systemSampleCount = 64
    private(set) var places: [Place] = [.unknown]
    private var placeIndexes: [Place: PlaceIndex] = [.unknown: 0]
    /// By offset into the data section.
    private var placesOfRecords: [UInt32: PlaceIndex] = [:]
    /// Some of them again, each where its offset leads: neighbours alternate between few places.
    private var recent = [(offset: UInt32, place: PlaceIndex)](
        repeating: (.max, 0), count: recentCount)
    /// A power of two.
    private static let recentCount = 1024

    /// Whether an IPv6 network leads to IPv4 places: `IPAddress.embeddedIPv4` looks them up there,
    /// and ::/96 is where the format keeps the IPv4 tree. Each is one unknown leaf.
    private static func isIPv4Network(_ bits: UInt128, _ length: Int) -> Bool {
        switch length {
        case 16: bits == 0x2002 << 112
        case 32: bits == 0x2001_0000 << 96
        case 96: bits == 0 || bits == 0xffff << 32 || bits == 0x0064_ff9b << 96
        default: false
        }
    }

    init(_ reader: consuming DatabaseReader, for content: Content = .places) {
        self.content = content
        nodeCountLeft = 8 * Int(reader.nodeCount) + 1024
        check = StructureCheck(
            sectionByteCount: reader.dataByteCount, allowsPointersToContainers: true)
        self.reader = reader
    }

    /// The partition of one family.
    mutating func partition(_ family: IPAddress.Family) throws(GeoSourceError) -> Partition {
        switch (family, reader.ipVersion) {
        case (.ipv6, 4): .unknown(.ipv6)
        case (.ipv4, 6): try partition(.ipv4, from: try ipv4Record())
        default: try partition(family, from: .node(0))
        }
    }

    /// What ::/96 leads to, or a shorter prefix of zeros that ends before it.
    private func ipv4Record() throws(GeoSourceError) -> DatabaseReader.Record {
        var record = DatabaseReader.Record.node(0)
        for _ in 0..<96 {
            guard case .node(let number) = record else { break }
            record = try reader.node(number).left
        }
        return record
    }

    private mutating func partition(
        _ family: IPAddress.Family, from root: DatabaseReader.Record
    ) throws(GeoSourceError) -> Partition {
        var partition = Partition(of: family, countMax: Int(reader.nodeCount) + 1)
        // Right halves still to be walked: one of each length at most.
        var pending = InlineArray<128, Half>(repeating: Half(bits: 0, length: 0, record: .nothing))
        var pendingCount = 0
        var (bits, length, record) = (UInt128(0), 0, root)
        while true {
            let isIPv4 = family == .ipv6 && TreeWalk.isIPv4Network(bits, length)
            switch isIPv4 ? .nothing : record {
            case .nothing:
                partition.append(bits, place: 0)
            case .data(let offset):
                let place = try place(at: offset) {
                    Prefix(IPAddress(leftAligned: bits, family: family), length: length)
                }
                partition.append(bits, place: place)
            case .node(let number):
                guard length < family.bitCount else {
                    let address = IPAddress(leftAligned: bits, family: family)
                    throw corrupt("the search tree goes on below the whole address \(address)")
                }
                nodeCountLeft -= 1
                guard nodeCountLeft >= 0 else { throw corrupt("its search tree has a cycle") }
                let (left, right) = try reader.node(number)
                length += 1
                pending[pendingCount] = Half(
                    bits: bits | 1 &<< UInt128(truncatingIfNeeded: 128 &- length),
                    length: length, record: right)
                pendingCount += 1
                record = left
                continue
            }
            guard pendingCount > 0 else { return partition }
            pendingCount -= 1
            let next = pending[pendingCount]
            (bits, length, record) = (next.bits, next.length, next.record)
        }
    }

    private struct Half {
        var bits: UInt128
        var length: Int
        var record: DatabaseReader.Record
    }

    private mutating func place(
        at offset: UInt32, of prefix: () -> Prefix
    ) throws(GeoSourceError) -> PlaceIndex {
        let slot = Int((offset &* 0x9e37_79b1) >> 22) % TreeWalk.recentCount
        if recent[slot].offset == offset { return recent[slot].place }
        let place = try knownPlace(at: offset, of: prefix())
        recent[slot] = (offset, place)
        return place
    }

    private mutating func knownPlace(
        at offset: UInt32, of prefix: Prefix
    ) throws(GeoSourceError) -> PlaceIndex {
        if let known = placesOfRecords[offset] { return known }
        do throws(StructureCheck.Problem) {
            try reader.check(offset, with: &check)
        } catch {
            throw corrupt("the record of \(prefix): \(error.description)")
        }
        let index =
            try content == .systems
            ? PlaceIndex(systemReader.number(at: offset, in: reader)) : newPlace(at: offset)
        placesOfRecords[offset] = index
        return index
    }

    private mutating func newPlace(at offset: UInt32) throws(GeoSourceError) -> PlaceIndex {
        if !hasSeenSystem, placesOfRecords.count < TreeWalk.systemSampleCount {
            hasSeenSystem = try systemReader.number(at: offset, in: reader) != 0
        }
        let place = try placeReader.place(at: offset, in: reader)
        let index = placeIndexes[place] ?? places.count
        if index == places.count {
            placeIndexes[place] = index
            places.append(place)
        }
        return index
    }

    private func corrupt(_ what: String) -> GeoSourceError {
        GeoSourceError(reader.path, .corrupt(what))
    }
}
