import DNSWire
import Foundation
import Health
import TestSupport

/// Asks at an even pace, from one thread, and judges every answer by what the front doors did
/// before and while it was made.
struct FlapClient {
    private struct Asked {
        var name: Int
        var socket: Int
        var identifier: UInt16
        /// Nil: it has been answered.
        var sent: MonotonicTime?
    }

    private struct Answer {
        var code: UInt16
        var ttl: UInt32?
        var regions: [Int]
    }

    private struct Answered {
        var name: Int
        var sent: MonotonicTime
        var received: MonotonicTime
        var answer: Answer
    }

    private let zone: FlapZone
    private let names: [(name: DomainName, meaning: FlapZone.Name)]
    private let doors: FlapDoors
    private let tally: Tally
    private var generator: SeededGenerator
    private var sockets: [pollfd] = []
    private var buffer = [UInt8](repeating: 0, count: 4096)
    /// In the order sent; those before `oldest` are done with.
    private var asked: [Asked] = []
    private var oldest = 0
    /// Where in `asked` the last query of that socket with that identifier is.
    private var places: [[Int]]
    private var waitingCount = 0
    private var answered: [Answered] = []
    /// Answers that were read before, by their bytes but for the identifier.
    private var known: [ArraySlice<UInt8>: Answer] = [:]
    private(set) var histories: [FrontDoorHistory]
    /// When this thread was to run and did not.
    private var stalls: [(begin: MonotonicTime, end: MonotonicTime)] = []

    private(set) var askedCount = 0
    private(set) var judgedCount = 0
    private(set) var namedCount = 0
    private(set) var excusedCount = 0
    private(set) var changeCount = 0
    private(set) var steadyTTLCount = 0
    private(set) var shortTTLCount = 0
    private(set) var longestStall = Duration.zero
    private(set) var stallTime = Duration.zero

    /// So many wait for their answers at most, so that they fit the buffers of the sockets.
    private static let waitingMax = 128
    private static let socketCount = 8
    private static let knownMax = 20_000
    private static let patience = Duration.seconds(5)
    /// A thread that sleeps for a millisecond wakes up later, but not by that much.
    private static let stallMin = Duration.milliseconds(10)

    /// What the bounds of docs/health.md leave out: a probe that is answered at once takes a round
    /// trip, its result a turn of the monitor's loop, and new answers are made and taken up. Some
    /// milliseconds together; a machine that is busy with other things adds its `stalls`.
    static let slack = Duration.milliseconds(100)

    init(
        _ zone: FlapZone, serverPort: UInt16, doors: FlapDoors, seed: UInt64, _ tally: Tally
    ) throws {
        self.zone = zone
        self.doors = doors
        self.tally = tally
        generator = SeededGenerator(seed: seed)
        names = zone.names.map { (DomainName($0.name) ?? .root, $0.meaning) }
        histories = (0..<zone.regionCount).map { region in
            FrontDoorHistory(
                zone.check(of: region), slack: FlapClient.slack, since: doors.begin)
        }
        for number in 0..<FlapClient.socketCount {
            let client = DNSClient(port: serverPort, source: "127.1.0.\(number + 1)")
            guard let socket = client.datagramSocket(seconds: 1) else {
                throw TestServer.NotReady(description: "no socket: errno \(errno)")
            }
            _ = fcntl(socket, F_SETFL, O_NONBLOCK)
            sockets.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
        }
        places = Array(
            repeating: Array(repeating: -1, count: 1 << 16), count: FlapClient.socketCount)
    }

    /// Asks so long. Returns how long that took.
    mutating func run(queriesPerSecond: Int, for duration: Duration) -> Duration {
        let start = MonotonicTime.thisMoment
        var now = start
        var processor = threadProcessorTime
        while now - start < duration, tally.isRunning {
            let due = Int((now - start).nanoseconds / 1000) * queriesPerSecond / 1_000_000
            while askedCount < due, waitingCount < FlapClient.waitingMax { ask() }
            receive()
            judge()
            giveUp(at: now)
            _ = poll(&sockets, nfds_t(sockets.count), 1)
            let (next, nextProcessor) = (MonotonicTime.thisMoment, threadProcessorTime)
            let idle = (next - now) - (nextProcessor - processor)
            note(stall: idle - .milliseconds(1), until: next)
            (now, processor) = (next, nextProcessor)
        }
        let taken = now - start
        // The rest, and the judgement of it.
        let end = now + .seconds(1)
        while .thisMoment < end {
            _ = poll(&sockets, nfds_t(sockets.count), 10)
            receive()
            judge()
        }
        giveUp(at: now + FlapClient.patience)
        for socket in sockets { close(socket.fd) }
        return taken
    }

    private mutating func note(stall: Duration, until end: MonotonicTime) {
        guard stall >= FlapClient.stallMin else { return }
        stalls.append((MonotonicTime(nanoseconds: end.nanoseconds - stall.nanoseconds), end))
        longestStall = max(longestStall, stall)
        stallTime += stall
    }

    private var threadProcessorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    // MARK: - Questions and answers

    private mutating func ask() {
        let number = generator.number(0...names.count - 1)
        let place = askedCount % FlapClient.socketCount
        let identifier = UInt16(truncatingIfNeeded: askedCount / FlapClient.socketCount)
        var subnet: (address: [UInt8], prefixLength: UInt8)?
        if case .dealt = names[number].meaning {
            subnet = (
                [10, UInt8(generator.number(0...1)), UInt8(generator.number(0...255)), 0], 24
            )
        }
        let query = Message.query(
            names[number].name, .a, identifier: identifier, subnet: subnet)
        let sent = MonotonicTime.thisMoment
        guard send(sockets[place].fd, query, query.count, 0) == query.count else { return }
        places[place][Int(identifier)] = asked.count
        asked.append(Asked(name: number, socket: place, identifier: identifier, sent: sent))
        askedCount += 1
        waitingCount += 1
    }

    private mutating func receive() {
        for place in sockets.indices {
            while true {
                let count = recv(sockets[place].fd, &buffer, buffer.count, 0)
                guard count >= 12 else { break }
                let received = MonotonicTime.thisMoment
                let identifier = Int(buffer[0]) << 8 | Int(buffer[1])
                let index = places[place][identifier]
                guard index >= oldest, let sent = asked[index].sent else {
                    tally.violation("an answer that nobody waits for: \(buffer[..<count])")
                    continue
                }
                asked[index].sent = nil
                waitingCount -= 1
                guard let answer = read(Array(buffer[2..<count])) else {
                    tally.violation("unreadable: \(buffer[..<count])")
                    continue
                }
                answered.append(
                    Answered(
                        name: asked[index].name, sent: sent, received: received, answer: answer))
            }
        }
    }

    /// An answer without its identifier.
    private mutating func read(_ bytes: [UInt8]) -> Answer? {
        if let answer = known[bytes[...]] { return answer }
        guard let message = Message([0, 0] + bytes), message.isResponse, !message.isTruncated else {
            return nil
        }
        let records = message.answers.filter { $0.type == .a }
        let regions = records.compactMap { FlapZone.region(at: $0.rdata) }
        guard regions.count == message.answers.count, Set(regions).count == regions.count,
            Set(records.map(\.ttl)).count <= 1
        else { return nil }
        let answer = Answer(
            code: message.responseCode, ttl: records.first?.ttl, regions: regions)
        if known.count >= FlapClient.knownMax { known = [:] }
        known[bytes[...]] = answer
        return answer
    }

    /// What has not been answered by now never will be.
    private mutating func giveUp(at now: MonotonicTime) {
        while oldest < asked.count {
            let first = asked[oldest]
            if let sent = first.sent {
                guard now - sent >= FlapClient.patience else { break }
                tally.datagramLosses.advance()
                tally.violation("unanswered for 5 s: \(names[first.name].name)")
                waitingCount -= 1
            }
            oldest += 1
        }
        guard oldest > 1 << 16 else { return }
        for place in places.indices {
            for identifier in places[place].indices { places[place][identifier] -= oldest }
        }
        asked.removeFirst(oldest)
        oldest = 0
    }

    // MARK: - Judgement

    /// Of all answers that came before the last moment that everything is known of.
    private mutating func judge() {
        let (changes, until) = doors.takeChanges()
        for change in changes {
            histories[change.region].change(
                isGood: change.behaviour == .answers, isLasting: change.behaviour.isLasting,
                began: change.began, ended: change.ended)
        }
        changeCount += changes.count
        let count = answered.firstIndex { $0.received >= until } ?? answered.count
        for index in 0..<count { judge(answered[index]) }
        answered.removeFirst(count)
    }

    private mutating func judge(_ answered: Answered) {
        let answer = answered.answer
        judgedCount += 1
        namedCount += answer.regions.count
        guard answer.code == 0 else {
            tally.violation("response code \(answer.code) for \(names[answered.name].name)")
            return
        }
        switch names[answered.name].meaning {
        case .group(let regions):
            guard answer.regions.allSatisfy(regions.contains) else {
                tally.violation("\(answer.regions) for \(names[answered.name].name)")
                return
            }
            for region in regions {
                judge(region, isNamed: answer.regions.contains(region), answered)
            }
            judgeTTL(of: regions, answered)
        case .first:
            guard let first = answer.regions.first, answer.regions.count == 1 else {
                tally.violation("\(answer.regions) are the first")
                return
            }
            for region in 0..<first { judge(region, isNamed: false, answered) }
            judge(first, isNamed: true, answered)
        case .dealt:
            guard answer.regions.count == 1 else {
                tally.violation("\(answer.regions) are dealt")
                return
            }
            judge(answer.regions[0], isNamed: true, answered)
        }
    }

    private mutating func judge(_ region: Int, isNamed: Bool, _ answered: Answered) {
        guard
            let fault = histories[region].fault(
                isNamed: isNamed, sent: answered.sent, received: answered.received)
        else { return }
        guard fault.excess > stallTime(from: fault.period.begin, to: answered.received) else {
            excusedCount += 1
            return
        }
        let what =
            isNamed ? "names r\(region), which is down" : "leaves out r\(region), which is up"
        tally.violation(
            "\(names[answered.name].name) \(what) (\(inWords(fault.excess)) beyond what is allowed): "
                + "asked at \(seconds(answered.sent)), answered at \(seconds(answered.received)); "
                + story(of: region))
    }

    /// A TTL that outlives the time in which a state may change, or is short without need.
    private mutating func judgeTTL(of regions: Range<Int>, _ answered: Answered) {
        guard let ttl = answered.answer.ttl else { return }
        let periods = regions.map {
            histories[$0].certainPeriod(sent: answered.sent, received: answered.received)
        }
        let failing = zip(regions, periods).first { $1.map { !$0.isGood } ?? false }
        if let (region, period) = failing {
            shortTTLCount += 1
            let most = max(
                FlapZone.ttl.least,
                UInt32(histories[region].detection.questionableSeconds))
            judgeTTL(ttl <= most, region, period, answered)
        } else if periods.allSatisfy({ $0?.isGood ?? false }) {
            steadyTTLCount += 1
            judgeTTL(ttl == FlapZone.ttl.steady, regions.lowerBound, periods[0], answered)
        } else {
            judgeTTL(
                (FlapZone.ttl.least...FlapZone.ttl.steady).contains(ttl), regions.lowerBound, nil,
                answered)
        }
    }

    private mutating func judgeTTL(
        _ isRight: Bool, _ region: Int, _ period: FrontDoorHistory.Period?, _ answered: Answered
    ) {
        guard !isRight else { return }
        let since = period?.begin ?? answered.sent
        guard stallTime(from: since, to: answered.received) == .zero else {
            excusedCount += 1
            return
        }
        tally.violation(
            "\(names[answered.name].name) has TTL \(answered.answer.ttl ?? 0) at "
                + "\(seconds(answered.sent)); " + story(of: region))
    }

    /// How long this machine let a thread wait that was to run.
    private func stallTime(from begin: MonotonicTime, to end: MonotonicTime) -> Duration {
        var sum = Duration.zero
        for stall in stalls.reversed() {
            if stall.end < begin { break }
            if stall.begin <= end { sum += stall.end - stall.begin }
        }
        return sum
    }

    private func seconds(_ time: MonotonicTime) -> String { inWords(time - doors.begin) }

    private func story(of region: Int) -> String {
        let check = zone.check(of: region)
        let periods = histories[region].periods.suffix(5).map { period in
            "\(period.isGood ? "well" : period.isLasting ? "silent" : "failing") since "
                + "\(seconds(period.begin)), to be known at \(seconds(period.known))"
        }
        return "r\(region) (\(check.kind == .tcp ? "tcp" : "http") \(FlapZone.keys(of: check))): "
            + periods.joined(separator: "; ")
    }
}

/// Seconds with three decimals.
func inWords(_ duration: Duration) -> String {
    String(format: "%.3f s", Double(duration.nanoseconds) / 1e9)
}
