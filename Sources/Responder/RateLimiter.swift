package import Addressing
import DNSWire
import Health
import Tables

/// How many responses clients may get over UDP: a forged sender's victim gets no more either.
package struct RateLimits: Sendable {
    /// Responses a second to one client prefix for one kind of answer, from all workers together;
    /// 1 to `rateMax`.
    package var rate: Int
    /// Every so many responses held back one goes out all the same, without records and truncated;
    /// 0: none does.
    package var slip = 2
    /// Clients are told apart by so many bits of their address: 1 to 32, and 1 to 64.
    package var ipv4PrefixLength = 24
    package var ipv6PrefixLength = 56
    /// Clients without a limit.
    package var exempt: [Prefix] = []
    /// What the table's hash is keyed with, drawn anew at each start: who knows it could aim at the
    /// buckets of others.
    package var key: (UInt64, UInt64)

    /// At a microsecond for each response, clocks of milliseconds still fill buckets evenly.
    package static var rateMax: Int { 1_000_000 }

    package init(rate: Int, key: (UInt64, UInt64)) {
        precondition((1...RateLimits.rateMax).contains(rate))
        self.rate = rate
        self.key = key
    }
}

/// What an answer counts as. Of one kind and name, responses are as good as equal, so that a
/// client needs few of them; who looks for names that do not exist gets ever new questions, and
/// one kind of answer.
package enum AnswerKind: UInt8, Sendable, BitwiseCopyable {
    /// Records of a name, of any type; of a wildcard or a DNAME, however many names it answers.
    case answer
    /// A name without records of the type asked.
    case noData
    /// No such name in a zone.
    case nameError
    /// A delegation.
    case referral
    /// Whatever no zone has decided: REFUSED, FORMERR, NOTIMP, class CH.
    case error
    /// The client is told to show a cookie, or to come over TCP.
    case cookieDemand

    package var name: String {
        switch self {
        case .answer: "answer"
        case .noData: "nodata"
        case .nameError: "nxdomain"
        case .referral: "referral"
        case .error: "error"
        case .cookieDemand: "cookie-demand"
        }
    }
}

/// One worker's token buckets, one for each client prefix, kind of answer and name that is active.
///
/// The table has a fixed size and is allocated at the start. A bucket is the moment at which it
/// will be full again (the "virtual scheduling" form of ITU-T I.371, annex A): each response moves
/// that on by the time that a token takes to come, and is held back when it would lie further ahead
/// than the whole bucket takes. A bucket that is full says nothing, so it may be forgotten: a new
/// one takes the place of the fullest of the four that its hash may stand in. Only when all four
/// are in use does a client get back what it had used up. That takes as many responses a second
/// as buckets (65,536 for each worker) times the rate of one.
///
/// Two clients whose hashes agree in 46 bits share a bucket: with 65,536 of them active, one pair
/// in 30,000 such tables. Nobody can aim at another's bucket without the key.
///
/// **Workers share nothing.** The kernel spreads a client's flows over the workers by address and
/// port, evenly for a client that changes its ports, as resolvers do (RFC 5452 §9.2) and forgers
/// may. Each worker's buckets therefore fill at the limit divided by the number of workers,
/// so that all workers together keep it. They hold a whole second's worth, undivided, so that
/// an uneven spread and a burst cost nothing. A client that asks from one port alone stays with one
/// worker, and has its share of the limit.
struct RateLimiter: ~Copyable {
    enum Verdict: BitwiseCopyable {
        case send, drop
        /// One of those held back that goes out in another form.
        case slip
    }

    /// What a response is counted with.
    struct Subject: BitwiseCopyable {
        var kind: AnswerKind
        /// The hash of the name that the kind goes with, and where that stands in the names given.
        var hash: UInt64 = 0
        var nameOffset = 0
        var nameByteCount = 0
    }

    /// Not private: see `LimitedFlows.Flow`.
    struct Bucket: BitwiseCopyable {
        /// The upper half of the hash.
        var tag: UInt32 = 0
        /// Responses held back since the last one that slipped through.
        var heldCount: UInt16 = 0
        /// Where `flows` counts what is held back; a hint, as it may have been given to another.
        var flow: UInt16 = 0
        /// When the bucket will be full: nanoseconds of the monotonic clock.
        var full: Int64 = .min
    }

    /// Buckets that one hash may stand in: a cache line of 64 bytes holds four.
    private static var setBucketCount: Int { 4 }
    /// 1 MiB for each worker.
    private static var bucketCountMax: Int { 65_536 }

    let isOn: Bool
    let slip: Int
    private let key: (UInt64, UInt64)
    private let prefixLengths: (ipv4: Int, ipv6: Int)
    private let prefixMasks: (ipv4: UInt64, ipv6: UInt64)
    private let exempt: [Prefix]
    /// Nanoseconds until the next token, and for a whole bucket of them.
    private let tokenTime: Int64
    private let bucketTime: Int64
    private var buckets: ScratchArray<Bucket>
    private var flows = LimitedFlows()

    /// Nil: no limit, and no memory. `workerCount` share the rate.
    init(_ limits: RateLimits?, workerCount: Int) {
        isOn = limits != nil
        let limits = limits ?? RateLimits(rate: 1, key: (0, 0))
        slip = limits.slip
        key = limits.key
        exempt = limits.exempt
        prefixLengths = (limits.ipv4PrefixLength, limits.ipv6PrefixLength)
        prefixMasks = (
            .max << UInt64(64 - limits.ipv4PrefixLength),
            .max << UInt64(64 - limits.ipv6PrefixLength)
        )
        tokenTime = Int64(1_000_000_000 * workerCount / limits.rate)
        bucketTime = tokenTime * Int64(limits.rate)
        buckets = ScratchArray(
            capacity: isOn ? RateLimiter.bucketCountMax : 0, repeating: Bucket())
    }

    /// Counts one response to `client`. The subject's name stands in `names`; `slip` is as in
    /// `RateLimits`. Only while `isOn`.
    mutating func admit(
        _ client: IPAddress, _ subject: Subject, names: TableView<UInt8>, slip: Int,
        at now: MonotonicTime
    ) -> Verdict {
        let hash = hash(client, subject)
        let index = bucket(for: hash)
        let full = max(buckets[index].full, now.nanoseconds) + tokenTime
        if full - now.nanoseconds <= bucketTime {
            buckets[index].full = full
            return .send
        }
        for prefix in exempt where prefix.contains(client) { return .send }
        let heldCount = Int(buckets[index].heldCount) + 1
        let slips = slip > 0 && heldCount >= slip
        buckets[index].heldCount = slips ? 0 : UInt16(clamping: heldCount)
        buckets[index].flow = flows.count(
            hash, hint: buckets[index].flow, prefix(of: client), subject, names: names,
            slips: slips, at: now)
        return slips ? .slip : .drop
    }

    /// Tells what has begun and what is over; called about once a second.
    mutating func report(to reports: RateLimitReports, at now: MonotonicTime) {
        if isOn { flows.report(to: reports, at: now) }
    }

    /// The part of an address that clients are told apart by.
    private mutating func prefix(of client: IPAddress) -> Prefix {
        let length = client.family == .ipv4 ? prefixLengths.ipv4 : prefixLengths.ipv6
        return Prefix(client, length: length)
    }

    private mutating func hash(_ client: IPAddress, _ subject: Subject) -> UInt64 {
        let mask = client.family == .ipv4 ? prefixMasks.ipv4 : prefixMasks.ipv6
        var hash = SipHash(key: key)
        hash.add(UInt64(truncatingIfNeeded: client.bits >> 64) & mask)
        hash.add(subject.hash)
        return hash.finish(
            UInt64(subject.kind.rawValue) | UInt64(client.family.rawValue) << 8, byteCount: 18)
    }

    /// Its bucket, or one that is given to it.
    private mutating func bucket(for hash: UInt64) -> Int {
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        let setCount = RateLimiter.bucketCountMax / RateLimiter.setBucketCount
        let first = (Int(truncatingIfNeeded: hash) & (setCount - 1)) * RateLimiter.setBucketCount
        var fullest = first
        var index = first
        while index < first + RateLimiter.setBucketCount {
            if buckets[index].tag == tag { return index }
            if buckets[index].full < buckets[fullest].full { fullest = index }
            index += 1
        }
        buckets[fullest] = Bucket(tag: tag)
        return fullest
    }
}
