import Addressing
import DNSWire
import Steering
import Zones

extension Responder {
    /// CNAMEs followed, those made from DNAMEs too, before the answer is given as it is.
    static let cnameChainMax = 8

    /// Fills `answer` for the decoded query (RFC 1034 §4.3.2).
    mutating func find(_ message: Span<UInt8>) {
        guard query.class == Query.classIN else { return findInOtherClass(message) }
        findRecords(message)
    }

    private mutating func findRecords(_ message: Span<UInt8>) {
        guard query.type == .any || !query.type.isMetaOrQuestionType else {
            return refuse(.notSupported)
        }
        // What a zone says of steering is for those who may transfer it; nobody may yet.
        guard !query.type.isSteering else { return refuse(.prohibited) }
        var owner = AnswerItem.question
        let lookup =
            answer.lookup
            ?? zones.find(&name, readFrom: message, dsAtCut: query.type == .ds)
        answer.lookup = lookup
        if case .redirection = lookup { name.lower(message) }
        switch redirected(lookup, owner: &owner) {
        case nil, .redirection: break
        case .outsideZones:
            // The resolver asks there, if a DNAME led out.
            if owner == AnswerItem.question { refuse(.notAuthoritative) }
        case .delegation(let cut):
            refer(to: cut)
        case .name(let node), .wildcard(let node):
            answer.isAuthoritative = true
            guard answer.aliasCount < Responder.cnameChainMax else { return }
            if let alias = answer(at: node, owner: owner) {
                name.lower(message)
                follow(alias)
            }
        case .nothing(let zone):
            answer.isAuthoritative = true
            deny(.nameError, zone: zone)
        }
    }

    private mutating func refuse(_ reason: ExtendedError) {
        answer.code = .refused
        answer.extendedError = reason
    }

    /// No server knows all classes, so an answer to QCLASS * has no authority (RFC 1034 §3.7.1).
    @inline(never)
    private mutating func findInOtherClass(_ message: Span<UInt8>) {
        guard query.class == Query.classAny else { return findChaos(message) }
        findRecords(message)
        answer.isAuthoritative = false
    }

    /// Class CH: what the server tells about itself (RFC 4892 §3). There is no zone of that class,
    /// so the answer is not authoritative and everything else is refused, and so are other classes.
    private mutating func findChaos(_ message: Span<UInt8>) {
        guard query.class == Query.classCH, query.type == .txt || query.type == .any else {
            return refuse(.notAuthoritative)
        }
        for entry in settings.chaosNames
        where name.isSuffix(
            from: 0, equalTo: texts, at: entry.name, readFrom: message)
        {
            answer.add(
                AnswerItem(
                    section: .answer, owner: AnswerItem.question,
                    content: .text(start: entry.text.lowerBound, count: entry.text.count), ttl: 0))
            return
        }
        if let epochName = settings.epochName,
            name.isSuffix(from: 0, equalTo: texts, at: epochName, readFrom: message),
            settings.showsEpoch(to: client)
        {
            answer.add(
                AnswerItem(
                    section: .answer, owner: AnswerItem.question, content: .epoch, ttl: 0))
            return
        }
        refuse(.notAuthoritative)
    }

    /// Goes on where a CNAME leads, whose target's name stands at `alias`, into another zone too:
    /// RFC 1034 §4.3.2 step 3a goes "back to step 1", which looks for the zone among all that are
    /// available.
    @inline(never)
    private mutating func follow(_ alias: Int) {
        var alias = alias
        let bytes = zones.bytes
        while chased.readLower(bytes.span, at: alias) != nil {
            var owner = alias
            let lookup = zones.find(
                &chased, readFrom: bytes.span, dsAtCut: query.type == .ds)
            switch redirected(lookup, owner: &owner) {
            case .name(let node), .wildcard(let node):
                guard answer.aliasCount < Responder.cnameChainMax,
                    let next = answer(at: node, owner: owner)
                else { return }
                alias = next
            case .nothing(let zone):
                // The RCODE speaks of the last name of the chain (RFC 6604 §2.1).
                return deny(.nameError, zone: zone)
            case .delegation(let cut):
                // Without its NS records the response could be taken for NODATA (RFC 2308 §2.2).
                return refer(to: cut)
            case nil, .redirection, .outsideZones:
                // The resolver asks there, if there is anything to ask.
                return
            }
        }
    }

    /// Adds what `node` has for the query. Returns where the name of a CNAME's target stands when
    /// the answer goes on there.
    @inline(__always)
    private mutating func answer(at node: Int, owner: Int) -> Int? {
        guard query.type != .any else {
            answerAny(at: node, owner: owner)
            return nil
        }
        let found = zones.rrset(query.type, at: node)
        if zones.nodes[node].hasAlias {
            if steer(at: node, owner: owner) { return nil }
            // Only RRSIG and NSEC stand beside a CNAME: asked for, they are the answer (RFC 4035
            // §2.5).
            if found == nil, let cname = zones.rrset(.cname, at: node) {
                guard !isRepeated(cname) else { return nil }
                add(cname, owner: owner, in: .answer)
                answer.aliasCount += 1
                return Int(zones.rrsets[cname].dataOffset) + 2
            }
        }
        if let found {
            if query.type != .dname || !hasLedHere(found, at: node) {
                add(found, owner: owner, in: .answer)
            }
        } else {
            deny(.noError, zone: Int(zones.nodes[node].zone))
        }
        return nil
    }

    /// One RRset is enough (RFC 8482 §4.1). Never goes on: a CNAME is as good as any.
    @inline(never)
    private mutating func answerAny(at node: Int, owner: Int) {
        if steer(at: node, owner: owner) { return }
        var hasData = false
        for index in zones.rrsets(at: node) where zones.rrsets[index].type != .geo {
            hasData = true
            if hasLedHere(index, at: node) { continue }
            add(index, owner: owner, in: .answer)
            break
        }
        if !hasData { deny(.noError, zone: Int(zones.nodes[node].zone)) }
    }

    /// Whether this is the DNAME that led to its own owner: it is in the answer already. Below a
    /// wildcard it is another record, of another name.
    @inline(never)
    private mutating func hasLedHere(_ rrset: Int, at node: Int) -> Bool {
        zones.rrsets[rrset].type == .dname && hasGiven(rrset)
            && chased.equals(zones.bytes, at: Int(zones.nodes[node].nameOffset))
    }

    /// Whether this CNAME has been given for this name already. That of a wildcard may be given
    /// again, for another name.
    @inline(never)
    private mutating func isRepeated(_ cname: Int) -> Bool {
        for index in 0..<answer.count {
            guard case .rrset(cname) = answer[index].content else { continue }
            if isChased(answer[index].owner) { return true }
        }
        return false
    }

    /// Whether the owner of an item is the name that the last CNAME led to.
    mutating func isChased(_ owner: Int) -> Bool {
        if owner == AnswerItem.question { return chased.equals(name) }
        guard owner < AnswerItem.question else { return chased.equals(zones.bytes, at: owner) }
        return answer.names.isEqual(AnswerItem.owner(synthesizedAt: owner), to: chased)
    }

    /// Adds what the GEO name at `node` answers; false when it has nothing for this query type, or
    /// there is none, and what else the node holds is to be looked at.
    private mutating func steer(at node: Int, owner: Int) -> Bool {
        guard let geo = zones.rrset(.geo, at: node) else { return false }
        guard query.type == .a || query.type == .aaaa || query.type == .any else {
            return steerOtherType(geo, at: node, owner: owner)
        }
        let decision = answer.decision ?? decide(geo, for: client)
        answer.decision = nil
        switch decision.outcome {
        case .endpoint(let endpoint), .group(let endpoint):
            countDecision(decision)
            let (start, count) = addresses(of: endpoint)
            guard count > 0 else { return false }
            answer.add(
                AnswerItem(
                    section: .answer, owner: owner,
                    content: .addresses(
                        query.type == .aaaa ? .aaaa : .a, start: start, count: count),
                    ttl: decision.ttl))
            return true
        case .external(let target):
            // A CNAME holds for every type.
            countDecision(decision)
            answer.add(
                AnswerItem(
                    section: .answer, owner: owner, content: .external(target),
                    ttl: decision.ttl))
            return true
        case .nothing:
            countDecision(decision)
            return false
        }
    }

    /// What the GEO name of an RRset answers to this client.
    @inline(__always)
    mutating func decide(_ geo: Int, for client: IPAddress) -> Decision {
        decide(geo, for: client, family: query.type == .aaaa ? .ipv6 : .ipv4)
    }

    /// And for addresses of this family.
    @inline(__always)
    mutating func decide(
        _ geo: Int, for client: IPAddress, family: IPAddress.Family
    ) -> Decision {
        let offset = family == .ipv6 ? steering.ipv6NameOffset : 0
        return steering.decide(
            name: Int(zones.rrsets[geo].link) + offset,
            client: Client(source: client, subnet: usableSubnet), random: &random)
    }

    /// Of the family asked for; IPv4 for ANY, where one RRset is enough (RFC 8482 §4.1).
    @inline(__always)
    mutating func addresses(of endpoint: Int) -> (start: Int, count: UInt16) {
        steering.addresses(of: endpoint, family: query.type == .aaaa ? .ipv6 : .ipv4)
    }

    /// A source prefix of 0 says that the client does not want to be placed (RFC 7871 §7.1.2): the
    /// resolver's own address is used.
    private var usableSubnet: IPAddress? {
        @inline(__always) mutating get {
            guard let subnet = query.clientSubnet, subnet.sourcePrefixLength > 0 else { return nil }
            return subnet.address
        }
    }

    mutating func countDecision(_ decision: Decision) {
        answer.scope = max(answer.scope, decision.scope)
        countSteered(decision.reason)
    }

    @inline(__always)
    mutating func add(_ rrset: Int, owner: Int, in section: AnswerItem.Section) {
        answer.add(
            AnswerItem(
                section: section, owner: owner, content: .rrset(rrset),
                ttl: zones.rrsets[rrset].ttl))
    }

    /// NXDOMAIN, or NODATA for `noError`: the SOA says how long that holds (RFC 2308 §3).
    private mutating func deny(_ code: ResponseCode, zone: Int) {
        answer.code = code
        let zone = zones.zones[zone]
        answer.add(
            AnswerItem(
                section: .authority, owner: Int(zones.nodes[Int(zone.apex)].nameOffset),
                content: .rrset(Int(zone.soa)), ttl: zone.negativeTTL))
    }

    /// A referral: the cut's NS records and the addresses known for them (RFC 1034 §4.3.2 step 3b).
    private mutating func refer(to cut: Int) {
        guard let ns = zones.rrset(.ns, at: cut) else { return }
        add(ns, owner: Int(zones.nodes[cut].nameOffset), in: .authority)
        let first = Int(zones.rrsets[ns].link)
        var index = first
        while index < first + Int(zones.rrsets[ns].glueCount) {
            let node = Int(zones.glue[index])
            let owner = Int(zones.nodes[node].nameOffset)
            if let a = zones.rrset(.a, at: node) { add(a, owner: owner, in: .additional) }
            if let aaaa = zones.rrset(.aaaa, at: node) { add(aaaa, owner: owner, in: .additional) }
            index += 1
        }
    }
}
