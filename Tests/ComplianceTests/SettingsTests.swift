import Configuration
import DNSWire
import Foundation
import TestSupport
import Testing

private let zone = """
    $TTL 1h
    @     SOA ns1 hostmaster 1 2h 30m 2w 1m
          NS  ns1
    ns1   A   192.0.2.53

    """

private func cookie(
    from client: DNSClient, _ data: [UInt8], hasQuestion: Bool = true
) throws -> Message {
    var ask = Ask()
    ask.edns = .init(options: [.init(code: 10, data: data)])
    ask.hasQuestion = hasQuestion
    let response = try #require(client.exchange(try ask.bytes()))
    return try #require(Message(response))
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct Settings {
    private static let secrets = [
        "e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962",
        "00112233445566778899aabbccddeeff",
    ]

    private func text(_ server: TestServer, _ name: String) throws -> String? {
        let ask = Ask(name: name, type: .txt, class: 3)
        let response = try #require(server.client.exchange(try ask.bytes()))
        let message = try #require(Message(response))
        return message.answers.first.map { String(decoding: $0.rdata.dropFirst(), as: UTF8.self) }
    }

    @Test func theServerTellsItsVersionUnlessToldNotTo() throws {
        let open = try TestServer(zones: [("example.com.zone", zone)])
        #expect(try text(open, "version.bind") == "geodns \(Program.version)")
        #expect(try text(open, "id.server") == nil)
        let closed = try TestServer(
            zones: [("example.com.zone", zone)],
            arguments: ["--version-text", "none", "--identity", "one"])
        #expect(try text(closed, "version.bind") == nil)
        #expect(try text(closed, "hostname.bind") == "one")
        let other = try TestServer(
            zones: [("example.com.zone", zone)], arguments: ["--version-text", "a name server"])
        #expect(try text(other, "version.server") == "a name server")
    }

    /// The transport's own timeout, through a running server.
    @Test func theIdleTimeoutIsTheTransports() throws {
        let server = try TestServer(zones: [("example.com.zone", zone)])
        var ask = Ask()
        ask.edns = .init(options: [.init(code: 11)])
        let response = try #require(server.client.exchangeOverStream([try ask.bytes()]).first)
        #expect(try #require(Message(response)).option(11) == [0, 100])
        let patient = try TestServer(
            zones: [("example.com.zone", zone)], arguments: ["--tcp-idle", "60"])
        let other = try #require(patient.client.exchangeOverStream([try ask.bytes()]).first)
        #expect(try #require(Message(other)).option(11) == [0x02, 0x58])
    }

    /// A changed secret takes effect with a reload, and what clients have stays good.
    @Test func secretsRollOver() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("# in use\n\(Settings.secrets[0])\n", to: "secrets")
        let server = try TestServer(
            zones: [("example.com.zone", zone)], arguments: ["--cookie-secret", file])
        let first = try cookie(from: server.client, [1, 2, 3, 4, 5, 6, 7, 8]).option(10) ?? []
        // The clock is the system's.
        let time = first.dropFirst(12).prefix(4).reduce(0) { $0 << 8 | Int($1) }
        #expect(abs(time - Int(Date().timeIntervalSince1970)) < 60)
        func isGood(_ data: [UInt8]) throws -> Bool {
            try cookie(from: server.client, data, hasQuestion: false).responseCode == 0
        }
        #expect(try isGood(first))
        try folder.write("\(Settings.secrets[1])\n\(Settings.secrets[0])\n", to: "secrets")
        #expect(try server.control("reload").status == 0)
        // Each worker takes the new secrets up before its next batch.
        #expect(try isGood(first))
        let second = try cookie(from: server.client, [1, 2, 3, 4, 5, 6, 7, 8]).option(10) ?? []
        #expect(second.suffix(8) != first.suffix(8))
        #expect(try isGood(second))
        // A mistake changes nothing.
        try folder.write("\(Settings.secrets[2])\nnot a secret\n", to: "secrets")
        let (status, text) = try server.control("reload")
        #expect(status != 0)
        #expect(text.contains("secrets:2:1: error: expected a secret of 32 hexadecimal digits"))
        #expect(!text.contains("not a secret"))
        #expect(try isGood(second))
        try folder.write("\(Settings.secrets[1])\n", to: "secrets")
        #expect(try server.control("reload").status == 0)
        #expect(try isGood(second))
        #expect(try !isGood(first))
        let counts = try server.control("status").text
        #expect(counts.contains("BADCOOKIE"))
    }

    /// All workers share the secret that was drawn, and it stays through a reload.
    @Test func theDrawnSecretIsOne() throws {
        let server = try TestServer(zones: [("example.com.zone", zone)])
        let data = try cookie(from: server.client, [8, 7, 6, 5, 4, 3, 2, 1]).option(10) ?? []
        for _ in 0..<20 {
            #expect(
                try cookie(from: server.client, data, hasQuestion: false).responseCode == 0)
        }
        #expect(try server.control("reload").status == 0)
        #expect(try cookie(from: server.client, data, hasQuestion: false).responseCode == 0)
    }

    @Test(arguments: [
        ("", "secrets:1:1: error: no secret"),
        ("# nothing\n\n", "secrets:1:1: error: no secret"),
        ("e5e973e5a6b2a43f48e7dc849e37bf\n", "secrets:1:1: error: expected a secret of 32"),
        ("\n" + secrets[0] + " x\n", "secrets:2:1: error: expected a secret of 32"),
        (secrets.joined(separator: "\n"), "secrets:3:1: error: a third secret"),
    ]) func badSecretFilesAreReported(content: String, expected: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(content, to: "secrets")
        try folder.write(zone, to: "zones/example.com.zone")
        let (status, text) = try RunningProcess.run(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--check",
                "--cookie-secret", file,
            ])
        #expect(status == 1)
        #expect(text.contains(expected), "\(text)")
    }

    /// Who can read the secret can make good cookies.
    @Test func aSecretThatOthersCanReadIsReported() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("e5e973e5a6b2a43f48e7dc849e37bfcf\n", to: "secrets")
        try folder.write(zone, to: "zones/example.com.zone")
        for (mode, isReported) in [(mode_t(0o644), true), (0o640, false), (0o600, false)] {
            #expect(chmod(file, mode) == 0)
            let (status, text) = try RunningProcess.run(
                Programs.own("geodnsd"),
                [
                    "--zones", folder.path + "/zones", "--geo-data", "none", "--check",
                    "--cookie-secret", file,
                ])
            #expect(status == 0)
            #expect(text.contains("secrets:1:1: warning: everybody may read it") == isReported)
        }
    }

    @Test func badOptionsAreReported() throws {
        for (arguments, expected) in [
            (["--identity", ""], "--identity: expected 1 to 255 bytes, got 0"),
            (
                ["--version-text", String(repeating: "v", count: 256)],
                "--version-text: expected 1 to 255 bytes, got 256"
            ),
        ] {
            let (status, text) = try RunningProcess.run(Programs.own("geodnsd"), arguments)
            #expect(status == 2)
            #expect(text.contains(expected), "\(text)")
        }
        let folder = try TemporaryFolder()
        try folder.write(zone, to: "zones/example.com.zone")
        let (status, text) = try RunningProcess.run(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--check",
                "--cookie-secret", folder.path + "/none",
            ])
        #expect(status == 1)
        #expect(text.contains("cannot read \(folder.path)/none: No such file"), "\(text)")
    }
}
