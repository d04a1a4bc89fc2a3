import Foundation
import TestSupport
import Testing

/// `geodns-check --state DIR`: the answers of now, by what a server has kept.
@Suite struct KeptStates {
    private let folder: TemporaryFolder
    private let iad: ScriptedDoor
    private let fra: ScriptedDoor

    init() throws {
        folder = try TemporaryFolder()
        iad = try ScriptedDoor("127.0.6.1", .answer(status: 500))
        fra = try ScriptedDoor("127.0.6.2")
        try folder.write(try smallDatabase(), to: "world.mmdb")
        try folder.write(zone, to: "zones/example.com.zone")
    }

    private var zone: String {
        zoneHead + """
            iad    CHECK  http / port=\(iad.port) every=60s fast=60s timeout=60s fall=1
                   REGION 38.95 -77.45
                   A 127.0.6.1
            fra    CHECK  http / port=\(fra.port) every=60s fast=60s timeout=60s
                   REGION 50.03 8.57
                   A 127.0.6.2
            nrt    REGION 35.76 140.39
                   A 127.0.6.3
            app    30/5 GEO nearest iad fra nrt
            first  30/5 GEO failover iad fra nrt hold=1h
            shares GEO weighted fra:1 nrt:1
            split  GEO weighted fra:50 nrt:50 by=client

            """
    }

    private func check(_ words: [String]) throws -> (status: Int32?, text: String) {
        try RunningProcess.run(
            Programs.own("geodns-check"),
            [
                "--zones", folder.path + "/zones", "--geo-data", folder.path + "/world.mmdb",
                "--state", folder.path + "/state",
            ] + words)
    }

    private func now(_ seconds: Double = 0) -> String {
        Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
    }

    private static let everyone = [
        "192.0.2.1", "198.51.100.1", "203.0.113.1", "8.8.8.8", "2001:db8:2::1",
    ].flatMap { ["--from", $0] }
    private static let names = ["app", "first", "shares", "split"].map { $0 + ".example.com" }

    /// A server with a dead front door, and orders of every kind, answers what is told here.
    @Test func theAnswersAreThoseOfTheServerNow() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/state", withIntermediateDirectories: true)
        let server = try TestServer(
            zones: [("example.com.zone", zone)], geoData: folder.path + "/world.mmdb",
            arguments: ["--state", folder.path + "/state"])
        let compare =
            ["--server", "127.0.0.1@\(server.port)"] + KeptStates.everyone + KeptStates.names
        func expectTheSame(_ after: String) throws {
            #expect(
                eventually {
                    (try? String(contentsOfFile: folder.path + "/state/health", encoding: .utf8))?
                        .contains("probe 127.0.6.1 down ") == true
                })
            let (status, text) = try check(compare)
            #expect(status == 0, "\(after)\n\(text)")
        }
        try expectTheSame("only health")
        let orders = [
            ["drain", "fra", "--for", "2h", "--reason", "kernel update"],
            ["set", "split", "fra:0", "nrt:100"], ["up", "iad", "--client", "net=192.0.2.0/24"],
            ["down", "nrt", "--client", "country=JP"], ["clear", "fra"],
            ["shift", "shares", "fra->nrt", "50%/1h"],
        ]
        for order in orders {
            let told = try RunningProcess.run(
                Programs.own("geodnsctl"), ["--control", server.controlPath] + order)
            #expect(told.status == 0, "\(told.text)")
            try expectTheSame(order.joined(separator: " "))
        }
        // What is not looked at is seen: without the folder everything is up.
        let unknowing = try RunningProcess.run(
            Programs.own("geodns-check"),
            ["--zones", folder.path + "/zones", "--geo-data", folder.path + "/world.mmdb"]
                + compare)
        #expect(unknowing.status == 1)
    }

    /// Since when, by which result, by whose order.
    @Test func theAccountTellsWhy() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/state", withIntermediateDirectories: true)
        let server = try TestServer(
            zones: [("example.com.zone", zone)], geoData: folder.path + "/world.mmdb",
            arguments: ["--state", folder.path + "/state"])
        #expect(try server.control("drain", "nrt", "--reason", "new racks").status == 0)
        #expect(server.process.stop() == 0)
        let time = #"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"#
        let (status, text) = try check(["--from", "192.0.2.1", "app.example.com"])
        #expect(status == 0)
        for line in [
            #"    1\. iad  \d+ km  down \(since "# + time
                + #": status 500, expected 200-299\)"#,
            #"    2\. fra  \d+ km  up \(since "# + time + #"\)  <- chosen"#,
            #"    3\. nrt  \d+ km  drain \(ordered drain by \S+ since "# + time
                + #": new racks\)"#,
        ] {
            let pattern = try Regex(line)
            #expect(text.contains(pattern), "\(line)\n\(text)")
        }
        // What is supposed holds in spite of an order.
        let supposed = try check([
            "--from", "192.0.2.1", "--down", "fra", "--down", "nrt", "app.example.com",
        ])
        #expect(supposed.text.contains("nothing is up"))
    }

    @Test func holdsAreKept() throws {
        try folder.write(
            """
            geodns-health 1
            hold nrt.example.com. ordinal=0 longest=3600000ms penalty=2.0 at=\(now(-60)) \
            until=\(now(1800))
            """ + "\n", to: "state/health")
        let (status, text) = try check([
            "--from", "192.0.2.1", "--down", "iad", "--down", "fra", "first.example.com",
        ])
        #expect(status == 0)
        #expect(text.contains(#/3\. nrt  .*\(held until 20.*Z\)/#), "\(text)")
        #expect(text.contains("nothing is up"))
    }

    @Test func whatIsTooOldOrNotThereIsTold() throws {
        let old = now(-7200)
        try folder.write(
            "geodns-health 1\nprobe 127.0.6.1 down since=\(old) seen=\(old) "
                + "check=\"http / port=\(iad.port)\" because=\"status 500\"\n", to: "state/health")
        let (status, text) = try check(["--from", "192.0.2.1", "app.example.com"])
        #expect(status == 0)
        #expect(
            text.contains(
                "geodns-check: --state \(folder.path)/state: nothing is known of 2 of 2 checks, or "
                    + "it is too old; they count as up\n"))
        #expect(text.contains(#/1\. iad  \d+ km  up  <- chosen/#))
        let nowhere = try RunningProcess.run(
            Programs.own("geodns-check"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--state", "/nowhere",
            ])
        #expect(nowhere.status == 1)
        #expect(
            nowhere.text.contains(
                "geodns-check: --state /nowhere: cannot read /nowhere/health: No such file or "
                    + "directory; it is the folder that `geodnsd --state` names\n"))
    }

    /// What moves is told of what is served now, not of a world where all is well.
    @Test func surveysStartFromTheState() throws {
        try folder.write("geodns-health 1\n", to: "state/health")
        try folder.write(
            "geodns-overrides 1\ndown target=iad clients=all since=\(now(-60)) by=root "
                + "because=\"\"\n",
            to: "state/overrides")
        let (status, text) = try check(["--matrix", "app.example.com"])
        #expect(status == 0)
        #expect(text.contains(#/  US .* fra 100 %/#), "\(text)")
    }
}

/// What decided, in the account of one client.
@Suite struct Accounts {
    /// The least score is the one chosen, and so says the account.
    @Test(arguments: ["weighted a:90 b:10 c:50 by=client", "hash a b c"])
    func theHashAndTheScoresAreShown(_ policy: String) throws {
        let checked = try CheckedZone(
            zoneHead + "a A 198.51.100.1\nb A 198.51.100.2\nc A 198.51.100.3\napp GEO \(policy)\n")
        var chosen: Set<String> = []
        for client in 0..<12 {
            let (status, text) = try checked.check([
                "--from", "203.0.\(client).7", "app.example.com",
            ])
            #expect(status == 0)
            #expect(text.contains("    203.0.\(client).0/24 has the hash "), "\(text)")
            let rows = text.matches(
                of: #/\d\. ([abc])  weight \d+ \(.* %\)  score ([0-9.e-]+)  (.*)/#)
            #expect(rows.count == 3, "\(text)")
            let least = try #require(rows.min { Double($0.2)! < Double($1.2)! })
            #expect(least.3.contains("<- chosen"), "\(text)")
            chosen.insert(String(least.1))
        }
        #expect(chosen.count >= 2)
    }
}
