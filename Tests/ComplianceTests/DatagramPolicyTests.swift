import Addressing
import DNSWire
import Responder
import TestSupport
import Testing

private var demanding: DatagramPolicy {
    var policy = DatagramPolicy()
    policy.cookies = .demand
    return policy
}

@Suite struct DemandedCookies {
    /// RFC 7873 §5.2.3 and §5.2.4: with a client cookie alone, and with a bad server cookie.
    @Test func aClientCookieIsAnsweredWithAServerCookie() throws {
        var policed = try Policed(policy: demanding)
        for cookie in [
            Policed.clientCookie, Policed.clientCookie + [UInt8](repeating: 9, count: 16),
        ] {
            let refused = try #require(try policed.ask(.withCookie(cookie)))
            #expect(refused.responseCode == ResponseCode.badCookie.rawValue)
            #expect(refused.answers.isEmpty)
            #expect(!refused.isTruncated)
            #expect(!refused.isAuthoritative)
            let learned = try #require(refused.option(10))
            #expect(learned.prefix(8) == Policed.clientCookie[...])
            #expect(learned.count == 24)
            // §5.2.5: the answer.
            let answer = try policed.ask(.withCookie(learned))
            #expect(answer?.responseCode == 0)
            #expect(answer?.answers.count == 1)
        }
        #expect(policed.count("BADCOOKIE") == 2)
    }

    /// RFC 7873 §5.2.1: with no cookie BADCOOKIE would say nothing.
    @Test func withoutACookieTheClientIsSentToTCP() throws {
        var policed = try Policed(policy: demanding)
        for ask in [Ask(name: "www.example.com", type: .a), Ask(type: .soa, edns: .init())] {
            let message = try #require(try policed.ask(ask))
            #expect(message.isTruncated)
            #expect(message.responseCode == 0)
            #expect(message.answers.isEmpty)
            #expect((message.opt != nil) == (ask.edns != nil))
        }
    }

    /// TCP proves the address, too (§5.2.3 for "the authentication provided by the use of TCP").
    @Test func nothingIsDemandedOverTCP() throws {
        var policed = try Policed(policy: demanding)
        #expect(try policed.ask("www.example.com", over: .stream)?.answers.count == 1)
        let ask = Ask.withCookie(Policed.clientCookie + [UInt8](repeating: 9, count: 16))
        let message = try #require(try policed.ask(ask, over: .stream))
        #expect(message.responseCode == 0)
        #expect(message.answers.count == 1)
        #expect(message.option(10)?.count == 24)
    }

    /// What cannot be understood is answered as ever: an error is no longer than the query.
    @Test func errorsStayErrors() throws {
        var policed = try Policed(policy: demanding)
        #expect(try policed.ask(Ask(opcode: 4))?.responseCode == 4)
        #expect(try policed.ask(Ask(edns: .init(version: 1)))?.responseCode == 16)
        var cookie = Ask.withCookie(Policed.clientCookie)
        cookie.hasQuestion = false
        #expect(try policed.ask(cookie)?.responseCode == 0)
    }

    /// The demand is an answer that a forged sender's victim gets, so it is limited as well.
    @Test func demandsAreLimited() throws {
        var limits = RateLimits(rate: 10, key: (1, 2))
        limits.slip = 2
        var policed = try Policed(limits: limits, policy: demanding)
        var truncatedCount = 0
        var badCookieCount = 0
        for _ in 0..<110 where try policed.ask("www.example.com") != nil { truncatedCount += 1 }
        #expect(truncatedCount == 10 + 50)
        for _ in 0..<100 where try policed.ask(.withCookie(Policed.clientCookie)) != nil {
            badCookieCount += 1
        }
        #expect(badCookieCount == 50)
    }
}

@Suite struct ResponseSizes {
    /// 1232 bytes for EDNS, 512 without, as ever.
    @Test func withoutSettings() throws {
        var policed = try Policed()
        let message = try policed.ask(
            Ask(name: "long.example.com", type: .txt, edns: .init(payload: 4096)))
        #expect(message?.answers.count == 3)
        #expect(message?.isTruncated == false)
        #expect(try policed.ask(Ask(name: "long.example.com", type: .txt))?.isTruncated == true)
        let longer = try policed.ask(
            Ask(name: "longer.example.com", type: .txt, edns: .init(payload: 4096)))
        #expect(longer?.isTruncated == true)
    }

    @Test func aLargerSizeIsUsedWhereTheRequestorTakesIt() throws {
        var policy = DatagramPolicy()
        policy.byteCountMax = 4096
        policy.byteCountMaxWithoutCookie = 4096
        var policed = try Policed(policy: policy)
        for (payload, isTruncated) in [(UInt16(4096), false), (1232, true)] {
            let message = try policed.ask(
                Ask(name: "longer.example.com", type: .txt, edns: .init(payload: payload)))
            #expect(message?.isTruncated == isTruncated)
        }
        // What this server takes is another thing.
        #expect(try policed.ask("www.example.com")?.opt?.class == 1232)
    }

    @Test func aSmallerSizeIsKept() throws {
        var policy = DatagramPolicy()
        policy.byteCountMax = 700
        policy.byteCountMaxWithoutCookie = 700
        var policed = try Policed(policy: policy)
        #expect(try policed.ask("long.example.com", .txt)?.isTruncated == true)
        #expect(try policed.ask("long.example.com", .txt, over: .stream)?.answers.count == 3)
    }

    /// A forged sender has no good cookie, and its victim gets no long response.
    @Test func withoutAGoodCookieResponsesAreShort() throws {
        var policy = DatagramPolicy()
        policy.byteCountMaxWithoutCookie = 512
        var policed = try Policed(policy: policy)
        let good = try policed.learnCookie()
        var bad = good
        bad[23] ^= 1
        for (cookie, isTruncated) in [(good, false), (bad, true), (Policed.clientCookie, true)] {
            let message = try policed.ask(.withCookie(cookie, name: "long.example.com", type: .txt))
            #expect(message?.isTruncated == isTruncated)
            #expect(message?.answers.count == (isTruncated ? 0 : 3))
        }
        #expect(try policed.ask("long.example.com", .txt)?.isTruncated == true)
        #expect(try policed.ask("www.example.com")?.answers.count == 1)
        #expect(try policed.ask("long.example.com", .txt, over: .stream)?.answers.count == 3)
    }
}

/// DNS error reporting (RFC 9567): option 18 tells where.
@Suite struct ReportChannels {
    private static let agent: [UInt8] = DomainName("errors.example.org")?.wire ?? []

    @Test func authoritativeAnswersHaveTheAgentDomain() throws {
        var policed = try Policed(reportAgent: "errors.example.org")
        for (name, type) in [
            ("www.example.com", RRType.a), ("www.example.com", .txt), ("none.example.com", .a),
            ("x.any.example.com", .a), ("x.old.example.com", .a), ("example.net", .soa),
        ] {
            for channel in [Channel.datagram, .stream] {
                let message = try policed.ask(name, type, over: channel)
                // The name is not compressed (§5), and there is one option (§6.2).
                #expect(message?.option(18) == ReportChannels.agent, "\(name)")
                #expect(message?.options.count { $0.code == 18 } == 1)
            }
        }
    }

    /// Unasked (§6.2): an option in the query changes nothing.
    @Test func theQueryNeedsNotAsk() throws {
        var policed = try Policed(reportAgent: "errors.example.org")
        let ask = Ask(type: .soa, edns: .init(options: [.init(code: 18, data: [0])]))
        #expect(try policed.ask(ask)?.option(18) == ReportChannels.agent)
    }

    @Test func othersHaveNone() throws {
        var policed = try Policed(reportAgent: "errors.example.org")
        for name in ["www.child.example.com", "www.example.org"] {
            #expect(try policed.ask(name)?.option(18) == nil, "\(name)")
        }
        // Without EDNS there is no place for it.
        #expect(try policed.ask(Ask(type: .soa))?.additionals.isEmpty == true)
        #expect(try policed.ask(Ask(edns: .init(version: 1)))?.option(18) == nil)
        var silent = try Policed()
        #expect(try silent.ask("www.example.com")?.option(18) == nil)
    }

    /// An agent domain must not lie in the zone that is reported on (§8.1).
    @Test(arguments: ["errors.example.com", "a.b.c.example.com", "example.com", "EXAMPLE.com"])
    func notInTheZoneItself(agent: String) throws {
        var policed = try Policed(reportAgent: agent)
        #expect(try policed.ask("www.example.com")?.option(18) == nil)
        #expect(try policed.ask("none.example.com")?.option(18) == nil)
        #expect(try policed.ask("example.net", .soa)?.option(18) == DomainName(agent)?.wire)
    }

    /// Of all that is left out, it is what goes first.
    @Test func itTruncatesNoAnswer() throws {
        let label = String(repeating: "a", count: 60)
        var policed = try Policed(reportAgent: "\(label).\(label).\(label).example.org")
        let ask = Ask(name: "long.example.com", type: .txt, edns: .init(payload: 840))
        let message = try policed.ask(ask)
        #expect(message?.isTruncated == false)
        #expect(message?.answers.count == 3)
        #expect(message?.option(18) == nil)
        #expect(try policed.ask("www.example.com")?.option(18)?.count == 3 * 61 + 13)
    }
}
