package import DNSWire

/// What of a response is compared. Left out is what the RFCs leave to the server:
/// the order of records (RFC 1034 §3.6), the case of names in owners and in RDATA (RFC 4343 §4.1),
/// additional records that are not glue (RFC 1034 §4.3.2 step 6), OPT's contents.
package struct Facts: Equatable, Sendable {
    package enum Aspect: String, CaseIterable, Sendable {
        case code = "RCODE"
        case authoritative = "AA"
        case truncated = "TC"
        case question, answer, authority, glue
    }

    package var code: UInt16
    package var isAuthoritative: Bool
    package var isTruncated: Bool
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

    package func differences(from other: Facts) -> Set<Aspect> {
        var aspects: Set<Aspect> = []
        if code != other.code { aspects.insert(.code) }
        if isAuthoritative != other.isAuthoritative { aspects.insert(.authoritative) }
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
    /// Knot gives a DNAME at an asterisk the QNAME as its owner (rule `dname-of-wildcard`): puts the
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
    /// The whole response, a line for each record.
    package var summary: String {
        let code = ResponseCode(rawValue: responseCode)?.mnemonic ?? "RCODE \(responseCode)"
        var lines = [
            code + (isAuthoritative ? " AA" : "") + (isTruncated ? " TC" : "")
        ]
        for (section, records) in [
            ("answer", answers), ("authority", authorities), ("additional", additionals),
        ] {
            lines += records.filter { $0.type != .opt }.map { "  \(section): \($0.summary)" }
        }
        return lines.joined(separator: "\n")
    }
}
