import Addressing
import DNSWire
import Testing

@testable import Responder
@testable import Server

/// What the log says of limits that several workers tell of.
@Suite struct LimitedFlowLogs {
    private func flow(_ number: Int) -> RateLimitEvent.Flow {
        RateLimitEvent.Flow(
            prefix: Prefix(IPAddress(ipv4: 0x0a00_0000 + UInt32(number) << 8), length: 24),
            kind: .nameError, name: DomainName("example.com"))
    }

    private func begins(_ number: Int) -> RateLimitEvent {
        RateLimitEvent(flow: flow(number), held: nil)
    }

    private func ends(_ number: Int, _ dropped: UInt64, _ slipped: UInt64) -> RateLimitEvent {
        RateLimitEvent(flow: flow(number), held: (dropped, slipped))
    }

    private func text(_ lines: [LimitedFlowLog.Line]) -> [String] {
        lines.map { line in
            "\(line.level) \(line.message) "
                + line.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        }
    }

    @Test func itBeginsWithTheFirstWorkerAndEndsWithTheLast() {
        var log = LimitedFlowLog()
        #expect(
            text(log.take([begins(1), begins(1)], untoldCount: 0)) == [
                "warning begins client=10.0.1.0/24 answer=nxdomain name=example.com."
            ])
        #expect(log.take([begins(1), ends(1, 5, 2)], untoldCount: 0).isEmpty)
        #expect(log.take([ends(1, 10, 3)], untoldCount: 0).isEmpty)
        #expect(
            text(log.take([ends(1, 100, 50)], untoldCount: 0)) == [
                "info ends client=10.0.1.0/24 answer=nxdomain name=example.com. "
                    + "dropped=115 slipped=55"
            ])
    }

    @Test func anAttackOnEverybodyMakesFewLines() {
        var log = LimitedFlowLog()
        #expect(log.take((0..<1000).map(begins), untoldCount: 0).count == 32)
        #expect(
            text(log.take([ends(999, 5, 2)], untoldCount: 70)) == [
                "warning more clients are limited than are told one by one responses=77"
            ])
        #expect(log.take([ends(0, 5, 2)], untoldCount: 0).count == 1)
        #expect(log.take([begins(2000), begins(2001)], untoldCount: 0).count == 1)
        // Whoever is told of ends with a line, too.
        #expect(log.take((1..<32).map { ends($0, 1, 1) }, untoldCount: 0).count == 31)
    }
}
