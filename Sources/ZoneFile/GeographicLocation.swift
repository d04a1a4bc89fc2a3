/// The RDATA of LOC (RFC 1876 §2): sixteen bytes, here as numbers.
struct GeographicLocation {
    /// Thousandths of an arc second, north and east positive.
    var latitude = 0
    var longitude = 0
    /// Centimetres above the reference spheroid.
    var altitude = 0
    /// Centimetres; the defaults of RFC 1876 §3.
    var size = 100
    var horizontalPrecision = 1_000_000
    var verticalPrecision = 1000

    static let latitudeMax = 90 * 3_600_000
    static let longitudeMax = 180 * 3_600_000
    /// What the wire has for the equator and the prime meridian.
    private static let origin = 1 << 31
    /// What the wire has for the spheroid: 100,000 m above its own base.
    private static let altitudeBase = 10_000_000
    static let altitudeRange = -10_000_000...4_284_967_295
    static let sizeMax = 9_000_000_000

    /// Sixteen bytes. Sizes keep their first digit, as the format has no room for more.
    var wire: [UInt8] {
        let sizes = [size, horizontalPrecision, verticalPrecision]
        let words = [
            GeographicLocation.origin + latitude, GeographicLocation.origin + longitude,
            GeographicLocation.altitudeBase + altitude,
        ]
        return [0] + sizes.map(GeographicLocation.powerOfTen)
            + words.flatMap { word in
                [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
            }
    }

    /// Nil unless the bytes are version 0 with every value in its range.
    init?(wire: ArraySlice<UInt8>) {
        let bytes = Array(wire)
        guard bytes.count == 16, bytes[0] == 0 else { return nil }
        func word(_ index: Int) -> Int { bytes[index..<index + 4].reduce(0) { $0 << 8 | Int($1) } }
        latitude = word(4) - GeographicLocation.origin
        longitude = word(8) - GeographicLocation.origin
        altitude = word(12) - GeographicLocation.altitudeBase
        guard abs(latitude) <= GeographicLocation.latitudeMax,
            abs(longitude) <= GeographicLocation.longitudeMax,
            let size = GeographicLocation.centimetres(bytes[1]),
            let horizontal = GeographicLocation.centimetres(bytes[2]),
            let vertical = GeographicLocation.centimetres(bytes[3])
        else { return nil }
        (self.size, horizontalPrecision, verticalPrecision) = (size, horizontal, vertical)
    }

    init() {}

    /// `42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m` (RFC 1876 §3)
    var text: String {
        func angle(_ value: Int, _ positive: String, _ negative: String) -> String {
            let rest = abs(value)
            let degrees = rest / 3_600_000
            let minutes = rest / 60_000 % 60
            return "\(degrees) \(minutes) \(decimal(rest % 60_000, places: 3)) "
                + (value < 0 ? negative : positive)
        }
        func metres(_ value: Int) -> String {
            value.isMultiple(of: 100) ? "\(value / 100)m" : "\(decimal(value, places: 2))m"
        }
        return [
            angle(latitude, "N", "S"), angle(longitude, "E", "W"),
            (altitude < 0 ? "-" : "") + decimal(abs(altitude), places: 2) + "m",
            metres(size), metres(horizontalPrecision), metres(verticalPrecision),
        ].joined(separator: " ")
    }

    private func decimal(_ value: Int, places: Int) -> String {
        let digits = String(value)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return "\(padded.dropLast(places)).\(padded.suffix(places))"
    }

    /// A digit and a power of ten, four bits each.
    private static func powerOfTen(_ centimetres: Int) -> UInt8 {
        var digit = centimetres
        var exponent = 0
        while digit > 9 {
            digit /= 10
            exponent += 1
        }
        return UInt8(digit << 4 | exponent)
    }

    /// Nil for what `powerOfTen` never makes.
    private static func centimetres(_ byte: UInt8) -> Int? {
        let (digit, exponent) = (Int(byte >> 4), Int(byte & 15))
        guard digit <= 9, exponent <= 9, digit > 0 || exponent == 0 else { return nil }
        return (0..<exponent).reduce(digit) { value, _ in value * 10 }
    }
}

/// A decimal number with at most `places` digits behind the point, times 10 to the power of
/// `places`; nil for anything else. No sign.
func parseFixedPoint(_ text: ArraySlice<UInt8>, places: Int) -> Int? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = parseNumber(parts[0], maximum: 1 << 40) else {
        return nil
    }
    let fraction = parts.count == 2 ? parts[1] : []
    guard fraction.count <= places, fraction.allSatisfy(isDigit),
        parts.count == 1 || !fraction.isEmpty
    else { return nil }
    let scaled = (0..<places).reduce(Int(whole)) { value, _ in value * 10 }
    let padded = fraction + Array(repeating: 0x30, count: places - fraction.count)
    return scaled + padded.reduce(0) { $0 * 10 + Int($1 - 0x30) }
}
