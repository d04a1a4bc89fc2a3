import Addressing
import DatabaseBuilder
import Foundation
import Geography
import Testing

@testable import GeoSources

/// MaxMind's public test databases. They stay outside the project: beside its working directory,
/// or where `GEODNS_MMDB_TEST_DATA` says.
let testData: URL? = {
    let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let candidates = [
        ProcessInfo.processInfo.environment["GEODNS_MMDB_TEST_DATA"].map(
            URL.init(fileURLWithPath:)),
        root.appendingPathComponent("../shared/mmdb-test-data").standardizedFileURL,
    ]
    return candidates.compactMap(\.self).first {
        FileManager.default.fileExists(atPath: $0.appendingPathComponent("good").path)
    }
}()
let testDataAbsent: Comment = "MaxMind's test databases are not at ../shared/mmdb-test-data"

/// The names in one of its folders; empty where it is absent.
func testFiles(_ folder: String) -> [String] {
    guard let path = testData?.appendingPathComponent(folder).path,
        let names = try? FileManager.default.contentsOfDirectory(atPath: path)
    else { return [] }
    return names.filter { $0.hasSuffix(".mmdb") }.sorted().map { "\(path)/\($0)" }
}

func goodFile(_ name: String) -> String {
    testData?.appendingPathComponent("good/\(name).mmdb").path ?? ""
}

// MARK: - Databases of our own

/// A directory of its own, removed afterwards.
func withDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("geodns-sources-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
}

/// What opening these bytes gives, or why not.
func open(_ bytes: [UInt8]) throws -> MaxMindDatabase {
    try withDirectory { directory in
        let file = directory.appendingPathComponent("under-test.mmdb")
        try Data(bytes).write(to: file)
        return try MaxMindDatabase(path: file.path)
    }
}

func encode(
    _ networks: [(String, LocationRecord)], version: DatabaseBuilder.Version = .ipv6,
    type: String = "Test-City", recordSize: DatabaseBuilder.RecordSize? = nil
) throws -> [UInt8] {
    var builder = DatabaseBuilder(version: version)
    for (prefix, record) in networks { builder.insert(Prefix(prefix)!, record.value) }
    return try builder.encode(
        .init(databaseType: type, description: "for a test", buildEpoch: 1_700_000_000),
        recordSize: recordSize)
}

extension LocationSource {
    func leaves(_ family: IPAddress.Family) -> [(bits: UInt128, length: Int, place: PlaceIndex)] {
        var leaves: [(UInt128, Int, PlaceIndex)] = []
        forEachLeaf(of: family) { leaves.append(($0, $1, $2)) }
        return leaves
    }
}

extension MaxMindDatabase {
    func place(_ address: String) -> Place { places[lookup(IPAddress(address)!).place] }
    func network(_ address: String) -> String { lookup(IPAddress(address)!).network.description }
}
