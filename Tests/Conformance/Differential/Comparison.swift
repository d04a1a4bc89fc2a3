import DNSWire
import TestSupport

/// The same zones in `geodnsd` and in its peers, the same queries to all of them.
package struct Comparison {
    package struct Settings: Sendable {
        package var seed: UInt64
        package var zoneCount: Int
        /// Of each zone.
        package var queryCount: Int
        /// Unexplained differences that are told in full.
        package var toldMax = 12

        package init(seed: UInt64, zoneCount: Int, queryCount: Int) {
            self.seed = seed
            self.zoneCount = zoneCount
            self.queryCount = queryCount
        }
    }

    package struct Outcome: Sendable {
        package var queryCount = 0
        /// Queries that all servers answered alike.
        package var agreedCount = 0
        /// By rule name and peer.
        package var explained: [String: [Peer.Kind: Int]] = [:]
        package var unexplainedCount = 0
        /// What was not explained, by peers and what differs.
        package var unexplained: [String: Int] = [:]
        /// The first unexplained differences, in full.
        package var told: [String] = []
    }

    private let settings: Settings
    private let server: TestServer
    private let peers: [Peer]
    private let exchanges: [Exchange]
    private var outcome = Outcome()
    private var identifier: UInt16 = 0

    /// Zone `index` of a run has the seed `seed + index`: a run of one zone repeats it.
    package static func run(_ settings: Settings) throws -> Outcome {
        let zones = (0..<settings.zoneCount).map { RandomZone(seed: settings.seed &+ UInt64($0)) }
        var comparison = try Comparison(settings, zones)
        defer { for exchange in comparison.exchanges { exchange.end() } }
        for zone in zones { try comparison.ask(zone) }
        return comparison.outcome
    }

    private init(_ settings: Settings, _ zones: [RandomZone]) throws {
        self.settings = settings
        let folder = try TemporaryFolder()
        var files: [Peer.Kind: [Peer.Zone]] = [:]
        var texts: [(file: String, text: String)] = []
        for zone in zones {
            let child = zone.child.map { [($0.origin, $0.text, $0.strictText)] } ?? []
            for (origin, text, strictText) in [(zone.origin, zone.text, zone.strictText)] + child {
                let name = String(origin.description.dropLast())
                let served = Peer.Zone(
                    origin: name, file: try folder.write(text, to: name),
                    strictFile: try folder.write(strictText, to: "strict/" + name))
                for kind in zone.peers { files[kind, default: []].append(served) }
                texts.append(("\(name).zone", text))
            }
        }
        server = try TestServer(
            zones: texts,
            arguments: [
                "--identity", Peer.identity, "--cookie-secret",
                try folder.write(Peer.cookieSecret + "\n", to: "secret"),
            ])
        peers = try Peer.Kind.allCases.map { try Peer($0, zones: files[$0] ?? []) }
        for peer in peers where !peer.complaints.isEmpty {
            throw Peer.NotReady(
                description: "\(peer.kind.rawValue) did not take every zone:\n"
                    + peer.complaints.prefix(10).joined(separator: "\n"))
        }
        exchanges = ([server.port] + peers.map(\.port)).compactMap { Exchange(port: $0) }
    }

    private mutating func ask(_ zone: RandomZone) throws {
        var zone = zone
        let queries = (0..<settings.queryCount).map { (index: $0, query: zone.query()) }
        for isOverStream in [false, true] {
            var rest = queries.filter { $0.query.isOverStream == isOverStream }[...]
            while !rest.isEmpty {
                let batch = Array(rest.prefix(Exchange.batchCount))
                rest = rest.dropFirst(batch.count)
                compare(batch, of: zone, isOverStream: isOverStream)
            }
        }
    }

    private mutating func compare(
        _ batch: [(index: Int, query: RandomQuery)], of zone: RandomZone, isOverStream: Bool
    ) {
        let first = identifier
        identifier &+= UInt16(batch.count)
        let messages = batch.enumerated().map { offset, entry in
            entry.query.message(identifier: first &+ UInt16(offset))
        }
        let responses =
            isOverStream
            ? exchanges.map { $0.overStream(messages, first: first) }
            : Exchange.overDatagrams(exchanges, messages, first: first)
        for (offset, entry) in batch.enumerated() {
            compare(responses.map { $0[offset] }, to: entry.query, entry.index, of: zone)
        }
    }

    /// One query; the first of the responses is `geodnsd`'s, then those of the peers.
    private mutating func compare(
        _ responses: [[UInt8]?], to query: RandomQuery, _ index: Int, of zone: RandomZone
    ) {
        outcome.queryCount += 1
        let messages = responses.map { $0.flatMap { Message($0) } }
        var problems: [String] = []
        var rules: Set<String> = []
        if let ours = messages[0], let bytes = responses[0] {
            problems += faults(of: ours, byteCount: bytes.count, query)
            for (peer, (message, theirs)) in zip(peers, zip(messages, responses).dropFirst())
            where zone.peers.contains(peer.kind) {
                guard let message, let theirs else {
                    problems.append("\(peer.kind.rawValue) gave no readable answer")
                    continue
                }
                let found = disagreement(
                    peer.kind, query, ours, message, bytes.count, theirs.count, zone)
                guard let found else { continue }
                guard let explained = Rule.explain(found) else {
                    let aspects = found.aspects.map(\.rawValue).sorted().joined(separator: ", ")
                    problems.append("\(found.peer.rawValue) differs: \(aspects)")
                    continue
                }
                for rule in explained {
                    outcome.explained[rule.name, default: [:]][found.peer, default: 0] += 1
                    rules.insert(rule.name)
                }
            }
        } else {
            problems.append("geodnsd gave no readable answer")
        }
        if problems.isEmpty {
            if rules.isEmpty { outcome.agreedCount += 1 }
            return
        }
        outcome.unexplainedCount += 1
        outcome.unexplained[problems.joined(separator: "; "), default: 0] += 1
        // Of each kind a few.
        guard outcome.told.count < settings.toldMax,
            outcome.unexplained[problems.joined(separator: "; "), default: 0]
                <= max(3, settings.toldMax / 100)
        else { return }
        outcome.told.append(tell(problems, messages, query, index, zone))
    }

    private func disagreement(
        _ peer: Peer.Kind, _ query: RandomQuery, _ ours: Message, _ theirs: Message,
        _ ourByteCount: Int, _ theirByteCount: Int, _ zone: RandomZone
    ) -> Disagreement? {
        let (ourFacts, theirFacts) = (Facts(ours), Facts(theirs))
        let aspects = ourFacts.differences(from: theirFacts, options: peer.options)
        if aspects.isEmpty { return nil }
        return Disagreement(
            peer: peer, query: query, ours: ours, theirs: theirs, ourFacts: ourFacts,
            theirFacts: peer == .knot ? theirFacts.withOwnersOfDNAMEs(as: ourFacts) : theirFacts,
            ourByteCount: ourByteCount, theirByteCount: theirByteCount,
            aspects: aspects, origins: [zone.origin] + (zone.child.map { [$0.origin] } ?? []),
            owners: Set(zone.owners + (zone.child?.owners ?? [])),
            trees: zone.trees, sharedTree: zone.sharedTree)
    }

    /// What no peer is needed for.
    private func faults(of ours: Message, byteCount: Int, _ query: RandomQuery) -> [String] {
        var faults: [String] = []
        if byteCount > query.responseByteCountMax {
            faults.append("geodnsd: \(byteCount) bytes, more than the requestor takes")
        }
        for records in [ours.answers, ours.authorities, ours.additionals]
        where Set(records).count < records.count {
            faults.append("geodnsd: the same record twice in a section (RFC 2181 §5)")
        }
        let hasOPT = ours.additionals.contains { $0.type == .opt }
        if hasOPT != (query.edns != nil), ours.responseCode != ResponseCode.formatError.rawValue {
            faults.append("geodnsd: OPT in the response without OPT in the query, or none with it")
        }
        if ours.flags & 0x01f0 != query.bits & 0x0100 {
            faults.append("geodnsd: RD is not as in the query, or RA, Z, AD or CD is set")
        }
        if let expected = query.expectedCode, ours.responseCode != expected.rawValue {
            faults.append("geodnsd: not \(expected.mnemonic)")
        }
        return faults + optionFaults(of: ours, query)
    }

    /// Only what was asked for comes back, each once: and an Extended DNS Error (RFC 8914).
    private func optionFaults(of ours: Message, _ query: RandomQuery) -> [String] {
        guard let options = ours.options else { return ["geodnsd: an option that is cut short"] }
        let asked = query.edns.map { edns in edns.version == 0 ? edns.options : [] } ?? []
        var faults: [String] = []
        if Set(options.map(\.code)).count < options.count {
            faults.append("geodnsd: the same option twice")
        }
        for (code, data) in options where code != 15 {
            let known: [UInt16] = query.isOverStream ? [3, 8, 10, 11] : [3, 8, 10]
            guard known.contains(code), let option = asked.first(where: { $0.code == code }) else {
                faults.append(
                    "geodnsd: option \(code), which was not asked for or means nothing here")
                continue
            }
            // Scope 0: these zones do not steer. A cookie begins with the client's.
            if code == 8,
                data != option.data || code == 10 && data.prefix(8) != option.data.prefix(8)
            {
                faults.append("geodnsd: option \(code) does not fit the query's")
            }
        }
        let returned = Set(options.map(\.code))
        if query.expectedCode == nil,
            asked.contains(where: {
                [8, 10].contains($0.code) && !returned.contains($0.code)
            })
        {
            faults.append("geodnsd: client subnet or cookie is missing")
        }
        return faults
    }

    private func tell(
        _ problems: [String], _ messages: [Message?], _ query: RandomQuery, _ index: Int,
        _ zone: RandomZone
    ) -> String {
        var lines = ["seed \(zone.seed), query \(index): \(query)"]
        lines += problems.map { "  ! \($0)" }
        for (name, message) in zip(["geodnsd"] + peers.map(\.kind.rawValue), messages) {
            lines.append("\(name): \(message?.summary ?? "no readable answer")")
        }
        lines.append(
            "again: Tests/Conformance/run --seed \(zone.seed) --zones 1 --queries \(index + 1)")
        return lines.joined(separator: "\n")
    }
}

extension Comparison.Outcome {
    /// Counts, rule by rule.
    package var summary: String {
        var lines = [
            "\(queryCount) queries: \(agreedCount) answered alike by all, "
                + "\(queryCount - agreedCount - unexplainedCount) with differences explained, "
                + "\(unexplainedCount) not explained"
        ]
        for rule in Rule.all {
            guard let counts = explained[rule.name] else { continue }
            let words = Peer.Kind.allCases.compactMap { kind in
                counts[kind].map { "\(kind.rawValue) \($0)" }
            }
            lines.append("  \(rule.name): \(words.joined(separator: ", "))")
        }
        for (problem, count) in unexplained.sorted(by: { $0.value > $1.value }) {
            lines.append("  ! \(count) times: \(problem)")
        }
        return lines.joined(separator: "\n")
    }
}
