import Foundation
import TestSupport

/// User-space instructions that loading takes for each name of a zone with one address for each.
enum LoadInstructions {
    /// The difference between the two is what is counted: starting costs something too.
    private static let nameCounts = (1000, 21_000)

    static func measure(program: String) throws -> Instructions.Result {
        let folder = try TemporaryFolder()
        // Callgrind cannot read the debugging information, and needs none.
        let stripped = folder.path + "/geodnsd"
        try run("strip", ["--strip-debug", "-o", stripped, program])
        let few = try cost(of: nameCounts.0, stripped, folder)
        let many = try cost(of: nameCounts.1, stripped, folder)
        return Instructions.Result(
            workload: "loading a name",
            instructionsPerQuery: (many - few) / (nameCounts.1 - nameCounts.0), forbiddenCalls: [:])
    }

    private static func cost(
        of nameCount: Int, _ program: String, _ folder: TemporaryFolder
    ) throws -> Int {
        let zone = try folder.write(
            LoadWorkload.zone(nameCount: nameCount), to: "\(nameCount)/load.example.zone")
        let output = folder.path + "/out.\(nameCount)"
        try run(
            "valgrind",
            [
                "--tool=callgrind", "--callgrind-out-file=\(output)", program, "--check",
                "--geo-data", "none", "--zones", zone,
            ])
        let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
        for line in lines where line.hasPrefix("summary: ") || line.hasPrefix("totals: ") {
            if let count = Int(line.drop { !$0.isNumber }) { return count }
        }
        throw Load.Failed(description: "\(output) has no total")
    }

    private static func run(_ name: String, _ arguments: [String]) throws {
        guard let program = Programs.find(name) else {
            throw Load.Failed(description: "\(name) is not installed")
        }
        let (status, text) = try RunningProcess.run(program, arguments, seconds: 300)
        guard status == 0 else { throw Load.Failed(description: "\(name) failed: \(text)") }
    }
}
