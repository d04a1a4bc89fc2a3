import Addressing
import Geography
import Steering
import TestSupport
import Testing

/// How shares are dealt, counted over many clients and draws; seeds are fixed, so the counts are.
@Suite struct Shares {
    private static let weights = [50, 30, 15, 5]

    /// Four checked regions under `www`, with `weights`, and the addresses of those in `down` dead.
    private func answers(
        _ key: String, policy: String = "weighted", weights: [Int] = weights, down: Set<Int> = []
    ) throws -> AnswerTable {
        var text = ""
        for index in weights.indices {
            text += "r\(index) REGION \(index) 8 check=web\n  A 198.51.100.\(index + 1)\n"
        }
        let targets = weights.enumerated().map { "r\($0.offset):\($0.element)" }
        text += "www GEO \(policy) \(targets.joined(separator: " ")) \(key)\n"
        let world = try load([("example.com", zone(text))])
        let addresses = down.map { IPAddress(ipv4: 0xC633_6401 + UInt32($0)) }
        return world.snapshot(down: Set(addresses)).answers
    }

    /// Index of the region chosen.
    private func target(
        _ view: AnswerTable, _ source: IPAddress, _ random: inout RandomSource, name: Int = 0
    ) -> Int? {
        let decision = view.decide(name: name, client: Client(source: source), random: &random)
        if case .endpoint(let index) = decision.outcome { return index }
        return nil
    }

    /// Draws are independent: counts lie within 5 standard deviations of the binomial distribution.
    @Test(arguments: [1, 2, 3] as [UInt64]) func drawnSharesAreMet(_ seed: UInt64) throws {
        let answers = try answers("by=query")
        let view = answers
        var random = RandomSource(seed: seed)
        let drawCount = 100_000
        var counts = [0, 0, 0, 0]
        for _ in 0..<drawCount {
            counts[try #require(target(view, IPAddress(ipv4: 1), &random))] += 1
        }
        for (count, weight) in zip(counts, Shares.weights) {
            let share = Double(weight) / 100
            let expected = Double(drawCount) * share
            let deviation = (Double(drawCount) * share * (1 - share)).squareRoot()
            #expect(abs(Double(count) - expected) < 5 * deviation, "\(counts)")
        }
    }

    @Test(arguments: [[1, 1, 1, 1], [7, 7, 7, 7], [50, 30, 15, 5], [90, 10], [1, 0, 2]])
    func turnsAreExact(_ weights: [Int]) throws {
        let answers = try answers("", policy: "round-robin", weights: weights)
        var random = RandomSource(seed: 4)
        let total = weights.reduce(0, +)
        var counts = weights.map { _ in 0 }
        var targets: [Int] = []
        for _ in 0..<total * 3 {
            targets.append(try #require(target(answers, IPAddress(ipv4: 1), &random)))
            counts[targets[targets.count - 1]] += 1
        }
        #expect(counts == weights.map { $0 * 3 })
        let isEqual = Set(weights).count == 1
        if isEqual { #expect(Array(targets.prefix(8)) == [0, 1, 2, 3, 0, 1, 2, 3]) }
        // A light target does not come twice in a row.
        for (one, next) in zip(targets, targets.dropFirst()) where one == next {
            #expect(weights[one] * 2 >= total, "\(targets)")
        }
    }

    /// Resolvers ask for A and AAAA in one breath: both go round all targets.
    @Test func familiesTakeTurnsOfTheirOwn() throws {
        let answers = try answers("", policy: "round-robin", weights: [1, 1])
        var random = RandomSource(seed: 4)
        let targets = try (0..<8).map { number in
            try #require(
                target(
                    answers, IPAddress(ipv4: 1), &random,
                    name: number % 2 == 0 ? 0 : answers.ipv6NameOffset))
        }
        #expect(answers.ipv6NameOffset == 1 && targets == [0, 0, 1, 1, 0, 0, 1, 1])
    }

    @Test func randomIsWeightedByQueryAndHashIsWeightedByClient() throws {
        for (policy, key, reason) in [
            ("random", "by=query", "weighted"), ("hash", "by=client", "hash"),
        ] {
            let (one, other) = (try answers("", policy: policy), try answers(key))
            var (first, second) = (RandomSource(seed: 3), RandomSource(seed: 3))
            for prefix in prefixes(.ipv4, count: 500) + prefixes(.ipv6, count: 500) {
                let client = Client(source: IPAddress(ipv4: 5), subnet: prefix)
                let decision = one.decide(name: 0, client: client, random: &first)
                let same = other.decide(name: 0, client: client, random: &second)
                #expect(decision.outcome == same.outcome && decision.scope == same.scope)
                #expect(decision.reason.name == reason && same.reason == .weighted)
            }
        }
    }

    /// Each answers in its place with those behind it; the first is picked by weight.
    @Test func severalAnswersAreAWindow() throws {
        let answers = try answers("answers=2", policy: "hash")
        var random = RandomSource(seed: 0)
        var counts = [0, 0, 0, 0]
        for prefix in prefixes(.ipv4, count: 20_000) {
            let decision = answers.decide(
                name: 0, client: Client(source: prefix), random: &random)
            let endpoints = answers.endpoints(of: decision.outcome)
            #expect(endpoints.count == 2 && endpoints[1] == (endpoints[0] + 1) % 4)
            counts[endpoints[0]] += 1
        }
        for (got, weight) in zip(counts, Shares.weights) {
            #expect(abs(Double(got) / 20_000 - Double(weight) / 100) < 0.015, "\(counts)")
        }
    }

    @Test func drawnSharesOfALostTargetGoToTheOthersByWeight() throws {
        let answers = try answers("by=query", down: [0])
        let view = answers
        var random = RandomSource(seed: 9)
        var counts = [0, 0, 0, 0]
        for _ in 0..<100_000 {
            counts[try #require(target(view, IPAddress(ipv4: 1), &random))] += 1
        }
        #expect(counts[0] == 0)
        for index in 1...3 {
            let share = Double(Shares.weights[index]) / 50
            #expect(abs(Double(counts[index]) / 100_000 - share) < 0.01, "\(counts)")
        }
    }

    private func prefixes(_ family: IPAddress.Family, count: Int) -> [IPAddress] {
        var random = SeededGenerator(seed: 2005)
        return (0..<count).map { _ in
            let bits = UInt128.random(in: 0...UInt128.max, using: &random)
            let length = family == .ipv4 ? 24 : 48
            return IPAddress(leftAligned: bits, family: family).masked(to: length)
        }
    }

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func sharesByClientAreWithinOnePercent(_ family: IPAddress.Family) throws {
        let answers = try answers("by=client")
        let view = answers
        var random = RandomSource(seed: 0)
        let count = 200_000
        var counts = [0, 0, 0, 0]
        for prefix in prefixes(family, count: count) {
            counts[try #require(target(view, prefix, &random))] += 1
        }
        for (got, weight) in zip(counts, Shares.weights) {
            #expect(abs(Double(got) / Double(count) - Double(weight) / 100) < 0.01, "\(counts)")
        }
    }

    /// A /24 or a /48 is one client; so is it for every server, whatever its generator.
    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func theWholePrefixHasOneTarget(_ family: IPAddress.Family) throws {
        let answers = try answers("by=client")
        let view = answers
        var generator = SeededGenerator(seed: 48)
        var changes = 0
        for prefix in prefixes(family, count: 2000) {
            var random = RandomSource(seed: generator.next())
            let whole = Prefix(prefix, length: family == .ipv4 ? 24 : 48)
            let wanted = target(view, prefix, &random)
            for address in [whole.last, generator.address(in: whole), generator.address(in: whole)]
            {
                #expect(target(view, address, &random) == wanted)
            }
            if let next = whole.end, target(view, next, &random) != wanted { changes += 1 }
        }
        // The next prefix is another client.
        #expect(changes > 1000)
    }

    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func aLostTargetMovesOnlyItsOwnClients(_ family: IPAddress.Family) throws {
        let all = try answers("by=client")
        let (whole, lost) = (all, try answers("by=client", down: [1]))
        let view = lost
        var random = RandomSource(seed: 0)
        var moved = [0, 0, 0, 0]
        for prefix in prefixes(family, count: 20_000) {
            let before = try #require(target(whole, prefix, &random))
            let after = try #require(target(view, prefix, &random))
            #expect(after != 1)
            if before == 1 { moved[after] += 1 } else { #expect(after == before) }
        }
        // Its clients spread by the others' weights: 50, 15 and 5 of 70.
        let total = Double(moved.reduce(0, +))
        for index in [0, 2, 3] {
            let share = Double(Shares.weights[index]) / 70
            #expect(abs(Double(moved[index]) / total - share) < 0.03, "\(moved)")
        }
    }

    /// The client subnet is the client, if the name heeds it: the scope says how much of it counts.
    @Test func theClientSubnetIsHashed() throws {
        let heeding = try answers("by=client")
        let deaf = try answers("by=client ecs=off")
        var random = RandomSource(seed: 0)
        let source = IPAddress(ipv4: 0xC000_0201)
        for subnet in prefixes(.ipv4, count: 500) + prefixes(.ipv6, count: 500) {
            let client = Client(source: source, subnet: subnet)
            let decision = heeding.decide(name: 0, client: client, random: &random)
            let direct = heeding.decide(
                name: 0, client: Client(source: subnet), random: &random)
            #expect(decision.outcome == direct.outcome)
            #expect(decision.scope == (subnet.family == .ipv4 ? 24 : 48) && direct.scope == 0)
            let unheard = deaf.decide(name: 0, client: client, random: &random)
            let own = deaf.decide(name: 0, client: Client(source: source), random: &random)
            #expect(unheard.outcome == own.outcome && unheard.scope == 0)
        }
    }

    /// Of two that are drawn by weight the one with fewer connections: counted draw by draw.
    @Test func twoChoicesAreWhatTwoDrawsComeTo() throws {
        let connections = [300.0, 20, 90, 5]
        var text = ""
        for index in 0..<4 {
            text += "r\(index) REGION \(index) 8 check=web\n A 198.51.100.\(index + 1)\n"
        }
        text += "www GEO two-choices r0:50 r1:30 r2:15 r3:5\n"
        let world = try load([("example.com", zone(text))])
        let figures = (0..<4).map {
            ("r\($0)", (connections: Double?(connections[$0]), milliseconds: Double?.none))
        }
        let answers = world.snapshot(figures: Dictionary(uniqueKeysWithValues: figures)).answers
        var draws = SeededGenerator(seed: 2)
        func drawn(without other: Int?) -> Int {
            while true {
                var position = draws.number(0...99)
                for (index, weight) in Shares.weights.enumerated() {
                    if position < weight {
                        if index == other { break }
                        return index
                    }
                    position -= weight
                }
            }
        }
        var expected = [0, 0, 0, 0]
        for _ in 0..<100_000 {
            let first = drawn(without: nil)
            let second = drawn(without: first)
            func score(_ index: Int) -> Double {
                (connections[index] + 1) / Double(Shares.weights[index])
            }
            expected[score(second) < score(first) ? second : first] += 1
        }
        var random = RandomSource(seed: 3)
        var counts = [0, 0, 0, 0]
        for _ in 0..<100_000 {
            counts[try #require(target(answers, IPAddress(ipv4: 1), &random))] += 1
        }
        for (got, wanted) in zip(counts, expected) {
            #expect(abs(got - wanted) < 1000, "\(counts), \(expected)")
        }
        #expect(
            answers.decide(name: 0, client: Client(source: IPAddress(ipv4: 1)), random: &random)
                .reason.name == "load")
    }
}
