package import DNSWire
import TestSupport

/// A zone drawn from a seed: names that nest, wildcards, delegations, aliases that lead anywhere,
/// names of odd bytes and of every length. Its file is plain RFC 1035 and RFC 3597, which every
/// server reads.
package struct RandomZone {
    package let seed: UInt64
    package let origin: DomainName
    /// The zone below, served beside this one; usually, not always, delegated to.
    package private(set) var child: Child?
    private(set) var rrsets: [RRset] = []
    private var types: [DomainName: Set<RRType>] = [:]
    /// Owners in the order they came.
    private(set) var owners: [DomainName] = []
    /// Owners of DNAMEs.
    private(set) var redirections: [DomainName] = []
    var random: SeededGenerator

    struct RRset {
        var owner: DomainName
        var ttl: Int
        var type: RRType
        /// RDATA in presentation format.
        var rdata: [String]
    }

    /// A zone of its own, drawn from its parent's numbers.
    package struct Child {
        package var origin: DomainName
        package var text: String
        package var strictText: String
        package var owners: [DomainName]
        var redirections: [DomainName]
    }

    package init(seed: UInt64) {
        let depth = Int(seed % 3)
        let labels = ["z\(seed)"] + ["deeper", "down"].prefix(depth) + ["example"]
        self.init(seed: seed, origin: DomainName(labels: labels.map { Array($0.utf8) }) ?? .root)
        fill(count: random.number(5...25))
        if random.once(in: 3) { addRedirections() }
        if random.once(in: 2) { addChild() }
        addAliases()
    }

    private init(seed: UInt64, origin: DomainName) {
        self.seed = seed
        self.origin = origin
        random = SeededGenerator(seed: seed)
    }

    // MARK: - Parts

    private mutating func fill(count: Int) {
        addApex()
        for _ in 0..<count { addData(at: name()) }
        for _ in 0..<random.number(0...5) { addWildcard() }
        for _ in 0..<random.number(0...4) { addDelegation(at: name()) }
        for _ in 0..<random.number(0...2) { addData(at: longName()) }
        if random.once(in: 4) { addLarge() }
    }

    private mutating func addApex() {
        add(
            .soa, at: origin, ttl: random.pick([0, 60, 3600, 100_000]),
            [
                "\(relative("ns1")) \(relative("host.master")) 1 7200 1800 1209600 "
                    + "\(random.pick([0, 5, 300, 86400]))"
            ])
        var servers = [relative("ns1").description]
        if random.once(in: 2) { servers.append("ns.elsewhere.test.") }
        if random.once(in: 3) {
            servers.append(relative("ns6").description)
            add(.aaaa, at: relative("ns6"), ["2001:db8::53"])
        }
        add(.ns, at: origin, servers)
        add(.a, at: relative("ns1"), ["192.0.2.53"])
        for _ in 0..<random.number(0...2) { addData(at: origin) }
    }

    /// One or two RRsets of data; nothing where a CNAME stands.
    private mutating func addData(at owner: DomainName) {
        for _ in 0..<random.number(1...2) {
            let type = random.pick(RandomZone.dataTypes)
            add(type, at: owner, (0..<random.number(1...3)).map { _ in rdata(type) })
        }
    }

    private mutating func addWildcard() {
        let parent = random.once(in: 3) ? name() : random.pick(owners)
        guard let owner = parent.prepending(Array("*".utf8)) else { return }
        if random.once(in: 3) {
            add(.cname, at: owner, [target().description])
        } else {
            addData(at: owner)
        }
        if random.once(in: 3), let below = owner.prepending(random.pick(RandomZone.labels)) {
            addData(at: below)
        }
    }

    /// More than any datagram holds, or than a small one.
    private mutating func addLarge() {
        let owner = random.once(in: 2) ? name() : relative("large")
        let text = String(repeating: "x", count: random.number(1...60))
        add(.txt, at: owner, (0..<random.number(5...60)).map { "\"\($0) \(text)\"" })
    }

    /// A zone cut with its glue or without, and things below it that the parent must not answer.
    private mutating func addDelegation(at cut: DomainName, isServed: Bool = false) {
        guard cut != origin, !cut.isWildcard, types[cut] == nil else { return }
        var servers: [DomainName] = []
        for label in ["ns1", "ns2", "a"].prefix(random.number(1...3)) {
            guard !random.once(in: 3) else {
                servers.append(target())
                continue
            }
            guard let server = cut.prepending(Array(label.utf8)) else { continue }
            servers.append(server)
            if random.once(in: 4) { continue }
            add(.a, at: server, [rdata(.a)])
            if random.once(in: 2) { add(.aaaa, at: server, [rdata(.aaaa)]) }
        }
        if random.once(in: 8) { servers.append(cut) }
        guard !servers.isEmpty else { return }
        add(.ns, at: cut, servers.map(\.description))
        if random.once(in: 6) { add(.a, at: cut, [rdata(.a)]) }
        if random.once(in: 3) {
            let digest = String(repeating: "5a", count: 20)
            add(.ds, at: cut, ["\\# 24 \(random.number(1000...9999))0501\(digest)"])
        }
        guard !isServed, let below = cut.prepending(random.pick(RandomZone.labels)) else { return }
        if random.once(in: 2) { addData(at: below) }
        if random.once(in: 4) { addDelegation(at: below) }
        if random.once(in: 6) { add(.cname, at: below, [target().description]) }
    }

    /// DNAMEs that lead anywhere, with data beside them, and names below that they hide (RFC 6672
    /// §2.4); CNAMEs between them.
    private mutating func addRedirections() {
        for _ in 0..<random.number(1...4) {
            var owner = random.once(in: 3) ? random.pick(owners) : name()
            if random.once(in: 12) { owner = owner.prepending(Array("*".utf8)) ?? owner }
            if owner == origin, !random.once(in: 4) { continue }
            let target = redirectionTarget()
            guard add(.dname, at: owner, [presentation(target)]) else { continue }
            redirections.append(owner)
            if owner == origin { moveServersOut() }
            if random.once(in: 2) { addData(at: owner) }
            if random.once(in: 2), let below = owner.prepending(random.pick(RandomZone.labels)) {
                addData(at: below)
            }
            if random.once(in: 6), let above = owner.parent, above.isWithin(origin),
                let wildcard = above.prepending(Array("*".utf8))
            {
                addData(at: wildcard)
            }
            if random.once(in: 2), target.isWithin(origin),
                let alias = target.prepending(random.pick(RandomZone.labels))
            {
                let next = random.pick(redirections).prepending(random.pick(RandomZone.labels))
                add(.cname, at: alias, [(next ?? origin).description])
            }
        }
    }

    /// BIND refuses servers of the apex that its DNAME leads elsewhere.
    private mutating func moveServersOut() {
        for index in rrsets.indices where rrsets[index].owner == origin {
            if rrsets[index].type == .ns { rrsets[index].rdata = ["ns.elsewhere.test."] }
        }
    }

    /// To any name, to one with a DNAME or below one, round to where it began or deeper, to names
    /// too long to put anything in front.
    private mutating func redirectionTarget() -> DomainName {
        switch random.number(0...9) {
        case 0: return longName()
        case 1: return random.once(in: 2) ? .root : origin
        case 2, 3: return redirections.isEmpty ? target() : random.pick(redirections)
        case 4:
            let known = redirections.isEmpty ? name() : random.pick(redirections)
            return known.prepending(random.pick(RandomZone.labels)) ?? known
        case 5: return name()
        default: return target()
        }
    }

    /// After everything else, so that there is something to lead to.
    private mutating func addAliases() {
        for _ in 0..<random.number(1...10) {
            let owner = name()
            if types[owner] == nil { add(.cname, at: owner, [target().description]) }
        }
        if random.once(in: 3) { addChain(length: random.number(1...5), isLoop: true) }
        if random.once(in: 3) { addChain(length: random.number(2...7), isLoop: false) }
    }

    private mutating func addChain(length: Int, isLoop: Bool) {
        let word = isLoop ? "loop" : "chain"
        for index in 0..<length {
            let next =
                index + 1 < length
                ? relative("\(word)\(index + 1)") : isLoop ? relative("\(word)0") : target()
            add(.cname, at: relative("\(word)\(index)"), [next.description])
        }
    }

    private mutating func addChild() {
        let parent = random.once(in: 3) ? name() : self.origin
        // Names of files and words of configurations: letters only.
        guard !presentation(parent).contains(where: { "\\*-_".contains($0) }),
            let cut = parent.prepending(Array("child".utf8))
        else { return }
        var zone = RandomZone(seed: random.next(), origin: cut)
        zone.fill(count: random.number(1...6))
        if random.once(in: 3) { zone.addRedirections() }
        zone.addAliases(leadingTo: owners)
        child = Child(
            origin: cut, text: zone.text, strictText: zone.strictText, owners: zone.owners,
            redirections: zone.redirections)
        if !random.once(in: 5) { addDelegation(at: cut, isServed: true) }
    }

    private mutating func addAliases(leadingTo others: [DomainName]) {
        for index in 0..<2 {
            add(.cname, at: relative("up\(index)"), [random.pick(others).description])
        }
        addAliases()
    }

    // MARK: - Records

    /// Adds an RRset where none of its type is; keeps CNAME alone (RFC 1034 §3.6.2), and DNAME away
    /// from zone cuts (RFC 6672 §2.3).
    @discardableResult
    mutating func add(
        _ type: RRType, at owner: DomainName, ttl: Int? = nil, _ rdata: [String]
    ) -> Bool {
        let here = types[owner] ?? []
        guard !here.contains(type), !here.contains(.cname), type != .cname || here.isEmpty,
            owner == origin || type != .dname || !here.contains(.ns),
            owner == origin || type != .ns || !here.contains(.dname)
        else { return false }
        if here.isEmpty { owners.append(owner) }
        types[owner, default: []].insert(type)
        var unique: [String] = []
        for value in rdata where !unique.contains(value) { unique.append(value) }
        let ttl = ttl ?? random.pick([0, 1, 60, 300, 3600, 86400, 2_147_483_647])
        rrsets.append(RRset(owner: owner, ttl: ttl, type: type, rdata: unique))
        return true
    }

    /// The names of each zone, the deepest zone first.
    var trees: [Tree] {
        guard let child else { return [Tree(origin: origin, owners: owners, without: nil)] }
        return [
            Tree(origin: child.origin, owners: child.owners, without: nil),
            Tree(origin: origin, owners: owners, without: child.origin),
        ]
    }

    /// The tree of the parent's and the child's names together, as NSD has it.
    var sharedTree: Tree {
        Tree(origin: origin, owners: owners + (child?.owners ?? []), without: nil)
    }

    /// The zone file.
    package var text: String { text(of: rrsets) }

    /// The zone file without what is never answered because of a DNAME above it, and without
    /// DNAMEs below a zone cut: Knot and NSD take no zone with records below a DNAME
    /// (RFC 6672 §2.4).
    package var strictText: String {
        text(
            of: rrsets.filter { rrset in
                var above: [DomainName] = []
                var name = rrset.owner
                while name != origin, let parent = name.parent {
                    above.append(parent)
                    name = parent
                }
                for name in above.reversed() {
                    if types[name]?.contains(.dname) ?? false { return false }
                    if name != origin, types[name]?.contains(.ns) ?? false {
                        return rrset.type != .dname
                    }
                }
                return true
            })
    }

    /// Servers that take both files. NSD, with its one tree of names, refuses names of one zone
    /// below a DNAME of the other.
    package var peers: Set<Peer.Kind> {
        guard let child else { return Set(Peer.Kind.allCases) }
        func isApart(_ dnames: [DomainName], _ owners: [DomainName]) -> Bool {
            dnames.allSatisfy { dname in
                owners.allSatisfy { $0 == dname || !$0.isWithin(dname) }
            }
        }
        return isApart(redirections, child.owners) && isApart(child.redirections, owners)
            ? Set(Peer.Kind.allCases) : [.knot, .bind]
    }

    private func text(of rrsets: [RRset]) -> String {
        var lines: [String] = []
        for rrset in rrsets {
            for rdata in rrset.rdata {
                let owner = presentation(rrset.owner)
                // RDATA of DS is written as of an unknown type, and so is the type (RFC 3597 §5).
                let type = rrset.type == .ds ? "TYPE43" : rrset.type.description
                lines.append("\(owner) \(rrset.ttl) IN \(type) \(rdata)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
