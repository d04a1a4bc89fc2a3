import Addressing
import Foundation
import TestSupport
import Testing

/// `geodns-check --from @FILE` and `--from -`: any number of clients, a line for each answer.
@Suite struct Batches {
    private let checked: CheckedZone
    private var folder: TemporaryFolder { checked.folder }
    private let header = "client,name,type,rcode,answers,ttl,target,reason,scope,network,country"

    init() throws {
        checked = try CheckedZone(
            zoneHead + """
                fra   REGION 50.03 8.57
                      A 198.51.100.20
                      AAAA 2001:db8:2::10
                nrt   REGION 35.76 140.39
                      A 198.51.100.30
                      A 198.51.100.31
                app   60/10 GEO nearest fra nrt
                www   CNAME app
                cdn   30 GEO failover edge.vendor.net.
                both  GEO weighted fra:3 nrt:1 by=query
                some  GEO weighted fra:3 nrt:1 by=client
                near  GEO failover app nrt
                turn  GEO round-robin fra nrt
                hash  GEO hash fra nrt
                pair  GEO nearest fra nrt answers=2
                any   GEO all fra nrt
                text  TXT "a, \\"quoted\\" word"

                """)
    }

    private func clients(_ text: String) throws -> String {
        "@" + (try folder.write(text, to: "clients"))
    }

    @Test func theTableHasALineForEachAnswer() throws {
        let (status, text) = try checked.check([
            "--from", "192.0.2.1", "--from", try clients("203.0.113.7\n198.51.100.0/25\n"),
            "--type", "A", "--type", "TXT", "www.example.com", "text.example.com",
        ])
        #expect(status == 0)
        let quoted = #""""a, \""quoted\"" word""""#
        #expect(
            text == """
                \(header)
                192.0.2.1,www.example.com.,A,NOERROR,198.51.100.20,60,fra,nearest,9,192.0.2.0/24,US
                192.0.2.1,www.example.com.,TXT,NOERROR,,60,,static,0,192.0.2.0/24,US
                192.0.2.1,text.example.com.,A,NOERROR,,60,,static,0,192.0.2.0/24,US
                192.0.2.1,text.example.com.,TXT,NOERROR,\(quoted),3600,,static,0,192.0.2.0/24,US
                203.0.113.7,www.example.com.,A,NOERROR,198.51.100.30 198.51.100.31,\
                60,nrt,nearest,24,203.0.113.0/24,JP
                203.0.113.7,www.example.com.,TXT,NOERROR,,60,,static,0,203.0.113.0/24,JP
                203.0.113.7,text.example.com.,A,NOERROR,,60,,static,0,203.0.113.0/24,JP
                203.0.113.7,text.example.com.,TXT,NOERROR,\(quoted),3600,,static,0,203.0.113.0/24,JP
                198.51.100.0/25,www.example.com.,A,NOERROR,198.51.100.20,60,fra,nearest,11,\
                198.51.100.0/24,DE
                198.51.100.0/25,www.example.com.,TXT,NOERROR,,60,,static,0,198.51.100.0/24,DE
                198.51.100.0/25,text.example.com.,A,NOERROR,,60,,static,0,198.51.100.0/24,DE
                198.51.100.0/25,text.example.com.,TXT,NOERROR,\(quoted),\
                3600,,static,0,198.51.100.0/24,DE

                """)
        #expect(
            try checked.check(["--csv", "--from", "203.0.113.7", "cdn.example.com"]).text == """
                \(header)
                203.0.113.7,cdn.example.com.,A,NOERROR,edge.vendor.net.,30,\
                edge.vendor.net.,failover,0,203.0.113.0/24,JP

                """)
    }

    /// What is remembered of one client is right for the next, too.
    @Test func linesAreThoseOfClientsOneByOne() throws {
        var random = SeededGenerator(seed: 7)
        var clients = [
            "0.0.0.0/0", "::/0", "2001:db8:2::/48", "::ffff:203.0.113.9", "2002:cb00:7107::",
        ]
        for _ in 0..<60 {
            let part = ["192.0.2", "198.51.100", "203.0.113", "8.8.8"].randomElement(using: &random)
            clients.append("\(part ?? "").\(Int.random(in: 0...255, using: &random))")
            clients.append("2001:db8:\(Int.random(in: 1...3, using: &random))::1")
        }
        for names in [
            ["app.example.com"], ["www.example.com"], ["near.example.com"], ["some.example.com"],
            ["hash.example.com"], ["pair.example.com"], ["any.example.com"],
            ["cdn.example.com"], ["no.example.com"], ["www.example.org"],
        ] {
            for type in ["A", "AAAA", "TXT"] {
                let options = ["--json", "--type", type, "--down", "nrt"] + names
                let file = try self.clients(clients.joined(separator: "\n"))
                let together = try checked.check(["--from", file] + options)
                let single = try checked.check(clients.flatMap { ["--from", $0] } + options)
                #expect(together.status == 0)
                #expect(together.text == single.text)
            }
        }
    }

    @Test func clientsComeFromStandardInputInBlocksOfAnySize() throws {
        // Several blocks; CR LF, blanks and comments; no newline at the end.
        var lines: [String] = []
        for index in 0..<40_000 {
            lines.append("  203.0.113.\(index % 256)\(index % 3 == 0 ? " # comment" : "")\r")
        }
        let file = try folder.write(lines.joined(separator: "\n"), to: "many")
        let (status, text) = try RunningProcess.run(
            "/bin/sh",
            [
                "-c",
                "cat '\(file)' | '\(Programs.own("geodns-check"))' --zones '\(folder.path)/zones' "
                    + "--geo-data '\(folder.path)/world.mmdb' --from - app.example.com",
            ])
        #expect(status == 0)
        let answers = text.split(separator: "\n")
        #expect(answers.count == 40_001)
        for (index, answer) in answers.dropFirst().enumerated() {
            guard answer.hasPrefix("203.0.113.\(index % 256),app.example.com.,A,NOERROR,") else {
                Issue.record("line \(index): \(answer)")
                break
            }
        }
    }

    @Test func badLinesAreNamedAndTheOthersAnswered() throws {
        let long = String(repeating: "1", count: 300_000)
        let (status, text) = try checked.check([
            "--from", try clients("bogus\n\(long)\n203.0.113.7\n"), "app.example.com",
        ])
        #expect(status == 1)
        #expect(text.contains("clients:1:1: error: expected an address like 133.11.0.1"))
        #expect(text.contains("clients:2:1: error: "))
        #expect(text.contains("203.0.113.7,app.example.com.,A,NOERROR,"))
        let many = String(repeating: "x\n", count: 5000)
        let flooded = try checked.check(["--from", try clients(many), "app.example.com"])
        #expect(flooded.text.contains("clients:100:1: error:"))
        #expect(!flooded.text.contains("clients:101:1: error:"))
        #expect(flooded.text.hasSuffix("geodns-check: --from: 5000 lines to mend\n"))
    }

    /// Each line is a draw of its own.
    @Test func drawnSharesComeAsOftenAsTheyWeigh() throws {
        let file = try clients(String(repeating: "203.0.113.7\n", count: 4000))
        let (_, text) = try checked.check(["--from", file, "both.example.com"])
        let frankfurt = text.split(separator: "\n").count { $0.contains(",fra,weighted,") }
        #expect((2850...3150).contains(frankfurt))
    }

    @Test func turnsGoOnFromLineToLine() throws {
        let file = try clients(String(repeating: "203.0.113.7\n", count: 6))
        let (_, text) = try checked.check(["--from", file, "turn.example.com"])
        let targets = text.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[6] }
        #expect(targets == ["fra", "nrt", "fra", "nrt", "fra", "nrt"])
    }

    @Test func progressIsShownAtATerminalOnly() throws {
        let script = try #require(Programs.find("script"), "bsdutils is essential in Debian")
        let file = try folder.write(
            String(repeating: "203.0.113.7\n", count: 400_000), to: "clients")
        let command =
            "'\(Programs.own("geodns-check"))' --zones '\(folder.path)/zones' "
            + "--geo-data '\(folder.path)/world.mmdb' --from '@\(file)' app.example.com"
        let shown = try RunningProcess.run(
            script, ["-qec", command + " > /dev/null", "/dev/null"])
        #expect(shown.status == 0)
        #expect(shown.text.contains("clients, "))
        #expect(shown.text.contains("#"))
        #expect(shown.text.hasSuffix("\r\u{1b}[K"))
        let unseen = try RunningProcess.run("/bin/sh", ["-c", command + " > /dev/null"])
        #expect(unseen.text == "")
    }

    @Test func whatCannotBeWrittenIsTold() throws {
        let file = try clients(String(repeating: "203.0.113.7\n", count: 10))
        let (status, text) = try RunningProcess.run(
            "/bin/sh",
            [
                "-c",
                "'\(Programs.own("geodns-check"))' --zones '\(folder.path)/zones' --geo-data "
                    + "'\(folder.path)/world.mmdb' --from '\(file)' app.example.com > /dev/full",
            ])
        #expect(status == 1)
        #expect(text == "geodns-check: cannot write standard output: No space left on device\n")
    }

    @Test(arguments: [
        (
            ["--csv", "--json", "--from", "192.0.2.1", "x.example.com"],
            "--json and --csv: one of them"
        ),
        (["--csv", "--matrix"], "--csv is for answers to clients (--from)"),
        (["--from", "-"], "--from needs a NAME to ask for"),
    ])
    func wrongUsageIsStatus2(_ words: [String], _ message: String) throws {
        let (status, text) = try RunningProcess.run(Programs.own("geodns-check"), words)
        #expect(status == 2)
        #expect(text == "geodns-check: \(message)\n")
    }
}
