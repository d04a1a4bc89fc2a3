import Addressing
import CCurl
import Glibc
import Health
import SystemCalls

/// What the end of a transfer says about the front door, or about this machine.
enum Outcome {
    case result(ProbeResult)
    /// The probe could not be carried out here.
    case obstacle(String)

    /// `now`: seconds since 1970.
    init(
        _ transfer: Transfer, endedWith code: CURLcode, now: Int64, patterns: PatternCache
    ) {
        self.init(judging: transfer, endedWith: code, now: now, patterns: patterns)
        guard case .result(var result) = self else { return }
        result.moments = ProbeResult.Moments(
            connected: transfer.time(CURLINFO_CONNECT_TIME_T),
            secured: transfer.probe.check.isOverTLS
                ? transfer.time(CURLINFO_APPCONNECT_TIME_T) : nil,
            answered: transfer.time(CURLINFO_STARTTRANSFER_TIME_T))
        self = .result(result)
    }

    private init(
        judging transfer: Transfer, endedWith code: CURLcode, now: Int64, patterns: PatternCache
    ) {
        let check = transfer.probe.check
        let duration = transfer.time(CURLINFO_TOTAL_TIME_T) ?? .zero
        let statusCode = transfer.number(CURLINFO_RESPONSE_CODE)
        let remains = transfer.certificateEnd.flatMap(certificateTime)
            .map { Duration.seconds($0 - now) }
        if code == CURLE_OK, case .tls = check.kind {
            var result = ProbeResult(
                .passed, in: .tls, because: "certificate is good", after: duration)
            if let remains { check.judgeCertificate(remains: remains, into: &result) }
            result.certificateDays = remains?.wholeDays
            self = .result(result)
            return
        }
        // A refused piece of body is the bound on bodies at work: the status has been read.
        let isCut = code == CURLE_WRITE_ERROR && statusCode != 0 && !transfer.isHeaderTooLong
        if code == CURLE_OK || isCut {
            if check.usesHTTP2,
                transfer.number(CURLINFO_HTTP_VERSION) != Int(CURL_HTTP_VERSION_2_0)
            {
                self = .result(
                    ProbeResult(
                        .failed, in: .response, because: "front door does not speak HTTP/2",
                        statusCode: statusCode, after: duration))
                return
            }
            let body = transfer.body
            let response = HTTPResponse(
                statusCode: statusCode, body: body, isBodyCut: isCut,
                matchesPattern: check.pattern.map { patterns.matches($0, body) },
                certificateRemains: remains)
            var result = check.judge(response, after: duration)
            result.byteCount = transfer.bodyByteCount
            result.certificateDays = remains?.wholeDays
            self = .result(result)
            return
        }
        if let obstacle = Outcome.obstacle(transfer, code) {
            self = .obstacle(obstacle)
            return
        }
        let (phase, reason) = Outcome.explain(transfer, code)
        var result = ProbeResult(
            .failed, in: phase, because: reason, statusCode: statusCode == 0 ? nil : statusCode,
            after: duration)
        if statusCode != 0 { result.byteCount = transfer.bodyByteCount }
        switch code {
        case CURLE_OPERATION_TIMEDOUT: result.isSilence = statusCode == 0
        case CURLE_COULDNT_CONNECT: result.isSilence = Outcome.isSilence(transfer.errorNumber)
        default: break
        }
        result.certificateDays = remains?.wholeDays
        self = .result(result)
    }

    /// Troubles that are this machine's own: errno(3) values for running out of something.
    private static func obstacle(_ transfer: Transfer, _ code: CURLcode) -> String? {
        switch code {
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT: return "this server is out of memory"
        case CURLE_COULDNT_CONNECT: return obstacleWords(transfer.errorNumber)
        case CURLE_SSL_CACERT_BADFILE:
            return "the file of certificate authorities cannot be read: \(transfer.errorWords)"
        default: return nil
        }
    }

    // MARK: - Failures in words

    private static func explain(
        _ transfer: Transfer, _ code: CURLcode
    ) -> (ProbeResult.Phase, String) {
        let phase = phaseReached(transfer)
        switch code {
        case CURLE_OPERATION_TIMEDOUT: return (phase, timeoutWords(transfer, in: phase))
        case CURLE_COULDNT_CONNECT: return (.connect, connectWords(transfer))
        case CURLE_INTERFACE_FAILED: return (.connect, sourceWords(transfer.probe))
        case CURLE_PEER_FAILED_VERIFICATION: return (.tls, certificateWords(transfer))
        case CURLE_SSL_CONNECT_ERROR:
            return (.tls, "TLS handshake failed: \(words(transfer, code))")
        case CURLE_WRITE_ERROR: return (.response, "more than 64 KiB of headers")
        case CURLE_GOT_NOTHING: return (.response, "connection closed without an answer")
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            return (phase, "connection broken: \(words(transfer, code))")
        case CURLE_PARTIAL_FILE: return (.response, "answer cut short")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return (.response, "answer is not HTTP")
        case CURLE_URL_MALFORMAT: return (.connect, "not a URL: \(transfer.probe.url)")
        default: return (phase, words(transfer, code))
        }
    }

    /// The phase a transfer was in when it ended.
    private static func phaseReached(_ transfer: Transfer) -> ProbeResult.Phase {
        guard transfer.isConnected || transfer.time(CURLINFO_CONNECT_TIME_T) != nil
        else { return .connect }
        if transfer.probe.check.isOverTLS, transfer.time(CURLINFO_APPCONNECT_TIME_T) == nil {
            return .tls
        }
        return .response
    }

    private static func timeoutWords(
        _ transfer: Transfer, in phase: ProbeResult.Phase
    ) -> String {
        let within = "within \(transfer.probe.check.timeout.inWords)"
        switch phase {
        case .connect: return "no connection \(within)"
        case .tls: return "no TLS handshake \(within)"
        case .response, .status, .content:
            let status = transfer.number(CURLINFO_RESPONSE_CODE)
            return status == 0 ? "no answer \(within)" : "status \(status), but no end \(within)"
        }
    }

    private static func connectWords(_ transfer: Transfer) -> String {
        let number = transfer.errorNumber
        return number != 0
            ? connectWords(number) : "no connection: \(words(transfer, CURLE_COULDNT_CONNECT))"
    }

    private static func certificateWords(_ transfer: Transfer) -> String {
        // What OpenSSL says of the chain; libcurl 7.88 leaves its first value, 1
        // (X509_V_ERR_UNSPECIFIED), when the chain is good (0, X509_V_OK) and the name is not.
        guard transfer.number(CURLINFO_SSL_VERIFYRESULT) <= 1 else {
            let words = words(transfer, CURLE_PEER_FAILED_VERIFICATION)
            let title = "SSL certificate problem: "
            let problem =
                words.hasPrefix(title) ? String(words.dropFirst(title.utf8.count)) : words
            return "certificate not trusted: \(problem)"
        }
        let wanted = transfer.probe.check.tlsName ?? "\(transfer.probe.address)"
        let names = transfer.certificateNames.map { name in
            name.split(separator: ":", maxSplits: 1).last.map(String.init) ?? name
        }
        // A certificate may hold hundreds of names; the first few tell whose it is.
        let nameCountMax = 4
        guard !names.isEmpty else { return "certificate has no names, wanted \(wanted)" }
        let more = names.count > nameCountMax ? " and \(names.count - nameCountMax) more" : ""
        let list = names.prefix(nameCountMax).joined(separator: ", ")
        return "certificate is for \(list)\(more), not \(wanted)"
    }

    private static func words(_ transfer: Transfer, _ code: CURLcode) -> String {
        let words = transfer.errorWords
        return words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words
    }
}

extension Duration {
    fileprivate var wholeDays: Int { Int(components.seconds / 86_400) }
}

/// Expressions compiled once, however often they are matched; for the monitor's thread alone.
final class PatternCache {
    private var compiled: [String: RegularExpression] = [:]
    /// Zones come and go; a cache that has seen so many is begun anew.
    private static let countMax = 10_000

    /// False for text that is no expression, which whoever read the zone has refused.
    func matches(_ pattern: String, _ body: [UInt8]) -> Bool {
        if let known = compiled[pattern] { return known.matches(body) }
        guard let expression = try? RegularExpression(pattern) else { return false }
        if compiled.count >= PatternCache.countMax { compiled = [:] }
        compiled[pattern] = expression
        return expression.matches(body)
    }
}
