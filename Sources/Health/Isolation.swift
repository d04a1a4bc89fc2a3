package import Addressing

/// Whether it is this server that is cut off, and not the front doors that are dead: of one address
/// family, as one may be broken alone. A value; results go in, rulings come out.
///
/// With anchors, targets outside that have nothing to do with the front doors, a failure without
/// any sign of life counts only when an anchor answers after it began. When every anchor is silent
/// it counts for nothing, unless most of the other front doors probed since do answer: then it is
/// the anchors that are wrong. A refusal or a bad answer is a sign of life, and counts at once.
///
/// Without anchors it is a guess: three or more unrelated networks, at least half of those that
/// were well, fall silent within half a minute while hardly any other answers. As that may be true,
/// the guess is given up after five minutes.
package struct Isolation: Sendable {
    /// What a failure without a sign of life says.
    package enum Ruling: Hashable, Sendable {
        case counts
        /// Not known before an anchor has been asked.
        case waits
        /// Nothing about the front door.
        case isOurs
    }

    package enum Change: Hashable, Sendable {
        /// `since`: from then on failures were ours.
        case cutOff(since: MonotonicTime)
        /// Something answers again.
        case reconnected
        /// It has lasted too long for a guess.
        case givenUp
        /// Front doors answer, and no anchor does.
        case anchorsAreWrong
    }

    private struct Anchor {
        /// Of the last probe that has ended.
        var startTime: MonotonicTime
        /// In a row; 0: it has answered.
        var silenceCount = 0
        /// Start of the first of them.
        var silentSince: MonotonicTime?
    }

    private struct Network {
        var lastAnswer: MonotonicTime?
        /// When the first probe began that nothing came back from; nil: the last one was answered.
        var silentSince: MonotonicTime?
    }

    /// Nil: not asked yet.
    private var anchors: [ProbeIdentifier: Anchor?]
    private var lastAnchorAnswer: MonotonicTime?
    private var networks: [UInt128: Network] = [:]
    package private(set) var cutOffSince: MonotonicTime?
    /// When front doors were first seen to answer while it lasts.
    private var doubtSince: MonotonicTime?
    /// When that was last over: probes that began before tell nothing.
    private var cutOffEnd: MonotonicTime?

    /// Front doors that fall silent within so long do so together.
    package static var together: Duration { .seconds(30) }
    /// How long a guess is kept.
    package static var guessMax: Duration { .seconds(300) }
    /// Fewer may have a provider in common.
    private static var networkCountMin: Int { 3 }
    /// Silences of every anchor before the alarm; one may be a lost packet.
    private static var silenceCountMin: Int { 2 }

    package init(anchors: [ProbeIdentifier]) {
        self.anchors = Dictionary(uniqueKeysWithValues: anchors.map { ($0, nil) })
    }

    // MARK: - What happened

    /// A probe of an anchor has ended.
    package mutating func anchor(
        _ identifier: ProbeIdentifier, isSilent: Bool, start: MonotonicTime, at now: MonotonicTime
    ) -> Change? {
        let before = anchors[identifier] ?? nil
        guard isSilent else {
            anchors[identifier] = Anchor(startTime: start)
            lastAnchorAnswer = now
            return end(.reconnected, at: now)
        }
        anchors[identifier] = Anchor(
            startTime: start, silenceCount: (before?.silenceCount ?? 0) + 1,
            silentSince: before?.silentSince ?? start)
        return cutOffSince == nil ? alarm(since: start) : endIfAnchorsAreWrong(at: now)
    }

    /// A probe of a front door has ended.
    package mutating func frontDoor(
        at address: IPAddress, isSilent: Bool, start: MonotonicTime, at now: MonotonicTime
    ) -> Change? {
        let key = Isolation.network(of: address)
        let known = networks[key]
        if isSilent {
            guard known?.silentSince == nil else { return endGuess(at: now) }
            networks[key, default: Network()].silentSince = start
        } else {
            networks[key] = Network(lastAnswer: now, silentSince: nil)
        }
        if anchors.isEmpty { return guess(known, isSilent: isSilent, at: now) }
        return isSilent ? alarm(since: start) : nil
    }

    /// What is no longer probed is no witness.
    package mutating func forget(allBut addresses: [IPAddress]) {
        let kept = Set(addresses.map(Isolation.network))
        networks = networks.filter { kept.contains($0.key) }
    }

    /// What a silence of a front door means whose probe began then.
    package func ruling(onSilenceFrom start: MonotonicTime) -> Ruling {
        if cutOffSince != nil { return .isOurs }
        if let cutOffEnd, start < cutOffEnd { return .isOurs }
        guard !anchors.isEmpty else { return .counts }
        if let lastAnchorAnswer, lastAnchorAnswer >= start { return .counts }
        let asked = anchors.values.compactMap { anchor in
            anchor.flatMap { $0.startTime >= start && $0.silenceCount > 0 ? $0 : nil }
        }
        // One that has answered until now falls silent with the front door.
        if asked.contains(where: { $0.silenceCount == 1 }) { return .isOurs }
        guard asked.count == anchors.count else { return .waits }
        return anchorsAreWrong ? .counts : .isOurs
    }

    // MARK: - Judgement

    /// Every anchor is silent, and front doors are.
    private mutating func alarm(since start: MonotonicTime) -> Change? {
        let isAlarming = anchors.values.allSatisfy {
            ($0?.silenceCount ?? 0) >= Isolation.silenceCountMin
        }
        guard isAlarming, cutOffSince == nil else { return nil }
        let (answerCount, silenceCount) = news
        guard answerCount <= silenceCount, silenceCount > 0 || networks.isEmpty else { return nil }
        return begin(since: lastAnchorAnswer ?? start)
    }

    /// Most of the front doors heard of since the anchors fell silent do answer.
    private var anchorsAreWrong: Bool { news.answerCount > news.silenceCount }

    /// Front doors answer, and each anchor has been asked once more since and was silent: when all
    /// come back at once, a front door may be the first to be heard.
    private mutating func endIfAnchorsAreWrong(at now: MonotonicTime) -> Change? {
        guard anchorsAreWrong else {
            doubtSince = nil
            return nil
        }
        guard let doubtSince else {
            self.doubtSince = now
            return nil
        }
        let isConfirmed = anchors.values.allSatisfy {
            $0.map { $0.startTime >= doubtSince } ?? false
        }
        return isConfirmed ? end(.anchorsAreWrong, at: now) : nil
    }

    /// Networks that have answered since the last of the anchors fell silent, and those that have
    /// fallen silent since one of them last answered.
    private var news: (answerCount: Int, silenceCount: Int) {
        let silence = anchors.values.compactMap { $0?.silentSince }.max()
        var (answerCount, silenceCount) = (0, 0)
        for network in networks.values {
            if let since = network.silentSince {
                if lastAnchorAnswer.map({ since > $0 }) ?? true { silenceCount += 1 }
            } else if let answer = network.lastAnswer, let silence, answer > silence {
                answerCount += 1
            }
        }
        return (answerCount, silenceCount)
    }

    private mutating func guess(
        _ before: Network?, isSilent: Bool, at now: MonotonicTime
    ) -> Change? {
        guard cutOffSince != nil else {
            guard isSilent, let since = silenceTogether(at: now) else { return nil }
            return begin(since: since)
        }
        if !isSilent, before?.silentSince != nil { return end(.reconnected, at: now) }
        return endGuess(at: now)
    }

    private mutating func endGuess(at now: MonotonicTime) -> Change? {
        guard anchors.isEmpty, let cutOffSince, now - cutOffSince > Isolation.guessMax
        else { return nil }
        return end(.givenUp, at: now)
    }

    /// Since when too many networks are silent at once for it to be theirs; nil: they are not.
    private func silenceTogether(at now: MonotonicTime) -> MonotonicTime? {
        let since = networks.values.compactMap { network in
            network.lastAnswer == nil
                ? nil : network.silentSince.flatMap { $0 + Isolation.together >= now ? $0 : nil }
        }
        guard since.count >= Isolation.networkCountMin, let first = since.min() else { return nil }
        let answering = networks.values.filter { $0.silentSince == nil && $0.lastAnswer != nil }
        let fresh = answering.count { $0.lastAnswer.map { $0 > first } ?? false }
        guard since.count >= answering.count, since.count >= 4 * fresh else { return nil }
        return first
    }

    private mutating func begin(since: MonotonicTime) -> Change {
        cutOffSince = since
        return .cutOff(since: since)
    }

    private mutating func end(_ change: Change, at now: MonotonicTime) -> Change? {
        guard cutOffSince != nil else { return nil }
        cutOffSince = nil
        doubtSince = nil
        cutOffEnd = now
        return change
    }

    /// Addresses in one /24 or /48 fail for one reason too often to be witnesses for each other.
    private static func network(of address: IPAddress) -> UInt128 {
        address.bits >> UInt128(address.family == .ipv4 ? 128 - 24 : 128 - 48)
    }
}
