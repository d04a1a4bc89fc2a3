import Foundation
import TestSupport
import Testing

/// One pair of `Tests/Vectors/zones`: `NN-topic.zone` is the zone file `example.com.zone`, or
/// several files, each under a line `==> name <==`; `NN-topic.expected` is every problem of them,
/// one to a line, in the order `geodns-check` reports them.
struct ZoneVector: CustomTestStringConvertible, Sendable {
    static let folder = Programs.packageFolder + "/Tests/Vectors/zones/"

    static let all: [ZoneVector] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".zone") }.sorted()
            .map { ZoneVector(name: String($0.dropLast(5))) }
    }()

    let name: String
    var testDescription: String { name }

    var files: [(name: String, text: String)] {
        get throws {
            let text = try String(
                contentsOfFile: ZoneVector.folder + name + ".zone", encoding: .utf8)
            guard text.hasPrefix("==> ") else { return [("example.com.zone", text)] }
            return text.components(separatedBy: "==> ").dropFirst().map { part in
                let pieces = part.components(separatedBy: " <==\n")
                return (pieces[0], pieces.dropFirst().joined())
            }
        }
    }

    var expected: String {
        get throws {
            try String(contentsOfFile: ZoneVector.folder + name + ".expected", encoding: .utf8)
        }
    }

    var hasErrors: Bool { get throws { try expected.contains(": error: ") } }
}

@Suite struct ZoneVectors {
    /// `geodns-check` reports exactly what is expected, and ends with 1 for errors, 0 else.
    @Test(arguments: ZoneVector.all) func isReportedByTheChecker(_ vector: ZoneVector) throws {
        let folder = try TemporaryFolder()
        for file in try vector.files { try folder.write(file.text, to: file.name) }
        let (status, text) = try run("geodns-check", "--zones", folder.path, "--geo-data", "none")
        let problems = text.replacingOccurrences(of: folder.path + "/", with: "")
            .split(separator: "\n")
            .filter { $0.contains(": error: ") || $0.contains(": warning: ") }
        #expect(problems.map { $0 + "\n" }.joined() == (try vector.expected))
        #expect(status == (try vector.hasErrors ? 1 : 0))
    }

    /// The server says the same, word for word, and refuses to start with errors.
    @Test(arguments: ZoneVector.all) func isReportedByTheServer(_ vector: ZoneVector) throws {
        let folder = try TemporaryFolder()
        for file in try vector.files { try folder.write(file.text, to: file.name) }
        let (status, text) = try run(
            "geodnsd", "--check", "--zones", folder.path, "--geo-data", "none")
        #expect(status == (try vector.hasErrors ? 1 : 0))
        let said = text.replacingOccurrences(of: folder.path + "/", with: "")
        for line in try vector.expected.split(separator: "\n") {
            #expect(said.contains(" zone: \(line)\n"))
        }
    }

    @Test func thereAreManyVectors() throws {
        #expect(ZoneVector.all.count >= 70)
        #expect(try ZoneVector.all.count { try $0.hasErrors } >= 45)
    }
}

/// What does not fit into a vector file.
@Suite struct ZoneFolders {
    @Test func oneZoneFileIsEnough() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(zoneHead, to: "example.com.zone")
        let (status, text) = try run("geodns-check", "--zones", file, "--geo-data", "none")
        #expect(status == 0)
        #expect(
            text == "\(file): example.com. serial 1 is fine: 3 records, 0 GEO names\n")
    }

    @Test func anEmptyFolderIsAnError() throws {
        let folder = try TemporaryFolder()
        try folder.write("not a zone", to: "README.txt")
        let (status, text) = try run("geodns-check", "--zones", folder.path, "--geo-data", "none")
        #expect(status == 1)
        #expect(
            text.hasPrefix(
                "error: no zone file in \(folder.path); a zone example.com is read from "
                    + "example.com.zone\n"))
    }

    @Test func aMissingFolderIsAnError() throws {
        let (status, text) = try run(
            "geodns-check", "--zones", "/nonexistent/zones", "--geo-data", "none")
        #expect(status == 1)
        #expect(
            text.hasPrefix(
                "error: cannot read /nonexistent/zones: No such file or directory; "
                    + "expected a folder of NAME.zone files\n"))
    }

    /// Beside a good one: the others are checked all the same.
    @Test func anUnreadableFileIsAnError() throws {
        let folder = try TemporaryFolder()
        try folder.write("$TTL 1h\n@ NS ns.example.net.\n", to: "example.com.zone")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/example.org.zone", withDestinationPath: "nowhere")
        try folder.write("", to: "example.net.zone/file")
        let (status, text) = try run("geodns-check", "--zones", folder.path, "--geo-data", "none")
        #expect(status == 1)
        let lines = text.split(separator: "\n").map {
            $0.replacingOccurrences(of: folder.path + "/", with: "")
        }
        #expect(lines.contains("error: cannot read example.net.zone: Is a directory"))
        #expect(lines.contains("error: cannot read example.org.zone: No such file or directory"))
        #expect(
            lines.contains { $0.hasPrefix("example.com.zone:1:1: error: the zone example.com.") })
        #expect(lines.last == "geodns-check: 3 errors: nothing can be served")
    }

    /// What fits into one message is fine, one more is not; 70,000 do not fit into a counter.
    @Test(arguments: [(3_750, 0), (3_751, 1), (70_000, 1)])
    func anRRsetMustFitIntoAMessage(_ count: Int, _ expectedStatus: Int32) throws {
        let folder = try TemporaryFolder()
        var text = zoneHead
        for number in 0..<count {
            text += "www A 10.\(number >> 16).\(number >> 8 & 0xff).\(number & 0xff)\n"
        }
        let file = try folder.write(text, to: "example.com.zone")
        let (status, output) = try run("geodns-check", "--zones", file, "--geo-data", "none")
        #expect(status == expectedStatus)
        if expectedStatus == 1 {
            #expect(
                output.hasPrefix(
                    "\(file):3755:5: error: the A records of www.example.com. do not fit into one "
                        + "DNS message; "))
        }
    }

    /// The largest RRset of all is answered whole over TCP.
    @Test func theLargestRRsetIsAnswered() throws {
        let lines = (0..<3_750).map { "www A 10.0.\($0 >> 8).\($0 & 0xff)\n" }.joined()
        let server = try TestServer(zones: [("example.com.zone", zoneHead + lines)])
        #expect(server.client.addresses("www.example.com", overStream: true)?.count == 3_750)
        let truncated = try #require(server.client.ask("www.example.com"))
        #expect(truncated.isTruncated && truncated.answers.isEmpty)
    }
}
