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
        guard !isStream, answer.cookieState != .good else { return true }
        let subject = limitedSubject()
        var slip = limiter.slip
        if query.cookie != nil {
            if slip == 0 { slip = Responder.cookieSlip }
        } else if subject.kind == .error {
            slip = 0
        }
        switch limiter.admit(client, subject, names: zones.bytes, slip: slip, at: monotonicNow) {
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

    /// How many limited responses to clients with a cookie one BADCOOKIE stands for, where others
    /// get nothing.
    private static var cookieSlip: Int { 2 }

    private mutating func limitedSubject() -> RateLimiter.Subject {
        guard let lookup = answer.lookup else {
            let isDemand = answer.isTruncated || answer.code == .badCookie
            return .init(kind: isDemand ? .cookieDemand : .error)
        }
        switch lookup {
        case .name(let node), .wildcard(let node):
            let hasRecords = answer.count > 0 && answer[0].section == .answer
            return subject(hasRecords ? .answer : .noData, node)
        case .redirection(let node):
            return subject(.answer, node)
        case .delegation(let node):
            return subject(.referral, node)
        case .nothing(let zone):
            return subject(.nameError, Int(zones.zones[zone].apex))
        case .outsideZones:
            return .init(kind: .error)
        }
    }

    private mutating func subject(_ kind: AnswerKind, _ node: Int) -> RateLimiter.Subject {
        let node = zones.nodes[node]
        return .init(
            kind: kind, hash: node.hash, nameOffset: Int(node.nameOffset),
            nameByteCount: Int(node.nameByteCount))
    }
}
