import Administration
import DNSWire
import Foundation
import TestSupport
import Testing

/// The end of a server: what has come in is answered, the exit status is 0, nothing stays behind.
@Suite struct Stops {
    private func start() throws -> TestServer {
        try TestServer(zones: [("example.com.zone", zoneHead + "www A 192.0.2.1\n")])
    }

    private func query(_ identifier: UInt16) throws -> [UInt8] {
        Message.query(try #require(DomainName("www.example.com")), .a, identifier: identifier)
    }

    /// Sent before the signal, and answered all: in the sockets' buffers, or on a connection.
    @Test(arguments: [SIGTERM, SIGINT]) func whatWasSentBeforeIsAnswered(_ signal: Int32) throws {
        let server = try start()
        let client = try QuerySocket(server.client)
        let connection = try QuerySocket(server.client, isStream: true)
        let identifiers = (0..<100).map { UInt16($0) }
        for identifier in identifiers {
            try client.send(try query(identifier))
            try connection.send(try query(1_000 + identifier))
        }
        server.process.send(signal)
        // Once more while it ends: harmless.
        server.process.send(signal)
        #expect(client.receive(100).sorted() == identifiers)
        #expect(connection.receive(100) == identifiers.map { $0 + 1_000 })
        #expect(server.process.waitForExit() == 0)
        #expect(server.process.text.contains(" stopped"))
        #expect(!FileManager.default.fileExists(atPath: server.controlPath))
        #expect(!server.client.canConnect)
    }

    @Test func theControlProgramStopsIt() throws {
        let server = try start()
        let (status, text) = try server.control("stop")
        #expect(status == 0)
        #expect(text == "stopping\n")
        #expect(server.process.waitForExit() == 0)
        #expect(!FileManager.default.fileExists(atPath: server.controlPath))
        #expect(try server.control("status").status == 1)
    }

    /// A client that holds its connection open and says nothing does not hold up the end.
    @Test func anIdleConnectionDoesNotHoldItUp() throws {
        let server = try start()
        let idle = try QuerySocket(server.client, isStream: true)
        let unfinished = try QuerySocket(server.client, isStream: true)
        try unfinished.sendRaw([0, 200, 1, 2, 3])
        let used = try QuerySocket(server.client, isStream: true)
        try used.send(try query(7))
        #expect(used.receive(1) == [7])
        server.process.send(SIGTERM)
        #expect(server.process.waitForExit(seconds: 15) == 0)
        #expect(idle.receive(1).isEmpty)
    }

    /// The first probes may take a minute; a signal is heard before, at the start …
    @Test func aHangingFrontDoorDoesNotHoldUpTheEndAtTheStart() throws {
        let door = try ScriptedDoor("127.0.3.9", .hang)
        let folder = try TemporaryFolder()
        try folder.write(Stops.checked(door, path: "/"), to: "zones/example.com.zone")
        let server = try RunningProcess(
            Programs.own("geodnsd"),
            [
                "--zones", folder.path + "/zones", "--geo-data", "none", "--listen",
                "127.0.0.1@0", "--control", folder.path + "/control.sock",
            ])
        #expect(eventually { door.connectionCount > 0 })
        server.send(SIGTERM)
        #expect(server.waitForExit(seconds: 20) == 0)
        #expect(!server.text.contains(" ready"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/control.sock"))
    }

    /// … and in a reload, during which the old answers go on.
    @Test func aHangingFrontDoorDoesNotHoldUpTheEndInAReload() throws {
        let door = try ScriptedDoor("127.0.3.10")
        let server = try TestServer(zones: [
            ("example.com.zone", Stops.checked(door, path: "/"))
        ])
        door.behave(then: .hang)
        let before = door.connectionCount
        try server.folder.write(Stops.checked(door, path: "/other"), to: "zones/example.com.zone")
        server.process.send(SIGHUP)
        #expect(eventually { door.connectionCount > before })
        #expect(server.client.addresses("app.example.com") == ["127.0.3.10"])
        server.process.send(SIGTERM)
        #expect(server.process.waitForExit(seconds: 20) == 0)
    }

    private static func checked(_ door: ScriptedDoor, path: String) -> String {
        zoneHead + """
            one  CHECK http \(path) port=\(door.port) every=60s fast=100ms timeout=60s
                 REGION 10 10
                 A \(door.address)
            app  GEO failover one

            """
    }

    @Test func unknownCommandsChangeNothing() throws {
        let server = try start()
        let unknown = try ControlClient.send(["restart"], path: server.controlPath)
        #expect(
            unknown
                == .failed(
                    "unknown command restart; there are status, regions, events, overrides, "
                        + "drain, undrain, down, up, clear, set, unset, shift, reload, stop"))
        #expect(try server.control("reload", "now").status == 1)
        #expect(server.client.addresses("www.example.com") == ["192.0.2.1"])
    }

    @Test func statusTellsWhatIsServed() throws {
        let server = try start()
        for _ in 0..<5 { #expect(server.client.addresses("www.example.com") != nil) }
        #expect(server.client.ask("nothing.example.com")?.responseCode == 3)
        #expect(server.client.ask("www.example.org")?.responseCode == 5)
        let (status, text) = try server.control("status")
        #expect(status == 0)
        var rows: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.components(separatedBy: "  ").filter { !$0.isEmpty }
            if parts.count == 2 { rows[parts[0]] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        #expect(rows["queries"] == "7")
        #expect(rows["NOERROR"] == "5")
        #expect(rows["NXDOMAIN"] == "1")
        #expect(rows["REFUSED"] == "1")
        #expect(rows["listening"] == "127.0.0.1@\(server.port)")
        #expect(rows["zone"]?.hasPrefix("example.com. serial 1, 4 records, 0 GEO names") == true)
    }
}
