import DNSWire
import ZoneFile

/// A good question and all the answers that are right.
struct Question: Sendable {
    /// One right answer.
    struct Answer: Sendable, Hashable {
        var code: UInt16 = 0
        /// Records of the answer section: `owner TTL type RDATA`.
        var records: Set<String> = []
        var isTruncated = false
    }

    let name: DomainName
    let type: RRType
    var subnet: (address: [UInt8], prefixLength: UInt8)?
    let answers: Set<Answer>
    /// Over UDP, where that is another.
    var datagramAnswers: Set<Answer>?

    init?(
        _ name: String, _ type: RRType, subnet: [UInt8]? = nil, _ answers: Answer...,
        isTruncated: Bool = false
    ) {
        guard let name = DomainName(name) else { return nil }
        self.name = name
        self.type = type
        self.subnet = subnet.map { ($0, 24) }
        self.answers = Set(answers)
        if isTruncated { datagramAnswers = [Answer(isTruncated: true)] }
    }

    /// With EDNS, and a COOKIE option at the end (RFC 7873).
    func message(identifier: UInt16, cookie: [UInt8]) -> [UInt8] {
        var message = Message.query(name, type, identifier: identifier, subnet: subnet)
        let options = [0, 10, 0, UInt8(cookie.count)] + cookie
        // OPT's RDLENGTH stands before the options, all of which fit one byte.
        let subnetByteCount = subnet == nil ? 0 : 11
        message[message.count - subnetByteCount - 1] += UInt8(options.count)
        return message + options
    }

    /// What is wrong with a response; nil: it is right.
    func fault(of response: [UInt8], overStream isStream: Bool) -> String? {
        guard let message = Message(response) else { return "unreadable: \(response)" }
        let found = Answer(
            code: message.responseCode,
            records: Set(
                message.answers.map { record in
                    "\(record.owner) \(record.ttl) \(record.type) "
                        + RecordPresentation.rdata(record.rdata[...], type: record.type)
                }),
            isTruncated: message.isTruncated)
        guard message.isResponse, message.question?.name == name, message.question?.type == type
        else { return "\(name) \(type): not the question asked" }
        guard message.answers.count == found.records.count else { return "a record twice" }
        let right = isStream ? answers : datagramAnswers ?? answers
        if right.contains(found) { return nil }
        return "\(name) \(type): \(found), and not one of \(right)"
    }
}

/// Checks answers, and remembers those that were right, so that the next like it takes no time.
struct Judge {
    private var right: [Int: Set<ArraySlice<UInt8>>] = [:]
    /// Different right answers remembered for one question.
    private static let rememberedMax = 64
    /// The server cookie, at the end, is another one each second (RFC 9018 §4).
    private static let cookieByteCount = 16

    /// `index` says which of the questions it is.
    mutating func fault(
        of response: [UInt8], to question: Question, _ index: Int, overStream isStream: Bool
    ) -> String? {
        let key = response.dropFirst(2).dropLast(Judge.cookieByteCount)
        let place = index * 2 + (isStream ? 1 : 0)
        if right[place]?.contains(key) == true { return nil }
        if let fault = question.fault(of: response, overStream: isStream) { return fault }
        if right[place, default: []].count < Judge.rememberedMax {
            right[place, default: []].insert(key)
        }
        return nil
    }
}
