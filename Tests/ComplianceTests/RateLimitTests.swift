import Addressing
import DNSWire
import Responder
import TestSupport
import Testing

private func limits(_ rate: Int, slip: Int = 0) -> RateLimits {
    var limits = RateLimits(rate: rate, key: (1, 2))
    limits.slip = slip
    return limits
}

/// How many of `count` queries are answered with records.
private func answered(
    _ policed: inout Policed, _ count: Int, _ name: (Int) -> String, _ type: RRType = .a
) throws -> Int {
    var answeredCount = 0
    for number in 0..<count where try policed.ask(name(number), type) != nil { answeredCount += 1 }
    return answeredCount
}

@Suite struct TokenBuckets {
    @Test func withoutALimitEveryQueryIsAnswered() throws {
        var policed = try Policed()
        #expect(try answered(&policed, 10_000) { _ in "www.example.com" } == 10_000)
        #expect(policed.count("rate limited") == 0)
    }

    /// A full bucket at first, then as many as tokens come.
    @Test func theRateIsKept() throws {
        var policed = try Policed(limits: limits(10))
        #expect(try answered(&policed, 100) { _ in "www.example.com" } == 10)
        policed.now = 99
        #expect(try answered(&policed, 100) { _ in "www.example.com" } == 0)
        policed.now = 100
        #expect(try answered(&policed, 100) { _ in "www.example.com" } == 1)
        policed.now = 500
        #expect(try answered(&policed, 100) { _ in "www.example.com" } == 4)
        // It never holds more than a second's worth.
        policed.now = 1_000_000
        #expect(try answered(&policed, 100) { _ in "www.example.com" } == 10)
        #expect(policed.count("rate limited") == 475)
        #expect(policed.count("queries") == 500)
        #expect(policed.count("NOERROR") == 25)
    }

    /// What a flood takes in a minute, with a burst at its start.
    @Test func aFloodGetsTheRateAndNoMore() throws {
        var policed = try Policed(limits: limits(100))
        var answeredCount = 0
        for millisecond in 0..<60_000 {
            policed.now = Int64(millisecond)
            if try policed.ask("www.example.com") != nil { answeredCount += 1 }
        }
        #expect((6000...6100).contains(answeredCount), "\(answeredCount)")
    }

    /// The rate of the server is divided among its workers, a second's worth is not.
    @Test func workersShareTheRate() throws {
        var policed = try Policed(limits: limits(100), workerCount: 4)
        #expect(try answered(&policed, 1000) { _ in "www.example.com" } == 100)
        policed.now = 1000
        #expect(try answered(&policed, 1000) { _ in "www.example.com" } == 25)
    }

    @Test func clientsAreToldApartByPrefix() throws {
        var policed = try Policed(limits: limits(10))
        func from(_ text: String) throws -> Int {
            policed.client = try #require(IPAddress(text))
            return try answered(&policed, 20) { _ in "www.example.com" }
        }
        #expect(try from("198.51.100.100") == 10)
        #expect(try from("198.51.100.255") == 0)
        #expect(try from("198.51.101.0") == 10)
        #expect(try from("2001:db8:0:100::1") == 10)
        #expect(try from("2001:db8:0:1ff::1") == 0)
        #expect(try from("2001:db8:0:200::1") == 10)
        // The same bits in the other family.
        #expect(try from("c633:6400::") == 10)

        var wide = limits(10)
        wide.ipv4PrefixLength = 16
        wide.ipv6PrefixLength = 32
        policed = try Policed(limits: wide)
        #expect(try from("198.51.100.100") == 10)
        #expect(try from("198.51.7.1") == 0)
        #expect(try from("2001:db8::1") == 10)
        #expect(try from("2001:db8:ffff::1") == 0)
        var narrow = limits(10)
        narrow.ipv4PrefixLength = 32
        narrow.ipv6PrefixLength = 64
        policed = try Policed(limits: narrow)
        #expect(try from("198.51.100.100") == 10)
        #expect(try from("198.51.100.101") == 10)
        #expect(try from("2001:db8::1") == 10)
        #expect(try from("2001:db8::2") == 0)
        #expect(try from("2001:db8:0:1::1") == 10)
    }

    /// Each kind of answer has a bucket, and where ever new names get one kind, it is one.
    @Test func kindsOfAnswers() throws {
        var policed = try Policed(limits: limits(10))
        func count(_ type: RRType = .a, _ name: (Int) -> String) throws -> Int {
            try answered(&policed, 50, name, type)
        }
        // Names that exist: each for itself, in any case, whatever type.
        #expect(try count { _ in "www.example.com" } == 10)
        #expect(try count { $0 % 2 == 0 ? "WWW.example.com" : "www.EXAMPLE.com" } == 0)
        #expect(try count(.any) { _ in "www.example.com" } == 0)
        #expect(try count { _ in "mail.example.com" } == 10)
        #expect(try count { _ in "alias.example.com" } == 10)
        // No data is another kind, and every type of it the same.
        #expect(try count(.txt) { _ in "www.example.com" } == 10)
        #expect(try count(.mx) { _ in "www.example.com" } == 0)
        // A wildcard, a DNAME, a delegation: one for all the names they stand for.
        #expect(try count { "n\($0).any.example.com" } == 10)
        #expect(try count { "n\($0).old.example.com" } == 10)
        #expect(try count { "n\($0).child.example.com" } == 10)
        // Names that do not exist: one for a zone.
        #expect(try count { "n\($0).example.com" } == 10)
        #expect(try count { "n\($0).example.net" } == 10)
        // Refusals and errors: one for all.
        #expect(try count { "n\($0).example.org" } == 10)
        #expect(try count(RRType(rawValue: 252)) { "n\($0).example.com" } == 0)
        #expect(try policed.ask(Ask(opcode: 4)) == nil)
    }

    @Test func exemptClientsHaveNoLimit() throws {
        var limits = limits(10)
        limits.exempt = ["198.51.100.53", "2001:db8::/32"].compactMap { Prefix($0) }
        var policed = try Policed(limits: limits)
        for (text, expected) in [
            ("198.51.100.100", 10), ("198.51.100.53", 1000), ("198.51.100.100", 0),
            ("2001:db8:1::1", 1000), ("2001:db9::1", 10),
        ] {
            policed.client = try #require(IPAddress(text))
            #expect(try answered(&policed, 1000) { _ in "www.example.com" } == expected)
        }
    }

    @Test func tcpHasNoLimit() throws {
        var policed = try Policed(limits: limits(1))
        for _ in 0..<100 {
            #expect(try policed.ask("www.example.com", over: .stream)?.answers.count == 1)
        }
        #expect(try policed.ask("www.example.com")?.answers.count == 1)
        #expect(try policed.ask("www.example.com") == nil)
    }

    /// Far more clients than buckets: the busy one is still limited, and nobody else is.
    @Test func manyClientsDoNotDriveOutABusyOne() throws {
        var policed = try Policed(limits: limits(100))
        let busy = policed.client
        #expect(try answered(&policed, 200) { _ in "www.example.com" } == 100)
        var busyCount = 0
        for number in 0..<70_000 {
            // 200,000 queries a second; 65,536 buckets, each in use for 10 ms after a response.
            policed.now = Int64(number / 200)
            policed.client = IPAddress(ipv4: 0x0a00_0000 + UInt32(number) << 8)
            #expect(try policed.ask("www.example.com") != nil)
            if number % 100 == 0 {
                policed.client = busy
                if try policed.ask("www.example.com") != nil { busyCount += 1 }
            }
        }
        #expect((34...36).contains(busyCount), "\(busyCount)")
    }
}

@Suite struct LimitedResponses {
    /// Every Nth response held back goes out, truncated and empty.
    @Test(arguments: [(1, 60), (2, 30), (3, 20), (10, 6), (0, 0)])
    func someSlipThrough(slip: Int, expected: Int) throws {
        var policed = try Policed(limits: limits(10, slip: slip))
        _ = try answered(&policed, 10) { _ in "www.example.com" }
        var slipped: [Message] = []
        for _ in 0..<60 {
            if let message = try policed.ask("www.example.com") { slipped.append(message) }
        }
        #expect(slipped.count == expected)
        for message in slipped {
            #expect(message.isTruncated)
            #expect(message.responseCode == 0)
            #expect(message.question?.name == DomainName("www.example.com"))
            #expect(message.answers.isEmpty && message.authorities.isEmpty)
            #expect(message.opt != nil)
        }
        #expect(policed.count("rate limited") == 60)
        #expect(policed.count("rate limited, slipped") == UInt64(expected))
    }

    /// Without EDNS a limited response is header and question.
    @Test func aSlippedResponseIsNoLongerThanTheQuery() throws {
        var policed = try Policed(limits: limits(1, slip: 1))
        var message: Message?
        for _ in 0..<2 { message = try policed.ask(Ask(name: "long.example.com", type: .txt)) }
        #expect(message?.isTruncated == true)
        #expect(message?.additionals.isEmpty == true)
    }

    /// Names that do not exist: no word of that.
    @Test func aTruncatedResponseSaysNothingOfTheName() throws {
        var policed = try Policed(limits: limits(1, slip: 1))
        #expect(try policed.ask("none.example.com")?.responseCode == 3)
        let second = try policed.ask("none2.example.com")
        #expect(second?.responseCode == 0)
        #expect(second?.isTruncated == true)
        #expect(second?.isAuthoritative == false)
    }

    /// A truncated error would be as long as the error.
    @Test func errorsDoNotSlip() throws {
        var policed = try Policed(limits: limits(10, slip: 1))
        #expect(try answered(&policed, 100) { _ in "www.example.org" } == 10)
    }

    @Test func aGoodCookieHasNoLimit() throws {
        var policed = try Policed(limits: limits(1, slip: 1))
        let cookie = try policed.learnCookie()
        for _ in 0..<100 {
            #expect(try policed.ask(.withCookie(cookie))?.answers.count == 1)
        }
        // It belongs to its address.
        policed.client = IPAddress(ipv4: 0xc633_6465)
        #expect(try policed.ask(.withCookie(cookie))?.answers.count == 1)
        #expect(try policed.ask(.withCookie(cookie))?.responseCode == 23)
    }

    /// A client with a cookie learns the server's instead of coming over TCP, also where nothing
    /// else slips, and also for what would be an error; and is not limited from then on.
    @Test(arguments: [(1, 20), (2, 10), (0, 10), (5, 4)])
    func aClientCookieIsAnsweredWithAServerCookie(slip: Int, expected: Int) throws {
        for name in ["www.example.com", "www.example.org"] {
            var policed = try Policed(limits: limits(1, slip: slip))
            #expect(try policed.ask(.withCookie(Policed.clientCookie, name: name)) != nil)
            var learned: [[UInt8]] = []
            for _ in 0..<20 {
                guard let message = try policed.ask(.withCookie(Policed.clientCookie, name: name))
                else { continue }
                #expect(message.responseCode == ResponseCode.badCookie.rawValue)
                #expect(!message.isTruncated)
                #expect(message.answers.isEmpty && message.authorities.isEmpty)
                learned.append(try #require(message.option(10)))
            }
            #expect(learned.count == expected)
            let good = try policed.ask(.withCookie(try #require(learned.first)))
            #expect(good?.answers.count == 1)
        }
    }
}

@Suite struct LimitsInTheLog {
    /// Once when it begins, once when nothing was held back for five seconds.
    @Test func beginAndEndAreToldOnce() throws {
        var policed = try Policed(limits: limits(10, slip: 2))
        _ = try answered(&policed, 10) { _ in "www.example.com" }
        #expect(policed.events().isEmpty)
        _ = try answered(&policed, 100) { _ in "www.example.com" }
        let begun = policed.events()
        #expect(begun.count == 1)
        #expect(begun[0].flow.prefix == Prefix("198.51.100.0/24"))
        #expect(begun[0].flow.kind == .answer)
        #expect(begun[0].flow.name == DomainName("www.example.com"))
        #expect(begun[0].held == nil)
        for second in 1...10 {
            policed.now = Int64(second * 1000)
            _ = try answered(&policed, 20) { _ in "www.example.com" }
            #expect(policed.events().isEmpty)
        }
        policed.now += 4999
        #expect(policed.events().isEmpty)
        policed.now += 1
        let ended = policed.events()
        #expect(ended.count == 1)
        #expect(ended[0].flow == begun[0].flow)
        #expect(ended[0].held?.droppedCount == 100)
        #expect(ended[0].held?.slippedCount == 100)
        #expect(policed.events().isEmpty)
        // And it may begin again.
        _ = try answered(&policed, 100) { _ in "www.example.com" }
        #expect(policed.events().count == 1)
    }

    @Test func namesAreThoseThatAreCounted() throws {
        var policed = try Policed(limits: limits(1))
        for (name, type) in [
            ("x.any.example.com", RRType.a), ("x.old.example.com", .a), ("none.example.com", .a),
            ("www.child.example.com", .a), ("www.example.com", .txt), ("www.example.org", .a),
        ] {
            _ = try answered(&policed, 2, { _ in name }, type)
        }
        let told = policed.events().map { event in
            "\(event.flow.kind.name) \(event.flow.name.map { "\($0)" } ?? "-")"
        }
        #expect(
            told == [
                "answer *.any.example.com.", "answer old.example.com.", "nxdomain example.com.",
                "referral child.example.com.", "nodata www.example.com.", "error -",
            ])
    }

    /// An attack on everybody makes no more lines than this.
    @Test func linesAreBounded() throws {
        var policed = try Policed(limits: limits(1))
        for number in 0..<1000 {
            policed.client = IPAddress(ipv4: 0x0a00_0000 + UInt32(number) << 8)
            for _ in 0..<3 { _ = try policed.ask("www.example.com") }
        }
        #expect(policed.events().count == 64)
        // Two for each client that is not told of.
        for _ in 0..<2 {
            for number in 0..<1000 {
                policed.client = IPAddress(ipv4: 0x0a00_0000 + UInt32(number) << 8)
                _ = try policed.ask("www.example.com")
            }
        }
        #expect(policed.untoldCount == 2 * 936)
        policed.now = 6000
        #expect(policed.events().count == 64)
    }
}
