import DNSWire
package import Diagnostics
package import Health

// The file in which overrides outlive the process. Times are of the clock of whoever holds the
// value; the file has the wall clock's.
extension Overrides {
    /// First line of the file. A version that is not known says nothing.
    private static let head = "geodns-overrides 1"

    /// The text of the file. `now` and `wall` are the same moment.
    package func text(now: MonotonicTime, wall: WallClock) -> String {
        func clock(_ time: MonotonicTime) -> String {
            // To the nearest second, so that it does not wander from one restart to the next.
            let rest = time - now
            let seconds = (rest + .milliseconds(500)).nanoseconds.floorQuotient(1_000_000_000)
            return WallClock(seconds: wall.seconds + Int(seconds)).description
        }
        var text = """
            \(Overrides.head)
            # What operators have ordered, as of \(wall); geodnsd reads it when it starts.

            """
        for override in all {
            var words: [String]
            switch override.order {
            case .state(let state):
                words = [state.name, "target=\(MemoryText.word(override.subject))"]
            case .weights(let weights):
                words = ["weights", "name=\(MemoryText.word(override.subject))"]
                words += weights.shares.map {
                    "weight=" + MemoryText.word("\($0.label):\($0.weight)")
                }
                if let shift = weights.shift { words += shift.words(clock) }
            }
            words.append("clients=\(override.clients)")
            words.append("since=\(clock(override.since))")
            if let until = override.until { words.append("until=\(clock(until))") }
            words.append("by=\(MemoryText.word(override.author))")
            words.append("because=\(MemoryText.word(override.reason))")
            text += words.joined(separator: " ") + "\n"
        }
        for (name, until) in cachedUntil.sorted(by: { "\($0.key)" < "\($1.key)" })
        where until > now {
            text += "cached \(name) until=\(clock(until))\n"
        }
        return text
    }

    /// Reads such a text. A line that is damaged, or of a kind that is not known, is left out with
    /// a warning; the others count. What has ended by now is there too: `advance` tells of it.
    package static func read(
        _ bytes: [UInt8], file: String, now: MonotonicTime, wall: WallClock
    ) -> (overrides: Overrides, problems: [Diagnostic]) {
        var reader = OverrideReader(file: file, now: now, wall: wall)
        let (lines, problem) = MemoryText.lines(
            of: bytes, after: head, file: file, otherwise: "no override holds")
        if let problem { return (Overrides(), [problem]) }
        for line in lines { reader.read(line.bytes, number: line.number) }
        return (Overrides(reader.overrides, cachedUntil: reader.cachedUntil), reader.problems)
    }
}

extension Shift {
    fileprivate func words(_ clock: (MonotonicTime) -> String) -> [String] {
        var words = [
            "from=\(MemoryText.word(source))", "to=\(MemoryText.word(destination))",
            "step=\(step)", "pace=\(MemoryText.milliseconds(pace))", "moved=\(moved)",
        ]
        switch phase {
        case .running(let next): words.append("next=\(clock(next))")
        case .paused(let reason): words.append("paused=\(MemoryText.word(reason))")
        case .done: break
        }
        if isFromZone { words.append("abort=zone") }
        return words
    }
}

extension Int64 {
    fileprivate func floorQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}

/// Takes in one line after the other.
private struct OverrideReader {
    let file: String
    let now: MonotonicTime
    let wall: WallClock
    var overrides: [Override] = []
    var cachedUntil: [DomainName: MonotonicTime] = [:]
    var problems: [Diagnostic] = []

    /// A damaged file may hold anything: so many lines are told of, and the rest left out quietly.
    private static let problemCountMax = 20
    /// Seconds from now: ten years. Nothing is ordered for longer, and the other clock counts it.
    private static let distanceMax = 10 * 366 * 86_400

    mutating func read(_ line: ArraySlice<UInt8>, number: Int) {
        guard let first = line.first, first != UInt8(ascii: "#") else { return }
        do throws(Fault) {
            guard let words = MemoryText.words(line) else {
                let message = "a quote is not closed, an escape is not one, or a byte is no text"
                throw Fault(column: 1, message: message)
            }
            try read(words)
        } catch {
            guard problems.count < OverrideReader.problemCountMax else { return }
            let place = SourceLocation(file: file, line: number, column: error.column)
            problems.append(
                Diagnostic(.warning, at: place, "\(error.message); the line is ignored"))
        }
    }

    private struct Fault: Error {
        var column: Int
        var message: String
    }

    private mutating func read(_ words: [MemoryText.Word]) throws(Fault) {
        guard let kind = words.first else { return }
        guard kind.key == nil else {
            throw Fault(column: kind.column, message: "expected up, drain, down, weights or cached")
        }
        guard overrides.count < Overrides.countMax else {
            throw Fault(column: 1, message: "more than \(Overrides.countMax) orders")
        }
        switch kind.value {
        case "up": try readState(.up, words)
        case "drain": try readState(.drain, words)
        case "down": try readState(.down, words)
        case "weights": try readWeights(words)
        case "cached": try readCached(words)
        default:
            throw Fault(
                column: kind.column,
                message: "expected up, drain, down, weights or cached, found \(kind.value)")
        }
    }

    private mutating func readState(
        _ state: HealthState, _ words: [MemoryText.Word]
    ) throws(Fault) {
        let subject = try value(words, "target", "a target") { $0.isEmpty ? nil : $0 }
        overrides.append(try override(.state(state), of: subject, words))
    }

    private mutating func readWeights(_ words: [MemoryText.Word]) throws(Fault) {
        let name = try value(words, "name", "a domain name") { DomainName($0)?.description }
        var shares: [WeightOrder.Share] = []
        for word in words where word.key == "weight" {
            guard let share = WeightOrder.Share(word.value),
                !shares.contains(where: { $0.label == share.label })
            else {
                throw Fault(column: word.column, message: "expected weight=TARGET:NUMBER, once")
            }
            shares.append(share)
        }
        var weights = WeightOrder(shares)
        if words.contains(where: { $0.key == "from" }) { weights.shift = try readShift(words) }
        overrides.append(try override(.weights(weights), of: name, words))
    }

    private func readShift(_ words: [MemoryText.Word]) throws(Fault) -> Shift {
        func part(_ key: String, _ range: ClosedRange<Int>) throws(Fault) -> Int {
            try value(words, key, "\(range.lowerBound)…\(range.upperBound)") { text in
                Int(text).flatMap { range.contains($0) ? $0 : nil }
            }
        }
        var shift = Shift(
            from: try value(words, "from", "a target") { $0 },
            to: try value(words, "to", "a target") { $0 },
            step: try part("step", 1...Shift.whole),
            pace: try value(words, "pace", "a time in ms", MemoryText.duration),
            isFromZone: words.contains { $0.key == "abort" && $0.value == "zone" }, at: now)
        shift.moved = try part("moved", 0...Shift.whole)
        if let word = words.first(where: { $0.key == "paused" }) {
            shift.phase = .paused(because: word.value)
        } else if shift.moved == Shift.whole {
            shift.phase = .done
        } else {
            // A wall clock that was set back must not hold it up.
            let next = min(try time(words, "next"), now + shift.pace)
            shift.phase = .running(next: next)
            shift.wakeUp(at: now)
        }
        return shift
    }

    private mutating func readCached(_ words: [MemoryText.Word]) throws(Fault) {
        guard words.count > 1, words[1].key == nil, let name = DomainName(words[1].value) else {
            throw Fault(column: words[0].column, message: "expected cached and a domain name")
        }
        cachedUntil[name] = try time(words, "until")
    }

    private func override(
        _ order: Override.Order, of subject: String, _ words: [MemoryText.Word]
    ) throws(Fault) -> Override {
        Override(
            order, of: subject,
            for: try value(words, "clients", "all, country=CC or the like") {
                Override.Clients($0)
            },
            since: try time(words, "since"),
            until: words.contains { $0.key == "until" } ? try time(words, "until") : nil,
            by: try value(words, "by", "who has ordered it") { $0 },
            because: try value(words, "because", "why") { $0 })
    }

    private func time(
        _ words: [MemoryText.Word], _ key: String
    ) throws(Fault) -> MonotonicTime {
        let seconds = try value(words, key, "a time such as \(wall)") { text in
            WallClock(text).flatMap { clock in
                let distance = clock.seconds - wall.seconds
                return abs(distance) <= OverrideReader.distanceMax ? distance : nil
            }
        }
        return now + .seconds(seconds)
    }

    private func value<Value>(
        _ words: [MemoryText.Word], _ key: String, _ what: String, _ parse: (String) -> Value?
    ) throws(Fault) -> Value {
        let word = words.first { $0.key == key }
        guard let word, let value = parse(word.value) else {
            throw Fault(column: word?.column ?? 1, message: "expected \(key)= with \(what)")
        }
        return value
    }
}

extension WeightOrder.Share {
    /// Of `TARGET:NUMBER`.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return nil }
        let digits = text[text.index(after: colon)...]
        // UInt32's own parser would take a sign.
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let weight = UInt32(digits)
        else { return nil }
        self.init(String(text[..<colon]), weight)
    }
}
