import Addressing
import TestSupport
import Testing

@testable import Health

@Suite struct WatchlistTests {
    let check = CheckSpecification(
        .tcp, port: 80, every: .seconds(10), fast: .seconds(2), fall: 2, rise: 2)

    func probe(_ number: Int) -> Probe {
        Probe(check, of: IPAddress(ipv4: 0xC633_6400 + UInt32(number)))
    }

    /// Starts the probe that has been due the longest.
    func start(
        _ list: inout Watchlist, at now: MonotonicTime
    ) throws -> (ticket: ProbeTicket, probe: Probe) {
        let starts = list.takeDue(at: now, atMost: 1)
        return try #require(starts.first)
    }

    @Test func equalProbesAreOne() {
        var list = Watchlist()
        let identifiers = list.watch([probe(1), probe(2), probe(1)], at: second(0))
        #expect(identifiers[0] == identifiers[2])
        #expect(identifiers[0] != identifiers[1])
        let again = list.watch([probe(2)], at: second(1))
        #expect(again == [identifiers[1]])
        #expect(list.count == 2)
    }

    @Test func newProbesAreDueAtOnceAndThenAtTheirPace() throws {
        var list = Watchlist()
        _ = list.watch([probe(1)], at: second(0))
        let first = try start(&list, at: second(0))
        let due = list.takeDue(at: second(100), atMost: 10)
        #expect(due.isEmpty, "in flight, so not due")

        let reports = list.received(result(passed: true), of: first.ticket, at: second(1))
        let report = try #require(reports.first)
        #expect(report.transition?.from == .unknown)
        #expect(list.table[first.ticket.identifier] == .up)
        // Somewhere within the first pace, then exactly one pace after each start.
        let next = try #require(list.nextStart)
        #expect(next >= second(1) && next <= second(10))
        let again = try start(&list, at: next)
        _ = list.received(result(passed: true), of: again.ticket, at: next + .seconds(1))
        #expect(list.nextStart == next + .seconds(10))
    }

    @Test func beingLateDoesNotAddUp() throws {
        var list = Watchlist()
        _ = list.watch([probe(1)], at: second(0))
        let first = try start(&list, at: second(0))
        _ = list.received(result(passed: true), of: first.ticket, at: second(0))
        let anchor = try #require(list.nextStart)
        for round in 0..<1000 {
            let due = anchor + .seconds(10 * round)
            #expect(list.nextStart == due)
            let next = try start(&list, at: due + .milliseconds(700))
            _ = list.received(result(passed: true), of: next.ticket, at: due + .seconds(1))
        }
    }

    @Test func failuresQuickenThePaceAndSlowProbesNeverPileUp() throws {
        var list = Watchlist()
        _ = list.watch([probe(1)], at: second(0))
        var next = try start(&list, at: second(0))
        _ = list.received(result(passed: true), of: next.ticket, at: second(0))
        next = try start(&list, at: second(20))
        _ = list.received(result(passed: false), of: next.ticket, at: second(21))
        #expect(list.nextStart == second(22))
        next = try start(&list, at: second(22))
        // Hung for longer than the pace: the next follows at once.
        _ = list.received(result(passed: false), of: next.ticket, at: second(25))
        #expect(list.nextStart == second(25))
    }

    @Test func theLongestWaitingStartFirst() {
        var list = Watchlist()
        _ = list.watch((0..<100).map(probe), at: second(5))
        _ = list.watch((100..<150).map(probe), at: second(3))
        let first = list.takeDue(at: second(5), atMost: 50)
        #expect(Set(first.map(\.probe)) == Set((100..<150).map(probe)))
        let rest = list.takeDue(at: second(5), atMost: 1000)
        #expect(rest.count == 100)
        let none = list.takeDue(at: second(5), atMost: 1000)
        #expect(none.isEmpty)
    }

    @Test func forgottenProbesAreNeverStartedAndTheirResultsAreDropped() throws {
        var list = Watchlist()
        let identifiers = list.watch([probe(1), probe(2)], at: second(0))
        let starts = list.takeDue(at: second(0), atMost: 1)
        _ = list.received(result(passed: false), of: starts[0].ticket, at: second(0))
        #expect(list.table[starts[0].ticket.identifier] == .down)

        let isTableChanged = list.retain(only: [])
        #expect(isTableChanged)
        #expect(list.removalCount == 2)
        #expect(list.table[identifiers[0]] == .unknown)
        let due = list.takeDue(at: second(100), atMost: 10)
        #expect(due.isEmpty)

        // The identifier goes to another probe; a late result of the old one does not touch it.
        let reused = list.watch([probe(3)], at: second(1))
        #expect(identifiers.contains(reused[0]))
        for start in starts {
            #expect(!list.isWatched(start.ticket))
            let reports = list.received(result(passed: false), of: start.ticket, at: second(2))
            #expect(reports.isEmpty)
        }
        #expect(list.report(of: reused).first?.machine.state == .unknown)
        #expect(list.isAwaitingFirstResult(of: reused))
        let next = list.takeDue(at: second(2), atMost: 10)
        #expect(next.map(\.probe) == [probe(3)])
    }

    @Test func anObstacleHereSaysNothingAboutTheFrontDoor() throws {
        var list = Watchlist()
        let identifiers = list.watch([probe(1)], at: second(0))
        let first = try start(&list, at: second(0))
        list.couldNotProbe(first.ticket, because: "out of file descriptors", at: second(0))
        let report = try #require(list.report(of: identifiers).first)
        #expect(report.state == .unknown)
        #expect(report.words == "out of file descriptors")
        #expect(report.consecutiveFailures == 0)
        let next = try #require(list.nextStart)
        #expect(next <= second(2))
    }

    @Test func startsAreSpreadOverThePace() {
        let pace = Duration.seconds(10)
        var counts = [Int](repeating: 0, count: 10)
        for number in 0..<1000 {
            let part = Watchlist.spread(probe(number), over: pace)
            #expect(part >= .zero && part <= pace)
            #expect(part == Watchlist.spread(probe(number), over: pace))
            counts[min(9, Int(part.components.seconds))] += 1
        }
        // 100 expected in each tenth; a fair draw strays by about 10.
        #expect(counts.allSatisfy { (50...150).contains($0) }, "\(counts)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func theQueueGivesBackInOrder(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = DueQueue<ProbeTicket>()
        var model: [Int64] = []
        for serial in 0..<500 {
            if Bool.random(using: &generator) || model.isEmpty {
                let time = Int64.random(in: 0..<100, using: &generator)
                let ticket = ProbeTicket(identifier: ProbeIdentifier(0), serial: UInt64(serial))
                queue.insert(.init(time: MonotonicTime(nanoseconds: time), subject: ticket))
                model.append(time)
                model.sort()
            } else {
                let (first, expected) = (queue.removeFirst(), model.removeFirst())
                #expect(first?.time.nanoseconds == expected)
            }
            #expect(queue.first?.time.nanoseconds == model.first)
            #expect(queue.count == model.count)
        }
    }
}
