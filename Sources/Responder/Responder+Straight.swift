import Addressing
import DNSWire
import Steering
import Tables
import Zones

extension Responder {
    /// The short way to what nearly every response over UDP is: one RRset of addresses, of the name
    /// asked, of the zone or chosen by steering, and no option but the client's subnet or a cookie.
    /// It says what the long way would, with fewer instructions; `ModelTests`, `StraightAnswers`,
    /// holds the two against each other.
    ///
    /// Nil: the answer is not that simple. Then nothing has been counted; `lookup` tells where the
    /// name leads, if it was looked up, and `answer.decision` what has been drawn.
    @inline(__always)
    mutating func answerStraight(
        _ message: Span<UInt8>, from client: IPAddress, into response: inout MutableSpan<UInt8>,
        _ lookup: inout ZoneTable.Lookup?
    ) -> Int? {
        guard query.type == .a || query.type == .aaaa, query.class == Query.classIN else {
            return nil
        }
        let found = zones.find(&name, readFrom: message)
        lookup = found
        var limit = Responder.plainDatagramByteCountMax
        if let edns = query.edns {
            guard !edns.wantsServerIdentifier, !edns.wantsKeepalive else { return nil }
            limit = edns.payloadByteCountMax
        }
        let node: Int
        switch found {
        case .name(let index), .wildcard(let index): node = index
        case .outsideZones: return refuseStraight(message, into: &response)
        default: return nil
        }
        let ttl: UInt32
        let recordCount: UInt16
        let bytes: TableView<UInt8>
        let start: Int
        var step: SteeringView.Step?
        if !zones.nodes[node].hasAlias {
            guard let index = zones.rrset(query.type, at: node) else { return nil }
            (ttl, recordCount) = (zones.rrsets[index].ttl, zones.rrsets[index].recordCount)
            (bytes, start) = (zones.bytes, Int(zones.rrsets[index].dataOffset))
        } else {
            guard let geo = zones.rrset(.geo, at: node),
                let made = decideAtOnce(geo, for: client) ?? decideStraight(geo, for: client)
            else { return nil }
            (start, recordCount) = addresses(of: Int(made.endpoint))
            guard recordCount > 0 else { return nil }
            (ttl, bytes, step) = (made.ttl, steering.bytes, made)
        }
        var writer = MessageWriter(&response, limit: min(limit, policy.byteCountMaxWithoutCookie))
        guard writer.putQuestion(message, upTo: query.questionEnd),
            writer.putAddressesOfQuestion(query.type, ttl: ttl, recordCount, bytes, at: start),
            query.edns == nil
                || putStraightOPT(message, from: client, scope: step?.scope ?? 0, into: &writer)
        else { return nil }
        let optionRecords: UInt64 = query.edns == nil ? 0 : 1
        writer.patchHeader(
            flags: 0x8400 | message.uint16(at: 2) & 0x0100,
            counts: 1 << 48 | UInt64(recordCount) << 32 | optionRecords)
        countStraight(.answer, .noError, step?.reason)
        return writer.count
    }

    /// What the GEO name of an RRset answers to this client, if one step decides it. Nothing is
    /// drawn, so it may be decided again.
    @inline(__always)
    mutating func decideAtOnce(_ geo: Int, for client: IPAddress) -> SteeringView.Step? {
        let offset = query.type == .aaaa ? steering.ipv6NameOffset : 0
        let name = Int(zones.rrsets[geo].link) &+ offset
        guard let subnet = query.clientSubnet, subnet.sourcePrefixLength > 0 else {
            return steering.decideAtOnce(name: name, for: client, isSubnet: false)
        }
        return steering.decideAtOnce(name: name, for: subnet.address, isSubnet: true)
    }

    /// The same, whatever it takes.
    @inline(never)
    private mutating func decideStraight(
        _ geo: Int, for client: IPAddress
    ) -> SteeringView.Step? {
        let decision = decide(geo, for: client)
        answer.decision = decision
        return SteeringView.Step(decision)
    }

    /// For who asks for what is not served here: it must not be dearer than an answer.
    @inline(never)
    private mutating func refuseStraight(
        _ message: Span<UInt8>, into response: inout MutableSpan<UInt8>
    ) -> Int? {
        guard query.clientSubnet == nil, query.cookie == nil else { return nil }
        // Header, question, OPT and one option are never too long.
        var writer = MessageWriter(&response, limit: Responder.plainDatagramByteCountMax)
        guard writer.putQuestion(message, upTo: query.questionEnd) else { return nil }
        if let edns = query.edns {
            // As in `putStraightOPT`; RFC 8914 §2: code, length, and why.
            let option: UInt64 =
                6 << 40 | UInt64(EDNS.extendedErrorCode) << 24 | 2 << 8
                | UInt64(ExtendedError.notAuthoritative.rawValue >> 8)
            guard
                writer.put(
                    17,
                    of: (
                        Responder.straightOPTHead(edns), option,
                        UInt64(ExtendedError.notAuthoritative.rawValue & 0xff) << 56, 0, 0
                    ))
            else { return nil }
        }
        writer.patchHeader(
            flags: 0x8000 | message.uint16(at: 2) & 0x0100 | ResponseCode.refused.rawValue,
            counts: 1 << 48 | (query.edns == nil ? 0 : 1))
        countStraight(.error, .refused)
        return writer.count
    }

    /// Owner (the root), type, size, extended code and version 0, and DO of the flags (RFC 3225
    /// §3).
    @inline(__always)
    private static func straightOPTHead(_ edns: EDNS) -> UInt64 {
        UInt64(RRType.opt.rawValue) << 40 | UInt64(datagramByteCountMax) << 24
            | (edns.isDNSSECOK ? 0x80 : 0)
    }

    /// An OPT record without options, or with one: the client's subnet or a cookie. False when it
    /// does not fit.
    @inline(__always)
    mutating func putStraightOPT(
        _ message: Span<UInt8>, from client: IPAddress, scope: UInt8,
        into writer: inout MessageWriter
    ) -> Bool {
        guard let edns = query.edns else { return false }
        let head = Responder.straightOPTHead(edns)
        guard let subnet = query.clientSubnet else {
            if let cookie = query.cookie {
                return putStraightCookie(message, from: client, cookie, head, into: &writer)
            }
            return writer.put(leading: 11, of: UInt128(head) << 64)
        }
        guard query.hasSubnetAlone else {
            return putStraightSubnet(head, scope: scope, into: &writer)
        }
        // It goes back as it came, but for what says how much is taken here, the flags, and the
        // scope.
        return writer.putOPT(
            message, from: query.questionEnd, byteCount: 19 &+ subnet.addressByteCount,
            head: head.byteSwapped, scope: scope)
    }

    /// A cookie alone; what it was worth is counted here, or with the rest while there is a rate
    /// limit.
    @inline(never)
    private mutating func putStraightCookie(
        _ message: Span<UInt8>, from client: IPAddress, _ cookie: Cookie, _ head: UInt64,
        into writer: inout MessageWriter
    ) -> Bool {
        readCookie(cookie, in: message, from: client)
        // The flags' other byte, RDLENGTH; code and length of the option; client cookie and server
        // cookie, each eight bytes one byte further on.
        let byteCount = Cookie.responseByteCount
        let option =
            UInt64(4 &+ byteCount) << 40 | UInt64(Cookie.optionCode) << 24 | UInt64(byteCount) << 8
        let clientCookie = message.word(at: Int(cookie.offset)).byteSwapped
        let (front, hash) = (answer.cookieFront.byteSwapped, answer.cookieHash.byteSwapped)
        guard
            writer.put(
                15 &+ byteCount,
                of: (
                    head, option | clientCookie >> 56, clientCookie << 8 | front >> 56,
                    front << 8 | hash >> 56, hash << 8
                ))
        else { return false }
        if !limiter.isOn { countCookie() }
        return true
    }

    /// The client's subnet, where other options stood beside it; not with a cookie.
    @inline(never)
    private mutating func putStraightSubnet(
        _ head: UInt64, scope: UInt8, into writer: inout MessageWriter
    ) -> Bool {
        guard let subnet = query.clientSubnet, query.cookie == nil else { return false }
        // The flags' other byte, RDLENGTH; code, length, family, source and scope of the option
        // (RFC 7871 §6); as much of the address as there is of the prefix.
        let byteCount = subnet.addressByteCount
        let option =
            UInt64(8 &+ byteCount) << 40 | UInt64(ClientSubnet.optionCode) << 24
            | UInt64(4 &+ byteCount) << 8 | UInt64(subnet.familyNumber >> 8)
        let prefix =
            UInt64(subnet.familyNumber & 0xff) << 56 | UInt64(subnet.sourcePrefixLength) << 48
            | UInt64(scope) << 40
        let address = subnet.address.bits
        return writer.put(
            19 &+ byteCount,
            of: (
                head, option, prefix | UInt64(truncatingIfNeeded: address >> 88),
                UInt64(truncatingIfNeeded: address >> 24),
                UInt64(truncatingIfNeeded: address << 40)
            ))
    }
}
