import Addressing
import TestSupport
import Testing

@testable import Geography

/// A location table to be, and what it must say, found by linear search.
struct Trial {
    var networks: [(prefix: Prefix, place: Place)]
    var overrides: [PrefixOverride]
    /// How many orders there are; few, so that neighbours often agree.
    var orderCount: Int

    /// Any function will do, as long as both sides use it.
    func order(_ place: Place, _ line: Int?) -> OrderIndex {
        let number = Int(place.city ?? "0") ?? 0
        return (number * 7 + (line.map { $0 * 5 + 3 } ?? 0)) % orderCount
    }

    func table() -> LocationTable {
        let source = MemoryLocationSource(networks)
        return LocationTable.build(from: source, overrides: overrides) { place, line in
            order(source.places[place], line)
        }
    }

    /// The longest prefix wins, of equal ones the last.
    func place(of address: IPAddress) -> Place {
        var best = Place.unknown
        var length = -1
        for network in networks
        where network.prefix.contains(address) && network.prefix.length >= length {
            best = network.place
            length = network.prefix.length
        }
        return best
    }

    func line(of address: IPAddress) -> Int? {
        var best: Int?
        var length = -1
        for override in overrides
        where override.prefix.contains(address) && override.prefix.length >= length {
            best = override.line
            length = override.prefix.length
        }
        return best
    }

    /// The order of an address that is no IPv6 form of an IPv4 address.
    func order(of address: IPAddress) -> OrderIndex { order(place(of: address), line(of: address)) }

    /// Every address at which the order may change, in order, with the order from there on.
    func steps(of family: IPAddress.Family) -> [(start: UInt128, order: OrderIndex)] {
        var starts: Set<UInt128> = [0]
        for prefix in networks.map(\.prefix) + overrides.map(\.prefix) where prefix.family == family
        {
            starts.insert(prefix.address.bits)
            if let end = prefix.end { starts.insert(end.bits) }
        }
        return starts.sorted().map { ($0, order(of: IPAddress(leftAligned: $0, family: family))) }
    }
}

extension Trial {
    /// Prefixes that nest, touch and repeat: all grow from a few bases, IPv6 forms of IPv4 among
    /// them.
    static func random(_ random: inout SeededGenerator) -> Trial {
        let ipv4 =
            (0..<3).map { _ in
                IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
            } + [IPAddress(ipv4: 0), IPAddress(ipv4: .max)]
        let ipv6 =
            (0..<3).map { _ in
                IPAddress(ipv6: UInt128.random(in: 0...UInt128.max, using: &random))
            } + IPAddress.embeddingPrefixes.map(\.address) + [IPAddress(ipv6: .max)]
        func prefix(_ random: inout SeededGenerator) -> Prefix {
            let base = random.pick(Bool.random(using: &random) ? ipv4 : ipv6)
            let width = base.family.bitCount
            var bits = base.bits
            if random.number(0...1) == 0 {
                bits ^= 1 << UInt128(127 - random.number(0...width - 1))
            }
            // Whole addresses and whole spaces are where mistakes are.
            let lengths = [0, 1, 15, 16, 17, 22, width - 1, width, random.number(0...width)]
            return Prefix(
                IPAddress(leftAligned: bits, family: base.family), length: random.pick(lengths))
        }
        var trial = Trial(networks: [], overrides: [], orderCount: random.number(1...5))
        for _ in 0..<random.pick([0, 1, 4, 12]) {
            trial.networks.append((prefix(&random), Place(city: "\(random.number(0...6))")))
        }
        for line in 0..<random.pick([0, 0, 1, 8]) {
            trial.overrides.append(PrefixOverride(prefix(&random), line: line))
        }
        // The same prefix twice: the last one wins.
        if let again = trial.overrides.first, Bool.random(using: &random) {
            trial.overrides.append(PrefixOverride(again.prefix, line: trial.overrides.count))
        }
        return trial
    }
}

extension Trial {
    /// Hundreds of prefixes within one that is small: arrays of the table divide them badly.
    static func crowded(_ random: inout SeededGenerator) -> Trial {
        var trial = Trial(networks: [], overrides: [], orderCount: random.number(2...40))
        let crowds = [
            (IPAddress(ipv4: 0xc633_0000), [16, 20, 24]),
            (IPAddress(ipv6: 0x2001_0db8_0000_0001 << 64), [20, 48, 60, 100]),
        ].map { Prefix($0, length: random.pick($1)) }
        for crowd in crowds {
            let lengths = crowd.length + 1...crowd.family.bitCount
            for _ in 0..<random.pick([7, 40, 100]) {
                let length = random.pick([lengths.upperBound, random.number(lengths)])
                let network = Prefix(random.address(in: crowd), length: length)
                trial.networks.append((network, Place(city: "\(random.number(0...60))")))
            }
        }
        return trial
    }
}

/// Seeds of the random trials: each is one test case, so that a failing one can be run alone.
private let seeds: [UInt64] = Array(0..<12)
private let trialsPerSeed = 20

@Suite struct LocationTables {
    /// Both ends of every prefix, their neighbours, and addresses inside and anywhere.
    @Test(arguments: seeds) func lookupEqualsTheSlowSearch(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<trialsPerSeed {
            let trial = Trial.random(&random)
            let table = trial.table()
            for address in addresses(for: trial, &random) where address.embeddedIPv4 == nil {
                let match = table.find(address)
                #expect(match.order == trial.order(of: address), "seed \(seed), \(address)")
            }
        }
    }

    /// From the first address to the last: the scopes that are reported are a partition, each of
    /// one order, none of which could be wider.
    @Test(arguments: seeds) func scopesNeverOverlapAndAreAsWideAsPossible(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x7871)
        for _ in 0..<trialsPerSeed {
            let trial = Trial.random(&random)
            let table = trial.table()
            for family in IPAddress.Family.allCases {
                walk(table, trial, family, &random, "seed \(seed), \(family)")
            }
        }
    }

    @Test(arguments: seeds) func crowdsAreFoundAsTheSlowSearchFindsThem(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x1c70)
        let trial = Trial.crowded(&random)
        let table = trial.table()
        for address in addresses(for: trial, &random) where address.embeddedIPv4 == nil {
            #expect(
                table.find(address).order == trial.order(of: address), "seed \(seed), \(address)")
        }
        for family in IPAddress.Family.allCases {
            walk(table, trial, family, &random, "seed \(seed), \(family)")
        }
    }

    /// By the scopes, which are prefixes that have all addresses between them.
    @Test(arguments: seeds) func addressesAreCountedByOrder(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x21ad)
        for trial in [Trial.random(&random), Trial.crowded(&random)] {
            let table = trial.table()
            var expected = [Double](repeating: 0, count: trial.orderCount)
            var next: IPAddress? = IPAddress(ipv4: 0)
            while let address = next {
                let match = table.find(address)
                let scope = Prefix(address, length: match.scope)
                expected[match.order] += Double(
                    sign: .plus, exponent: 32 - scope.length, significand: 1)
                next = scope.end
            }
            #expect(table.addressCounts(orderCount: trial.orderCount) == expected, "seed \(seed)")
            #expect(expected.reduce(0, +) == 0x1p32)
        }
    }

    /// A thousand changes that share 100 bits: arrays for a few bits each would take dozens.
    @Test func crowdsTakeFewLoads() throws {
        let crowd = try #require(Prefix("2001:db8:0:1:2:3:4000:0/100"))
        let networks = (0..<1000).map { number in
            let address = IPAddress(ipv6: crowd.address.bits | UInt128(number) << 8)
            return (Prefix(address, length: 120), Place(city: "\(number % 5 + 1)"))
        }
        let table = Trial(networks: networks, overrides: [], orderCount: 100).table()
        // The first array, a block for 64 bits, and of 6⁴ pieces four levels of blocks.
        #expect(networks.map { table.loadCount(for: $0.0.address) }.max() == 6)
    }

    private func walk(
        _ table: LocationTable, _ trial: Trial, _ family: IPAddress.Family,
        _ random: inout SeededGenerator, _ comment: Comment
    ) {
        let steps = trial.steps(of: family)
        var step = 0
        var next: IPAddress? = IPAddress(leftAligned: 0, family: family)
        while let address = next {
            let match = table.find(address)
            let scope = Prefix(address, length: match.scope)
            // It starts where the one before ended: no gap, no overlap.
            #expect(scope.address == address, comment)
            for inside in [scope.last, random.address(in: scope)] {
                #expect(table.find(inside) == match, comment)
            }
            next = scope.end
            if let form = IPAddress.embeddingPrefixes.first(where: { $0.contains(address) }) {
                #expect(form.contains(scope), comment)
                // Every server and port of Teredo (2001::/32) has the same 2³² addresses below it.
                if form.length == 32, scope.last.bits & 0xffff_ffff == 0xffff_ffff {
                    next = form.end
                }
                continue
            }
            #expect(!IPAddress.embeddingPrefixes.contains { scope.contains($0) }, comment)
            while step + 1 < steps.count, steps[step + 1].start <= address.bits { step += 1 }
            var inside = step
            while inside < steps.count, steps[inside].start <= scope.last.bits {
                #expect(steps[inside].order == match.order, comment)
                inside += 1
            }
            if match.scope > 0 { expectNoWider(scope, match.order, steps, comment) }
        }
    }

    /// One bit less would hold an address of another order, or an IPv6 form that carries IPv4.
    private func expectNoWider(
        _ scope: Prefix, _ order: OrderIndex, _ steps: [(start: UInt128, order: OrderIndex)],
        _ comment: Comment
    ) {
        let wider = scope.widened
        if scope.family == .ipv6,
            IPAddress.embeddingPrefixes.contains(where: { wider.contains($0) })
        {
            return
        }
        let atStart = steps.last { $0.start <= wider.address.bits }
        let within = steps.filter { (wider.address.bits...wider.last.bits).contains($0.start) }
        #expect((within + [atStart].compactMap { $0 }).contains { $0.order != order }, comment)
    }

    /// Any two scopes are one or apart, IPv6 forms of IPv4 included.
    @Test(arguments: seeds) func randomScopesAreEqualOrDisjoint(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x7211)
        for _ in 0..<trialsPerSeed {
            let trial = Trial.random(&random)
            let table = trial.table()
            let scopes = addresses(for: trial, &random).map { address in
                Prefix(address, length: table.find(address).scope)
            }
            for family in IPAddress.Family.allCases {
                let sorted = Set(scopes.filter { $0.family == family }).sorted {
                    ($0.address.bits, $0.length) < ($1.address.bits, $1.length)
                }
                for (left, right) in zip(sorted, sorted.dropFirst()) {
                    #expect(!left.overlaps(right), "seed \(seed): \(left) and \(right)")
                }
            }
        }
    }

    @Test(arguments: seeds) func formsThatCarryIPv4GetItsAnswer(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x6052)
        for _ in 0..<trialsPerSeed {
            let trial = Trial.random(&random)
            let table = trial.table()
            for address in addresses(for: trial, &random) {
                guard let (inside, offset) = address.embeddedIPv4 else { continue }
                let match = table.find(address)
                let plain = table.find(inside)
                #expect(match.order == plain.order && match.order == trial.order(of: inside))
                #expect(match.scope == plain.scope + offset)
            }
        }
    }

    @Test func withoutAnythingOneOrderIsForAll() {
        let trial = Trial(networks: [], overrides: [], orderCount: 3)
        let table = trial.table()
        #expect(table.find(IPAddress(ipv4: 0xC000_0201)) == .init(order: 0, scope: 0))
        // Wider than /3 it would hold 64:ff9b::/96, 2001::/32 and the like.
        #expect(table.find(IPAddress(ipv6: .max)) == .init(order: 0, scope: 1))
    }

    /// The deepest trie there is: single addresses next to each other.
    @Test(arguments: [IPAddress.Family.ipv4, .ipv6]) func wholeAddresses(_ family: IPAddress.Family)
    {
        let width = family.bitCount
        let base = IPAddress(leftAligned: 0x2001_0db8_1234_5678 << 64, family: family)
        func address(_ number: Int) -> IPAddress {
            IPAddress(
                leftAligned: base.masked(to: width - 6).bits
                    | UInt128(number) << UInt128(128 - width), family: family)
        }
        let networks = (0..<64).map { (Prefix(address($0)), Place(city: "\($0 % 2 + 1)")) }
        let trial = Trial(networks: networks, overrides: [], orderCount: 100)
        let table = trial.table()
        for number in 0..<64 {
            let match = table.find(address(number))
            #expect(match == .init(order: (number % 2 + 1) * 7, scope: width))
        }
        let outside = IPAddress(
            leftAligned: base.bits ^ 1 << UInt128(128 - width + 6), family: family)
        #expect(table.find(outside) == .init(order: 0, scope: width - 6))
    }

    @Test func ofEqualOverridesTheLastWins() throws {
        let prefix = try #require(Prefix("10.0.0.0/8"))
        let trial = Trial(
            networks: [], overrides: [.init(prefix, line: 1), .init(prefix, line: 2)],
            orderCount: 100)
        #expect(trial.table().find(IPAddress(ipv4: 0x0a00_0001)) == .init(order: 13, scope: 8))
    }

    private func addresses(for trial: Trial, _ random: inout SeededGenerator) -> [IPAddress] {
        var result: [IPAddress] = []
        for prefix in trial.networks.map(\.prefix) + trial.overrides.map(\.prefix) {
            let unit = UInt128(1) << UInt128(128 - prefix.family.bitCount)
            result += [
                prefix.address, prefix.last, random.address(in: prefix),
                IPAddress(leftAligned: prefix.address.bits &- unit, family: prefix.family),
                IPAddress(leftAligned: prefix.last.bits &+ unit, family: prefix.family),
            ]
        }
        for form in IPAddress.embeddingPrefixes {
            for _ in 0..<4 { result.append(random.address(in: form)) }
            // The same IPv4 address as one that matters.
            for address in result where address.family == .ipv4 && form.length == 96 {
                result.append(IPAddress(ipv6: form.address.bits | address.bits >> 96))
            }
        }
        for _ in 0..<20 {
            result.append(IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random)))
            result.append(IPAddress(ipv6: UInt128.random(in: 0...UInt128.max, using: &random)))
        }
        return result
    }
}

@Suite struct MemoryLocationSources {
    @Test(arguments: seeds) func leavesAreAPartitionWithTheRightPlaces(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x4632)
        for _ in 0..<trialsPerSeed {
            let trial = Trial.random(&random)
            let source = MemoryLocationSource(trial.networks)
            #expect(source.places.first == .unknown)
            #expect(Set(source.places).count == source.places.count)
            for family in IPAddress.Family.allCases {
                var next: IPAddress? = IPAddress(leftAligned: 0, family: family)
                source.forEachLeaf(of: family) { bits, length, place in
                    #expect(next?.bits == bits)
                    let leaf = Prefix(IPAddress(leftAligned: bits, family: family), length: length)
                    #expect(leaf.address.bits == bits)
                    for address in [leaf.address, leaf.last, random.address(in: leaf)] {
                        #expect(source.places[place] == trial.place(of: address))
                    }
                    next = leaf.end
                }
                #expect(next == nil)
            }
        }
    }
}
