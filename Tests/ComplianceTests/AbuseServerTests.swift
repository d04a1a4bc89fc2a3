import DNSWire
import Foundation
import TestSupport
import Testing

private let zone = """
    $TTL 1h
    @     SOA ns1 hostmaster 1 2h 30m 2w 1m
          NS  ns1
    ns1   A   192.0.2.53
    www   A   192.0.2.1
    long  TXT "\(String(repeating: "x", count: 250))"
          TXT "\(String(repeating: "y", count: 250))"
          TXT "\(String(repeating: "z", count: 250))"

    """

/// The settings against abuse, through a running server.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AbuseSettingsOfAServer {
    private func server(_ arguments: String...) throws -> TestServer {
        try TestServer(zones: [("example.com.zone", zone)], arguments: arguments)
    }

    private func count(_ name: String, _ server: TestServer) throws -> Int? {
        try server.control("status").text.split(separator: "\n")
            .first { $0.hasPrefix(name + " ") }?.split(separator: " ").last.flatMap { Int($0) }
    }

    /// Both workers limit, and the log says once that it begins, and once that it is over.
    @Test func theLogTellsWhatIsLimited() throws {
        let server = try server("--rrl-rate", "1", "--rrl-slip", "1")
        var truncatedCount = 0
        for _ in 0..<40 where server.client.ask("www.example.com")?.isTruncated == true {
            truncatedCount += 1
        }
        #expect(truncatedCount > 0)
        #expect(try count("rate limited", server) == truncatedCount)
        #expect(try count("rate limited, slipped", server) == truncatedCount)
        #expect(server.client.ask("www.example.com", overStream: true)?.answers.count == 1)

        let flow = "client=127.0.0.0/24 answer=answer name=www.example.com."
        #expect(server.process.waitForOutput("info rate-limit: ends \(flow)"))
        let lines = server.process.text.split(separator: "\n").filter { $0.contains("rate-limit") }
        #expect(lines.count == 2)
        #expect(lines.first?.hasSuffix(" warning rate-limit: begins \(flow)") == true)
        #expect(lines.last?.hasSuffix(" dropped=0 slipped=\(truncatedCount)") == true)
    }

    @Test func exemptPrefixesAndPrefixLengths() throws {
        let server = try server(
            "--rrl-rate=1", "--rrl-slip=1", "--rrl-exempt=192.0.2.0/24", "--rrl-exempt=127.0.0.1",
            "--rrl-ipv4-prefix=32", "--rrl-ipv6-prefix=48")
        for _ in 0..<40 { #expect(server.client.ask("www.example.com")?.answers.count == 1) }
        #expect(try count("rate limited", server) == 0)
    }

    @Test func cookiesAreDemanded() throws {
        let server = try server("--cookies", "demand")
        #expect(server.client.ask("www.example.com")?.isTruncated == true)
        let response = try #require(
            server.client.exchange(try Ask.withCookie(Policed.clientCookie).bytes()))
        let learned = try #require(Message(response))
        #expect(learned.responseCode == ResponseCode.badCookie.rawValue)
        let cookie = try #require(learned.option(10))
        let second = try #require(server.client.exchange(try Ask.withCookie(cookie).bytes()))
        #expect(Message(second)?.answers.count == 1)
    }

    @Test func sizesAndAgent() throws {
        let server = try server(
            "--udp-size", "1000", "--udp-size-without-cookie", "600", "--report-agent",
            "errors.example.net")
        #expect(server.client.ask("long.example.com", .txt)?.isTruncated == true)
        let first = try #require(
            server.client.exchange(try Ask.withCookie(Policed.clientCookie).bytes()))
        let cookie = try #require(Message(first)?.option(10))
        #expect(Message(first)?.option(18) == DomainName("errors.example.net")?.wire)
        let long = Ask.withCookie(cookie, name: "long.example.com", type: .txt)
        let second = try #require(server.client.exchange(try long.bytes()))
        #expect(Message(second)?.answers.count == 3)
    }

    @Test func badValuesAreReported() throws {
        for (option, value, expected) in [
            ("rrl-rate", "-1", "expected a number from 0 to 1000000"),
            ("rrl-rate", "many", "expected a number from 0 to 1000000"),
            ("rrl-slip", "1001", "expected a number from 0 to 1000"),
            ("rrl-ipv4-prefix", "0", "expected a number from 1 to 32"),
            ("rrl-ipv6-prefix", "65", "expected a number from 1 to 64"),
            ("rrl-exempt", "192.0.2.1/24", "expected an address or a prefix"),
            ("udp-size", "511", "expected a number from 512 to 4096"),
            ("udp-size-without-cookie", "1233", "expected a number from 512 to 1232"),
            ("cookies", "require", "expected offer or demand"),
            ("report-agent", ".", "expected a domain name"),
            ("report-agent", "a..b", "expected a domain name"),
        ] {
            let (status, text) = try RunningProcess.run(
                Programs.own("geodnsd"), ["--\(option)", value])
            #expect(status == 2)
            #expect(text.contains("--\(option) \(value): \(expected)"), "\(text)")
        }
    }
}
