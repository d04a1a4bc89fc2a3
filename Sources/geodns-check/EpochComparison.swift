import DNSWire
import Responder

/// The epochs of several servers beside the one of the files here: who has something else, and in
/// what.
///
/// Zones and places are those here, or wrong. Overrides and health are each server's own, and
/// nobody's files say what is right: of them a server is told that has others than most.
struct EpochComparison {
    /// What is to be said of one part of one server.
    struct Difference: Equatable {
        enum Kind: Equatable {
            /// Not what the files here make.
            case fromHere
            /// Unlike the other servers.
            case fromOthers
            /// The same everywhere, though nothing here says so: no fault of anybody.
            case remark
        }
        var part: Epoch.Part
        var kind: Kind
        /// As the server writes it.
        var word: String
    }

    /// One for each server; empty: the same, or not told.
    private(set) var differences: [[Difference]]

    /// `epochs`: nil of a server that does not tell.
    init(_ epochs: [Epoch?], here: Epoch) {
        differences = epochs.map { _ in [] }
        for part in Epoch.Part.allCases {
            let told = epochs.compactMap { $0?[part] }
            let usual = EpochComparison.usual(told, here: here[part])
            for (index, epoch) in epochs.enumerated() {
                guard let epoch else { continue }
                let isOutvoted = usual.map { $0 != epoch[part] } ?? (Set(told).count > 1)
                let kind: Difference.Kind
                switch part {
                case .zones, .places:
                    guard epoch[part] != here[part] else { continue }
                    kind = .fromHere
                case .overrides, .health:
                    guard isOutvoted || epoch[part] != here[part] else { continue }
                    kind = isOutvoted ? .fromOthers : .remark
                }
                differences[index].append(
                    Difference(part: part, kind: kind, word: epoch.word(part)))
            }
        }
    }

    /// What more than half of them say; of as many on both sides those that say what is here.
    private static func usual(_ told: [UInt32], here: UInt32) -> UInt32? {
        var counts: [UInt32: Int] = [:]
        for number in told { counts[number, default: 0] += 1 }
        if let most = counts.first(where: { $0.value * 2 > told.count }) { return most.key }
        return (counts[here] ?? 0) * 2 == told.count && !told.isEmpty ? here : nil
    }
}

extension EpochComparison.Difference {
    /// For the line of a server.
    var words: String {
        switch (kind, part) {
        case (.fromHere, .zones): "zones \(word), not of the files here"
        case (.fromHere, _): "places \(word), not of the location database here"
        case (.fromOthers, _): "\(part.rawValue) \(word), unlike the other servers"
        case (.remark, .overrides): "orders are in force (overrides \(word))"
        case (.remark, _): "health is not as supposed here (\(word))"
        }
    }

    /// For the summary; nil: it is nobody's fault.
    var summary: String? {
        switch (kind, part) {
        case (.fromHere, .zones): "other zones"
        case (.fromHere, _): "another location database"
        case (.fromOthers, .overrides): "other overrides than the other servers"
        case (.fromOthers, _): "another health than the other servers"
        case (.remark, _): nil
        }
    }
}

extension Epoch {
    /// The question for it.
    static func query() -> [UInt8]? {
        DomainName(ownerName).map {
            Message.query(
                $0, .txt, class: Query.classCH, identifier: .random(in: 0...UInt16.max))
        }
    }

    /// Nil: the message does not tell it.
    init?(_ message: Message) {
        guard let record = message.answers.first(where: { $0.type == .txt }) else { return nil }
        var words: [String] = []
        var rest = record.rdata[...]
        while let length = rest.popFirst() {
            words.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        self.init(words)
    }

    /// An object's members.
    var json: [(name: String, value: String)] {
        Part.allCases.map { ($0.rawValue, "\"\(word($0))\"") }
    }
}
