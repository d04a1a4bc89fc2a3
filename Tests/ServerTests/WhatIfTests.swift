import Foundation
import TestSupport
import Testing

/// `geodns-check --down`, `--drain`, `--weight`, `--capacity` and `--demand`: what would be.
@Suite struct WhatIf {
    private let checked: CheckedZone

    init() throws {
        checked = try CheckedZone(
            zoneHead + """
                fra   REGION 50.03 8.57 capacity=3000
                      A 198.51.100.20
                nrt   REGION 35.76 140.39 capacity=2000
                      A 198.51.100.30
                app   60/10 GEO nearest fra nrt
                api   GEO weighted fra:3 nrt:1
                twin  GEO weighted fra:3 nrt:1
                back  GEO failover fra backup=nrt last-resort=none
                far   GEO failover nrt last-resort=none

                """)
    }

    private func check(_ words: String...) throws -> (status: Int32?, text: String) {
        try checked.check(words)
    }

    @Test func whoMovesAndWhoCarriesThem() throws {
        let (status, text) = try check("--down", "nrt", "app.example.com")
        #expect(status == 0)
        #expect(
            text == """
                app.example.com. over IPv4, with nrt down: 33.3 % get another answer, \
                9280 km farther on average
                                         before              after           capacity
                  fra                    66.7 %              100 %               3000
                  nrt                    33.3 %                0 %               2000
                  how much that is of a capacity: say how much there is with --demand
                  who moves
                  JP           33.3 %   nrt → fra
                app.example.com. over IPv6, with nrt down: 0 % get another answer
                                         before              after           capacity
                  fra                     100 %              100 %               3000
                  how much that is of a capacity: say how much there is with --demand

                """)
    }

    @Test func loadIsHeldAgainstCapacity() throws {
        let (status, text) = try check("--down", "fra", "--demand", "3000", "app.example.com")
        #expect(status == 1)
        let lines = text.split(separator: "\n")
        #expect(
            lines[2]
                == "  fra             2000   66.7 %         0      0 %               3000  0 % of it"
        )
        #expect(
            lines[3]
                == "  nrt             1000   33.3 %      3000    100 %               2000  "
                + "150.0 % of it  TOO MUCH")
        // With room for all of them it is fine; --capacity alone moves nobody.
        #expect(
            try check(
                "--down", "fra", "--demand", "3000", "--capacity", "nrt=3000", "app.example.com"
            ).status == 0)
        let small = try check("--capacity", "fra=1999", "--demand", "3000", "app.example.com")
        #expect(small.status == 1)
        #expect(small.text.contains("app.example.com. over IPv4: 0 % get another answer"))
    }

    @Test func demandIsReadFromAFile() throws {
        let file = try checked.folder.write(
            """
            prefix,count
            203.0.113.0/24,600   # Tokyo
            192.0.2.128/25, 300
            2001:db8:2::/48,50
            8.8.8.0/24,50

            """, to: "demand.csv")
        let (status, text) = try check("--down", "nrt", "--demand", file, "app.example.com")
        #expect(status == 0)
        #expect(
            text == """
                app.example.com. over \(file), with nrt down: 60.0 % get another answer, \
                9280 km farther on average
                                         before              after           capacity
                  fra              400   40.0 %      1000    100 %               3000  33.3 % of it
                  nrt              600   60.0 %         0      0 %               2000  0 % of it
                  who moves
                  JP           60.0 %   nrt → fra

                """)
        let (_, json) = try check(
            "--json", "--down", "nrt", "--demand", file, "app.example.com")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object["family"] is NSNull)
        #expect(object["moved"] as? Double == 0.6)
        let loads = object["loads"] as? [[String: Any]] ?? []
        #expect(loads.map { $0["target"] as? String } == ["fra", "nrt"])
        #expect(loads.map { $0["load"] as? Double } == [1000, 0])
        #expect(loads.map { $0["capacity"] as? Int } == [3000, 2000])
        // The other looks at all clients take it, too.
        let matrix = try check("--matrix", "--demand", file, "app.example.com")
        #expect(matrix.text.contains("all           100 %   nrt 60.0 %  fra 40.0 %"))
        #expect(matrix.text.contains("JP           60.0 %   nrt 100 %"))
    }

    /// What a region cannot carry is handed on as the server does, and told.
    @Test func fullRegionsHandOn() throws {
        let checked = try CheckedZone(
            zoneHead + """
                fra   REGION 50.03 8.57 capacity=1000
                      A 198.51.100.20
                nrt   REGION 35.76 140.39 capacity=2000
                      A 198.51.100.30
                first GEO failover fra nrt demand=1500

                """)
        let name = "first.example.com"
        let (status, text) = try checked.check(["--demand", "1500", name])
        #expect(status == 0)
        #expect(text.contains("fra             1000   66.7 %      1000   66.7 %"))
        #expect(text.contains("  fra is full: 500 (33.3 %) of its clients go to nrt\n"))
        // More than all can carry is shared in proportion, and too much.
        let over = try checked.check(["--demand", "6000", name])
        #expect(over.status == 1)
        #expect(over.text.contains("200.0 % of it  TOO MUCH"))
        #expect(try checked.check(["--demand", "900", name]).text.contains("is full") == false)
        let (_, json) = try checked.check(["--json", "--down", "nrt", "--demand", "900", name])
        #expect(json.contains("\"spilled\":[]"))
        let spilled = try checked.check(["--json", "--demand", "1500", name])
        #expect(spilled.text.contains(#""spilled":[{"from":"fra","to":"nrt","load":500.0}]"#))
        // The account of one client: by which hash, and what becomes of the others there.
        let account = try checked.check(["--from", "203.0.113.7", "--demand", "1500", name])
        #expect(account.status == 0)
        #expect(
            account.text.contains(
                "fra is over its capacity and keeps 66.7 %: 33.3 % of clients here go to nrt"))
        #expect(account.text.contains("203.0.113.0/24 has the hash "))
        let clients = (0..<256).map { "198.18.\($0).1" }.joined(separator: "\n")
        let file = try checked.folder.write(clients + "\n", to: "clients")
        let lines = try checked.check(["--from", "@" + file, "--demand", "1500", "--csv", name])
            .text.split(separator: "\n").dropFirst()
        let handedOn = lines.filter { $0.contains(",nrt,spill,24,") }.count
        #expect((60...110).contains(handedOn))
        #expect(lines.count { $0.contains(",fra,failover,24,") } == 256 - handedOn)
    }

    @Test func badLinesOfADemandFileAreAllNamed() throws {
        let file = try checked.folder.write(
            "203.0.113.0/24,600\nnowhere,1\n203.0.113.0/24\n203.0.113.0/24,many\n",
            to: "demand.csv")
        let (status, text) = try check("--demand", file, "app.example.com")
        #expect(status == 1)
        let number = "expected one number behind the prefix, as in 203.0.113.0/24,1500"
        #expect(
            text == """
                \(file):2:1: error: expected an address like 133.11.0.1 or a prefix like \
                203.0.113.0/24 without bits beyond its length, found 'nowhere'
                \(file):3:15: error: \(number)
                \(file):4:16: error: \(number)
                geodns-check: --demand \(file): expected lines like 203.0.113.0/24,1500

                """)
        #expect(try check("--demand", "/nonexistent", "app.example.com").status == 2)
    }

    /// Distance is a guess; where measurements say otherwise, they are told.
    @Test func measurementsThatDisagreeAreTold() throws {
        let file = try checked.folder.write(
            """
            # prefix,target,milliseconds
            203.0.113.0/24,nrt,180.5,40
            203.0.113.0/24,fra,30
            198.51.100.0/24,fra,10
            198.51.100.0/24,nrt,5
            192.0.2.0/25,nrt,60

            """, to: "rtt.csv")
        let (status, text) = try check("--rtt", file, "app.example.com")
        #expect(status == 0)
        #expect(
            text == """
                app.example.com. over \(file): 1 of 2 prefixes with a target that is 10 ms or more \
                behind the fastest, 150.5 ms on average
                  1 prefix with a target that was not measured from there
                  203.0.113.0/24  JP  nrt 180.5 ms, fra 30 ms: 150.5 ms slower

                """)
        let json = try check("--rtt", file, "--json", "app.example.com")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any])
        let schema = try JSONSchema(path: Programs.packageFolder + "/docs/geodns-check.schema.json")
        #expect(schema.faults(of: object, definition: "detour") == [])
        #expect(object["fastest"] as? String == "fra")

        let bad = try checked.folder.write(
            "203.0.113.0/24,mars,1\n203.0.113.0/24,fra\n203.0.113.0/24,fra,soon\n", to: "bad.csv")
        let refused = try check("--rtt", bad, "app.example.com")
        #expect(refused.status == 1)
        #expect(
            refused.text.contains("\(bad):1:16: error: no such target 'mars'; there are fra nrt"))
        #expect(
            refused.text.contains(
                "\(bad):2:19: error: expected prefix,target,milliseconds and perhaps samples"))
        #expect(
            refused.text.contains(
                "\(bad):3:20: error: milliseconds is a decimal number from 0 to 100000, "
                    + "found 'soon'"))
    }

    /// The file is the one of `rtt=`: blanks, names in full, samples.
    @Test func measurementsAreReadAsTheZoneReadsThem() throws {
        let file = try checked.folder.write(
            """
            203.0.113.0/24 , nrt.example.com. , 100 , 1
            203.0.113.0/24 , nrt , 40 , 3   # 55 ms in all
            203.0.113.0/24 , fra , 30

            """, to: "rtt.csv")
        let (status, text) = try check("--rtt", file, "app.example.com")
        #expect(status == 0)
        #expect(text.contains("  203.0.113.0/24  JP  nrt 55 ms, fra 30 ms: 25 ms slower\n"))
    }

    @Test func failuresThatAreNotSurvivedAreNamed() throws {
        let (status, text) = try check("--each", "--demand", "3000", "app.example.com")
        #expect(status == 1)
        #expect(text.contains("    nrt gets 3000, and can carry 2000\n"))
        #expect(text.contains("  not survived: the failure of fra\n"))
        #expect(!text.contains("of nrt"))
        let fine = try check("--each", "--demand", "2000", "app.example.com")
        #expect(fine.status == 0)
        #expect(!fine.text.contains("not survived"))
    }

    @Test func weightsAreThoseOfOneName() throws {
        let (status, text) = try check(
            "--weight", "api.example.com=fra:1,nrt:1", "api.example.com", "twin.example.com")
        #expect(status == 0)
        #expect(
            text.contains(
                "api.example.com. over IPv4, with api.example.com. at fra:1,nrt:1: 25.0 % get another"
            ))
        #expect(text.contains("  fra                    75.0 %             50.0 %"))
        #expect(
            text.contains("twin.example.com. over IPv4, with api.example.com. at fra:1,nrt:1: 0 %"))
        // Clients get what it would be, too.
        let only = try check(
            "--csv", "--from", "203.0.113.7", "--weight", "api.example.com=fra:0", "api.example.com"
        )
        #expect(only.text.contains(",nrt,weighted,"))
    }

    /// What is drained gets nobody while something else is up; unlike what is down it still serves
    /// as a last resort.
    @Test func drainedTargetsGetNobody() throws {
        let (status, text) = try check("--drain", "fra", "app.example.com")
        #expect(status == 0)
        #expect(text.contains("with fra drained: 66.7 % get another answer"))
        let both = try check(
            "--csv", "--from", "203.0.113.7", "--drain", "fra", "--down", "nrt", "app.example.com")
        #expect(both.text.contains(",198.51.100.20,10,fra,last-resort,"))
    }

    @Test func whoGetsNothingIsToldOf() throws {
        let (status, text) = try check("--down", "nrt", "far.example.com")
        #expect(status == 1)
        #expect(text.contains("100 % get a last resort, or nothing"))
        #expect(try check("--down", "fra", "back.example.com").status == 0)
    }

    @Test(arguments: [
        (["--down", "mars"], "--down mars: no such region or target; there are fra nrt"),
        (["--drain", "mars"], "--drain mars: no such region or target; there are fra nrt"),
        (["--capacity", "mars=1"], "--capacity mars: no such region; there are fra nrt"),
        (
            ["--capacity", "fra"],
            "--capacity fra: expected a region and a whole number, like fra=2000"
        ),
        (["--demand", "0"], "--demand 0: expected a file, or a number above 0"),
        (
            ["--weight", "api.example.com"],
            "--weight api.example.com: expected a GEO name and weights, like "
                + "app.example.com=fra:3,iad:1"
        ),
        (
            ["--weight", "api.example.com=fra"],
            "--weight api.example.com=fra: fra: expected TARGET:WEIGHT, like fra:3"
        ),
        (
            ["--weight", "api.example.com=iad:3"],
            "--weight api.example.com.: iad is none of its targets, which are fra nrt"
        ),
        (
            ["--weight", "app.example.com=fra:3"],
            "--weight app.example.com.: it is not weighted, so that weights change nothing"
        ),
        (
            ["--weight", "api.example.com=fra:0,nrt:0"],
            "--weight api.example.com.: the weights make 0, expected 1 to 4294967295"
        ),
        (
            ["--weight", "no.example.com=fra:3"],
            "--weight no.example.com.: no such GEO name; there are app.example.com. "
                + "api.example.com. twin.example.com. back.example.com. far.example.com."
        ),
    ])
    func wrongSuppositionsAreRefused(_ words: [String], _ message: String) throws {
        let (status, text) = try checked.check(words)
        #expect(status == 2)
        #expect(text == "geodns-check: \(message)\n")
    }
}
