import Foundation
import TestSupport
import Testing

/// `geodns-check --server` and `--probe`: the files here against what runs.
@Suite struct LiveAnswers {
    private static let zone =
        zoneHead + """
            fra   REGION 50.03 8.57
                  A 198.51.100.20
            nrt   REGION 35.76 140.39
                  A 198.51.100.30
            app   60/10 GEO nearest fra nrt
            both  GEO weighted fra:3 nrt:1 by=query
            many  A 198.51.100.1
            $GENERATE 1-200 many A 198.51.101.$

            """

    private let checked: CheckedZone

    init() throws { checked = try CheckedZone(LiveAnswers.zone) }

    private func serve(_ zone: String) throws -> TestServer {
        try TestServer(
            zones: [("example.com.zone", zone)], geoData: checked.folder.path + "/world.mmdb")
    }

    @Test func aServerWithTheSameFilesIsTheSame() throws {
        let server = try serve(LiveAnswers.zone)
        let (status, text) = try checked.check([
            "--server", "127.0.0.1@\(server.port)", "--from", "203.0.113.7", "--from",
            "192.0.2.0/24", "app.example.com",
        ])
        #expect(status == 0)
        #expect(
            text == """
                example.com. serial 1
                  127.0.0.1@\(server.port)  the same
                app.example.com. A from 203.0.113.7: NOERROR, 198.51.100.30, TTL 60, scope 24
                  127.0.0.1@\(server.port)  the same
                app.example.com. A from 192.0.2.0/24: NOERROR, 198.51.100.20, TTL 60, scope 9
                  127.0.0.1@\(server.port)  the same
                of 2 answers:
                  127.0.0.1@\(server.port)  all the same

                """)
    }

    @Test func theOneThatDiffersIsNamed() throws {
        let same = [try serve(LiveAnswers.zone), try serve(LiveAnswers.zone)]
        let other = try serve(
            LiveAnswers.zone.replacing("hostmaster 1 ", with: "hostmaster 2 ")
                .replacing("60/10 GEO nearest fra nrt", with: "30 GEO failover fra nrt"))
        let options = (same + [other]).flatMap { ["--server", "127.0.0.1@\($0.port)"] }
        let (status, text) = try checked.check(
            options + ["--from", "203.0.113.7", "app.example.com"])
        #expect(status == 1)
        let title = "127.0.0.1@\(other.port)"
        #expect(text.contains("  \(title)  DIFFERS: 2\n"))
        #expect(
            text.contains(
                "  \(title)  DIFFERS: 198.51.100.20, not 198.51.100.30; TTL 30, not 60; "
                    + "scope 0, not 24, unlike the other servers\n"))
        #expect(
            text.hasSuffix(
                "  \(title)  example.com. has serial 2, not 1, 1 not as the files here say, "
                    + "1 not as the other servers say\n"))
        for server in same { #expect(text.contains("  127.0.0.1@\(server.port)  all the same\n")) }

        let json = try checked.check(
            options + ["--json", "--from", "203.0.113.7", "app.example.com"])
        #expect(json.status == 1)
        let objects = try json.text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.count == 6)
        #expect(objects[2]["zone"] as? String == "example.com.")
        #expect(objects[2]["serial"] as? Int == 2)
        #expect(objects[5]["server"] as? String == title)
        #expect(objects[5]["agrees"] as? Bool == false)
        #expect(objects[5]["differs"] as? [String] == ["answers", "ttl", "scope"])
    }

    @Test func longAnswersComeOverTCP() throws {
        let server = try serve(LiveAnswers.zone)
        let (status, text) = try checked.check([
            "--server", "127.0.0.1@\(server.port)", "--from", "203.0.113.7", "many.example.com",
        ])
        #expect(status == 0, "\(text)")
        #expect(text.hasSuffix("  all the same\n"))
    }

    /// Each draw is as good as another.
    @Test func drawnAnswersDoNotDiffer() throws {
        let server = try serve(LiveAnswers.zone)
        let clients = (0..<40).flatMap { ["--from", "203.0.113.\($0)"] }
        let (status, text) = try checked.check(
            ["--server", "127.0.0.1@\(server.port)"] + clients + ["both.example.com"])
        #expect(status == 0, "\(text)")
        let wrong = try serve(LiveAnswers.zone.replacing("198.51.100.30", with: "198.51.100.31"))
        let differing = try checked.check(
            ["--server", "127.0.0.1@\(wrong.port)"] + clients + ["both.example.com"])
        #expect(differing.status == 1)
    }

    @Test func aServerThatDoesNotAnswerIsNamed() throws {
        let port = freePort(on: "127.0.0.1")
        let (status, text) = try checked.check([
            "--server", "127.0.0.1@\(port)", "--from", "203.0.113.7", "app.example.com",
        ])
        #expect(status == 1)
        #expect(text.contains("  127.0.0.1@\(port)  DIFFERS: connection refused\n"))
        #expect(text.hasSuffix("  127.0.0.1@\(port)  did not answer\n"))
    }

    @Test(arguments: [
        (["--server", "mars", "x.example.com"], "--server mars: expected an address, and perhaps"),
        (["--server", "127.0.0.1"], "--server needs a NAME to ask for and --from"),
        (["--server", "127.0.0.1", "--matrix"], "--server needs a NAME to ask for and --from"),
        (["--server", "127.0.0.1", "x.example.com"], "who asks? give --from IP"),
    ])
    func wrongUsageIsStatus2(_ words: [String], _ message: String) throws {
        let (status, text) = try RunningProcess.run(Programs.own("geodns-check"), words)
        #expect(status == 2)
        #expect(text.contains(message), "\(text)")
    }

    // MARK: - --probe

    @Test func probesAreMadeOnceAndTheirPhasesShown() throws {
        let door = try ScriptedDoor("127.0.0.1", .answer(status: 200))
        let port = freePort(on: "127.0.0.1")
        let zone = try CheckedZone(
            zoneHead + """
                fra   CHECK http /ok port=\(door.port) every=5s timeout=5s
                fra   REGION 50.03 8.57
                      A 127.0.0.1
                nrt   CHECK tcp port=\(port) every=5s timeout=5s
                nrt   REGION 35.76 140.39
                      A 127.0.0.1
                app   60/10 GEO nearest fra nrt

                """)
        let (status, text) = try zone.check(["--probe", "--from", "203.0.113.7", "app.example.com"])
        #expect(status == 1)
        #expect(text.contains("fra\n  127.0.0.1 http:\(door.port)/ok  passed: status 200\n"))
        #expect(text.contains(#/ +connected [0-9.]+ ms, first byte [0-9.]+ ms, end [0-9.]+ ms/#))
        #expect(text.contains("nrt\n  127.0.0.1 tcp:\(port)  failed: connection refused\n"))
        // Tokyo's nearest is down now.
        #expect(text.contains("1. nrt  64 km  down"))
        #expect(text.contains("2. fra  9344 km  up  <- chosen"))
        #expect(door.connectionCount == 1)

        let json = try zone.check(["--probe", "--json"])
        #expect(json.status == 1)
        let objects = try json.text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.map { $0["target"] as? String } == ["fra", "nrt"])
        #expect(objects.map { $0["verdict"] as? String } == ["passed", "failed"])
        #expect(objects.map { $0["phase"] as? String } == ["status", "connect"])
        #expect(objects[0]["status"] as? Int == 200)
        let moments = objects[0]["milliseconds"] as? [String: Any] ?? [:]
        #expect(moments["connected"] as? Double != nil)
        #expect(moments["secured"] is NSNull)
    }

    @Test func aZoneWithoutChecksHasNothingToProbe() throws {
        let (status, text) = try checked.check(["--probe"])
        #expect(status == 0)
        #expect(text == "no checks: nothing to probe\n")
    }
}
