import DNSWire
import Foundation
import Responder
import TestSupport
import Testing

/// The epoch: what two servers have in common, and what one of them has otherwise.
@Suite struct Epochs {
    private let checked: CheckedZone
    private let door: ScriptedDoor
    private var databaseFile: String { checked.folder.path + "/world.mmdb" }
    private let zone: String

    init() throws {
        door = try ScriptedDoor("127.0.5.1")
        // Who has looked once does not look again while the test lasts.
        zone =
            zoneHead + """
                fra   CHECK tcp port=\(door.port) every=10m fast=10m timeout=2s fall=1 rise=1
                      REGION 50.03 8.57
                      A 127.0.5.1
                nrt   REGION 35.76 140.39
                      A 198.51.100.30
                app   30 GEO nearest fra nrt
                both  30 GEO weighted fra:3 nrt:1 by=client

                """
        checked = try CheckedZone(zone)
    }

    private func serve(
        _ zone: String? = nil, geoData: String? = nil, to readers: String? = "127.0.0.0/8"
    ) throws -> TestServer {
        try TestServer(
            zones: [("example.com.zone", zone ?? self.zone)], geoData: geoData ?? databaseFile,
            arguments: readers.map { ["--epoch-to", $0] } ?? [])
    }

    private func message(_ server: TestServer) throws -> Message {
        let name = try #require(DomainName("EPOCH.geodns"))
        let query = Message.query(name, .txt, class: Query.classCH, identifier: 7)
        let response = try #require(server.client.exchange(query))
        return try #require(Message(response))
    }

    /// `zones=…` and so on.
    private func words(_ server: TestServer) throws -> [String] {
        var rest = try #require(try message(server).answers.first).rdata[...]
        var words: [String] = []
        while let length = rest.popFirst() {
            words.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        return words
    }

    private func check(_ servers: [TestServer], _ more: String...) throws -> (
        status: Int32?, text: String
    ) {
        try checked.check(
            servers.flatMap { ["--server", "127.0.0.1@\($0.port)"] }
                + ["--from", "203.0.113.7", "app.example.com"] + more)
    }

    private func title(_ server: TestServer) -> String { "127.0.0.1@\(server.port)" }

    // MARK: - Who is told

    @Test func isToldToThoseListedAlone() throws {
        let told = try serve()
        let answer = try message(told)
        #expect(answer.responseCode == 0)
        #expect(!answer.isAuthoritative)
        #expect(answer.answers.map(\.ttl) == [0])
        let epoch = try words(told)
        #expect(
            epoch.map { String($0.prefix { $0 != "=" }) } == [
                "zones", "places", "overrides", "health",
            ])
        #expect(epoch[2...] == ["overrides=none", "health=up"])
        #expect(try told.control("status").text.contains("epoch  "))
        #expect(
            try told.control("status").text.contains(epoch.joined(separator: " ")))
        // By default, and to everybody else, it is a name like any other of that class.
        for readers in [nil, "192.0.2.0/24", "2001:db8::/32"] {
            let silent = try serve(to: readers)
            let refused = try message(silent)
            #expect(refused.responseCode == 5)
            #expect(refused.answers.isEmpty)
            // The operator on the machine is told.
            #expect(
                try silent.control("status").text.contains(epoch.joined(separator: " ")))
        }
        let wrong = try run("geodnsd", "--epoch-to", "mars", "--check")
        #expect(wrong.status == 2)
        #expect(
            wrong.text.hasPrefix("geodnsd: --epoch-to mars: expected an IP address or a prefix"))
    }

    // MARK: - What it tells

    @Test func serversWithTheSameAreTheSame() throws {
        let servers = [try serve(), try serve(), try serve()]
        #expect(Set(try servers.map { try words($0) }).count == 1)
        let (status, text) = try check(servers)
        #expect(status == 0, "\(text)")
        #expect(text.contains("epoch zones="))
        for server in servers {
            #expect(text.contains("  \(title(server))  all the same\n"))
        }
    }

    /// A serial that was not raised does not hide it.
    @Test func otherZonesAreNamed() throws {
        let servers = [try serve(), try serve(zone + "text TXT \"new\"\n")]
        let (status, text) = try check(servers)
        #expect(status == 1)
        #expect(text.contains("  \(title(servers[0]))  all the same\n"))
        #expect(text.contains("  \(title(servers[1]))  DIFFERS: zones "))
        #expect(text.contains(", not of the files here\n"))
        #expect(text.contains("  \(title(servers[1]))  has other zones\n"))

        let json = try check(servers, "--json")
        #expect(json.status == 1)
        let objects = try json.text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let schema = try JSONSchema(path: Programs.packageFolder + "/docs/geodns-check.schema.json")
        let epochs = objects.filter { $0["epoch"] != nil }
        #expect(epochs.count == 2)
        for object in epochs {
            #expect(schema.faults(of: object, definition: "liveEpoch") == [])
            #expect(schema.faults(of: object) == [])
        }
        #expect(epochs.map { $0["agrees"] as? Bool } == [true, false])
        #expect(epochs[1]["differs"] as? [String] == ["zones"])
    }

    /// What a zone includes is a part of it, and so is the file of a map.
    @Test func filesThatAZoneNamesCount() throws {
        let mapped =
            zoneHead + """
                fra   REGION 50.03 8.57
                      A 198.51.100.20
                app   30 GEO map=atlas
                atlas MAP default fra
                      MAP file=more.csv

                """
        func epoch(_ rows: String) throws -> String {
            let server = try TestServer(
                zones: [("example.com.zone", mapped), ("more.csv", rows)], geoData: databaseFile,
                arguments: ["--epoch-to", "127.0.0.1"])
            return try words(server)[0]
        }
        let first = try epoch("10.0.0.0/8,fra\n")
        #expect(try epoch("10.0.0.0/8,fra\n") == first)
        #expect(try epoch("10.0.0.0/9,fra\n") != first)
    }

    @Test func anotherDatabaseIsNamed() throws {
        let other = try checked.folder.write(
            try database([
                ("192.0.2.0/24", "US", "NA", 39.04, -77.49),
                ("198.51.100.0/24", "DE", "EU", 50.11, 8.68),
                ("203.0.113.0/24", "JP", "AS", 35.69, 139.69),
                ("2001:db8:2::/48", "DE", "EU", 50.11, 8.69),
            ]), to: "other.mmdb")
        let servers = [try serve(), try serve(geoData: other), try serve(geoData: "none")]
        #expect(try words(servers[2])[1] == "places=none")
        let (status, text) = try check(servers)
        #expect(status == 1)
        #expect(text.contains("  \(title(servers[0]))  all the same\n"))
        #expect(text.contains("  \(title(servers[1]))  has another location database\n"))
        #expect(text.contains("places none, not of the location database here"))
    }

    @Test func otherOverridesAreNamed() throws {
        let servers = [try serve(), try serve(), try serve()]
        _ = try servers[1].control("drain", "nrt", "--reason", "one thing")
        let (status, text) = try check(servers)
        #expect(status == 1)
        #expect(text.contains(", unlike the other servers"))
        #expect(text.contains("has other overrides than the other servers"))
        #expect(text.contains("  \(title(servers[0]))  all the same\n"))
        // The same order counts as the same, whoever gave it and until when. That no file here says
        // so is nobody's fault, though answers are other than here.
        for server in [servers[0], servers[2]] {
            _ = try server.control("drain", "NRT", "--for", "3h")
        }
        #expect(Set(try servers.map { try words($0) }).count == 1)
        let all = try check(servers)
        #expect(all.text.contains("orders are in force (overrides "))
        #expect(!all.text.contains("other overrides"))
        for server in servers { _ = try server.control("clear", "nrt") }
        #expect(try words(servers[0])[2] == "overrides=none")
    }

    /// Two servers have seen the same front door, one of them while it was dead.
    @Test func anotherHealthIsNamed() throws {
        door.refuse()
        let late = try serve()
        #expect(try words(late)[3] != "health=up")
        try door.listenAgain()
        let others = [try serve(), try serve()]
        let (status, text) = try check([others[0], late, others[1]])
        #expect(status == 1)
        #expect(text.contains("has another health than the other servers"))
        #expect(text.contains("  \(title(others[0]))  all the same\n"))
        #expect(try words(others[1])[3] == "health=up")
    }

    @Test func aServerThatDoesNotTellIsNotBlamed() throws {
        let servers = [try serve(), try serve(to: nil)]
        let (status, text) = try check(servers)
        #expect(status == 0, "\(text)")
        #expect(
            text.contains("  \(title(servers[1]))  not told to us: geodnsd --epoch-to names who is")
        )
        let alone = try check([servers[1]])
        #expect(alone.status == 0)
        #expect(!alone.text.contains("epoch"))
        // Where something differs, it is said what would tell more.
        let other = try serve(zone.replacing("hostmaster 1 ", with: "hostmaster 2 "), to: nil)
        let hint = try check([other])
        #expect(hint.status == 1)
        #expect(
            hint.text.contains(
                "no server tells what it has otherwise; geodnsd --epoch-to lets them"))
    }

    /// A reload that changes a byte is another epoch; the same files again are the old one.
    @Test func aReloadChangesIt() throws {
        let server = try serve()
        let before = try words(server)
        try server.folder.write(zone + "; a remark\n", to: "zones/example.com.zone")
        #expect(try server.control("reload").status == 0)
        #expect(try words(server) != before)
        try server.folder.write(zone, to: "zones/example.com.zone")
        #expect(try server.control("reload").status == 0)
        #expect(try words(server) == before)
    }
}
