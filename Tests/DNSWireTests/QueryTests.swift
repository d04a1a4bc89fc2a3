import Addressing
import DNSWire
import Testing

/// `01ff` as bytes.
func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

private func two(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

func option(_ code: Int, _ data: [UInt8]) -> [UInt8] { two(code) + two(data.count) + data }

/// An OPT record that says 1232 bytes.
func opt(version: UInt8 = 0, options: [UInt8] = []) -> [UInt8] {
    [0, 0, 41] + two(1232) + [0, version, 0, 0] + two(options.count) + options
}

private let question: [UInt8] = [1, 0x61, 0, 0, 1, 0, 1]

/// `a. IN A` with an OPT record.
func query(options: [UInt8]) -> [UInt8] {
    message(questions: [question], additional: [opt(options: options)])
}

private func message(
    flags: Int = 0, questions: [[UInt8]] = [question], answers: [[UInt8]] = [],
    additional: [[UInt8]] = []
) -> [UInt8] {
    two(0x4711) + two(flags) + two(questions.count) + two(answers.count) + two(0)
        + two(additional.count) + (questions + answers + additional).flatMap { $0 }
}

private func decode(_ message: [UInt8]) -> (verdict: String, query: Query) {
    var name = QuestionName()
    var query = Query()
    let verdict =
        switch query.decode(message.span, name: &name) {
        case .query: "query"
        case .cookieOnly: "cookieOnly"
        case .ignore: "ignore"
        case .reject(let code): code.mnemonic
        }
    return (verdict, query)
}

@Suite struct Queries {
    static let address: [UInt8] = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1]

    static let headers: [(String, [UInt8], String)] = [
        ("as usual", message(), "query"),
        ("RD, AD, CD, Z, AA, TC, RA", message(flags: 0x07f0), "query"),
        ("a response", message(flags: 0x8000), "ignore"),
        ("eleven bytes", Array(message()[..<11]), "ignore"),
        ("no question", message(questions: []), "FORMERR"),
        ("two questions", message(questions: [question, question]), "FORMERR"),
        ("a question cut short", Array(message().dropLast()), "FORMERR"),
        ("a compressed question", message(questions: [[0xc0, 12, 0, 1, 0, 1]]), "FORMERR"),
        ("bytes after the message", message() + [1, 2, 3], "query"),
        ("an answer", message(answers: [address]), "query"),
        ("an answer cut short", Array(message(answers: [address]).dropLast()), "FORMERR"),
        ("IQUERY", message(flags: 0x0800), "NOTIMP"),
        ("STATUS", message(flags: 0x1000), "NOTIMP"),
        ("NOTIFY", message(flags: 0x2000), "NOTIMP"),
        ("UPDATE", message(flags: 0x2800), "NOTIMP"),
        ("DSO", message(flags: 0x3000, questions: []), "NOTIMP"),
        ("opcode 15, header only", message(flags: 0x7800, questions: []), "NOTIMP"),
        ("opcode 15, anything", message(flags: 0x7800, answers: [[0xff]]), "NOTIMP"),
    ]

    @Test(arguments: headers)
    func headersAndQuestions(title: String, message: [UInt8], verdict: String) {
        #expect(decode(message).verdict == verdict, "\(title)")
    }

    static let withOPT: [(String, [UInt8], String)] = [
        ("one OPT", message(additional: [opt()]), "query"),
        ("last of several", message(additional: [address, address, opt()]), "query"),
        ("first of several", message(additional: [opt(), address]), "query"),
        ("two OPT", message(additional: [opt(), opt()]), "FORMERR"),
        ("OPT among the answers", message(answers: [opt()]), "FORMERR"),
        ("OPT owned by a name", message(additional: [[1, 0x61] + opt()]), "FORMERR"),
        ("OPT owned by a pointer", message(additional: [[0xc0, 13] + opt()[1...]]), "FORMERR"),
        ("version 1", message(additional: [opt(version: 1)]), "BADVERS"),
        ("version 1, twice", message(additional: [opt(version: 1), opt()]), "FORMERR"),
        (
            "version 1 has options of its own",
            message(additional: [opt(version: 1, options: [1, 2, 3])]), "BADVERS"
        ),
        ("unknown options", query(options: option(100, []) + option(65001, [1, 2])), "query"),
        ("an option cut short", query(options: [0, 100, 0, 1]), "FORMERR"),
        ("half an option's head", query(options: [0, 100, 0]), "FORMERR"),
        ("padding", query(options: option(12, [0, 0, 0])), "query"),
        (
            "no question, a cookie",
            message(
                questions: [], additional: [opt(options: option(10, [1, 2, 3, 4, 5, 6, 7, 8]))]),
            "cookieOnly"
        ),
        ("no question, no cookie", message(questions: [], additional: [opt()]), "FORMERR"),
        (
            "no question, version 1",
            message(questions: [], additional: [opt(version: 1)]), "BADVERS"
        ),
    ]

    @Test(arguments: withOPT) func optRecords(title: String, message: [UInt8], verdict: String) {
        #expect(decode(message).verdict == verdict, "\(title)")
    }

    /// An OPT record that can be read is answered with one, whatever else is wrong.
    @Test func optIsSeenInRejectedMessages() {
        #expect(decode(message(flags: 0x7800, additional: [opt()])).query.edns != nil)
        #expect(decode(message(flags: 0x7800, additional: [opt(), opt()])).query.edns == nil)
        #expect(decode(query(options: option(10, [1]))).query.edns != nil)
        #expect(decode(message(questions: [], additional: [opt()])).query.edns != nil)
        // The question of another opcode does not come back: it may be none.
        #expect(decode(message(flags: 0x7800, additional: [opt()])).query.questionEnd == 12)
    }

    /// RFC 7873 §5.2.2: 8, or 16 to 40 bytes.
    @Test func cookieLengths() {
        for byteCount in 0...50 {
            let data = [UInt8](repeating: 7, count: byteCount)
            let isGood = byteCount == 8 || (16...40).contains(byteCount)
            let (verdict, query) = decode(query(options: option(10, data)))
            #expect(verdict == (isGood ? "query" : "FORMERR"), "\(byteCount)")
            if isGood {
                #expect(query.cookie?.byteCount == UInt8(byteCount))
                #expect(query.cookie?.hasServerCookie == (byteCount > 8))
            }
        }
    }

    /// RFC 7873 §5.2: of several the first one counts; all must be well formed.
    @Test func severalCookies() {
        let first = option(10, [UInt8](repeating: 1, count: 8))
        let second = option(10, [UInt8](repeating: 2, count: 16))
        let found = decode(query(options: first + second)).query.cookie
        #expect(found?.offset == UInt16(12 + question.count + 11 + 4))
        #expect(found?.byteCount == 8)
        #expect(decode(query(options: first + option(10, [1]))).verdict == "FORMERR")
    }

    @Test func requests() {
        let all = decode(query(options: option(3, []) + option(11, []) + option(9, []))).query.edns
        #expect(all?.wantsServerIdentifier == true)
        #expect(all?.wantsKeepalive == true)
        let none = decode(query(options: [])).query.edns
        #expect(none?.wantsServerIdentifier == false)
        #expect(none?.wantsKeepalive == false)
        #expect(none?.payloadByteCountMax == 1232)
    }
}

/// RFC 7871 §6 and §7.1.1: what a client subnet may look like.
@Suite struct ClientSubnets {
    /// Family, source prefix length, scope prefix length, address.
    static let good: [([UInt8], String)] = [
        ([0, 1, 24, 0, 192, 0, 2], "192.0.2.0"),
        ([0, 1, 32, 0, 192, 0, 2, 1], "192.0.2.1"),
        ([0, 1, 17, 0, 192, 0, 0x80], "192.0.128.0"),
        ([0, 1, 1, 0, 0x80], "128.0.0.0"),
        ([0, 1, 0, 0], "0.0.0.0"),
        ([0, 2, 0, 0], "::"),
        ([0, 0, 0, 0], "0.0.0.0"),
        ([0, 2, 48, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 1], "2001:db8:1::"),
        (
            [0, 2, 128, 0] + [UInt8](repeating: 0xff, count: 16),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        ),
    ]

    @Test(arguments: good) func isRead(data: [UInt8], address: String) {
        let (verdict, query) = decode(query(options: option(8, data)))
        #expect(verdict == "query")
        #expect(query.clientSubnet?.address == IPAddress(address))
        #expect(query.clientSubnet?.sourcePrefixLength == Int(data[2]))
        #expect(query.clientSubnet?.familyNumber == UInt16(data[1]))
    }

    static let bad: [(String, [UInt8])] = [
        ("too short for its head", [0, 1, 0]),
        ("family 3", [0, 3, 0, 0]),
        ("family 256", [1, 0, 0, 0]),
        ("no family, a prefix", [0, 0, 8, 0, 10]),
        ("IPv4 longer than 32", [0, 1, 33, 0, 192, 0, 2, 1, 0]),
        ("IPv6 longer than 128", [0, 2, 129, 0] + [UInt8](repeating: 0, count: 17)),
        ("a scope", [0, 1, 24, 24, 192, 0, 2]),
        ("a byte too few", [0, 1, 24, 0, 192, 0]),
        ("a byte too many", [0, 1, 24, 0, 192, 0, 2, 0]),
        ("all bytes of a shorter prefix", [0, 1, 16, 0, 192, 0, 0, 0]),
        ("a bit past the prefix", [0, 1, 23, 0, 192, 0, 1]),
        ("a bit past the prefix, IPv6", [0, 2, 33, 0, 0x20, 0x01, 0x0d, 0xb8, 0x40]),
        ("an address of prefix 0", [0, 1, 0, 0, 192]),
    ]

    @Test(arguments: bad) func isMalformed(title: String, data: [UInt8]) {
        #expect(decode(query(options: option(8, data))).verdict == "FORMERR", "\(title)")
    }

    /// One that is malformed spoils a message that has a good one, too.
    @Test func several() {
        let first = option(8, [0, 1, 8, 0, 10])
        let second = option(8, [0, 1, 8, 0, 11])
        let found = decode(query(options: first + second)).query.clientSubnet
        #expect(found?.address == IPAddress("10.0.0.0"))
        #expect(decode(query(options: first + option(8, [0, 3, 0, 0]))).verdict == "FORMERR")
    }
}
