import Addressing
import Configuration
import DNSWire
import Diagnostics
import Loader

/// Walks from a zone's parent to its servers, and says what is not as it should be on the way: name
/// servers, glue, and for each server both families, UDP, TCP, EDNS, authority and serial.
struct DelegationRun {
    private enum Level: String {
        case fine, note, problem
    }

    private let simulation: Simulation
    private let source: Source
    private let writesJSON: Bool
    private var problemCount = 0
    private var zone = DomainName.root

    /// What a server should take and send over UDP (RFC 9715 §3.1).
    private static let payloadByteCount: UInt16 = 1232
    /// The kernel has no route there: nothing is said about the server.
    private static let unreachable = "network is unreachable"

    /// Who finds what lies outside of the zones.
    enum Source {
        case resolvers([ListenAddress])
        case roots(RootWalk)

        var words: String {
            switch self {
            case .resolvers: "through the resolvers"
            case .roots: "from the root servers"
            }
        }
    }

    init(_ simulation: Simulation, _ source: Source, writesJSON: Bool) {
        self.simulation = simulation
        self.source = source
        self.writesJSON = writesJSON
    }

    /// Of these zones; false when any has a problem.
    mutating func run(_ zones: [World.ZoneSummary]) -> Bool {
        for zone in zones {
            self.zone = zone.origin
            check(zone)
        }
        return problemCount == 0
    }

    /// `/etc/resolv.conf`'s (resolv.conf(5)).
    static var systemResolvers: [ListenAddress] {
        guard let bytes = try? FileSystem.read("/etc/resolv.conf") else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return ListenAddress(String(words[1]))
        }
    }

    // MARK: - One zone

    private mutating func check(_ summary: World.ZoneSummary) {
        guard let parent = findParent() else {
            return tell(.problem, nil, nil, "no parent zone is found \(source.words)")
        }
        let parents = nameServers(resolve(parent, .ns), of: parent)
        if !writesJSON {
            print("\(zone), in \(parent) at \(DelegationRun.words(parents))")
        }
        let here = nameServers(ask(zone, .ns), of: zone)
        var delegated: Set<DomainName> = []
        var glue: [DomainName: Set<IPAddress>] = [:]
        var isSeen = false
        for server in parents.sorted(by: DelegationRun.order) {
            for address in addresses(of: server) {
                guard let referral = referral(from: server, address) else { continue }
                isSeen = true
                let names = nameServers(referral.answers + referral.authorities, of: zone)
                if !delegated.isEmpty, names != delegated {
                    tell(
                        .problem, server, address,
                        "says \(DelegationRun.words(names)), unlike others of the parent")
                }
                delegated.formUnion(names)
                for record in referral.additionals {
                    guard let address = record.address else { continue }
                    glue[record.owner, default: []].insert(address)
                }
            }
        }
        guard isSeen else { return }
        compare(delegated, with: here, parent)
        for server in delegated.union(here).sorted(by: DelegationRun.order) {
            check(server, glue[server] ?? [], isDelegated: delegated.contains(server), summary)
        }
    }

    /// The zone above: the nearest ancestor that has an SOA of its own.
    private func findParent() -> DomainName? {
        var candidate = zone.parent
        while let name = candidate {
            if resolve(name, .soa).contains(where: { $0.type == .soa && $0.owner == name }) {
                return name
            }
            candidate = name.parent
        }
        return nil
    }

    private mutating func referral(from server: DomainName, _ address: IPAddress) -> Message? {
        switch exchange(address, zone, .ns, overTCP: false) {
        case .success(let message):
            guard message.responseCode == 0,
                (message.answers + message.authorities).contains(where: { $0.type == .ns })
            else {
                tell(.problem, server, address, "the parent's server knows of no delegation")
                return nil
            }
            return message
        case .failure(let error):
            let isOurs = error.words == DelegationRun.unreachable
            tell(isOurs ? .note : .problem, server, address, "the parent's server: \(error.words)")
            return nil
        }
    }

    private mutating func compare(
        _ delegated: Set<DomainName>, with here: Set<DomainName>, _ parent: DomainName
    ) {
        if delegated == here {
            tell(.fine, nil, nil, "NS: \(DelegationRun.words(here)), at the parent and here")
        }
        for name in delegated.subtracting(here).sorted(by: DelegationRun.order) {
            tell(.problem, name, nil, "\(parent) names it, and the zone here does not")
        }
        for name in here.subtracting(delegated).sorted(by: DelegationRun.order) {
            tell(.problem, name, nil, "the zone here names it, and \(parent) does not")
        }
        if delegated.count == 1 {
            tell(.note, nil, nil, "one name server only: nobody answers while it is away")
        }
    }

    // MARK: - One name server

    private mutating func check(
        _ server: DomainName, _ glue: Set<IPAddress>, isDelegated: Bool,
        _ summary: World.ZoneSummary
    ) {
        let isInside = server.isWithin(zone)
        let own = isInside ? records(server) : Set(addresses(of: server))
        if isInside, isDelegated {
            if glue.isEmpty {
                tell(.problem, server, nil, "no glue at the parent: nobody finds it")
            } else if glue == own {
                tell(.fine, server, nil, "glue: \(DelegationRun.words(glue)), as here")
            } else {
                tell(
                    .problem, server, nil,
                    "glue is \(DelegationRun.words(glue)), and here it has "
                        + DelegationRun.words(own))
            }
        }
        let all = own.union(glue)
        guard !all.isEmpty else {
            return tell(.problem, server, nil, "it has no address")
        }
        for family in IPAddress.Family.allCases where !all.contains(where: { $0.family == family })
        {
            tell(
                family == .ipv4 ? .problem : .note, server, nil,
                "no \(family.name) address: resolvers without the other family do not reach it")
        }
        for address in all.sorted(by: { "\($0)" < "\($1)" }) { check(server, address, summary) }
    }

    private mutating func check(
        _ server: DomainName, _ address: IPAddress, _ summary: World.ZoneSummary
    ) {
        let overUDP: Message
        switch exchange(address, zone, .soa, overTCP: false) {
        case .success(let message): overUDP = message
        case .failure(let error):
            let isOurs = error.words == DelegationRun.unreachable
            return tell(isOurs ? .note : .problem, server, address, "UDP: \(error.words)")
        }
        var good = ["UDP"]
        if case .failure(let error) = exchange(address, zone, .soa, overTCP: true) {
            tell(.problem, server, address, "TCP: \(error.words)")
        } else {
            good.append("TCP")
        }
        if let option = overUDP.additionals.first(where: { $0.type == .opt }) {
            let size = option.class
            if size < DelegationRun.payloadByteCount {
                tell(.note, server, address, "EDNS: takes \(size) bytes only")
            }
            good.append("EDNS \(size)")
        } else {
            tell(.problem, server, address, "no EDNS (RFC 6891): no client subnet, no long answers")
        }
        if !overUDP.isAuthoritative {
            tell(.problem, server, address, "it has no authority for the zone: a lame delegation")
        }
        let soa = overUDP.answers.first { $0.type == .soa }
        if let serial = soa.flatMap({ Message.serial(ofSOA: $0.rdata) }) {
            good.append("serial \(serial)")
            if serial != summary.serial {
                tell(.note, server, address, "serial \(serial), and here it is \(summary.serial)")
            }
        }
        tell(.fine, server, address, good.joined(separator: ", "))
    }

    // MARK: - Questions

    /// What the files here answer.
    private func ask(_ name: DomainName, _ type: RRType) -> [Message.Record] {
        let anyone = Prefix(IPAddress(ipv4: 0), length: 0)
        return simulation.ask(name, type, from: anyone)?.response.answers ?? []
    }

    private func records(_ name: DomainName) -> Set<IPAddress> {
        Set((ask(name, .a) + ask(name, .aaaa)).compactMap(\.address))
    }

    /// What the first resolver that answers says, or who has the authority.
    private func resolve(_ name: DomainName, _ type: RRType) -> [Message.Record] {
        switch source {
        case .roots(let walk): return walk.resolve(name, type)
        case .resolvers(let resolvers):
            for resolver in resolvers {
                var query = Message.query(name, type, identifier: .random(in: 0...UInt16.max))
                // RD: please find it (RFC 1035 §4.1.1).
                query[2] |= 1
                let exchange = ServerExchange(server: resolver)
                if let message = try? exchange.ask(query) { return message.answers }
            }
            return []
        }
    }

    private func addresses(of server: DomainName) -> [IPAddress] {
        let found = resolve(server, .a) + resolve(server, .aaaa)
        return Set(found.compactMap(\.address)).sorted { "\($0)" < "\($1)" }
    }

    private func exchange(
        _ address: IPAddress, _ name: DomainName, _ type: RRType, overTCP: Bool
    ) -> Result<Message, NoAnswer> {
        let query = Message.query(name, type, identifier: .random(in: 0...UInt16.max))
        return Result { () throws(NoAnswer) in
            try ServerExchange(server: ListenAddress(address)).ask(query, overTCP: overTCP)
        }
    }

    private func nameServers(
        _ records: [Message.Record], of owner: DomainName
    ) -> Set<DomainName> {
        Set(
            records.filter { $0.type == .ns && $0.owner == owner }
                .compactMap { DomainName(wire: $0.rdata) })
    }

    // MARK: - Words

    private static func order(_ first: DomainName, _ second: DomainName) -> Bool {
        first.description < second.description
    }

    private static func words(_ things: some Sequence<some CustomStringConvertible>) -> String {
        let words = things.map(\.description).sorted()
        return words.isEmpty ? "none" : words.joined(separator: " ")
    }

    private mutating func tell(
        _ level: Level, _ server: DomainName?, _ address: IPAddress?, _ finding: String
    ) {
        if level == .problem { problemCount += 1 }
        guard writesJSON else {
            let subject = [server.map { "\($0)" }, address.map { "\($0)" }].compactMap { $0 }
            let head = level == .problem ? "PROBLEM  " : level == .note ? "note     " : "fine     "
            let words = (subject + [finding]).joined(separator: "  ")
            return print("  " + head + words)
        }
        print(
            JSONText.object([
                ("zone", JSONText.string(zone.description)),
                ("level", JSONText.string(level.rawValue)),
                ("server", JSONText.optional(server?.description)),
                ("address", JSONText.optional(address?.description)),
                ("finding", JSONText.string(finding)),
            ]))
    }
}
