package import Addressing
package import DNSWire
package import Diagnostics

/// What is known about front doors, so that it outlives the process: written to a file while it
/// runs, read when it starts. Times are of the clock of whoever holds the value; the file has the
/// wall clock's.
package struct HealthMemory: Sendable {
    /// One check of one address.
    package struct Entry: Hashable, Sendable {
        package var state: HealthState
        /// When it came to that state.
        package var since: MonotonicTime
        /// When a probe last told something.
        package var seen: MonotonicTime
        /// Percent, as in `HealthTable`.
        package var weight: UInt8
        /// Words of the result that led to the state.
        package var reason: String

        package init(
            _ state: HealthState, since: MonotonicTime, seen: MonotonicTime, weight: UInt8 = 100,
            reason: String
        ) {
            self.state = state
            self.since = since
            self.seen = seen
            self.weight = weight
            self.reason = reason
        }
    }

    /// A target that has been going up and down (`HoldDown`).
    package struct Hold: Hashable, Sendable {
        package var name: DomainName
        /// Tells targets apart that differ in their checks alone.
        package var ordinal: Int
        package var machine: HoldDown

        package init(_ name: DomainName, ordinal: Int, machine: HoldDown) {
            self.name = name
            self.ordinal = ordinal
            self.machine = machine
        }
    }

    /// A target that has failed, and perhaps gets its clients back little by little.
    package struct Ramp: Hashable, Sendable {
        package var name: DomainName
        /// Tells targets apart that differ in their checks alone.
        package var ordinal: Int
        /// Nil: it has not come back yet.
        package var since: MonotonicTime?

        package init(_ name: DomainName, ordinal: Int, since: MonotonicTime?) {
            self.name = name
            self.ordinal = ordinal
            self.since = since
        }
    }

    /// What a probe is known by from one process to the next: never by its place in a list.
    private struct Key: Hashable, Comparable {
        var address: IPAddress
        var definition: String

        static func < (left: Key, right: Key) -> Bool {
            left.address == right.address
                ? left.definition < right.definition
                : "\(left.address)" < "\(right.address)"
        }
    }

    private var entries: [Key: Entry] = [:]
    package var holds: [Hold] = []
    package var ramps: [Ramp] = []

    package init() {}

    package var count: Int { entries.count }

    /// Beyond the pace of its check, a state that nothing was heard of for longer is no longer
    /// believed: enough for a restart or a reboot, too little for the world to have changed much.
    package static var ageMax: Duration { .seconds(600) }

    /// What was known of a check of an address that is probed at this pace, as far as it can be
    /// believed now. `seen` in the future, by more than the same bound, is not: a clock was wrong.
    package func recall(
        _ address: IPAddress, _ definition: String, _ every: Duration, at now: MonotonicTime
    ) -> Entry? {
        guard var entry = entries[Key(address: address, definition: definition)] else { return nil }
        let age = now - entry.seen
        guard age <= every + HealthMemory.ageMax, age >= .zero - HealthMemory.ageMax
        else { return nil }
        entry.seen = min(entry.seen, now)
        entry.since = min(entry.since, now)
        return entry
    }

    /// False, and nothing is changed, when it is there already.
    @discardableResult
    package mutating func remember(
        _ address: IPAddress, _ definition: String, _ entry: Entry
    ) -> Bool {
        let key = Key(address: address, definition: definition)
        guard entries[key] == nil else { return false }
        entries[key] = entry
        return true
    }
}

// MARK: - The file

extension HealthMemory {
    /// First line of the file. A version that is not known says nothing.
    private static let head = "geodns-health 1"

    /// The text of the file. `now` and `wall` are the same moment.
    package func text(now: MonotonicTime, wall: WallClock) -> String {
        func clock(_ time: MonotonicTime) -> String {
            let seconds = Int((time - now).components.seconds)
            return WallClock(seconds: wall.seconds + seconds).description
        }
        var text = """
            \(HealthMemory.head)
            # What geodnsd knew of its front doors at \(wall); it reads this when it starts.

            """
        for (key, entry) in entries.sorted(by: { $0.key < $1.key }) {
            text += "probe \(key.address) \(entry.state.name) since=\(clock(entry.since))"
            text += " seen=\(clock(entry.seen))"
            if entry.weight != 100 { text += " weight=\(entry.weight)" }
            text += " check=\(MemoryText.word(key.definition))"
            text += " because=\(MemoryText.word(entry.reason))\n"
        }
        for hold in holds {
            text += "hold \(hold.name) ordinal=\(hold.ordinal)"
            text += " longest=\(MemoryText.milliseconds(hold.machine.longest))"
            text += " penalty=\(hold.machine.penalty) at=\(clock(hold.machine.time))"
            if let until = hold.machine.heldUntil { text += " until=\(clock(until))" }
            text += "\n"
        }
        for ramp in ramps {
            text += "ramp \(ramp.name) ordinal=\(ramp.ordinal)"
            if let since = ramp.since { text += " since=\(clock(since))" }
            text += "\n"
        }
        return text
    }

    /// Reads such a text. A line that is damaged, or of a kind that is not known, is left out with
    /// a warning; the others count.
    package static func read(
        _ bytes: [UInt8], file: String, now: MonotonicTime, wall: WallClock
    ) -> (memory: HealthMemory, problems: [Diagnostic]) {
        var reader = MemoryReader(file: file, now: now, wall: wall)
        let (lines, problem) = MemoryText.lines(
            of: bytes, after: head, file: file, otherwise: "nothing is remembered")
        if let problem { return (reader.memory, [problem]) }
        for line in lines { reader.read(line.bytes, number: line.number) }
        return (reader.memory, reader.problems)
    }
}

/// Takes in one line after the other.
private struct MemoryReader {
    let file: String
    let now: MonotonicTime
    let wall: WallClock
    var memory = HealthMemory()
    var problems: [Diagnostic] = []

    /// A damaged file may hold anything: so many lines are told of, and the rest left out quietly.
    private static let problemCountMax = 20

    mutating func read(_ line: ArraySlice<UInt8>, number: Int) {
        guard let first = line.first, first != UInt8(ascii: "#") else { return }
        func place(_ column: Int) -> SourceLocation {
            SourceLocation(file: file, line: number, column: column)
        }
        do throws(Fault) {
            guard let words = MemoryText.words(line) else {
                let message = "a quote is not closed, an escape is not one, or a byte is no text"
                throw Fault(column: 1, message: message)
            }
            guard let kind = words.first else { return }
            switch kind.value {
            case "probe": try readProbe(words)
            case "hold": try readHold(words)
            case "ramp": try readRamp(words)
            default:
                throw Fault(
                    column: kind.column,
                    message: "expected probe, hold or ramp, found \(kind.value)")
            }
        } catch {
            guard problems.count < MemoryReader.problemCountMax else { return }
            problems.append(
                Diagnostic(
                    .warning, at: place(error.column), "\(error.message); the line is ignored"))
        }
    }

    private struct Fault: Error {
        var column: Int
        var message: String
    }

    private mutating func readProbe(_ words: [MemoryText.Word]) throws(Fault) {
        let address = try value(words, at: 1, "an address", IPAddress.init)
        let state = try value(words, at: 2, "a state") { text in
            HealthState.allCases.first { $0.name == text && $0 != .unknown }
        }
        let definition = try value(words, "check", "the words of a CHECK") { $0 }
        let entry = HealthMemory.Entry(
            state, since: try time(words, "since"), seen: try time(words, "seen"),
            weight: words.contains { $0.key == "weight" }
                ? try value(words, "weight", "1…100") { text in
                    UInt8(text).flatMap { (1...100).contains($0) ? $0 : nil }
                } : 100,
            reason: try value(words, "because", "a reason") { $0 })
        guard memory.remember(address, definition, entry) else {
            throw Fault(column: 1, message: "the same probe a second time")
        }
    }

    private mutating func readRamp(_ words: [MemoryText.Word]) throws(Fault) {
        let (name, ordinal) = try target(words)
        let since = words.contains { $0.key == "since" } ? try time(words, "since") : nil
        // Of a clock that was set back in between nothing may take longer.
        memory.ramps.append(
            HealthMemory.Ramp(name, ordinal: ordinal, since: since.map { min($0, now) }))
    }

    private func target(
        _ words: [MemoryText.Word]
    ) throws(Fault) -> (name: DomainName, ordinal: Int) {
        let name = try value(words, at: 1, "a domain name") { DomainName($0) }
        let ordinal = try value(words, "ordinal", "a number") { text in
            Int(text).flatMap { $0 >= 0 ? $0 : nil }
        }
        return (name, ordinal)
    }

    private mutating func readHold(_ words: [MemoryText.Word]) throws(Fault) {
        let (name, ordinal) = try target(words)
        let longest = try value(words, "longest", "a time in ms", MemoryText.duration)
        let penalty = try value(words, "penalty", "a number") { Double($0) }
        let until = words.contains { $0.key == "until" } ? try time(words, "until") : nil
        guard
            let machine = HoldDown(
                longest: longest, penalty: penalty, at: try time(words, "at"), until: until,
                now: now)
        else { throw Fault(column: 1, message: "a hold that cannot be") }
        memory.holds.append(HealthMemory.Hold(name, ordinal: ordinal, machine: machine))
    }

    // MARK: - Values

    private func time(
        _ words: [MemoryText.Word], _ key: String
    ) throws(Fault) -> MonotonicTime {
        let clock = try value(words, key, "a time such as \(wall)") { WallClock($0) }
        return now + .seconds(clock.seconds - wall.seconds)
    }

    private func value<Value>(
        _ words: [MemoryText.Word], at index: Int, _ what: String, _ parse: (String) -> Value?
    ) throws(Fault) -> Value {
        guard index < words.count, words[index].key == nil, let value = parse(words[index].value)
        else {
            let column = index < words.count ? words[index].column : 1
            throw Fault(column: column, message: "expected \(what)")
        }
        return value
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
