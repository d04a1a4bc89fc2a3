import DNSWire
import Foundation
import Health
import TestSupport
import Testing

@testable import Server

/// What happened to front doors, for whoever asks and for whoever wants to be told.
@Suite struct EventTests {
    let folder: TemporaryFolder
    let iad: ScriptedDoor

    init() throws {
        folder = try TemporaryFolder()
        iad = try ScriptedDoor("127.0.7.1")
    }

    private func start(_ arguments: String...) throws -> TestServer {
        try TestServer(
            zones: [
                (
                    "example.zone",
                    zoneHead + """
                        iad  CHECK  http / port=\(iad.port) every=100ms fast=100ms fall=2
                             REGION 38.95 -77.45
                             A 127.0.7.1
                        fra  REGION 50.03 8.57
                             A 127.0.7.2
                        app  1 GEO failover iad fra

                        """
                )
            ], arguments: arguments)
    }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    // MARK: - Evidence

    @Test func aTransitionIsToldWithTheProbesThatLedToIt() throws {
        let server = try start()
        iad.behave(then: .answer(status: 503))
        #expect(server.process.waitForOutput(" down target=iad"))
        let text = try server.control("events").text
        #expect(text.contains(#/(?m)^1 20\S+Z info check: status 200 address=127\.0\.7\.1 /#))
        #expect(text.contains(#/(?m)^3 20\S+Z warning down target=iad name=iad\.example\. /#))
        #expect(
            text.contains(
                #/(?m)^2 20\S+Z warning check: status 503, .* probes="20\S+Z status [0-9.]+ m?s: /#)
        )
        // The same line in the log.
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("2 ") })
        #expect(server.process.text.contains(line.dropFirst(2)))

        let events = try objects(try server.control("--json", "events").text)
        #expect(events.map { $0["number"] as? Int } == [1, 2, 3])
        let down = try #require(events.count > 1 ? events[1] : nil)
        #expect(down["event"] as? String == "check" && down["state"] as? String == "down")
        #expect(down["address"] as? String == "127.0.7.1")
        let probes = try #require(down["probes"] as? [[String: Any]])
        #expect((2...5).contains(probes.count))
        for probe in probes.suffix(2) {
            #expect(probe["verdict"] as? String == "failed")
            #expect(probe["phase"] as? String == "status")
            #expect(probe["status"] as? Int == 503)
            #expect(probe["bytes"] as? Int == 0)
            #expect(probe["milliseconds"] is Int)
            #expect(probe["reason"] as? String == "status 503, expected 200-299")
            #expect((probe["time"] as? String)?.hasSuffix("Z") == true)
        }
    }

    @Test func followingShowsWhatComes() throws {
        let server = try start()
        let follower = try RunningProcess(
            Programs.own("geodnsctl"),
            ["--control", server.controlPath, "events", "--follow", "--json"])
        #expect(follower.waitForOutput("\"state\":\"up\""))
        iad.behave(then: .answer(status: 503))
        #expect(follower.waitForOutput("\"event\":\"down\""))
        follower.stop()
        let numbers = try objects(follower.text).compactMap { $0["number"] as? Int }
        #expect(numbers == Array(1...numbers.count), "each once")
    }

    @Test func optionsOfEventsBelongToEvents() throws {
        #expect(try run("geodnsctl", "status", "--json").status == 2)
        #expect(try run("geodnsctl", "events", "down", "--follow").status == 2)
        let server = try start()
        let (status, text) = try server.control("events", "yesterday")
        #expect(status == 1)
        #expect(text.contains("events: expected json, or after and a number, found yesterday"))
    }

    @Test func theRingForgetsTheOldest() {
        let journal = Journal(Log(.text), eventCountMax: 10)
        for number in 1...25 { journal.record(.info, "test", "\(number)") }
        #expect(journal.events(after: 0).map(\.message) == (16...25).map { "\($0)" })
        #expect(journal.events(after: 23).map(\.number) == [24, 25])
        #expect(journal.events(after: 25).isEmpty)
        // Numbers of another process: everything is new.
        #expect(journal.events(after: 26).count == 10)
    }

    // MARK: - Notification

    @Test func aProgramIsTold() throws {
        let heard = folder.path + "/heard"
        let program = try folder.write(
            "#!/bin/sh\nprintf '%s\\n' \"$1\" >> \(heard)\n", to: "listener")
        try #require(chmod(program, 0o755) == 0)
        let server = try start("--notify-exec", program)
        iad.behave(then: .answer(status: 503))
        func text() -> String { (try? String(contentsOfFile: heard, encoding: .utf8)) ?? "" }
        #expect(eventually { text().contains("\"event\":\"down\"") })
        let events = try objects(text())
        #expect(events.map { $0["event"] as? String } == ["check", "check", "down"])
        #expect(server.process.stop() == 0)
    }

    /// A receiver that fails at first gets everything, in order, after a while.
    @Test func aWebServerIsToldAgain() throws {
        let receiver = try ScriptedDoor("127.0.7.9", .answer(status: 500))
        let server = try start("--notify-url", "http://127.0.7.9:\(receiver.port)/geodns")
        #expect(server.process.waitForOutput("notify: an event did not arrive: status 500"))
        receiver.behave(then: .answer(status: 204))
        #expect(server.process.waitForOutput("notify: events arrive again"))
        iad.behave(then: .answer(status: 503))
        #expect(eventually { receiver.text.contains("\"event\":\"down\"") })
        #expect(receiver.text.contains("POST /geodns HTTP/1.1"))
        #expect(receiver.text.contains("Content-Type: application/json"))
        #expect(receiver.text.contains("\"probes\":[{\"time\":"))
    }

    /// Neither health nor the end waits for a receiver.
    @Test func aReceiverThatHangsHoldsUpNothing() throws {
        let receiver = try ScriptedDoor("127.0.7.8", .hang)
        let sleeper = try folder.write("#!/bin/sh\nsleep 1000\n", to: "sleeper")
        try #require(chmod(sleeper, 0o755) == 0)
        let server = try start(
            "--notify-url", "http://127.0.7.8:\(receiver.port)/", "--notify-exec", sleeper)
        #expect(eventually { receiver.connectionCount > 0 })
        iad.behave(then: .answer(status: 503))
        #expect(eventually { server.client.addresses("app.example.") == ["127.0.7.2"] })
        #expect(server.process.stop() == 0)
        #expect(server.process.text.contains("notify: events have not arrived to=\(sleeper)"))
    }

    @Test(arguments: [
        (["--notify-exec", "listener"], "--notify-exec listener: expected a path that begins"),
        (["--notify-url", "ftp://a/"], "--notify-url ftp://a/: expected a URL that begins with"),
        (["--anchor", "tcp 192.0.2.1"], "--anchor tcp 192.0.2.1: expected ping ADDRESS, tcp"),
        (["--anchor", "tcp 192.0.2.1@0"], "--anchor tcp 192.0.2.1@0: expected"),
        (["--anchor", "ping 192.0.2.1@7"], "--anchor ping 192.0.2.1@7: expected"),
        (["--anchor", "dns example.com"], "--anchor dns example.com: expected"),
    ])
    func whatCannotBeIsToldAtTheStart(_ arguments: [String], _ message: String) throws {
        let (status, text) = try RunningProcess.run(Programs.own("geodnsd"), arguments)
        #expect(status == 2)
        #expect(text.hasPrefix("geodnsd: \(message)"), "\(text)")
    }
}
