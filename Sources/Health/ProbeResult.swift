/// What one probe of one address found out.
package struct ProbeResult: Hashable, Sendable {
    package enum Verdict: UInt8, Sendable { case passed, failed }

    /// How far the probe came, in the order of a request; a failed probe failed in this phase.
    package enum Phase: UInt8, Sendable, Comparable {
        case connect, tls, response, status

        package static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    package var verdict: Verdict
    package var phase: Phase
    /// In words an operator understands: "connection refused", "status 500, expected 200-299".
    package var reason: String
    /// The HTTP status, when there was one.
    package var statusCode: Int?
    /// From the start of the probe to its verdict.
    package var duration: Duration

    package init(
        _ verdict: Verdict, in phase: Phase, because reason: String, statusCode: Int? = nil,
        after duration: Duration
    ) {
        self.verdict = verdict
        self.phase = phase
        self.reason = reason
        self.statusCode = statusCode
        self.duration = duration
    }
}

extension CheckSpecification {
    /// The verdict on a complete HTTP response.
    package func judge(statusCode: Int, after duration: Duration) -> ProbeResult {
        if expectedStatuses.contains(where: { $0.contains(statusCode) }) {
            return ProbeResult(
                .passed, in: .status, because: "status \(statusCode)", statusCode: statusCode,
                after: duration)
        }
        let expected = expectedStatuses.map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
        }
        return ProbeResult(
            .failed, in: .status,
            because: "status \(statusCode), expected \(expected.joined(separator: ","))",
            statusCode: statusCode, after: duration)
    }
}
