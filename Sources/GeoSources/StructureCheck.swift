/// Walks values of a data section before libmaxminddb does, and refuses shapes on which that
/// library would recurse or loop for as long as the file tells it to: it has no limit on the
/// nesting it skips over (1.7.1), and none on the work a record may cause.
struct StructureCheck {
    /// What is wrong with a value.
    struct Problem: Error {
        let description: String

        init(_ description: String) { self.description = description }
    }

    /// Nesting of maps and arrays; the records of every known database need five.
    static let depthMax = 64
    /// Entries of one map or array; real records have a few dozen.
    static let entryCountMax = 1024

    /// In metadata, where libmaxminddb expands everything, a pointer to a map or an array could
    /// make a few bytes expand without end; no writer uses one there.
    private let allowsPointersToContainers: Bool
    private var checked: Set<Int> = []
    /// Fields that may still be looked at, over all values: more than a sound file can hold, less
    /// than overlapping values could cause.
    private var fieldCountLeft: Int

    init(sectionByteCount: Int, allowsPointersToContainers: Bool) {
        self.allowsPointersToContainers = allowsPointersToContainers
        fieldCountLeft = 8 * sectionByteCount + 65_536
    }

    /// Throws unless the value at `offset`, and all that it points to, is safe to look into.
    mutating func check(_ offset: Int, in section: Span<UInt8>) throws(Problem) {
        var pending = [offset]
        while let next = pending.popLast() {
            guard checked.insert(next).inserted else { continue }
            try checkInline(next, in: section, pointers: &pending)
        }
    }

    /// One value with everything that stands inside it; the targets of its pointers are appended.
    private mutating func checkInline(
        _ offset: Int, in section: Span<UInt8>, pointers: inout [Int]
    ) throws(Problem) {
        var position = offset
        // How many fields are still to come in each container around `position`.
        var remaining: [Int] = []
        repeat {
            fieldCountLeft -= 1
            guard fieldCountLeft >= 0 else { throw Problem("its values overlap endlessly") }
            if let last = remaining.indices.last { remaining[last] -= 1 }
            let field = try Field(at: position, in: section)
            position = field.contentOffset
            switch field.kind {
            case .pointer(let target):
                let kind = try Field(at: target, in: section).kind
                if case .pointer = kind {
                    throw Problem("a pointer at \(offset) leads to a pointer")
                }
                if case .container = kind, !allowsPointersToContainers {
                    throw Problem("its metadata holds a pointer to a map or an array")
                }
                pointers.append(target)
            case .container(let entryCount, let fieldCount):
                guard entryCount <= StructureCheck.entryCountMax else {
                    throw Problem("a map or array at \(offset) claims \(entryCount) entries")
                }
                remaining.append(fieldCount)
                guard remaining.count <= StructureCheck.depthMax else {
                    throw Problem("values are nested too deeply at \(offset)")
                }
            case .scalar(let byteCount):
                guard byteCount <= section.count - position else {
                    throw Problem("a value at \(offset) runs past the end of the data")
                }
                position += byteCount
            }
            while remaining.last == 0 { remaining.removeLast() }
        } while !remaining.isEmpty
    }
}

extension StructureCheck {
    /// Throws unless `languages` and `description`, where they are an array or a map, hold strings
    /// only. At anything else there libmaxminddb 1.7.1 gives up without freeing what it has read:
    /// each reload would lose some kilobytes (its pull request 356 mended that).
    ///
    /// `metadata` has passed `check`, without pointers to containers.
    static func checkNames(in metadata: Span<UInt8>) throws(Problem) {
        let map = try Field(at: 0, in: metadata)
        guard case .container(let entryCount, let fieldCount) = map.kind,
            fieldCount == 2 * entryCount
        else { return }
        var position = map.contentOffset
        for _ in 0..<entryCount {
            let key = try string(at: position, in: metadata)
            position = try end(of: position, in: metadata)
            if let key, key == Array("languages".utf8) || key == Array("description".utf8) {
                let value = try Field(at: position, in: metadata)
                var inner = value.contentOffset
                if case .container(_, let fieldCount) = value.kind {
                    for _ in 0..<fieldCount {
                        guard try string(at: inner, in: metadata) != nil else {
                            let name = String(decoding: key, as: UTF8.self)
                            throw Problem("`\(name)` holds something that is no text")
                        }
                        inner = try end(of: inner, in: metadata)
                    }
                }
            }
            position = try end(of: position, in: metadata)
        }
    }

    /// The bytes of the string that stands or is pointed to there; nil: something else does.
    private static func string(
        at offset: Int, in section: Span<UInt8>
    ) throws(Problem) -> [UInt8]? {
        var field = try Field(at: offset, in: section)
        if case .pointer(let target) = field.kind { field = try Field(at: target, in: section) }
        guard field.isString, case .scalar(let byteCount) = field.kind else { return nil }
        return (field.contentOffset..<field.contentOffset + byteCount).map { section[$0] }
    }

    /// Where the value that stands there ends, with all that is inside of it.
    private static func end(of offset: Int, in section: Span<UInt8>) throws(Problem) -> Int {
        var position = offset
        var fieldCount = 1
        while fieldCount > 0 {
            let field = try Field(at: position, in: section)
            position = field.contentOffset
            fieldCount -= 1
            switch field.kind {
            case .container(_, let inside): fieldCount += inside
            case .scalar(let byteCount): position += byteCount
            case .pointer: break
            }
        }
        return position
    }
}

/// A field's control bytes (MaxMind DB file format 2.0, "Data Field Format").
private struct Field {
    enum Kind {
        case pointer(Int)
        /// Entries, and the fields they consist of: two for each entry of a map.
        case container(entryCount: Int, fieldCount: Int)
        case scalar(byteCount: Int)
    }

    let kind: Kind
    /// UTF-8.
    let isString: Bool
    /// After the control bytes.
    let contentOffset: Int

    init(at offset: Int, in section: Span<UInt8>) throws(StructureCheck.Problem) {
        var position = offset
        func next(_ count: Int) throws(StructureCheck.Problem) -> Int {
            guard position >= 0, count <= section.count - position else {
                throw StructureCheck.Problem(
                    "a value at \(offset) is cut off by the end of the data")
            }
            var value = 0
            for _ in 0..<count {
                value = value << 8 | Int(section[position])
                position += 1
            }
            return value
        }
        let control = try next(1)
        if control >> 5 == 1 {
            kind = .pointer(try Field.pointer(control, next))
            isString = false
            contentOffset = position
            return
        }
        let type = control >> 5 == 0 ? try next(1) + 7 : control >> 5
        let size =
            switch control & 31 {
            case 29: 29 + (try next(1))
            case 30: 285 + (try next(2))
            case 31: 65_821 + (try next(3))
            default: control & 31
            }
        contentOffset = position
        isString = type == 2
        switch type {
        case 7: kind = .container(entryCount: size, fieldCount: 2 * size)
        case 11: kind = .container(entryCount: size, fieldCount: size)
        case 14: kind = .scalar(byteCount: 0)
        case 2...6, 8...10, 15: kind = .scalar(byteCount: size)
        default: throw StructureCheck.Problem("a value at \(offset) has the unknown type \(type)")
        }
    }

    private static func pointer(
        _ control: Int, _ next: (Int) throws(StructureCheck.Problem) -> Int
    ) throws(StructureCheck.Problem) -> Int {
        switch control >> 3 & 3 {
        case 0: (control & 7) << 8 | (try next(1))
        case 1: ((control & 7) << 16 | (try next(2))) + 2048
        case 2: ((control & 7) << 24 | (try next(3))) + 526_336
        default: try next(4)
        }
    }
}
