import DNSWire

/// The names that exist in a zone: owners, and the empty non-terminals above them (RFC 4592
/// §2.2.2).
struct Tree: Sendable {
    let origin: DomainName
    private var names: Set<DomainName> = []

    /// `inner`: the apex of another zone. What lies below that is the other zone's; what a
    /// delegation has at the apex itself counts.
    init(origin: DomainName, owners: [DomainName], without inner: DomainName?) {
        self.origin = origin
        for owner in owners {
            if let inner, owner != inner, owner.isWithin(inner) { continue }
            var name = owner
            while names.insert(name).inserted, name != origin, let parent = name.parent {
                name = parent
            }
        }
    }

    /// The longest name that exists at or above `name` (RFC 4592 §3.3.1).
    func closestEncloser(of name: DomainName) -> DomainName {
        var encloser = name
        while !names.contains(encloser), let parent = encloser.parent { encloser = parent }
        return encloser
    }
}
