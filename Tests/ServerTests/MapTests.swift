import Foundation
import TestSupport
import Testing

/// `geodns-check --map`: the picture of who is sent where.
@Suite struct CatchmentMaps {
    private let checked: CheckedZone

    init() throws {
        checked = try CheckedZone(
            zoneHead + """
                fra   REGION 50.03 8.57
                      A 198.51.100.20
                nrt   REGION 35.76 140.39
                      A 198.51.100.30
                app   60/10 GEO nearest fra nrt
                half  GEO weighted fra:1 nrt:1

                """)
    }

    private func draw(_ words: String...) throws -> String {
        let path = checked.folder.path + "/map.svg"
        let (status, text) = try checked.check(["--map", path] + words)
        #expect(status == 0)
        #expect(text == "")
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    /// The class or pattern that a country is filled with.
    private func fill(_ country: String, in svg: String) throws -> Substring {
        let shape = try Regex("<path ([^ ]+) d=\"[^\"]+\"><title>\(country): ")
        let match = try #require(try shape.firstMatch(in: svg))
        return match[1].substring ?? ""
    }

    @Test func countriesHaveTheColourOfTheirRegion() throws {
        let svg = try draw("app.example.com")
        #expect(try fill("DE", in: svg) == "class=\"c0\"")
        #expect(try fill("JP", in: svg) == "class=\"c1\"")
        #expect(try fill("FR", in: svg) == "class=\"none\"")
        #expect(svg.contains("<title>JP: nrt 100 % (33.3 % of all)</title>"))
        #expect(svg.contains("<title>FR: no addresses known</title>"))
        #expect(svg.contains(">fra: 66.7 %, up</text>"))
        #expect(svg.contains(">nrt: 33.3 %, up</text>"))
        #expect(svg.contains("@media (prefers-color-scheme:dark)"))
        #expect(svg.contains("Natural Earth"))
        #expect(svg.matches(of: /class="spot"/).count == 4, "on the map and in the legend")
    }

    @Test func sharesAreStripes() throws {
        let svg = try draw("half.example.com")
        #expect(try fill("DE", in: svg) == "fill=\"url(#p0-1)\"")
        #expect(svg.contains("<pattern id=\"p0-1\""))
    }

    @Test func whatIsDownIsCrossedOut() throws {
        let svg = try draw("--down", "nrt", "app.example.com")
        #expect(try fill("JP", in: svg) == "class=\"c0\"")
        #expect(svg.contains(">nrt: 0 %, down</text>"))
        #expect(svg.contains("app.example.com. over IPv4, with nrt down"))
        #expect(svg.matches(of: /class="cross"/).count == 2)
    }

    @Test func everyTagIsClosed() throws {
        let svg = try draw("app.example.com")
        var open: [Substring] = []
        for match in svg.matches(of: /<(\/?)([a-z]+)[^>]*?(\/?)>/) {
            if match.3 == "/" { continue }
            if match.1 == "/" {
                #expect(open.popLast() == match.2)
            } else {
                open.append(match.2)
            }
        }
        #expect(open.isEmpty)
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
        // The countries lie in the picture, and fill it.
        let points = svg.matches(of: /[ML](-?[0-9.]+) (-?[0-9.]+)/).compactMap { match in
            Double(match.1).flatMap { x in Double(match.2).map { (x: x, y: $0) } }
        }.filter { $0.x.magnitude > 5 }
        #expect(points.count > 5000)
        #expect(points.allSatisfy { (0...1000).contains($0.x) && (0...490).contains($0.y) })
        #expect((points.map(\.x).max() ?? 0) > 900)
    }

    @Test func aPictureGoesToStandardOutputToo() throws {
        let (status, text) = try checked.check(["--map", "-", "app.example.com"])
        #expect(status == 0)
        #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
        let missing = try checked.check(["--map", "/nonexistent/x.svg", "app.example.com"])
        #expect(missing.status == 1)
        #expect(missing.text.contains("--map: cannot write /nonexistent/x.svg: No such file"))
    }

    @Test(arguments: [["--map", "x.svg"], ["--map", "x.svg", "a.example.com", "b.example.com"]])
    func aMapIsOfOneName(_ words: [String]) throws {
        let (status, text) = try checked.check(words)
        #expect(status == 2)
        #expect(text == "geodns-check: --map draws one NAME, and no JSON\n")
    }
}
