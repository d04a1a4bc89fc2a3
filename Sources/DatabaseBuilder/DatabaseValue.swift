/// A value of a MaxMind DB data section (MaxMind DB file format 2.0, "Output Data Section").
/// Written as literals where that is natural: `["country": ["iso_code": "JP"]]`.
package indirect enum DatabaseValue: Hashable, Sendable {
    /// Fields keep the order in which they were given.
    case map([Field])
    case array([DatabaseValue])
    case string(String)
    case double(Double)
    case float(Float)
    case bytes([UInt8])
    case uint16(UInt16)
    case uint32(UInt32)
    case uint64(UInt64)
    case uint128(UInt128)
    case int32(Int32)
    case boolean(Bool)

    /// One entry of a map.
    package struct Field: Hashable, Sendable {
        package var key: String
        package var value: DatabaseValue

        package init(_ key: String, _ value: DatabaseValue) {
            self.key = key
            self.value = value
        }
    }
}

extension DatabaseValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    package init(dictionaryLiteral elements: (String, DatabaseValue)...) {
        self = .map(elements.map { Field($0.0, $0.1) })
    }

    package init(arrayLiteral elements: DatabaseValue...) {
        self = .array(elements)
    }
}

extension DatabaseValue: ExpressibleByStringLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}
