package import Addressing

/// Builds databases in the MaxMind DB file format 2.0
/// (https://maxmind.github.io/MaxMind-DB/): prefixes and their values go in, a file's bytes come
/// out. Pure: no file, no clock; the same insertions give the same bytes.
///
/// The longest prefix wins, in whatever order they were inserted; of equal prefixes the last.
package struct DatabaseBuilder {
    /// Everything the file says about itself.
    package struct Metadata: Sendable {
        /// The shape of the records, `GeoIP2-City`; readers choose by it.
        package var databaseType: String
        /// English description.
        package var description: String
        /// Languages of the names in the records.
        package var languages: [String] = ["en"]
        /// Seconds since 1970, UTC. Zero is written as one: libmaxminddb takes it for missing.
        package var buildEpoch: UInt64

        package init(databaseType: String, description: String, buildEpoch: UInt64) {
            self.databaseType = databaseType
            self.description = description
            self.buildEpoch = buildEpoch
        }
    }

    /// `ip_version` of the metadata: 4 holds IPv4 only, 6 holds both, IPv4 standing under ::/96.
    package enum Version: UInt16, Sendable {
        case ipv4 = 4
        case ipv6 = 6
    }

    /// Bits of a search tree record.
    package enum RecordSize: UInt16, Sendable, CaseIterable {
        case bits24 = 24
        case bits28 = 28
        case bits32 = 32
    }

    /// A value known to the builder.
    package struct ValueIndex: Hashable, Sendable {
        fileprivate let number: Int
    }

    /// The tree and the data do not fit records of the size asked for.
    package struct RecordSizeError: Error, CustomStringConvertible {
        /// What the largest record would hold.
        package let largestRecord: Int
        package let recordSize: RecordSize

        package var description: String {
            "the database needs records up to \(largestRecord), too large for "
                + "\(recordSize.rawValue) bits; let the record size be chosen, or insert less"
        }
    }

    /// IPv6 networks through which readers reach the IPv4 tree too, as in MaxMind's own files:
    /// mapped (RFC 4291 §2.5.5.2), 6to4 (RFC 3056), Teredo (RFC 4380; its addresses stand inverted
    /// at the end, so that MaxMind's alias finds the Teredo server's place, not the client's).
    static let aliasNetworks = [
        Prefix(IPAddress(ipv6: 0xffff << 32), length: 96),
        Prefix(IPAddress(ipv6: 0x2002 << 112), length: 16),
        Prefix(IPAddress(ipv6: 0x2001_0000 << 96), length: 32),
    ]

    private let version: Version
    private var values: [DatabaseValue] = []
    private var indexes: [DatabaseValue: Int] = [:]
    /// Insertions by prefix length, so that shorter ones go into the tree first.
    private var insertions: [[(bits: UInt128, value: Int)]]

    package init(version: Version = .ipv6) {
        self.version = version
        insertions = Array(repeating: [], count: version == .ipv4 ? 33 : 129)
    }

    /// Names a value once, for many insertions.
    package mutating func intern(_ value: DatabaseValue) -> ValueIndex {
        if let known = indexes[value] { return ValueIndex(number: known) }
        indexes[value] = values.count
        values.append(value)
        return ValueIndex(number: values.count - 1)
    }

    /// An IPv6 prefix needs a database of version 6.
    package mutating func insert(_ prefix: Prefix, _ value: ValueIndex) {
        switch (version, prefix.family) {
        case (.ipv6, .ipv4):
            insertions[prefix.length + 96].append((prefix.address.bits >> 96, value.number))
        case (.ipv4, .ipv6):
            preconditionFailure("an IPv6 prefix in an IPv4 database")
        default:
            insertions[prefix.length].append((prefix.address.bits, value.number))
        }
    }

    package mutating func insert(_ prefix: Prefix, _ value: DatabaseValue) {
        insert(prefix, intern(value))
    }

    // MARK: - The file

    /// The database's bytes. The smallest record size that fits is taken when none is told.
    /// With `aliases` (version 6 only), the networks of `aliasNetworks` lead to the IPv4 tree,
    /// whatever was inserted inside them.
    package func encode(
        _ metadata: Metadata, recordSize: RecordSize? = nil, aliases: Bool = true
    ) throws(RecordSizeError) -> [UInt8] {
        let tree = searchTree(aliases: aliases && version == .ipv6)
        let nodes = tree.reachableNodes()
        var section = DataSection(usesPointers: true)
        let records = finalRecords(of: tree, nodes: nodes, writing: &section)

        let largest = records.max() ?? 0
        let fitting = RecordSize.allCases.first { largest < 1 << Int($0.rawValue) }
        let size = recordSize ?? fitting ?? .bits32
        guard largest < 1 << Int(size.rawValue) else {
            throw RecordSizeError(largestRecord: largest, recordSize: size)
        }

        var file: [UInt8] = []
        file.reserveCapacity(nodes.count * Int(size.rawValue) / 4 + section.bytes.count + 1024)
        for node in nodes.indices {
            file.appendNode(left: records[2 * node], right: records[2 * node + 1], size)
        }
        file += [UInt8](repeating: 0, count: dataSeparatorByteCount)
        file += section.bytes
        file += [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
        file += encodedMetadata(metadata, nodeCount: nodes.count, recordSize: size)
        return file
    }

    private func searchTree(aliases: Bool) -> SearchTree {
        var tree = SearchTree()
        for (length, ofThisLength) in insertions.enumerated() {
            for (bits, value) in ofThisLength {
                tree.insert(bits, length: length, record: SearchTree.value(value))
            }
        }
        tree.mergeEqualSiblings()
        let ipv4 = aliases ? tree.record(0, length: 96) : SearchTree.empty
        if ipv4 != SearchTree.empty {
            for network in DatabaseBuilder.aliasNetworks {
                tree.insert(network.address.bits, length: network.length, record: ipv4)
            }
        }
        return tree
    }

    /// Records as the file holds them: a node's number, the node count for "nothing", or the node
    /// count + 16 + an offset into the data section. Values are written in tree order, so that
    /// neighbours share pages, and only if the tree uses them.
    private func finalRecords(
        of tree: SearchTree, nodes: [Int], writing section: inout DataSection
    ) -> [Int] {
        var numbers = [Int](repeating: 0, count: tree.records.count / 2)
        for (number, node) in nodes.enumerated() { numbers[node] = number }
        var offsets = [Int?](repeating: nil, count: values.count)
        var result: [Int] = []
        result.reserveCapacity(2 * nodes.count)
        for node in nodes {
            for record in [tree.records[2 * node], tree.records[2 * node + 1]] {
                if SearchTree.isNode(record) {
                    result.append(numbers[SearchTree.nodeIndex(record)])
                } else if record == SearchTree.empty {
                    result.append(nodes.count)
                } else {
                    let value = SearchTree.valueIndex(record)
                    let offset = offsets[value] ?? section.offset(of: values[value])
                    offsets[value] = offset
                    result.append(nodes.count + dataSeparatorByteCount + offset)
                }
            }
        }
        return result
    }

    private func encodedMetadata(
        _ metadata: Metadata, nodeCount: Int, recordSize: RecordSize
    ) -> [UInt8] {
        var section = DataSection(usesPointers: false)
        _ = section.offset(of: [
            "binary_format_major_version": .uint16(2),
            "binary_format_minor_version": .uint16(0),
            "build_epoch": .uint64(max(1, metadata.buildEpoch)),
            "database_type": .string(metadata.databaseType),
            "description": ["en": .string(metadata.description)],
            "ip_version": .uint16(version.rawValue),
            "languages": .array(metadata.languages.map { .string($0) }),
            "node_count": .uint32(UInt32(nodeCount)),
            "record_size": .uint16(recordSize.rawValue),
        ])
        return section.bytes
    }
}

/// Zero bytes between the search tree and the data section.
private let dataSeparatorByteCount = 16

extension [UInt8] {
    /// One node. In the 28-bit format the top four bits of both records share the middle byte.
    fileprivate mutating func appendNode(
        left: Int, right: Int, _ size: DatabaseBuilder.RecordSize
    ) {
        switch size {
        case .bits24:
            appendBigEndian(left, byteCount: 3)
            appendBigEndian(right, byteCount: 3)
        case .bits28:
            appendBigEndian(left & 0xff_ffff, byteCount: 3)
            append(UInt8(truncatingIfNeeded: (left >> 24) << 4 | right >> 24))
            appendBigEndian(right & 0xff_ffff, byteCount: 3)
        case .bits32:
            appendBigEndian(left, byteCount: 4)
            appendBigEndian(right, byteCount: 4)
        }
    }

    private mutating func appendBigEndian(_ value: Int, byteCount: Int) {
        for index in stride(from: byteCount - 1, through: 0, by: -1) {
            append(UInt8(truncatingIfNeeded: value >> (8 * index)))
        }
    }
}
