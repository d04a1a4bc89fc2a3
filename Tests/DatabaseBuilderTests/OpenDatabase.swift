import Addressing
import CMaxMindDB
import DatabaseBuilder
import Foundation

/// A database as libmaxminddb sees it: the judge of what the builder wrote.
final class OpenDatabase {
    struct CannotOpen: Error { let status: Int32 }

    private let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)

    init(_ bytes: [UInt8]) throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("\(UUID().uuidString).mmdb").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        // libmaxminddb maps the file; a mapping outlives the name.
        defer { try? FileManager.default.removeItem(atPath: path) }
        handle.initialize(to: MMDB_s())
        let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), handle)
        guard status == MMDB_SUCCESS else {
            handle.deallocate()
            throw CannotOpen(status: status)
        }
    }

    deinit {
        MMDB_close(handle)
        handle.deallocate()
    }

    var metadata: MMDB_metadata_s { handle.pointee.metadata }
    var databaseType: String { String(cString: metadata.database_type) }

    /// The value of an address, and the length of the network it was found under, counted in the
    /// address's own family.
    func lookup(_ address: IPAddress) -> (value: DatabaseValue?, length: Int) {
        var addressError: Int32 = 0
        var status: Int32 = 0
        var found = MMDB_lookup_string(handle, address.description, &addressError, &status)
        precondition(addressError == 0 && status == MMDB_SUCCESS)
        let isIPv4InIPv6 = address.family == .ipv4 && metadata.ip_version == 6
        let length = Int(found.netmask) - (isIPv4InIPv6 ? 96 : 0)
        guard found.found_entry else { return (nil, length) }
        var list: UnsafeMutablePointer<MMDB_entry_data_list_s>?
        guard MMDB_get_entry_data_list(&found.entry, &list) == MMDB_SUCCESS else {
            return (nil, length)
        }
        defer { MMDB_free_entry_data_list(list) }
        var next = list
        return (OpenDatabase.value(&next), length)
    }

    private static func value(
        _ next: inout UnsafeMutablePointer<MMDB_entry_data_list_s>?
    ) -> DatabaseValue {
        let entry = next!.pointee.entry_data
        next = next!.pointee.next
        switch Int32(entry.type) {
        case MMDB_DATA_TYPE_MAP:
            return .map(
                (0..<entry.data_size).map { _ in
                    guard case .string(let key) = value(&next) else { fatalError("a key") }
                    return .init(key, value(&next))
                })
        case MMDB_DATA_TYPE_ARRAY: return .array((0..<entry.data_size).map { _ in value(&next) })
        case MMDB_DATA_TYPE_UTF8_STRING:
            return .string(
                String(
                    decoding: UnsafeRawBufferPointer(
                        start: entry.utf8_string, count: Int(entry.data_size)), as: UTF8.self))
        case MMDB_DATA_TYPE_BYTES:
            return .bytes(
                Array(UnsafeBufferPointer(start: entry.bytes, count: Int(entry.data_size))))
        case MMDB_DATA_TYPE_DOUBLE: return .double(entry.double_value)
        case MMDB_DATA_TYPE_FLOAT: return .float(entry.float_value)
        case MMDB_DATA_TYPE_UINT16: return .uint16(entry.uint16)
        case MMDB_DATA_TYPE_UINT32: return .uint32(entry.uint32)
        case MMDB_DATA_TYPE_UINT64: return .uint64(entry.uint64)
        case MMDB_DATA_TYPE_UINT128:
            // Swift does not import the union's __int128; the union stands at its alignment, 16.
            return .uint128(
                withUnsafeBytes(of: entry) {
                    $0.loadUnaligned(fromByteOffset: 16, as: UInt128.self)
                })
        case MMDB_DATA_TYPE_INT32: return .int32(entry.int32)
        case MMDB_DATA_TYPE_BOOLEAN: return .boolean(entry.boolean)
        default: fatalError("type \(entry.type)")
        }
    }
}

extension DatabaseBuilder.Metadata {
    static let test = DatabaseBuilder.Metadata(
        databaseType: "Test", description: "for a test", buildEpoch: 1_700_000_000)
}
