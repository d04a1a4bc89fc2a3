import DNSWire
import TestSupport
import Testing

/// Servers of different make behind one address, with one secret (RFC 9018 §1, §5): a cookie that
/// one of them made is good to the others.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CookiesOfOthers {
    private static let secret = "e5e973e5a6b2a43f48e7dc849e37bfcf"
    private static let zone = """
        $TTL 3600
        @     SOA ns1 hostmaster 1 7200 1800 1209600 60
              NS  ns1
        ns1   A   192.0.2.53

        """

    @Test(.enabled(if: Programs.find("named") != nil, "install bind9")) func bind() throws {
        let folder = try TemporaryFolder()
        let zone = try folder.write(CookiesOfOthers.zone, to: "example.com.zone")
        try compare(folder, readyWhen: " running\n") { port in
            let file = try folder.write(
                """
                options {
                  directory "\(folder.path)"; pid-file none; session-keyfile none;
                  listen-on port \(port) { 127.0.0.1; }; listen-on-v6 { none; };
                  recursion no; notify no;
                  cookie-algorithm siphash24; cookie-secret "\(CookiesOfOthers.secret)";
                  require-server-cookie yes;
                };
                controls { };
                zone "example.com" { type primary; file "\(zone)"; };
                """, to: "named.conf")
            return try RunningProcess(
                try #require(Programs.find("named")), ["-4", "-g", "-n", "1", "-c", file])
        }
    }

    @Test(.enabled(if: Programs.find("knotd") != nil, "install knot")) func knot() throws {
        let folder = try TemporaryFolder()
        let zone = try folder.write(CookiesOfOthers.zone, to: "example.com.zone")
        try compare(folder, readyWhen: "server started") { port in
            let file = try folder.write(
                """
                server:
                    rundir: "\(folder.path)"
                    listen: 127.0.0.1@\(port)
                log:
                  - target: stderr
                    any: info
                database:
                    storage: "\(folder.path)"
                mod-cookies:
                  - id: shared
                    secret: 0x\(CookiesOfOthers.secret)
                    badcookie-slip: 1
                template:
                  - id: default
                    global-module: mod-cookies/shared
                zone:
                  - domain: example.com
                    file: "\(zone)"

                """, to: "knot.conf")
            return try RunningProcess(try #require(Programs.find("knotd")), ["-c", file])
        }
    }

    /// Both ways: theirs to us, ours to them. They answer BADCOOKIE to what they do not know.
    private func compare(
        _ folder: TemporaryFolder, readyWhen word: String,
        start: (UInt16) throws -> RunningProcess
    ) throws {
        let port = freePort(on: "127.0.0.1")
        let process = try start(port)
        defer { process.stop() }
        try #require(process.waitForOutput(word), "\(process.text)")
        let theirs = DNSClient(port: port)
        let secrets = try folder.write(CookiesOfOthers.secret, to: "secrets")
        let server = try TestServer(
            zones: [("example.com.zone", CookiesOfOthers.zone)],
            arguments: ["--cookie-secret", secrets])
        let client: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

        let madeByThem = try #require(try ask(theirs, client).option(10))
        #expect(madeByThem.count == 24)
        #expect(madeByThem.prefix(8) == client[...])
        #expect(try ask(server.client, madeByThem, hasQuestion: false).responseCode == 0)

        let madeByUs = try #require(try ask(server.client, client).option(10))
        let answer = try ask(theirs, madeByUs)
        #expect(answer.responseCode == 0)
        #expect(answer.answers.contains { $0.type == .soa })

        // Both would say so if it were another's.
        var foreign = madeByUs
        foreign[23] ^= 1
        let badCookie = ResponseCode.badCookie.rawValue
        #expect(try ask(theirs, foreign).responseCode == badCookie)
        #expect(try ask(server.client, foreign, hasQuestion: false).responseCode == badCookie)

        // Asked to demand good cookies, as they are, this server says what they say.
        let demanding = try TestServer(
            zones: [("example.com.zone", CookiesOfOthers.zone)],
            arguments: ["--cookie-secret", secrets, "--cookies", "demand"])
        for cookie in [client, foreign, client + foreign.suffix(8), madeByThem, madeByUs] {
            for overStream in [false, true] {
                let expected = try ask(theirs, cookie, overStream: overStream)
                let found = try ask(demanding.client, cookie, overStream: overStream)
                let isGood = overStream || [madeByThem, madeByUs].contains(cookie)
                #expect(found.responseCode == (isGood ? 0 : badCookie))
                #expect(found.responseCode == expected.responseCode)
                #expect(found.answers == expected.answers)
                #expect(found.isTruncated == expected.isTruncated)
                #expect(found.option(10)?.count == expected.option(10)?.count)
            }
        }
    }

    private func ask(
        _ client: DNSClient, _ cookie: [UInt8], hasQuestion: Bool = true,
        overStream: Bool = false
    ) throws -> Message {
        var ask = Ask()
        ask.edns = .init(options: [.init(code: 10, data: cookie)])
        ask.hasQuestion = hasQuestion
        let query = try ask.bytes()
        let response = try #require(
            overStream
                ? client.exchangeOverStream([query]).first : client.exchange(query, seconds: 5))
        return try #require(Message(response))
    }
}
