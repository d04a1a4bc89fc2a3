import Foundation
package import Health

/// How long answers may take to follow a front door, by the keys of its check: docs/health.md,
/// "From a probe to an answer".
package struct DetectionTime: Sendable {
    package var check: CheckSpecification

    package init(_ check: CheckSpecification) { self.check = check }

    /// From a death to the last answer that names the dead. `lasting`: some of its probes end with
    /// their timeout only, and hold up the next.
    package func mostToDown(lasting: Bool) -> Duration {
        let probe = lasting ? check.timeout : .zero
        return check.every + max(check.fast, probe) * (check.fall - 1) + probe
    }

    /// From a return to the last answer without it. `lasting`: of those before the return.
    package func mostToUp(lasting: Bool) -> Duration {
        (lasting ? max(check.fast, check.timeout) : check.fast) + check.fast * (check.rise - 1)
    }

    /// Never down before `fall`: all failures but the first come a pace after the one before.
    package var leastToDown: Duration { check.fast * (check.fall - 1) }

    /// Never up before `rise`.
    package var leastToUp: Duration { check.fast * (check.rise - 1) }

    /// From a death until the TTL of an answer that leads there says that something is in question.
    package func mostToQuestion(lasting: Bool) -> Duration {
        check.every + (lasting ? check.timeout : .zero) + .seconds(1)
    }

    /// The longest TTL meanwhile, if it may be as short: docs/zone-language.md, "TTL".
    package var questionableSeconds: Int64 {
        let missing = max(check.fall - 2, check.rise - 1, 0)
        return (check.fast * missing).components.seconds
    }
}

/// What a front door did and when, and what answers may say of it.
package struct FrontDoorHistory: Sendable {
    /// A time without a change from well to failing, or back.
    package struct Period: Sendable {
        package var isGood: Bool
        /// When the front door had become so.
        package var begin: MonotonicTime
        /// When it began to change.
        package var end: MonotonicTime?
        /// It fails in a way that some probes end with their timeout only.
        package var isLasting: Bool
        /// From then on answers have followed.
        package var known: MonotonicTime
        /// The last question whose answer had not.
        package var lastContrary: MonotonicTime?
    }

    /// An answer that must not be.
    package struct Fault: Sendable {
        package var period: Period
        /// How far it is beyond what is allowed.
        package var excess: Duration
    }

    package let detection: DetectionTime
    /// What the bounds leave out: the time that a probe takes which is answered at once, and from
    /// its result to the answer.
    package let slack: Duration
    package private(set) var periods: [Period]
    /// What it does now; when it last ceased to.
    private var isLasting = false
    private var lastingEnd: MonotonicTime?

    /// One that is well, and was long before anybody asked.
    package init(_ check: CheckSpecification, slack: Duration, since begin: MonotonicTime) {
        detection = DetectionTime(check)
        self.slack = slack
        periods = [Period(isGood: true, begin: begin, isLasting: false, known: begin)]
    }

    /// It has changed, or fails in another way, from `began` to `ended`. `isLasting`: probes of it
    /// end with their timeout.
    package mutating func change(
        isGood: Bool, isLasting: Bool, began: MonotonicTime, ended: MonotonicTime
    ) {
        if self.isLasting { lastingEnd = ended }
        self.isLasting = isLasting
        let last = periods.count - 1
        if periods[last].isGood == isGood {
            // What is known to be down by now is down, whatever it does next.
            guard !isGood, isLasting, began < periods[last].known else { return }
            periods[last].isLasting = true
            periods[last].known = periods[last].begin + detection.mostToDown(lasting: true)
            return
        }
        // A probe that hangs does so however well the front door is by now.
        let isHeldUp = lastingEnd.map { ended - $0 < detection.check.timeout } ?? false
        let most =
            isGood
            ? detection.mostToUp(lasting: isHeldUp) : detection.mostToDown(lasting: isLasting)
        periods[last].end = began
        periods.append(
            Period(isGood: isGood, begin: ended, isLasting: isLasting, known: ended + most))
    }

    /// What is wrong with an answer that names the front door, or leaves it out, to a question that
    /// was sent and answered then.
    package mutating func fault(
        isNamed: Bool, sent: MonotonicTime, received: MonotonicTime
    ) -> Fault? {
        let least = max(detection.leastToDown, detection.leastToUp)
        for index in periods.indices.reversed() {
            let period = periods[index]
            if let end = period.end, end + least < sent { return nil }
            guard period.isGood != isNamed, period.begin <= sent else { continue }
            if period.end.map({ received <= $0 }) ?? true { periods[index].lastContrary = sent }
            var excess = sent - (period.known + slack)
            if let end = period.end {
                guard end >= period.known + slack else { continue }
                let leastToChange = period.isGood ? detection.leastToDown : detection.leastToUp
                excess = min(excess, end + leastToChange - (received + slack))
            }
            if excess >= .zero { return Fault(period: period, excess: excess) }
        }
        return nil
    }

    /// A time all of which the answer's lies in, and in which the server knew for certain that it
    /// fails (the TTL is short), or that it is well (the TTL may be long).
    package func certainPeriod(sent: MonotonicTime, received: MonotonicTime) -> Period? {
        for period in periods.reversed() where period.begin <= sent {
            guard period.end.map({ received <= $0 }) ?? true else { return nil }
            let since =
                period.isGood
                ? period.known + .seconds(1)
                : period.begin + detection.mostToQuestion(lasting: period.isLasting)
            return since + slack <= sent ? period : nil
        }
        return nil
    }
}

extension MonotonicTime {
    /// Of CLOCK_MONOTONIC.
    package static var thisMoment: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(
            nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
