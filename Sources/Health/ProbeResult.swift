/// What one probe of one address found out.
package struct ProbeResult: Hashable, Sendable {
    package enum Verdict: UInt8, Sendable {
        case passed
        /// It works, with a warning that may stand for long: a certificate that ends soon.
        case degraded
        /// It works, and asks for no more clients.
        case drained
        /// Above a limit of load: `degraded` at once, and a failure if it goes on.
        case strained
        case failed

        /// Counted by `rise`; the others by `fall`.
        package var isSuccess: Bool { self != .failed && self != .strained }
    }

    /// How far the probe came, in the order of a request; a failed probe failed in this phase.
    package enum Phase: UInt8, Sendable, Comparable {
        case connect, tls, response, status, content

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
    /// What the front door told of its load, when it did.
    package var load: LoadReport?
    /// Of the body of an HTTP response, or of the answer over a connection, as far as it was read.
    package var byteCount: Int?
    /// It has failed, and nothing came back: perhaps it is this server that is cut off. A refusal
    /// is an answer.
    package var isSilence = false
    /// Whole days that are left of the server's certificate, when one was seen.
    package var certificateDays: Int?
    package var moments = Moments()

    /// How long after its start the probe came how far; nil: not reached, or no such thing.
    package struct Moments: Hashable, Sendable {
        package var connected: Duration?
        /// The TLS handshake was over.
        package var secured: Duration?
        /// The first byte of the answer was there.
        package var answered: Duration?

        package init(
            connected: Duration? = nil, secured: Duration? = nil, answered: Duration? = nil
        ) {
            self.connected = connected
            self.secured = secured
            self.answered = answered
        }
    }

    package init(
        _ verdict: Verdict, in phase: Phase, because reason: String, statusCode: Int? = nil,
        after duration: Duration, load: LoadReport? = nil
    ) {
        self.verdict = verdict
        self.phase = phase
        self.reason = reason
        self.statusCode = statusCode
        self.duration = duration
        self.load = load
    }
}

/// An HTTP response as far as a probe looks at it.
package struct HTTPResponse: Sendable {
    package var statusCode: Int
    /// The first bytes of the body, when the check wants to see them.
    package var body: [UInt8]
    /// The body went on after those.
    package var isBodyCut: Bool
    /// Whether the body matches the check's pattern; nil: it has none.
    package var matchesPattern: Bool?
    /// Until the server's certificate ends; nil: no TLS, or not known.
    package var certificateRemains: Duration?

    package init(
        statusCode: Int, body: [UInt8] = [], isBodyCut: Bool = false, matchesPattern: Bool? = nil,
        certificateRemains: Duration? = nil
    ) {
        self.statusCode = statusCode
        self.body = body
        self.isBodyCut = isBodyCut
        self.matchesPattern = matchesPattern
        self.certificateRemains = certificateRemains
    }
}

extension CheckSpecification {
    /// The check cannot be judged without the body.
    package var wantsBody: Bool {
        if case .load = kind { return true }
        return !contains.isEmpty || pattern != nil
    }

    /// How much of a body is looked at. A health page is short; an exposition of metrics is not.
    package var bodyByteCountMax: Int {
        if case .load = kind { return 1024 * 1024 }
        return 64 * 1024
    }

    /// The verdict on a complete HTTP response.
    package func judge(_ response: HTTPResponse, after duration: Duration) -> ProbeResult {
        var result = ProbeResult(
            .passed, in: .status, because: "status \(response.statusCode)",
            statusCode: response.statusCode, after: duration)
        guard expectedStatuses.contains(where: { $0.contains(response.statusCode) }) else {
            let expected = expectedStatuses.map {
                $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
            }
            result.verdict = .failed
            result.reason += ", expected \(expected.joined(separator: ","))"
            return result
        }
        if wantsBody { judgeBody(response, into: &result) }
        if result.verdict.isSuccess, let remains = response.certificateRemains {
            judgeCertificate(remains: remains, into: &result)
        }
        return result
    }

    private func judgeBody(_ response: HTTPResponse, into result: inout ProbeResult) {
        result.phase = .content
        if case .load = kind {
            guard !response.isBodyCut else {
                result.verdict = .failed
                result.reason = "a load report of more than \(response.body.count) bytes"
                return
            }
            judgeLoad(response.body, into: &result)
            return
        }
        let place =
            response.isBodyCut ? "the first \(response.body.count) bytes of the body" : "the body"
        if !contains.isEmpty, !response.body.contains(sequence: contains) {
            result.verdict = .failed
            result.reason += ", but \(quoted(contains)) is not in \(place)"
        } else if let pattern, response.matchesPattern != true {
            result.verdict = .failed
            result.reason += ", but \(place) does not match \(pattern)"
        } else {
            result.reason += ", body as expected"
        }
    }

    /// A chain that has ended already does not come here: the handshake has failed.
    package func judgeCertificate(remains: Duration, into result: inout ProbeResult) {
        let day: Int64 = 86_400
        guard certificateDays > 0, remains.components.seconds < Int64(certificateDays) * day
        else { return }
        if result.verdict == .passed { result.verdict = .degraded }
        let days = remains.components.seconds / day
        result.reason +=
            ", certificate ends in " + (days == 1 ? "1 day" : "\(days) days")
            + ", wanted \(certificateDays)"
    }
}

/// Bytes for a message: at most 40 of them, and nothing that a terminal would act on.
func quoted(_ bytes: some Collection<UInt8>) -> String {
    let shown = bytes.prefix(40).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: ".") }
    return "'" + String(decoding: shown, as: UTF8.self) + (bytes.count > 40 ? "…'" : "'")
}

extension [UInt8] {
    /// Whether the other bytes stand in these, one after the other.
    package func contains(sequence: [UInt8]) -> Bool {
        guard let first = sequence.first else { return true }
        guard count >= sequence.count else { return false }
        for start in 0...(count - sequence.count) where self[start] == first {
            if self[start..<start + sequence.count].elementsEqual(sequence) { return true }
        }
        return false
    }
}
