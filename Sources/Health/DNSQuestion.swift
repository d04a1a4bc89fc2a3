package import DNSWire

/// What a dns check asks a front door, and what answer passes.
package struct DNSQuestion: Hashable, Sendable {
    package var name: DomainName
    package var type: RRType
    package var isOverTCP: Bool
    /// Response codes that pass, whatever the answer section holds.
    package var expectedCodes: [UInt16]
    /// RDATA of which one must be among the answers, names in lower case; compared without regard
    /// to the TTL.
    package var expectedData: [[UInt8]]

    /// Without expectations NOERROR with at least one answer passes.
    package init(
        _ name: DomainName, _ type: RRType, isOverTCP: Bool = false, expectedCodes: [UInt16] = [],
        expectedData: [[UInt8]] = []
    ) {
        self.name = name
        self.type = type
        self.isOverTCP = isOverTCP
        self.expectedCodes = expectedCodes
        self.expectedData = expectedData
    }

    /// RD is set, as every stub resolver does (RFC 1035 §4.1.1): authoritative servers take no
    /// notice, and resolvers answer.
    package func query(identifier: UInt16) -> [UInt8] {
        var query = Message.query(name, type, identifier: identifier)
        query[2] |= 0x01
        return query
    }

    /// What bytes that came back say.
    package enum Judgement: Equatable, Sendable {
        /// Not an answer to this query: whoever sends such things over UDP is not listened to.
        case stranger
        /// Does not fit into a datagram: to be asked again over TCP (RFC 7766 §5).
        case truncated
        case passed(String)
        case failed(String)
    }

    package func judge(_ bytes: [UInt8], identifier: UInt16) -> Judgement {
        guard bytes.count >= 12, bytes[0] == UInt8(identifier >> 8),
            bytes[1] == UInt8(truncatingIfNeeded: identifier), bytes[2] & 0x80 != 0
        else { return .stranger }
        // A truncated message may end anywhere.
        if bytes[2] & 0x02 != 0 { return .truncated }
        guard let message = Message(bytes) else { return .failed("answer is not a DNS message") }
        if let question = message.question {
            guard question.name == name, question.type == type, question.class == 1
            else { return .stranger }
        }
        let code = message.responseCode
        // A server that could not read the query need not repeat it (RFC 1035 §4.1.1).
        guard message.question != nil || code != 0 else { return .stranger }
        let words = DNSQuestion.codeWords(code)
        if expectedCodes.contains(code) { return .passed(words) }
        let answers = message.answers.filter { $0.class == 1 && $0.type != .opt }
        guard expectedData.isEmpty else { return judge(answers, words, isFine: code == 0) }
        guard expectedCodes.isEmpty else {
            let wanted = expectedCodes.map(DNSQuestion.codeWords).joined(separator: ",")
            return .failed("\(words), expected \(wanted)")
        }
        guard code == 0 else { return .failed(words) }
        return answers.isEmpty
            ? .failed("NOERROR without an answer")
            : .passed("\(words), \(answers.count) \(answers.count == 1 ? "answer" : "answers")")
    }

    private func judge(_ answers: [Message.Record], _ words: String, isFine: Bool) -> Judgement {
        let isThere = answers.contains { record in
            record.type == type && expectedData.contains(canonical(record.rdata))
        }
        if isThere, isFine { return .passed("\(words), the answer expected") }
        return .failed(
            isFine && !answers.isEmpty
                ? "\(words), but not the answer expected" : "\(words), no answer")
    }

    /// Names of hosts are compared without case (RFC 4343).
    private func canonical(_ rdata: [UInt8]) -> [UInt8] {
        type.compressibleNames == nil ? rdata : rdata.map(lowercased)
    }

    /// IANA "DNS RCODEs", those an answer to a plain query may have.
    package static let codeNames: [(code: UInt16, name: String)] = [
        (0, "NOERROR"), (1, "FORMERR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (4, "NOTIMP"),
        (5, "REFUSED"), (16, "BADVERS"), (23, "BADCOOKIE"),
    ]

    private static func codeWords(_ code: UInt16) -> String {
        codeNames.first { $0.code == code }?.name ?? "RCODE \(code)"
    }
}
