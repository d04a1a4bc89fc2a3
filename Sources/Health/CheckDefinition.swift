import DNSWire

// A check in the words of the zone language.
extension CheckSpecification {
    /// All that makes two checks differ, and nothing that does not: `https /healthz port=443
    /// host=app.example`. What stands at its default is left out. Equal texts are equal checks.
    package var definition: String {
        let plain = CheckSpecification(kind)
        var words: [String] = []
        func add(_ key: String, _ value: String?) {
            if let value { words.append("\(key)=\(MemoryText.word(value))") }
        }
        words += kindWords
        if port != 0 { add("port", "\(port)") }
        add("host", host)
        add("sni", serverName)
        if expectedStatuses != plain.expectedStatuses {
            add(
                "expect",
                expectedStatuses.map { "\($0.lowerBound)-\($0.upperBound)" }
                    .joined(separator: ","))
        }
        if method != .get { add("method", method.rawValue) }
        if usesHTTP2 { add("http2", "on") }
        if usesTLS { add("tls", "on") }
        if !contains.isEmpty { add("contains", MemoryText.escaped(contains)) }
        add("matches", pattern)
        if certificateDays != 0 { add("cert-days", "\(certificateDays)") }
        if !send.isEmpty { add("send", MemoryText.escaped(send)) }
        if !receive.isEmpty { add("receive", MemoryText.escaped(receive)) }
        add("max-age", ageMax.map(MemoryText.milliseconds))
        add("max-error-rate", loadLimits.errorRate.map { "\($0)" })
        add("max-p99", loadLimits.p99.map(MemoryText.milliseconds))
        add("max-queue", loadLimits.queue.map { "\($0)" })
        if !metrics.isEmpty {
            add(
                "metrics", metrics.map { "\($0.figure.rawValue):\($0.name)" }.joined(separator: ",")
            )
        }
        add("from", source.map { "\($0)" })
        for (key, value, usual) in [
            ("every", every, plain.every), ("fast", fast, plain.fast),
            ("timeout", timeout, plain.timeout),
        ] where value != usual { add(key, MemoryText.milliseconds(value)) }
        if fall != plain.fall { add("fall", "\(fall)") }
        if rise != plain.rise { add("rise", "\(rise)") }
        return words.joined(separator: " ")
    }

    private var kindWords: [String] {
        switch kind {
        case .http(let path): ["http", MemoryText.word(path)]
        case .https(let path): ["https", MemoryText.word(path)]
        case .tcp: ["tcp"]
        case .tls: ["tls"]
        case .ping: ["ping"]
        case .exec(let program): ["exec", MemoryText.word(program)]
        case .file(let path): ["file", MemoryText.word(path)]
        case .load(let path): ["load", MemoryText.word(path)]
        case .dns(let question):
            ["dns", "\(question.name)", "\(question.type)"]
                + (question.isOverTCP ? ["over=tcp"] : [])
                + question.expectedCodes.map { "code=\($0)" }
                + question.expectedData.map { "data=" + MemoryText.word(MemoryText.escaped($0)) }
        }
    }
}
