import Foundation

/// As much of JSON Schema (draft 2020-12) as this project's schemas use. A keyword that is not
/// among that is a fault of the schema: nothing goes unchecked.
package struct JSONSchema {
    private let root: [String: Any]

    package struct Unreadable: Error {}

    package init(path: String) throws {
        let data = try Data(contentsOf: URL(filePath: path))
        guard let root = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Unreadable()
        }
        self.root = root
    }

    /// What is wrong with `value`, a line each; empty: nothing is. `definition`: one of `$defs`,
    /// rather than the whole schema.
    package func faults(of value: Any, definition: String? = nil) -> [String] {
        guard let definition else { return faults(of: value, under: root, at: "$") }
        return faults(of: value, under: ["$ref": "#/$defs/\(definition)"], at: "$")
    }

    private func faults(of value: Any, under schema: [String: Any], at place: String) -> [String] {
        var found: [String] = []
        for (keyword, rule) in schema {
            switch (keyword, rule) {
            case ("$schema", _), ("$defs", _), ("title", _), ("description", _): break
            case ("$ref", let path as String):
                let name = path.replacing("#/$defs/", with: "")
                let definitions = root["$defs"] as? [String: [String: Any]]
                if let definition = definitions?[name] {
                    found += faults(of: value, under: definition, at: place)
                } else {
                    found.append("\(place): no definition \(path)")
                }
            case ("anyOf", let choices as [[String: Any]]):
                let all = choices.map { faults(of: value, under: $0, at: place) }
                if !all.contains(where: \.isEmpty) {
                    found.append("\(place): none of \(choices.count): \(all)")
                }
            case ("enum", let values as [Any]):
                // Of strings and nulls.
                let isKnown = values.contains { other in
                    (value as? String).map { $0 == other as? String }
                        ?? (value is NSNull && other is NSNull)
                }
                if !isKnown { found.append("\(place): \(value) is none of \(values)") }
            case ("type", let name as String):
                if !isType(value, name) { found.append("\(place): \(value) is no \(name)") }
            case ("type", let names as [String]):
                if !names.contains(where: { isType(value, $0) }) {
                    found.append("\(place): \(value) is none of \(names)")
                }
            case ("minimum", let bound as Double):
                if let number = value as? Double, number < bound {
                    found.append("\(place): \(number) is below \(bound)")
                }
            case ("maximum", let bound as Double):
                if let number = value as? Double, number > bound {
                    found.append("\(place): \(number) is above \(bound)")
                }
            case ("properties", let properties as [String: [String: Any]]):
                for (name, member) in value as? [String: Any] ?? [:] {
                    // More than the schema allows: a member that it does not tell of.
                    guard let property = properties[name] else {
                        found.append("\(place).\(name): not in the schema")
                        continue
                    }
                    found += faults(of: member, under: property, at: "\(place).\(name)")
                }
            case ("required", let names as [String]):
                guard let object = value as? [String: Any] else { break }
                for name in names where object[name] == nil {
                    found.append("\(place): no \(name)")
                }
            case ("items", let items as [String: Any]):
                for (index, item) in (value as? [Any] ?? []).enumerated() {
                    found += faults(of: item, under: items, at: "\(place)[\(index)]")
                }
            default: found.append("\(place): the keyword \(keyword) is not known here")
            }
        }
        return found
    }

    private func isType(_ value: Any, _ name: String) -> Bool {
        switch name {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "null": value is NSNull
        case "boolean": isBoolean(value)
        case "number": !isBoolean(value) && value is Double
        case "integer": !isBoolean(value) && (value as? Double).map { $0 == $0.rounded() } == true
        default: false
        }
    }

    /// JSONSerialization makes numbers of both.
    private func isBoolean(_ value: Any) -> Bool {
        (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
    }
}
