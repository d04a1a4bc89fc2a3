package import DNSWire
import TestSupport

/// A question drawn from a zone's seed, and how it is sent.
package struct RandomQuery: Sendable {
    package var name: DomainName
    package var type: RRType
    package var isOverStream: Bool
    /// RD and the bits that have no meaning in a query (RFC 1035 §4.1.1, RFC 6895 §2.1).
    var bits: UInt16 = 0
    /// Nil: without EDNS.
    var edns: EDNS?
    var oddity = Oddity.none

    struct EDNS: Sendable {
        var payloadByteCountMax: UInt16
        var version: UInt8 = 0
        /// DO and those that nobody knows.
        var flags: UInt16 = 0
        var options: [Option] = []
    }

    struct Option: Hashable, Sendable {
        var code: UInt16
        var data: [UInt8]
        /// As RFC 7871 §7.1.1 and RFC 7873 §5.2.2 have it.
        var isMalformed = false
    }

    /// What is rare in a message.
    enum Oddity: String, CaseIterable, Sendable {
        case none
        case recordBeforeOPT = "a record before OPT"
        case recordAfterOPT = "a record after OPT"
        case secondOPT = "a second OPT"
        case bytesAfter = "bytes after the message"
    }

    /// Longest response that may come back (RFC 1035 §4.2.1, RFC 6891 §6.2.3; every server here is
    /// held to 1232 bytes, RFC 9715 §3.1).
    package var responseByteCountMax: Int {
        isOverStream ? 65_535 : min(1232, Int(edns?.payloadByteCountMax ?? 512))
    }

    /// What every server must answer with, whatever the question; nil when that decides.
    var expectedCode: ResponseCode? {
        guard let edns else { return nil }
        if oddity == .secondOPT { return .formatError }
        if edns.version != 0 { return .badVersion }
        return edns.options.contains(where: \.isMalformed) ? .formatError : nil
    }

    /// The message, with the given identifier.
    package func message(identifier: UInt16) -> [UInt8] {
        var additionals: [[UInt8]] = []
        if let edns {
            let options = edns.options.flatMap {
                two($0.code) + two(UInt16($0.data.count)) + $0.data
            }
            additionals.append(
                [0] + two(RRType.opt.rawValue) + two(edns.payloadByteCountMax)
                    + [0, edns.version] + two(edns.flags) + two(UInt16(options.count)) + options)
        }
        let address =
            [0] + two(RRType.a.rawValue) + two(Query.classIN) + [0, 0, 0, 0, 0, 4, 192, 0, 2, 1]
        switch oddity {
        case .recordBeforeOPT: additionals.insert(address, at: 0)
        case .recordAfterOPT: additionals.append(address)
        case .secondOPT: additionals += additionals
        case .none, .bytesAfter: break
        }
        return two(identifier) + two(bits) + [0, 1, 0, 0, 0, 0] + two(UInt16(additionals.count))
            + name.wire + two(type.rawValue) + two(Query.classIN) + additionals.joined()
            + (oddity == .bytesAfter ? [0, 1, 2] : [])
    }

    private func two(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
    }
}

extension RandomQuery: CustomStringConvertible {
    package var description: String {
        func hexadecimal(_ value: some BinaryInteger) -> String { String(value, radix: 16) }
        var words = [name.description, type.description, isOverStream ? "TCP" : "UDP"]
        words.append(edns.map { "EDNS \($0.payloadByteCountMax)" } ?? "no EDNS")
        if bits != 0 { words.append("bits 0x\(hexadecimal(bits))") }
        if let edns {
            if edns.version != 0 { words.append("version \(edns.version)") }
            if edns.flags != 0 { words.append("flags 0x\(hexadecimal(edns.flags))") }
            words += edns.options.map { option in
                "option \(option.code)="
                    + option.data.map { ($0 < 16 ? "0" : "") + hexadecimal($0) }.joined()
            }
        }
        if oddity != .none { words.append("with \(oddity.rawValue)") }
        return words.joined(separator: " ")
    }
}

extension RandomZone {
    private static let questionTypes: [RRType] = [
        .a, .a, .a, .a, .aaaa, .txt, .txt, .mx, .cname, .ns, .soa, .srv, .ptr, .caa, .ds, .any,
        .dname, unknownType, RRType(rawValue: 65281), RRType(rawValue: 99),
    ]

    /// The next query of the zone's sequence.
    package mutating func query() -> RandomQuery {
        var query = RandomQuery(
            name: questionName(), type: random.pick(RandomZone.questionTypes),
            isOverStream: random.once(in: 5))
        if random.once(in: 4) { query.bits |= 0x0100 }
        // AA, TC, RA, Z, AD, CD.
        if random.once(in: 8) { query.bits |= UInt16(random.number(0...0xffff)) & 0x06f0 }
        if let payload = random.pick([nil, 512, 1232, 4096] as [UInt16?]) {
            query.edns = edns(payload)
            if random.once(in: 8) { query.oddity = random.pick(RandomQuery.Oddity.allCases) }
        }
        // Knot and NSD close a connection with such a query in it, and leave the others unanswered.
        if query.oddity != .none || query.expectedCode != nil { query.isOverStream = false }
        return query
    }

    private mutating func edns(_ payload: UInt16) -> RandomQuery.EDNS {
        var edns = RandomQuery.EDNS(payloadByteCountMax: payload)
        if random.once(in: 3) { edns.flags |= 0x8000 }
        if random.once(in: 10) { edns.flags |= UInt16(random.number(0...0x7fff)) }
        if random.once(in: 40) { edns.version = UInt8(random.number(1...255)) }
        if random.once(in: 3) {
            for _ in 0..<random.pick([1, 1, 1, 2, 3]) {
                let option = option()
                if !edns.options.contains(where: { $0.code == option.code }) {
                    edns.options.append(option)
                }
            }
        }
        return edns
    }

    /// NSID, client subnet, cookie, tcp-keepalive, padding, EXPIRE, or one that nobody knows.
    private mutating func option() -> RandomQuery.Option {
        func bytes(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in UInt8(random.number(0...255)) }
        }
        let isMalformed = random.once(in: 12)
        switch random.number(0...9) {
        case 0, 1: return RandomQuery.Option(code: 3, data: [])
        case 2, 3: return clientSubnet(isMalformed: isMalformed)
        case 4, 5:
            let count =
                isMalformed ? random.pick([0, 7, 9, 15, 41]) : random.pick([8, 8, 16, 24, 40])
            return RandomQuery.Option(code: 10, data: bytes(count), isMalformed: isMalformed)
        case 6: return RandomQuery.Option(code: 11, data: [])
        case 7:
            let count = random.number(0...40)
            return RandomQuery.Option(code: 12, data: [UInt8](repeating: 0, count: count))
        case 8: return RandomQuery.Option(code: 9, data: [])
        default:
            return RandomQuery.Option(
                code: random.pick([100, 65001, 65534]), data: bytes(random.number(0...30)))
        }
    }

    /// Malformed: a family that does not exist, a scope, or an address of the wrong length
    /// (RFC 7871 §6).
    private mutating func clientSubnet(isMalformed: Bool) -> RandomQuery.Option {
        let family = random.number(1...2)
        let length = random.number(1...(family == 1 ? 31 : 127))
        var address = (0..<(length + 7) / 8).map { _ in UInt8(random.number(0...255)) }
        let spare = address.count * 8 - length
        address[address.count - 1] &= UInt8(truncatingIfNeeded: 0xff << spare)
        var data = [0, UInt8(family), UInt8(length), 0] + address
        if isMalformed {
            switch random.number(0...3) {
            case 0: data[1] = 3
            case 1: data.removeLast()
            case 2: data[3] = 1
            default:
                data.append(0)
            }
        }
        return RandomQuery.Option(code: 8, data: data, isMalformed: isMalformed)
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
