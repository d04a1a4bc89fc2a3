import Addressing
import DNSWire

/// The service parameters of SVCB and HTTPS (RFC 9460 §2): what the values of each key look like in
/// both forms, and which keys ask for each other.
enum ServiceParameters {
    typealias Parameter = (key: ServiceParameterKey, value: [UInt8])

    /// Keys ascending, as the wire has them (RFC 9460 §2.2).
    static func wire(_ parameters: [Parameter]) -> [UInt8] {
        parameters.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { key, value in
            bigEndian(key.rawValue) + bigEndian(UInt16(truncatingIfNeeded: value.count)) + value
        }
    }

    /// Nil unless the bytes are keys in ascending order, each with a value that it takes.
    static func text(_ wire: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = wire
        var parameters: [Parameter] = []
        var words: [[UInt8]] = []
        while !rest.isEmpty {
            guard let number = number(&rest), let count = number16(&rest), rest.count >= count,
                parameters.last.map({ $0.key.rawValue < number }) ?? true
            else { return nil }
            let key = ServiceParameterKey(rawValue: number)
            let value = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            guard let text = valueText(value, key) else { return nil }
            parameters.append((key, value))
            words.append(Array(key.description.utf8) + text)
        }
        guard complaint(about: parameters) == nil else { return nil }
        return Array(words.joined(separator: [UInt8(ascii: " ")]))
    }

    /// What is wrong with the parameters as a whole; nil when they agree.
    static func complaint(about parameters: [Parameter]) -> String? {
        var seen: Set<ServiceParameterKey> = []
        for parameter in parameters where !seen.insert(parameter.key).inserted {
            return "\(parameter.key) is there twice (RFC 9460 §2.1)"
        }
        if seen.contains(.noDefaultALPN), !seen.contains(.alpn) {
            return "no-default-alpn needs alpn beside it (RFC 9460 §7.1.1)"
        }
        if let mandatory = parameters.first(where: { $0.key == .mandatory }) {
            for key in keys(mandatory.value) ?? [] where !seen.contains(key) {
                return "mandatory names \(key), which is not there (RFC 9460 §8)"
            }
        }
        return nil
    }

    static func keys(_ wire: [UInt8]) -> [ServiceParameterKey]? {
        var rest = wire[...]
        var keys: [ServiceParameterKey] = []
        while !rest.isEmpty {
            guard let number = number(&rest) else { return nil }
            keys.append(ServiceParameterKey(rawValue: number))
        }
        return keys
    }

    static func bigEndian(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt16? {
        guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    private static func number16(_ rest: inout ArraySlice<UInt8>) -> Int? {
        number(&rest).map(Int.init)
    }
}

// MARK: - Printing

extension ServiceParameters {
    /// `=value`, or nothing for a key that stands alone; nil when the key takes no such value.
    static func valueText(_ value: [UInt8], _ key: ServiceParameterKey) -> [UInt8]? {
        if key == .invalid { return nil }
        switch key.form {
        case .empty:
            return value.isEmpty ? [] : nil
        case .opaque:
            return value.isEmpty ? [] : quoted(value)
        case .keys:
            guard let keys = keys(value), !keys.isEmpty, !keys.contains(.mandatory),
                zip(keys, keys.dropFirst()).allSatisfy({ $0.rawValue < $1.rawValue })
            else { return nil }
            return plain(keys.map(\.description).joined(separator: ","))
        case .alpn:
            return alpnText(value)
        case .port:
            return value.count == 2 ? plain(String(Int(value[0]) << 8 | Int(value[1]))) : nil
        case .ipv4Addresses:
            return addressText(value, byteCount: 4)
        case .ipv6Addresses:
            return addressText(value, byteCount: 16)
        case .base64:
            return value.isEmpty ? nil : [UInt8(ascii: "=")] + digits(of: value, .base64)
        case .uriTemplate:
            return isURITemplate(value) ? quoted(value) : nil
        }
    }

    private static func plain(_ text: String) -> [UInt8] { [UInt8(ascii: "=")] + Array(text.utf8) }

    private static func quoted(_ value: [UInt8]) -> [UInt8] {
        var text = [UInt8(ascii: "=")]
        RecordPresentation.appendQuoted(value[...], to: &text)
        return text
    }

    private static func alpnText(_ value: [UInt8]) -> [UInt8]? {
        var rest = value[...]
        var list: [UInt8] = []
        while let length = rest.popFirst() {
            guard length > 0, rest.count >= Int(length) else { return nil }
            if !list.isEmpty { list.append(UInt8(ascii: ",")) }
            for byte in rest.prefix(Int(length)) {
                // A comma of the name itself (RFC 9460 appendix A.1).
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\\") {
                    list.append(UInt8(ascii: "\\"))
                }
                list.append(byte)
            }
            rest = rest.dropFirst(Int(length))
        }
        return list.isEmpty ? nil : quoted(list)
    }

    private static func addressText(_ value: [UInt8], byteCount: Int) -> [UInt8]? {
        guard !value.isEmpty, value.count.isMultiple(of: byteCount) else { return nil }
        let addresses = stride(from: 0, to: value.count, by: byteCount).compactMap {
            IPAddress(bytes: Array(value[$0..<$0 + byteCount]))?.description
        }
        return plain(addresses.joined(separator: ","))
    }

    /// UTF-8 that begins with a slash and has the variable `dns` (RFC 9461 §5).
    private static func isURITemplate(_ value: [UInt8]) -> Bool {
        guard value.first == UInt8(ascii: "/"), String(validating: value, as: UTF8.self) != nil
        else { return false }
        return templateVariables(value).contains("dns")
    }

    /// Names inside braces, operators and modifiers left out (RFC 6570 §2).
    private static func templateVariables(_ value: [UInt8]) -> [String] {
        value.split(separator: UInt8(ascii: "{")).dropFirst().flatMap { piece -> [String] in
            guard let end = piece.firstIndex(of: UInt8(ascii: "}")) else { return [] }
            let operators = Array("+#./;?&=,!@|".utf8)
            return piece[..<end].drop { operators.contains($0) }
                .split(separator: UInt8(ascii: ","))
                .map { name in
                    let bare = name.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "*") }
                    return String(decoding: bare, as: UTF8.self)
                }
        }
    }
}

// MARK: - Parsing

extension ServiceParameters {
    /// The wire form of a value, its escapes taken away; nil when the key takes no such value.
    static func wireValue(_ text: [UInt8], _ key: ServiceParameterKey) -> [UInt8]? {
        let value: [UInt8]?
        switch key.form {
        case .empty, .opaque, .uriTemplate:
            value = text
        case .keys:
            // In any order here; ascending on the wire (RFC 9460 §8).
            let items = items(text) ?? []
            let keys = items.compactMap { parseKey($0)?.key.rawValue }
            value = keys.count == items.count ? keys.sorted().flatMap(bigEndian) : nil
        case .alpn:
            value = alpnWire(text)
        case .port:
            value = parseNumber(text[...], maximum: 65535).map { bigEndian(UInt16($0)) }
        case .ipv4Addresses:
            value = addressWire(text, .ipv4)
        case .ipv6Addresses:
            value = addressWire(text, .ipv6)
        case .base64:
            var decoder = DigitDecoder(.base64)
            value = decoder.append(text[...]) && decoder.isComplete ? decoder.bytes : nil
        }
        return value.flatMap { checked($0, key) }
    }

    /// The wire form of a value; nil when the key takes no such value.
    static func checked(_ value: [UInt8], _ key: ServiceParameterKey) -> [UInt8]? {
        value.count <= 65535 && valueText(value, key) != nil ? value : nil
    }

    /// `alpn`, or `key1` (RFC 9460 §2.1).
    static func parseKey(
        _ text: ArraySlice<UInt8>
    ) -> (key: ServiceParameterKey, isNumbered: Bool)? {
        if let known = ServiceParameterKey.all.first(where: { text.elementsEqual($0.name.utf8) }) {
            return (known.key, false)
        }
        let digits = text.dropFirst(3)
        guard text.starts(with: "key".utf8), digits.count == 1 || digits.first != 0x30,
            let number = parseNumber(digits, maximum: 65534)
        else { return nil }
        return (ServiceParameterKey(rawValue: UInt16(number)), true)
    }

    /// Between commas; nil when one is empty.
    private static func items(_ text: [UInt8]) -> [ArraySlice<UInt8>]? {
        let items = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        return items.contains(where: \.isEmpty) ? nil : items
    }

    private static func alpnWire(_ text: [UInt8]) -> [UInt8]? {
        var names: [[UInt8]] = [[]]
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: ",") {
                names.append([])
                continue
            }
            var literal = byte
            if byte == UInt8(ascii: "\\") {
                guard let next = rest.popFirst(), next == UInt8(ascii: ",") || next == byte
                else { return nil }
                literal = next
            }
            names[names.count - 1].append(literal)
        }
        guard names.allSatisfy({ (1...255).contains($0.count) }) else { return nil }
        return names.flatMap { [UInt8($0.count)] + $0 }
    }

    private static func addressWire(_ text: [UInt8], _ family: IPAddress.Family) -> [UInt8]? {
        guard let items = items(text) else { return nil }
        var wire: [UInt8] = []
        for item in items {
            guard let address = IPAddress(String(decoding: item, as: UTF8.self)),
                address.family == family
            else { return nil }
            for index in 0..<address.byteCount { wire.append(address.byte(index)) }
        }
        return wire
    }
}
