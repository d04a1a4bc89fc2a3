package import Addressing
package import Health

/// What an operator has ordered in spite of zones and checks, until it is taken back or its time
/// is over.
package struct Override: Hashable, Sendable {
    /// Whose answers it changes. The wider ones come first.
    package enum Clients: Hashable, Sendable {
        case all
        case continent(String)
        case country(String)
        case net(Prefix)
    }
    package enum Order: Hashable, Sendable {
        /// `up`, `drain` or `down`, whatever the checks say.
        case state(HealthState)
        case weights(WeightOrder)
    }

    package var order: Order
    /// Of a state: a target, or a pattern of targets (`TargetPattern`). Of weights: a GEO name in
    /// full.
    package var subject: String
    package var clients: Clients
    package var since: MonotonicTime
    /// Nil: until it is taken back.
    package var until: MonotonicTime?
    /// Who has ordered it.
    package var author: String
    /// Empty when none was given.
    package var reason: String

    package init(
        _ order: Order, of subject: String, for clients: Clients = .all, since: MonotonicTime,
        until: MonotonicTime? = nil, by author: String = "", because reason: String = ""
    ) {
        self.order = order
        self.subject = subject
        self.clients = clients
        self.since = since
        self.until = until
        self.author = author
        self.reason = reason
    }

    /// Of two with the same key the later one replaces the earlier.
    struct Key: Hashable {
        var isState: Bool
        var subject: String
        var clients: Clients
    }

    var key: Key {
        switch order {
        case .state: Key(isState: true, subject: subject.lowercased(), clients: clients)
        case .weights: Key(isState: false, subject: subject.lowercased(), clients: clients)
        }
    }
}

extension Override.Clients: CustomStringConvertible {
    /// `country=US`, `continent=EU`, `net=198.51.100.0/24`, or `all`.
    package var description: String {
        switch self {
        case .all: "all"
        case .continent(let code): "continent=\(code)"
        case .country(let code): "country=\(code)"
        case .net(let prefix): "net=\(prefix)"
        }
    }

    /// What `init` takes, in words.
    package static let expectation =
        "expected country=CC, continent=CC or net=PREFIX, like country=US or net=198.51.100.0/24"

    /// What `description` gives; letters of either case.
    package init?(_ text: String) {
        if text == "all" {
            self = .all
            return
        }
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let code = parts[1].uppercased()
        let isCode = code.utf8.count == 2 && code.utf8.allSatisfy { (0x41...0x5a).contains($0) }
        switch parts[0] {
        case "country" where isCode: self = .country(code)
        case "continent"
        where ["AF", "AN", "AS", "EU", "NA", "OC", "SA"].contains(code):
            self = .continent(code)
        case "net":
            guard let prefix = Prefix(parts[1]) else { return nil }
            self = .net(prefix)
        default: return nil
        }
    }

    /// Of several that hold for a client the narrowest counts.
    var narrowness: Int {
        switch self {
        case .all: -3
        case .continent: -2
        case .country: -1
        case .net(let prefix): prefix.length
        }
    }
}

/// What `drain` and the like take: the name of a target, relative to its zone or in full, in which
/// `*` stands for any characters and `?` for one. Upper and lower case are alike.
struct TargetPattern {
    private let pattern: [UInt8]

    init(_ text: String) { pattern = TargetPattern.folded(text) }

    func matches(_ name: String) -> Bool {
        let name = TargetPattern.folded(name)
        var (p, n) = (0, 0)
        // Where the last star stood, and how far it reaches.
        var star: Int?
        var reach = 0
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = p
                reach = n
                p += 1
            } else if p < pattern.count,
                pattern[p] == name[n] || pattern[p] == UInt8(ascii: "?")
            {
                p += 1
                n += 1
            } else if let last = star {
                p = last + 1
                reach += 1
                n = reach
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// In lower case, without the dot at the end of a full name.
    private static func folded(_ text: String) -> [UInt8] {
        var bytes = text.utf8.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
        if bytes.count > 1, bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return bytes
    }
}
