import Addressing
import Tables

/// Random numbers for shares that go by query: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
package struct RandomSource: Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return RandomSource.mix(state)
    }

    /// 0..<bound; the bias of at most bound/2⁶⁴ is of no account.
    package mutating func next(below bound: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
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
        let prefix = address.masked(to: prefixLength(of: address.family))
        let client = RandomSource.mix(
            UInt64(truncatingIfNeeded: prefix.bits >> 64) ^ UInt64(prefix.family.rawValue))
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
