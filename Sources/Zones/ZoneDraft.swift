package import DNSWire
package import Diagnostics

/// One zone as it was read, record by record, before anything is known about the whole.
///
/// Records are kept packed, because a zone may hold a million of them: one byte pool, one row each.
package struct ZoneDraft: Sendable {
    /// A record as it stands in the pool.
    package struct Record: Sendable {
        /// Into `bytes`: the owner in wire form as written, then the RDATA in wire form.
        package var offset: Int
        package var ownerByteCount: UInt8
        package var rdataByteCount: UInt16
        package var type: RRType
        package var ttl: UInt32
        /// Into `files`.
        fileprivate var file: UInt32
        fileprivate var line: UInt32
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
    package private(set) var bytes: [UInt8] = []
    /// Each file once: a zone and its includes may alternate.
    private var files: [String] = []
    /// The file of the last record added: nearly always the next one's too.
    private var lastFile: UInt32 = 0

    package var regions: [Steering<RegionRecord>] = []
    package var checks: [Steering<CheckRecord>] = []
    package var geos: [Steering<(record: GeoRecord, ttl: TTLRange)>] = []
    package var mapLines: [Steering<MapLine>] = []

    /// Owners of records that could not be read. What is missing there has been reported: whoever
    /// refers to such a name is not at fault.
    package var unreadableOwners: Set<DomainName> = []

    /// The start of the zone's file, for errors about the zone as a whole.
    package let location: SourceLocation?

    package init(origin: DomainName, at location: SourceLocation? = nil) {
        self.origin = origin
        self.location = location
    }

    /// Adds a record of an ordinary type. `owner` is one valid uncompressed name, `rdata` at most
    /// 65,535 bytes and valid for `type`; `location` is that of the type word.
    package mutating func add(
        owner: [UInt8], type: RRType, ttl: UInt32, rdata: [UInt8], at location: SourceLocation
    ) {
        let offset = bytes.count
        bytes += owner
        bytes += rdata
        records.append(
            Record(
                offset: offset, ownerByteCount: UInt8(owner.count),
                rdataByteCount: UInt16(rdata.count), type: type, ttl: ttl,
                file: index(of: location.file),
                line: UInt32(clamping: location.line), column: UInt16(clamping: location.column)))
    }

    private mutating func index(of file: String) -> UInt32 {
        if Int(lastFile) < files.count, files[Int(lastFile)] == file { return lastFile }
        if let known = files.firstIndex(of: file) {
            lastFile = UInt32(known)
        } else {
            files.append(file)
            lastFile = UInt32(files.count - 1)
        }
        return lastFile
    }

    package func owner(of record: Record) -> ArraySlice<UInt8> {
        bytes[record.offset..<record.offset + Int(record.ownerByteCount)]
    }

    package func rdata(of record: Record) -> ArraySlice<UInt8> {
        let start = record.offset + Int(record.ownerByteCount)
        return bytes[start..<start + Int(record.rdataByteCount)]
    }

    package func location(of record: Record) -> SourceLocation {
        SourceLocation(
            file: files[Int(record.file)], line: Int(record.line), column: Int(record.column))
    }
}
