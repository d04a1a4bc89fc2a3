import Foundation
import TestSupport
import Testing

/// docs/geodns-check.schema.json holds for everything that `geodns-check --json` writes.
@Suite struct Schemas {
    private let schema: JSONSchema
    private let checked: CheckedZone

    init() throws {
        schema = try JSONSchema(
            path: Programs.packageFolder + "/docs/geodns-check.schema.json")
        checked = try CheckedZone(
            zoneHead + """
                fra   CHECK tcp port=1 every=5s timeout=1s
                fra   REGION 50.03 8.57 capacity=3000
                      A 127.0.0.1
                nrt   REGION 35.76 140.39
                      A 198.51.100.30
                app   60/10 GEO nearest fra nrt
                both  GEO weighted fra:3 nrt:1
                cdn   30 GEO failover edge.vendor.net.
                none  GEO failover nrt last-resort=none
                text  TXT "a \\"quoted\\" word"

                """)
    }

    /// Every line is as `definition` says.
    private func check(_ definition: String, _ words: [String]) throws {
        let (_, text) = try checked.check(["--json"] + words)
        let lines = text.split(separator: "\n")
        #expect(!lines.isEmpty)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            #expect(schema.faults(of: object, definition: definition) == [], "\(line)")
            #expect(schema.faults(of: object) == [], "\(line)")
        }
    }

    @Test func answersAreAsTheSchemaSays() throws {
        let names = ["app", "both", "cdn", "none", "text", "nothing"].map { $0 + ".example.com" }
        let clients = ["203.0.113.7", "8.8.8.8", "2001:db8:2::/48", "0.0.0.0/0"]
            .flatMap { ["--from", $0] }
        try check("answer", clients + ["--type", "A", "--type", "TXT", "www.example.org"] + names)
        try check("answer", clients + ["--down", "nrt", "--drain", "fra"] + names)
    }

    @Test func looksAtAllClientsAreAsTheSchemaSays() throws {
        try check("place", ["--matrix"])
        try check("movement", ["--each"])
        try check("movement", ["--each", "--demand", "5000"])
        try check("movement", ["--down", "nrt"])
        try check("movement", ["--compare", checked.folder.path + "/zones", "--down", "nrt"])
    }

    @Test func probesAreAsTheSchemaSays() throws {
        try check("probe", ["--probe"])
    }

    @Test func runningServersAreAsTheSchemaSays() throws {
        let port = freePort(on: "127.0.0.1")
        let (_, text) = try checked.check([
            "--json", "--server", "127.0.0.1@\(port)", "--from", "203.0.113.7", "app.example.com",
        ])
        let objects = try text.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8))
        }
        #expect(objects.count == 2)
        #expect(schema.faults(of: objects[0], definition: "liveSerial") == [])
        #expect(schema.faults(of: objects[1], definition: "liveAnswer") == [])
    }

    /// The test would see it.
    @Test func whatIsWrongIsFound() throws {
        let (_, text) = try checked.check(["--json", "--from", "203.0.113.7", "app.example.com"])
        for (from, to) in [
            ("\"ttl\":60", "\"ttl\":\"60\""), ("\"scope\":", "\"scopes\":"),
            ("\"health\":\"up\"", "\"health\":\"well\""), ("\"type\":\"A\",", ""),
            ("\"latitude\":35.69", "\"latitude\":135.69"),
        ] {
            let wrong = text.replacing(from, with: to)
            #expect(wrong != text)
            let object = try JSONSerialization.jsonObject(with: Data(wrong.utf8))
            #expect(schema.faults(of: object, definition: "answer") != [], "\(to)")
        }
    }
}
