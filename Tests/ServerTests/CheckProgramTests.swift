import Foundation
import TestSupport
import Testing

/// What `geodns-check` promises to scripts: its JSON, its exit status, its messages.
@Suite struct CheckProgram {
    private let checked: CheckedZone
    private var folder: TemporaryFolder { checked.folder }

    static let zone =
        zoneHead + """
            fra   REGION 50.03 8.57
                  A 198.51.100.20
                  AAAA 2001:db8:2::10
            nrt   REGION 35.76 140.39
                  A 198.51.100.30
            app   60/10 GEO nearest fra nrt
            www   CNAME app
            cdn   30 GEO failover edge.vendor.net.
            only  GEO failover nrt last-resort=none
            text  TXT "a \\"quoted\\" word"

            """

    init() throws { checked = try CheckedZone(CheckProgram.zone) }

    private func check(_ arguments: String...) throws -> (status: Int32?, text: String) {
        try checked.check(arguments)
    }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)"
            )
        }
    }

    // MARK: - JSON

    /// Byte for byte: others parse this with line tools.
    @Test func theJSONIsExactlyTheContract() throws {
        let (status, text) = try check("--json", "--from", "203.0.113.7", "app.example.com")
        #expect(status == 0)
        #expect(
            text == #"{"client":"203.0.113.7","name":"app.example.com.","type":"A","#
                + #""rcode":"NOERROR","answers":["198.51.100.30"],"ttl":60,"target":"nrt","#
                + #""reason":"nearest","scope":24,"network":"203.0.113.0/24","#
                + #""location":{"country":"JP","continent":"AS","latitude":35.69,"#
                + #""longitude":139.69},"candidates":[{"target":"nrt","distanceKilometers":64,"#
                + #""health":"up"},{"target":"fra","distanceKilometers":9344,"health":"up"}]}"#
                + "\n")
    }

    @Test func everyResultHasEveryKey() throws {
        let (status, text) = try check(
            "--json", "--from", "203.0.113.7", "--from", "198.51.100.0/24", "--from", "8.8.8.8",
            "--from", "2001:db8:2::1", "--type", "A", "--type", "AAAA", "--type", "TXT",
            "app.example.com", "www.example.com", "cdn.example.com", "text.example.com",
            "nothing.example.com", "www.example.org")
        #expect(status == 0)
        let all = try objects(text)
        #expect(all.count == 6 * 3 * 4)
        let keys: Set = [
            "client", "name", "type", "rcode", "answers", "ttl", "target", "reason", "scope",
            "network", "location", "candidates",
        ]
        for object in all {
            #expect(Set(object.keys) == keys)
            #expect(
                Set((object["location"] as? [String: Any] ?? [:]).keys)
                    == ["country", "continent", "latitude", "longitude"])
            for candidate in object["candidates"] as? [[String: Any]] ?? [] {
                #expect(Set(candidate.keys) == ["target", "distanceKilometers", "health"])
            }
        }
        // By name, then type, then client.
        #expect(
            all.prefix(5).map { $0["client"] as? String ?? "" }
                == ["203.0.113.7", "198.51.100.0/24", "8.8.8.8", "2001:db8:2::1", "203.0.113.7"])
        #expect(all.prefix(5).map { $0["type"] as? String ?? "" } == ["A", "A", "A", "A", "AAAA"])
        #expect(
            all[2]["location"] as? [String: NSNull]
                == ["country", "continent", "latitude", "longitude"].reduce(into: [:]) {
                    $0[$1] = NSNull()
                })
    }

    @Test(
        arguments: [
            ("www.example.com", "A", "NOERROR", ["198.51.100.30"], "nearest", "nrt"),
            ("app.example.com", "AAAA", "NOERROR", [], "nearest", "nrt"),
            (
                "cdn.example.com", "A", "NOERROR", ["edge.vendor.net."], "failover",
                "edge.vendor.net."
            ),
            ("fra.example.com", "A", "NOERROR", ["198.51.100.20"], "static", nil),
            ("text.example.com", "TXT", "NOERROR", [#""a \"quoted\" word""#], "static", nil),
            ("text.example.com", "A", "NOERROR", [], "static", nil),
            ("nothing.example.com", "A", "NXDOMAIN", [], "static", nil),
            ("www.example.org", "A", "REFUSED", [], "static", nil),
        ] as [(String, String, String, [String], String, String?)])
    func resultsOfAllKinds(
        _ name: String, _ type: String, _ rcode: String, _ answers: [String], _ reason: String,
        _ target: String?
    ) throws {
        let (status, text) = try check("--json", "--from", "203.0.113.7", "--type", type, name)
        #expect(status == 0)
        let object = try #require(try objects(text).first)
        #expect(object["rcode"] as? String == rcode)
        #expect(object["answers"] as? [String] == answers)
        #expect(object["reason"] as? String == reason)
        #expect(object["target"] as? String == target)
    }

    // MARK: - --down

    @Test func aTargetThatIsDownIsPassedOver() throws {
        let (status, text) = try check(
            "--json", "--from", "203.0.113.7", "--down", "nrt", "app.example.com",
            "only.example.com")
        #expect(status == 0)
        let all = try objects(text)
        #expect(all[0]["answers"] as? [String] == ["198.51.100.20"])
        #expect(all[0]["ttl"] as? Int == 10)
        let candidates = all[0]["candidates"] as? [[String: Any]] ?? []
        #expect(candidates.map { $0["health"] as? String ?? "" } == ["down", "up"])
        #expect(all[1]["answers"] as? [String] == [])
        #expect(all[1]["reason"] as? String == "last-resort")
    }

    @Test func everythingDownIsAnsweredAsLastResort() throws {
        let (_, text) = try check(
            "--json", "--from", "203.0.113.7", "--down", "nrt", "--down", "fra.example.com.",
            "app.example.com")
        let object = try #require(try objects(text).first)
        #expect(object["reason"] as? String == "last-resort")
        #expect(object["answers"] as? [String] == ["198.51.100.30"])
    }

    @Test func anUnknownTargetIsWrongUsage() throws {
        let (status, text) = try check("--from", "203.0.113.7", "--down", "nrr", "app.example.com")
        #expect(status == 2)
        #expect(
            text == "geodns-check: --down nrr: no such region or target; did you mean nrt?\n")
    }

    // MARK: - Clients

    @Test func clientsComeFromAFile() throws {
        let file = try folder.write(
            "# resolvers\n203.0.113.7   # Tokyo\n\n\t198.51.100.0/24\r\n2001:db8:2::/48",
            to: "clients")
        let (status, text) = try check("--json", "--from", "@" + file, "app.example.com")
        #expect(status == 0)
        #expect(
            try objects(text).map { $0["client"] as? String ?? "" }
                == ["203.0.113.7", "198.51.100.0/24", "2001:db8:2::/48"])
    }

    @Test func badLinesOfAFileAreAllReported() throws {
        let file = try folder.write(
            "203.0.113.7\n  bogus # what\n203.0.113.7/24\n", to: "clients")
        let (status, text) = try check("--from", "@" + file, "app.example.com")
        #expect(status == 1)
        let expected =
            "expected an address like 133.11.0.1 or a prefix like 203.0.113.0/24 without bits "
            + "beyond its length"
        #expect(
            text == """
                \(file):2:3: error: \(expected), found 'bogus'
                \(file):3:1: error: \(expected), found '203.0.113.7/24'
                client,name,type,rcode,answers,ttl,target,reason,scope,network,country
                203.0.113.7,app.example.com.,A,NOERROR,198.51.100.30,60,nrt,nearest,24,\
                203.0.113.0/24,JP
                geodns-check: --from: 2 lines to mend

                """)
    }

    @Test(arguments: [
        (["app.example.com"], "who asks? give --from IP, --from CIDR or --from @FILE"),
        (["--from", "203.0.113.7"], "--from needs a NAME to ask for"),
        (
            ["--from", "tokyo", "app.example.com"],
            "--from tokyo: expected an address like 133.11.0.1 or a prefix like 203.0.113.0/24 "
                + "without bits beyond its length"
        ),
        (
            ["--from", "@/nonexistent", "app.example.com"],
            "--from @/nonexistent: cannot read /nonexistent: No such file or directory"
        ),
        (
            ["--type", "ADDRESS", "--from", "203.0.113.7", "app.example.com"],
            "--type ADDRESS: expected a record type, like A, AAAA or TYPE65"
        ),
        (["--from", "203.0.113.7", "a..b"], "a..b is no domain name"),
        (
            ["--sever", "x"],
            "unknown option --sever; did you mean --server? `geodns-check --help` lists them all"
        ),
    ])
    func wrongUsageIsStatus2(_ arguments: [String], _ message: String) throws {
        let (status, text) = try RunningProcess.run(Programs.own("geodns-check"), arguments)
        #expect(status == 2)
        #expect(text == "geodns-check: \(message)\n")
    }

    // MARK: - Text

    @Test func theTextTellsHowTheAnswerCameAbout() throws {
        let (status, text) = try check(
            "--from", "203.0.113.7", "--down", "nrt", "app.example.com")
        #expect(status == 0)
        #expect(
            text == """
                app.example.com. A from 203.0.113.7
                  client     203.0.113.0/24 of Test-City: JP, continent AS, 35.69 139.69
                  name       app.example.com. \
                (\(folder.path)/zones/example.com.zone:10:13): nearest \
                that is up
                    1. nrt  64 km  down
                    2. fra  9344 km  up  <- chosen
                  ttl        10: app.example.com. says 60/10, and not all is up
                  scope      /24: holds for 203.0.113.0/24
                  status     NOERROR
                  answer     app.example.com.  10  IN  A  198.51.100.20


                """)
    }

    @Test func coloursAreForTerminalsOnly() throws {
        let script = try #require(Programs.find("script"), "bsdutils is essential in Debian")
        let command =
            "'\(Programs.own("geodns-check"))' --zones '\(folder.path)/zones' --geo-data "
            + "'\(folder.path)/world.mmdb' --from 203.0.113.7 --down fra app.example.com"
        func output(_ environment: String) throws -> String {
            try RunningProcess.run(
                script, ["-qec", "env \(environment) \(command)", "/dev/null"]
            ).text
        }
        let coloured = try output("-u NO_COLOR TERM=xterm")
        #expect(coloured.contains("\u{1b}[32mup\u{1b}[0m"))
        #expect(coloured.contains("\u{1b}[31mdown\u{1b}[0m"))
        #expect(!(try output("NO_COLOR=1 TERM=xterm")).contains("\u{1b}"))
        #expect(!(try output("-u NO_COLOR TERM=dumb")).contains("\u{1b}"))
        let piped = try check("--from", "203.0.113.7", "--down", "fra", "app.example.com")
        #expect(!piped.text.contains("\u{1b}"))
    }

    @Test func theTextFitsAScreen() throws {
        let regions = (10..<70).map { "r\($0) REGION 0 \($0)\n    A 198.51.100.\($0)\n" }
        let names = (10..<70).map { "r\($0)" }
        try folder.write(
            zoneHead + regions.joined() + "app GEO failover \(names.joined(separator: " "))\n",
            to: "zones/example.com.zone")
        let down = (10..<60).flatMap { ["--down", "r\($0)"] }
        let (status, text) = try checked.check(
            down + ["--from", "203.0.113.7", "app.example.com"])
        #expect(status == 0)
        #expect(text.split(separator: "\n").count < 24)
        #expect(text.contains("    51. r60"))
        #expect(text.contains("    and 47 more\n"))
    }

    @Test func theTextTellsOfANameThatIsNotThere() throws {
        let (status, text) = try check("--from", "203.0.113.7", "nothing.example.com")
        #expect(status == 0)
        #expect(text.contains("  status     NXDOMAIN\n"))
        #expect(text.contains("  authority  example.com.  60  IN  SOA  ns1.example.com. "))
    }

    // MARK: - Zones

    @Test func withoutANameTheZonesAreChecked() throws {
        let fine = try check()
        #expect(fine.status == 0)
        #expect(
            fine.text == "\(folder.path)/zones/example.com.zone: example.com. serial 1 is fine: "
                + "8 records, 3 GEO names\n")
        try folder.write(
            CheckProgram.zone + "bad GEO nearest nowhere\n", to: "zones/example.com.zone")
        let bad = try check()
        #expect(bad.status == 1)
        #expect(bad.text.contains("example.com.zone:15:17: error: unknown target nowhere"))
        #expect(bad.text.hasSuffix("geodns-check: 1 error: nothing can be served\n"))
        // Nothing is explained from a zone with errors.
        #expect(try check("--from", "203.0.113.7", "app.example.com").status == 1)
    }

    @Test func withoutADatabaseNobodysPlaceIsTold() throws {
        let missing = try run(
            "geodns-check", "--zones", folder.path + "/zones", "--geo-data", "/nonexistent",
            "--from", "203.0.113.7", "app.example.com")
        #expect(missing.status == 1)
        #expect(missing.text.contains("/nonexistent: error: cannot read the location database"))
        let none = try run(
            "geodns-check", "--zones", folder.path + "/zones", "--geo-data", "none", "--json",
            "--from", "203.0.113.7", "app.example.com")
        #expect(none.status == 0)
        let object = try #require(try objects(none.text).first)
        #expect(object["network"] is NSNull)
        #expect(object["reason"] as? String == "default")
        #expect(object["answers"] as? [String] == ["198.51.100.20"])
    }

    // MARK: - The whole address space

    @Test func theMatrixTellsWhoIsSentWhere() throws {
        let (status, text) = try check("--matrix", "app.example.com")
        #expect(status == 0)
        #expect(
            text == """
                app.example.com. over IPv4
                  all           100 %   fra 66.7 %  nrt 33.3 %
                  DE           33.3 %   fra 100 %
                  JP           33.3 %   nrt 100 %
                  US           33.3 %   fra 100 %
                  unknown               fra 100 %
                app.example.com. over IPv6
                  all           100 %   fra 100 %
                  DE            100 %   fra 100 %
                  unknown               fra 100 %

                """)
        let objects = try objects(try check("--matrix", "--json", "app.example.com").text)
        #expect(objects.count == 8)
        #expect(objects[2]["place"] as? String == "JP")
        #expect(objects[2]["portion"] as? Double == 0.333333)
        let targets = objects[2]["targets"] as? [[String: Any]] ?? []
        #expect(targets.map { $0["target"] as? String } == ["nrt"])
        #expect(targets.map { $0["portion"] as? Double } == [1])
    }

    /// One after the other fails; what has no other target is named, and the status tells.
    @Test func eachFailureIsTried() throws {
        let (status, text) = try check("--each", "app.example.com", "only.example.com")
        #expect(status == 1)
        #expect(
            text == """
                app.example.com. over IPv4: one target after the other fails
                  fra          66.7 %   move, 6816 km farther on average; then: nrt 100 %
                  nrt          33.3 %   move, 9280 km farther on average; then: fra 100 %
                app.example.com. over IPv6: one target after the other fails
                  fra           100 %   move, 9344 km farther on average; then: nrt 100 %
                only.example.com. over IPv4: one target after the other fails
                  nrt           100 %   nobody takes over: 100 % get a last resort, or nothing
                  not survived: the failure of nrt
                only.example.com. over IPv6: one target after the other fails
                  nrt           100 %   nobody takes over: 100 % get a last resort, or nothing
                  not survived: the failure of nrt

                """)
        #expect(try check("--each", "app.example.com").status == 0)
        // What is down already cannot take over.
        let (withoutTokyo, told) = try check("--each", "--down", "nrt", "app.example.com")
        #expect(withoutTokyo == 1)
        #expect(told.contains("fra           100 %   nobody takes over"))
    }

    @Test func aComparisonTellsWhatMoves() throws {
        let changed = CheckProgram.zone
            .replacing("REGION 35.76 140.39", with: "REGION 38.95 -77.45")
            .replacing("A 198.51.100.30", with: "A 198.51.100.31")
        try folder.write(changed, to: "new/example.com.zone")
        let (status, text) = try check(
            "--compare", folder.path + "/new", "app.example.com", "cdn.example.com")
        #expect(status == 0)
        #expect(
            text == """
                app.example.com. over IPv4: 66.7 % get another answer, 1372 km farther on average
                  JP           33.3 %   nrt → fra
                  US           33.3 %   fra → nrt
                app.example.com. over IPv6: 0 % get another answer
                cdn.example.com. over IPv4: 0 % get another answer
                cdn.example.com. over IPv6: 0 % get another answer

                """)
        // A target with other addresses is another answer.
        let (_, only) = try check("--compare", folder.path + "/new", "only.example.com")
        #expect(only.contains("only.example.com. over IPv4: 100 % get another answer"))
        #expect(only.contains("nrt → nrt"))
        let limited = try check(
            "--compare", folder.path + "/new", "--max-moved", "50%", "app.example.com")
        #expect(limited.status == 1)
        #expect(
            limited.text.contains(
                "app.example.com. over IPv4: 66.7 % get another answer, more than --max-moved 50.0 %"
            ))
        #expect(
            try check(
                "--compare", folder.path + "/new", "--max-moved", "67", "app.example.com"
            ).status == 0)
    }

    @Test func anotherDatabaseIsCompared() throws {
        let moved = try database([
            ("192.0.2.0/24", "JP", "AS", 35.69, 139.69),
            ("198.51.100.0/24", "DE", "EU", 50.11, 8.68),
            ("203.0.113.0/24", "JP", "AS", 35.69, 139.69),
            ("2001:db8:2::/48", "DE", "EU", 50.11, 8.68),
        ])
        try folder.write(moved, to: "moved.mmdb")
        let (status, text) = try check(
            "--compare-geo", folder.path + "/moved.mmdb", "--max-moved", "1", "app.example.com")
        #expect(status == 1)
        #expect(text.contains("US           33.3 %   fra → nrt"))
    }

    @Test func aSurveyNeedsADatabase() throws {
        let (status, text) = try RunningProcess.run(
            Programs.own("geodns-check"),
            ["--zones", folder.path + "/zones", "--geo-data", "none", "--matrix"])
        #expect(status == 2)
        #expect(text.contains("the address space cannot be divided without --geo-data"))
    }

    @Test(arguments: [
        (["--matrix", "--each"], "one at a time"),
        (["--matrix", "--from", "192.0.2.1"], "--from asks for one client"),
        (["--matrix", "--max-moved", "2"], "--max-moved needs --compare or --compare-geo"),
        (["--compare", "x", "--max-moved", "200"], "expected a percentage like 2%, from 0 to 100"),
        (["--matrix", "text.example.com"], "text.example.com. is no GEO name"),
        (["--matrix", "--down", "mars"], "--down mars: no such region or target"),
    ])
    func wrongSurveysAreRefused(_ words: [String], _ message: String) throws {
        let (status, text) = try checked.check(words)
        #expect(status == 2)
        #expect(text.contains(message), "\(text)")
    }
}
