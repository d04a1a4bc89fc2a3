import Diagnostics

// `$GENERATE range owner [TTL] [class] type rdata`: many records from one line, as BIND has it.
extension ZoneFileParser {
    /// The line whose records are being read, for the places of their problems.
    struct Generation {
        /// Words of the line, and where each stands in the text that is made of it.
        var places: [(column: Int, token: Token)] = []
        /// What `$` is.
        var number = 0

        /// Where the word of the line stands that a place in the text made of it is from.
        func place(_ column: Int) -> (line: Int, column: Int)? {
            places.last { $0.column <= column }.map { ($0.token.line, $0.token.column) }
        }
    }

    mutating func readGenerate() {
        let tokens = scanner.tokens
        guard tokens.count > 1 else {
            reportMissing("$GENERATE: expected a range such as 1-10 or 0-100/2")
            return
        }
        guard let (range, count) = readRange(tokens[1]) else { return }
        guard tokens.count > 3 else {
            reportMissing("$GENERATE: expected an owner name, a record type and RDATA")
            return
        }
        guard count <= Generate.recordCountMax else {
            report(
                tokens[1],
                "\(count) records in one line; $GENERATE makes at most "
                    + "\(Generate.recordCountMax)")
            return
        }
        // The RDATA is one word, or many in quotes.
        let typeToken = tokens[tokens.count - 2]
        guard TypeWords.type(text(of: typeToken).span) != nil else {
            report(
                typeToken,
                "$GENERATE: expected a record type before the last word, found "
                    + "\(shown(text(of: typeToken))); RDATA of several words stands in quotes")
            return
        }
        guard let owner = readTemplate(tokens[2]),
            let rdata = readTemplate(tokens[tokens.count - 1])
        else { return }
        let middle = tokens[3..<(tokens.count - 1)].map { Array(text(of: $0)) }
        let outer = scanner
        for number in range {
            generation = Generation(places: [], number: number)
            guard let ownerText = owner.expanded(number), let rdataText = rdata.expanded(number)
            else {
                generation = nil
                report(
                    tokens[1], "$GENERATE: an offset makes a number negative when $ is \(number)")
                break
            }
            var line: [UInt8] = []
            for (index, word) in ([ownerText] + middle + [rdataText]).enumerated() {
                generation?.places.append((line.count + 1, tokens[index + 2]))
                line += word
                line.append(UInt8(ascii: " "))
            }
            let problemCount = diagnostics.count
            scanner = LineScanner(line)
            readGenerated()
            scanner = outer
            generation = nil
            // What is wrong with one is wrong with most.
            if diagnostics.count > problemCount { break }
        }
        generation = nil
        scanner = outer
    }

    private mutating func readRange(_ token: Token) -> (StrideThrough<Int>, Int)? {
        if !token.isQuoted, let range = Generate.parseRange(text(of: token)) { return range }
        report(
            token,
            "$GENERATE: expected a range such as 1-10 or 0-100/2, from the least to the most, "
                + "found \(shown(text(of: token)))")
        return nil
    }

    private mutating func readTemplate(_ token: Token) -> Generate.Template? {
        // Quotes escaped inside quotes make a quoted string of the record.
        let text = token.isQuoted ? unescapingQuotes(text(of: token)) : text(of: token)
        if let template = Generate.Template(text) { return template }
        report(
            token,
            "$GENERATE: after $ may stand {offset,width,form}, the width at most "
                + "\(Generate.widthMax), the form one of d o x X n N; found "
                + shown(text))
        return nil
    }

    private func unescapingQuotes(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var result: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                if next != UInt8(ascii: "\"") { result.append(byte) }
                result.append(next)
            } else {
                result.append(byte)
            }
        }
        return result[...]
    }

    private mutating func readGenerated() {
        guard scanner.nextLine() else { return }
        if scanner.isDamaged { reportFaults() }
        guard !scanner.isDamaged, let first = scanner.tokens.first else { return }
        // The next record without an owner has the owner of the one before this line.
        let previous = (owner, ownerWire)
        readOwner(first)
        readRecord(from: 1)
        (owner, ownerWire) = previous
    }
}
