package import Addressing
package import Geography
import Steering

/// Who asks, and how much: every address of a family alike, or as measured.
package struct Demand {
    private enum Clients {
        case addresses(IPAddress.Family)
        case measured([(prefix: Prefix, count: Double)])
    }

    private let clients: Clients
    /// `IPv4`, `IPv6`, or the file it was read from.
    package let title: String
    /// All of it, in the unit of capacities; nil: only portions are known.
    package let total: Double?
    /// Whether clients that the database does not place count. Most addresses that nobody uses have
    /// no place, but who was seen to ask is there; and without a database nobody has one.
    package let countsUnknown: Bool

    /// `total`: what all addresses together make.
    package init(_ family: IPAddress.Family, total: Double? = nil, countsUnknown: Bool = false) {
        clients = .addresses(family)
        title = family.name
        self.total = total
        self.countsUnknown = countsUnknown
    }

    /// `title`: where these numbers come from.
    package init(_ rows: [(prefix: Prefix, count: Double)], title: String) {
        clients = .measured(rows)
        self.title = title
        total = rows.reduce(0) { $0 + $1.count }
        countsUnknown = true
    }

    /// Nil: it is measured, and holds both.
    package var family: IPAddress.Family? {
        if case .addresses(let family) = clients { family } else { nil }
    }

    /// Divides the clients so that each part lies in one place and is answered alike: `scope` gives
    /// the length of the widest prefix around an address that is, and is asked right before `body`
    /// gets the part. `weight` is in any unit.
    package func forEachPart(
        in source: some LocationSource, scope: (IPAddress) -> Int,
        _ body: (_ part: Prefix, _ place: PlaceIndex, _ weight: Double) -> Void
    ) {
        switch clients {
        case .addresses(let family):
            source.forEachPart(of: family, scope: scope) { part, place in
                body(part, place, part.addressCount)
            }
        case .measured(let rows):
            for (prefix, count) in rows {
                Demand.forEachPart(of: prefix, in: source, scope: scope) { part, place in
                    body(part, place, count * part.addressCount / prefix.addressCount)
                }
            }
        }
    }

    private static func forEachPart(
        of prefix: Prefix, in source: some LocationSource, scope: (IPAddress) -> Int,
        _ body: (_ part: Prefix, _ place: PlaceIndex) -> Void
    ) {
        var address = prefix.address
        while true {
            let (place, network) = source.lookup(address)
            let length = max(prefix.length, network.length, scope(address), address.alignment)
            let part = Prefix(address, length: length)
            body(part, place)
            guard let next = part.following, prefix.contains(next) else { return }
            address = next
        }
    }
}

extension Prefix {
    /// How many addresses it has.
    package var addressCount: Double {
        Double(sign: .plus, exponent: family.bitCount - length, significand: 1)
    }
}
