import CMaxMindDB

/// libmaxminddb's view of one database, while it is being read. Everything it returns is copied.
@safe struct DatabaseReader: ~Copyable {
    /// What a record of the search tree leads to.
    enum Record: Equatable {
        case node(UInt32)
        case nothing
        /// An offset into the data section.
        case data(UInt32)
    }

    // SAFETY of every use below: allocated and filled by a successful MMDB_open in init, closed and
    // freed in deinit, at this address all the while, as MMDB_entry_s requires. The mapped file is
    // `image`, which nobody else can change or shorten.
    private let handle: UnsafeMutablePointer<MMDB_s>
    private let image: DatabaseImage
    /// The operator's name for it.
    let path: String
    /// Of the search tree.
    let nodeCount: UInt32
    let dataByteCount: Int

    init(path: String) throws(GeoSourceError) {
        let image = try DatabaseImage(copying: path)
        try DatabaseReader.checkMetadata(of: image, path)
        unsafe handle = try DatabaseReader.open(image, path)
        unsafe nodeCount = handle.pointee.metadata.node_count
        unsafe dataByteCount = Int(handle.pointee.data_section_size)
        self.image = image
        self.path = path
    }

    private static func open(
        _ image: borrowing DatabaseImage, _ path: String
    ) throws(GeoSourceError) -> UnsafeMutablePointer<MMDB_s> {
        let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        unsafe handle.initialize(to: MMDB_s())
        let status = unsafe MMDB_open(image.path, UInt32(MMDB_MODE_MMAP), handle)
        guard status == MMDB_SUCCESS else {
            unsafe handle.deallocate()
            throw GeoSourceError(path, reason(status))
        }
        // The library multiplies in 32 bits; ours cannot overflow.
        let nodeCount = unsafe UInt64(handle.pointee.metadata.node_count)
        let treeByteCount = unsafe nodeCount * UInt64(handle.pointee.full_record_byte_size)
        guard nodeCount > 0, treeByteCount + 16 <= UInt64(image.byteCount) else {
            unsafe MMDB_close(handle)
            unsafe handle.deallocate()
            throw GeoSourceError(
                path, .corrupt("its metadata does not fit the size of its search tree"))
        }
        return unsafe handle
    }

    deinit {
        unsafe MMDB_close(handle)
        unsafe handle.deallocate()
    }

    // MARK: - Metadata

    /// 4 or 6.
    var ipVersion: Int { unsafe Int(handle.pointee.metadata.ip_version) }
    var buildEpoch: UInt64 { unsafe handle.pointee.metadata.build_epoch }
    var databaseType: String {
        guard let text = unsafe handle.pointee.metadata.database_type else { return "" }
        return unsafe String(cString: text)
    }

    /// The format lets metadata take the last 128 KiB of a file.
    private static let metadataByteCountMax = 128 * 1024
    private static let metadataMarker: [UInt8] = [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)

    private static func checkMetadata(
        of image: borrowing DatabaseImage, _ path: String
    ) throws(GeoSourceError) {
        let tail = image.tail(metadataByteCountMax)
        let markers = tail.indices.reversed().lazy.filter {
            tail[$0] == metadataMarker[0] && tail[$0...].starts(with: metadataMarker)
        }
        guard let marker = markers.first else { throw GeoSourceError(path, .notADatabase) }
        let metadata = Array(tail[(marker + metadataMarker.count)...])
        var check = StructureCheck(
            sectionByteCount: metadata.count, allowsPointersToContainers: false)
        do throws(StructureCheck.Problem) {
            try check.check(0, in: metadata.span)
            try StructureCheck.checkNames(in: metadata.span)
        } catch {
            throw GeoSourceError(path, .corrupt("metadata: \(error.description)"))
        }
    }

    private static func reason(_ status: Int32) -> GeoSourceError.Reason {
        switch status {
        case MMDB_UNKNOWN_DATABASE_FORMAT_ERROR: .unsupportedFormat
        case MMDB_FILE_OPEN_ERROR, MMDB_IO_ERROR: .systemError()
        case MMDB_INVALID_METADATA_ERROR, MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR:
            .corrupt("its metadata is incomplete or does not fit the file")
        // SAFETY: MMDB_strerror returns constant strings.
        default: .corrupt(unsafe String(cString: MMDB_strerror(status)))
        }
    }

    // MARK: - Search tree

    func node(_ number: UInt32) throws(GeoSourceError) -> (left: Record, right: Record) {
        var node = unsafe MMDB_search_node_s()
        let status = unsafe MMDB_read_node(handle, number, &node)
        guard status == MMDB_SUCCESS else {
            throw GeoSourceError(path, .corrupt("node \(number) of the search tree is unreadable"))
        }
        return (
            try record(unsafe node.left_record, in: number),
            try record(unsafe node.right_record, in: number)
        )
    }

    /// The library does not see that a record may point into the 16 zero bytes before the data.
    @inline(__always)
    private func record(_ value: UInt64, in node: UInt32) throws(GeoSourceError) -> Record {
        let count = UInt64(nodeCount)
        if value < count { return .node(UInt32(truncatingIfNeeded: value)) }
        if value == count { return .nothing }
        guard value >= count + 16, value - count - 16 < UInt64(dataByteCount) else {
            throw GeoSourceError(
                path, .corrupt("node \(node) of the search tree points outside the data"))
        }
        return .data(UInt32(truncatingIfNeeded: value - count - 16))
    }

    // MARK: - Data section

    /// Throws unless `string` and `number` are safe to ask about the record at `offset`.
    func check(
        _ offset: UInt32, with check: inout StructureCheck
    ) throws(StructureCheck.Problem) {
        // SAFETY: the library's pointer and size of the mapped data section, valid while self is.
        let section = unsafe Span(
            _unsafeStart: handle.pointee.data_section, count: dataByteCount)
        try check.check(Int(offset), in: section)
    }

    /// The string at `lookup` in the record at `offset`; nil if it is not there, is no string, or
    /// is longer than any name.
    func string(_ lookup: borrowing LookupPath, at offset: UInt32) throws(GeoSourceError) -> String?
    {
        guard let entry = unsafe try entry(lookup, at: offset) else { return nil }
        guard unsafe entry.type == MMDB_DATA_TYPE_UTF8_STRING, unsafe entry.data_size <= 256
        else { return nil }
        // SAFETY: the library checked that data_size bytes lie inside the data section.
        let bytes = unsafe UnsafeRawBufferPointer(
            start: entry.utf8_string, count: Int(entry.data_size))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// The number at `lookup`, also where it is written as a string, as IPinfo does.
    func number(_ lookup: borrowing LookupPath, at offset: UInt32) throws(GeoSourceError) -> Double?
    {
        guard let entry = unsafe try entry(lookup, at: offset) else { return nil }
        switch unsafe Int32(entry.type) {
        case MMDB_DATA_TYPE_DOUBLE: return unsafe entry.double_value
        case MMDB_DATA_TYPE_FLOAT: return unsafe Double(entry.float_value)
        case MMDB_DATA_TYPE_UTF8_STRING: return try string(lookup, at: offset).flatMap(Double.init)
        default: return nil
        }
    }

    /// The unsigned number at `lookup`; nil if there is none, or it has more than 32 bits.
    func unsigned(
        _ lookup: borrowing LookupPath, at offset: UInt32
    ) throws(GeoSourceError) -> UInt32? {
        guard let entry = unsafe try entry(lookup, at: offset) else { return nil }
        switch unsafe Int32(entry.type) {
        case MMDB_DATA_TYPE_UINT16: return unsafe UInt32(entry.uint16)
        case MMDB_DATA_TYPE_UINT32: return unsafe entry.uint32
        case MMDB_DATA_TYPE_UINT64: return unsafe UInt32(exactly: entry.uint64)
        default: return nil
        }
    }

    private func entry(
        _ lookup: borrowing LookupPath, at offset: UInt32
    ) throws(GeoSourceError) -> MMDB_entry_data_s? {
        var start = unsafe MMDB_entry_s(mmdb: handle, offset: offset)
        var result = unsafe MMDB_entry_data_s()
        switch unsafe MMDB_aget_value(&start, &result, lookup.keys) {
        case MMDB_SUCCESS:
            return unsafe result.has_data ? result : nil
        case MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR:
            return nil
        case let status:
            // SAFETY: MMDB_strerror returns constant strings.
            let why = unsafe String(cString: MMDB_strerror(status))
            throw GeoSourceError(path, .corrupt("record at \(offset): \(why)"))
        }
    }
}

/// Keys from a record's top to a value, as MMDB_aget_value takes them: C strings, then nil.
@safe struct LookupPath: ~Copyable {
    // SAFETY: both levels are allocated in init, never changed, freed in deinit.
    fileprivate let keys: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    init(_ names: String...) {
        count = names.count
        unsafe keys = .allocate(capacity: count + 1)
        for (index, name) in names.enumerated() {
            let bytes = Array(name.utf8CString)
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            unsafe copy.initialize(from: bytes, count: bytes.count)
            unsafe (keys + index).initialize(to: UnsafePointer(copy))
        }
        unsafe (keys + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { unsafe keys[index]?.deallocate() }
        unsafe keys.deallocate()
    }
}
