import DNSWire
import Diagnostics

/// One set of words of the zone language: those this version understands, and those the language
/// has and a later version will. Parsing and messages follow the same table.
struct Vocabulary {
    /// `key`, `policy`, …
    let idea: String
    /// The record type the words belong to.
    let recordType: String
    let supported: [String]
    let later: [String]

    /// What to say about a word that is not supported.
    func complaint(about word: String) -> String {
        if later.contains(word) {
            return "'\(word)' is part of the zone language but this version does not support it"
        }
        let list = supported.joined(separator: ", ")
        let hint = nearest(to: word).map { "; did you mean '\($0)'?" } ?? ""
        return "unknown \(idea) '\(word)'; \(recordType) takes: \(list)\(hint)"
    }

    /// The word that was probably meant: at most two typing errors away, and fewer than a third of
    /// the word's letters, rounded up.
    private func nearest(to word: String) -> String? {
        let typed = word.utf8.map(lowercased)
        guard typed.count <= 40 else { return nil }
        let candidates = (supported + later).map { ($0, Spelling.distance(typed, Array($0.utf8))) }
        guard let best = candidates.min(by: { $0.1 < $1.1 }) else { return nil }
        return best.1 <= min(2, (max(typed.count, best.0.utf8.count) + 2) / 3) ? best.0 : nil
    }
}

/// A key that takes `=value`.
protocol SteeringKey: RawRepresentable<String>, CaseIterable, Hashable {
    static var vocabulary: Vocabulary { get }
}

enum RegionKey: String, SteeringKey {
    case check, require, capacity, bias

    static let vocabulary = Vocabulary(
        idea: "key", recordType: "REGION", supported: allCases.map(\.rawValue), later: [])
}

enum CheckKind: String, CaseIterable {
    case http, https, tcp, tls, dns, ping, exec, file, load

    static let vocabulary = Vocabulary(
        idea: "kind", recordType: "CHECK", supported: allCases.map(\.rawValue), later: [])
}

enum CheckKey: String, SteeringKey {
    case port, host, every, fast, timeout, fall, rise, from, quorum
    case expect, method, sni, http2, contains, matches
    case certDays = "cert-days"
    case send, receive, over
    case maxAge = "max-age"
    case tls, metrics
    case maxErrorRate = "max-error-rate"
    case maxP99 = "max-p99"
    case maxQueue = "max-queue"

    static let vocabulary = Vocabulary(
        idea: "key", recordType: "CHECK", supported: allCases.map(\.rawValue), later: [])

    /// The kinds of check that the key means something for.
    var kinds: [CheckKind] {
        switch self {
        case .every, .fast, .timeout, .fall, .rise, .quorum: CheckKind.allCases
        case .port: [.http, .https, .tcp, .tls, .dns, .load]
        case .from: [.http, .https, .tcp, .tls, .dns, .ping, .load]
        case .host: [.http, .https, .tls, .load]
        case .expect: [.http, .https, .dns, .load]
        case .method, .contains, .matches: [.http, .https]
        case .http2: [.http, .https, .load]
        case .sni: [.https, .load]
        case .certDays: [.https, .tls, .load]
        case .send, .receive: [.tcp]
        case .over: [.dns]
        case .maxAge: [.file]
        case .tls, .metrics, .maxErrorRate, .maxP99, .maxQueue: [.load]
        }
    }
}

enum GeoPolicyWord: String, CaseIterable {
    case nearest, failover, weighted, hash, random
    case roundRobin = "round-robin"
    case all
    case twoChoices = "two-choices"
    case leastConnections = "least-connections"
    case leastResponseTime = "least-response-time"
    case fastest

    static let vocabulary = Vocabulary(
        idea: "policy", recordType: "GEO", supported: allCases.map(\.rawValue) + ["map=NAME"],
        later: [])
}

enum GeoKey: String, SteeringKey {
    case service, check, by, backup
    case lastResort = "last-resort"
    case ecs, hold, answers, ramp, panic, within, skip, family, rtt, spill, demand

    static let vocabulary = Vocabulary(
        idea: "key", recordType: "GEO", supported: allCases.map(\.rawValue),
        later: [])
}

enum MapSelectorWord: String, CaseIterable {
    case `default`, continent, country, subdivision, city, asn, net, file

    static let vocabulary = Vocabulary(
        idea: "selector", recordType: "MAP",
        supported: allCases.map { $0 == .default ? "default" : "\($0.rawValue)=" },
        later: [])
}
