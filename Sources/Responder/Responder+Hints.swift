import Addressing
import DNSWire
import Steering
import Tables
import Zones

/// Addresses that one answer's service bindings get as hints: where they start in the steering
/// view's bytes, each after its RDLENGTH.
struct ServiceHints: BitwiseCopyable {
    /// Of the name at which the records stand.
    var node = 0
    var ipv4: (start: Int, count: UInt16) = (0, 0)
    var ipv6: (start: Int, count: UInt16) = (0, 0)
}

// SVCB and HTTPS at a GEO name (RFC 9460): hints are of the target that A and AAAA lead to.
extension Responder {
    /// Adds what the GEO name at `node` makes of a query for other than addresses; false when that
    /// is nothing, and what else the node holds is the answer.
    @inline(never)
    mutating func steerOtherType(_ geo: Int, at node: Int, owner: Int) -> Bool {
        let before = random
        let decision = decide(geo, for: client)
        // Whose turn it is stays the turn of the addresses, which are asked for in the same breath.
        random.restoreTurns(of: before)
        if case .external(let target) = decision.outcome {
            // A CNAME holds for every type.
            countDecision(decision)
            answer.add(
                AnswerItem(
                    section: .answer, owner: owner, content: .external(target), ttl: decision.ttl))
            return true
        }
        guard query.type == .svcb || query.type == .https,
            let rrset = zones.rrset(query.type, at: node), zones.takesHints(rrset, at: node)
        else { return false }
        var other = decision
        if steering.ipv6NameOffset > 0 {
            // What is drawn is drawn once for both.
            let after = random
            random = before
            other = decide(geo, for: client, family: .ipv6)
            random = after
        }
        countDecision(decision)
        answer.scope = max(answer.scope, other.scope)
        answer.hints = ServiceHints(
            node: node, ipv4: hints(decision, .ipv4), ipv6: hints(other, .ipv6))
        answer.add(
            AnswerItem(
                section: .answer, owner: owner, content: .service(rrset),
                ttl: min(zones.rrsets[rrset].ttl, decision.ttl, other.ttl)))
        return true
    }

    private mutating func hints(
        _ decision: Decision, _ family: IPAddress.Family
    ) -> (start: Int, count: UInt16) {
        switch decision.outcome {
        case .endpoint(let endpoint), .group(let endpoint):
            steering.addresses(of: endpoint, family: family)
        case .external, .nothing: (0, 0)
        }
    }

    /// Writes the records of an RRset of service bindings with their hints. The number of records;
    /// nil when they do not fit.
    mutating func putService(
        _ rrset: RRset, _ item: AnswerItem, into writer: inout MessageWriter
    ) -> UInt16? {
        var position = Int(rrset.dataOffset)
        for _ in 0..<rrset.recordCount {
            let rdata = position + 2..<position + 2 + Int(zones.bytes.uint16(at: position))
            guard putFixed(item, rrset.type, into: &writer) else { return nil }
            let start = writer.count
            guard writer.put16(0), putServiceData(rdata, into: &writer) else { return nil }
            // Proved at load: RDATA with hints has 16 bits of length.
            writer.patch16(UInt16(writer.count - start - 2), at: start)
            position = rdata.upperBound
        }
        return rrset.recordCount
    }

    private mutating func putServiceData(
        _ rdata: Range<Int>, into writer: inout MessageWriter
    ) -> Bool {
        let hints = answer.hints
        guard let places = zones.hintPlaces(in: rdata, at: hints.node) else {
            return writer.put(zones.bytes, rdata)
        }
        let (first, second) = (rdata.lowerBound + places.ipv4, rdata.lowerBound + places.ipv6)
        return writer.put(zones.bytes, rdata.lowerBound..<first)
            && putHint(HintPlaces.ipv4Key, hints.ipv4, byteCount: 4, into: &writer)
            && writer.put(zones.bytes, first..<second)
            && putHint(HintPlaces.ipv6Key, hints.ipv6, byteCount: 16, into: &writer)
            && writer.put(zones.bytes, second..<rdata.upperBound)
    }

    /// A key, the length of its value, and the addresses; nothing where there are none.
    private mutating func putHint(
        _ key: Int, _ addresses: (start: Int, count: UInt16), byteCount: Int,
        into writer: inout MessageWriter
    ) -> Bool {
        guard addresses.count > 0 else { return true }
        guard writer.put16(UInt16(key)), writer.put16(addresses.count * UInt16(byteCount)) else {
            return false
        }
        var position = addresses.start + 2
        for _ in 0..<addresses.count {
            guard writer.put(steering.bytes, position..<position + byteCount) else { return false }
            position += byteCount + 2
        }
        return true
    }
}
