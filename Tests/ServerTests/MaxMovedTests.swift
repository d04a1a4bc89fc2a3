import Foundation
import TestSupport
import Testing

/// `geodnsd --max-moved`: a reload that would send more clients elsewhere than was meant is
/// refused, and says whom.
@Suite struct MaxMoved {
    private let folder: TemporaryFolder
    private let databaseFile: String

    init() throws {
        folder = try TemporaryFolder()
        databaseFile = try folder.write(try smallDatabase(), to: "world.mmdb")
    }

    /// Frankfurt has Germany and the United States, Tokyo has Japan.
    private static let zone =
        zoneHead + """
            fra  REGION 50.03 8.57
                 A 198.51.100.20
            nrt  REGION 35.76 140.39
                 A 198.51.100.30
            app  GEO nearest fra nrt
            api  GEO nearest fra nrt

            """

    /// Tokyo is in Ashburn now, and takes the United States; Japan goes to Frankfurt.
    private static let swapped = zone.replacing("35.76 140.39", with: "38.95 -77.45")

    private func start(
        _ limit: String?, zone: String = MaxMoved.zone, geoData: String? = nil
    ) throws -> TestServer {
        try TestServer(
            zones: [("example.com.zone", zone)], geoData: geoData ?? databaseFile,
            arguments: limit.map { ["--max-moved", $0] } ?? [])
    }

    private func write(_ zone: String, _ server: TestServer) throws {
        try server.folder.write(zone, to: "zones/example.com.zone")
    }

    private func answers(_ server: TestServer) -> [[String]?] {
        ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"].map {
            server.client.addresses("app.example.com", subnet: $0)
        }
    }

    private let before: [[String]?] = [["198.51.100.20"], ["198.51.100.20"], ["198.51.100.30"]]
    private let after: [[String]?] = [["198.51.100.30"], ["198.51.100.20"], ["198.51.100.20"]]

    @Test func tooManyAreToldOfAndStayWhereTheyAre() throws {
        let server = try start("5%")
        try write(MaxMoved.swapped, server)
        let (status, text) = try server.control("reload")
        #expect(status == 1)
        let lines = text.split(separator: "\n").map(String.init)
        try #require(lines.count == 6, "\(text)")
        #expect(lines[0] == "geodnsctl: nothing was changed, the zones being served stay")
        // As `geodns-check --compare` has it.
        #expect(
            lines[1]
                == "error: app.example.com. over IPv4: 66.7 % get another answer, 1372 km farther on "
                + "average, more than max-moved 5.0 %")
        #expect(lines[2] == "  JP           33.3 %   nrt → fra")
        #expect(lines[3] == "  US           33.3 %   fra → nrt")
        #expect(lines[4] == "  and the same under api.example.com.")
        #expect(
            lines[5].wholeMatch(
                of: /compared in [0-9.]+ m?s; `geodnsctl reload --force` serves it all the same/)
                != nil)
        #expect(answers(server) == before)
        #expect(try server.control("status").text.contains("refused at"))
        #expect(server.process.waitForOutput("error reload: refused"))
        #expect(server.process.text.contains("clients=IPv4 names-alike=1"))

        let forced = try server.control("reload", "--force")
        #expect(forced.status == 0)
        #expect(
            forced.text.contains(
                "at most 66.7 % get another answer, under app.example.com. over IPv4; compared in"))
        #expect(answers(server) == after)
        // And now it is what is being served.
        let again = try server.control("reload")
        #expect(again.status == 0)
        #expect(again.text.contains("no client gets another answer; compared in"))
    }

    @Test func theStartAndWhatIsWithinTheLimitAreServed() throws {
        let server = try start("70")
        try write(MaxMoved.swapped, server)
        #expect(try server.control("reload").status == 0)
        #expect(answers(server) == after)
        // Without the limit nothing is compared.
        let free = try start(nil)
        try write(MaxMoved.swapped, free)
        let (status, text) = try free.control("reload")
        #expect(status == 0)
        #expect(!text.contains("compared"))
        #expect(answers(free) == after)
    }

    @Test func aSignalIsNoOrderToForce() throws {
        let server = try start("1%")
        try write(MaxMoved.swapped, server)
        server.process.send(SIGHUP)
        #expect(server.process.waitForOutput("error reload: refused"))
        #expect(server.process.waitForOutput("error moved: 66.7 % get another answer"))
        #expect(answers(server) == before)
        try write(MaxMoved.zone, server)
        server.process.send(SIGHUP)
        #expect(server.process.waitForOutput("info reload"))
    }

    /// A name that is new takes nothing from anybody; a target's other name is the same answer.
    @Test func whoLosesNothingDoesNotMove() throws {
        let server = try start("0%")
        let more =
            MaxMoved.zone.replacing("nrt", with: "tyo") + "new GEO failover tyo\nwww A 192.0.2.1\n"
        try write(more, server)
        let (status, text) = try server.control("reload")
        #expect(status == 0, "\(text)")
        #expect(server.client.addresses("new.example.com") == ["198.51.100.30"])
        #expect(answers(server) == before)
    }

    /// A name that is gone, or steered no longer, is taken from everybody.
    @Test func aNameThatIsGoneMovesAll() throws {
        let server = try start("99%")
        try write(
            MaxMoved.zone.replacing("api  GEO nearest fra nrt", with: "api A 192.0.2.9"), server)
        let (status, text) = try server.control("reload")
        #expect(status == 1)
        #expect(text.contains("error: api.example.com. over IPv4: 100 % get another answer"))
        #expect(text.contains("  DE           33.3 %   fra → nothing"))
        #expect(text.contains("error: api.example.com. over IPv6: 100 % get another answer"))
        #expect(!text.contains("app.example.com"))
        #expect(try server.control("reload", "--force").status == 0)
        #expect(server.client.addresses("api.example.com") == ["192.0.2.9"])
    }

    @Test func anotherDatabaseIsHeldAgainstTheOneInUse() throws {
        let server = try start("10%")
        try folder.write(
            try database([
                ("192.0.2.0/24", "JP", "AS", 35.69, 139.69),
                ("198.51.100.0/24", "DE", "EU", 50.11, 8.68),
                ("203.0.113.0/24", "JP", "AS", 35.69, 139.69),
                ("2001:db8:2::/48", "DE", "EU", 50.11, 8.68),
            ]), to: "world.mmdb")
        let (status, text) = try server.control("reload")
        #expect(status == 1)
        #expect(text.contains("  US           33.3 %   fra → nrt"))
        #expect(answers(server) == before)
        #expect(try server.control("reload", "--force").status == 0)
        #expect(answers(server)[0] == ["198.51.100.30"])
    }

    /// What is answered counts, not what the zone says: a check that fails from its first probe on
    /// sends clients away as an edit of their order does. The server goes on with the old checks.
    @Test func aCheckThatFailsMovesItsClients() throws {
        let door = try ScriptedDoor("127.0.3.1")
        func zone(_ path: String) -> String {
            zoneHead + """
                one  CHECK http \(path) port=\(door.port) every=1s fast=100ms timeout=1s fall=1
                     REGION 50.03 8.57
                     A 127.0.3.1
                two  REGION 35.76 140.39
                     A 127.0.3.2
                app  0 GEO nearest one two

                """
        }
        let server = try start("50%", zone: zone("/"))
        #expect(answers(server) == [["127.0.3.1"], ["127.0.3.1"], ["127.0.3.2"]])
        // Only the new probe of another port fails: nobody listens there.
        let dead = zone("/").replacing("port=\(door.port)", with: "port=1")
        try write(dead, server)
        let (status, text) = try server.control("reload")
        #expect(status == 1)
        #expect(text.contains("app.example.com. over IPv4: 66.7 % get another answer"))
        #expect(text.contains("  DE           33.3 %   one → two"))
        #expect(answers(server)[0] == ["127.0.3.1"])
        door.refuse()
        #expect(eventually { answers(server)[0] == ["127.0.3.2"] })
        // Nobody is there to be moved any more.
        #expect(try server.control("reload").status == 0)
    }

    /// Without a database all addresses count.
    @Test func prefixesOfAMapCountWithoutADatabase() throws {
        let mapped =
            zoneHead + """
                fra  REGION 50.03 8.57
                     A 198.51.100.20
                nrt  REGION 35.76 140.39
                     A 198.51.100.30
                app  GEO map=atlas
                atlas MAP default fra nrt
                      MAP net=0.0.0.0/2 nrt

                """
        let server = try start("30%", zone: mapped, geoData: "none")
        try write(mapped.replacing("0.0.0.0/2", with: "0.0.0.0/1"), server)
        #expect(try server.control("reload").status == 0)
        try write(mapped.replacing("0.0.0.0/2", with: "128.0.0.0/1"), server)
        let (status, text) = try server.control("reload")
        #expect(status == 1)
        #expect(text.contains("app.example.com. over IPv4: 100 % get another answer"))
        #expect(text.contains("  ?            50.0 %   fra → nrt"))
    }

    /// 5,000 queries during refused reloads: each is answered, none otherwise than before.
    @Test func answersDoNotWait() throws {
        let server = try start("1%")
        try write(MaxMoved.swapped, server)
        let flood = QueryFlood(server.client, name: "app.example.com", count: 5_000)
        repeat {
            #expect(try server.control("reload").status == 1)
        } while !flood.isFinished
        flood.finish()
        #expect(flood.answers.values.reduce(0, +) == 5_000)
        #expect(flood.answers.count == 1)
    }

    @Test func aLimitIsAPercentage() throws {
        let (status, text) = try run("geodnsd", "--max-moved", "many", "--check")
        #expect(status == 2)
        #expect(text == "geodnsd: --max-moved many: expected a percentage like 2%, from 0 to 100\n")
        let misplaced = try run("geodnsctl", "--force", "status")
        #expect(misplaced.status == 2)
        #expect(misplaced.text.contains("--force belongs to down, drain, reload, set, shift"))
    }
}
