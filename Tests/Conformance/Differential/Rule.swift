package import DNSWire

/// Why a peer may answer otherwise than `geodnsd`: a class of disagreement that is understood, with
/// the paragraph that decides it. `docs/conformance.md` holds the same table.
package struct Rule: Sendable {
    package let name: String
    /// What differs, and who does what.
    package let difference: String
    /// The RFC paragraph that decides, or leaves it open.
    package let paragraph: String
    /// Why `geodnsd` does what it does.
    package let reason: String
    let peers: Set<Peer.Kind>
    let aspects: Set<Facts.Aspect>
    let applies: @Sendable (Disagreement) -> Bool

    /// The rules that together explain every aspect; nil when something is left unexplained.
    static func explain(_ disagreement: Disagreement) -> [Rule]? {
        var unexplained = disagreement.aspects
        var found: [Rule] = []
        for rule in all
        where rule.peers.contains(disagreement.peer)
            && !rule.aspects.isDisjoint(with: unexplained) && rule.applies(disagreement)
        {
            unexplained.subtract(rule.aspects)
            found.append(rule)
        }
        return unexplained.isEmpty ? found : nil
    }

    /// The table of `docs/conformance.md`.
    package static var table: String {
        var lines = [
            "| rule | what differs, and who does what | decided by | why we do what we do |",
            "|---|---|---|---|",
        ]
        lines += all.map { rule in
            "| `\(rule.name)` | \(rule.difference) | \(rule.paragraph) | \(rule.reason) |"
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// One query that a peer and `geodnsd` answered differently.
package struct Disagreement: Sendable {
    package var peer: Peer.Kind
    package var query: RandomQuery
    package var ours: Message
    package var theirs: Message
    package var ourFacts: Facts
    /// With the owners that DNAMEs should have.
    package var theirFacts: Facts
    package var ourByteCount: Int
    package var theirByteCount: Int
    package var aspects: Set<Facts.Aspect>
    /// Origins served, the child's among them.
    var origins: [DomainName]
    /// Names of both zone files that hold records.
    var owners: Set<DomainName>
    /// The names of each zone, the deepest zone first; and of all zones together.
    var trees: [Tree]
    var sharedTree: Tree
}
