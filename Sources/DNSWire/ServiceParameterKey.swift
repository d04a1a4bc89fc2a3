/// The key of a service parameter (RFC 9460 §14.3.2).
package struct ServiceParameterKey: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// How a parameter's value is written and encoded.
    package enum Form: Sendable {
        /// Numbers of keys, ascending.
        case keys
        /// Character-strings.
        case alpn
        /// The key alone says it.
        case empty
        case port
        case ipv4Addresses
        case ipv6Addresses
        case base64
        /// A relative URI template with the variable `dns` (RFC 9461 §5).
        case uriTemplate
        /// Any bytes, as a key without a name of its own has them.
        case opaque
    }

    package static let mandatory = ServiceParameterKey(rawValue: 0)
    package static let alpn = ServiceParameterKey(rawValue: 1)
    package static let noDefaultALPN = ServiceParameterKey(rawValue: 2)
    /// "Invalid key": reserved.
    package static let invalid = ServiceParameterKey(rawValue: 0xffff)

    package static let all: [(key: ServiceParameterKey, name: String, form: Form)] = [
        (.mandatory, "mandatory", .keys),
        (.alpn, "alpn", .alpn),
        (.noDefaultALPN, "no-default-alpn", .empty),
        (.init(rawValue: 3), "port", .port),
        (.init(rawValue: 4), "ipv4hint", .ipv4Addresses),
        (.init(rawValue: 5), "ech", .base64),
        (.init(rawValue: 6), "ipv6hint", .ipv6Addresses),
        (.init(rawValue: 7), "dohpath", .uriTemplate),
        (.init(rawValue: 8), "ohttp", .empty),
    ]

    package var form: Form { ServiceParameterKey.all.first { $0.key == self }?.form ?? .opaque }
}

extension ServiceParameterKey: CustomStringConvertible {
    /// The name, or `key667` (RFC 9460 §2.1).
    package var description: String {
        ServiceParameterKey.all.first { $0.key == self }?.name ?? "key\(rawValue)"
    }
}

extension ServiceParameterKey.Form {
    /// What a value is, for messages and the documentation.
    package var summary: String {
        switch self {
        case .keys: "keys with commas between them, each once and never mandatory itself"
        case .alpn: "protocol names with commas between them"
        case .empty: "no value"
        case .port: "a number 0…65535"
        case .ipv4Addresses: "IPv4 addresses with commas between them"
        case .ipv6Addresses: "IPv6 addresses with commas between them"
        case .base64: "base64"
        case .uriTemplate: "a path with a variable such as /dns-query{?dns} (RFC 9461 §5)"
        case .opaque: "at most 65535 bytes"
        }
    }
}
