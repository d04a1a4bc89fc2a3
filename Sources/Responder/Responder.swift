package import Addressing
import DNSWire
package import Health
package import Steering
import Tables
import Zones

/// How a query came, as far as the answer depends on it.
package enum Channel: Sendable, BitwiseCopyable {
    /// UDP: the response is bounded by what the requestor can take, and truncated past it.
    case datagram
    /// TCP: up to 65,535 bytes.
    case stream
}

/// One worker's side of answering: it holds the snapshot in use, scratch memory and counters.
///
/// `respond` takes bytes and an address and returns bytes; every transport calls the same one.
/// Its functions are mutating, also those that change nothing: a borrowed `self` of this size is
/// copied to the stack for each call (Swift 6.3, seen in callgrind).
///
/// Reading order: here, `Responder+Lookup` (RFC 1034 §4.3.2), `Responder+Encoding`,
/// `Responder+Options`, `Responder+Limits`; `Responder+Straight` and `Responder+StraightDenial` say
/// again, in short, what most queries need of the first two; `Responder+Ahead`.
package struct Responder: ~Copyable {
    private let snapshots: SnapshotCell
    private var snapshot: Snapshot
    private var seen: UInt64 = 0
    private let counters: AnswerCounters
    private var tally: AnswerTally
    private var tallied: CounterArray
    private(set) var settings: ResponderSettings
    private(set) var secrets: CookieSecrets
    private(set) var policy: DatagramPolicy
    /// Whether no setting asks for more than the short way can do (`answerStraight`).
    private var mayGoStraight = false
    /// How long a TCP connection may be idle, as RFC 7828 §3.1 counts it: in 100 ms. Nil: clients
    /// are not told.
    let keepalive: UInt16?
    /// Seconds since 1970, modulo 2^32, as of the last `setTime`.
    private(set) var now: UInt32 = 0
    /// As of the last `setTime`, for rate limits.
    private(set) var monotonicNow = MonotonicTime(nanoseconds: 0)

    /// Windows on `snapshot` and `settings`, which this value holds.
    var zones: ZoneTable.View
    var steering: SteeringView
    private(set) var texts: TableView<UInt8>
    private(set) var epoch: TableView<UInt8>

    // Scratch memory of one query.
    var name = QuestionName()
    var query = Query()
    var answer = Answer()
    var names = NameCompressor()
    /// A name that a CNAME led to, or that is read ahead.
    var chased = QuestionName()
    /// Hashes of names that are asked for soon: as many as a transport takes at once.
    var expected = ScratchArray<UInt64>(capacity: 64, repeating: 0)
    var expectedCount = 0
    var random: RandomSource
    private(set) var isStream = false
    /// Who sent the query.
    private(set) var client = IPAddress(ipv4: 0)
    /// The agent domain of the settings, if they have one.
    private(set) var reportAgent = QuestionName()
    var limiter: RateLimiter
    /// What the short way has made while there is a rate limit: it is counted when that has been
    /// asked.
    var made = StraightAnswer()
    /// That has said that this query's answer slips through, which the long way makes.
    var slips = false
    private let goesStraight: Bool

    /// `seed` starts the generator that deals shares `by=query`. `streamIdleTimeout` is what
    /// clients are told that ask how long a TCP connection may be idle. `workerCount` responders
    /// share a rate limit; it is the one of the settings now, and stays. Without `goesStraight` all
    /// is answered the long way, which tests hold the short one against.
    package init(
        _ snapshots: SnapshotCell, seed: UInt64, streamIdleTimeout: Duration? = nil,
        workerCount: Int = 1, goesStraight: Bool = true
    ) {
        self.goesStraight = goesStraight
        self.snapshots = snapshots
        snapshot = snapshots.latest
        settings = snapshots.settings
        secrets = settings.cookieSecrets
        policy = settings.policy
        limiter = RateLimiter(settings.rateLimits, workerCount: workerCount)
        keepalive = streamIdleTimeout.map { UInt16(clamping: Int64($0 / .milliseconds(100))) }
        // SAFETY: `snapshot` and `settings` are held beside their views, and replaced together
        // with them.
        zones = unsafe snapshot.zones.view
        steering = unsafe snapshot.answers.view
        texts = unsafe settings.bytes.view
        epoch = unsafe snapshot.epochText.view
        counters = snapshots.makeCounters()
        tally = snapshot.tally
        tallied = tally.makeCounters()
        // SAFETY: `tallied` is held beside its view.
        steering.counts = unsafe tallied.view
        random = RandomSource(seed: seed)
        readSettings()
    }

    /// Longest response over UDP, unless the settings say otherwise (RFC 9715 §3.1: no fragments),
    /// and what clients are told that may be sent here.
    package static var datagramByteCountMax: Int { 1232 }
    /// Longest response over UDP without EDNS (RFC 1035 §4.2.1).
    static let plainDatagramByteCountMax = 512
    /// Longest message over TCP: the length prefix has 16 bits (RFC 1035 §4.2.2).
    package static let streamByteCountMax = 65_535

    /// Takes up the latest snapshot; called once before each batch of queries.
    package mutating func refresh() {
        guard snapshots.refresh(&snapshot, &settings, seen: &seen) else { return }
        secrets = settings.cookieSecrets
        policy = settings.policy
        // SAFETY: `snapshot` and `settings` are held beside their views, and replaced together
        // with them.
        zones = unsafe snapshot.zones.view
        steering = unsafe snapshot.answers.view
        texts = unsafe settings.bytes.view
        epoch = unsafe snapshot.epochText.view
        if snapshot.tally !== tally {
            tally = snapshot.tally
            tallied = tally.makeCounters()
        }
        steering.counts = unsafe tallied.view
        readSettings()
    }

    /// From now on, shares `by=query` are dealt by this.
    package mutating func draw(from source: RandomSource) { random = source }

    private mutating func readSettings() {
        mayGoStraight =
            goesStraight && policy.cookies == .offer && settings.reportAgent == nil
        guard let agent = settings.reportAgent else { return }
        _ = reportAgent.readLower(texts.span, at: agent.lowerBound)
    }

    /// Longest response over UDP under the settings at the start: room for that is needed.
    package var datagramByteCountMax: Int { policy.byteCountMax }

    /// The time, once for many batches. `now`, in seconds since 1970, modulo 2^32, is what server
    /// cookies are made and checked with (RFC 9018 §4.3): a second or two do not matter.
    /// `monotonic` fills the buckets of rate limits: a millisecond does not matter.
    package mutating func setTime(_ now: UInt32, monotonic: MonotonicTime) {
        self.now = now
        monotonicNow = monotonic
    }

    /// Tells what rate limits have begun and ceased to do; called about once a second.
    package mutating func reportRateLimits() {
        limiter.report(to: snapshots.rateLimitReports, at: monotonicNow)
    }

    /// Writes the response to one message from the start of `response`, and returns its byte
    /// count; 0: say nothing. `response` holds at least `datagramByteCountMax` bytes for a
    /// datagram and 65,535 for a stream: no response is longer than it.
    package mutating func respond(
        to message: Span<UInt8>, from client: IPAddress, over channel: Channel,
        into response: inout MutableSpan<UInt8>
    ) -> Int {
        let verdict = query.decode(message, name: &name)
        var lookup: ZoneTable.Lookup?
        if mayGoStraight, case .query = verdict, case .datagram = channel,
            let byteCount = answerStraight(message, from: client, into: &response, &lookup)
                ?? denyStraight(message, from: client, into: &response, &lookup)
        {
            guard limiter.isOn else { return byteCount }
            switch admitStraight(lookup, client) {
            case .send: return byteCount
            case .drop: return 0
            case .slip: break
            }
        }
        answer.reset()
        answer.lookup = lookup
        isStream = channel == .stream
        self.client = client
        return respondAtLength(to: message, verdict, into: &response)
    }

    @inline(never)
    private mutating func respondAtLength(
        to message: Span<UInt8>, _ verdict: Query.Verdict, into response: inout MutableSpan<UInt8>
    ) -> Int {
        if let cookie = query.cookie { readCookie(cookie, in: message, from: client) }
        switch verdict {
        case .ignore:
            counters.countIgnored()
            return 0
        case .reject(let code):
            answer.code = code
            if case .notImplemented = code { answer.extendedError = .notSupported }
        case .cookieOnly:
            if answer.cookieState == .bad { answer.code = .badCookie }
        case .query:
            if lacksDemandedCookie {
                demandCookie()
            } else {
                find(message)
            }
        }
        if limiter.isOn, !passesRateLimit(client) { return 0 }
        var writer = MessageWriter(&response, limit: byteCountMax)
        let isTruncated = encode(message, into: &writer)
        count(isTruncated: isTruncated)
        return writer.count
    }

    private var byteCountMax: Int {
        if isStream { return Responder.streamByteCountMax }
        let most = query.edns?.payloadByteCountMax ?? Responder.plainDatagramByteCountMax
        return min(
            most,
            answer.cookieState == .good ? policy.byteCountMax : policy.byteCountMaxWithoutCookie)
    }

    private mutating func count(isTruncated: Bool) {
        counters.countQuery()
        counters.count(answer.code)
        if isTruncated { counters.countTruncated() }
        if query.clientSubnet != nil { counters.countClientSubnet() }
        counters.count(answer.cookieState)
    }

    func countSteered(_ reason: Reason) { counters.count(reason) }

    func countCookie() { counters.count(answer.cookieState) }

    /// A response over UDP, whole, or what is to be counted of it once the rate limit has been
    /// asked; its cookie is counted by itself.
    @inline(__always)
    mutating func countStraight(_ kind: AnswerKind, _ code: ResponseCode, _ reason: Reason? = nil) {
        guard !limiter.isOn else {
            made = StraightAnswer(kind: kind, code: code, reason: reason)
            return
        }
        if let reason {
            answer.decision = nil
            countSteered(reason)
        }
        countSent(code)
    }

    func countSent(_ code: ResponseCode) {
        counters.countQuery()
        counters.count(code)
        if query.clientSubnet != nil { counters.countClientSubnet() }
    }

    func countLimited(slips: Bool) {
        counters.countLimited(slips: slips)
        // What goes out is counted as every response is.
        if !slips { counters.countQuery() }
    }
}
