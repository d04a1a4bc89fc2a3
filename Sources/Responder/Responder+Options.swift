import Addressing
import DNSWire
import Tables

// EDNS in responses: which options, in which order, and what gives way when space is short.
extension Responder {
    /// Bytes that the OPT record takes at least; 0 without EDNS. Only what must be in a response
    /// counts: the client subnet (RFC 7871 §7.2.1) and the cookie (RFC 7873 §5.2).
    var requiredOptionByteCount: Int {
        guard query.edns != nil else { return 0 }
        var count = 11
        if let subnet = query.clientSubnet { count += 8 + subnet.addressByteCount }
        if query.cookie != nil { count += 4 + Cookie.responseByteCount }
        return count
    }

    /// RFC 6891 §6.1.2; the DO bit is copied (RFC 3225 §3), and no other flag (§6.1.4).
    ///
    /// What may be left out comes last, so that it is what gives way: no answer is truncated to
    /// make room for it.
    mutating func putOPT(_ message: Span<UInt8>, into writer: inout MessageWriter) {
        guard let edns = query.edns else { return }
        // Owner (the root), type, size, extended code, version 0, the flags' first byte; the other
        // and RDLENGTH are zero.
        let head =
            UInt64(RRType.opt.rawValue) << 40 | UInt64(Responder.datagramByteCountMax) << 24
            | UInt64(answer.code.rawValue >> 4) << 16 | (edns.isDNSSECOK ? 0x80 : 0)
        _ = writer.put(leading: 11, of: UInt128(head) << 64)
        let start = writer.count
        if let subnet = query.clientSubnet { put(subnet, into: &writer) }
        if let cookie = query.cookie { put(cookie, message, into: &writer) }
        if edns.wantsServerIdentifier { putServerIdentifier(into: &writer) }
        if edns.wantsKeepalive { putKeepalive(into: &writer) }
        if let error = answer.extendedError { put(error, into: &writer) }
        if let agent = settings.reportAgent { putReportChannel(agent, into: &writer) }
        if writer.count > start { writer.patch16(UInt16(writer.count - start), at: start - 2) }
    }

    /// It comes back with the scope (RFC 7871 §7.2.1), which is 0 when the client gave no prefix.
    private mutating func put(_ subnet: ClientSubnet, into writer: inout MessageWriter) {
        let byteCount = subnet.addressByteCount
        let scope = subnet.sourcePrefixLength == 0 ? 0 : answer.scope
        let head =
            UInt64(ClientSubnet.optionCode) << 48 | UInt64(4 &+ byteCount) << 32
            | UInt64(subnet.familyNumber) << 16 | UInt64(subnet.sourcePrefixLength) << 8
            | UInt64(scope)
        _ =
            writer.putWord(head.byteSwapped)
            && writer.put(leading: byteCount, of: subnet.address.bits)
    }

    /// The client cookie as it came, and the server cookie (RFC 9018 §4).
    private mutating func put(
        _ cookie: Cookie, _ message: Span<UInt8>, into writer: inout MessageWriter
    ) {
        let head = UInt32(Cookie.optionCode) << 16 | UInt32(Cookie.responseByteCount)
        _ =
            writer.put32(head) && writer.putWord(message.word(at: Int(cookie.offset)))
            && writer.putWord(answer.cookieFront) && writer.putWord(answer.cookieHash)
    }

    private mutating func putServerIdentifier(into writer: inout MessageWriter) {
        guard let text = settings.identity else { return }
        let before = writer.count
        // NSID has no length byte of its own (RFC 5001 §2.3).
        let isWritten =
            writer.put16(EDNS.serverIdentifierCode) && writer.put16(UInt16(text.count - 1))
            && writer.put(texts, text.dropFirst())
        if !isWritten { writer.truncate(to: before) }
    }

    /// Over UDP the option has no meaning (RFC 7828 §3.2.1).
    private mutating func putKeepalive(into writer: inout MessageWriter) {
        guard isStream, let keepalive else { return }
        let before = writer.count
        let isWritten =
            writer.put16(EDNS.keepaliveCode) && writer.put16(2) && writer.put16(keepalive)
        if !isWritten { writer.truncate(to: before) }
    }

    /// RFC 8914 §2, without text: the code says it all.
    private mutating func put(_ error: ExtendedError, into writer: inout MessageWriter) {
        let before = writer.count
        let isWritten =
            writer.put16(EDNS.extendedErrorCode) && writer.put16(2)
            && writer.put16(error.rawValue)
        if !isWritten { writer.truncate(to: before) }
    }

    /// Sent unasked (RFC 9567 §6.2), where a zone of this server answers for itself: what a
    /// resolver finds wrong behind a referral is not of its making.
    private mutating func putReportChannel(
        _ agent: Range<Int>, into writer: inout MessageWriter
    ) {
        guard answer.isAuthoritative, !enclosesReportAgent() else { return }
        let before = writer.count
        let isWritten =
            writer.put16(EDNS.reportChannelCode) && writer.put16(UInt16(agent.count))
            && writer.put(texts, agent)
        if !isWritten { writer.truncate(to: before) }
    }

    /// The agent domain must not lie in the zone that it is told about (RFC 9567 §8.1): what is
    /// wrong with the zone would be wrong with the reports, too, and each would cause another.
    private mutating func enclosesReportAgent() -> Bool {
        let zone: UInt32
        switch answer.lookup {
        case .name(let node), .wildcard(let node), .redirection(let node), .delegation(let node):
            zone = zones.nodes[node].zone
        case .nothing(let index):
            zone = UInt32(index)
        case .outsideZones, nil:
            return true
        }
        let apex = zones.nodes[Int(zones.zones[Int(zone)].apex)]
        var offset = 0
        while reportAgent.byteCount - offset > Int(apex.nameByteCount) {
            offset = reportAgent.parent(of: offset)
        }
        return reportAgent.byteCount - offset == Int(apex.nameByteCount)
            && reportAgent.isSuffix(from: offset, equalTo: zones.bytes, at: Int(apex.nameOffset))
    }

    // MARK: - Cookies

    /// Looks at the server cookie that came, if any, and makes the one of the response; a fresh one
    /// goes back as it is.
    mutating func readCookie(
        _ cookie: Cookie, in message: Span<UInt8>, from client: IPAddress
    ) {
        let offset = Int(cookie.offset)
        answer.cookieState = .learning
        if cookie.hasServerCookie {
            switch secrets.judge(cookie, in: message, from: client, now: now) {
            case .fresh:
                answer.cookieState = .good
                answer.cookieFront = message.word(at: offset + 8)
                answer.cookieHash = message.word(at: offset + 16)
                return
            case .good: answer.cookieState = .good
            case .bad: answer.cookieState = .bad
            }
        }
        answer.cookieFront = CookieSecrets.front(now: now)
        answer.cookieHash = secrets.current.hash(
            client: message.word(at: offset), front: answer.cookieFront, address: client)
    }
}
