import DNSWire
import TestSupport

/// A zone as a dictionary of names, and RFC 1034 §4.3.2 with RFC 4592 written down word by word.
struct ZoneModel {
    /// Labels in lower case, the leftmost first.
    typealias Name = [[UInt8]]

    struct RRset: Hashable {
        var ttl: UInt32
        /// In wire form, each record once.
        var rdata: Set<[UInt8]>
    }

    let apex: Name
    private(set) var names: [Name: [RRType: RRset]] = [:]
    /// The names of `names`, as they came.
    private(set) var owners: [Name] = []
    /// A name exists when it owns a record or lies above one that does (RFC 4592 §2.2).
    private var existing: Set<Name> = []
    /// The TTL of negative answers.
    let negativeTTL: UInt32

    struct Record: Hashable {
        var owner: Name
        var type: RRType
        var ttl: UInt32
        var rdata: [UInt8]
    }

    struct Response: Equatable {
        var code = ResponseCode.noError
        var isAuthoritative = true
        var answers: Set<Record> = []
        /// More than the answers: any one RRset of these will do (QTYPE ANY).
        var oneOf: [RRType: Set<Record>] = [:]
        var authorities: Set<Record> = []
        var additionals: Set<Record> = []
    }

    init(apex: Name, negativeTTL: UInt32) {
        self.apex = apex
        self.negativeTTL = negativeTTL
    }

    // MARK: - The tree

    mutating func add(_ type: RRType, _ rrset: RRset, at name: Name) {
        if names[name] == nil { owners.append(name) }
        names[name, default: [:]][type] = rrset
        for count in apex.count...name.count { existing.insert(Name(name.suffix(count))) }
    }

    func exists(_ name: Name) -> Bool { existing.contains(name) }

    func isWithin(_ name: Name, _ ancestor: Name) -> Bool {
        name.count >= ancestor.count && Name(name.suffix(ancestor.count)) == ancestor
    }

    /// The highest zone cut at or above `name`, the apex not being one.
    func cut(_ name: Name) -> Name? {
        guard name.count > apex.count else { return nil }
        for count in apex.count + 1...name.count {
            // Nothing below a DNAME is there.
            if names[Name(name.suffix(count - 1))]?[.dname] != nil { return nil }
            let ancestor = Name(name.suffix(count))
            if names[ancestor]?[.ns] != nil { return ancestor }
        }
        return nil
    }

    /// The DNAME that speaks for `name`: nearest to the apex, and not below a zone cut.
    func dname(above name: Name) -> Name? {
        guard name.count > apex.count else { return nil }
        for count in apex.count..<name.count {
            let ancestor = Name(name.suffix(count))
            if count > apex.count, names[ancestor]?[.ns] != nil { return nil }
            if names[ancestor]?[.dname] != nil { return ancestor }
        }
        return nil
    }

    private func records(_ owner: Name, _ type: RRType, at name: Name) -> Set<Record> {
        guard let rrset = names[name]?[type] else { return [] }
        return Set(rrset.rdata.map { Record(owner: owner, type: type, ttl: rrset.ttl, rdata: $0) })
    }

    // MARK: - The algorithm

    func respond(_ question: Name, _ type: RRType) -> Response {
        var response = Response()
        guard isWithin(question, apex) else {
            response.code = .refused
            response.isAuthoritative = false
            return response
        }
        // Step 3b. The DS of a cut is the parent's (RFC 4035 §3.1.4.1).
        if let cut = cut(question), type != .ds || cut != question { return referral(cut) }
        var name = question
        var seen: [Name] = []
        for _ in 0..<16 {
            // RFC 6672 §3.2 step 3c.
            if let owner = dname(above: name), let rrset = names[owner]?[.dname],
                let target = rrset.rdata.first
            {
                guard seen.count < 8, !seen.contains(name) else { return response }
                seen.append(name)
                response.answers.formUnion(records(owner, .dname, at: owner))
                let next = Name(name.dropLast(owner.count)) + ZoneModel.name(target)
                guard ZoneModel.wire(next).count <= 255 else {
                    response.code = .nameExists
                    return response
                }
                response.answers.insert(
                    Record(
                        owner: name, type: .cname, ttl: rrset.ttl, rdata: ZoneModel.wire(next)))
                if type == .cname { return response }
                name = next
                guard isWithin(name, apex) else { return response }
                if let cut = cut(name), type != .ds || cut != name {
                    response.authorities = referral(cut).authorities
                    response.additionals = referral(cut).additionals
                    return response
                }
                continue
            }
            guard let source = source(of: name) else {
                response.code = .nameError
                return negative(response)
            }
            if seen.count == 8 { return response }
            let here = names[source] ?? [:]
            guard type != .cname, type != .any, let cname = here[.cname]?.rdata.first else {
                return found(response, name, source, type)
            }
            // A loop has come round when a name is reached twice.
            if seen.contains(name) { return response }
            seen.append(name)
            response.answers.formUnion(records(name, .cname, at: source))
            name = ZoneModel.name(cname)
            guard isWithin(name, apex) else { return response }
            if let cut = cut(name), type != .ds || cut != name {
                // The answer so far is ours; the rest is to be asked below the cut.
                response.authorities = referral(cut).authorities
                response.additionals = referral(cut).additionals
                return response
            }
        }
        return response
    }

    /// The name itself, or the wildcard that speaks for it (RFC 4592 §3.3.1).
    private func source(of name: Name) -> Name? {
        if exists(name) { return name }
        var encloser = name
        while !exists(encloser) { encloser.removeFirst() }
        let wildcard = [[UInt8(ascii: "*")]] + encloser
        return exists(wildcard) ? wildcard : nil
    }

    private func found(
        _ response: Response, _ owner: Name, _ source: Name, _ type: RRType
    ) -> Response {
        var response = response
        if type == .any, let types = names[source]?.keys, !types.isEmpty {
            for type in types {
                response.oneOf[type] = response.answers.union(records(owner, type, at: source))
            }
            return response
        }
        let records = records(owner, type, at: source)
        guard !records.isEmpty else { return negative(response) }
        response.answers.formUnion(records)
        return response
    }

    private func negative(_ response: Response) -> Response {
        var response = response
        response.authorities = Set(
            records(apex, .soa, at: apex).map { record in
                var record = record
                record.ttl = negativeTTL
                return record
            })
        return response
    }

    private func referral(_ cut: Name) -> Response {
        var response = Response()
        response.isAuthoritative = false
        response.authorities = records(cut, .ns, at: cut)
        for target in names[cut]?[.ns]?.rdata ?? [] {
            let name = ZoneModel.name(target)
            if isWithin(name, apex), dname(above: name) != nil { continue }
            response.additionals.formUnion(records(name, .a, at: name))
            response.additionals.formUnion(records(name, .aaaa, at: name))
        }
        return response
    }

    // MARK: - Forms of names

    /// From wire form, in lower case.
    static func name(_ wire: [UInt8]) -> Name {
        var labels: Name = []
        var position = 0
        while wire[position] != 0 {
            let end = position + 1 + Int(wire[position])
            labels.append(wire[position + 1..<end].map(lower))
            position = end
        }
        return labels
    }

    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 32 : byte }

    static func wire(_ name: Name) -> [UInt8] {
        name.flatMap { [UInt8($0.count)] + $0 } + [0]
    }

    /// Absolute, in presentation format: what must be escaped is, some other bytes are too.
    static func text(_ name: Name, _ random: inout SeededGenerator) -> String {
        var text = ""
        for label in name {
            for byte in label {
                let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
                if isPlain && random.number(0...19) > 0 || byte == UInt8(ascii: "*") {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else if (0x21...0x7e).contains(byte), !(0x30...0x39).contains(byte),
                    Bool.random(using: &random)
                {
                    text += "\\"
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = "\(byte)"
                    text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                }
            }
            text += "."
        }
        return text
    }
}
