import Addressing
import Foundation
import Testing

/// The built `geodns-mmdb`, beside the test bundle.
private let program =
    Bundle.allBundles.map(\.bundleURL)
    .map { $0.deletingLastPathComponent().appendingPathComponent("geodns-mmdb") }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("geodns-mmdb")

private struct Outcome {
    var status: Int32
    var output: String
    var errors: String
}

private func run(_ arguments: [String], epoch: String? = nil) throws -> Outcome {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    var environment = ProcessInfo.processInfo.environment
    environment["SOURCE_DATE_EPOCH"] = epoch
    process.environment = environment
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Both are short: neither pipe can fill while the other is read.
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    let errorData = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
        status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
        errors: String(decoding: errorData, as: UTF8.self))
}

/// A directory of its own, removed afterwards.
private func withDirectory(_ body: (URL) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("geodns-mmdb-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory)
}

@Test func theProgramBuildsFromCSV() throws {
    try withDirectory { directory in
        let input = directory.appendingPathComponent("own.csv")
        let database = directory.appendingPathComponent("own.mmdb")
        try "203.0.113.0/24,AS,JP,,Tokyo,35.68,139.69\n"
            .write(to: input, atomically: true, encoding: .utf8)
        let arguments = ["from-csv", "--input", input.path, "--output=\(database.path)"]
        let outcome = try run(arguments, epoch: "1234567890")
        #expect(outcome.status == 0, "\(outcome)")
        let bytes = [UInt8](try Data(contentsOf: database))
        let opened = try OpenDatabase(bytes)
        #expect(opened.metadata.build_epoch == 1_234_567_890)
        #expect(opened.lookup(IPAddress("203.0.113.5")!).value != nil)

        // Again, and without the variable: the input's modification time, never the clock.
        _ = try run(arguments, epoch: "1234567890")
        #expect([UInt8](try Data(contentsOf: database)) == bytes)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_600_000_000)],
            ofItemAtPath: input.path)
        #expect(try run(arguments).status == 0)
        let later = try OpenDatabase([UInt8](try Data(contentsOf: database)))
        #expect(later.metadata.build_epoch == 1_600_000_000)
    }
}

@Test func badInputLeavesTheOldDatabase() throws {
    try withDirectory { directory in
        let input = directory.appendingPathComponent("own.csv")
        let database = directory.appendingPathComponent("own.mmdb")
        try "203.0.113.0/24,AS,JP,,Tokyo,35.68,1390\n"
            .write(to: input, atomically: true, encoding: .utf8)
        try "the old one".write(to: database, atomically: true, encoding: .utf8)
        let outcome = try run(["from-csv", "--input", input.path, "--output", database.path])
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("\(input.path):1:35: error: expected a longitude"))
        #expect(try String(contentsOf: database, encoding: .utf8) == "the old one")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
                == ["own.csv", "own.mmdb"])

        let missing = try run(["from-csv", "--input", "/nowhere/x", "--output", database.path])
        #expect(missing.status == 1)
        #expect(missing.errors.contains("cannot read /nowhere/x: No such file or directory"))
        let epoch = try run(
            ["from-csv", "--input", input.path, "--output", database.path], epoch: "soon")
        #expect(epoch.status == 1)
        #expect(epoch.errors.contains("SOURCE_DATE_EPOCH"))
    }
}

@Test(arguments: [
    [], ["dance"], ["from-csv"], ["from-csv", "--input"],
    ["from-csv", "--input", "a", "--input", "b"],
    ["from-csv", "--input", "a", "--output", "b", "c"], ["world-country", "--ipv4", "a"],
])
func wrongUsageIsStatus2(arguments: [String]) throws {
    let outcome = try run(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("usage: geodns-mmdb"))
    #expect(outcome.output.isEmpty)
}
