import Addressing
import Health
import Zones

// `CHECK <kind> [<argument>] [key=value …]`
extension SteeringReader {
    /// Nil after a report. `end` is where a missing word is reported.
    mutating func check(_ words: ArraySlice<Word>, end: Word) -> CheckRecord? {
        guard let kindWord = words.first else {
            report(end, "CHECK: expected a kind: http, https or tcp")
            return nil
        }
        guard let kind = CheckKind(rawValue: kindWord.string) else {
            // The rest means what the kind says: it is not looked at.
            report(kindWord, CheckKind.vocabulary.complaint(about: kindWord.string))
            return nil
        }
        let reportedBefore = diagnostics.count
        var rest = words.dropFirst()
        let argument = checkArgument(&rest)
        let keys: [(key: CheckKey, value: Word)] = keys(rest)
        let port = keys.first { $0.key == .port }?.value
        var specification = checkKind(kind, argument: argument, port: port, end: end)
        for (key, value) in keys { read(key, value, of: kind, into: &specification) }
        settlePaces(&specification, written: keys)
        return diagnostics.count == reportedBefore ? CheckRecord(specification) : nil
    }

    /// The word after the kind, unless it is a key. A path may hold a `=`.
    private func checkArgument(_ words: inout ArraySlice<Word>) -> Word? {
        guard let word = words.first,
            word.text.first == UInt8(ascii: "/") || word.firstUnescaped(UInt8(ascii: "=")) == nil
        else { return nil }
        words = words.dropFirst()
        return word
    }

    private mutating func checkKind(
        _ kind: CheckKind, argument: Word?, port: Word?, end: Word
    ) -> CheckSpecification {
        switch kind {
        case .http:
            return CheckSpecification(.http(path: path(argument)), port: portNumber(port) ?? 80)
        case .https:
            return CheckSpecification(.https(path: path(argument)), port: portNumber(port) ?? 443)
        case .tcp:
            if let argument, let port {
                report(port, "the port is written twice: \(shown(argument.text)) and here")
            } else if argument == nil, port == nil {
                report(end, "CHECK tcp: expected a port, such as CHECK tcp 443")
            }
            return CheckSpecification(.tcp, port: portNumber(argument ?? port) ?? 1)
        }
    }

    private mutating func portNumber(_ word: Word?) -> UInt16? {
        word.flatMap { integer($0, 1...65535, "a port") }.map(UInt16.init)
    }

    private mutating func path(_ word: Word?) -> String {
        guard let word else { return "/" }
        guard let bytes = decodeText(word.text), bytes.first == UInt8(ascii: "/"),
            bytes.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            report(
                word,
                "expected a path that begins with '/', without blanks, found \(shown(word.text))")
            return "/"
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func read(
        _ key: CheckKey, _ value: Word, of kind: CheckKind,
        into specification: inout CheckSpecification
    ) {
        switch key {
        case .port: break  // Read with the kind.
        case .host: specification.host = host(value)
        case .every: specification.every = time(value, from: 100) ?? specification.every
        case .fast: specification.fast = time(value, from: 100) ?? specification.fast
        case .timeout: specification.timeout = time(value, from: 10) ?? specification.timeout
        case .fall: specification.fall = integer(value, 1...100, "fall") ?? 1
        case .rise: specification.rise = integer(value, 1...100, "rise") ?? 1
        case .from: specification.source = address(value)
        case .expect:
            if kind == .tcp {
                report(value, "expect= belongs to http and https")
            } else {
                specification.expectedStatuses = statuses(value)
            }
        }
    }

    /// `fast` and `timeout` must not exceed `every`; where they are not written, their defaults
    /// give way.
    private mutating func settlePaces(
        _ specification: inout CheckSpecification, written: [(key: CheckKey, value: Word)]
    ) {
        let every = specification.every
        if let fast = written.first(where: { $0.key == .fast })?.value {
            if specification.fast > every {
                report(fast, "fast must not be longer than every")
            }
        } else {
            specification.fast = min(specification.fast, every)
        }
        if let timeout = written.first(where: { $0.key == .timeout })?.value {
            if specification.timeout > every {
                report(timeout, "timeout must not be longer than every")
            }
        } else {
            specification.timeout = min(specification.timeout, every)
        }
    }

    /// From `minimum` milliseconds to a day.
    private mutating func time(_ word: Word, from minimum: UInt64) -> Duration? {
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
    private mutating func host(_ word: Word) -> String? {
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
            report(word, "host is a host name without a port, found \(shown(word.text))")
            return nil
        }
        return word.string
    }

    private mutating func address(_ word: Word) -> IPAddress? {
        if let address = IPAddress(word.string) { return address }
        report(word, "expected an IPv4 or IPv6 address, found \(shown(word.text))")
        return nil
    }

    /// `200-299,301`
    private mutating func statuses(_ word: Word) -> [ClosedRange<Int>] {
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
}
