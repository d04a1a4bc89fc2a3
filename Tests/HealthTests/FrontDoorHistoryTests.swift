import Health
import TestSupport
import Testing

/// What `make flap` holds answers against: it must find the wrong ones, and no others.
@Suite struct FrontDoorHistoryTests {
    /// Down 1 to 3 s after a death, 5 s if it hangs; up half a second to one after a return.
    private let check = CheckSpecification(
        .tcp, every: .seconds(2), fast: .milliseconds(500), timeout: .seconds(1), fall: 3, rise: 2)

    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    /// Well from 0, failing from 10 s, well again from 20 s.
    private func history(isLasting: Bool = false) -> FrontDoorHistory {
        var history = FrontDoorHistory(check, slack: .milliseconds(100), since: at(0))
        history.change(isGood: false, isLasting: isLasting, began: at(9_990), ended: at(10_000))
        history.change(isGood: true, isLasting: false, began: at(19_990), ended: at(20_000))
        return history
    }

    private func isWrong(
        _ history: FrontDoorHistory, isNamed: Bool, _ sent: Int64, _ received: Int64? = nil
    ) -> Bool {
        var history = history
        return history.fault(isNamed: isNamed, sent: at(sent), received: at(received ?? sent + 1))
            != nil
    }

    @Test func theBoundsAreThoseOfTheDocument() {
        let detection = DetectionTime(check)
        #expect(detection.mostToDown(lasting: false) == .seconds(3))
        #expect(detection.mostToDown(lasting: true) == .seconds(5))
        #expect(detection.mostToUp(lasting: false) == .seconds(1))
        #expect(detection.mostToUp(lasting: true) == .milliseconds(1500))
        #expect(detection.leastToDown == .seconds(1))
        #expect(detection.leastToUp == .milliseconds(500))
    }

    @Test func whatIsDownForLongerThanItsDetectionIsNotNamed() {
        #expect(!isWrong(history(), isNamed: true, 13_099))
        #expect(isWrong(history(), isNamed: true, 13_100))
        #expect(isWrong(history(), isNamed: true, 19_000))
        #expect(!isWrong(history(), isNamed: false, 13_100))
        #expect(!isWrong(history(isLasting: true), isNamed: true, 15_099))
        #expect(isWrong(history(isLasting: true), isNamed: true, 15_100))
    }

    /// Not before `rise` probes have passed, either.
    @Test func noneIsNamedTooSoon() {
        #expect(isWrong(history(), isNamed: true, 20_300, 20_390))
        #expect(!isWrong(history(), isNamed: true, 20_300, 20_391))
    }

    @Test func whatIsUpIsNotLeftOut() {
        #expect(isWrong(history(), isNamed: false, 5_000))
        // Not before `fall` probes have failed.
        #expect(isWrong(history(), isNamed: false, 10_800, 10_890))
        #expect(!isWrong(history(), isNamed: false, 10_800, 10_891))
        #expect(!isWrong(history(), isNamed: false, 21_099))
        #expect(isWrong(history(), isNamed: false, 21_100))
        #expect(!isWrong(history(isLasting: true), isNamed: false, 21_599))
        #expect(isWrong(history(isLasting: true), isNamed: false, 21_600))
    }

    /// An answer may be made at any moment between the question and its arrival.
    @Test func aChangeMeanwhileExcuses() {
        #expect(!isWrong(history(), isNamed: true, 13_099, 15_000))
        #expect(!isWrong(history(), isNamed: true, 19_000, 20_500))
    }

    /// It may have been found out, or not.
    @Test func whatIsShortExcusesEither() {
        var history = history()
        history.change(isGood: false, isLasting: false, began: at(30_000), ended: at(30_000))
        history.change(isGood: true, isLasting: false, began: at(32_000), ended: at(32_000))
        for time in stride(from: 31_000 as Int64, to: 33_100, by: 100) {
            #expect(!isWrong(history, isNamed: true, time))
            #expect(!isWrong(history, isNamed: false, time))
        }
        #expect(isWrong(history, isNamed: false, 33_100))
    }

    /// A probe that hangs hangs on, however well the front door is by now.
    @Test func aSecondWayToFailCounts() {
        var history = FrontDoorHistory(check, slack: .zero, since: at(0))
        history.change(isGood: false, isLasting: false, began: at(10_000), ended: at(10_000))
        history.change(isGood: false, isLasting: true, began: at(11_000), ended: at(11_000))
        #expect(!isWrong(history, isNamed: true, 14_999))
        #expect(isWrong(history, isNamed: true, 15_000))
        history.change(isGood: false, isLasting: false, began: at(20_000), ended: at(20_000))
        history.change(isGood: true, isLasting: false, began: at(20_500), ended: at(20_500))
        #expect(!isWrong(history, isNamed: false, 21_999))
        #expect(isWrong(history, isNamed: false, 22_000))
    }

    @Test func certainTimesAreThoseOfWhichTheServerMustKnow() {
        let history = history()
        func isGood(_ sent: Int64) -> Bool? {
            history.certainPeriod(sent: at(sent), received: at(sent + 1))?.isGood
        }
        #expect(isGood(5_000) == true)
        // `every`, a second until TTLs are published, and the slack.
        #expect(isGood(13_099) == nil)
        #expect(isGood(13_100) == false)
        #expect(isGood(19_990) == nil)
        #expect(isGood(22_099) == nil)
        #expect(isGood(22_100) == true)
        #expect(DetectionTime(check).questionableSeconds == 0)
    }
}
