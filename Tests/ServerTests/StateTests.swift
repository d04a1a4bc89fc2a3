import DNSWire
import Foundation
import TestSupport
import Testing

/// `--state DIR`: what is known of front doors outlives the process, however it ends.
@Suite struct StateTests {
    let folder: TemporaryFolder
    /// Probed so slowly that a start which waited for a probe would be seen to.
    let iad: ScriptedDoor
    let fra: ScriptedDoor

    init() throws {
        folder = try TemporaryFolder()
        iad = try ScriptedDoor("127.0.6.1")
        fra = try ScriptedDoor("127.0.6.2")
    }

    private var zone: String {
        zoneHead + """
            iad  CHECK  http / port=\(iad.port) every=60s fast=100ms timeout=60s fall=1
                 REGION 38.95 -77.45
                 A 127.0.6.1
            fra  CHECK  http / port=\(fra.port) every=60s fast=60s timeout=60s
                 REGION 50.03 8.57
                 A 127.0.6.2
            app  1 GEO failover iad fra hold=1h
            free 1 GEO failover iad fra

            """
    }

    private var file: String { folder.path + "/health" }
    private var kept: String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }

    private func start() throws -> TestServer {
        try TestServer(zones: [("example.zone", zone)], arguments: ["--state", folder.path])
    }

    private func kill(_ server: TestServer) {
        server.process.send(SIGKILL)
        #expect(server.process.waitForExit() == 128 + SIGKILL)
    }

    @Test func theFirstAnswersAreRightWithEveryProbePending() throws {
        iad.behave(then: .answer(status: 500))
        do {
            let server = try start()
            #expect(server.client.addresses("free.example.") == ["127.0.6.2"])
            #expect(server.process.text.contains("memory: nothing is remembered: cannot read"))
            #expect(eventually { kept.contains("probe 127.0.6.1 down ") })
            kill(server)
        }
        #expect(kept.hasPrefix("geodns-health 1\n"))
        #expect(kept.contains("because=\"status 500, expected 200-299\""))
        iad.behave(then: .hang)
        fra.behave(then: .hang)
        do {
            let server = try start()
            #expect(server.client.addresses("free.example.") == ["127.0.6.2"])
            #expect(server.process.text.contains(" down target=iad"))
            #expect(
                try server.control("regions").text.contains(
                    "remembered: status 500, expected 200-299"))
            // Again, with one change after the other in between: none of it is lost.
            iad.behave(then: .answer(status: 200))
            kill(server)
        }
        do {
            let server = try start()
            #expect(eventually { server.client.addresses("free.example.") == ["127.0.6.1"] })
            #expect(eventually { kept.contains("probe 127.0.6.1 up ") })
            iad.behave(then: .hang)
            kill(server)
        }
        let server = try start()
        #expect(server.client.addresses("free.example.") == ["127.0.6.1"])
        #expect(server.process.stop() == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["health"])
    }

    /// What has been counted against a target that flaps is not forgotten either.
    @Test func aHoldOutlivesTheProcess() throws {
        func turn(_ server: TestServer, _ act: ScriptedDoor.Act, _ address: String) {
            iad.behave(then: act)
            #expect(eventually { server.client.addresses("free.example.") == [address] })
        }
        let quick = zone.replacing("every=60s fast=100ms", with: "every=100ms fast=100ms")
            .replacing("timeout=60s fall=1", with: "timeout=100ms fall=1")
        let arguments = ["--state", folder.path]
        do {
            let server = try TestServer(zones: [("example.zone", quick)], arguments: arguments)
            for _ in 0..<2 {
                turn(server, .answer(status: 500), "127.0.6.2")
                turn(server, .answer(status: 200), "127.0.6.1")
            }
            #expect(server.client.addresses("app.example.") == ["127.0.6.2"])
            #expect(eventually { kept.contains(#/hold iad\.example\. .* until=20/#) })
            kill(server)
        }
        let server = try TestServer(zones: [("example.zone", quick)], arguments: arguments)
        #expect(eventually { server.client.addresses("free.example.") == ["127.0.6.1"] })
        #expect(server.client.addresses("app.example.") == ["127.0.6.2"])
        #expect(try server.control("status").text.contains(#/held +iad until 20/#))
    }

    @Test func whatIsDamagedIsToldOfAndIgnored() throws {
        iad.behave(then: .answer(status: 500))
        do {
            let server = try start()
            #expect(eventually { kept.contains("probe 127.0.6.1 down ") })
            #expect(server.process.stop() == 0)
        }
        let lines = kept.split(separator: "\n")
        try folder.write(
            (lines[..<2] + ["probe 127.0.6.9 dead", "probe 192.0.2.1 "] + lines[2...])
                .joined(separator: "\n"), to: "health")
        iad.behave(then: .hang)
        let server = try start()
        #expect(
            server.process.text.contains("\(file):3:17: warning: expected a state; the line is"))
        #expect(server.process.text.contains("\(file):4:1: warning: "))
        #expect(server.client.addresses("free.example.") == ["127.0.6.2"])
    }

    /// Without the folder there is no memory, and everything else goes on.
    @Test func aFolderThatIsNotThereIsTold() throws {
        let server = try TestServer(
            zones: [("example.zone", zone)], arguments: ["--state", folder.path + "/nowhere"])
        #expect(server.client.addresses("free.example.") == ["127.0.6.1"])
        #expect(
            server.process.waitForOutput(
                "error memory: cannot write \(folder.path)/nowhere/health: no such file"))
        #expect(server.process.stop() == 0)
    }
}
