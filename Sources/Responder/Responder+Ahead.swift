import DNSWire
import Zones

/// Reading ahead for a batch: where names are many, each query waits for memory several times.
extension Responder {
    /// Whether that is worth while.
    package var readsAhead: Bool { zones.isLarge }

    /// Notes the name of a message that is to be answered soon. It is not looked at otherwise: it
    /// may be anything.
    @inline(__always)
    package mutating func expect(_ message: Span<UInt8>) {
        guard expectedCount < expected.capacity,
            chased.read(message, at: Query.headerByteCount) != nil
        else { return }
        expected[expectedCount] = chased.hash
        expectedCount &+= 1
    }

    /// Reads what answering the messages that have been noted will read.
    @inline(never)
    package mutating func readAhead() {
        // Alone it would wait as long.
        if expectedCount > 1 {
            zones.readAhead(&expected, count: expectedCount) { steering.selector(ofName: $0) }
        }
        expectedCount = 0
    }
}
