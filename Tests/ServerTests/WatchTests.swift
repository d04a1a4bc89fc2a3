import DNSWire
import Foundation
import Loader
import TestSupport
import Testing

/// What tells that files are to be read again.
@Suite struct FileWatches {
    private let folder: TemporaryFolder
    private let file: String

    init() throws {
        folder = try TemporaryFolder()
        file = try folder.write("192.0.2.0/24,DE\n", to: "own.csv")
    }

    /// A watch of what a load of the feed has read.
    private func watch(_ geoData: String? = nil) -> FileWatch {
        var watch = FileWatch()
        let read = ReadFiles()
        _ = GeoData.load(geoData, geofeeds: [file], noting: read)
        watch.loaded(read, lookingBefore: [:], isGood: true)
        return watch
    }

    @Test func aChangeIsToldOnceAllIsQuiet() throws {
        var watch = watch()
        #expect(watch.fileCount == 1)
        #expect(watch.changes(watch.look()) == [])
        try folder.write("192.0.2.0/24,FR\n198.51", to: "own.csv")
        #expect(watch.changes(watch.look()) == [], "it may still be written")
        try folder.write("192.0.2.0/24,FR\n198.51.100.0/24,FR\n", to: "own.csv")
        #expect(watch.changes(watch.look()) == [], "it was")
        #expect(watch.changes(watch.look()) == [file])
        #expect(watch.changes(watch.look()) == [file], "nobody has read it")
        let before = watch.look()
        let read = ReadFiles()
        _ = GeoData.load(nil, geofeeds: [file], noting: read)
        watch.loaded(read, lookingBefore: before, isGood: true)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [])
    }

    /// What changes after it was read, and before the load has ended, is not missed.
    @Test func aChangeDuringALoadIsToldAfterIt() throws {
        var watch = watch()
        let before = watch.look()
        let read = ReadFiles()
        _ = GeoData.load(nil, geofeeds: [file], noting: read)
        try folder.write("192.0.2.0/24,FR\n198.51.100.0/24,FR\n", to: "own.csv")
        watch.loaded(read, lookingBefore: before, isGood: true)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [file])
    }

    @Test func aFailureIsToldOnce() throws {
        var watch = watch()
        try FileManager.default.removeItem(atPath: file)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [file])
        let before = watch.look()
        let read = ReadFiles()
        #expect(GeoData.load(nil, geofeeds: [file], noting: read).data == nil)
        watch.loaded(read, lookingBefore: before, isGood: false)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [])
        try folder.write("192.0.2.0/24,FR\n", to: "own.csv")
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [file])
    }

    /// A load that failed early has not come to the others.
    @Test func whatAFailedLoadHasNotReadIsNotTriedAgainAndAgain() throws {
        var watch = watch()
        try folder.write("192.0.2.0/24,FR\n198.51.100.0/24,FR\n", to: "own.csv")
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [file])
        let before = watch.look()
        watch.loaded(ReadFiles(), lookingBefore: before, isGood: false)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [])
        try folder.write("192.0.2.0/24,JP\n", to: "own.csv")
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [file])
    }

    @Test func databasesComeAndGoInTheirFolder() throws {
        let world = try folder.write(try smallDatabase(), to: "geo-data/world.mmdb")
        var watch = watch(folder.path + "/geo-data")
        #expect(watch.fileCount == 2)
        #expect(watch.changes(watch.look()) == [])
        try folder.write("half", to: "geo-data/.asn.mmdb.part")
        try folder.write("half", to: "geo-data/notes.txt")
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [], "no database")
        let other = try folder.write(try smallDatabase(), to: "geo-data/other.mmdb")
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [other])
        try FileManager.default.removeItem(atPath: other)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [], "as it was")
        try FileManager.default.removeItem(atPath: world)
        #expect(watch.changes(watch.look()) == [])
        #expect(watch.changes(watch.look()) == [world])
    }
}

/// A server takes up by itself what has changed.
@Suite struct WatchedFiles {
    private let folder: TemporaryFolder
    private let zone =
        zoneHead + """
            fra   REGION 50.03 8.57
                  A 198.51.100.20
            nrt   REGION 35.76 140.39
                  A 198.51.100.30
            www   GEO map=atlas fra nrt
            atlas MAP default nearest
                  MAP file=partners.csv
            fast  GEO fastest fra nrt rtt=times.csv

            """

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(try smallDatabase(), to: "geo-data/world.mmdb")
        try folder.write("203.0.113.192/26,JP\n", to: "own.csv")
    }

    private func start(_ watch: String) throws -> TestServer {
        // Beside the zone file, where the zone looks for them.
        let server = try TestServer(
            zones: [
                ("partners.csv", "203.0.113.0/25,nrt\n"), ("times.csv", "203.0.113.0/25,nrt,5\n"),
                ("example.com.zone", zone),
            ],
            geoData: folder.path + "/geo-data",
            arguments: ["--watch", watch, "--geofeed", folder.path + "/own.csv"])
        return server
    }

    private func answer(_ server: TestServer, _ name: String, _ subnet: String) -> [String]? {
        server.client.addresses("\(name).example.com", subnet: subnet)
    }

    /// A reload may still be under way.
    private func expect(
        _ server: TestServer, _ name: String, _ subnet: String, _ answers: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            eventually { answer(server, name, subnet) == answers },
            "\(answer(server, name, subnet) ?? [])", sourceLocation: sourceLocation)
    }

    /// As careful operators do it.
    private func replace(_ path: String, with text: String) throws {
        try text.write(toFile: path + ".new", atomically: false, encoding: .utf8)
        #expect(rename(path + ".new", path) == 0)
    }

    @Test func everyFileOfDataIsTakenUpAgain() throws {
        let server = try start("1")
        expect(server, "www", "203.0.113.7/32", ["198.51.100.30"])
        expect(server, "fast", "203.0.113.7/32", ["198.51.100.30"])
        expect(server, "www", "203.0.113.200/32", ["198.51.100.30"])
        #expect(try server.control("status").text.contains(#/watching +4 files, every 1 s\n/#))
        let zones = server.folder.path + "/zones"

        try replace(zones + "/partners.csv", with: "203.0.113.0/25,fra\n")
        #expect(server.process.waitForOutput("partners.csv changed: reloading"))
        expect(server, "www", "203.0.113.7/32", ["198.51.100.20"])

        // In place.
        try server.folder.write(
            "203.0.113.0/25,nrt,50\n203.0.113.0/25,fra,5\n", to: "zones/times.csv")
        #expect(server.process.waitForOutput("times.csv changed: reloading"))
        expect(server, "fast", "203.0.113.7/32", ["198.51.100.20"])

        try folder.write("203.0.113.192/26,DE\n", to: "own.csv")
        #expect(server.process.waitForOutput("own.csv changed: reloading"))
        expect(server, "www", "203.0.113.200/32", ["198.51.100.20"])

        // Tokyo and Frankfurt change places.
        let other = try database([
            ("198.51.100.0/24", "JP", "AS", 35.69, 139.69),
            ("203.0.113.0/24", "DE", "EU", 50.11, 8.68),
        ])
        try folder.write(other, to: "geo-data/world.mmdb.new")
        let world = folder.path + "/geo-data/world.mmdb"
        #expect(rename(world + ".new", world) == 0)
        #expect(server.process.waitForOutput("world.mmdb changed: reloading"))
        expect(server, "www", "198.51.100.7/32", ["198.51.100.30"])
        #expect(server.process.stop() == 0)
    }

    @Test func aBrokenFileIsReportedOnceAndChangesNothing() throws {
        let server = try start("1")
        let partners = server.folder.path + "/zones/partners.csv"
        try replace(partners, with: "203.0.113.0/25,fra\n203.0.113.1/25,nrt\n")
        #expect(server.process.waitForOutput("partners.csv:2:1: error: "))
        #expect(server.process.waitForOutput("what was being served stays"))
        expect(server, "www", "203.0.113.7/32", ["198.51.100.30"])
        // Mended, it is taken; there has been one report of the mistake.
        try replace(partners, with: "203.0.113.0/25,fra\n")
        #expect(server.process.waitForOutput("partners.csv changed: reloading", count: 2))
        expect(server, "www", "203.0.113.7/32", ["198.51.100.20"])
        let reports = server.process.text.components(separatedBy: "what was being served stays")
        #expect(reports.count == 2)
    }

    @Test func whoSaysOffIsAskedFirst() throws {
        let server = try start("off")
        #expect(try server.control("status").text.contains(#/watching +nothing\n/#))
        try replace(server.folder.path + "/zones/partners.csv", with: "203.0.113.0/25,fra\n")
        #expect(try server.control("reload").status == 0)
        expect(server, "www", "203.0.113.7/32", ["198.51.100.20"])
        #expect(!server.process.text.contains("changed: reloading"))
    }

    @Test(arguments: ["0", "soon", "86401", "+5"]) func watchTakesSecondsOrOff(_ value: String)
        throws
    {
        let (status, text) = try run("geodnsd", "--watch", value, "--check")
        #expect(status == 2)
        #expect(text.contains("expected off, or a number from 1 to 86400"))
    }
}
