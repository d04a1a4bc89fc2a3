/// The shapes of countries: polygons of points in tenths of a degree.
struct WorldOutline {
    struct Point: Hashable {
        /// East.
        var x: Int
        /// North.
        var y: Int
    }

    struct Country {
        /// ISO 3166-1; `--` for land without one.
        var code: String
        /// Closed: the last point is next to the first. Neighbours share points of their border.
        var rings: [[Point]]
    }

    let countries: [Country]

    init() {
        var lines: [String] = []
        for line in WorldOutline.text.split(separator: "\n") {
            if line.hasPrefix(" ") {
                lines[lines.count - 1] += line.dropFirst()
            } else {
                lines.append(String(line))
            }
        }
        countries = lines.map { line in
            Country(
                code: String(line.prefix(2)),
                rings: line.dropFirst(3).split(separator: ",").map { WorldOutline.ring($0.utf8) })
        }
    }

    /// Pairs of differences, as tools/make-world-outline.py writes them.
    private static func ring(_ digits: Substring.UTF8View) -> [Point] {
        var numbers: [Int] = []
        var number = 0
        var shift = 0
        for digit in digits {
            let value = value(of: digit)
            number |= (value & 31) << shift
            shift += 5
            guard value < 32 else { continue }
            numbers.append(number & 1 == 0 ? number / 2 : -(number + 1) / 2)
            (number, shift) = (0, 0)
        }
        var points: [Point] = []
        var point = Point(x: 0, y: 0)
        for index in stride(from: 0, to: numbers.count - 1, by: 2) {
            point.x += numbers[index]
            point.y += numbers[index + 1]
            points.append(point)
        }
        return points
    }

    /// 0-9, A-Z, a-z, + and -.
    private static func value(of digit: UInt8) -> Int {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(digit - UInt8(ascii: "A")) + 10
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(digit - UInt8(ascii: "a")) + 36
        default: digit == UInt8(ascii: "+") ? 62 : 63
        }
    }
}
