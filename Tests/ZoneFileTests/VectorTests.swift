import DNSWire
import Diagnostics
import Foundation
import Testing
import ZoneFile
import Zones

/// One pair of `Tests/Vectors/zonefile`: `NN_topic.in` is a zone `example.com.`, `NN_topic.out`
/// what it is read as — its records in presentation format, one a line, or its problems as
/// `line:column: message`, with the file in front when it is another one.
struct Vector: CustomTestStringConvertible {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Vectors/zonefile")

    static let all: [Vector] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (files ?? []).filter { $0.hasSuffix(".in") }.sorted()
            .map { Vector(name: String($0.dropLast(3))) }
    }()

    let name: String
    var testDescription: String { name }

    static func bytes(_ file: String) -> [UInt8]? {
        (try? Data(contentsOf: folder.appendingPathComponent(file))).map(Array.init)
    }

    /// What the parser makes of the input.
    func outcome() throws -> String {
        let file = name + ".in"
        let input = try #require(Vector.bytes(file))
        let origin = try #require(DomainName("example.com."))
        let (draft, diagnostics) = ZoneFileParser.parse(
            input, file: file, origin: origin, readInclude: Vector.bytes)
        let problems = diagnostics.map { diagnostic in
            let place = diagnostic.location?.description ?? ""
            let shortened =
                place.hasPrefix(file + ":") ? place.dropFirst(file.count + 1) : place[...]
            return "\(shortened): \(diagnostic.message)"
        }
        return (problems.isEmpty ? lines(of: draft) : problems).map { $0 + "\n" }.joined()
    }
}

@Test(arguments: Vector.all) func readsAsTheVectorSays(_ vector: Vector) throws {
    let expected = try #require(Vector.bytes(vector.name + ".out"))
    #expect(try vector.outcome() == String(decoding: expected, as: UTF8.self))
}

@Test func thereAreManyVectors() {
    #expect(Vector.all.count >= 60)
    let failing = Vector.all.filter { vector in
        let expected = Vector.bytes(vector.name + ".out") ?? []
        return expected.first.map { (0x30...0x39).contains($0) } ?? false
    }
    #expect(failing.count >= 40)
}
