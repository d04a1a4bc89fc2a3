import DNSWire
import Diagnostics
import Geography
import Steering
import ZoneFile
import Zones

// A result in words, and as JSON.

extension Simulation.Result {
    /// A readable account of one answer.
    var text: String {
        var lines = ["\(name) \(type) from \(clientText)", "  client     \(placeText)"]
        if let explanation {
            for step in explanation.steps { lines += step.lines }
        } else {
            lines.append("  policy     none: static data, the same for everyone")
        }
        lines.append("  ttl        \(ttl.map { "\($0)" } ?? "-")")
        lines.append("  scope      \(scopeText)")
        lines.append("  status     \(rcode)")
        for record in response.answers { lines.append("  answer     " + record.presentation) }
        if response.answers.isEmpty, rcode == "NOERROR" {
            lines.append("  answer     none: the name has no \(type) for this client (NODATA)")
        }
        for record in response.authorities {
            lines.append("  authority  " + record.presentation)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var clientText: String {
        client.length == client.family.bitCount ? "\(client.address)" : "\(client)"
    }

    private var rcode: String {
        ResponseCode(rawValue: response.responseCode)?.mnemonic ?? "RCODE\(response.responseCode)"
    }

    private var placeText: String {
        guard let network else { return "place unknown: no location database" }
        var parts: [String] = []
        if let city = place.city { parts.append(city) }
        if let subdivision = place.subdivision { parts.append(subdivision) }
        if let country = place.country { parts.append(country) }
        if let continent = place.continent { parts.append("continent \(continent)") }
        if let point = place.coordinates {
            parts.append("\(point.latitude.hundredths) \(point.longitude.hundredths)")
        }
        return "\(network): "
            + (parts.isEmpty ? "not in the database" : parts.joined(separator: ", "))
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
        let candidates = (explanation?.steps.last?.candidates ?? []).map { candidate in
            JSONText.object([
                ("target", JSONText.string(candidate.label)),
                (
                    "distanceKilometers",
                    candidate.kilometers.map { "\(Int($0.rounded()))" } ?? "null"
                ),
                ("health", JSONText.string(candidate.isUp ? "up" : "down")),
            ])
        }
        let answers = response.answers.filter { $0.type != .cname || type == .cname || isExternal }
        return JSONText.object([
            ("client", JSONText.string(clientText)),
            ("name", JSONText.string(name.description)),
            ("type", JSONText.string(type.description)),
            ("rcode", JSONText.string(rcode)),
            (
                "answers",
                JSONText.array(
                    answers.map {
                        JSONText.string(RecordPresentation.rdata($0.rdata[...], type: $0.type))
                    })
            ),
            ("ttl", ttl.map { "\($0)" } ?? "null"),
            ("target", JSONText.optional(explanation?.target)),
            ("reason", JSONText.string(reason.name)),
            ("scope", "\(scope)"),
            ("network", JSONText.optional(network.map { "\($0)" })),
            (
                "location",
                JSONText.object([
                    ("country", JSONText.optional(place.country)),
                    ("continent", JSONText.optional(place.continent)),
                    ("latitude", place.coordinates.map { $0.latitude.hundredths } ?? "null"),
                    ("longitude", place.coordinates.map { $0.longitude.hundredths } ?? "null"),
                ])
            ),
            ("candidates", JSONText.array(candidates)),
        ])
    }

    private var isExternal: Bool {
        if case .external = explanation?.decision.outcome { true } else { false }
    }
}

extension Explanation.Step {
    fileprivate var lines: [String] {
        var lines = ["  name       \(name.name) (\(name.location)): \(methodText)"]
        let width = candidates.map(\.label.count).max() ?? 0
        for (index, candidate) in candidates.enumerated() {
            var line = "    \(index + 1). " + candidate.label
            line += String(repeating: " ", count: width - candidate.label.count)
            if let kilometers = candidate.kilometers {
                line += "  \(Int(kilometers.rounded())) km"
            }
            if case .weighted = method { line += "  weight \(candidate.weight)" }
            line += candidate.isUp ? "  up" : "  down"
            if candidate.isChosen { line += "  <- chosen" }
            lines.append(line)
        }
        if let chosen, !candidates.contains(where: \.isChosen) {
            lines.append("    chosen: \(chosen)")
        }
        switch reason {
        case .backup: lines.append("    no target is up: a backup answers")
        case .lastResort: lines.append("    nothing is up: answered as last-resort says")
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
