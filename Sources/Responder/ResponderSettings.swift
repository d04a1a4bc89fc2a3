package import Addressing
package import DNSWire
import Tables

/// What a server tells about itself, and what it makes cookies with; the same for all its workers.
package final class ResponderSettings: Sendable {
    package let cookieSecrets: CookieSecrets
    let policy: DatagramPolicy
    /// Nil: clients are answered as often as they ask.
    let rateLimits: RateLimits?
    /// The agent domain that resolvers may report errors to (RFC 9567 §5), as it stands in `bytes`;
    /// nil: they are not told of any.
    let reportAgent: Range<Int>?
    /// Names in lower case and character-strings, as they stand on the wire.
    let bytes: FrozenArray<UInt8>
    /// The identity, one character-string; nil: none is given.
    let identity: Range<Int>?
    let chaosNames: [ChaosName]
    /// Who may ask for the epoch; and where the name stands in `bytes` that has it, nil when nobody
    /// may.
    private let epochReaders: [Prefix]
    let epochName: Int?

    /// A name of class CH that has a TXT record (RFC 4892 §3).
    struct ChaosName: Sendable {
        /// Where the name stands in `bytes`.
        var name: Int
        /// Where the RDATA stands in `bytes`.
        var text: Range<Int>
    }

    /// A character-string's length is one byte (RFC 1035 §3.3).
    package static var textByteCountMax: Int { 255 }

    /// `identity` says which of several servers this is: NSID, `id.server`, `hostname.bind`.
    /// `version` answers `version.bind` and `version.server`. Both are 1 to 255 bytes; nil: such
    /// questions are refused, and NSID is ignored. `epochReaders`: who may ask for the epoch.
    package init(
        identity: String? = nil, version: String? = nil, cookieSecrets: CookieSecrets,
        policy: DatagramPolicy = DatagramPolicy(), rateLimits: RateLimits? = nil,
        reportAgent: DomainName? = nil, epochReaders: [Prefix] = []
    ) {
        var bytes: [UInt8] = []
        func append(_ text: String?) -> Range<Int>? {
            guard let text else { return nil }
            let start = bytes.count
            precondition((1...ResponderSettings.textByteCountMax).contains(text.utf8.count))
            bytes += [UInt8(text.utf8.count)] + text.utf8
            return start..<bytes.count
        }
        let identity = append(identity)
        let version = append(version)
        func append(name labels: [String]) -> Int {
            let start = bytes.count
            for label in labels { bytes += [UInt8(label.utf8.count)] + label.utf8 }
            bytes.append(0)
            return start
        }
        var chaosNames: [ChaosName] = []
        for (labels, text) in [
            (["id", "server"], identity), (["hostname", "bind"], identity),
            (["version", "server"], version), (["version", "bind"], version),
        ] {
            guard let text else { continue }
            chaosNames.append(ChaosName(name: append(name: labels), text: text))
        }
        self.epochReaders = epochReaders
        epochName =
            epochReaders.isEmpty
            ? nil : append(name: Epoch.ownerName.split(separator: ".").map(String.init))
        self.cookieSecrets = cookieSecrets
        self.policy = policy
        self.rateLimits = rateLimits
        self.reportAgent = reportAgent.map { bytes.count..<bytes.count + $0.wire.count }
        bytes += reportAgent?.wire ?? []
        self.identity = identity
        self.chaosNames = chaosNames
        // Names are compared in words of eight bytes, which may reach past the last one.
        self.bytes = FrozenArray(bytes + [0, 0, 0, 0, 0, 0, 0, 0])
    }

    func showsEpoch(to client: IPAddress) -> Bool {
        epochReaders.contains { $0.contains(client) }
    }

    /// Tells nothing, and makes cookies that no other server knows.
    package static func anonymous() -> ResponderSettings {
        ResponderSettings(cookieSecrets: CookieSecrets(current: .random()))
    }
}
