import Addressing
import DNSWire
import Geography
import Health
import Loader
import Responder
import TestSupport
import Testing

/// A responder in this process, with a time of its own.
private struct Asked: ~Copyable {
    var responder: Responder
    var address = IPAddress(ipv4: 0xc633_6464)

    init(
        identity: String? = nil, version: String? = nil, secret: String = Asked.secret,
        previous: String? = nil, idleTimeout: Duration? = nil
    ) throws {
        let (world, problems) = ZoneLoader.load(
            zones: [("example.com", Asked.zone)], source: MemoryLocationSource([]))
        let loaded = try #require(world, "\(problems)")
        let secrets = CookieSecrets(
            current: try #require(CookieSecret(secret)),
            previous: previous.flatMap { CookieSecret($0) })
        let cell = SnapshotCell(
            loaded.snapshot(HealthTable(), probes: []),
            settings: ResponderSettings(
                identity: identity, version: version, cookieSecrets: secrets))
        responder = Responder(cell, seed: 1, streamIdleTimeout: idleTimeout)
    }

    static let secret = "e5e973e5a6b2a43f48e7dc849e37bfcf"

    static let zone = """
        $TTL 1h
        @     SOA ns1 hostmaster 1 2h 30m 2w 1m
              NS  ns1
        ns1   A   192.0.2.53

        """ + (0...255).map { "t\($0) TXT \"\(String(repeating: "x", count: $0))\"\n" }.joined()

    mutating func ask(
        _ ask: Ask, over channel: Channel = .datagram, at time: UInt32 = 1_559_731_985
    ) throws -> (message: Message, byteCount: Int) {
        let query = try ask.bytes()
        var bytes = [UInt8](repeating: 0xee, count: Responder.streamByteCountMax)
        var span = bytes.mutableSpan
        responder.setTime(time, monotonic: MonotonicTime(nanoseconds: 0))
        let count = responder.respond(to: query.span, from: address, over: channel, into: &span)
        return (try #require(Message(Array(bytes[..<count]))), count)
    }
}

private func ask(options: [Ask.Option], payload: UInt16 = 1232) -> Ask {
    var ask = Ask()
    ask.edns = .init(payload: payload, options: options)
    return ask
}

@Suite struct Cookies {
    /// RFC 9018, A.1, A.2: the whole exchange.
    @Test func aClientLearnsACookieAndRenewsIt() throws {
        var asked = try Asked()
        let first = hexadecimal("2464c4abcf10c957")
        let learned = try asked.ask(ask(options: [.init(code: 10, data: first)])).message
        #expect(
            learned.option(10) == hexadecimal("2464c4abcf10c957010000005cf79f111f8130c3eee29480"))
        // RFC 9018 §4.3: for half an hour it may stay.
        let kept = try asked.ask(
            ask(options: [.init(code: 10, data: learned.option(10) ?? [])]), at: 1_559_733_785
        ).message
        #expect(kept.option(10) == learned.option(10))
        let renewed = try asked.ask(
            ask(options: [.init(code: 10, data: learned.option(10) ?? [])]), at: 1_559_734_385
        ).message
        #expect(
            renewed.option(10) == hexadecimal("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"))
        #expect(renewed.responseCode == 0)
        #expect(renewed.answers.count == 1)
    }

    /// No policy asks for good cookies: a bad one is answered, with a fresh one.
    @Test func aBadCookieIsAnsweredToo() throws {
        var asked = try Asked()
        for serverCookie in [
            [UInt8](repeating: 7, count: 16), [UInt8](repeating: 7, count: 8),
            [UInt8](repeating: 7, count: 32),
        ] {
            let client = hexadecimal("2464c4abcf10c957")
            let message = try asked.ask(
                ask(options: [.init(code: 10, data: client + serverCookie)])
            ).message
            #expect(message.responseCode == 0)
            #expect(message.answers.count == 1)
            #expect(
                message.option(10)
                    == hexadecimal("2464c4abcf10c957010000005cf79f111f8130c3eee29480"))
        }
    }

    /// RFC 7873 §5.4: a query without a question asks whether a cookie is good.
    @Test func cookiesAreCheckedOnRequest() throws {
        let learned = hexadecimal("2464c4abcf10c957010000005cf79f111f8130c3eee29480")
        var asking = ask(options: [.init(code: 10, data: learned)])
        asking.hasQuestion = false
        var asked = try Asked()
        #expect(try asked.ask(asking).message.responseCode == 0)
        #expect(try asked.ask(asking, at: 1_559_731_985 + 3600).message.responseCode == 0)
        let late = try asked.ask(asking, at: 1_559_731_985 + 3601).message
        #expect(late.responseCode == ResponseCode.badCookie.rawValue)
        #expect(late.option(10)?.count == 24)
        #expect(late.question == nil)
        // From another address.
        asked.address = IPAddress(ipv4: 0xc633_6465)
        #expect(try asked.ask(asking).message.responseCode == 23)
        // With another secret, and with this one as the secret before.
        let other = "445536bcd2513298075a5d379663c962"
        var changed = try Asked(secret: other, previous: Asked.secret)
        #expect(try changed.ask(asking).message.responseCode == 0)
        #expect(try changed.ask(asking).message.option(10) != learned)
        var foreign = try Asked(secret: other)
        #expect(try foreign.ask(asking).message.responseCode == 23)
    }

    /// Every response to a cookie has one: also where something else is wrong.
    @Test func refusalsHaveCookies() throws {
        var asked = try Asked()
        var asking = ask(options: [.init(code: 10, data: [UInt8](repeating: 1, count: 8))])
        asking.name = "example.org"
        let refused = try asked.ask(asking).message
        #expect(refused.responseCode == 5)
        #expect(refused.option(10)?.count == 24)
        #expect(refused.option(15) == [0, 20])
        asking.opcode = 5
        let notImplemented = try asked.ask(asking).message
        #expect(notImplemented.responseCode == 4)
        #expect(notImplemented.option(10)?.count == 24)
        #expect(notImplemented.option(15) == [0, 21])
    }
}

@Suite struct Options {
    @Test func theIdentityIsToldWhenAsked() throws {
        var asked = try Asked(identity: "fra-1")
        let nsid = Ask.Option(code: 3)
        #expect(try asked.ask(ask(options: [nsid])).message.option(3) == Array("fra-1".utf8))
        #expect(try asked.ask(ask(options: [])).message.option(3) == nil)
        var silent = try Asked()
        #expect(try silent.ask(ask(options: [nsid])).message.options == [])
    }

    /// RFC 7828: over TCP, in units of 100 ms, and only when asked.
    @Test func theIdleTimeoutIsToldOverStreams() throws {
        let keepalive = Ask.Option(code: 11)
        var asked = try Asked(idleTimeout: .milliseconds(15_000))
        let told = try asked.ask(ask(options: [keepalive]), over: .stream).message
        #expect(told.option(11) == [0, 150])
        #expect(try asked.ask(ask(options: []), over: .stream).message.option(11) == nil)
        #expect(try asked.ask(ask(options: [keepalive])).message.option(11) == nil)
        var long = try Asked(idleTimeout: .seconds(100_000))
        #expect(
            try long.ask(ask(options: [keepalive]), over: .stream).message.option(11)
                == [0xff, 0xff])
        var unknown = try Asked()
        #expect(
            try unknown.ask(ask(options: [keepalive]), over: .stream).message.options == [])
    }

    /// RFC 7830 §3: padding is for encrypted transports.
    @Test(arguments: [Channel.datagram, .stream]) func nothingIsPadded(channel: Channel) throws {
        var asked = try Asked()
        let plain = try asked.ask(ask(options: []), over: channel)
        let padded = try asked.ask(
            ask(options: [.init(code: 12, data: [UInt8](repeating: 0, count: 100))]), over: channel)
        #expect(padded.byteCount == plain.byteCount)
        #expect(padded.message.options == [])
    }

    /// An answer is never truncated to make room for what may be left out: with every length of
    /// answer around the limit, the options give way, the least important first.
    @Test func answersComeBeforeOptions() throws {
        var asked = try Asked(
            identity: String(repeating: "i", count: 200), idleTimeout: .seconds(15))
        var dropped = 0
        var kept = 0
        for length in 0...255 {
            // TXT of up to 255 bytes, and 512 to put it in.
            var asking = ask(
                options: [.init(code: 3), .init(code: 10, data: [1, 2, 3, 4, 5, 6, 7, 8])],
                payload: 512)
            asking.name = "t\(length).example.com"
            asking.type = .txt
            let (message, byteCount) = try asked.ask(asking)
            #expect(byteCount <= 512)
            #expect(!message.isTruncated, "\(length)")
            #expect(message.answers.count == 1, "\(length)")
            #expect(message.option(10)?.count == 24, "\(length)")
            if message.option(3) == nil { dropped += 1 } else { kept += 1 }
        }
        #expect(dropped > 0 && kept > 0)
    }

    /// RFC 8914: only in the OPT record, so only with EDNS.
    @Test func reasonsNeedEDNS() throws {
        var asked = try Asked()
        var asking = Ask()
        asking.name = "example.org"
        #expect(try asked.ask(asking).message.additionals.isEmpty)
        asking.edns = .init()
        #expect(try asked.ask(asking).message.option(15) == [0, 20])
        // Zone transfers are no service of this server; neither are questions of their kind.
        asking.name = "example.com"
        for type: UInt16 in [251, 252, 253, 254, 249, 250] {
            asking.type = RRType(rawValue: type)
            let message = try asked.ask(asking, over: .stream).message
            #expect(message.responseCode == ResponseCode.refused.rawValue)
            #expect(message.option(15) == [0, 21])
        }
    }
}

@Suite struct Classes {
    private static let chaos: UInt16 = 3

    private func text(_ message: Message) -> String? {
        guard let record = message.answers.first, record.class == Classes.chaos,
            record.type == .txt, record.ttl == 0,
            record.rdata.first == UInt8(record.rdata.count - 1)
        else { return nil }
        return String(decoding: record.rdata.dropFirst(), as: UTF8.self)
    }

    @Test(arguments: [
        ("id.server", "fra-1"), ("hostname.bind", "fra-1"), ("HOSTNAME.Bind", "fra-1"),
        ("version.server", "1.2 (test)"), ("VERSION.BIND", "1.2 (test)"),
    ]) func serversSpeakOfThemselves(name: String, expected: String) throws {
        var asked = try Asked(identity: "fra-1", version: "1.2 (test)")
        var asking = Ask(name: name, type: .txt, class: Classes.chaos)
        let message = try asked.ask(asking).message
        #expect(message.responseCode == 0)
        #expect(!message.isAuthoritative)
        #expect(message.answers.count == 1)
        #expect(message.answers.first?.owner == DomainName(name))
        #expect(text(message) == expected)
        // The same name in class IN is a name outside every zone, and has no address in CH.
        asking.class = 1
        #expect(try asked.ask(asking).message.responseCode == 5)
        asking.class = Classes.chaos
        asking.type = .a
        #expect(try asked.ask(asking).message.responseCode == 5)
    }

    @Test(arguments: ["id.server", "version.bind", "authors.bind", "example.com", ".", "bind"])
    func whatIsNotToldIsRefused(name: String) throws {
        var asked = try Asked()
        let message = try asked.ask(Ask(name: name, type: .txt, class: Classes.chaos)).message
        #expect(message.responseCode == ResponseCode.refused.rawValue)
        #expect(message.answers.isEmpty)
    }

    /// HS, NONE, a class nobody knows, and those of DNS messages' inner workings.
    @Test(arguments: [UInt16(0), 2, 4, 254, 65280, 65535])
    func otherClassesAreRefused(number: UInt16) throws {
        var asked = try Asked()
        var asking = Ask(class: number)
        asking.edns = .init()
        let message = try asked.ask(asking).message
        #expect(message.responseCode == ResponseCode.refused.rawValue)
        #expect(message.option(15) == [0, 20])
    }

    /// RFC 1034 §3.7.1: QCLASS * is answered, and never with authority.
    @Test func anyClass() throws {
        var asked = try Asked()
        let message = try asked.ask(Ask(class: 255)).message
        #expect(message.responseCode == 0)
        #expect(message.answers.map(\.class) == [1])
        #expect(!message.isAuthoritative)
    }
}

func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}
