/// A number that tells apart what is not the same: of numbers and bytes in their order, on every
/// machine alike. It holds against accidents, and not against somebody who looks for two things
/// with one number.
package struct Digest: Sendable {
    private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

    package init() {}

    package mutating func add(_ word: UInt64) {
        state = (state ^ word) &* 0x9fb2_1c65_1e98_df25
        state ^= state &>> 32
    }

    /// With their count, so that what follows is never taken for a part of them.
    package mutating func add(_ bytes: Span<UInt8>) {
        var index = 0
        while wordFits(at: index, in: bytes.count) {
            add(UInt64(littleEndian: bytes.word(at: index)))
            index &+= 8
        }
        if index < bytes.count { add(bytes.lastBytes(bytes.count - index, before: bytes.count)) }
        add(UInt64(bytes.count))
    }

    package mutating func add(_ text: String) { add(Array(text.utf8).span) }

    package var value: UInt64 {
        var last = self
        last.add(0)
        return last.state
    }
}
