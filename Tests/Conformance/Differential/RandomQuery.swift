package import DNSWire
import TestSupport

/// A question drawn from a zone's seed, and how it is sent.
package struct RandomQuery: Sendable {
    package var name: DomainName
    package var type: RRType
    package var isOverStream: Bool
    /// Nil: without EDNS.
    package var payloadByteCountMax: UInt16?
    package var isDNSSECOK: Bool
    package var wantsRecursion: Bool

    /// Longest response that may come back (RFC 1035 §4.2.1, RFC 6891 §6.2.3; every server here is
    /// held to 1232 bytes, RFC 9715 §3.1).
    package var responseByteCountMax: Int {
        isOverStream ? 65_535 : min(1232, Int(payloadByteCountMax ?? 512))
    }

    /// The message, with the given identifier.
    package func message(identifier: UInt16) -> [UInt8] {
        func two(_ value: UInt16) -> [UInt8] {
            [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
        }
        let hasEDNS = payloadByteCountMax != nil
        var bytes = two(identifier) + [wantsRecursion ? 1 : 0, 0, 0, 1, 0, 0, 0, 0, 0]
        bytes += [hasEDNS ? 1 : 0] + name.wire + two(type.rawValue) + two(Query.classIN)
        guard let payloadByteCountMax else { return bytes }
        bytes += [0] + two(RRType.opt.rawValue) + two(payloadByteCountMax)
        return bytes + [0, 0, isDNSSECOK ? 0x80 : 0, 0, 0, 0]
    }
}

extension RandomQuery: CustomStringConvertible {
    package var description: String {
        var words = [name.description, type.description, isOverStream ? "TCP" : "UDP"]
        words.append(payloadByteCountMax.map { "EDNS \($0)" } ?? "no EDNS")
        if isDNSSECOK { words.append("DO") }
        if wantsRecursion { words.append("RD") }
        return words.joined(separator: " ")
    }
}

extension RandomZone {
    private static let questionTypes: [RRType] = [
        .a, .a, .a, .a, .aaaa, .txt, .txt, .mx, .cname, .ns, .soa, .srv, .ptr, .caa, .ds, .any,
        .dname,
        unknownType, RRType(rawValue: 65281), RRType(rawValue: 99),
    ]

    /// The next query of the zone's sequence.
    package mutating func query() -> RandomQuery {
        let payload = random.pick([nil, 512, 1232, 4096] as [UInt16?])
        return RandomQuery(
            name: questionName(), type: random.pick(RandomZone.questionTypes),
            isOverStream: random.once(in: 5), payloadByteCountMax: payload,
            isDNSSECOK: payload != nil && random.once(in: 3), wantsRecursion: random.once(in: 4))
    }

    /// A name that is there, above, below or beside one that is, or anything; in any case of
    /// letters.
    private mutating func questionName() -> DomainName {
        let isChilds = random.once(in: 4)
        let known = random.pick(isChilds ? child?.owners ?? owners : owners)
        let dnames = redirections + (child?.redirections ?? [])
        func below(_ name: DomainName) -> DomainName {
            let isNew = random.once(in: 3)
            let label =
                isNew ? Array("q\(random.number(0...999))".utf8) : random.pick(RandomZone.labels)
            return name.prepending(label) ?? name
        }
        let name: DomainName
        switch random.number(0...13) {
        case 0: name = known.parent ?? known
        case 1, 2: name = below(known)
        case 3: name = below(below(known))
        case 4: name = below(known.parent ?? known)
        case 5: name = below(below(known.parent ?? known))
        case 6: name = self.name()
        case 7: name = random.once(in: 3) ? longName() : known
        case 8: name = dnames.isEmpty ? known : random.pick(dnames)
        case 9, 10: name = dnames.isEmpty ? known : below(random.pick(dnames))
        case 11: name = dnames.isEmpty ? known : longName(below: random.pick(dnames))
        default: name = known
        }
        return random.once(in: 2) ? inAnyCase(name) : name
    }

    private mutating func inAnyCase(_ name: DomainName) -> DomainName {
        let labels = name.labels.map { label in
            label.map { byte in
                let isLetter = (0x61...0x7a).contains(byte | 0x20)
                return isLetter && random.once(in: 2) ? byte ^ 0x20 : byte
            }
        }
        return DomainName(labels: labels) ?? name
    }
}
