import DNSWire
import Diagnostics
import Geography
import Loader
import Steering
import Survey
import ZoneFile
import Zones

// A result in words, and as JSON.

extension Simulation.Result {
    /// A readable account of one answer, which fits a screen.
    func text(_ paint: Paint, _ simulation: Simulation) -> String {
        var lines = [
            paint.bold("\(name) \(type) from \(clientText)"), "  client     \(placeText)",
        ]
        if let explanation {
            let dealings = simulation.dealings(self)
            let spilled = simulation.spilled(self)
            for (index, step) in explanation.steps.enumerated() {
                lines += step.lines(
                    paint, index < dealings.count ? dealings[index] : nil, simulation)
                if index < spilled.count, let spilled = spilled[index] {
                    lines += spilled.lines(paint)
                }
            }
        } else {
            lines.append("  policy     none: static data, the same for everyone")
        }
        lines.append("  ttl        \(ttlText)")
        lines.append("  scope      \(scopeText)")
        lines.append("  status     \(rcode == "NOERROR" ? rcode : paint.warning(rcode))")
        if let hint = hint(simulation.world) { lines.append("             \(hint)") }
        for record in response.answers.prefix(Simulation.Result.shownRecordCountMax) {
            lines.append("  answer     " + paint.bold(record.presentation))
        }
        let more = response.answers.count - Simulation.Result.shownRecordCountMax
        if more > 0 { lines.append("             and \(more) more") }
        if response.answers.isEmpty, rcode == "NOERROR" {
            lines.append("  answer     none: the name has no \(type) for this client (NODATA)")
        }
        for record in response.authorities {
            lines.append("  authority  " + record.presentation)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let shownRecordCountMax = 8

    /// For a name that is not there, which may be a slip of the hand.
    private func hint(_ world: World) -> String? {
        let near = Spelling.nearest(
            to: name.description, among: world.plan.names.map(\.name.description))
        let question = near.map { "did you mean \($0)?" }
        switch ResponseCode(rawValue: response.responseCode) {
        case .nameError: return question
        case .refused:
            let zones = world.summaries.map(\.origin.description)
            return "no zone here has it; "
                + (question ?? Suggestion.words(for: name.description, among: zones))
        default: return nil
        }
    }

    /// The number, and how it came about.
    private var ttlText: String {
        guard let ttl else { return "-" }
        guard let explanation else { return "\(ttl)" }
        var parts: [String] = []
        for step in explanation.steps {
            let range = step.name.ttl
            let owner = "\(step.name.name) says \(range.maximum)"
            if range.minimum == range.maximum {
                parts.append(owner)
            } else {
                let isLow = explanation.decision.ttl < range.maximum
                parts.append(
                    "\(owner)/\(range.minimum), \(isLow ? "and not all is up" : "and all is up")")
            }
        }
        if ttl < explanation.decision.ttl { parts.append("a record on the way says less") }
        return "\(ttl): \(parts.joined(separator: "; "))"
    }

    private var clientText: String {
        client.length == client.family.bitCount ? "\(client.address)" : "\(client)"
    }

    private var rcode: String {
        ResponseCode(rawValue: response.responseCode)?.mnemonic ?? "RCODE\(response.responseCode)"
    }

    private var placeText: String {
        guard let network = whereabouts.network else {
            return "place unknown: no location database"
        }
        var parts: [String] = []
        if let city = place.city { parts.append(city) }
        if let subdivision = place.subdivision { parts.append(subdivision) }
        if let country = place.country { parts.append(country) }
        if let continent = place.continent { parts.append("continent \(continent)") }
        if let point = place.coordinates {
            parts.append("\(point.latitude.hundredths) \(point.longitude.hundredths)")
        }
        if let line = whereabouts.line {
            parts = parts.isEmpty ? ["not to be placed"] : parts
            if let system = whereabouts.system { parts.append("AS\(system)") }
            return "\(network) of \(line): " + parts.joined(separator: ", ")
        }
        if parts.isEmpty { parts.append("not in the database") }
        if let system = whereabouts.system { parts.append("AS\(system)") }
        return "\(network)\(databaseType.map { " of \($0)" } ?? ""): "
            + parts.joined(separator: ", ")
    }

    private var scopeText: String {
        guard scope > 0 else {
            return "/0: the client's place plays no part, or is the same for all"
        }
        let holds =
            scope <= client.family.bitCount ? "\(client.address.masked(to: scope))/\(scope)" : ""
        return "/\(scope): holds for \(holds)"
    }

    /// One JSON object on one line, as `docs/json.md` has it.
    var json: String {
        "{" + JSONText.members([("client", JSONText.string(clientText))]) + "," + jsonOfAnswer
            + ","
            + JSONText.members([
                ("scope", "\(scope)"),
                ("network", JSONText.optional(whereabouts.network.map { "\($0)" })),
            ]) + "," + jsonOfPlace + "}"
    }

    /// The members that depend on what was decided, but not on the client itself.
    var jsonOfAnswer: String {
        JSONText.members([
            ("name", JSONText.string(name.description)),
            ("type", JSONText.string(type.description)),
            ("rcode", JSONText.string(rcode)),
            ("answers", JSONText.array(data.map { JSONText.string($0) })),
            ("ttl", ttl.map { "\($0)" } ?? "null"),
            ("target", JSONText.optional(explanation?.target)),
            ("reason", JSONText.string(reason.name)),
        ])
    }

    /// Those that depend on the client's place, too.
    var jsonOfPlace: String {
        let candidates = (explanation?.steps.last?.candidates ?? []).map { candidate in
            JSONText.object(
                [
                    ("target", JSONText.string(candidate.label)),
                    (
                        "distanceKilometers",
                        candidate.kilometers.map { "\(Int($0.rounded()))" } ?? "null"
                    ),
                    ("health", JSONText.string("\(candidate.state)")),
                ] + (candidate.roundTrip?.jsonOfMeasurement ?? []))
        }
        var location = [
            ("country", JSONText.optional(place.country)),
            ("continent", JSONText.optional(place.continent)),
            ("latitude", place.coordinates.map { $0.latitude.hundredths } ?? "null"),
            ("longitude", place.coordinates.map { $0.longitude.hundredths } ?? "null"),
        ]
        if let system = whereabouts.system { location.append(("asn", "\(system)")) }
        if let line = whereabouts.line { location.append(("geofeed", JSONText.string("\(line)"))) }
        return JSONText.members(
            [("location", JSONText.object(location)), ("candidates", JSONText.array(candidates))]
                + (explanation?.steps.last?.line?.json ?? []))
    }

    static let csvHeader =
        "client,name,type,rcode,answers,ttl,target,reason,scope,network,country"

    /// As `jsonOfAnswer`, for CSV (RFC 4180): several answers stand in one field, with a blank
    /// between them.
    var csvOfAnswer: String {
        [
            name.description, type.description, rcode, data.joined(separator: " "),
            ttl.map { "\($0)" } ?? "", explanation?.target ?? "", reason.name,
        ].map(\.csvField).joined(separator: ",")
    }

    var csvOfPlace: String { place.country ?? "" }

    /// RDATA of what was asked for.
    private var data: [String] {
        response.answers.filter { $0.type != .cname || type == .cname || isExternal }
            .map { RecordPresentation.rdata($0.rdata[...], type: $0.type) }
    }

    private var isExternal: Bool {
        if case .external = explanation?.decision.outcome { true } else { false }
    }
}

extension Spilled {
    fileprivate func lines(_ paint: Paint) -> [String] {
        guard let full = shares.first else { return [] }
        let others = shares.dropFirst().map {
            "\($0.portion.percent) of clients here go to \($0.label)"
        }
        let means =
            hash.map { "\(prefix) has the hash \($0.hexadecimal), which says who" }
            ?? "who is drawn for each query"
        return [
            paint.warning(
                "    \(full.label) is over its capacity and keeps \(full.portion.percent): "
                    + others.joined(separator: ", ")), "    \(means)",
        ]
    }
}

extension Explanation.Step {
    /// More targets than this are not all told of.
    private static let shownCandidateCountMax = 12

    fileprivate func lines(
        _ paint: Paint, _ dealing: Dealing?, _ simulation: Simulation
    ) -> [String] {
        var lines = ["  name       \(name.name) (\(name.location)): \(methodText)"]
        if let dealing {
            lines.append(
                "    \(dealing.prefix) has the hash \(dealing.hash.hexadecimal); of those up the least "
                    + "score gets it")
        }
        if let line { lines.append("    line \(line.selector) (\(line.location))") }
        if let measuredPrefix { lines.append("    as measured from \(measuredPrefix)") }
        let shown = candidates.enumerated().filter { index, candidate in
            index < Explanation.Step.shownCandidateCountMax || candidate.isChosen
        }
        let width = shown.map(\.element.label.count).max() ?? 0
        let total = Double(candidates.filter(\.isUp).reduce(0) { $0 + UInt64($1.weight) })
        let dealt = dealing?.shares.reduce(0) { $0 + UInt64($1.weight) } ?? 0
        for (index, candidate) in shown {
            var line = "    \(index + 1). " + candidate.label
            line += String(repeating: " ", count: width - candidate.label.count)
            if let kilometers = candidate.kilometers {
                line += "  \(Int(kilometers.rounded())) km"
            }
            if let roundTrip = candidate.roundTrip { line += "  " + roundTrip.words }
            if case .weighted = method {
                line += "  weight \(candidate.weight)"
                let share = dealing?.shares.first { $0.label == candidate.label }
                // Of what is degraded or ramps less than the weight counts.
                let part = share.map { Double($0.weight) / Double(dealt) }
                if let part = part
                    ?? (candidate.isUp && total > 0 ? Double(candidate.weight) / total : nil)
                {
                    line += " (\(part.percent))"
                }
                if let share { line += "  score \(share.score.significant)" }
            }
            line += "  " + paint.state(candidate.state)
            let words = simulation.standing.words(
                of: candidate.label, under: name, in: simulation.world.plan)
            if !words.isEmpty { line += " (\(words))" }
            if candidate.isChosen { line += "  " + paint.good("<- chosen") }
            lines.append(line)
        }
        if candidates.count > shown.count {
            lines.append("    and \(candidates.count - shown.count) more")
        }
        if let chosen, !candidates.contains(where: \.isChosen) {
            lines.append("    chosen: \(chosen)")
        }
        switch reason {
        case .backup: lines.append(paint.warning("    no target is up: a backup answers"))
        case .lastResort:
            lines.append(paint.warning("    nothing is up: answered as last-resort says"))
        case .override: lines.append(paint.warning("    an operator has ordered it"))
        default: if chosen == nil { lines.append("    the map says none here") }
        }
        return lines
    }

    private var methodText: String {
        switch method {
        case .ranked where ordinaryReason == .fastest:
            "fastest that is up, as measured, else by distance"
        case .ranked: ordinaryReason == .map ? "map" : "nearest that is up"
        case .failover: "first that is up"
        case .all: "all that are up"
        case .weighted(.turn): "each in turn (this is the first)"
        case .weighted(.client) where ordinaryReason == .hash: "hash of the client's prefix"
        case .weighted where ordinaryReason == .load:
            "by load; without reports, as here, by weight, drawn for each query (this is one draw)"
        case .weighted(.query): "weighted, drawn for each query (this is one draw)"
        case .weighted(.client): "weighted, by hash of the client's prefix"
        }
    }
}

extension PolicyLines.Line {
    /// A member of an object.
    fileprivate var json: [(name: String, value: String)] {
        let line = JSONText.object([
            ("selector", JSONText.string("\(selector)")),
            ("file", JSONText.string(location.file)), ("line", "\(location.line)"),
        ])
        return [("mapLine", line)]
    }
}

extension PolicyLines.RoundTrip {
    /// `12.5 ms (rtt.csv:4)`, or `about 133 ms by distance`
    fileprivate var words: String {
        let tenths = (milliseconds * 10).rounded() / 10
        let number = tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
        return rows.isEmpty
            ? "about \(Int(milliseconds.rounded())) ms by distance"
            : "\(number) ms (\(rows.map(\.fileAndLine).joined(separator: ", ")))"
    }

    /// Members of an object; a guess is no measurement.
    fileprivate var jsonOfMeasurement: [(name: String, value: String)] {
        guard !rows.isEmpty else { return [] }
        // Microseconds are enough.
        return [
            ("milliseconds", "\((milliseconds * 1000).rounded() / 1000)"),
            ("rows", JSONText.array(rows.map { JSONText.string($0.fileAndLine) })),
        ]
    }
}

extension SourceLocation {
    fileprivate var fileAndLine: String { "\(file):\(line)" }
}

extension Message.Record {
    /// As `dig` prints it.
    fileprivate var presentation: String {
        RecordPresentation.line(owner: owner, ttl: ttl, type: type, rdata: rdata[...])
    }
}

extension Double {
    /// Two decimals, for coordinates.
    fileprivate var hundredths: String {
        let value = Int((self * 100).rounded())
        let (whole, part) = (abs(value) / 100, abs(value) % 100)
        return (value < 0 ? "-" : "") + "\(whole)." + (part < 10 ? "0\(part)" : "\(part)")
    }
}

extension UInt64 {
    /// 16 digits.
    fileprivate var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Double {
    /// Four decimals behind the first digit that is not 0: scores are small, and differ there.
    fileprivate var significant: String {
        guard self > 0, isFinite else { return "\(self)" }
        var unit = 1.0
        while self * unit < 1, unit < 1e12 { unit *= 10 }
        return "\((self * unit * 1e4).rounded() / (unit * 1e4))"
    }
}

extension String {
    /// In quotes if it must be.
    fileprivate var csvField: String {
        let needsQuotes = utf8.contains { byte in
            byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte < 0x20
        }
        return needsQuotes ? "\"" + replacing("\"", with: "\"\"") + "\"" : self
    }
}
