import Foundation
import TestSupport
import Testing

/// `geodnsd --config FILE`.
@Suite(.timeLimit(.minutes(2))) struct SettingsFiles {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(zoneHead, to: "zones/example.com.zone")
    }

    /// Status and output of `geodnsd --check` with this file; its path is `FILE` in the output.
    private func check(
        _ text: String, _ arguments: String...
    ) throws -> (status: Int32?, text: String) {
        let file = try folder.write(text, to: "geodnsd.yaml")
        let (status, output) = try RunningProcess.run(
            Programs.own("geodnsd"), ["--config", file, "--check"] + arguments)
        return (status, output.replacing(file, with: "FILE"))
    }

    @Test func theFileSaysWhatTheOptionsSay() throws {
        let file = try folder.write(
            """
            # Comments, both ways of writing a list, and a mapping inside.
            zones: \(folder.path)/zones
            geo-data: none
            control: \(folder.path)/control.sock
            listen:
              - 127.0.0.1@0
              - "[::1]@0"
            workers: 1
            version:
              text: from the file
            """, to: "geodnsd.yaml")
        let server = try RunningProcess(Programs.own("geodnsd"), ["--config", file])
        defer { _ = server.stop() }
        #expect(server.waitForOutput(" ready"))
        let (status, text) = try RunningProcess.run(
            Programs.own("geodnsctl"), ["--control", folder.path + "/control.sock", "status"])
        #expect(status == 0)
        #expect(text.contains(/127\.0\.0\.1@[1-9]/))
        #expect(text.contains(/::1@[1-9]/))
    }

    @Test func theCommandLineWins() throws {
        let text = "zones: /nowhere\nworkers: 1\nlisten: [192.0.2.1, 192.0.2.2]\n"
        #expect(try check(text).status == 1)
        let zones = folder.path + "/zones"
        #expect(try check(text, "--zones", zones, "--geo-data", "none").status == 0)
    }

    @Test(arguments: ["", "# nothing\n", "---\n"])
    func aFileMayBeEmpty(_ text: String) throws {
        let zones = folder.path + "/zones"
        #expect(try check(text, "--zones", zones, "--geo-data", "none").status == 0)
    }

    @Test(arguments: [
        ("workers: 0\n", "FILE:1:10: error: workers 0: expected a number from 1 to 1024"),
        (
            "log: text\nlisten:\n  - 127.0.0.1\n  - localhost\n",
            "FILE:4:5: error: listen localhost: expected an IP address and perhaps a port, like "
                + "192.0.2.53@53 or [2001:db8::53]@53"
        ),
        ("workers:\n", "FILE:1:9: error: workers has no value; expected N"),
        ("workers: [1, 2]\n", "FILE:1:10: error: workers: expected one value"),
        ("listen: {a: b}\n", "FILE:1:9: error: listen: expected values"),
        ("listen: [[a]]\n", "FILE:1:10: error: listen: expected a value"),
        (
            "workers: 1\nworkers: 2\n",
            "FILE:2:1: error: workers is given twice; line 1 has it already"
        ),
        ("check: true\n", "FILE:1:1: error: check is for the command line only"),
        ("config: other.yaml\n", "FILE:1:1: error: config is for the command line only"),
        ("- workers\n", "FILE:1:1: error: expected settings, each a line like `workers: 2`"),
        (
            "workers: 1\n---\nworkers: 2\n",
            "FILE:3:1: error: a second document; a settings file is one"
        ),
        (
            "a: &b 1\nlisten: *b\n",
            "FILE:2:9: error: an alias; settings are written out where they stand"
        ),
        (
            "workers: 1\n  log: text\n",
            "FILE:2:6: error: not YAML: mapping values are not allowed in this context"
        ),
        ("? [a]\n: b\n", "FILE:1:3: error: expected the name of a setting"),
    ])
    func whatIsWrongIsToldWithItsPlace(_ text: String, _ message: String) throws {
        let (status, output) = try check(text)
        #expect(status == 1)
        let lines = output.split(separator: "\n").map {
            String($0).replacing("geodnsd: ", with: "")
        }
        #expect(lines.contains(message), "\(output)")
    }

    /// All at once, and nothing inside an unknown setting is looked at.
    @Test func everyProblemOfTheFormIsTold() throws {
        let (status, output) = try check("wrokers: {a: [1, {b: c}]}\nlog:\ncookie:\n  sceret: x\n")
        #expect(status == 1)
        #expect(
            output.split(separator: "\n").map { $0.prefix { $0 != ";" } } == [
                "geodnsd: FILE:1:1: error: unknown setting wrokers",
                "FILE:2:5: error: log has no value",
                "FILE:4:3: error: unknown setting cookie-sceret",
            ])
    }

    @Test func aFileThatIsNotThereIsTold() throws {
        let (status, text) = try RunningProcess.run(
            Programs.own("geodnsd"), ["--config", folder.path + "/missing.yaml"])
        #expect(status == 1)
        #expect(
            text == "geodnsd: cannot read \(folder.path)/missing.yaml: no such file or directory\n")
        let other = try RunningProcess.run(
            Programs.own("geodnsd"), ["--config", folder.path + "/zones", "--check"])
        #expect(other.status == 1)
        #expect(other.text.contains("not YAML: input error"))
    }

    /// The file that is installed names every setting, and is right with all of them in force.
    @Test func theInstalledFileIsRight() throws {
        let sample = try String(
            contentsOfFile: Programs.packageFolder + "/packaging/geodnsd.yaml", encoding: .utf8)
        let help = try RunningProcess.run(Programs.own("geodnsd"), ["--help"]).text
        for match in help.matches(of: /--([a-z0-9-]+)/) {
            let common = ["config", "check", "help", "version", "manual", "completion"]
            if common.contains(String(match.1)) { continue }
            let name = try Regex("(?m)^#\(match.1):")
            #expect(sample.contains(name), "packaging/geodnsd.yaml does not tell of \(match.1)")
        }
        let settings = sample.replacing(/(?m)^#(?<setting>[a-z0-9-]+:)/) { $0.output.setting }
        let (status, output) = try check(
            settings, "--zones", folder.path + "/zones", "--geo-data", "none", "--cookie-secret",
            try folder.write("00112233445566778899aabbccddeeff\n", to: "secret"), "--geofeed",
            try folder.write("192.0.2.0/24,DE\n", to: "own.csv"))
        #expect(status == 0, "\(output)")
    }
}
