import DNSWire
import Zones

// `GEO <policy> <target> … [key=value …]`
extension SteeringReader {
    /// Nil after a report. `end` is where a missing word is reported.
    mutating func geo(_ words: ArraySlice<Word>, end: Word) -> GeoRecord? {
        guard let policyWord = words.first else {
            report(
                end,
                "GEO: expected a policy: "
                    + GeoPolicyWord.vocabulary.supported.joined(separator: ", "))
            return nil
        }
        let reportedBefore = diagnostics.count
        let policy = policy(policyWord)
        let afterPolicy = words.dropFirst()
        let firstKey =
            afterPolicy.firstIndex { $0.firstUnescaped(UInt8(ascii: "=")) != nil }
            ?? afterPolicy.endIndex
        var record = GeoRecord(
            policy ?? .nearest, targets: targets(afterPolicy[..<firstKey]))
        if afterPolicy.startIndex == firstKey, let policy, needsTargets(policy) {
            report(
                firstKey < words.endIndex ? words[firstKey] : end,
                "GEO \(policyWord.string): expected at least one target")
        }
        let keys: [(key: GeoKey, value: Word)] = keys(afterPolicy[firstKey...])
        for (key, value) in keys { read(key, value, into: &record) }
        return diagnostics.count == reportedBefore ? record : nil
    }

    private mutating func policy(_ word: Word) -> GeoRecord.Policy? {
        if let equals = word.firstUnescaped(UInt8(ascii: "=")) {
            let (name, value) = word.cut(at: equals)
            guard name.string == "map" else {
                let isKey = GeoKey(rawValue: name.string) != nil
                report(
                    word,
                    isKey
                        ? "GEO: expected a policy before the keys"
                        : GeoPolicyWord.vocabulary.complaint(about: name.string))
                return nil
            }
            return reference(value, "MAP name").map(GeoRecord.Policy.map)
        }
        switch GeoPolicyWord(rawValue: word.string) {
        case .nearest: return .nearest
        case .failover: return .failover
        case .weighted: return .weighted
        case .hash: return .hash
        case .random: return .random
        case .roundRobin: return .roundRobin
        case .all: return .all
        case .twoChoices: return .twoChoices
        case .fastest: return .fastest
        case .leastConnections: return .leastConnections
        case .leastResponseTime: return .leastResponseTime
        case nil:
            report(
                word,
                word.string == "map"
                    ? "the map policy is written map=NAME"
                    : GeoPolicyWord.vocabulary.complaint(about: word.string))
            return nil
        }
    }

    /// A MAP brings its own targets.
    private func needsTargets(_ policy: GeoRecord.Policy) -> Bool {
        if case .map = policy { return false }
        return true
    }

    private mutating func read(_ key: GeoKey, _ value: Word, into record: inout GeoRecord) {
        switch key {
        case .service:
            record.service = serviceLabels(value)
            record.serviceLocation = location(value)
        case .check:
            record.checks = references(value, "check name")
        case .by:
            record.byLocation = location(value)
            switch value.string {
            case "client": record.by = .client
            case "query": record.by = .query
            default: report(value, "by is client or query, found \(shown(value.text))")
            }
        case .backup:
            record.backups = references(value, "backup")
        case .lastResort:
            record.lastResort = lastResort(value) ?? .all
        case .hold:
            record.hold = time(value, from: 1000) ?? .zero
        case .ramp:
            record.ramp = time(value, from: 1000) ?? .zero
            record.rampLocation = location(value)
        case .panic:
            record.panic = percent(value, "panic") ?? 0
        case .rtt:
            record.roundTripTimes = RoundTripTimes(path: Array(value.text), at: location(value))
        case .within:
            record.within = percent(value, "within") ?? 0
            record.withinLocation = location(value)
        case .skip:
            record.skip = integer(value, 0...GeoRecord.answersMax, "skip") ?? 0
            record.skipLocation = location(value)
        case .family:
            switch value.string {
            case "joint": record.isIndependent = false
            case "independent": record.isIndependent = true
            default: report(value, "family is joint or independent, found \(shown(value.text))")
            }
        case .spill:
            switch value.string {
            case "on": record.spills = true
            case "off": record.spills = false
            default: report(value, "spill is on or off, found \(shown(value.text))")
            }
            record.spillLocation = location(value)
        case .demand:
            record.demand = integer(value, 1...Int(UInt32.max), "demand")
            record.demandLocation = location(value)
        case .answers:
            record.answers = integer(value, 1...GeoRecord.answersMax, "answers")
        case .ecs:
            switch value.string {
            case "on": record.usesClientSubnet = true
            case "off": record.usesClientSubnet = false
            default: report(value, "ecs is on or off, found \(shown(value.text))")
            }
        }
    }

    /// `P%`, 1…100
    private mutating func percent(_ word: Word, _ what: String) -> Int? {
        let isPercent = word.text.last == UInt8(ascii: "%")
        if isPercent, let number = parseNumber(word.text.dropLast(), maximum: 100), number >= 1 {
            return Int(number)
        }
        report(word, "\(what) is a part from 1% to 100%, found \(shown(word.text))")
        return nil
    }

    private mutating func lastResort(_ word: Word) -> GeoRecord.LastResort? {
        switch word.string {
        case "all": .all
        case "first": .first
        case "none": GeoRecord.LastResort.none
        default: reference(word, "last resort").map(GeoRecord.LastResort.name)
        }
    }

    /// `service=api` stands before each region's name, so it is relative whatever the origin is.
    private mutating func serviceLabels(_ word: Word) -> [[UInt8]]? {
        var wire: [UInt8] = []
        if word.text.last == UInt8(ascii: ".") || word.string == "@" {
            report(word, "service is a relative name, put before each region's, without final dot")
            return nil
        }
        if let fault = appendName(word.text.span, origin: .root, to: &wire) {
            report(word, "service \(shown(word.text)): \(fault.message)")
            return nil
        }
        return DomainName(wire: wire)?.labels.map(Array.init)
    }
}
