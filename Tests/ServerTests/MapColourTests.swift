import Foundation
import TestSupport
import Testing

/// The colours of `geodns-check --map` are for all eyes, on a light and on a dark background.
@Suite struct MapColours {
    private let style: String

    init() throws {
        let regions = (0..<8).map { "r\($0) REGION \($0) \($0 * 20)\n A 198.51.100.\($0)\n" }
        let checked = try CheckedZone(
            zoneHead + regions.joined() + "app GEO nearest r0 r1 r2 r3 r4 r5 r6 r7\n")
        let svg = try checked.check(["--map", "-", "app.example.com"]).text
        style = String(try #require(svg.firstMatch(of: /(?s)<style>(.*?)<\/style>/)).1)
    }

    /// The colours of `selector`, in the light and the dark theme.
    private func colours(_ selector: String) throws -> [Colour] {
        let pattern = try Regex("\(selector)\\{[^}]*?fill:(#[0-9a-f]{3,6})")
        return style.matches(of: pattern).compactMap { $0[1].substring.flatMap { Colour($0) } }
    }

    /// WCAG 2.1, success criterion 1.4.6: seven to one.
    @Test func textStandsOutInBothThemes() throws {
        let (text, back) = (try colours("text"), try colours("\\.back"))
        #expect(text.count == 2 && back.count == 2)
        for (letters, ground) in zip(text, back) { #expect(letters.contrast(to: ground) >= 7) }
    }

    /// Whoever lacks a kind of cone, and whoever has them all. Two colours at a distance of 2.3 in
    /// CIELAB are just told apart side by side; a map needs more.
    @Test(arguments: [
        [1, 0, 0, 0, 1, 0, 0, 0, 1],
        // Without red, green, blue (Machado, Oliveira and Fernandes, 2009).
        [
            0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116,
            1.051998,
        ],
        [
            0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940,
            0.968881,
        ],
        [
            1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367,
            0.303900,
        ],
    ])
    func regionsAreToldApart(_ vision: [Double]) throws {
        let regions = try (0..<8).map { try #require(try colours("\\.c\($0)").first) }
        let unknown = try colours("\\.none")
        #expect(unknown.count == 2)
        for (index, colour) in regions.enumerated() {
            for other in regions[..<index] + unknown {
                let distance = colour.seen(by: vision).distance(to: other.seen(by: vision))
                #expect(distance >= 12, "\(colour) and \(other)")
            }
        }
    }
}

/// Red, green and blue in linear light, 0 to 1.
private struct Colour {
    var parts: [Double]

    /// `#fff` or `#1b1f24`, sRGB.
    init?(_ text: Substring) {
        var digits = text.dropFirst().map(String.init)
        if digits.count == 3 { digits = digits.flatMap { [$0, $0] } }
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            Int(digits[$0] + digits[$0 + 1], radix: 16)
        }
        guard bytes.count == 3 else { return nil }
        parts = bytes.map { byte in
            let value = Double(byte) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
    }

    private func sum(_ row: [Double]) -> Double { zip(row, parts).reduce(0) { $0 + $1.0 * $1.1 } }

    private var luminance: Double { sum([0.2126, 0.7152, 0.0722]) }

    func contrast(to other: Colour) -> Double {
        let both = [luminance, other.luminance].sorted()
        return (both[1] + 0.05) / (both[0] + 0.05)
    }

    func seen(by vision: [Double]) -> Colour {
        var colour = self
        colour.parts = (0..<3).map { min(max(sum(Array(vision[$0 * 3..<$0 * 3 + 3])), 0), 1) }
        return colour
    }

    /// In CIELAB under D65.
    func distance(to other: Colour) -> Double {
        let squares = zip(lab, other.lab).map { ($0 - $1) * ($0 - $1) }
        return squares.reduce(0, +).squareRoot()
    }

    private var lab: [Double] {
        let white = [
            (sum([0.4124, 0.3576, 0.1805]), 0.9505), (luminance, 1),
            (sum([0.0193, 0.1192, 0.9505]), 1.089),
        ]
        let f = white.map { value, reference -> Double in
            let t = value / reference
            return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116
        }
        return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]
    }
}
