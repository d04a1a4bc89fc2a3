import Addressing
import Diagnostics
import Foundation
import Geography
import Loader
import Testing

/// Examples in documents are zones that load.
@Suite struct DocumentedZones {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The blocks that begin with three backquotes and `zone NAME`.
    private func zones(_ path: String) throws -> [(origin: String, text: String, line: Int)] {
        let url = DocumentedZones.root.appending(path: path)
        let lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
        var result: [(origin: String, text: String, line: Int)] = []
        var open: (origin: String, text: String, line: Int)?
        for (number, line) in lines.enumerated() {
            if line.hasPrefix("```zone ") {
                open = (String(line.dropFirst(8)), "", number + 1)
            } else if line == "```", let block = open {
                result.append(block)
                open = nil
            } else {
                open?.text += line + "\n"
            }
        }
        #expect(open == nil, "\(path): a block is not closed")
        return result
    }

    @Test(arguments: ["docs/zone-language.md"]) func load(_ path: String) throws {
        let blocks = try zones(path)
        #expect(blocks.count >= 4)
        // The autonomous system of the examples is one of somebody's.
        let source = MemoryLocationSource(
            [], systems: [(try #require(Prefix("192.0.2.0/24")), 64500)])
        for block in blocks {
            let (world, diagnostics) = ZoneLoader.load(
                zones: [(block.origin, block.text)], source: source)
            #expect(world != nil, "\(path):\(block.line)")
            #expect(diagnostics.map(\.description) == [], "\(path):\(block.line)")
        }
    }

    /// Every line that explains a policy stands in the zone whose pictures are shown, and every
    /// GEO of that zone is explained.
    @Test func policiesAreThoseOfTheirZone() throws {
        let zone = try String(
            contentsOf: Self.root.appending(path: "docs/steering/gslb.example.com.zone"),
            encoding: .utf8
        ).components(separatedBy: "\n")
        let document = try String(
            contentsOf: Self.root.appending(path: "docs/steering.md"), encoding: .utf8
        ).components(separatedBy: "\n")
        // Of a table, or of a sentence, is what has no blanks before the type.
        let shown = document.filter { $0.contains(#/^[a-z]* +(GEO|MAP|CHECK) /#) }
        #expect(shown.count > 15)
        #expect(shown.filter { !zone.contains($0) } == [])
        #expect(zone.filter { $0.contains(" GEO ") && !document.contains($0) } == [])
        for picture in document.compactMap({ $0.firstMatch(of: #/\]\((steering/.*svg)\)/#)?.1 }) {
            let path = Self.root.appending(path: "docs/" + picture).path
            #expect(FileManager.default.fileExists(atPath: path), "make pictures")
        }
    }

    /// The worked example is on documentation addresses: it is read, never served.
    @Test func theWorkedExampleLoads() {
        let path = DocumentedZones.root.appending(path: "zones/gslb.example.com.zone").path
        let (world, diagnostics) = ZoneLoader.load(path, source: MemoryLocationSource([]))
        #expect(world != nil)
        #expect(diagnostics.map(\.description) == [])
    }
}
