import DNSWire
import Health
import Steering

/// What an operator asks for over the control socket about targets and weights, read from its
/// words; nothing is looked up yet.
enum OverrideCommand: Equatable {
    /// `drain`, `down` or `up`.
    case order(HealthState, targets: [String], Terms)
    /// `undrain`, and `clear` for whatever was said.
    case takeBack(targets: [String], drainsOnly: Bool, Terms)
    case set(name: String, [WeightOrder.Share], Terms)
    case unset(name: String, Terms)
    case shift(name: String, from: String, to: String, step: Int, pace: Duration, Terms)
    case steer(name: String, Steering, Terms)

    enum Steering: String, CaseIterable {
        case pause, resume, abort
    }

    /// What may be added to any of them.
    struct Terms: Equatable {
        var duration: Duration?
        var reason = ""
        var clients = Override.Clients.all
        /// Against the safety rules.
        var isForced = false
    }

    var terms: Terms {
        switch self {
        case .order(_, _, let terms), .takeBack(_, _, let terms), .set(_, _, let terms),
            .unset(_, let terms), .shift(_, _, _, _, _, let terms), .steer(_, _, let terms):
            terms
        }
    }

    /// Nothing was changed, and why.
    struct Refusal: Error, Equatable {
        var message: String

        init(_ message: String) { self.message = message }
    }

    static let words = ["drain", "undrain", "down", "up", "clear", "set", "unset", "shift"]

    /// The longest time that `for=` takes: a year.
    private static let durationMax = Duration.seconds(366 * 86_400)
    /// Of a target or a pattern: that of a domain name in presentation format.
    private static let targetByteCountMax = 1024
    /// Of a reason: it stands in one line of the log.
    private static let reasonByteCountMax = 500

    /// `words[0]` is one of `words`.
    init(_ words: [String]) throws(Refusal) {
        var terms = Terms()
        var operands: [String] = []
        for word in words.dropFirst() {
            if try !terms.take(word, of: words[0]) { operands.append(word) }
        }
        for operand in operands
        where operand.isEmpty || operand.utf8.count > OverrideCommand.targetByteCountMax {
            throw Refusal("\(words[0]): a target is empty or too long")
        }
        switch words[0] {
        case "drain", "down", "up":
            guard !operands.isEmpty else {
                throw Refusal("\(words[0]) needs a target: \(words[0]) fra, or \(words[0]) 'eu-*'")
            }
            let state: HealthState =
                switch words[0] {
                case "drain": .drain
                case "down": .down
                default: .up
                }
            self = .order(state, targets: operands, terms)
        case "undrain", "clear":
            guard !operands.isEmpty else {
                throw Refusal("\(words[0]) needs a target, as it was given before")
            }
            self = .takeBack(targets: operands, drainsOnly: words[0] == "undrain", terms)
        case "set":
            guard operands.count >= 2 else {
                throw Refusal("set needs a name and its weights: set www blue:0 green:100")
            }
            var shares: [WeightOrder.Share] = []
            for word in operands.dropFirst() {
                guard let share = WeightOrder.Share(word) else {
                    throw Refusal(
                        "set: expected TARGET:WEIGHT with a weight from 0 to \(UInt32.max), "
                            + "found \(word)")
                }
                guard !shares.contains(where: { $0.label == share.label }) else {
                    throw Refusal("set: \(share.label) is given twice")
                }
                shares.append(share)
            }
            self = .set(name: operands[0], shares, terms)
        case "unset":
            guard operands.count == 1 else { throw Refusal("unset needs one name: unset www") }
            self = .unset(name: operands[0], terms)
        default:
            self = try OverrideCommand.shift(operands, terms)
        }
    }

    private static func shift(
        _ operands: [String], _ terms: Terms
    ) throws(Refusal) -> OverrideCommand {
        if operands.count == 2, let steering = Steering(rawValue: operands[1]) {
            return .steer(name: operands[0], steering, terms)
        }
        let usage =
            "expected shift NAME FROM->TO STEP%/PACE, like shift www 'blue->green' 10%/1m, or shift "
            + "NAME pause, resume or abort"
        guard operands.count == 3 else { throw Refusal(usage) }
        guard terms.duration == nil else {
            throw Refusal("shift takes no time: it ends when everything is moved")
        }
        guard let arrow = operands[1].firstRange(of: "->") else { throw Refusal(usage) }
        let (from, to) = (
            String(operands[1][..<arrow.lowerBound]), String(operands[1][arrow.upperBound...])
        )
        guard !from.isEmpty, !to.isEmpty, from != to else { throw Refusal(usage) }
        let parts = operands[2].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let step = Shift.hundredths(String(parts[0])),
            let pace = duration(String(parts[1])), pace >= .seconds(1)
        else {
            throw Refusal(
                "\(operands[2]): expected STEP%/PACE with a step of 0.01% to 100% and a pace of at "
                    + "least 1s, like 10%/1m")
        }
        return .shift(
            name: operands[0], from: from, to: to, step: step, pace: pace, terms)
    }

    /// `90s`, `2h`, `1h30m`, `1d`; nil for anything else, and beyond a year.
    static func duration(_ text: String) -> Duration? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        var seconds = 0
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard (1...9).contains(digits.count), let count = Int(digits),
                let unit = rest.popFirst(), let factor = units[unit]
            else { return nil }
            seconds += count * factor
        }
        let duration = Duration.seconds(seconds)
        return seconds > 0 && duration <= durationMax ? duration : nil
    }
}

extension OverrideCommand.Terms {
    /// False when `word` is none of them.
    fileprivate mutating func take(
        _ word: String, of command: String
    ) throws(OverrideCommand.Refusal) -> Bool {
        if word == "force" {
            isForced = true
            return true
        }
        guard let equals = word.firstIndex(of: "=") else { return false }
        let value = String(word[word.index(after: equals)...])
        switch word[..<equals] {
        case "for":
            guard let duration = OverrideCommand.duration(value) else {
                throw OverrideCommand.Refusal(
                    "--for \(value): expected a time of 1s to a year, like 90s, 30m, 2h or 1d")
            }
            self.duration = duration
        case "reason":
            guard value.utf8.count <= OverrideCommand.reasonByteCountMax else {
                throw OverrideCommand.Refusal(
                    "--reason: expected at most \(OverrideCommand.reasonByteCountMax) bytes")
            }
            reason = value
        case "client":
            guard let clients = Override.Clients(value) else {
                throw OverrideCommand.Refusal(
                    "--client \(value): \(Override.Clients.expectation)")
            }
            self.clients = clients
        default: return false
        }
        return true
    }
}
