import Addressing
import Diagnostics
import GeoSources
import Geography
import Loader
import Steering

/// Who asks, and how much: every address of a family alike, or as measured.
struct Demand {
    private enum Clients {
        case addresses(IPAddress.Family)
        case measured([(prefix: Prefix, count: Double)])
    }

    private let clients: Clients
    /// `IPv4`, `IPv6`, or the file it was read from.
    let title: String
    /// All of it, in the unit of capacities; nil: only portions are known.
    let total: Double?

    /// `total`: what all addresses together make.
    init(_ family: IPAddress.Family, total: Double?) {
        clients = .addresses(family)
        title = family.name
        self.total = total
    }

    /// Nil: it is measured, and holds both.
    var family: IPAddress.Family? {
        if case .addresses(let family) = clients { family } else { nil }
    }

    /// Whether clients that the database does not place count: most addresses that nobody uses have
    /// no place, but who was seen to ask is there.
    var countsUnknown: Bool { family == nil }

    /// Divides the clients so that each part lies in one place and is answered alike: `scope` gives
    /// the length of the widest prefix around an address that is. `weight` is in any unit.
    func forEachPart(
        in database: MaxMindDatabase, scope: (IPAddress) -> Int,
        _ body: (_ part: Prefix, _ place: PlaceIndex, _ weight: Double) -> Void
    ) {
        switch clients {
        case .addresses(let family):
            database.forEachPart(of: family, scope: scope) { part, place in
                body(part, place, part.addressCount)
            }
        case .measured(let rows):
            for (prefix, count) in rows {
                Demand.forEachPart(of: prefix, in: database, scope: scope) { part, place in
                    body(part, place, count * part.addressCount / prefix.addressCount)
                }
            }
        }
    }

    private static func forEachPart(
        of prefix: Prefix, in database: MaxMindDatabase, scope: (IPAddress) -> Int,
        _ body: (_ part: Prefix, _ place: PlaceIndex) -> Void
    ) {
        var address = prefix.address
        while true {
            let (place, network) = database.lookup(address)
            let length = max(prefix.length, network.length, scope(address), address.alignment)
            let part = Prefix(address, length: length)
            body(part, place)
            guard let next = part.following, prefix.contains(next) else { return }
            address = next
        }
    }
}

extension Demand {
    /// Reads lines of `prefix,count`. Nil when any line is at fault.
    static func read(_ bytes: [UInt8], file: String) -> (demand: Demand?, problems: [Diagnostic]) {
        var rows: [(prefix: Prefix, count: Double)] = []
        var problems = ClientTable.read(bytes, file: file, title: ["prefix", "count"]) {
            row throws(ClientTable.Fault) in
            guard row.fields.count == 1, let count = Double(row.fields[0].text), count >= 0,
                count.isFinite
            else {
                throw ClientTable.Fault(
                    column: row.fields.first?.column ?? row.endColumn,
                    message: "expected one number behind the prefix, as in 203.0.113.0/24,1500")
            }
            rows.append((row.prefix, count))
        }
        let total = rows.reduce(0) { $0 + $1.count }
        if problems.isEmpty, total == 0 {
            problems.append(
                Diagnostic(.error, at: nil, "\(file): nobody asks: there is no count above 0"))
        }
        return problems.isEmpty ? (Demand(rows, file: file, total: total), []) : (nil, problems)
    }

    private init(_ rows: [(prefix: Prefix, count: Double)], file: String, total: Double) {
        clients = .measured(rows)
        title = file
        self.total = total
    }
}
