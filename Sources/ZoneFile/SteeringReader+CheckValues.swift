import Addressing
import DNSWire
import Health
import SystemCalls

// What the words of a CHECK may be. Each is nil, or left out, after a report.
extension SteeringReader {
    /// From `minimum` milliseconds to a day.
    mutating func time(_ word: Word, from minimum: UInt64) -> Duration? {
        let day: UInt64 = 86_400_000
        if case .value(let milliseconds) = parseMilliseconds(word.text, maximum: day),
            milliseconds >= minimum
        {
            return .milliseconds(Int64(milliseconds))
        }
        report(
            word,
            "expected a time with a unit (ms s m h), from \(minimum)ms to 1d, found "
                + shown(word.text))
        return nil
    }

    /// A host name, or an address as it would stand in a URL.
    mutating func host(_ word: Word, _ key: String) -> String? {
        let isHost =
            word.text.count <= 253
            && word.text.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
                default: false
                }
            }
        guard isHost, !word.string.contains(".."), word.text.first != UInt8(ascii: ".") else {
            report(word, "\(key) is a host name without a port, found \(shown(word.text))")
            return nil
        }
        return word.string
    }

    mutating func address(_ word: Word) -> IPAddress? {
        if let address = IPAddress(word.string) { return address }
        report(word, "expected an IPv4 or IPv6 address, found \(shown(word.text))")
        return nil
    }

    /// `200-299,301`
    mutating func statuses(_ word: Word) -> [ClosedRange<Int>] {
        word.list.compactMap { part in
            let bounds = part.text.split(
                separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
            let numbers = bounds.compactMap { parseNumber($0, maximum: 599) }.map(Int.init)
            guard numbers.count == bounds.count, let low = numbers.first, let high = numbers.last,
                low >= 100, low <= high
            else {
                report(
                    part,
                    "expect is a list of statuses 100…599 and ranges such as 200-299, found "
                        + shown(part.text))
                return nil
            }
            return low...high
        }
    }

    mutating func path(_ word: Word?) -> String? {
        guard let word else { return nil }
        guard let bytes = decodeText(word.text), bytes.first == UInt8(ascii: "/"),
            bytes.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            report(
                word,
                "expected a path that begins with '/', without blanks, found \(shown(word.text))")
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Of a file on this machine.
    mutating func filePath(
        _ word: Word?, _ kind: String, _ what: String, end: Word
    ) -> String? {
        guard let word else {
            report(end, "CHECK \(kind): expected the \(what), a path that begins with '/'")
            return nil
        }
        guard let bytes = decodeText(word.text), bytes.first == UInt8(ascii: "/"),
            !bytes.contains(0)
        else {
            report(word, "the \(what) is a path that begins with '/', found \(shown(word.text))")
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func bytes(_ word: Word) -> [UInt8]? {
        if let bytes = decodeText(word.text) { return bytes }
        report(word, "expected \\X or \\DDD (RFC 1035 §5.1) in \(shown(word.text))")
        return nil
    }

    /// A POSIX extended regular expression.
    mutating func pattern(_ word: Word) -> String? {
        guard let bytes = bytes(word) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        do throws(RegularExpression.Fault) {
            _ = try RegularExpression(text)
            return text
        } catch {
            report(
                word,
                "matches is an extended regular expression (regex(7)); \(shown(word.text)): "
                    + error.message)
            return nil
        }
    }

    mutating func method(_ word: Word) -> HTTPMethod? {
        if let method = HTTPMethod(rawValue: word.string) { return method }
        let list = HTTPMethod.allCases.map(\.rawValue).joined(separator: ", ")
        report(word, "method is one of \(list), found \(shown(word.text))")
        return nil
    }

    mutating func isOn(_ word: Word) -> Bool? {
        switch word.string {
        case "on": return true
        case "off": return false
        default:
            report(word, "expected on or off, found \(shown(word.text))")
            return nil
        }
    }

    mutating func isOverTCP(_ word: Word) -> Bool? {
        switch word.string {
        case "tcp": return true
        case "udp": return false
        default:
            report(word, "over is udp or tcp, found \(shown(word.text))")
            return nil
        }
    }

    /// `2%` or `0.02`, as 0…1.
    mutating func share(_ word: Word) -> Double? {
        let isPercent = word.text.last == UInt8(ascii: "%")
        let number = parseDecimal(isPercent ? word.text.dropLast() : word.text)
        let share = number.map { isPercent ? $0 / 100 : $0 }
        if let share, (0...1).contains(share) { return share }
        report(
            word, "expected a share, 0…1 or 0%…100%, found \(shown(word.text))")
        return nil
    }

    /// `connections:haproxy_frontend_current_sessions,queue:…`, each figure once.
    mutating func metrics(_ word: Word) -> [LoadMetric] {
        var result: [LoadMetric] = []
        for part in word.list {
            guard let colon = part.firstUnescaped(UInt8(ascii: ":")),
                let figure = LoadReport.Figure(rawValue: part.cut(at: colon).before.string),
                isMetricName(part.cut(at: colon).after.text)
            else {
                let list = LoadReport.Figure.allCases.map(\.rawValue).joined(separator: ", ")
                report(
                    part,
                    "metrics is a list of figure:metric, the figures being \(list); found "
                        + shown(part.text))
                continue
            }
            if result.contains(where: { $0.figure == figure }) {
                report(part, "\(figure.rawValue) is written twice")
            } else {
                result.append(LoadMetric(figure, part.cut(at: colon).after.string))
            }
        }
        return result
    }

    /// Prometheus "Data model": letters, digits, `_` and `:`, no digit first.
    private func isMetricName(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, !(0x30...0x39).contains(first) else { return false }
        return text.allSatisfy { byte in
            switch byte {
            case 0x30...0x3a, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}

// MARK: - DNS

extension SteeringReader {
    mutating func dnsQuestion(_ words: [Word], end: Word) -> DNSQuestion? {
        guard words.count == 2 else {
            report(end, "CHECK dns: expected a name and a type, such as CHECK dns www.example. A")
            return nil
        }
        let name = name(words[0], "name asked for")
        guard let type = RRType(words[1].string), type != .opt, !type.isSteering,
            type != RRType(rawValue: 251), type != RRType(rawValue: 252)
        else {
            report(words[1], "expected a record type, such as A, found \(shown(words[1].text))")
            return nil
        }
        return name.map { DNSQuestion($0, type) }
    }

    /// Response codes and data of the type asked for: `NXDOMAIN`, `192.0.2.1,192.0.2.2`.
    mutating func expecting(_ word: Word, _ question: DNSQuestion) -> DNSQuestion {
        var question = question
        for part in word.list {
            let text = part.string
            if let code = DNSQuestion.codeNames.first(where: { $0.name == text.uppercased() }) {
                question.expectedCodes.append(code.code)
            } else if let data = expectedData(part, question.type) {
                question.expectedData.append(data)
            }
        }
        return question
    }

    private mutating func expectedData(_ word: Word, _ type: RRType) -> [UInt8]? {
        switch type {
        case .a, .aaaa:
            if let address = IPAddress(word.string),
                (address.family == .ipv4) == (type == .a)
            {
                return address.bytes
            }
        case .cname, .ns, .ptr:
            return name(word, "name expected").map { $0.wire.map(lowercased) }
        case .txt:
            if let text = decodeText(word.text), text.count <= 255 {
                return [UInt8(text.count)] + text
            }
        default: break
        }
        let data =
            switch type {
            case .a: "IPv4 addresses"
            case .aaaa: "IPv6 addresses"
            case .txt: "strings"
            default: "nothing else for \(type)"
            }
        let codes = DNSQuestion.codeNames.prefix(6).map(\.name).joined(separator: ", ")
        report(
            word,
            "expect is a list of response codes (\(codes)) and \(data), found \(shown(word.text))"
        )
        return nil
    }
}
