import DNSWire
import Foundation
import TestSupport
import Testing

/// A reload takes up what is good, and leaves everything as it is for what is not.
@Suite struct Reloads {
    let folder: TemporaryFolder
    let databaseFile: String

    init() throws {
        folder = try TemporaryFolder()
        databaseFile = try folder.write(try smallDatabase(), to: "world.mmdb")
    }

    private static func zone(_ address: String) -> String { zoneHead + "www A \(address)\n" }

    private static let steered =
        zoneHead + """
            fra  REGION 50.03 8.57
                 A 198.51.100.20
            nrt  REGION 35.76 140.39
                 A 198.51.100.30
            app  GEO nearest fra nrt
            """

    private func start(_ zone: String) throws -> TestServer {
        try TestServer(zones: [("example.com.zone", zone)], geoData: databaseFile)
    }

    private func write(_ zone: String, _ server: TestServer) throws {
        try server.folder.write(zone, to: "zones/example.com.zone")
    }

    @Test func aMendedZoneIsTakenUpAndABrokenOneIsNot() throws {
        let server = try start(Reloads.zone("192.0.2.1"))
        #expect(server.client.addresses("www.example.com") == ["192.0.2.1"])

        try write(Reloads.zone("192.0.2.2") + "app GEO nearest nowhere\n", server)
        let file = server.folder.path + "/zones/example.com.zone"
        let failed = try server.control("reload")
        #expect(failed.status == 1)
        #expect(failed.text.contains("nothing was changed"))
        #expect(failed.text.contains("\(file):6:17: error: unknown target nowhere"))
        #expect(server.client.addresses("www.example.com") == ["192.0.2.1"])
        #expect(try server.control("status").text.contains("failed at"))

        try write(Reloads.zone("192.0.2.3"), server)
        let done = try server.control("reload")
        #expect(done.status == 0)
        #expect(done.text.contains("done at"))
        #expect(server.client.addresses("www.example.com") == ["192.0.2.3"])
    }

    @Test func warningsAreShownAndDoNotStopIt() throws {
        let server = try start(Reloads.zone("192.0.2.1"))
        try write(Reloads.zone("192.0.2.1") + "www A 192.0.2.1\n", server)
        let (status, text) = try server.control("reload")
        #expect(status == 0)
        #expect(text.contains("example.com.zone:6:5: warning: the same A record"))
    }

    @Test func aSignalReloadsToo() throws {
        let server = try start(Reloads.zone("192.0.2.1"))
        try write("nonsense", server)
        server.process.send(SIGHUP)
        #expect(server.process.waitForOutput("what was being served stays"))
        #expect(server.process.text.contains("example.com.zone:1:"))
        #expect(server.client.addresses("www.example.com") == ["192.0.2.1"])

        try write(Reloads.zone("192.0.2.2"), server)
        server.process.send(SIGHUP)
        #expect(server.process.waitForOutput("info reload"))
        #expect(server.client.addresses("www.example.com") == ["192.0.2.2"])
        #expect(server.process.stop() == 0)
    }

    @Test func aZoneFolderThatIsGoneChangesNothing() throws {
        let server = try start(Reloads.zone("192.0.2.1"))
        let zones = server.folder.path + "/zones"
        try FileManager.default.moveItem(atPath: zones, toPath: zones + "-moved")
        let gone = try server.control("reload")
        #expect(gone.status == 1)
        #expect(gone.text.contains("cannot read \(zones): No such file or directory"))
        try FileManager.default.createDirectory(
            atPath: zones, withIntermediateDirectories: false)
        let empty = try server.control("reload")
        #expect(empty.status == 1)
        #expect(empty.text.contains("no zone file in \(zones)"))
        #expect(server.client.addresses("www.example.com") == ["192.0.2.1"])
        try write(Reloads.zone("192.0.2.2"), server)
        #expect(try server.control("reload").status == 0)
        #expect(server.client.addresses("www.example.com") == ["192.0.2.2"])
    }

    @Test func aTruncatedDatabaseChangesNothing() throws {
        let server = try start(Reloads.steered)
        func answers() -> [[String]?] {
            ["198.51.100.0/24", "203.0.113.0/24"].map {
                server.client.addresses("app.example.com", subnet: $0)
            }
        }
        let before: [[String]?] = [["198.51.100.20"], ["198.51.100.30"]]
        #expect(answers() == before)
        let whole = try smallDatabase()
        // In place and by renaming, as careless and careful operators do it. The server must not
        // map a file that others write to.
        try folder.write(Array(whole.prefix(whole.count / 2)), to: "world.mmdb")
        let failed = try server.control("reload")
        #expect(failed.status == 1)
        #expect(failed.text.contains("\(databaseFile): error: "))
        #expect(answers() == before)
        #expect(truncate(databaseFile, 0) == 0)
        #expect(try server.control("reload").status == 1)
        #expect(answers() == before)
        try FileManager.default.removeItem(atPath: databaseFile)
        #expect(try server.control("reload").status == 1)
        #expect(answers() == before)

        // Tokyo and Frankfurt change places.
        try folder.write(
            try database([
                ("198.51.100.0/24", "JP", "AS", 35.69, 139.69),
                ("203.0.113.0/24", "DE", "EU", 50.11, 8.68),
            ]), to: "world.mmdb")
        #expect(try server.control("reload").status == 0)
        #expect(answers() == before.reversed())
    }

    @Test func zonesComeAndGo() throws {
        let server = try start(Reloads.zone("192.0.2.1"))
        #expect(server.client.ask("www.example.org")?.responseCode == 5)
        try server.folder.write(zoneHead + "www A 192.0.2.9\n", to: "zones/example.org.zone")
        #expect(try server.control("reload").status == 0)
        #expect(server.client.addresses("www.example.org") == ["192.0.2.9"])
        try FileManager.default.removeItem(
            atPath: server.folder.path + "/zones/example.com.zone")
        #expect(try server.control("reload").status == 0)
        #expect(server.client.ask("www.example.com")?.responseCode == 5)
        #expect(server.client.addresses("www.example.org") == ["192.0.2.9"])
    }

    /// What was checked goes on with its state; what is new is probed before it is first answered.
    @Test func aNewRegionIsProbedBeforeItIsServed() throws {
        let good = try ScriptedDoor("127.0.3.1")
        let dead = try ScriptedDoor("127.0.3.2")
        dead.refuse()
        func zone(_ targets: String) -> String {
            zoneHead + """
                one  CHECK http / port=\(good.port) every=1s fast=100ms timeout=1s
                     REGION 10 10
                     A 127.0.3.1
                two  CHECK http / port=\(dead.port) every=1s fast=100ms timeout=1s
                     REGION 10 10
                     A 127.0.3.2
                app  0 GEO failover \(targets)

                """
        }
        let onlyOne = zone("one").split(separator: "\n").filter { !$0.contains("0.3.2") }
            .joined(separator: "\n")
            .replacingOccurrences(of: "two  CHECK http / port=\(dead.port)", with: "; ")
            .replacingOccurrences(of: "     REGION 10 10\napp", with: "app")
        let server = try start(onlyOne + "\n")
        #expect(server.client.addresses("app.example.com") == ["127.0.3.1"])

        let flood = QueryFlood(server.client, name: "app.example.com", count: 2_000)
        try write(zone("two one"), server)
        #expect(try server.control("reload").status == 0)
        flood.finish()
        #expect(flood.answers == ["127.0.3.1": 2_000])
        #expect(server.client.addresses("app.example.com") == ["127.0.3.1"])
        #expect(
            server.process.waitForOutput(
                "address=127.0.3.2 port=\(dead.port) state=down failures=1"))
        // Watched all the time: one first result, no second.
        let firstResults = server.process.text.split(separator: "\n").filter {
            $0.contains(" check") && $0.contains("address=127.0.3.1 ")
        }
        #expect(firstResults.count == 1)
        try dead.listenAgain()
        #expect(eventually { server.client.addresses("app.example.com") == ["127.0.3.2"] })
    }

    /// 5,000 queries while 20 reloads change the answer to and fro: each is answered, with one of
    /// the two.
    @Test func noQueryIsLostDuringReloads() throws {
        let server = try start(Reloads.zone("192.0.2.1"))
        let flood = QueryFlood(server.client, name: "www.example.com", count: 5_000)
        var reloadCount = 0
        repeat {
            try write(Reloads.zone("192.0.2.\(reloadCount % 2 + 1)"), server)
            #expect(try server.control("reload").status == 0)
            reloadCount += 1
        } while reloadCount < 20 || !flood.isFinished
        flood.finish()
        #expect(flood.answers.keys.allSatisfy { ["192.0.2.1", "192.0.2.2"].contains($0) })
        #expect(flood.answers.values.reduce(0, +) == 5_000)
        #expect(flood.answers.count == 2)
    }
}

/// Asks one name over UDP again and again on a thread of its own, and counts what comes back.
final class QueryFlood: @unchecked Sendable {
    private let lock = NSLock()
    private var counted: [String: Int] = [:]
    private var hasEnded = false

    /// `pause` after each query, so that a flood lasts as long as what it is to accompany.
    init(_ client: DNSClient, name: String, count: Int, pause: Double = 0.0002) {
        Thread.detachNewThread { [self] in
            for _ in 0..<count {
                let answer = client.addresses(name)?.joined(separator: " ") ?? "no answer"
                lock.withLock { counted[answer, default: 0] += 1 }
                Thread.sleep(forTimeInterval: pause)
            }
            lock.withLock { hasEnded = true }
        }
    }

    var isFinished: Bool { lock.withLock { hasEnded } }
    /// How often each answer came.
    var answers: [String: Int] { lock.withLock { counted } }

    func finish() { _ = eventually(seconds: 60) { isFinished } }
}
