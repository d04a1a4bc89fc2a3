import Addressing
import DNSWire
import Tables
import Testing

/// The examples of RFC 9018, appendix A.
@Suite struct CookieExamples {
    private static let firstSecret = "e5e973e5a6b2a43f48e7dc849e37bfcf"
    private static let oldSecret = "dd3bdf9344b678b185a6f5cb60fca715"
    private static let newSecret = "445536bcd2513298075a5d379663c962"
    private static let clientA4 = "2001:db8:220:1:59de:d0f4:8769:82b8"

    struct Example: Sendable {
        var section: String
        var secret: String
        var address: String
        var time: UInt32
        /// The whole option that the server sends.
        var cookie: String
    }

    static let made = [
        Example(
            section: "A.1", secret: firstSecret, address: "198.51.100.100", time: 1_559_731_985,
            cookie: "2464c4abcf10c957010000005cf79f111f8130c3eee29480"),
        Example(
            section: "A.2", secret: firstSecret, address: "198.51.100.100", time: 1_559_734_385,
            cookie: "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"),
        Example(
            section: "A.3", secret: firstSecret, address: "203.0.113.203", time: 1_559_734_700,
            cookie: "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"),
        Example(
            section: "A.4", secret: newSecret, address: clientA4, time: 1_559_741_961,
            cookie: "22681ab97d52c298010000005cf7c609a6bb79d16625507a"),
    ]

    @Test(arguments: made) func isMade(_ example: Example) throws {
        let secret = try #require(CookieSecret(example.secret))
        let address = try #require(IPAddress(example.address))
        let bytes = hexadecimal(example.cookie)
        let front = CookieSecrets.front(now: example.time)
        #expect(front == bytes.span.word(at: 8), "\(example.section)")
        let hash = secret.hash(client: bytes.span.word(at: 0), front: front, address: address)
        #expect(hash == bytes.span.word(at: 16), "\(example.section)")
    }

    /// A.2 and A.4 as the client sends them; A.3 has reserved bytes that are not zero.
    @Test(arguments: [
        Example(
            section: "A.2", secret: firstSecret, address: "198.51.100.100", time: 1_559_734_385,
            cookie: "2464c4abcf10c957010000005cf79f111f8130c3eee29480"),
        Example(
            section: "A.3", secret: firstSecret, address: "203.0.113.203", time: 1_559_727_985,
            cookie: "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"),
        Example(
            section: "A.4", secret: oldSecret, address: clientA4, time: 1_559_741_961,
            cookie: "22681ab97d52c298010000005cf7c57926556bd0934c72f8"),
    ]) func isAccepted(_ example: Example) throws {
        let secret = try #require(CookieSecret(example.secret))
        let other = try #require(CookieSecret("00112233445566778899AABBCCDDEEFF"))
        let address = try #require(IPAddress(example.address))
        func isGood(_ secrets: CookieSecrets, _ text: String, from address: IPAddress) -> Bool {
            verdict(secrets, text, from: address, now: example.time) != .bad
        }
        #expect(isGood(CookieSecrets(current: secret), example.cookie, from: address))
        // After a change of secrets it stays good, and is not any more when the old one is gone.
        let changed = CookieSecrets(current: other, previous: secret)
        #expect(isGood(changed, example.cookie, from: address))
        #expect(!isGood(CookieSecrets(current: other), example.cookie, from: address))
        // It is bound to the address, and to every byte.
        let neighbour = try #require(IPAddress("198.51.100.101"))
        #expect(!isGood(CookieSecrets(current: secret), example.cookie, from: neighbour))
        for index in 0..<24 {
            var bytes = hexadecimal(example.cookie)
            bytes[index] ^= 1
            let text = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(!isGood(CookieSecrets(current: secret), text, from: address), "\(index)")
        }
    }

    /// RFC 9018 §4.3: an hour, and five minutes of clocks that differ; after half an hour there is
    /// to be a fresh one. Serial numbers (RFC 1982).
    @Test(arguments: [UInt32(1_559_731_985), UInt32(100), UInt32.max - 100]) func ages(made: UInt32)
        throws
    {
        let secret = try #require(CookieSecret(CookieExamples.firstSecret))
        let other = try #require(CookieSecret(CookieExamples.newSecret))
        let address = try #require(IPAddress("192.0.2.1"))
        let text = cookie(secret, front: CookieSecrets.front(now: made), address)
        for (age, expected) in [
            (0, CookieSecrets.Verdict.fresh), (1800, .fresh), (1801, .good), (3600, .good),
            (3601, .bad), (-1, .good), (-300, .good), (-301, .bad), (1 << 30, .bad),
            (-1 << 30, .bad),
        ] {
            let now = made &+ UInt32(truncatingIfNeeded: age)
            let secrets = CookieSecrets(current: secret)
            #expect(verdict(secrets, text, from: address, now: now) == expected, "\(age)")
            // None that was made with the secret before goes back.
            let changed = CookieSecrets(current: other, previous: secret)
            let later = expected == .fresh ? .good : expected
            #expect(verdict(changed, text, from: address, now: now) == later, "\(age)")
        }
    }

    /// Reserved bytes are to be zero in what is sent (RFC 9018 §4.2).
    @Test func reservedBytesDoNotGoBack() throws {
        let secret = try #require(CookieSecret(CookieExamples.firstSecret))
        let address = try #require(IPAddress("192.0.2.1"))
        let front = CookieSecrets.front(now: 1000)
        for (reserved, expected) in [
            (UInt64(0), CookieSecrets.Verdict.fresh), (0x100, .good), (0x0100_0000, .good),
        ] {
            let text = cookie(secret, front: front | reserved, address)
            let secrets = CookieSecrets(current: secret)
            #expect(verdict(secrets, text, from: address, now: 1000) == expected, "\(reserved)")
        }
    }

    /// Whole, with a client cookie of seven and zeros.
    private func cookie(_ secret: CookieSecret, front: UInt64, _ address: IPAddress) -> String {
        let hash = secret.hash(client: 7, front: front, address: address)
        let bytes = [7, front, hash].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(arguments: [
        "", "e5e973e5a6b2a43f48e7dc849e37bfc", "e5e973e5a6b2a43f48e7dc849e37bfcf0",
        "e5e973e5a6b2a43f48e7dc849e37bfcg", "e5e973e5a6b2a43f 8e7dc849e37bfcf",
    ]) func secretsAre32Digits(text: String) { #expect(CookieSecret(text) == nil) }

    private func verdict(
        _ secrets: CookieSecrets, _ text: String, from address: IPAddress, now: UInt32
    ) -> CookieSecrets.Verdict? {
        // As in a message: something stands before it.
        let message = query(options: option(10, hexadecimal(text)))
        var name = QuestionName()
        var query = Query()
        guard case .query = query.decode(message.span, name: &name), let cookie = query.cookie
        else { return nil }
        return secrets.judge(cookie, in: message.span, from: address, now: now)
    }
}
