import Responder

/// What can be told of a query without knowing the server: nothing here is shared with it.
struct QueryFacts {
    /// An OPT record stands somewhere among records that can be walked over.
    var hasOPT = false
    /// What the only OPT record says, when everything about the message is in order.
    var payload: Int?

    init(_ query: [UInt8]) {
        guard query.count >= 12 else { return }
        func two(_ index: Int) -> Int { Int(query[index]) << 8 | Int(query[index + 1]) }
        var position = 12
        func skipName() -> Bool {
            while position < query.count {
                let length = Int(query[position])
                if length >= 0xc0 {
                    position += 2
                    return true
                }
                position += 1 + length
                if length == 0 { return true }
            }
            return false
        }
        for _ in 0..<min(two(4), 2) {
            guard skipName() else { return }
            position += 4
        }
        var payloads: [Int] = []
        for _ in 0..<two(6) + two(8) + two(10) {
            let start = position
            guard skipName(), position + 10 <= query.count else { return }
            if two(position) == 41 {
                hasOPT = true
                payloads.append(position == start + 1 ? two(position + 2) : 0)
            }
            position += 10 + two(position + 8)
        }
        if payloads.count == 1, position <= query.count { payload = payloads[0] }
    }

    /// The longest response that the requestor can have asked for (RFC 1035 §4.2.1, RFC 6891
    /// §6.2.3); a datagram is never longer than 1232 bytes (RFC 9715 §3.1).
    func byteCountMax(over channel: Channel) -> Int {
        switch channel {
        case .stream: 65_535
        case .datagram: hasOPT ? min(1232, max(512, payload ?? 1232)) : 512
        }
    }
}

/// What must hold of every response, whatever was asked. Nil when it does, else what is wrong.
func responseFault(
    _ response: [UInt8], to query: [UInt8], over channel: Channel
) -> String? {
    guard !response.isEmpty else {
        return query.count >= 12 && query[2] & 0x80 == 0 ? "silence" : nil
    }
    guard query.count >= 12 else { return "answered \(query.count) bytes" }
    guard query[2] & 0x80 == 0 else { return "answered a response" }
    let facts = QueryFacts(query)
    let limit = facts.byteCountMax(over: channel)
    guard response.count <= limit else { return "\(response.count) bytes of \(limit)" }
    let message: WireMessage
    do throws(WireMessage.Fault) {
        message = try WireMessage(response)
    } catch {
        return error.words
    }
    guard response[0...1] == query[0...1] else { return "another identifier" }
    guard message.flags & 0x8000 != 0 else { return "QR is not set" }
    guard response[2] & 0x78 == query[2] & 0x78 else { return "opcode changed" }
    // RD is a flag of the opcode QUERY (RFC 6895 §2.1).
    guard response[2] & 1 == (query[2] & 0x78 == 0 ? query[2] & 1 : 0) else { return "RD" }
    guard response[3] & 0xf0 == 0 else { return "RA, Z, AD or CD set" }
    guard message.questionEnd <= query.count,
        response[12..<message.questionEnd] == query[12..<message.questionEnd]
    else { return "the question is not the one asked" }
    let hasQuestion = message.questionEnd > 12
    let code = message.responseCode
    let answers = message.records(in: 0)
    if !hasQuestion, !answers.isEmpty { return "an answer without question" }
    if !hasQuestion, code == 3 { return "NXDOMAIN without question" }
    if channel == .stream, message.isTruncated, response.count < 16_384 { return "TC over TCP" }
    if message.isTruncated, !answers.isEmpty { return "truncated, and with answers" }
    // YXDOMAIN comes with the DNAME that caused it (RFC 6672 §2.2).
    if ![0, 3, 6].contains(code), !answers.isEmpty { return "RCODE \(code) with answers" }
    if let fault = faultOfOPT(in: message, facts) { return fault }
    return faultOfSections(of: message)
}

private func faultOfOPT(in message: WireMessage, _ facts: QueryFacts) -> String? {
    let all = message.records.filter { $0.type == 41 }
    guard let opt = all.first else {
        return message.responseCode > 15 ? "an extended RCODE without OPT" : nil
    }
    guard all.count == 1 else { return "\(all.count) OPT records" }
    guard facts.hasOPT else { return "OPT without OPT" }
    guard opt.section == 2, opt.owner == [0] else { return "OPT out of place" }
    guard opt.ttl & 0x00ff_7fff == 0 else { return "version or flags of OPT" }
    guard let options = WireMessage.options(opt.rdata) else { return "an option cut short" }
    guard Set(options.map(\.code)).count == options.count else { return "an option twice" }
    return nil
}

/// Records of one RRset have one TTL (RFC 2181 §5.2), and none comes twice in a section (§5).
private func faultOfSections(of message: WireMessage) -> String? {
    struct Key: Hashable {
        var owner: [UInt8]
        var type: UInt16
    }
    for section in 0...2 {
        var ttls: [Key: UInt32] = [:]
        var seen: Set<[UInt8]> = []
        for record in message.records(in: section) where record.type != 41 {
            let key = Key(owner: record.owner, type: record.type)
            guard ttls[key, default: record.ttl] == record.ttl else {
                return "two TTLs in an RRset"
            }
            ttls[key] = record.ttl
            let whole =
                record.owner + [UInt8(record.type >> 8), UInt8(record.type & 255)] + record.rdata
            guard seen.insert(whole).inserted else { return "a record twice" }
        }
    }
    return nil
}
