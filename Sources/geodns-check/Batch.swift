import Addressing
import Configuration
import DNSWire
import Diagnostics
import Geography
import Steering
import SystemCalls

/// Answers for clients by the million, a line each.
///
/// Every client is located and decided for by itself. What the answer to a decision looks like is
/// asked of the whole server once for each way that decisions take, and remembered as text.
struct Batch {
    enum Format {
        /// A table of one line for each answer.
        case csv
        /// The objects of `docs/json.md`.
        case json
    }

    private let simulation: Simulation
    private let format: Format
    private var questions: [Question]
    private var random = Simulation.draws
    private var output = OutputStream()

    private struct Question {
        var name: DomainName
        var type: RRType
        /// What steers it; nil: static data.
        var geo: Int?
        var texts: [TextKey: AnswerText] = [:]
    }

    /// All that an answer depends on, but for client, scope and network.
    private struct TextKey: Hashable {
        var way: UInt64
        /// That of IPv6, where an answer is of both families.
        var otherWay: UInt64 = 0
        var place: PlaceIndex
        /// These two are in objects only.
        var system: UInt32?
        var line: SourceLocation?
        var family: IPAddress.Family
    }

    private struct AnswerText {
        /// Between the client and the scope.
        var answer: [UInt8]
        /// Behind the network.
        var place: [UInt8]
        /// Whether the client's place played a part.
        var isSteered: Bool
    }

    init(_ simulation: Simulation, _ settings: CheckSettings) {
        self.simulation = simulation
        format = settings.writesJSON ? .json : .csv
        let anyone = Prefix(IPAddress(ipv4: 0), length: 0)
        questions = settings.names.flatMap { name in
            settings.types.map { type in
                let response = simulation.ask(name, type, from: anyone)?.response
                return Question(
                    name: name, type: type, geo: response.flatMap { simulation.geoName(name, $0) })
            }
        }
        if format == .csv { output.bytes += (Simulation.Result.csvHeader + "\n").utf8 }
    }

    /// Answers all clients; false when a line could not be read as one.
    static func run(_ simulation: Simulation, _ settings: CheckSettings) -> Bool {
        var batch = Batch(simulation, settings)
        var reader = ClientReader()
        for client in settings.clients { batch.answer(client) }
        for stream in settings.streams {
            var progress = ProgressLine(whole: stream.byteCount)
            reader.read(stream) { client in
                batch.answer(client)
            } afterBlock: { byteCount, clientCount in
                batch.flush()
                progress.show(byteCount: byteCount, clientCount: clientCount)
            }
            progress.clear()
        }
        batch.flush()
        return reader.isFine
    }

    private mutating func answer(_ client: Prefix) {
        let whereabouts = simulation.locate(client.address)
        for index in questions.indices { answer(index, client, whereabouts) }
        if output.isFull { flush() }
    }

    private mutating func flush() {
        do throws(Errno) { try output.flush() } catch {
            CheckSettings.program.fail("cannot write standard output: \(error)", status: 1)
        }
    }

    private mutating func answer(
        _ index: Int, _ client: Prefix, _ whereabouts: Simulation.Whereabouts
    ) {
        let before = random
        var key = TextKey(way: 0, place: whereabouts.place, family: client.family)
        if format == .json { (key.system, key.line) = (whereabouts.system, whereabouts.line) }
        var scope = 0
        if let geo = questions[index].geo {
            let (decision, way) = simulation.answers.trace(
                name: geo, client: Simulation.client(client),
                family: Simulation.family(of: questions[index].type), random: &random)
            key.way = way
            if questions[index].type == .svcb || questions[index].type == .https {
                // Hints are of both families.
                var draws = before
                let (other, otherWay) = simulation.answers.trace(
                    name: geo, client: Simulation.client(client), family: .ipv6, random: &draws)
                key.otherWay = otherWay
                scope = other.scope
            }
            // Who gives no prefix is told none (RFC 7871 §7.2.1).
            scope = client.length > 0 ? max(scope, decision.scope) : 0
        }
        let text: AnswerText
        if let known = questions[index].texts[key] {
            text = known
        } else {
            text = ask(questions[index], client, before)
            questions[index].texts[key] = text
        }
        write(
            text, client, scope: text.isSteered ? scope : 0, whereabouts.network)
    }

    private func ask(
        _ question: Question, _ client: Prefix, _ draws: RandomSource
    ) -> AnswerText {
        guard
            let result = simulation.ask(question.name, question.type, from: client, drawing: draws)
        else {
            CheckSettings.program.fail(
                "\(question.name) \(question.type): no response; this should not happen", status: 1)
        }
        let isSteered = result.explanation != nil
        switch format {
        case .json:
            return AnswerText(
                answer: Array(("\"," + result.jsonOfAnswer + ",\"scope\":").utf8),
                place: Array(("," + result.jsonOfPlace + "}\n").utf8), isSteered: isSteered)
        case .csv:
            return AnswerText(
                answer: Array(("," + result.csvOfAnswer + ",").utf8),
                place: Array(("," + result.csvOfPlace + "\n").utf8), isSteered: isSteered)
        }
    }

    private mutating func write(
        _ text: AnswerText, _ client: Prefix, scope: Int, _ network: Prefix?
    ) {
        if format == .json { output.bytes += "{\"client\":\"".utf8 }
        if client.length == client.family.bitCount {
            client.address.write(to: &output.bytes)
        } else {
            client.write(to: &output.bytes)
        }
        output.bytes += text.answer
        output.bytes.append(decimal: UInt8(scope))
        switch (format, network) {
        case (.json, nil): output.bytes += ",\"network\":null".utf8
        case (.json, let network?):
            output.bytes += ",\"network\":\"".utf8
            network.write(to: &output.bytes)
            output.bytes.append(UInt8(ascii: "\""))
        case (.csv, let network):
            output.bytes.append(UInt8(ascii: ","))
            network?.write(to: &output.bytes)
        }
        output.bytes += text.place
    }
}
