// LOC from presentation format (RFC 1876 §3):
// `d1 [m1 [s1]] N|S d2 [m2 [s2]] E|W alt[m] [size[m] [hp[m] [vp[m]]]]`
extension ZoneFileParser {
    mutating func appendLocation(_ index: inout Int) -> Bool {
        var location = GeographicLocation()
        guard
            let latitude = readAngle(
                &index, "latitude", degreesMax: 90, positive: "N", negative: "S"),
            let longitude = readAngle(
                &index, "longitude", degreesMax: 180, positive: "E", negative: "W"),
            let altitude = readMetres(&index, "altitude", GeographicLocation.altitudeRange)
        else { return false }
        (location.latitude, location.longitude) = (latitude, longitude)
        location.altitude = altitude
        let sizes: [(WritableKeyPath<GeographicLocation, Int>, String)] = [
            (\.size, "size"), (\.horizontalPrecision, "horizontal precision"),
            (\.verticalPrecision, "vertical precision"),
        ]
        for (size, name) in sizes where index < scanner.tokens.count {
            guard let value = readMetres(&index, name, 0...GeographicLocation.sizeMax) else {
                return false
            }
            location[keyPath: size] = value
        }
        rdata += location.wire
        return true
    }

    /// Thousandths of an arc second, or nil after a report.
    private mutating func readAngle(
        _ index: inout Int, _ name: String, degreesMax: Int, positive: String, negative: String
    ) -> Int? {
        /// Degrees, minutes and thousandths of a second.
        var parts = [0, 0, 0]
        let names = ["degrees", "minutes", "seconds"]
        for part in 0...3 {
            guard index < scanner.tokens.count else {
                reportMissing("LOC: expected \(positive) or \(negative) after the \(name)")
                return nil
            }
            let token = scanner.tokens[index]
            let word = String(decoding: text(of: token), as: UTF8.self).uppercased()
            index += 1
            if part > 0, word == positive || word == negative {
                let value = (parts[0] * 60 + parts[1]) * 60_000 + parts[2]
                guard value <= degreesMax * 3_600_000 else {
                    report(token, "the \(name) is above \(degreesMax) degrees")
                    return nil
                }
                return word == positive ? value : -value
            }
            let maximum = [degreesMax, 59, 59_999][min(part, 2)]
            guard part < 3,
                let value = parseFixedPoint(text(of: token), places: part == 2 ? 3 : 0),
                value <= maximum
            else {
                let expected =
                    part == 3
                    ? "" : "\(names[part]) 0…\(part == 2 ? "59.999" : String(maximum))"
                let direction = "\(positive) or \(negative)"
                let both =
                    part == 0 ? expected : part == 3 ? direction : "\(expected) or \(direction)"
                report(token, "\(name): expected \(both), found \(shown(text(of: token)))")
                return nil
            }
            parts[part] = value
        }
        return nil
    }

    /// Centimetres, or nil after a report.
    private mutating func readMetres(
        _ index: inout Int, _ name: String, _ range: ClosedRange<Int>
    ) -> Int? {
        guard index < scanner.tokens.count else {
            reportMissing("LOC: expected the \(name) in metres, found the end")
            return nil
        }
        let token = scanner.tokens[index]
        index += 1
        var number = text(of: token)
        if number.last == UInt8(ascii: "m") || number.last == UInt8(ascii: "M") {
            number = number.dropLast()
        }
        let isNegative = number.first == UInt8(ascii: "-")
        if isNegative || number.first == UInt8(ascii: "+") { number = number.dropFirst() }
        guard let magnitude = parseFixedPoint(number, places: 2),
            range.contains(isNegative ? -magnitude : magnitude)
        else {
            report(
                token,
                "\(name): expected metres \(range.lowerBound / 100)…\(range.upperBound / 100) with "
                    + "at most two decimals, found \(shown(text(of: token)))")
            return nil
        }
        return isNegative ? -magnitude : magnitude
    }
}
