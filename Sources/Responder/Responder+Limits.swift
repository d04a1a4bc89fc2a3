import Addressing
import DNSWire
import Steering
import Zones

/// What a server asks of clients that come over UDP, and how much it says to them.
package struct DatagramPolicy: Sendable, BitwiseCopyable {
    /// What is asked of queries over UDP that show no good server cookie.
    package enum Cookies: Sendable, BitwiseCopyable {
        /// Nothing. Clients that send a cookie get a server cookie, and may use it.
        case offer
        /// They are not answered: those with a client cookie learn their server cookie (RFC 7873
        /// §5.2.3), the others are to come over TCP.
        case demand
    }
    package var cookies = Cookies.offer
    /// Longest response: 512 to 4096 bytes. RFC 9715 §3.1 wants no fragments, hence at most 1400.
    package var byteCountMax = Responder.datagramByteCountMax
    /// Longest response to a query without a good server cookie, as its sender may be forged.
    package var byteCountMaxWithoutCookie = Responder.datagramByteCountMax

    package init() {}
}

/// A response that has been written, but not counted.
struct StraightAnswer: BitwiseCopyable {
    var kind = AnswerKind.answer
    var code = ResponseCode.noError
    /// Why steering chose what is in it.
    var reason: Reason?
}

extension Responder {
    /// RFC 7873 §5.2.3 leaves three choices for a query without a good server cookie: silence,
    /// BADCOOKIE, an answer. With `--cookies demand` it is the second; over TCP the third, as the
    /// section recommends. BADCOOKIE says nothing to a client without any cookie (§5.2.1): TC.
    mutating func demandCookie() {
        if query.cookie == nil {
            answer.becomeTruncated()
        } else {
            answer.become(.badCookie)
        }
    }

    var lacksDemandedCookie: Bool {
        @inline(__always) mutating get {
            policy.cookies == .demand && !isStream && answer.cookieState != .good
        }
    }

    /// Whether the answer may go out; it may have become another one. Only while there is a limit.
    ///
    /// TCP and good cookies prove that the client is where the response goes: no limit for them.
    ///
    /// A response that slips through tells an honest client, which has the same address as the
    /// flood or shares its prefix, how to be answered: with a cookie BADCOOKIE and the server
    /// cookie, which exempts it from then on; without one TC, for TCP. RFC 7873 §5.2.3 wants
    /// BADCOOKIE "at least occasionally": not always, since forged queries may hold a client cookie
    /// too, and would then be reflected one for one. As it must be, also where nothing slips. An
    /// error without a cookie does not slip: truncated it would be as long, and no more useful.
    @inline(never)
    mutating func passesRateLimit(_ client: IPAddress) -> Bool {
        if isStream { return true }
        let verdict = slips ? .slip : admit(subject(kindAtLength, answer.lookup), client)
        slips = false
        switch verdict {
        case .send:
            return true
        case .drop:
            countLimited(slips: false)
            return false
        case .slip:
            demandCookie()
            countLimited(slips: true)
            return true
        }
    }

    /// Whether what the short way has made, of the name that `lookup` led to, may go out. It is
    /// counted here, unless it slips: then the long way makes what slips, without asking again.
    @inline(never)
    mutating func admitStraight(
        _ lookup: ZoneTable.Lookup?, _ client: IPAddress
    ) -> RateLimiter.Verdict {
        if query.cookie == nil { answer.cookieState = .none }
        let verdict = admit(subject(made.kind, lookup), client)
        slips = verdict == .slip
        if slips { return .slip }
        answer.decision = nil
        if let reason = made.reason { countSteered(reason) }
        if case .drop = verdict {
            countLimited(slips: false)
        } else {
            countSent(made.code)
            countCookie()
        }
        return verdict
    }

    private mutating func admit(
        _ subject: RateLimiter.Subject, _ client: IPAddress
    ) -> RateLimiter.Verdict {
        if case .good = answer.cookieState { return .send }
        var slip = limiter.slip
        if query.cookie != nil {
            if slip == 0 { slip = Responder.cookieSlip }
        } else if subject.kind == .error {
            slip = 0
        }
        return limiter.admit(client, subject, names: zones.bytes, slip: slip, at: monotonicNow)
    }

    /// How many limited responses to clients with a cookie one BADCOOKIE stands for, where others
    /// get nothing.
    private static var cookieSlip: Int { 2 }

    /// What the long way has made.
    private var kindAtLength: AnswerKind {
        mutating get {
            switch answer.lookup {
            case .name, .wildcard:
                answer.count > 0 && answer[0].section == .answer ? .answer : .noData
            case .redirection: .answer
            case .delegation: .referral
            case .nothing: .nameError
            case .outsideZones: .error
            case nil: answer.isTruncated || answer.code == .badCookie ? .cookieDemand : .error
            }
        }
    }

    /// Answers share a bucket that are of one kind, and of one name; names that do not exist share
    /// that of their zone.
    private mutating func subject(
        _ kind: AnswerKind, _ lookup: ZoneTable.Lookup?
    ) -> RateLimiter.Subject {
        let index: Int
        switch lookup {
        case .name(let node), .wildcard(let node), .redirection(let node), .delegation(let node):
            index = node
        case .nothing(let zone):
            index = Int(zones.zones[zone].apex)
        case .outsideZones, nil:
            return .init(kind: kind)
        }
        let node = zones.nodes[index]
        return .init(
            kind: kind, hash: node.hash, nameOffset: Int(node.nameOffset),
            nameByteCount: Int(node.nameByteCount))
    }
}
