package import DNSWire
package import Diagnostics

/// One zone as it was read, record by record, before anything is known about the whole.
///
/// Records are kept packed, because a zone may hold a million of them: one byte pool, one row each.
package struct ZoneDraft: Sendable {
    /// A record: where it stands in the pool and in the file.
    package struct Record: BitwiseCopyable, Sendable {
        /// Into the pool: the owner in wire form as written. Records that follow each other and
        /// have the same owner share it.
        package fileprivate(set) var ownerOffset: UInt32
        /// Into the pool: `RDLENGTH RDATA` in wire form.
        package fileprivate(set) var dataOffset: UInt32
        package var ttl: UInt32
        fileprivate var line: UInt32
        package var type: RRType
        fileprivate var column: UInt16
    }

    /// A steering record: its owner, its parsed form, and where it stands.
    package struct Steering<Value: Sendable>: Sendable {
        package var owner: DomainName
        package var value: Value
        /// Of the type word; for a line that `MAP file=` brought in, of that line's prefix.
        package var location: SourceLocation

        package init(owner: DomainName, value: Value, at location: SourceLocation) {
            self.owner = owner
            self.value = value
            self.location = location
        }
    }

    /// The apex.
    package let origin: DomainName
    package private(set) var records: [Record] = []
    /// The pool. It becomes part of the table as it is (`movePool`).
    package private(set) var bytes: [UInt8] = []
    /// Owners in the pool: as many names as the records can have.
    package private(set) var ownerCount = 0
    /// Of all that was added, `discardRecords` or not.
    package private(set) var recordCount = 0
    /// The files that records came from, in turn: a zone and its includes may alternate. Data from
    /// `firstOffset` of the pool on is from `file`.
    private var files: [(firstOffset: UInt32, file: String)] = []

    package var regions: [Steering<RegionRecord>] = []
    package var checks: [Steering<CheckRecord>] = []
    package var geos: [Steering<(record: GeoRecord, ttl: TTLRange)>] = []
    package var mapLines: [Steering<MapLine>] = []

    /// Owners of records that could not be read. What is missing there has been reported: whoever
    /// refers to such a name is not at fault.
    package var unreadableOwners: Set<DomainName> = []

    /// The start of the zone's file, for errors about the zone as a whole.
    package let location: SourceLocation?
    /// Paths of the files of data that its records name: rows of maps, round-trip times.
    package var dataFiles: Set<String> = []

    package init(origin: DomainName, at location: SourceLocation? = nil) {
        self.origin = origin
        self.location = location
    }

    /// Makes room for a file of so many bytes.
    package mutating func reserve(fileByteCount: Int) {
        // Records take about as many bytes as their text; few lines are shorter than 24.
        bytes.reserveCapacity(fileByteCount)
        records.reserveCapacity(fileByteCount / 24)
    }

    /// The records to come stand in this file.
    package mutating func enter(file: String) {
        let firstOffset = UInt32(bytes.count)
        if let last = files.last, last.firstOffset == firstOffset { files.removeLast() }
        files.append((firstOffset, file))
    }

    /// Adds a record of an ordinary type. `owner` is one valid uncompressed name, `rdata` at most
    /// 65,535 bytes and valid for `type`; `line` and `column` are those of the type word.
    package mutating func add(
        owner: [UInt8], type: RRType, ttl: UInt32, rdata: [UInt8], line: Int, column: Int
    ) {
        var ownerOffset = bytes.count
        if let last = records.last, owner.span.isName(at: Int(last.ownerOffset), of: bytes.span) {
            ownerOffset = Int(last.ownerOffset)
        } else {
            bytes += owner
            ownerCount += 1
        }
        let dataOffset = bytes.count
        bytes.append(UInt8(rdata.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: rdata.count))
        bytes += rdata
        records.append(
            Record(
                ownerOffset: UInt32(ownerOffset), dataOffset: UInt32(dataOffset), ttl: ttl,
                line: UInt32(clamping: line), type: type, column: UInt16(clamping: column)))
        recordCount += 1
    }

    /// Hands the pool over: `pool` has it at its end, and the records point there.
    package mutating func movePool(to pool: inout [UInt8]) {
        if pool.isEmpty {
            swap(&pool, &bytes)
            return
        }
        let start = UInt32(pool.count)
        pool += bytes
        bytes = []
        for index in records.indices {
            records[index].ownerOffset += start
            records[index].dataOffset += start
        }
        for index in files.indices { files[index].firstOffset += start }
    }

    /// Lets go of the records; `recordCount` stays.
    package mutating func discardRecords() { records = [] }

    package func owner(of record: Record) -> ArraySlice<UInt8> {
        bytes[Int(record.ownerOffset)...].prefix(
            bytes.span.nameByteCount(at: Int(record.ownerOffset)))
    }

    package func rdata(of record: Record) -> ArraySlice<UInt8> {
        bytes[bytes.span.rdata(at: Int(record.dataOffset))]
    }

    package func location(of record: Record) -> SourceLocation {
        let file = files.last { $0.firstOffset <= record.dataOffset }?.file ?? ""
        return SourceLocation(file: file, line: Int(record.line), column: Int(record.column))
    }
}

extension Span<UInt8> {
    /// Length of the uncompressed name at `offset`.
    func nameByteCount(at offset: Int) -> Int {
        var end = offset
        while self[end] != 0 { end += 1 + Int(self[end]) }
        return end + 1 - offset
    }

    /// Where the RDATA at `offset` stands, which has its length in front.
    func rdata(at offset: Int) -> Range<Int> {
        let count = Int(self[offset]) << 8 | Int(self[offset + 1])
        return offset + 2..<offset + 2 + count
    }

    /// Whether this name stands at `offset` of `pool`, in the same case.
    fileprivate func isName(at offset: Int, of pool: Span<UInt8>) -> Bool {
        guard offset + count <= pool.count else { return false }
        // Neighbours differ in their first label: the length of that, or its first bytes.
        for index in indices where self[index] != pool[offset + index] { return false }
        return true
    }
}
