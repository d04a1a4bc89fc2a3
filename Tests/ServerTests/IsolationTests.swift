import DNSWire
import Foundation
import TestSupport
import Testing

/// Front doors that all fall silent at once: it is this server that is cut off. What is cut here is
/// every door, and the anchor, a name server that is halted.
@Suite struct IsolationTests {
    let doors: [ScriptedDoor]

    init() throws { doors = try (1...4).map { try ScriptedDoor("127.0.\(70 + $0).1") } }

    private func start(_ arguments: String...) throws -> TestServer {
        let regions = doors.enumerated().map { index, door in
            """
            r\(index)  CHECK  http / port=\(door.port) every=300ms fast=300ms timeout=300ms fall=3
                 REGION 10 \(index)
                 A \(door.address)

            """
        }
        return try TestServer(
            zones: [
                ("example.zone", zoneHead + regions.joined() + "app 1 GEO failover r0 r1 r2\n")
            ],
            arguments: arguments)
    }

    private func behave(_ act: ScriptedDoor.Act) {
        for door in doors { door.behave(then: act) }
    }

    /// So often that each door has had more failures than `fall`.
    private func waitForProbes() -> Bool {
        let counts = doors.map(\.connectionCount)
        return eventually {
            zip(doors, counts).allSatisfy { $0.connectionCount >= $1 + 6 }
        }
    }

    @Test func withAnAnchorStatesStayUntilItAnswers() throws {
        let anchor = try TestServer(zones: [("example.zone", zoneHead)])
        defer { anchor.process.send(SIGCONT) }
        let server = try start("--anchor", "dns 127.0.0.1@\(anchor.port)")
        #expect(try server.control("status").text.contains(#/anchors +1 of 1 answer/#))
        #expect(!(try server.control("status").text.contains("CUT OFF")))
        anchor.process.send(SIGSTOP)
        behave(.hang)
        #expect(
            server.process.waitForOutput(
                "error cut-off: this server is cut off: front doors that do not answer keep"))
        #expect(waitForProbes())
        #expect(server.client.addresses("app.example.") == [doors[0].address])
        #expect(try server.control("status").text.contains(#/CUT OFF +IPv4 since 20/#))
        let regions = try server.control("regions").text
        #expect(regions.contains("this server is cut off: no answer within 300 ms"))
        #expect(!regions.contains(" down "))

        anchor.process.send(SIGCONT)
        behave(.answer(status: 200))
        #expect(server.process.waitForOutput(" reconnected: "))
        #expect(!(try server.control("status").text.contains("CUT OFF")))
        // One door alone is no matter of ours.
        doors[0].behave(then: .hang)
        #expect(eventually { server.client.addresses("app.example.") == [doors[1].address] })
        #expect(try server.control("events").text.contains(" error cut-off: "))
    }

    /// While the anchor answers, all may be dead.
    @Test func anAnchorThatAnswersProvesThemDead() throws {
        let anchor = try TestServer(zones: [("example.zone", zoneHead)])
        let server = try start("--anchor", "dns 127.0.0.1@\(anchor.port)")
        behave(.hang)
        #expect(
            try eventually {
                try server.control("status").text.contains(#/targets +0 of 4 up/#)
            })
        #expect(!server.process.text.contains("cut-off"))
    }

    @Test func withoutAnchorsItIsGuessed() throws {
        let server = try start()
        behave(.hang)
        #expect(server.process.waitForOutput("error cut-off: this server is cut off"))
        #expect(waitForProbes())
        #expect(try server.control("status").text.contains(#/targets +4 of 4 up/#))
        #expect(server.client.addresses("app.example.") == [doors[0].address])
        behave(.answer(status: 200))
        #expect(server.process.waitForOutput(" reconnected: "))
        doors[0].behave(then: .hang)
        #expect(eventually { server.client.addresses("app.example.") == [doors[1].address] })
    }
}
