package import DNSWire

/// What of a response is compared. Left out is what the RFCs leave to the server:
/// the order of records (RFC 1034 §3.6), the case of names in owners and in RDATA (RFC 4343 §4.1),
/// additional records that are not glue (RFC 1034 §4.3.2 step 6), what OPT says of the server.
package struct Facts: Equatable, Sendable {
    package enum Aspect: String, CaseIterable, Sendable {
        case code = "RCODE"
        case authoritative = "AA"
        case truncated = "TC"
        case bits, question, answer, authority, glue, options
    }

    package var code: UInt16
    package var isAuthoritative: Bool
    package var isTruncated: Bool
    /// RD, RA, Z, AD and CD.
    package var bits: UInt16
    /// Of EDNS, by code; of cookies what does not depend on the time.
    package var options: [UInt16: [UInt8]]
    /// Name in the letters it was asked in, type, class; empty without a question.
    package var question: [UInt8]
    package var answers: Set<Message.Record>
    package var authorities: Set<Message.Record>
    /// Addresses in the additional section of a referral.
    package var glue: Set<Message.Record>

    package init(_ message: Message) {
        code = message.responseCode
        isAuthoritative = message.isAuthoritative
        isTruncated = message.isTruncated
        bits = message.flags & 0x01f0
        options = message.comparableOptions
        question = message.question.map { $0.name.wire + $0.type.bytes + [UInt8($0.class)] } ?? []
        answers = Set(message.answers.map(\.normalized))
        authorities = Set(message.authorities.map(\.normalized))
        let isReferral = authorities.contains { $0.type == .ns }
        glue =
            isReferral
            ? Set(
                message.additionals.filter { $0.type == .a || $0.type == .aaaa }.map(\.normalized))
            : []
    }

    /// `options`: the codes that both servers answer.
    package func differences(from other: Facts, options codes: Set<UInt16>) -> Set<Aspect> {
        var aspects: Set<Aspect> = []
        if code != other.code { aspects.insert(.code) }
        if isAuthoritative != other.isAuthoritative { aspects.insert(.authoritative) }
        if bits != other.bits { aspects.insert(.bits) }
        // What a server says of itself beside an error is its own affair.
        let isError = [ResponseCode.formatError, .badVersion].contains { $0.rawValue == code }
        if !isError,
            options.filter({ codes.contains($0.key) })
                != other.options.filter({ codes.contains($0.key) })
        {
            aspects.insert(.options)
        }
        if question != other.question { aspects.insert(.question) }
        if isTruncated != other.isTruncated { aspects.insert(.truncated) }
        // What a truncated response still holds is for nobody to use (RFC 2181 §9).
        if isTruncated || other.isTruncated { return aspects }
        if answers != other.answers { aspects.insert(.answer) }
        if authorities != other.authorities { aspects.insert(.authority) }
        if glue != other.glue { aspects.insert(.glue) }
        return aspects
    }
}

extension Facts {
    /// Knot gives a DNAME at an asterisk the QNAME as owner (rule `dname-of-wildcard`): puts the
    /// owner of `other` back, so that the rest can be compared.
    func withOwnersOfDNAMEs(as other: Facts) -> Facts {
        var facts = self
        facts.answers = Set(
            answers.map { record in
                guard record.type == .dname else { return record }
                return other.answers.first {
                    $0.type == .dname && $0.owner.isWildcard && $0.rdata == record.rdata
                        && $0.ttl == record.ttl && record.owner.isWithin($0.owner)
                } ?? record
            })
        return facts
    }
}

extension RRType {
    fileprivate var bytes: [UInt8] { [UInt8(rawValue >> 8), UInt8(rawValue & 0xff)] }
}

extension Message.Record {
    /// Owner and names inside RDATA in lower case, of the types that hold names.
    var normalized: Message.Record {
        var record = self
        record.owner = owner.canonical
        if type.compressibleNames != nil || type == .srv || type == .dname {
            record.rdata = rdata.map(lowercased)
        }
        return record
    }

    /// The name that RDATA is, or ends with; nil where it has none.
    var target: DomainName? {
        switch type {
        case .ns, .cname, .dname, .ptr: DomainName(wire: rdata)
        default: nil
        }
    }

    var summary: String {
        let value =
            target?.description
            ?? (type == .a
                ? rdata.map(String.init).joined(separator: ".")
                : "\\# \(rdata.count) "
                    + rdata.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        return "\(owner) \(ttl) \(type) \(value)"
    }
}

extension Message {
    /// The options of the OPT record; nil when they are cut short.
    var options: [(code: UInt16, data: [UInt8])]? {
        var rest = (additionals.first { $0.type == .opt }?.rdata ?? [])[...]
        var found: [(code: UInt16, data: [UInt8])] = []
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let fixed = Array(rest.prefix(4))
            let count = Int(fixed[2]) << 8 | Int(fixed[3])
            guard rest.count >= 4 + count else { return nil }
            found.append(
                (UInt16(fixed[0]) << 8 | UInt16(fixed[1]), Array(rest.dropFirst(4).prefix(count))))
            rest = rest.dropFirst(4 + count)
        }
        return found
    }

    fileprivate var comparableOptions: [UInt16: [UInt8]] {
        var all: [UInt16: [UInt8]] = [:]
        for option in options ?? [] {
            // Client cookie, version, reserved; then time and hash (RFC 9018 §4).
            all[option.code] =
                option.code == 10
                ? option.data.prefix(12) + [UInt8(truncatingIfNeeded: option.data.count)]
                : option.data
        }
        return all
    }

    /// The whole response, a line for each record.
    package var summary: String {
        let code = ResponseCode(rawValue: responseCode)?.mnemonic ?? "RCODE \(responseCode)"
        var lines = [
            code + (isAuthoritative ? " AA" : "") + (isTruncated ? " TC" : "")
        ]
        if flags & 0x01f0 != 0 { lines[0] += " bits 0x\(String(flags & 0x01f0, radix: 16))" }
        lines[0] += (options ?? []).map { " option \($0.code) (\($0.data.count))" }.joined()
        for (section, records) in [
            ("answer", answers), ("authority", authorities), ("additional", additionals),
        ] {
            lines += records.filter { $0.type != .opt }.map { "  \(section): \($0.summary)" }
        }
        return lines.joined(separator: "\n")
    }
}
