import Addressing
import DNSWire
import Geography
import Loader
import Steering
import Survey

/// Who gets what under a GEO name, over all clients: places by targets.
struct Matrix {
    /// Country, or country and subdivision (ISO 3166); empty where no place is known.
    struct Row {
        var place: String
        /// Of all that count; nil for addresses without a place, which do not.
        var portion: Double?
        /// Largest first; they make 1.
        var targets: [(label: String, portion: Double)]
        /// Of a country whose clients are not all sent alike.
        var subdivisions: [Row] = []
    }

    let name: DomainName
    let demand: Demand
    /// Of all that count.
    let all: Row
    /// Largest first, the unknown last.
    private(set) var rows: [Row]

    init(
        _ name: DomainName, _ demand: Demand, in surveyed: SurveyedWorld,
        database: GeoData
    ) {
        self.name = name
        self.demand = demand
        var countries: [String: Count] = [:]
        var outlook = Outlook()
        let places = database.places
        let number = surveyed.geoName(name)
        demand.forEachPart(in: database) { address in
            outlook = number.map { surveyed.answers.outlook(name: $0, around: address) } ?? outlook
            return outlook.scope
        } _: { _, place, weight in
            let place = places[place]
            for share in outlook.shares {
                countries[place.country ?? place.continent ?? "", default: Count()].add(
                    weight * share.portion,
                    to: surveyed.answers.label(of: share.outcome),
                    subdivision: place.subdivision)
            }
        }
        let unknown = demand.countsUnknown ? nil : countries.removeValue(forKey: "")
        let total = countries.values.reduce(0) { $0 + $1.total }
        all = Row(place: "all", portion: 1, targets: Count.merged(countries.values).targets)
        rows = countries.map { Matrix.row($0, $1, of: total) }.sorted(by: Matrix.order)
        if let unknown { rows.append(Row(place: "", portion: nil, targets: unknown.targets)) }
    }

    private static func row(_ place: String, _ count: Count, of total: Double) -> Row {
        var row = Row(place: place, portion: count.total / total, targets: count.targets)
        if row.targets.count > 1 {
            row.subdivisions = count.subdivisions.map { Matrix.row($0, $1, of: total) }
                .sorted(by: Matrix.order)
        }
        return row
    }

    private static func order(_ first: Row, _ second: Row) -> Bool {
        (second.portion ?? 0, first.place) < (first.portion ?? 0, second.place)
    }

    /// Clients by target.
    struct Count {
        var byTarget: [String: Double] = [:]
        var subdivisions: [String: Count] = [:]

        var total: Double { byTarget.values.reduce(0, +) }

        var targets: [(label: String, portion: Double)] {
            let total = total
            return byTarget.map { (label: $0.key, portion: $0.value / total) }
                .sorted { ($1.portion, $0.label) < ($0.portion, $1.label) }
        }

        mutating func add(_ weight: Double, to label: String, subdivision: String?) {
            byTarget[label, default: 0] += weight
            guard let subdivision else { return }
            subdivisions[subdivision, default: Count()].byTarget[label, default: 0] += weight
        }

        static func merged(_ counts: some Collection<Count>) -> Count {
            counts.reduce(into: Count()) { result, count in
                result.byTarget.merge(count.byTarget, uniquingKeysWith: +)
            }
        }
    }
}
