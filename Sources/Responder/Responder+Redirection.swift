import DNSWire
import Tables
import Zones

// DNAME (RFC 6672): every name below its owner stands for the same name below its target.
extension Responder {
    /// Where a lookup leads in the end: adds the DNAMEs on the way, each with the CNAME that it
    /// means for the name asked (RFC 6672 §3.2 step 3c), and leaves that in `owner`. Nil when the
    /// answer ends there.
    @inline(__always)
    mutating func redirected(_ start: ZoneTable.Lookup, owner: inout Int) -> ZoneTable.Lookup? {
        guard case .redirection = start else { return start }
        return followRedirections(start, owner: &owner)
    }

    @inline(never)
    private mutating func followRedirections(
        _ start: ZoneTable.Lookup, owner: inout Int
    ) -> ZoneTable.Lookup? {
        var lookup = start
        // Ends, because so many CNAMEs are followed.
        while case .redirection(let dname) = lookup {
            answer.isAuthoritative = true
            guard let target = redirect(at: dname, owner: owner) else { return nil }
            // The CNAME that was asked for (BIND, Knot and NSD see it so, too).
            if query.type == .cname { return nil }
            owner = AnswerItem.owner(synthesizedAt: target)
            let names = answer.names.view
            guard chased.readLower(names.span, at: target) != nil else { return nil }
            lookup = zones.find(&chased, readFrom: names.span, dsAtCut: query.type == .ds)
        }
        return lookup
    }

    /// Adds the DNAME, and the CNAME for the name at `owner`; where that leads stands at the place
    /// returned. Nil when there is none, or when the name has had its CNAME: round in a circle.
    private mutating func redirect(at node: Int, owner: Int) -> Int? {
        guard let dname = zones.rrset(.dname, at: node),
            answer.aliasCount < Responder.cnameChainMax, !hasSynthesized(owner)
        else { return nil }
        let rrset = zones.rrsets[dname]
        if !hasGiven(dname) {
            add(dname, owner: Int(zones.nodes[node].nameOffset), in: .answer)
        }
        let suffixByteCount = Int(zones.nodes[node].nameByteCount)
        let suffix = Int(rrset.dataOffset) + 2
        let target =
            owner == AnswerItem.question
            ? answer.names.append(
                name, without: suffixByteCount, then: zones.bytes, at: suffix)
            : answer.names.append(
                chased, without: suffixByteCount, then: zones.bytes, at: suffix)
        guard let target else {
            // Too long: the DNAME alone tells why (RFC 6672 §2.2).
            answer.code = .nameExists
            return nil
        }
        // With the TTL of the DNAME (RFC 6672 §3.1).
        answer.add(
            AnswerItem(
                section: .answer, owner: owner, content: .synthesized(target), ttl: rrset.ttl))
        answer.aliasCount += 1
        return target
    }

    private mutating func hasSynthesized(_ owner: Int) -> Bool {
        // The question's comes first.
        if owner == AnswerItem.question { return false }
        for index in 0..<answer.count {
            guard case .synthesized = answer[index].content else { continue }
            if isChased(answer[index].owner) { return true }
        }
        return false
    }

    func hasGiven(_ rrset: Int) -> Bool {
        for index in 0..<answer.count {
            if case .rrset(rrset) = answer[index].content { return true }
        }
        return false
    }
}

/// Names in wire form that one answer needed and no table has.
struct SynthesizedNames: ~Copyable {
    /// As many as CNAMEs that are followed.
    private var bytes = ScratchArray<UInt8>(
        capacity: Responder.cnameChainMax * DomainName.byteCountMax + 8, repeating: 0)
    private var byteCount = 0

    mutating func reset() {
        byteCount = 0
    }

    var view: TableView<UInt8> { bytes.view }

    /// Adds `name` with its last `suffixByteCount` bytes replaced by the name at `target` of
    /// `names`. Returns where it starts; nil when it is longer than a name may be.
    mutating func append(
        _ name: borrowing QuestionName, without suffixByteCount: Int,
        then names: TableView<UInt8>, at target: Int
    ) -> Int? {
        var end = target
        while names[end] != 0 { end += 1 + Int(names[end]) }
        let prefixByteCount = name.byteCount - suffixByteCount
        guard prefixByteCount + end + 1 - target <= DomainName.byteCountMax else { return nil }
        let start = byteCount
        var index = 0
        while index < prefixByteCount {
            bytes[byteCount] = name.byte(at: index)
            byteCount += 1
            index += 1
        }
        index = target
        while index <= end {
            bytes[byteCount] = names[index]
            byteCount += 1
            index += 1
        }
        return start
    }

    func isEqual(_ position: Int, to name: borrowing QuestionName) -> Bool {
        var index = 0
        while index < name.byteCount {
            if lowercased(bytes[position + index]) != name.byte(at: index) { return false }
            index += 1
        }
        return true
    }
}
