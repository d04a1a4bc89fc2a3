import Addressing
import DNSWire
import TestSupport
import Testing

@testable import Health

@Suite struct DNSQuestionTests {
    private static let name = DomainName("www.example.") ?? .root

    /// An answer to www.example. A, with the flags after the identifier.
    private func answer(
        flags: UInt16 = 0x8180, type: RRType = .a, _ records: [(RRType, [UInt8])] = []
    ) -> [UInt8] {
        func two(_ value: UInt16) -> [UInt8] {
            [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
        }
        var bytes = two(0x4711) + two(flags) + two(1) + two(UInt16(records.count)) + two(0) + two(0)
        bytes += DNSQuestionTests.name.wire + two(type.rawValue) + two(1)
        for (type, data) in records {
            bytes += two(0xc00c) + two(type.rawValue) + two(1) + [0, 0, 0, 30]
            bytes += two(UInt16(data.count)) + data
        }
        return bytes
    }

    private func judge(_ bytes: [UInt8], _ question: DNSQuestion) -> DNSQuestion.Judgement {
        question.judge(bytes, identifier: 0x4711)
    }

    private let question = DNSQuestion(DNSQuestionTests.name, .a)
    private let address: [UInt8] = [192, 0, 2, 1]

    @Test func theQueryAsksWhatItShould() throws {
        let query = try #require(Message(question.query(identifier: 0x1234)))
        #expect(query.identifier == 0x1234)
        #expect(query.flags == 0x0100)
        #expect(query.question?.name == DNSQuestionTests.name)
        #expect(query.question?.type == .a)
    }

    @Test func withoutExpectationsAnAnswerPasses() {
        #expect(judge(answer([(.a, address)]), question) == .passed("NOERROR, 1 answer"))
        #expect(judge(answer(), question) == .failed("NOERROR without an answer"))
        #expect(judge(answer(flags: 0x8183), question) == .failed("NXDOMAIN"))
        #expect(judge(answer(flags: 0x818b), question) == .failed("RCODE 11"))
    }

    @Test func codesAndDataMayBeExpected() {
        var question = question
        question.expectedCodes = [3]
        #expect(judge(answer(flags: 0x8183), question) == .passed("NXDOMAIN"))
        #expect(judge(answer(), question) == .failed("NOERROR, expected NXDOMAIN"))
        question.expectedData = [[192, 0, 2, 9], address]
        #expect(judge(answer(flags: 0x8183), question) == .passed("NXDOMAIN"))
        #expect(
            judge(answer([(.cname, [0]), (.a, address)]), question)
                == .passed("NOERROR, the answer expected"))
        #expect(
            judge(answer([(.a, [10, 0, 0, 1])]), question)
                == .failed("NOERROR, but not the answer expected"))
    }

    @Test func namesAreComparedWithoutCase() throws {
        let target = try #require(DomainName("Target.Example."))
        let lower = try #require(DomainName("target.example."))
        let question = DNSQuestion(
            DNSQuestionTests.name, .cname, expectedData: [lower.wire])
        #expect(
            judge(answer(type: .cname, [(.cname, target.wire)]), question)
                == .passed("NOERROR, the answer expected"))
    }

    @Test func strangersAreNotListenedTo() throws {
        let other = DNSQuestion(try #require(DomainName("other.example.")), .a)
        #expect(judge(answer([(.a, address)]), other) == .stranger)
        #expect(judge(answer(type: .aaaa), question) == .stranger)
        #expect(question.judge(answer(), identifier: 1) == .stranger)
        #expect(judge(answer(flags: 0x0100), question) == .stranger, "a query")
        #expect(judge([], question) == .stranger)
        #expect(judge(answer(flags: 0x8380), question) == .truncated)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func damagedAnswersNeverPassAsWhatIsExpected(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var question = question
        question.expectedData = [address]
        let good = answer([(.cname, [3, 119, 119, 119, 0xc0, 0x10]), (.a, address)])
        for _ in 0..<1000 {
            let bytes = damaged(good, &generator)
            guard case .passed = judge(bytes, question) else { continue }
            let message = Message(bytes)
            #expect(message?.identifier == 0x4711)
            #expect(message?.answers.contains { $0.rdata == address } == true)
        }
    }
}

@Suite struct EchoRequestTests {
    @Test func anIPv4ReplyIsKnownByItsToken() {
        let request = EchoRequest(.ipv4, token: 0x0123_4567_89ab_cdef)
        var reply = request.bytes
        #expect(EchoRequest.checksum(reply) == 0, "RFC 1071: the sum with its checksum is zero")
        #expect(!request.isAnswered(by: reply, hasHeader: false), "a request is no reply")
        reply[0] = 0
        #expect(request.isAnswered(by: reply, hasHeader: false))
        #expect(
            request.isAnswered(by: [0x45] + Array(repeating: 0, count: 19) + reply, hasHeader: true)
        )
        #expect(!request.isAnswered(by: reply, hasHeader: true))
        #expect(!EchoRequest(.ipv4, token: 1).isAnswered(by: reply, hasHeader: false))
    }

    @Test func anIPv6ReplyToo() {
        let request = EchoRequest(.ipv6, token: 7)
        #expect(request.bytes.first == 128)
        #expect(request.isAnswered(by: [129] + request.bytes.dropFirst(), hasHeader: false))
    }

    @Test func shortPacketsAreNoReply() {
        let request = EchoRequest(.ipv4, token: 0)
        for count in 0..<16 {
            let bytes = [UInt8](repeating: 0, count: count)
            #expect(!request.isAnswered(by: bytes, hasHeader: false))
        }
        #expect(!request.isAnswered(by: [0x4f, 0, 0], hasHeader: true))
    }
}

@Suite struct StateFileTests {
    private func judged(_ text: String, age: Int = 0, ageMax: Duration? = nil) -> ProbeResult {
        var check = CheckSpecification(.file(path: "/state"))
        check.ageMax = ageMax
        return StateFile.judge(
            Array(text.utf8), age: .seconds(age), by: check, after: .zero)
    }

    @Test(arguments: [
        ("up\n", ProbeResult.Verdict.passed, "file says up"), ("  UP", .passed, "file says up"),
        ("degraded # one disk", .degraded, "file says degraded: one disk"),
        ("drain", .drained, "file says drain"), ("down#fire", .failed, "file says down: fire"),
        ("", .failed, "file says '', expected up, degraded, drain or down"),
        ("upp", .failed, "file says 'upp', expected up, degraded, drain or down"),
        ("\u{1b}[2J", .failed, "file says '.[2J', expected up, degraded, drain or down"),
    ])
    func theWordIsTheVerdict(text: String, verdict: ProbeResult.Verdict, reason: String) {
        #expect(judged(text).verdict == verdict)
        #expect(judged(text).reason == reason)
    }

    @Test func anOldFileTellsNothing() {
        #expect(judged("up", age: 60, ageMax: .seconds(60)).verdict == .passed)
        let old = judged("up", age: 61, ageMax: .seconds(60))
        #expect(old.verdict == .failed)
        #expect(old.reason == "file is 61 s old, wanted at most 60 s")
        #expect(judged("up", age: 1_000_000).verdict == .passed)
    }
}

@Suite struct ResponseJudgementTests {
    private func judged(
        _ body: String, cut: Bool = false, matches: Bool? = nil, days: Int64? = nil,
        _ change: (inout CheckSpecification) -> Void
    ) -> ProbeResult {
        var check = CheckSpecification(.https(path: "/"), port: 443)
        change(&check)
        return check.judge(
            HTTPResponse(
                statusCode: 200, body: Array(body.utf8), isBodyCut: cut, matchesPattern: matches,
                certificateRemains: days.map { .seconds($0 * 86_400 + 60) }), after: .zero)
    }

    @Test func theBodyMustContainAndMatch() {
        let good = judged("all is well\n") { $0.contains = Array("well".utf8) }
        #expect(good.verdict == .passed && good.reason == "status 200, body as expected")
        let bad = judged("all is lost") { $0.contains = Array("well".utf8) }
        #expect(bad.verdict == .failed && bad.phase == .content)
        #expect(bad.reason == "status 200, but 'well' is not in the body")
        let long = judged("0123", cut: true) { $0.contains = Array("well".utf8) }
        #expect(long.reason == "status 200, but 'well' is not in the first 4 bytes of the body")
        let unmatched = judged("x", matches: false) { $0.pattern = "y+" }
        #expect(unmatched.reason == "status 200, but the body does not match y+")
        #expect(judged("x", matches: true) { $0.pattern = "x" }.verdict == .passed)
    }

    @Test func aCertificateThatEndsSoonDegrades() {
        let soon = judged("", days: 3) { $0.certificateDays = 14 }
        #expect(soon.verdict == .degraded)
        #expect(soon.reason == "status 200, certificate ends in 3 days, wanted 14")
        #expect(judged("", days: 14) { $0.certificateDays = 14 }.verdict == .passed)
        #expect(judged("", days: 0) { _ in }.verdict == .passed)
    }
}
