/// Which world a server answers from, as numbers that servers share when they share what the number
/// is of. A number says nothing else about it.
package struct Epoch: Equatable, Sendable {
    package enum Part: String, Sendable, CaseIterable {
        /// The zone files and what they include, byte by byte.
        case zones
        /// The location database: networks and their places; 0: there is none.
        case places
        /// What operators have ordered; 0: nothing.
        case overrides
        /// Targets that are not up, or held, or have only a part of their clients; 0: all are well.
        case health
    }

    private var numbers = [UInt32](repeating: 0, count: Part.allCases.count)

    package init(zones: UInt64 = 0, places: UInt64 = 0) {
        self[.zones] = Epoch.folded(zones)
        self[.places] = Epoch.folded(places)
    }

    /// The same world in another state.
    package func with(overrides: UInt64, health: UInt64) -> Epoch {
        var epoch = self
        epoch[.overrides] = Epoch.folded(overrides)
        epoch[.health] = Epoch.folded(health)
        return epoch
    }

    package private(set) subscript(part: Part) -> UInt32 {
        get { numbers[Part.allCases.firstIndex(of: part) ?? 0] }
        set { numbers[Part.allCases.firstIndex(of: part) ?? 0] = newValue }
    }

    /// Short enough to be read. 0 stays what it is, and nothing else becomes 0.
    private static func folded(_ digest: UInt64) -> UInt32 {
        guard digest != 0 else { return 0 }
        return max(UInt32(truncatingIfNeeded: digest ^ digest &>> 32), 1)
    }

    // MARK: - Words

    /// The name of class CH that has it, as TXT.
    package static let ownerName = "epoch.geodns"

    /// `1f09ac77`, or a word for 0.
    package func word(_ part: Part) -> String {
        let number = self[part]
        guard number == 0 else {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
        return Epoch.wordOfZero(part)
    }

    private static func wordOfZero(_ part: Part) -> String { part == .health ? "up" : "none" }

    /// `zones=1f09ac77`, one for each part.
    package var words: [String] { Part.allCases.map { "\($0.rawValue)=\(word($0))" } }

    /// Reads `words`; what this version does not know is passed over. Nil when a part is missing.
    package init?(_ words: [String]) {
        self.init()
        var missing = Set(Part.allCases)
        for word in words {
            let sides = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let part = Part(rawValue: sides[0]) else { continue }
            guard
                let number = sides[1] == Epoch.wordOfZero(part)
                    ? 0 : UInt32(sides[1], radix: 16)
            else { return nil }
            self[part] = number
            missing.remove(part)
        }
        guard missing.isEmpty else { return nil }
    }

    /// RDATA of a TXT record, a character-string for each word (RFC 1035 §3.3.14).
    package var rdata: [UInt8] { words.flatMap { [UInt8($0.utf8.count)] + $0.utf8 } }
}
