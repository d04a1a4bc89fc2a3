import Addressing
import DNSWire
import Diagnostics
import Loader
import Steering
import Survey
import ZoneFile
import Zones

/// Where what is measured says otherwise than what is answered: prefixes whose target is not the
/// one with the shortest round trip.
struct RoundTrips {
    /// Milliseconds to each target that was measured, by its label.
    private let rows: [(prefix: Prefix, times: [String: Double])]
    private let file: String

    /// Reads the file as the `rtt=` of a GEO is read: a row counts for the targets that its name is
    /// the label, the owner name or the region of, and several for the same are one, by their
    /// samples. Nil when any row is at fault.
    static func read(
        _ bytes: [UInt8], file: String, plan: SteeringPlan
    ) -> (roundTrips: RoundTrips?, problems: [Diagnostic]) {
        let (rows, faults) = parseRoundTripFile(bytes, file: file, origin: .root)
        var problems = faults
        var labels: [DomainName: Set<String>] = [:]
        for endpoint in plan.endpoints {
            let region = endpoint.region.map { plan.regions[$0] }
            let names = [
                DomainName(endpoint.label), endpoint.name, region?.name,
                region.flatMap { DomainName($0.label) },
            ]
            for name in names.compactMap(\.self) {
                labels[name, default: []].insert(endpoint.label)
            }
        }
        var numbers: [Prefix: Int] = [:]
        var sums: [(prefix: Prefix, times: [String: (time: Double, samples: Double)])] = []
        for row in rows {
            guard let targets = labels[row.target.name] else {
                let known = Set(plan.endpoints.map(\.label)).sorted().joined(separator: " ")
                let name = row.target.name.description.dropLast()
                problems.append(
                    Diagnostic(
                        .error, at: row.target.location,
                        "no such target '\(name)'; there are \(known)"))
                continue
            }
            let number = numbers[row.prefix] ?? sums.count
            if number == sums.count {
                numbers[row.prefix] = number
                sums.append((row.prefix, [:]))
            }
            for target in targets {
                sums[number].times[target, default: (0, 0)].time +=
                    row.milliseconds * Double(row.samples)
                sums[number].times[target]?.samples += Double(row.samples)
            }
        }
        guard problems.isEmpty else { return (nil, problems.sortedByLocation) }
        let means = sums.map { row in
            (prefix: row.prefix, times: row.times.mapValues { $0.time / $0.samples })
        }
        return (RoundTrips(rows: means, file: file), [])
    }

    // MARK: - One name

    /// A prefix that another target would be faster for.
    private struct Detour {
        var prefix: Prefix
        var country: String
        var target: String
        var milliseconds: Double
        var fastest: String
        var fastestMilliseconds: Double

        var lost: Double { milliseconds - fastestMilliseconds }
    }

    /// Less is what two measurements of the same differ by.
    private static let lostMin = 10.0
    private static let shownCountMax = 20

    func report(
        _ name: DomainName, in surveyed: SurveyedWorld, database: GeoData, asJSON: Bool
    ) -> String {
        let candidates = Set(
            surveyed.endpoints(of: name).map { surveyed.plan.endpoints[$0].label })
        var detours: [Detour] = []
        var measuredCount = 0
        var unmeasuredCount = 0
        for (prefix, times) in rows {
            guard let geo = surveyed.geoName(name),
                let fastest = times.filter({ candidates.contains($0.key) })
                    .min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
            else { continue }
            let outlook = surveyed.answers.outlook(name: geo, around: prefix.address)
            for share in outlook.shares {
                let label = surveyed.answers.label(of: share.outcome)
                guard let time = times[label] else {
                    unmeasuredCount += 1
                    break
                }
                if share == outlook.shares.last { measuredCount += 1 }
                guard time - fastest.value >= RoundTrips.lostMin else { continue }
                let place = database.places[database.lookup(prefix.address).place]
                detours.append(
                    Detour(
                        prefix: prefix, country: place.country ?? place.continent ?? "?",
                        target: label, milliseconds: time, fastest: fastest.key,
                        fastestMilliseconds: fastest.value))
            }
        }
        detours.sort { ($1.lost, "\($0.prefix)") < ($0.lost, "\($1.prefix)") }
        return asJSON
            ? detours.map { json($0, name) + "\n" }.joined()
            : text(name, detours, measuredCount, unmeasuredCount)
    }

    private func text(
        _ name: DomainName, _ detours: [Detour], _ measuredCount: Int, _ unmeasuredCount: Int
    ) -> String {
        let prefixes = Set(detours.map(\.prefix)).count
        var head =
            "\(name) over \(file): \(prefixes) of \(measuredCount) prefixes with a target that is "
        head += "\(RoundTrips.lostMin.words) ms or more behind the fastest"
        if !detours.isEmpty {
            let mean = detours.reduce(0) { $0 + $1.lost } / Double(detours.count)
            head += ", \(mean.words) ms on average"
        }
        var lines = [head]
        if unmeasuredCount > 0 {
            let prefixes = unmeasuredCount == 1 ? "1 prefix" : "\(unmeasuredCount) prefixes"
            lines.append("  \(prefixes) with a target that was not measured from there")
        }
        for detour in detours.prefix(RoundTrips.shownCountMax) {
            lines.append(
                "  \(detour.prefix)  \(detour.country)  \(detour.target) \(detour.milliseconds.words) ms, "
                    + "\(detour.fastest) \(detour.fastestMilliseconds.words) ms: \(detour.lost.words) ms slower"
            )
        }
        if detours.count > RoundTrips.shownCountMax {
            lines.append("  and \(detours.count - RoundTrips.shownCountMax) more")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func json(_ detour: Detour, _ name: DomainName) -> String {
        JSONText.object([
            ("name", JSONText.string(name.description)),
            ("prefix", JSONText.string("\(detour.prefix)")),
            ("place", JSONText.string(detour.country)),
            ("target", JSONText.string(detour.target)),
            ("milliseconds", "\(detour.milliseconds)"),
            ("fastest", JSONText.string(detour.fastest)),
            ("fastestMilliseconds", "\(detour.fastestMilliseconds)"),
        ])
    }
}

extension Double {
    /// One decimal at most.
    fileprivate var words: String {
        let tenths = (self * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }
}
