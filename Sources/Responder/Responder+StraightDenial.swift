import Addressing
import DNSWire
import Steering
import Zones

extension Responder {
    /// The short way to a negative response (RFC 2308) over UDP: the SOA of the zone, and no option
    /// but the client's subnet or a cookie. Names are not compressed for it: see `NegativeRecord`.
    /// It stands apart from `answerStraight`, which would be dearer with it.
    ///
    /// Nil: the answer is not that simple, or not negative. Otherwise as `answerStraight`, which
    /// has been tried before.
    @inline(never)
    mutating func denyStraight(
        _ message: Span<UInt8>, from client: IPAddress, into response: inout MutableSpan<UInt8>,
        _ lookup: inout ZoneTable.Lookup?
    ) -> Int? {
        guard query.type.isPlain, query.class == Query.classIN else { return nil }
        let found = lookup ?? zones.find(&name, readFrom: message)
        lookup = found
        if let edns = query.edns, edns.wantsServerIdentifier || edns.wantsKeepalive { return nil }
        switch found {
        case .nothing(let zone):
            return deny(.nameError, message, from: client, zone: zone, into: &response)
        case .name(let node), .wildcard(let node):
            guard zones.rrset(query.type, at: node) == nil else { return nil }
            let zone = Int(zones.nodes[node].zone)
            guard zones.nodes[node].hasAlias else {
                return deny(.noError, message, from: client, zone: zone, into: &response)
            }
            // A CNAME, or steering out of the zone, holds for every type.
            guard let geo = zones.rrset(.geo, at: node), zones.rrset(.cname, at: node) == nil
            else { return nil }
            guard query.type == .a || query.type == .aaaa else {
                guard decideAtOnce(geo, for: client) != nil else { return nil }
                return deny(.noError, message, from: client, zone: zone, into: &response)
            }
            return denySteered(geo, message, from: client, zone: zone, into: &response)
        case .outsideZones, .delegation, .redirection: return nil
        }
    }

    /// NODATA, if what steering has chosen has no addresses of the family asked for: it may have
    /// more than fit.
    private mutating func denySteered(
        _ geo: Int, _ message: Span<UInt8>, from client: IPAddress, zone: Int,
        into response: inout MutableSpan<UInt8>
    ) -> Int? {
        // What `answerStraight` has drawn is not drawn again.
        guard
            let step = decideAtOnce(geo, for: client)
                ?? answer.decision.flatMap({ SteeringView.Step($0) }),
            addresses(of: Int(step.endpoint)).count == 0
        else { return nil }
        return deny(
            .noError, message, from: client, zone: zone, scope: step.scope, step.reason,
            into: &response)
    }

    /// NXDOMAIN, or NODATA for `noError`.
    private mutating func deny(
        _ code: ResponseCode, _ message: Span<UInt8>, from client: IPAddress, zone index: Int,
        scope: UInt8 = 0, _ reason: Reason? = nil, into response: inout MutableSpan<UInt8>
    ) -> Int? {
        let zone = zones.zones[index]
        guard
            zone.negative.suits(
                message, name, apexByteCount: Int(zones.nodes[Int(zone.apex)].nameByteCount),
                questionEnd: query.questionEnd)
        else { return nil }
        let limit = query.edns?.payloadByteCountMax ?? Responder.plainDatagramByteCountMax
        var writer = MessageWriter(&response, limit: min(limit, policy.byteCountMaxWithoutCookie))
        guard writer.putQuestion(message, upTo: query.questionEnd),
            writer.putNegative(zone.negative, zones.bytes),
            query.edns == nil
                || putStraightOPT(message, from: client, scope: scope, into: &writer)
        else { return nil }
        writer.patchHeader(
            flags: 0x8400 | message.uint16(at: 2) & 0x0100 | code.rawValue,
            counts: 1 << 48 | 1 << 16 | (query.edns == nil ? 0 : 1))
        countStraight(code == .nameError ? .nameError : .noData, code, reason)
        return writer.count
    }
}

extension RRType {
    /// Whether a name has it or not, and nothing else is to be thought of.
    fileprivate var isPlain: Bool { !isMetaOrQuestionType && !isSteering && self != .ds }
}
