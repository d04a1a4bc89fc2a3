import Addressing
import DNSWire
import Zones

// `MAP <selector> <target> … | nearest | none`
extension SteeringReader {
    /// What one MAP line says: a line of its own, or a file of lines.
    enum MapEntry {
        case line(MapLine)
        /// `file=partners.csv`; the path as written.
        case file(Word)
    }

    /// Nil after a report. `end` is where a missing word is reported.
    mutating func map(_ words: ArraySlice<Word>, end: Word) -> MapEntry? {
        guard let selectorWord = words.first else {
            report(end, "MAP: expected a selector, such as default or country=")
            return nil
        }
        let rest = words.dropFirst()
        let (word, value) = selectorParts(selectorWord)
        guard let word else { return nil }
        if word == .file {
            if let extra = rest.first {
                report(
                    extra, "unexpected \(shown(extra.text)) after file=: the file has the targets")
                return nil
            }
            return .file(value)
        }
        let selector = selector(word, value)
        let answer = mapAnswer(rest, end: end)
        guard let selector, let answer else { return nil }
        return .line(MapLine(selector, answer))
    }

    /// The selector word and the text behind its `=`; `default` has none. Nil after a report.
    private mutating func selectorParts(_ word: Word) -> (MapSelectorWord?, Word) {
        guard let equals = word.firstUnescaped(UInt8(ascii: "=")) else {
            if word.string == "default" { return (.default, word) }
            report(word, MapSelectorWord.vocabulary.complaint(about: word.string))
            return (nil, word)
        }
        let (name, value) = word.cut(at: equals)
        guard let selector = MapSelectorWord(rawValue: name.string), selector != .default else {
            report(word, MapSelectorWord.vocabulary.complaint(about: name.string + "="))
            return (nil, value)
        }
        if value.isEmpty {
            report(value, "\(name.string)= needs a value")
            return (nil, value)
        }
        return (selector, value)
    }

    private mutating func selector(_ word: MapSelectorWord, _ value: Word) -> MapLine.Selector? {
        switch word {
        case .default, .file: .default
        case .continent: continent(value).map(MapLine.Selector.continent)
        case .country: country(value).map(MapLine.Selector.country)
        case .subdivision: subdivision(value).map(MapLine.Selector.subdivision)
        case .city: city(value)
        case .asn: autonomousSystem(value).map(MapLine.Selector.asn)
        case .net: prefix(value).map(MapLine.Selector.net)
        }
    }

    /// Targets, or one of the words that stand for an answer.
    mutating func mapAnswer(_ words: ArraySlice<Word>, end: Word) -> MapLine.Answer? {
        guard let first = words.first else {
            report(end, "MAP: expected targets, nearest or none")
            return nil
        }
        let word = first.string
        if word == "nearest" || word == "none" {
            if let extra = words.dropFirst().first {
                report(extra, "unexpected \(shown(extra.text)) after \(word)")
                return nil
            }
            return word == "nearest" ? .nearest : MapLine.Answer.none
        }
        let reportedBefore = diagnostics.count
        let targets = targets(words)
        return diagnostics.count == reportedBefore ? .targets(targets) : nil
    }
}

// MARK: - Selectors

extension SteeringReader {
    private mutating func continent(_ word: Word) -> String? {
        let code = word.string.uppercased()
        if Places.continents.contains(code) { return code }
        report(
            word,
            "continent is one of \(Places.continents.joined(separator: " ")), found "
                + shown(word.text))
        return nil
    }

    mutating func country(_ word: Word) -> String? {
        let code = word.string.uppercased()
        if Places.isCountry(code) { return code }
        let hint = code == "UK" ? "; the United Kingdom is GB" : ""
        report(
            word,
            "country is a two-letter code of ISO 3166-1, such as DE, found \(shown(word.text))\(hint)"
        )
        return nil
    }

    /// A country, a hyphen, and up to three letters or digits.
    private mutating func subdivision(_ word: Word) -> String? {
        let code = word.string.uppercased()
        if Places.isSubdivision(code) { return code }
        report(
            word,
            "subdivision is a code of ISO 3166-2, such as US-CA, found \(shown(word.text))")
        return nil
    }

    /// `US-TX/Dallas` or `SG/Singapore`; blanks of a name in quotes or with backslashes.
    private mutating func city(_ word: Word) -> MapLine.Selector? {
        if let slash = word.text.firstIndex(of: UInt8(ascii: "/")) {
            let (areaWord, nameWord) = word.cut(at: slash)
            let area = areaWord.string.uppercased()
            if Places.isCountry(area) || Places.isSubdivision(area),
                let bytes = decodeText(nameWord.text), !bytes.isEmpty,
                let name = String(validating: bytes, as: UTF8.self)
            {
                return .city(area: area, name: name)
            }
        }
        report(
            word,
            "city is <country or subdivision>/<English name>, such as US-TX/Dallas, found "
                + shown(word.text))
        return nil
    }

    /// `64500`, or `AS64500`, as everybody else writes it. Nobody has 0 (RFC 7607).
    private mutating func autonomousSystem(_ word: Word) -> UInt32? {
        let hasLetters = word.string.uppercased().hasPrefix("AS")
        let digits = hasLetters ? word.text.dropFirst(2) : word.text
        if let number = parseNumber(digits, maximum: UInt64(UInt32.max)), number > 0 {
            return UInt32(number)
        }
        report(
            word,
            "asn is the number of an autonomous system, 1…\(UInt32.max), such as 64500, found "
                + shown(word.text))
        return nil
    }

    mutating func prefix(_ word: Word) -> Prefix? {
        if let prefix = Prefix(word.string) { return prefix }
        let parts = word.text.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPAddress(String(decoding: parts[0], as: UTF8.self)),
            let length = parseNumber(parts[1], maximum: UInt64(address.family.bitCount))
        {
            let meant = Prefix(address, length: Int(length))
            report(word, "\(shown(word.text)) has bits set past /\(length); did you mean \(meant)?")
        } else {
            report(
                word,
                "expected a prefix such as 192.0.2.0/24 or 2001:db8::/32, found "
                    + shown(word.text))
        }
        return nil
    }
}

/// The codes a location database knows places by.
enum Places {
    static let continents = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"]

    /// ISO 3166-1 alpha-2, as assigned in 2025.
    private static let countries: Set<String> = Set(
        """
        AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
        BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
        EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
        GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
        KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
        MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
        QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
        TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM
        ZW
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    /// Assigned, or left to users by ISO 3166-1 §8.1.3 (AA, QM…QZ, XA…XZ, ZZ): databases have XK.
    static func isCountry(_ code: String) -> Bool {
        if countries.contains(code) { return true }
        let letters = Array(code.utf8)
        guard letters.count == 2, letters.allSatisfy({ (0x41...0x5a).contains($0) }) else {
            return false
        }
        return code == "AA" || code == "ZZ" || letters[0] == UInt8(ascii: "X")
            || letters[0] == UInt8(ascii: "Q") && letters[1] >= UInt8(ascii: "M")
    }

    static func isSubdivision(_ code: String) -> Bool {
        let parts = code.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 2 && isCountry(String(parts[0]))
            && (1...3).contains(parts[1].utf8.count)
            && parts[1].utf8.allSatisfy { isDigit($0) || (0x41...0x5a).contains($0) }
    }
}
