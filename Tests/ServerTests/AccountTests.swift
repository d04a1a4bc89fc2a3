import Foundation
import TestSupport
import Testing

/// Accounts of single answers by `geodns-check`: where the words stand that an answer comes from.
@Suite struct AnswerAccounts {
    private let checked: CheckedZone
    private var zoneFile: String { checked.folder.path + "/zones/example.com.zone" }

    init() throws {
        checked = try CheckedZone(
            zoneHead + """
                fra   REGION 50.03 8.57
                      A 198.51.100.20
                nrt   REGION 35.76 140.39
                      A 198.51.100.30
                app   30 GEO map=atlas
                fast  30 GEO fastest fra nrt rtt=rtt.csv
                both  30 GEO failover app
                atlas MAP default       nearest
                      MAP country=JP    fra nrt
                      MAP file=more.csv

                """)
        try checked.folder.write("# partners\n192.0.2.0/25,nrt\n", to: "zones/more.csv")
        try checked.folder.write(
            "203.0.113.0/24,nrt,180.25\n203.0.113.0/24,fra,30\n198.51.100.0/24,fra,8\n",
            to: "zones/rtt.csv")
    }

    private func check(_ words: String...) throws -> String {
        let (status, text) = try checked.check(words)
        #expect(status == 0, "\(text)")
        return text
    }

    @Test func theLineOfAMapIsTold() throws {
        let text = try check("--from", "203.0.113.7", "app.example.com")
        #expect(
            text.contains(
                """
                : map
                    line country=JP (\(zoneFile):13:7)
                    1. fra  9344 km  up  <- chosen
                    2. nrt  64 km  up

                """), "\(text)")
        let partner = try check("--from", "192.0.2.1", "both.example.com")
        #expect(
            partner.contains(
                "    line net=192.0.2.0/25 (\(checked.folder.path)/zones/more.csv:2:1)\n"),
            "\(partner)")
    }

    @Test func theRowsOfMeasurementsAreTold() throws {
        let folder = checked.folder.path
        let text = try check("--from", "203.0.113.7", "fast.example.com")
        #expect(
            text.contains(
                """
                    as measured from 203.0.113.0/24
                    1. fra  9344 km  30 ms (\(folder)/zones/rtt.csv:2)  up  <- chosen
                    2. nrt  64 km  180.3 ms (\(folder)/zones/rtt.csv:1)  up

                """), "\(text)")
        let half = try check("--from", "198.51.100.7", "fast.example.com")
        #expect(half.contains("nrt  9356 km  about 187 ms by distance  up"), "\(half)")
        let none = try check("--from", "192.0.2.1", "fast.example.com")
        #expect(!none.contains(" ms"))
    }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test func programsAreToldToo() throws {
        let schema = try JSONSchema(
            path: Programs.packageFolder + "/docs/geodns-check.schema.json")
        let found = try objects(
            try check(
                "--json", "--from", "203.0.113.7", "--from", "192.0.2.1", "app.example.com",
                "fast.example.com"))
        for object in found {
            #expect(schema.faults(of: object, definition: "answer") == [])
        }
        let lines = found.map { $0["mapLine"] as? [String: Any] }
        #expect(
            lines.map { $0?["selector"] as? String }
                == ["country=JP", "net=192.0.2.0/25", nil, nil])
        #expect(lines.map { $0?["line"] as? Int } == [13, 2, nil, nil])
        #expect(lines[0]?["file"] as? String == zoneFile)
        let candidates = found[2]["candidates"] as? [[String: Any]] ?? []
        #expect(candidates.map { $0["milliseconds"] as? Double } == [30, 180.25])
        #expect(
            candidates.first?["rows"] as? [String] == [checked.folder.path + "/zones/rtt.csv:2"])
        let unmeasured = found[3]["candidates"] as? [[String: Any]] ?? []
        #expect(unmeasured.allSatisfy { $0["milliseconds"] == nil && $0["rows"] == nil })
    }

    /// By the million they are the same objects: who has the same order from another line is told
    /// that line.
    @Test func batchesTellTheLineOfEachClient() throws {
        try checked.folder.write(
            "192.0.2.0/25,nrt\n192.0.2.128/26,nrt\n192.0.2.192/26,nrt\n", to: "zones/more.csv")
        let clients = ["192.0.2.1", "192.0.2.129", "192.0.2.193", "203.0.113.7", "192.0.2.2"]
        let file = try checked.folder.write(
            clients.map { $0 + "\n" }.joined(), to: "clients")
        let batch = try check("--json", "--from", "@" + file, "app.example.com")
        let single = try clients.map { try check("--json", "--from", $0, "app.example.com") }
        #expect(batch == single.joined())
        let found = try objects(batch).map { ($0["mapLine"] as? [String: Any])?["line"] as? Int }
        #expect(found == [1, 2, 3, 13, 1])
    }

    // MARK: - A stranger's hands

    /// What was expected is said, and what to do.
    @Test(arguments: [
        (["--form", "192.0.2.1"], 2, "unknown option --form; did you mean --from?"),
        (["--from"], 2, "--from needs a value: --from IP|CIDR|@FILE|-"),
        (["app.example.com"], 2, "who asks? give --from IP"),
        (["--from", "192.0.2.1"], 2, "--from"),
        (["--from", "192.0.2.1/24", "app.example.com"], 2, "without bits beyond its length"),
        (["--from", "@nowhere", "app.example.com"], 2, "cannot read nowhere"),
        (["--down", "frra", "app.example.com"], 2, "did you mean fra?"),
        (["--matrix", "ap.example.com"], 2, "did you mean app.example.com.?"),
        (["--max-moved", "2%"], 2, "--max-moved needs --compare or --compare-geo"),
        (["--json", "--csv", "--from", "192.0.2.1", "app.example.com"], 2, "one of them"),
        (["--expect", "nowhere"], 1, "cannot read nowhere"),
        (["--compare", "nowhere"], 1, "cannot read nowhere"),
        (["--compare-geo", "nowhere"], 1, "nowhere"),
        (["--state", "nowhere"], 1, "it is the folder that `geodnsd --state` names"),
    ])
    func aWrongWordIsAnswered(_ words: [String], _ status: Int32, _ message: String) throws {
        let found = try checked.check(words)
        #expect(found.status == status, "\(found.text)")
        #expect(found.text.contains(message), "\(found.text)")
        #expect(found.text.split(separator: "\n").count <= 2, "\(found.text)")
    }

    /// Before anything is installed: what is missing, and where it is looked for.
    @Test func aFolderThatIsNotThereIsTold() throws {
        let missing = try run("geodns-check", "--zones", "/nonexistent/zones", "--geo-data", "none")
        #expect(missing.status == 1)
        #expect(
            missing.text == """
                error: cannot read /nonexistent/zones: No such file or directory; expected a \
                folder of NAME.zone files
                geodns-check: 1 error: nothing can be served

                """)
        let empty = try TemporaryFolder()
        let nothing = try run("geodns-check", "--zones", empty.path, "--geo-data", "none")
        #expect(nothing.status == 1)
        #expect(
            nothing.text.contains(
                "no zone file in \(empty.path); a zone example.com is read from example.com.zone"))
    }

    /// A name outside all zones is asked of nobody: that is told, with what is near.
    @Test func aNameThatIsInNoZoneIsTold() throws {
        let text = try check("--from", "192.0.2.1", "app.exmaple.com")
        #expect(text.contains("  status     REFUSED\n"))
        #expect(text.contains("no zone here has it; did you mean app.example.com.?"), "\(text)")
        let far = try check("--from", "192.0.2.1", "www.example.net")
        #expect(far.contains("no zone here has it; there are example.com.\n"), "\(far)")
        let near = try check("--from", "192.0.2.1", "ap.example.com")
        #expect(near.contains("  status     NXDOMAIN\n"))
        #expect(near.contains("did you mean app.example.com.?"), "\(near)")
    }

    /// Lines of the help fit a terminal, and groups have headings.
    @Test(arguments: ["geodnsd", "geodns-check", "geodnsctl", "geodns-mmdb"])
    func theHelpFitsATerminal(_ program: String) throws {
        let (status, text) = try run(program, "--help")
        #expect(status == 0)
        for line in text.split(separator: "\n") {
            // A word that is longer than a line stands alone.
            let isOneWord = line.split(separator: " ").count == 1
            #expect(line.count <= 80 || line.hasPrefix("usage: ") || isOneWord, "\(line)")
        }
        #expect(text.contains("\noptions:\n"))
        #expect(text.contains("\nthe program itself:\n"))
    }
}
