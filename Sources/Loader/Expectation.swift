import Addressing
import DNSWire
package import Diagnostics
import Health
import Responder
import Steering
import ZoneFile

/// What a client must get: one line of a file beside a zone, `example.com.expect` beside
/// `example.com.zone`.
///
///     CLIENT NAME TYPE [down=TARGET,…] -> ANSWER…       # a comment
///
/// CLIENT is an address or a prefix. ANSWER is RDATA in presentation format, in any order, or one
/// word: NODATA, or an RCODE such as NXDOMAIN. Every target is up but those of `down=`.
package struct Expectation: Sendable {
    var location: SourceLocation
    var client: Prefix
    var name: DomainName
    var type: RRType
    var down: [String]
    /// Sorted.
    var answers: [String]

    /// Reads a file; every line that is none of these is a problem.
    package static func parse(
        _ bytes: [UInt8], file: String
    ) -> (expectations: [Expectation], diagnostics: [Diagnostic]) {
        var expectations: [Expectation] = []
        var diagnostics: [Diagnostic] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.prefix { $0 != UInt8(ascii: "#") }
                .split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
                .map { (text: String(decoding: $0, as: UTF8.self), start: $0.startIndex) }
            guard let first = words.first else { continue }
            do throws(Misread) {
                let location = SourceLocation(
                    file: file, line: index + 1, column: first.start - line.startIndex + 1)
                expectations.append(try Expectation(words.map(\.text), location))
            } catch {
                let start = error.word.map { words[$0].start } ?? line.endIndex
                let location = SourceLocation(
                    file: file, line: index + 1, column: start - line.startIndex + 1)
                diagnostics.append(Diagnostic(.error, at: location, error.message))
            }
        }
        return (expectations, diagnostics)
    }

    private struct Misread: Error {
        /// Index of the word; nil: something is missing behind the last.
        var word: Int?
        var message: String
    }

    private init(_ words: [String], _ location: SourceLocation) throws(Misread) {
        self.location = location
        guard let arrow = words.firstIndex(of: "->"), arrow >= 3, arrow + 1 < words.count else {
            throw Misread(
                word: nil,
                message: "expected CLIENT NAME TYPE -> ANSWER…, such as "
                    + "203.0.113.7 app.example.com A -> 198.51.100.20")
        }
        guard let client = Prefix(words[0]) else {
            throw Misread(
                word: 0,
                message: "\(words[0]): expected an address like 133.11.0.1 or a prefix like "
                    + "203.0.113.0/24 without bits beyond its length")
        }
        guard let name = DomainName(words[1]) else {
            throw Misread(word: 1, message: "\(words[1]) is no domain name")
        }
        guard let type = RRType(words[2]) else {
            throw Misread(
                word: 2, message: "\(words[2]): expected a record type, like A, AAAA or TYPE65")
        }
        down = []
        for index in 3..<arrow {
            guard words[index].hasPrefix("down=") else {
                throw Misread(
                    word: index, message: "\(words[index]): expected down=TARGET,… or ->")
            }
            down += words[index].dropFirst(5).split(separator: ",").map(String.init)
        }
        (self.client, self.name, self.type) = (client, name, type)
        answers = words[(arrow + 1)...].sorted()
    }
}

extension World {
    /// What is not as expected, each with its line. Names whose answers are drawn or hashed have
    /// no one answer: that is a problem, too.
    package func failures(of expectations: [Expectation]) -> [Diagnostic] {
        var snapshots: [[String]: Snapshot] = [:]
        return expectations.compactMap { expectation in
            if snapshots[expectation.down] == nil {
                let (down, unknown) = plan.endpoints(labelled: expectation.down)
                guard unknown.isEmpty else {
                    return Diagnostic(
                        .error, at: expectation.location,
                        "down=\(unknown.joined(separator: ",")): no such region or target")
                }
                let probes = plan.probes.indices.map { ProbeIdentifier($0) }
                snapshots[expectation.down] = snapshot(
                    HealthTable(), probes: probes, forcedDown: down)
            }
            return snapshots[expectation.down].flatMap { failure(of: expectation, in: $0) }
        }
    }

    private func failure(of expectation: Expectation, in snapshot: Snapshot) -> Diagnostic? {
        let client = expectation.client
        let query = Message.query(
            expectation.name, expectation.type,
            subnet: (client.address.bytes, UInt8(client.length)))
        var responder = Responder(SnapshotCell(snapshot), seed: 1)
        var bytes = [UInt8](repeating: 0, count: Responder.streamByteCountMax)
        var span = bytes.mutableSpan
        let count = responder.respond(
            to: query.span, from: client.address, over: .stream, into: &span)
        guard let response = Message(Array(bytes[..<count])) else { return nil }
        let isAddress = client.length == client.family.bitCount
        let asker = isAddress ? "\(client.address)" : "\(client)"
        let question = "\(asker) asking for \(expectation.name) \(expectation.type)"
        if let count = drawnCount(expectation, response, snapshot) {
            return Diagnostic(
                .error, at: expectation.location,
                "\(question): what it gets is one of \(count) targets by their weights; "
                    + "expect a name that is not weighted")
        }
        let found = response.wordsOfAnswers(expectation.type)
        guard found != expectation.answers else { return nil }
        return Diagnostic(
            .error, at: expectation.location,
            "\(question) gets \(found.joined(separator: " ")), "
                + "expected \(expectation.answers.joined(separator: " "))")
    }

    /// How many targets are drawn from; nil when there is one answer.
    private func drawnCount(
        _ expectation: Expectation, _ response: Message, _ snapshot: Snapshot
    ) -> Int? {
        let owners =
            [expectation.name]
            + response.answers.filter { $0.type == .cname }
            .compactMap { DomainName(wire: $0.rdata) }
        guard let geo = owners.compactMap({ zones.geoName(at: $0) }).first else { return nil }
        let shares = snapshot.answers.outlook(name: geo, around: expectation.client.address)
            .shares
        return shares.count > 1 ? shares.count : nil
    }
}

extension Message {
    /// The words of the RDATA asked for, sorted; or what there is instead.
    fileprivate func wordsOfAnswers(_ type: RRType) -> [String] {
        guard responseCode == 0 else {
            return [ResponseCode(rawValue: responseCode)?.mnemonic ?? "RCODE\(responseCode)"]
        }
        var wanted = answers.filter { $0.type == type || type == .any }
        // CNAMEs are on the way to an answer, or lead out of our zones. With an SOA they led to a
        // name without what was asked for (RFC 2308 §2.2).
        if wanted.isEmpty, !authorities.contains(where: { $0.type == .soa }) {
            wanted = answers.filter { $0.type == .cname }.suffix(1)
        }
        guard !wanted.isEmpty else { return ["NODATA"] }
        return wanted.flatMap { record in
            RecordPresentation.rdata(record.rdata[...], type: record.type)
                .split(separator: " ").map(String.init)
        }.sorted()
    }
}
