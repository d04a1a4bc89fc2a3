import Foundation
import TestSupport
import Testing

/// Every command of the pages that calls a program of ours is run, and does what the page says.
@Suite struct Examples {
    @Test(
        .enabled(
            if: FileManager.default.fileExists(
                atPath: Programs.packageFolder + "/geo-data/world-country.mmdb"),
            "make geo-data"),
        arguments: Example.pages)
    func doWhatThePageSays(_ page: String) throws {
        let examples = try Example.all(of: page).filter { example in
            !ExampleStage.notRun.contains { example.command.hasPrefix($0.begin) }
        }
        guard !examples.isEmpty else { return }
        let stage = try ExampleStage(page)
        let outcomes = try stage.run(examples)
        for (example, outcome) in zip(examples, outcomes) {
            let outcome = try #require(outcome, "\(example): not reached")
            let expected = ExampleStage.statuses.first { example.command.hasPrefix($0.begin) }
            #expect(
                outcome.status == expected?.status ?? 0,
                "\(example)\nends with status \(outcome.status):\n\(outcome.text)")
            let fault = example.fault(of: outcome.text)
            #expect(fault == nil, "\(fault ?? "")")
        }
    }

    /// No page goes unread, and no row of the tables stands for a command that is gone.
    @Test func areFoundAllAndNoMore() throws {
        let all = try Example.pages.flatMap { try Example.all(of: $0) }
        #expect(all.filter(\.isOurs).count >= 30)
        let begins =
            ExampleStage.statuses.map(\.begin) + ExampleStage.preparations.map(\.begin)
            + ExampleStage.notRun.map(\.begin)
        for begin in begins {
            #expect(all.contains { $0.command.hasPrefix(begin) }, "\(begin)")
        }
        // A command that stands beside a block would not be run.
        for page in Example.pages {
            let text = try String(
                contentsOfFile: Programs.packageFolder + "/" + page, encoding: .utf8)
            let here = all.filter { $0.page == page }
            let found = Set(here.map(\.line))
            let printed = Set(here.flatMap { $0.output ?? [] })
            for (index, line) in text.components(separatedBy: "\n").enumerated()
            where !printed.contains(line)
                && line.contains(#/^\s*(\$ )?(geodnsd|geodnsctl|geodns-check|geodns-mmdb) -?-?\w/#)
            {
                #expect(found.contains(index + 1), "\(page):\(index + 1): \(line)")
            }
        }
    }

    /// The reader of the pages sees what is printed otherwise.
    @Test func aWrongOutputIsSeen() {
        let example = Example(
            page: "page", line: 1, command: "x",
            output: ["since 2026-01-01T00:00:00Z  …  ms", "…", "end"])
        #expect(example.fault(of: "since 2026-11-21T18:00:03Z   5   ms\nend\n") == nil)
        #expect(example.fault(of: "since 2026-11-21T18:00:03Z  5  ms\na\nb\nend\n\n") == nil)
        #expect(example.fault(of: "since 2026-11-21T18:00:03Z  5  s\nend\n") != nil)
        #expect(example.fault(of: "since 2026-11-21T18:00:03Z  5  ms\nend\nmore\n") != nil)
        #expect(example.fault(of: "") != nil)
    }
}
