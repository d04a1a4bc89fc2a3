import DNSWire

extension Rule {
    package static let all: [Rule] = [
        Rule(
            name: "bytes-after-message",
            difference:
                "bytes after the last record of a query: Knot gives FORMERR; we, NSD and BIND do not "
                + "look at them",
            paragraph: "none: RFC 1035 §4.1 gives them no meaning",
            reason: "the query is whole and can be answered",
            peers: [.knot], aspects: Set(Facts.Aspect.allCases)
        ) { difference in
            difference.query.oddity == .bytesAfter && difference.theirs.isFormatError
        },
        Rule(
            name: "record-beside-opt",
            difference:
                "a record beside OPT in the additional section of a query: NSD gives FORMERR; we, Knot "
                + "and BIND answer",
            paragraph:
                "RFC 6891 §6.1.1: OPT \"MAY be placed anywhere within the additional data section\"",
            reason: "as written",
            peers: [.nsd], aspects: Set(Facts.Aspect.allCases)
        ) { difference in
            [.recordBeforeOPT, .recordAfterOPT].contains(difference.query.oddity)
                && difference.theirs.isFormatError
        },
        Rule(
            name: "malformed-option",
            difference:
                "a malformed client subnet or cookie: some do not look at the options that they do not "
                + "use, and answer; we give FORMERR, but BADVERS for another version of EDNS, where BIND "
                + "gives FORMERR",
            paragraph:
                "RFC 7871 §7.1.1 and RFC 7873 §5.2.2: FORMERR; RFC 6891 §6.1.3: BADVERS for every "
                + "version but 0",
            reason: "as written",
            peers: [.knot, .nsd, .bind], aspects: Set(Facts.Aspect.allCases)
        ) { difference in
            guard difference.query.edns?.options.contains(where: \.isMalformed) ?? false
            else { return false }
            return difference.ours.isFormatError
                || difference.ours.isBadVersion && difference.theirs.isFormatError
        },
        Rule(
            name: "question-of-errors",
            difference: "FORMERR: NSD leaves the question out; we, Knot and BIND give it back",
            paragraph: "none: RFC 1035 §4.1.1 speaks of the RCODE alone",
            reason: "the question tells the requestor which of its queries this is about",
            peers: [.nsd], aspects: [.question]
        ) { difference in
            difference.ours.isFormatError && difference.theirs.isFormatError
                && difference.theirFacts.question.isEmpty
        },
        Rule(
            name: "bits-of-errors",
            difference:
                "BADVERS: NSD gives all header bits of the query back, AA and TC too; we, Knot and BIND "
                + "do not",
            paragraph: "RFC 1035 §4.1.1: AA and TC speak of the response, Z \"must be zero\"",
            reason: "as written",
            peers: [.nsd], aspects: [.bits, .authoritative, .truncated]
        ) { difference in
            difference.ours.isBadVersion && difference.theirs.isBadVersion
                && difference.theirs.flags & difference.query.bits == difference.theirs.flags
                    & 0x07f0
        },
        Rule(
            name: "cd-copied",
            difference:
                "CD: BIND copies it into the response, and AD into truncated ones; we, Knot and NSD clear "
                + "both",
            paragraph:
                "RFC 4035 §3.1.6: \"a security-aware name server SHOULD clear the CD bit when composing "
                + "an authoritative response\", and the AD bit unless all is \"authentic\"",
            reason: "as written",
            peers: [.bind], aspects: [.bits]
        ) { difference in
            let more = difference.theirFacts.bits ^ difference.ourFacts.bits
            let copied: UInt16 = difference.theirs.isTruncated ? 0x0030 : 0x0010
            return more & difference.query.bits & copied == more
        },
        Rule(
            name: "any-answers-one",
            difference:
                "ANY: we, Knot and NSD answer with one RRset, each with one it chooses; BIND with "
                + "all, and TC when they do not fit",
            paragraph: "RFC 8482 §4.1: a single RRset, or a larger subset of those there are",
            reason: "one RRset satisfies the requestor and is no help to an amplifier",
            peers: [.knot, .nsd, .bind], aspects: [.answer, .truncated]
        ) { difference in
            guard difference.query.type == .any else { return false }
            if difference.theirs.isTruncated { return difference.peer == .bind }
            if difference.ours.isTruncated {
                return difference.peer != .bind
                    && Set(difference.theirFacts.answers.map(\.type)).count == 1
            }
            // What a DNAME led to comes before it in both.
            let common = difference.ourFacts.answers.intersection(difference.theirFacts.answers)
            let ours = difference.ourFacts.answers.subtracting(common)
            let theirs = difference.theirFacts.answers.subtracting(common)
            if difference.peer == .bind { return ours.isEmpty }
            // NSD takes the DNAME that led to its own owner for the one.
            if theirs.isEmpty {
                return ours.allSatisfy { one in
                    common.contains { $0.type == .dname && $0.owner == one.owner }
                }
            }
            return Set(ours.map(\.owner)) == Set(theirs.map(\.owner))
                && Set(ours.map(\.type)).count == 1 && Set(theirs.map(\.type)).count == 1
        },
        Rule(
            name: "cname-into-another-zone",
            difference:
                "a CNAME that leads into another zone we serve: we and NSD go on there; BIND ends "
                + "the answer; Knot looks in the first zone only, where it finds a delegation, old "
                + "data or nothing",
            paragraph:
                "RFC 1034 §4.3.2 step 3a: \"change QNAME to the canonical name in the CNAME RR, and "
                + "go back to step 1\"; step 2 searches \"the available zones\"",
            reason: "as written; it saves the resolver a question",
            peers: [.knot, .bind], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            guard let crossing = difference.crossing else { return false }
            // Both went the same way up to there.
            guard
                difference.theirs.isTruncated || difference.ours.isTruncated
                    || crossing.isSubset(of: difference.theirFacts.answers)
            else { return false }
            guard difference.peer == .bind, !difference.theirs.isTruncated else { return true }
            return difference.theirs.responseCode == 0 && difference.theirFacts.answers == crossing
                && difference.theirFacts.authorities.isEmpty
        },
        Rule(
            name: "cname-loop",
            difference:
                "CNAMEs that lead round: BIND gives the chain and SERVFAIL; we, Knot and NSD the "
                + "chain and NOERROR",
            paragraph:
                "RFC 1034 §3.6.2: \"CNAME loops signalled as an error\", without saying how",
            reason:
                "the chain shows the loop to every resolver; SERVFAIL would make it ask every other "
                + "server too",
            peers: [.bind], aspects: [.code]
        ) { difference in
            let chain = difference.ours.answers.filter { $0.type == .cname }
            let owners = Set(chain.map(\.owner))
            return difference.theirs.responseCode == ResponseCode.serverFailure.rawValue
                && difference.ours.responseCode == 0
                && chain.contains { $0.target.map { owners.contains($0) } ?? false }
        },
        Rule(
            name: "cname-chain-bound-knot",
            difference:
                "Knot ends an answer after five CNAMEs, those of DNAMEs counted; we go on to eight",
            paragraph:
                "RFC 1034 §3.6.2: \"CNAME chains should be followed\"; no RFC says how far",
            reason: "the resolver goes on where an answer ends; fewer questions are better",
            peers: [.knot], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            let (ours, theirs) = (difference.ourFacts.answers, difference.theirFacts.answers)
            return theirs.aliasCount == 5 && theirs.allSatisfy(\.isAlias)
                && difference.theirFacts.authorities.isEmpty
                && (theirs.isSubset(of: ours) || difference.ours.isTruncated)
        },
        Rule(
            name: "cname-chain-bound-ours",
            difference:
                "we end an answer after eight CNAMEs, those of DNAMEs counted; NSD and BIND go on further, "
                + "BIND to eleven, and then SERVFAIL",
            paragraph:
                "RFC 1034 §3.6.2: \"CNAME chains should be followed\"; no RFC says how far",
            reason:
                "a chain costs a lookup each, and what a query costs must have a bound; the resolver "
                + "goes on by itself",
            peers: [.nsd, .bind], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            let (ours, theirs) = (difference.ourFacts.answers, difference.theirFacts.answers)
            return ours.aliasCount >= 8 && ours.allSatisfy(\.isAlias)
                && difference.ourFacts.authorities.isEmpty
                && (ours.isSubset(of: theirs) || difference.theirs.isTruncated)
        },
        Rule(
            name: "name-too-long",
            difference:
                "a DNAME that makes too long a name: Knot looks at the DNAME's target instead, puts what "
                + "is there beside the DNAME, and often forgets YXDOMAIN; we, NSD and BIND answer with "
                + "YXDOMAIN and the DNAME",
            paragraph:
                "RFC 6672 §3.2 step 3c: if the name would be too long, \"set RCODE to YXDOMAIN and exit\"",
            reason: "as written",
            peers: [.knot], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            difference.ours.responseCode == ResponseCode.nameExists.rawValue
                && (difference.ours.isTruncated || difference.theirs.isTruncated
                    || difference.ourFacts.answers.isSubset(of: difference.theirFacts.answers))
        },
        Rule(
            name: "dname-of-wildcard",
            difference:
                "a DNAME whose owner begins with an asterisk, asked for a name below: Knot gives the DNAME "
                + "that name as its owner; we, NSD and BIND the owner that it has",
            paragraph:
                "RFC 6672 §3.2 step 3c: \"copy that record into the answer section\"; the wildcard "
                + "comes after it",
            reason: "as written; the CNAME beside it says the same to everyone",
            peers: [.knot], aspects: [.answer]
        ) { difference in
            difference.theirFacts.answers == difference.ourFacts.answers
                && difference.ours.answers.contains { $0.type == .dname && $0.owner.isWildcard }
        },
        Rule(
            name: "dname-of-wildcard-twice",
            difference:
                "a chain that comes to such a DNAME a second time, below another name: Knot ends the "
                + "answer; we, NSD and BIND go on",
            paragraph:
                "RFC 6672 §3.2 step 3c: \"Change QNAME to the substituted name and go back to step 1\"",
            reason: "it is another name, not a circle; where it is one, the bound ends it",
            peers: [.knot], aspects: [.code, .answer, .authority, .glue]
        ) { difference in
            let theirs = difference.theirFacts.answers
            let owners = difference.theirs.answers.filter { $0.type == .dname }.map(\.owner)
            return owners.count > theirs.count { $0.type == .dname }
                && theirs.allSatisfy(\.isAlias) && difference.theirFacts.authorities.isEmpty
                && theirs.isSubset(of: difference.ourFacts.answers)
        },
        Rule(
            name: "dname-into-itself",
            difference:
                "a DNAME that leads below its own owner: NSD ends the answer after the first CNAME; we, "
                + "Knot and BIND go on as far as with every chain",
            paragraph:
                "RFC 6672 §3.2 step 3c: \"Change QNAME to the substituted name and go back to step 1\"",
            reason: "one rule for all chains; the bound ends it",
            peers: [.nsd], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            let theirs = difference.theirFacts.answers
            return theirs.allSatisfy(\.isAlias) && difference.theirFacts.authorities.isEmpty
                && (difference.ours.isTruncated || theirs.isSubset(of: difference.ourFacts.answers))
                && theirs.contains { dname in
                    dname.type == .dname && dname.target.map { $0.isWithin(dname.owner) } ?? false
                }
        },
        Rule(
            name: "any-behind-dname",
            difference:
                "ANY below a DNAME: BIND answers with DNAME and CNAME, and stops; we, Knot and NSD go on",
            paragraph:
                "RFC 6672 §3.2 step 3c: \"Change QNAME to the substituted name and go back to step 1\", "
                + "whatever the type",
            reason: "as written",
            peers: [.bind], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            let theirs = difference.theirFacts.answers
            return difference.query.type == .any && theirs.count >= 2
                && theirs.allSatisfy(\.isAlias) && difference.theirFacts.authorities.isEmpty
                && difference.theirs.answers.last?.type == .cname
                && (difference.ours.isTruncated || theirs.isSubset(of: difference.ourFacts.answers))
        },
        Rule(
            name: "ds-of-own-apex",
            difference:
                "DS asked through a CNAME of the child that leads to the child's apex, parent served "
                + "beside it: we and NSD answer from the parent, Knot and BIND from the child",
            paragraph:
                "RFC 4035 §3.1.4.1: DS \"appears only on the parent zone's side of a zone cut\"",
            reason: "the same answer as for a DS question without a CNAME, where all four agree",
            peers: [.knot, .bind], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            difference.query.type == .ds
                && difference.names.dropFirst().contains { difference.origins.contains($0) }
        },
        Rule(
            name: "glue-made-up",
            difference:
                "a name server without an address record, but below a wildcard with one: Knot and NSD "
                + "make its address up for a referral, even from a wildcard below the cut; we and "
                + "BIND do not",
            paragraph:
                "RFC 1034 §4.3.2: step 3b, the cut, comes before step 3c, the wildcard; RFC 9471 §2: "
                + "glue is what the zone contains",
            reason: "only the child's servers know whether the wildcard speaks for the name",
            peers: [.knot, .nsd], aspects: [.glue]
        ) { difference in
            difference.hasMustGlueInCommon
                && difference.theirFacts.glue.contains { !difference.owners.contains($0.owner) }
        },
        Rule(
            name: "sibling-glue",
            difference:
                "addresses of name servers that are not below the cut: we, Knot and NSD give those "
                + "that the zone holds, authoritative or glue of another cut; BIND gives none",
            paragraph: "RFC 9471 §2, §3: required is glue for servers below the cut",
            reason: "an address at hand saves the resolver a question",
            peers: [.knot, .nsd, .bind], aspects: [.glue]
        ) { $0.hasMustGlueInCommon },
        Rule(
            name: "glue-left-out",
            difference:
                "glue that does not fit: BIND leaves some of it out, when other glue is there or "
                + "none fits, without TC, and NSD the AAAA of a server whose A fits; we and Knot "
                + "set TC",
            paragraph:
                "RFC 9471: when glue for servers below the cut does not fit, \"the server must set the "
                + "TC (Truncated) flag\"",
            reason: "as written",
            peers: [.nsd, .bind], aspects: [.glue, .truncated]
        ) { difference in
            let missing = difference.ourFacts.glue.subtracting(difference.theirFacts.glue)
            let byteCount = missing.reduce(difference.theirByteCount) {
                $0 + $1.owner.wire.count + 10 + $1.rdata.count
            }
            return !difference.query.isOverStream && !difference.theirs.isTruncated
                && (difference.ours.isTruncated
                    || byteCount > difference.query.responseByteCountMax)
                && difference.theirs.authorities.contains { $0.type == .ns }
                && difference.theirFacts.code == difference.ourFacts.code
        },
        Rule(
            name: "names-of-both-zones",
            difference:
                "parent and child zone served side by side: NSD keeps one tree of names for both. A "
                + "name that only the other zone's file has, or an empty non-terminal above one, "
                + "exists for it in this zone too: it answers NODATA there, and hides the wildcard "
                + "from what is below; for us, Knot and BIND the name does not exist",
            paragraph:
                "RFC 1034 §4.2.1: glue is \"not part of the authoritative data\"; RFC 4592 §3.3.1: the "
                + "closest encloser is \"the node in the zone's tree\"",
            reason: "zones are separate, whichever files one server reads",
            peers: [.nsd], aspects: [.code, .answer, .authority, .glue, .truncated]
        ) { difference in
            guard let end = difference.theirDenial else { return false }
            // DS of an apex is for the zone above.
            let tree = difference.trees.first {
                end.isWithin($0.origin) && !(difference.query.type == .ds && end == $0.origin)
            }
            guard let tree, difference.theirFacts.authorities.first?.owner == tree.origin
            else { return false }
            return tree.closestEncloser(of: end) != difference.sharedTree.closestEncloser(of: end)
        },
        Rule(
            name: "code-of-truncated",
            difference:
                "the RCODE of a response with TC: it says how far a server came before it had to stop: "
                + "Knot NOERROR before an SOA, NSD before the DNAME that makes too long a name, BIND in "
                + "an answer to ANY; NSD and BIND go on longer on chains, which BIND ends with SERVFAIL",
            paragraph: "RFC 2181 §9: \"the resolver should ignore that response\"",
            reason: "what is known may be said; over TCP all is said",
            peers: [.knot, .nsd, .bind], aspects: [.code]
        ) { difference in
            difference.theirs.isTruncated
                && (difference.ours.isTruncated
                    || difference.theirs.responseCode == 0
                        && [ResponseCode.nameError.rawValue, ResponseCode.nameExists.rawValue]
                            .contains(difference.ours.responseCode))
        },
        Rule(
            name: "soa-left-out",
            difference:
                "NXDOMAIN or NODATA behind CNAMEs, where the SOA does not fit: Knot leaves it out without "
                + "TC; we, NSD and BIND set TC",
            paragraph:
                "RFC 2308 §3: the SOA must be there; RFC 2181 §9: TC when something required does not fit",
            reason: "as written",
            peers: [.knot], aspects: [.authority, .truncated]
        ) { difference in
            let missing = difference.ourFacts.authorities
            let byteCount = missing.reduce(difference.theirByteCount) {
                $0 + $1.owner.wire.count + 10 + $1.rdata.count
            }
            return !difference.query.isOverStream && !difference.theirs.isTruncated
                && difference.theirFacts.authorities.isEmpty
                && !difference.theirFacts.answers.isEmpty
                && difference.theirFacts.answers.allSatisfy(\.isAlias)
                && difference.ourFacts.code == difference.theirFacts.code
                && (difference.ours.isTruncated
                    || missing.allSatisfy { $0.type == .soa }
                        && byteCount > difference.query.responseByteCountMax)
        },
        Rule(
            name: "options-give-way",
            difference:
                "NSID beside an answer that just fits: the others put it in, and truncate the answer for "
                + "it if need be; we leave it out",
            paragraph:
                "RFC 5001 §2.2: a server may honor the request or not; RFC 2181 §9: TC only when something "
                + "required does not fit",
            reason: "the answer is what was asked for; a truncated one costs a second question",
            peers: [.knot, .nsd, .bind], aspects: [.options]
        ) { difference in
            let (ours, theirs) = (difference.ourFacts.options, difference.theirFacts.options)
            let byteCount = difference.ourByteCount + 4 + Peer.identity.utf8.count
            return !difference.query.isOverStream && ours[3] == nil && theirs[3] != nil
                && byteCount > difference.query.responseByteCountMax
                && difference.peer.options.allSatisfy { $0 == 3 || ours[$0] == theirs[$0] }
        },
        Rule(
            name: "options-take-room",
            difference:
                "a client subnet or cookie beside an answer that just fits without it: NSD does not know "
                + "the one, nor Knot (here) the other, and answers; the others set TC, and so do we",
            paragraph:
                "RFC 7871 §7.2.1 and RFC 7873 §5.2.3: the option must be in the response to a query that "
                + "has it",
            reason: "as written",
            peers: [.knot, .nsd], aspects: [.truncated]
        ) { difference in
            let byteCount = difference.theirByteCount + difference.optionByteCountOfOurs
            return difference.ours.isTruncated
                && byteCount > difference.query.responseByteCountMax
        },
        Rule(
            name: "sibling-glue-truncates",
            difference:
                "glue that does not fit, not all of it for servers below the cut: Knot and NSD leave some "
                + "out; we set TC",
            paragraph:
                "RFC 9471 §3.2: when glue for other servers does not fit, the server may set TC",
            reason: "over TCP the resolver gets all addresses at once",
            peers: [.knot, .nsd], aspects: [.truncated]
        ) { difference in
            guard difference.ours.isTruncated,
                let cut = difference.theirFacts.authorities.first(where: { $0.type == .ns })?.owner
            else { return false }
            return difference.ourFacts.glue.contains { !$0.owner.isWithin(cut) }
                || difference.theirFacts.authorities.contains { server in
                    server.target.map { !$0.isWithin(cut) } ?? false
                }
        },
        Rule(
            name: "truncation-by-size",
            difference:
                "responses within a few bytes of the limit: the servers compress names, and leave "
                + "out optional addresses, each in its own way, so that one fits and another does not",
            paragraph: "RFC 2181 §9: TC only when something required does not fit",
            reason: "we compress every name that may be, whatever the case of its letters",
            peers: [.knot, .nsd, .bind], aspects: [.truncated]
        ) { difference in
            let fits =
                difference.ours.isTruncated
                ? difference.theirByteCount : difference.ourByteCount
            return !difference.query.isOverStream
                && !difference.ours.isTruncated
                && fits <= difference.query.responseByteCountMax
        },
    ]
}

extension Message {
    fileprivate var isFormatError: Bool { responseCode == ResponseCode.formatError.rawValue }
    fileprivate var isBadVersion: Bool { responseCode == ResponseCode.badVersion.rawValue }
}

extension Message.Record {
    fileprivate var isAlias: Bool { type == .cname || type == .dname }
}

extension Set<Message.Record> {
    /// Names that lead on.
    fileprivate var aliasCount: Int { count { $0.type == .cname } }
}

extension Disagreement {
    /// The zone that holds a name: the deepest of those served.
    private func origin(of name: DomainName) -> DomainName? {
        origins.filter { name.isWithin($0) }.max { $0.wire.count < $1.wire.count }
    }

    /// Our chain of CNAMEs up to the first that leads from one of the zones into another; nil when
    /// none does. The peer's chain, where our response is truncated and holds none.
    fileprivate var crossing: Set<Message.Record>? {
        var records: Set<Message.Record> = []
        for record in (ours.isTruncated ? theirs : ours).answers {
            guard record.type == .cname || record.type == .dname, let target = record.target
            else { return nil }
            records.insert(record.normalized)
            // Its CNAME comes next.
            if record.type == .dname { continue }
            let there = origin(of: target)
            if there != nil, there != origin(of: record.owner) { return records }
        }
        return nil
    }

    /// Whether both give the glue that they must: of name servers below the cut.
    fileprivate var hasMustGlueInCommon: Bool {
        guard let cut = ourFacts.authorities.first(where: { $0.type == .ns })?.owner
        else { return false }
        func mustHave(_ glue: Set<Message.Record>) -> Set<Message.Record> {
            glue.filter { $0.owner.isWithin(cut) && owners.contains($0.owner) }
        }
        return mustHave(ourFacts.glue) == mustHave(theirFacts.glue)
    }

    /// The name that the peer denies, or data of which: where its chain of CNAMEs ends. Nil when
    /// it says something else, or comes there in another way than we do.
    fileprivate var theirDenial: DomainName? {
        guard theirFacts.authorities.count == 1, theirFacts.authorities.first?.type == .soa,
            !theirs.isTruncated,
            ours.isTruncated || theirFacts.answers.isSubset(of: ourFacts.answers)
        else { return nil }
        var targets: [DomainName: DomainName] = [:]
        for record in theirs.answers where record.type == .cname {
            targets[record.owner] = record.target
        }
        var end = query.name
        while let next = targets.removeValue(forKey: end) { end = next }
        return targets.isEmpty ? end : nil
    }

    /// Bytes of the options that our response had to have and theirs has not.
    fileprivate var optionByteCountOfOurs: Int {
        let missing = ourFacts.options.keys.filter {
            [8, 10].contains($0) && theirFacts.options[$0] == nil
        }
        return (ours.options ?? []).filter { missing.contains($0.code) }.reduce(0) {
            $0 + 4 + $1.data.count
        }
    }

    /// The name asked for and those that CNAMEs led to.
    fileprivate var names: [DomainName] {
        [query.name]
            + (ours.answers + theirs.answers).compactMap {
                $0.type == .cname ? $0.target : nil
            }
    }
}
