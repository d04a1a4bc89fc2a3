import Addressing
import Configuration
import DNSWire
import Loader

/// Finds records from the root servers down, as a resolver does, with no resolver in between: each
/// server tells who knows more (RFC 1034 §5.3.3), until one has the authority.
final class RootWalk {
    /// Addresses of the servers of a zone, as referrals have told.
    private var servers: [DomainName: [IPAddress]]

    /// Of referrals on the way to one name; more are a loop, or nobody's zone.
    private static let referralCountMax = 20
    /// Of name servers whose addresses have to be found by names of other name servers.
    private static let depthMax = 5

    init(roots: [IPAddress]) { servers = [.root: roots] }

    /// The answer section of who has the authority; empty when nobody does, or says so.
    func resolve(_ name: DomainName, _ type: RRType) -> [Message.Record] {
        resolve(name, type, depth: 0)
    }

    private func resolve(_ name: DomainName, _ type: RRType, depth: Int) -> [Message.Record] {
        guard depth < RootWalk.depthMax else { return [] }
        var zone = deepestKnown(above: name)
        for _ in 0..<RootWalk.referralCountMax {
            guard let message = ask(servers[zone] ?? [], name, type) else { return [] }
            if message.isAuthoritative || !message.answers.isEmpty { return message.answers }
            let referral = message.authorities.filter { record in
                record.type == .ns && name.isWithin(record.owner) && record.owner.isWithin(zone)
                    && record.owner != zone
            }
            guard let cut = referral.first?.owner else { return [] }
            servers[cut] = addresses(
                of: referral.filter { $0.owner == cut }, message.additionals, depth)
            zone = cut
        }
        return []
    }

    private func deepestKnown(above name: DomainName) -> DomainName {
        var candidate: DomainName? = name
        while let zone = candidate {
            if servers[zone] != nil { return zone }
            candidate = zone.parent
        }
        return .root
    }

    /// Of the servers of a referral: as it tells them, else found by their names.
    private func addresses(
        of referral: [Message.Record], _ additionals: [Message.Record], _ depth: Int
    ) -> [IPAddress] {
        let names = referral.compactMap { DomainName(wire: $0.rdata) }
        let glue = additionals.filter { names.contains($0.owner) }.compactMap(\.address)
        guard glue.isEmpty else { return glue }
        for name in names {
            let found = [RRType.a, .aaaa].flatMap { resolve(name, $0, depth: depth + 1) }
                .compactMap(\.address)
            if !found.isEmpty { return found }
        }
        return []
    }

    /// What the first of them says that answers at all. IPv4 first: not every machine has IPv6.
    private func ask(_ addresses: [IPAddress], _ name: DomainName, _ type: RRType) -> Message? {
        let sorted = [IPAddress.Family.ipv4, .ipv6].flatMap { family in
            addresses.filter { $0.family == family }
        }
        for address in sorted {
            let query = Message.query(name, type, identifier: .random(in: 0...UInt16.max))
            let exchange = ServerExchange(server: ListenAddress(address))
            guard let message = try? exchange.ask(query),
                [ResponseCode.noError, .nameError].map(\.rawValue).contains(message.responseCode)
            else { continue }
            return message
        }
        return nil
    }
}

extension Message.Record {
    /// Of A and AAAA.
    var address: IPAddress? {
        type == .a || type == .aaaa ? IPAddress(bytes: rdata) : nil
    }
}

/// Where the root servers are.
enum RootHints {
    /// Of IANA's list, https://www.internic.net/domain/named.root, of 18 April 2024: the root
    /// servers a to m.
    static let iana = [
        "198.41.0.4", "2001:503:ba3e::2:30", "170.247.170.2", "2801:1b8:10::b", "192.33.4.12",
        "2001:500:2::c", "199.7.91.13", "2001:500:2d::d", "192.203.230.10", "2001:500:a8::e",
        "192.5.5.241", "2001:500:2f::f", "192.112.36.4", "2001:500:12::d0d", "198.97.190.53",
        "2001:500:1::53", "192.36.148.17", "2001:7fe::53", "192.58.128.30",
        "2001:503:c27::2:30", "193.0.14.129", "2001:7fd::1", "199.7.83.42", "2001:500:9f::42",
        "202.12.27.33", "2001:dc3::35",
    ].compactMap { IPAddress($0) }

    /// The addresses of a file in the form of IANA's `named.root`, or those built in for the word
    /// `iana`. Ends the program when there are none.
    static func read(_ path: String) -> [IPAddress] {
        if path == "iana" { return iana }
        do throws(FileError) {
            let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
            let addresses = text.split(separator: "\n").compactMap { line -> IPAddress? in
                let words = line.prefix { $0 != ";" }.split {
                    $0 == " " || $0 == "\t" || $0 == "\r"
                }
                guard words.count >= 3, let type = words.dropLast().last?.uppercased(),
                    type == "A" || type == "AAAA"
                else { return nil }
                return words.last.flatMap { IPAddress(String($0)) }
            }
            guard addresses.isEmpty else { return addresses }
            CheckSettings.program.fail(
                "--root-hints \(path): no address in it; expected lines like "
                    + "`A.ROOT-SERVERS.NET. 3600000 A 198.41.0.4`, or the word iana for the root "
                    + "servers built in", status: 1)
        } catch {
            CheckSettings.program.fail("--root-hints: \(error)", status: 1)
        }
    }
}
