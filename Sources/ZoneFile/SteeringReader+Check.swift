import Addressing
import Health
import Zones

// `CHECK <kind> [<argument>] [key=value …]`
extension SteeringReader {
    /// Nil after a report. `end` is where a missing word is reported.
    mutating func check(_ words: ArraySlice<Word>, end: Word) -> CheckRecord? {
        guard let kindWord = words.first else {
            report(end, "CHECK: expected a kind, such as https")
            return nil
        }
        guard let kind = CheckKind(rawValue: kindWord.string) else {
            // The rest means what the kind says: it is not looked at.
            report(kindWord, CheckKind.vocabulary.complaint(about: kindWord.string))
            return nil
        }
        let reportedBefore = diagnostics.count
        var rest = words.dropFirst()
        let arguments = checkArguments(&rest, atMost: kind.argumentCountMax)
        var keys: [(key: CheckKey, value: Word)] = keys(rest)
        keys.removeAll { key, value in
            guard !key.kinds.contains(kind) else { return false }
            report(
                value,
                "\(key.rawValue)= belongs to \(key.kinds.map(\.rawValue).joined(separator: ", ")), "
                    + "not to \(kind.rawValue)")
            return true
        }
        let port = keys.first { $0.key == .port }?.value
        let what = checkKind(kind, arguments, port: port, end: end)
        var record = CheckRecord(CheckSpecification(what, port: 0))
        record.specification.port = checkPort(kind, arguments, port: port, end: end)
        for (key, value) in keys { read(key, value, into: &record) }
        settlePaces(&record.specification, written: keys)
        refuseSenseless(record.specification, written: keys)
        return diagnostics.count == reportedBefore ? record : nil
    }

    /// The words after the kind, up to the first key. A path may hold a `=`.
    private func checkArguments(
        _ words: inout ArraySlice<Word>, atMost countMax: Int
    ) -> [Word] {
        var arguments: [Word] = []
        while arguments.count < countMax, let word = words.first,
            word.text.first == UInt8(ascii: "/") || word.firstUnescaped(UInt8(ascii: "=")) == nil
        {
            arguments.append(word)
            words = words.dropFirst()
        }
        return arguments
    }

    private mutating func checkKind(
        _ kind: CheckKind, _ arguments: [Word], port: Word?, end: Word
    ) -> CheckSpecification.Kind {
        let first = arguments.first
        switch kind {
        case .http: return .http(path: path(first) ?? "/")
        case .https: return .https(path: path(first) ?? "/")
        case .tcp: return .tcp
        case .tls: return .tls
        case .ping: return .ping
        case .load:
            if first == nil { report(end, "CHECK load: expected the path of the report") }
            return .load(path: path(first) ?? "/")
        case .exec: return .exec(program: filePath(first, "exec", "program", end: end) ?? "/")
        case .file: return .file(path: filePath(first, "file", "state file", end: end) ?? "/")
        case .dns:
            return .dns(dnsQuestion(arguments, end: end) ?? DNSQuestion(.root, .soa))
        }
    }

    private mutating func checkPort(
        _ kind: CheckKind, _ arguments: [Word], port: Word?, end: Word
    ) -> UInt16 {
        var word = port
        var standard: UInt16 = 0
        switch kind {
        case .tcp, .tls:
            if let argument = arguments.first {
                if let port {
                    report(port, "the port is written twice: \(shown(argument.text)) and here")
                }
                word = argument
            } else if kind == .tcp, port == nil {
                report(end, "CHECK tcp: expected a port, such as CHECK tcp 443")
            }
            standard = 443
        case .http, .load: standard = 80
        case .https: standard = 443
        case .dns: standard = 53
        case .ping, .exec, .file: return 0
        }
        return word.flatMap { integer($0, 1...65535, "a port") }.map(UInt16.init) ?? standard
    }

    private mutating func read(_ key: CheckKey, _ value: Word, into record: inout CheckRecord) {
        switch key {
        case .quorum: record.quorum = integer(value, 1...100, "quorum")
        case .port, .host, .from: readAim(key, value, into: &record.specification)
        case .every, .fast, .timeout, .fall, .rise:
            readPace(key, value, into: &record.specification)
        default: readExpectation(key, value, into: &record.specification)
        }
    }

    private mutating func readAim(
        _ key: CheckKey, _ value: Word, into specification: inout CheckSpecification
    ) {
        switch key {
        case .host: specification.host = host(value, "host")
        case .from: specification.source = address(value)
        default: break  // The port is read with the kind.
        }
    }

    private mutating func readPace(
        _ key: CheckKey, _ value: Word, into specification: inout CheckSpecification
    ) {
        switch key {
        case .every: specification.every = time(value, from: 100) ?? specification.every
        case .fast: specification.fast = time(value, from: 100) ?? specification.fast
        case .timeout: specification.timeout = time(value, from: 10) ?? specification.timeout
        case .fall: specification.fall = integer(value, 1...100, "fall") ?? 1
        default: specification.rise = integer(value, 1...100, "rise") ?? 1
        }
    }

    private mutating func readExpectation(
        _ key: CheckKey, _ value: Word, into specification: inout CheckSpecification
    ) {
        switch key {
        case .expect:
            if case .dns(let question) = specification.kind {
                specification.kind = .dns(expecting(value, question))
            } else {
                specification.expectedStatuses = statuses(value)
            }
        case .method: specification.method = method(value) ?? .get
        case .sni: specification.serverName = host(value, "sni")
        case .http2: specification.usesHTTP2 = isOn(value) ?? false
        case .tls:
            specification.usesTLS = isOn(value) ?? false
        case .contains: specification.contains = bytes(value) ?? []
        case .matches: specification.pattern = pattern(value)
        case .certDays: specification.certificateDays = integer(value, 1...3650, "cert-days") ?? 0
        case .send: specification.send = bytes(value) ?? []
        case .receive: specification.receive = bytes(value) ?? []
        case .over:
            if case .dns(var question) = specification.kind {
                question.isOverTCP = isOverTCP(value) ?? false
                specification.kind = .dns(question)
            }
        case .maxAge: specification.ageMax = time(value, from: 1000)
        case .metrics: specification.metrics = metrics(value)
        case .maxErrorRate: specification.loadLimits.errorRate = share(value)
        case .maxP99: specification.loadLimits.p99 = time(value, from: 1)
        case .maxQueue: specification.loadLimits.queue = integer(value, 0...1 << 30, "max-queue")
        default: break
        }
    }

    /// Words that belong to the kind, and contradict others.
    private mutating func refuseSenseless(
        _ check: CheckSpecification, written keys: [(key: CheckKey, value: Word)]
    ) {
        for (key, value) in keys {
            switch (key, check.kind) {
            case (.sni, .load), (.certDays, .load):
                if !check.usesTLS { report(value, "\(key.rawValue)= needs tls=on beside it") }
            case (.contains, _), (.matches, _):
                if check.method == .head {
                    report(value, "\(key.rawValue)= needs a body, and HEAD has none")
                }
            case (.maxErrorRate, _): refuseUnmapped(.errorRate, key, value, check)
            case (.maxP99, _): refuseUnmapped(.p99Milliseconds, key, value, check)
            case (.maxQueue, _): refuseUnmapped(.queue, key, value, check)
            default: break
            }
        }
    }

    private mutating func refuseUnmapped(
        _ figure: LoadReport.Figure, _ key: CheckKey, _ value: Word, _ check: CheckSpecification
    ) {
        guard !check.metrics.isEmpty, !check.metrics.contains(where: { $0.figure == figure })
        else { return }
        report(value, "\(key.rawValue)= needs \(figure.rawValue):<metric> in metrics=")
    }

    /// `fast` and `timeout` must not exceed `every`; where they are not written, their defaults
    /// give way.
    private mutating func settlePaces(
        _ specification: inout CheckSpecification, written: [(key: CheckKey, value: Word)]
    ) {
        let every = specification.every
        if let fast = written.first(where: { $0.key == .fast })?.value {
            if specification.fast > every {
                report(fast, "fast must not be longer than every")
            }
        } else {
            specification.fast = min(specification.fast, every)
        }
        if let timeout = written.first(where: { $0.key == .timeout })?.value {
            if specification.timeout > every {
                report(timeout, "timeout must not be longer than every")
            }
        } else {
            specification.timeout = min(specification.timeout, every)
        }
    }
}

extension CheckKind {
    /// Words between the kind and the keys.
    fileprivate var argumentCountMax: Int {
        switch self {
        case .ping: 0
        case .dns: 2
        default: 1
        }
    }
}
