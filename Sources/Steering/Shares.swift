import Addressing
import Tables

/// What a worker draws from for shares that go by query: random numbers, SplitMix64 (Steele, Lea,
/// Flood, OOPSLA 2014), and whose turn it is.
package struct RandomSource: Sendable {
    private var state: UInt64
    /// Positions of what goes in turn, see `turn`.
    private var turns = InlineArray<64, UInt32>(repeating: 0)

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return RandomSource.mix(state)
    }

    /// 0..<bound; the bias of at most bound/2⁶⁴ is of no account.
    package mutating func next(below bound: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// The position for this answer, below `total`; the next is `step` further on.
    ///
    /// `number` says whose turn is counted. There are as many counters as `turns` has; names that
    /// share one still come to all of their targets, though not strictly in turn.
    @inline(never)
    mutating func turn(of number: Int, step: UInt32, below total: UInt32) -> UInt32 {
        let slot = number & 63
        // After a change of health the total is another.
        let position = turns[slot] % total
        turns[slot] = UInt32((UInt64(position) + UInt64(step)) % UInt64(total))
        return position
    }

    /// Goes on drawing, and takes no turns since `before`.
    package mutating func restoreTurns(of before: RandomSource) { turns = before.turns }

    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// Shares in turn: over as many answers as the weights add up to, each target gets exactly its own.
enum Turns {
    /// How far to go on from one answer to the next: 1 where weights are equal, which is one after
    /// the other; else about the golden section of the total, so that the answers of a heavy target
    /// do not stand in one row, and without a common divisor, so that every position comes.
    static func step(_ weights: [UInt32]) -> UInt32 {
        let total = weights.reduce(0, +)
        // All equal: the first position of the next share.
        if weights.allSatisfy({ $0 == weights[0] }) { return weights[0] % max(total, 1) }
        var step = UInt32(Double(total) * 0.618_033_988_749_895)
        while step > 1, greatestCommonDivisor(step, total) > 1 { step -= 1 }
        return max(step, 1)
    }

    private static func greatestCommonDivisor(_ a: UInt32, _ b: UInt32) -> UInt32 {
        var (a, b) = (a, b)
        while b > 0 { (a, b) = (b, a % b) }
        return a
    }
}

/// Weighted rendezvous hashing: every server gives the same client prefix the same target, and a
/// target that goes moves only its own clients (Schindelhauer and Schomaker, SPAA 2005).
enum Rendezvous {
    /// The prefix that counts as one client.
    static func prefixLength(of family: IPAddress.Family) -> Int { family == .ipv4 ? 24 : 48 }

    /// FNV-1a over the target's name.
    static func hash(of label: String) -> UInt64 {
        RandomSource.mix(
            label.utf8.reduce(0xcbf2_9ce4_8422_2325) {
                ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
            })
    }

    /// Index of the share whose score −ln(u)/weight is the least, u drawn from prefix and target.
    @inline(never)
    static func pick(
        _ range: Range<Int>, _ shares: TableView<ShareState>, _ address: IPAddress
    ) -> Int {
        let client = client(address)
        var best = range.lowerBound
        var bestScore = Double.infinity
        for index in range {
            let drawn = RandomSource.mix(client ^ shares[index].hash)
            // 53 bits, never 0.
            let uniform = (Double(drawn >> 11) + 0.5) * 0x1p-53
            let score = -binaryLogarithm(uniform) / Double(shares[index].weight)
            if score < bestScore {
                best = index
                bestScore = score
            }
        }
        return best
    }

    /// The number that stands for everyone in the prefix of a client.
    @inline(__always)
    static func client(_ address: IPAddress) -> UInt64 {
        let prefix = address.masked(to: prefixLength(of: address.family))
        return RandomSource.mix(
            UInt64(truncatingIfNeeded: prefix.bits >> 64) ^ UInt64(prefix.family.rawValue))
    }

    /// Index of the first share that gets this client: of 2³² clients it gets `weight`. One that
    /// it gets it keeps when its weight grows.
    @inline(never)
    static func ramp(
        _ range: Range<Int>, _ shares: TableView<ShareState>, _ client: UInt64
    ) -> Int {
        for index in range {
            // Mixed once more than in `pick`, of which this must not depend.
            let drawn = RandomSource.mix(RandomSource.mix(client ^ shares[index].hash) ^ 1)
            if drawn >> 32 < UInt64(shares[index].weight) { return index }
        }
        return range.upperBound - 1
    }

    /// Own code for the same reason as in `GreatCircle`: the same bits on every machine.
    static func binaryLogarithm(_ value: Double) -> Double {
        // ln(m) = 2 artanh((m−1)/(m+1)) for the significand m in 1..<2; |t| ≤ 1/3 converges fast.
        let t = (value.significand - 1) / (value.significand + 1)
        var power = t
        var sum = t
        for n in stride(from: 3.0, through: 33.0, by: 2.0) {
            power *= t * t
            sum += power / n
        }
        return Double(value.exponent) + 2 * sum * 1.442695040888963407
    }
}
