/// The bytes of a data section under construction (MaxMind DB file format 2.0, "Data Field
/// Format"): every field starts with a control byte that tells its type and size.
///
/// A value that was written before is written as a pointer to its first occurrence wherever the
/// pointer is the shorter of the two, map keys included.
struct DataSection {
    private(set) var bytes: [UInt8] = []
    private let usesPointers: Bool
    /// Where each value stands, and how many bytes it took there.
    private var written: [DatabaseValue: (offset: Int, byteCount: Int)] = [:]

    /// `usesPointers` false is for the metadata, which readers expect to find plain.
    init(usesPointers: Bool) { self.usesPointers = usesPointers }

    /// Where `value` stands in full, writing it if it is new: what a search tree record points to.
    mutating func offset(of value: DatabaseValue) -> Int {
        if let known = written[value] { return known.offset }
        let offset = bytes.count
        append(value)
        return offset
    }

    /// Writes the value in full, or a pointer to where it stands already.
    private mutating func append(_ value: DatabaseValue) {
        if usesPointers, let known = written[value],
            DataSection.pointerByteCount(known.offset) < known.byteCount
        {
            return appendPointer(to: known.offset)
        }
        let start = bytes.count
        appendInFull(value)
        if usesPointers, written[value] == nil {
            written[value] = (start, bytes.count - start)
        }
    }

    private mutating func appendInFull(_ value: DatabaseValue) {
        switch value {
        case .map(let fields):
            appendControl(.map, size: fields.count)
            for field in fields {
                append(.string(field.key))
                append(field.value)
            }
        case .array(let elements):
            appendControl(.array, size: elements.count)
            for element in elements { append(element) }
        case .string(let text):
            appendControl(.string, size: text.utf8.count)
            bytes += text.utf8
        case .bytes(let content):
            appendControl(.bytes, size: content.count)
            bytes += content
        case .double(let number):
            appendControl(.double, size: 8)
            appendBigEndian(UInt128(number.bitPattern), byteCount: 8)
        case .float(let number):
            appendControl(.float, size: 4)
            appendBigEndian(UInt128(number.bitPattern), byteCount: 4)
        case .uint16(let number): appendUnsigned(.uint16, UInt128(number))
        case .uint32(let number): appendUnsigned(.uint32, UInt128(number))
        case .uint64(let number): appendUnsigned(.uint64, UInt128(number))
        case .uint128(let number): appendUnsigned(.uint128, number)
        case .int32(let number):
            // Readers pad short integers with zeros on the left, so that a negative one takes all
            // four bytes.
            appendUnsigned(.int32, UInt128(UInt32(bitPattern: number)))
        case .boolean(let flag): appendControl(.boolean, size: flag ? 1 : 0)
        }
    }

    // MARK: - Control bytes

    /// Type numbers of the format; those above 7 take an extra byte.
    private enum TypeNumber: UInt8 {
        case string = 2
        case double, bytes, uint16, uint32, map, int32, uint64, uint128, array
        case boolean = 14
        case float = 15
    }

    private mutating func appendControl(_ type: TypeNumber, size: Int) {
        precondition(size < 65_821 + 1 << 24, "a field of the format holds at most 16,843,036")
        let (code, extra, extraByteCount) =
            switch size {
            case ..<29: (size, 0, 0)
            case ..<285: (29, size - 29, 1)
            case ..<65_821: (30, size - 285, 2)
            default: (31, size - 65_821, 3)
            }
        if type.rawValue <= 7 {
            bytes.append(type.rawValue << 5 | UInt8(code))
        } else {
            bytes.append(UInt8(code))
            bytes.append(type.rawValue - 7)
        }
        appendBigEndian(UInt128(extra), byteCount: extraByteCount)
    }

    private mutating func appendUnsigned(_ type: TypeNumber, _ value: UInt128) {
        let byteCount = (UInt128.bitWidth - value.leadingZeroBitCount + 7) / 8
        appendControl(type, size: byteCount)
        appendBigEndian(value, byteCount: byteCount)
    }

    private mutating func appendBigEndian(_ value: UInt128, byteCount: Int) {
        for index in (0..<byteCount).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt128(8 * index)))
        }
    }

    // MARK: - Pointers

    /// Smallest values that pointers of 2, 3 and 4 bytes hold count from these.
    private static let pointerBases = [0, 2048, 526_336]

    private static func pointerByteCount(_ offset: Int) -> Int {
        switch offset {
        case ..<2048: 2
        case ..<526_336: 3
        case ..<134_744_064: 4
        default: 5
        }
    }

    private mutating func appendPointer(to offset: Int) {
        let byteCount = DataSection.pointerByteCount(offset)
        guard byteCount < 5 else {
            bytes.append(1 << 5 | 3 << 3)
            return appendBigEndian(UInt128(offset), byteCount: 4)
        }
        let value = offset - DataSection.pointerBases[byteCount - 2]
        let topBits = UInt8(truncatingIfNeeded: value >> (8 * (byteCount - 1)))
        bytes.append(1 << 5 | UInt8(byteCount - 2) << 3 | topBits)
        appendBigEndian(UInt128(value), byteCount: byteCount - 1)
    }
}
