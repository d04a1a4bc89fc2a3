/// Pieces of JSON text (RFC 8259).
package enum JSONText {
    /// A string with its quotes.
    package static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// `null` for nil.
    package static func optional(_ text: String?) -> String { text.map(string) ?? "null" }

    /// Of values that are JSON already.
    package static func array(_ values: [String]) -> String {
        "[" + values.joined(separator: ",") + "]"
    }

    /// Of values that are JSON already, in the order given.
    package static func object(_ members: [(name: String, value: String)]) -> String {
        "{" + self.members(members) + "}"
    }

    /// An object's members without its braces.
    package static func members(_ members: [(name: String, value: String)]) -> String {
        members.map { string($0.name) + ":" + $0.value }.joined(separator: ",")
    }
}
