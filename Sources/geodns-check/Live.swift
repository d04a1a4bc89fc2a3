import Addressing
import Configuration
import DNSWire
import Diagnostics
import Loader
import Responder
import Steering
import ZoneFile
import Zones

/// What can be seen of an answer from outside, in the words of a report.
struct Sight: Hashable {
    var rcode: String
    /// RDATA of the answer section, sorted.
    var answers: [String]
    var ttl: UInt32?
    /// Of the client subnet that came back; nil: none did.
    var scope: Int?
    var isAuthoritative: Bool

    init(_ message: Message) {
        rcode =
            ResponseCode(rawValue: message.responseCode)?.mnemonic
            ?? "RCODE\(message.responseCode)"
        answers = message.answers.map {
            RecordPresentation.rdata($0.rdata[...], type: $0.type)
        }.sorted()
        ttl = (message.answers + message.authorities).map(\.ttl).min()
        scope = message.clientSubnetScope
        isAuthoritative = message.isAuthoritative
    }

    /// Names of what differs, as in JSON, and the same in words.
    func differences(from expected: Sight) -> [(name: String, words: String)] {
        var found: [(name: String, words: String)] = []
        if rcode != expected.rcode { found.append(("rcode", "\(rcode), not \(expected.rcode)")) }
        if answers != expected.answers {
            found.append(("answers", "\(answerWords), not \(expected.answerWords)"))
        }
        if ttl != expected.ttl {
            found.append(("ttl", "TTL \(Sight.words(ttl)), not \(Sight.words(expected.ttl))"))
        }
        if scope != expected.scope {
            found.append(
                ("scope", "scope \(Sight.words(scope)), not \(Sight.words(expected.scope))"))
        }
        if isAuthoritative != expected.isAuthoritative {
            found.append(
                ("authoritative", isAuthoritative ? "authoritative" : "not authoritative"))
        }
        return found
    }

    var answerWords: String { answers.isEmpty ? "no answer" : answers.joined(separator: " ") }

    private static func words<Number: CustomStringConvertible>(_ number: Number?) -> String {
        number.map(\.description) ?? "none"
    }

    /// Members of a JSON object.
    var json: [(name: String, value: String)] {
        [
            ("rcode", JSONText.string(rcode)),
            ("answers", JSONText.array(answers.map(JSONText.string))),
            ("ttl", ttl.map { "\($0)" } ?? "null"),
            ("scope", scope.map { "\($0)" } ?? "null"),
        ]
    }
}

/// Asks running servers what the files here answer, too, and names those that differ.
struct LiveComparison {
    private let simulation: Simulation
    private let settings: CheckSettings
    private let servers: [ServerExchange]
    private var tallies: [Tally]
    private var questionCount = 0
    /// Some server has told its epoch.
    private var knowsEpochs = false

    private struct Tally {
        /// Answers unlike those of the files here, or missing.
        var differing = 0
        /// Answers unlike those that most of the servers gave.
        var outvoted = 0
        var unanswered = 0
        /// Nothing more is asked of a server that has given no answer at all.
        var isGivenUp = false
        /// Zones, with a serial that is not the one here.
        var serials: [String] = []
        /// What its epoch says that is other than it should be.
        var epochParts: [String] = []

        var isFine: Bool { differing == 0 && serials.isEmpty && epochParts.isEmpty }
    }

    init(_ simulation: Simulation, _ settings: CheckSettings) {
        self.simulation = simulation
        self.settings = settings
        servers = settings.servers.map { ServerExchange(server: $0) }
        tallies = Array(repeating: Tally(), count: servers.count)
    }

    /// False when any server differs, or does not answer.
    mutating func run() -> Bool {
        compareSerials()
        compareEpochs()
        var reader = ClientReader()
        for client in settings.clients { compare(client) }
        for stream in settings.streams {
            reader.read(stream) {
                compare($0)
            } afterBlock: { _, _ in
            }
        }
        if !settings.writesJSON { printSummary() }
        return tallies.allSatisfy(\.isFine) && reader.isFine
    }

    private mutating func compare(_ client: Prefix) {
        for name in settings.names {
            for type in settings.types { compare(name, type, client) }
        }
    }

    // MARK: - Serials

    private mutating func compareSerials() {
        let zones = simulation.world.summaries.filter { zone in
            settings.names.contains { $0.isWithin(zone.origin) }
        }
        for zone in zones {
            let query = Message.query(
                zone.origin, .soa, identifier: .random(in: 0...UInt16.max))
            if !settings.writesJSON { print("\(zone.origin) serial \(zone.serial)") }
            for index in servers.indices where !tallies[index].isGivenUp {
                let answer = ask(index, query)
                let soa = answer.message?.answers.first { $0.type == .soa }
                let serial = soa.flatMap { Message.serial(ofSOA: $0.rdata) }
                let isSame = serial == zone.serial
                if !isSame {
                    tallies[index].serials.append(
                        serial.map { "\(zone.origin) has serial \($0), not \(zone.serial)" }
                            ?? "\(zone.origin): no SOA")
                }
                guard settings.writesJSON else {
                    let words =
                        isSame ? "the same" : "DIFFERS: \(serial.map { "\($0)" } ?? answer.words)"
                    print("  \(title(index))  \(words)")
                    continue
                }
                print(
                    JSONText.object([
                        ("server", JSONText.string("\(servers[index].server)")),
                        ("zone", JSONText.string(zone.origin.description)),
                        ("serial", serial.map { "\($0)" } ?? "null"),
                        ("expected", "\(zone.serial)"), ("agrees", "\(isSame)"),
                        ("error", JSONText.optional(answer.message == nil ? answer.words : nil)),
                    ]))
            }
        }
    }

    // MARK: - Epochs

    private mutating func compareEpochs() {
        guard let query = Epoch.query() else { return }
        // Whoever does not answer this may answer the rest.
        let answers = servers.indices.map { index -> Answer in
            guard !tallies[index].isGivenUp else { return Answer(words: "did not answer") }
            do throws(NoAnswer) {
                return Answer(message: try servers[index].ask(query))
            } catch {
                return Answer(words: error.words)
            }
        }
        let epochs = answers.map { $0.message.flatMap { Epoch($0) } }
        knowsEpochs = epochs.contains { $0 != nil }
        guard knowsEpochs else { return }
        let here = simulation.standing.epoch(of: simulation.world)
        let comparison = EpochComparison(epochs, here: here)
        if !settings.writesJSON { print("epoch " + here.words.joined(separator: " ")) }
        for (index, epoch) in epochs.enumerated() {
            let differences = comparison.differences[index]
            tallies[index].epochParts = differences.compactMap(\.summary)
            let reason =
                answers[index].message == nil
                ? answers[index].words : "not told to us: geodnsd --epoch-to names who is"
            guard settings.writesJSON else {
                var words = differences.isEmpty ? "the same" : ""
                words += differences.map(\.words).joined(separator: "; ")
                if !tallies[index].epochParts.isEmpty { words = "DIFFERS: " + words }
                print("  \(title(index))  \(epoch == nil ? reason : words)")
                continue
            }
            print(
                JSONText.object([
                    ("server", JSONText.string("\(servers[index].server)")),
                    ("epoch", epoch.map { JSONText.object($0.json) } ?? "null"),
                    ("expected", JSONText.object(here.json)),
                    ("agrees", "\(epoch != nil && tallies[index].epochParts.isEmpty)"),
                    (
                        "differs",
                        JSONText.array(differences.map { JSONText.string($0.part.rawValue) })
                    ),
                    ("error", JSONText.optional(epoch == nil ? reason : nil)),
                ]))
        }
    }

    // MARK: - Answers

    private mutating func compare(_ name: DomainName, _ type: RRType, _ client: Prefix) {
        guard let result = simulation.ask(name, type, from: client) else { return }
        questionCount += 1
        let expected = Sight(result.response)
        let asker = client.length == client.family.bitCount ? "\(client.address)" : "\(client)"
        if !settings.writesJSON {
            print(
                "\(name) \(type) from \(asker): \(expected.rcode), \(expected.answerWords), TTL "
                    + (expected.ttl.map { "\($0)" } ?? "none") + ", scope "
                    + (expected.scope.map { "\($0)" } ?? "none"))
        }
        let query = Message.query(
            name, type, identifier: .random(in: 0...UInt16.max),
            subnet: (client.address.bytes, UInt8(client.length)))
        let answers = servers.indices.map { index in
            tallies[index].isGivenUp
                ? Answer(words: "not asked: it has not answered before") : ask(index, query)
        }
        let possible = Possibilities(simulation, result)
        let majority = LiveComparison.majority(of: answers.map(\.sight), possible)
        for (index, answer) in answers.enumerated() {
            let isOutvoted =
                majority.map { majority in answer.sight.map { $0 != majority } ?? false } ?? false
            if isOutvoted { tallies[index].outvoted += 1 }
            let differences = answer.sight.map { sight in
                possible.contains(sight) ? [] : sight.differences(from: expected)
            }
            if differences?.isEmpty != true { tallies[index].differing += 1 }
            if settings.writesJSON {
                printJSON(index, asker, name, type, answer, differences ?? [], expected)
            } else {
                let words =
                    differences.map { found in
                        found.isEmpty
                            ? "the same"
                            : "DIFFERS: " + found.map(\.words).joined(separator: "; ")
                    } ?? answer.words
                let others = isOutvoted ? ", unlike the other servers" : ""
                print("  \(title(index))  \(words)\(others)")
            }
        }
    }

    /// What a server said, or why it said nothing.
    private struct Answer {
        var message: Message?
        var words = ""

        var sight: Sight? { message.map { Sight($0) } }
    }

    private mutating func ask(_ index: Int, _ query: [UInt8]) -> Answer {
        do throws(NoAnswer) {
            return Answer(message: try servers[index].ask(query))
        } catch {
            tallies[index].unanswered += 1
            tallies[index].isGivenUp = true
            return Answer(words: error.words)
        }
    }

    /// What more than half of at least three servers say, or, of two, what the files here say, too.
    private static func majority(of sights: [Sight?], _ possible: Possibilities) -> Sight? {
        let seen = sights.compactMap { $0 }
        // Draws differ by right.
        guard seen.count >= 2, !seen.allSatisfy({ possible.contains($0) }) else { return nil }
        var counts: [Sight: Int] = [:]
        for sight in seen { counts[sight, default: 0] += 1 }
        return counts.first { $0.value * 2 > seen.count }?.key
            ?? (seen.count == 2 ? seen.first { possible.contains($0) } : nil)
    }

    private func printJSON(
        _ index: Int, _ asker: String, _ name: DomainName, _ type: RRType, _ answer: Answer,
        _ differences: [(name: String, words: String)], _ expected: Sight
    ) {
        let seen =
            answer.sight?.json
            ?? [("rcode", "null"), ("answers", "[]"), ("ttl", "null"), ("scope", "null")]
        print(
            JSONText.object(
                [
                    ("server", JSONText.string("\(servers[index].server)")),
                    ("client", JSONText.string(asker)),
                    ("name", JSONText.string(name.description)),
                    ("type", JSONText.string(type.description)),
                ] + seen + [
                    ("expected", JSONText.object(expected.json)),
                    ("agrees", "\(answer.message != nil && differences.isEmpty)"),
                    ("differs", JSONText.array(differences.map { JSONText.string($0.name) })),
                    ("error", JSONText.optional(answer.message == nil ? answer.words : nil)),
                ]))
    }

    // MARK: - The end

    private func title(_ index: Int) -> String {
        let width = servers.map { "\($0.server)".count }.max() ?? 0
        let title = "\(servers[index].server)"
        return title + String(repeating: " ", count: width - title.count)
    }

    private func printSummary() {
        if !knowsEpochs, !tallies.allSatisfy(\.isFine) {
            print("no server tells what it has otherwise; geodnsd --epoch-to lets them")
        }
        print("of \(questionCount) \(questionCount == 1 ? "answer" : "answers"):")
        for index in servers.indices {
            let tally = tallies[index]
            var words = tally.serials
            if !tally.epochParts.isEmpty {
                words.append("has " + tally.epochParts.joined(separator: " and "))
            }
            if tally.isGivenUp {
                words = ["did not answer"]
            } else {
                if tally.differing > 0 {
                    words.append("\(tally.differing) not as the files here say")
                }
                if tally.outvoted > 0 {
                    words.append("\(tally.outvoted) not as the other servers say")
                }
            }
            print(
                "  \(title(index))  "
                    + (words.isEmpty ? "all the same" : words.joined(separator: ", ")))
        }
    }
}

/// The answers that one question may get: several where shares are drawn for each query.
private struct Possibilities {
    private let sights: Set<Sight>

    /// Draws of one share among a thousand are found, as a rule.
    private static let drawCountMax = 5000

    /// `result` is what the files here give at the first draw.
    init(_ simulation: Simulation, _ result: Simulation.Result) {
        sights = Possibilities.sights(simulation, result)
    }

    private static func sights(
        _ simulation: Simulation, _ result: Simulation.Result
    ) -> Set<Sight> {
        var sights: Set<Sight> = [Sight(result.response)]
        guard let geo = simulation.geoName(result.name, result.response) else { return sights }
        let outlook = simulation.answers.outlook(name: geo, around: result.client.address)
        guard outlook.shares.count > 1 else { return sights }
        var random = Simulation.draws
        var ways: Set<UInt64> = []
        for _ in 0..<Possibilities.drawCountMax {
            let before = random
            let (_, way) = simulation.answers.trace(
                name: geo, client: Simulation.client(result.client),
                family: Simulation.family(of: result.type), random: &random)
            guard ways.insert(way).inserted,
                let other = simulation.ask(
                    result.name, result.type, from: result.client, drawing: before)
            else { continue }
            sights.insert(Sight(other.response))
        }
        return sights
    }

    func contains(_ sight: Sight) -> Bool { sights.contains(sight) }
}

extension Message {
    /// MNAME, RNAME, then five numbers of 32 bits, the first of which it is (RFC 1035 §3.3.13).
    static func serial(ofSOA rdata: [UInt8]) -> UInt32? {
        guard rdata.count >= 22 else { return nil }
        return rdata.suffix(20).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
