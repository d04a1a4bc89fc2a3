import Foundation

/// One `Tests/Scenarios/*.story`: a zone, places, and then queries with what must come back, read
/// from top to bottom.
///
///     zone example.com          the lines up to `end` are a zone file; after a query: a new world
///     end
///     file times.csv            the lines up to `end` are a file that the zone names
///     place 203.0.113.0/24 country=JP continent=AS at=35.7,139.7 [subdivision=US-CA] [city=Dallas]
///     system 203.0.113.0/24 64500   the autonomous system that a network is in
///     down fra                  every probe of the target's addresses fails; `up fra` ends it
///     down 198.51.100.20        one address
///     drain fra / degraded fra  other states, in the same way
///     ramping fra 40            the target came back not long ago, and gets so much of its clients
///     connections fra 120       what its reports say; `milliseconds fra 35`: how long probes take
///     asking www.example.com 203.0.113.0/24 120   its clients make so much of the demand
///     query www.example.com A [from=203.0.113.0/24] [resolver=192.0.2.1] [edns=512|none] [tcp]
///       rcode NOERROR           first line: RCODE, then the flags that must be set: aa tc
///       answer www.example.com. 30 IN A 198.51.100.1
///       authority … / additional …      in any order within a section; all of them, and no others
///       scope 24                the ECS scope that must come back
///       one-of A B …            the single answer's RDATA is one of these (for drawn shares)
package struct Story: Sendable {
    let name: String
    let lines: [(number: Int, text: String)]

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Scenarios")

    package static var all: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".story") }.sorted()
    }

    package init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOf: Story.folder.appending(path: name), encoding: .utf8)
        lines = text.components(separatedBy: "\n").enumerated().map { ($0.offset + 1, $0.element) }
    }
}
