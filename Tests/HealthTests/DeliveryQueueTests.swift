import TestSupport
import Testing

@testable import Health

/// Messages to somebody who may be away, in simulated time.
@Suite struct DeliveryQueueTests {
    @Test func breaksGetLonger() {
        var queue = DeliveryQueue()
        queue.add([1])
        var now = second(0)
        var breaks: [Int] = []
        while let message = queue.take(at: now) {
            #expect(message == [1])
            #expect(queue.take(at: now + .seconds(1000)) == nil, "one at a time")
            queue.failed(isFinal: false, at: now)
            guard let next = queue.nextAttempt else { break }
            #expect(queue.take(at: next + .milliseconds(-1)) == nil)
            breaks.append(Int((next - now).components.seconds))
            now = next
        }
        #expect(breaks == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(queue.droppedCount == 1 && queue.count == 0)
    }

    @Test func aRefusalLosesOneMessageAndNoTime() {
        var queue = DeliveryQueue()
        queue.add([1])
        queue.add([2])
        #expect(queue.take(at: second(0)) == [1])
        queue.failed(isFinal: true, at: second(0))
        #expect(queue.take(at: second(0)) == [2])
        queue.delivered()
        #expect(queue.take(at: second(0)) == nil)
        #expect(queue.droppedCount == 1 && queue.nextAttempt == nil)
    }

    @Test func theOldestMakeRoom() {
        var queue = DeliveryQueue()
        for number in 0..<DeliveryQueue.countMax + 10 {
            queue.add([UInt8(truncatingIfNeeded: number)])
            if number == 0 { #expect(queue.take(at: second(0)) == [0]) }
        }
        #expect(queue.count == DeliveryQueue.countMax + 1, "the one under way is not touched")
        #expect(queue.droppedCount == 9)
        queue.delivered()
        #expect(queue.take(at: second(0)) == [10])
    }

    /// Whatever the receiver does: in order, none twice, and every message is delivered, lost or
    /// waiting.
    @Test(arguments: 0..<50 as Range<UInt64>) func nothingIsUnaccountedFor(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = DeliveryQueue()
        var now = second(0)
        var arrived: [Int] = []
        var added = 0
        for _ in 0..<5000 {
            now = now + .milliseconds(generator.number(0...20_000))
            for _ in 0..<generator.number(0...3) {
                queue.add([UInt8(added & 0xff), UInt8(added >> 8)])
                added += 1
            }
            guard let message = queue.take(at: now) else { continue }
            switch generator.number(0...9) {
            case 0...5:
                queue.delivered()
                arrived.append(Int(message[0]) | Int(message[1]) << 8)
            case 6: queue.failed(isFinal: true, at: now)
            default: queue.failed(isFinal: false, at: now)
            }
        }
        #expect(arrived == arrived.sorted() && Set(arrived).count == arrived.count)
        #expect(arrived.count + queue.droppedCount + queue.count == added)
    }
}
