/// What a front door says about itself: the passive check of a DNS balancer, which sees no traffic.
package struct LoadReport: Hashable, Sendable {
    /// A figure of a report, by the name it has in JSON and in `metrics=`.
    package enum Figure: String, CaseIterable, Sendable {
        case connections, requestsPerSecond, p99Milliseconds, errorRate, queue, capacity

        /// Of several series of one metric: how they become one figure.
        var isSummed: Bool { self != .p99Milliseconds && self != .errorRate }
    }

    package private(set) var figures: [Figure: Double] = [:]
    /// What it asks for in so many words; nil: nothing.
    package var statement: Statement?

    /// The words of HAProxy's agent checks (configuration manual, `agent-check`).
    package enum Statement: Hashable, Sendable {
        case up
        /// A part of its weight, 1…100.
        case percent(Int)
        case drain
        case down(reason: String)
    }

    package init(_ figures: [Figure: Double] = [:], statement: Statement? = nil) {
        self.figures = figures
        self.statement = statement
    }

    package subscript(_ figure: Figure) -> Double? {
        get { figures[figure] }
        set { figures[figure] = newValue }
    }

    /// Why a report could not be read.
    package struct Fault: Error, Equatable {
        package var message: String
    }

    /// Reads a report in the form that it has: a Prometheus exposition when the check says where
    /// the figures are, else a JSON object, else agent words.
    package init(_ body: [UInt8], metrics: [LoadMetric]) throws(Fault) {
        if !metrics.isEmpty {
            self = try LoadReport(exposition: body, metrics: metrics)
        } else if body.first(where: { !isBlank($0) }) == UInt8(ascii: "{") {
            self = try LoadReport(json: body)
        } else {
            self = try LoadReport(agentWords: body)
        }
    }
}

/// Where a figure is found in a Prometheus exposition, as in
/// `connections:haproxy_frontend_current_sessions`.
package struct LoadMetric: Hashable, Sendable {
    package var figure: LoadReport.Figure
    package var name: String

    package init(_ figure: LoadReport.Figure, _ name: String) {
        self.figure = figure
        self.name = name
    }
}

/// What makes a front door that works too busy for more; nil: never.
package struct LoadLimits: Hashable, Sendable {
    /// 0…1
    package var errorRate: Double?
    package var p99: Duration?
    package var queue: Int?

    package init(errorRate: Double? = nil, p99: Duration? = nil, queue: Int? = nil) {
        self.errorRate = errorRate
        self.p99 = p99
        self.queue = queue
    }

    var all: [(figure: LoadReport.Figure, limit: Double, key: String)] {
        var limits: [(LoadReport.Figure, Double, String)] = []
        if let errorRate { limits.append((.errorRate, errorRate, "max-error-rate")) }
        if let p99 {
            limits.append((.p99Milliseconds, Double(p99.nanoseconds) / 1_000_000, "max-p99"))
        }
        if let queue { limits.append((.queue, Double(queue), "max-queue")) }
        return limits
    }
}

// MARK: - Verdict

extension CheckSpecification {
    /// The verdict on a report that came with a good status.
    func judgeLoad(_ body: [UInt8], into result: inout ProbeResult) {
        let report: LoadReport
        do throws(LoadReport.Fault) {
            report = try LoadReport(body, metrics: metrics)
        } catch {
            result.verdict = .failed
            result.reason = error.message
            return
        }
        result.load = report
        let (verdict, reason) = judge(report)
        result.verdict = verdict
        result.reason = reason
    }

    private func judge(_ report: LoadReport) -> (ProbeResult.Verdict, String) {
        switch report.statement {
        case .down(let reason):
            return (.failed, "says down" + (reason.isEmpty ? "" : ": \(reason)"))
        case .drain: return (.drained, "says drain")
        case .up, .percent, nil: break
        }
        for (figure, limit, key) in loadLimits.all {
            guard let value = report[figure] else {
                return (.failed, "report has no \(figure.rawValue), which \(key)= wants")
            }
            if value > limit {
                return (
                    .strained,
                    "\(figure.rawValue) \(shortened(value)), above \(key)=\(shortened(limit))"
                )
            }
        }
        switch report.statement {
        case .percent(let part) where part < 100: return (.degraded, "says \(part)%")
        case .up, .percent: return (.passed, "says up")
        case .down, .drain, nil: return (.passed, figuresInWords(report))
        }
    }

    private func figuresInWords(_ report: LoadReport) -> String {
        LoadReport.Figure.allCases.compactMap { figure in
            report[figure].map { "\(figure.rawValue) \(shortened($0))" }
        }.joined(separator: ", ")
    }

    /// At most three digits behind the point, without Foundation.
    private func shortened(_ value: Double) -> String {
        guard value.magnitude < 1e15 else { return "\(value)" }
        let thousandths = (value * 1000).rounded() / 1000
        return thousandths == thousandths.rounded() ? "\(Int(thousandths))" : "\(thousandths)"
    }
}

// MARK: - Agent words

extension LoadReport {
    /// One line of words between blanks, commas or tabs: `up 75%`, `drain`, `down #disk full`.
    /// What stands behind `#` is the reason. `ready` and `maxconn:N` say nothing here; of several
    /// the gravest holds.
    init(agentWords body: [UInt8]) throws(Fault) {
        let line = body.prefix { $0 != 0x0a && $0 != 0x0d }
        let words = line.prefix { $0 != UInt8(ascii: "#") }
            .split { isBlank($0) || $0 == UInt8(ascii: ",") }
        let reason = String(
            decoding: line.drop { $0 != UInt8(ascii: "#") }.dropFirst().drop(while: isBlank).prefix(
                100
            )
            .filter { (0x20...0x7e).contains($0) },
            as: UTF8.self)
        guard !words.isEmpty else { throw Fault(message: "empty load report") }
        var statement: Statement?
        for word in words {
            switch String(decoding: word, as: UTF8.self).lowercased() {
            case "down", "stopped", "fail": statement = .down(reason: reason)
            case "drain", "maint": statement = statement.graver(.drain)
            case "up": statement = statement.graver(.up)
            case "ready": break
            case let other where other.hasPrefix("maxconn:"): break
            case let other:
                guard let percent = LoadReport.percent(other) else {
                    throw Fault(message: "load report is not understood: \(quoted(line))")
                }
                statement = statement.graver(percent == 0 ? .drain : .percent(percent))
            }
        }
        self.init(statement: statement ?? .up)
    }

    /// `75%`; more than 100 % is 100 %.
    private static func percent(_ word: String) -> Int? {
        guard word.last == "%", let value = UInt16(word.dropLast()) else { return nil }
        return min(Int(value), 100)
    }
}

extension LoadReport.Statement? {
    fileprivate func graver(_ other: LoadReport.Statement) -> LoadReport.Statement {
        guard let self else { return other }
        return self.gravity >= other.gravity ? self : other
    }
}

extension LoadReport.Statement {
    fileprivate var gravity: Int {
        switch self {
        case .up: 0
        case .percent(let part): 101 - part
        case .drain: 200
        case .down: 300
        }
    }
}

// MARK: - Prometheus

extension LoadReport {
    /// Lines of `name{label="value",…} number [time]` (Prometheus text format 0.0.4, OpenMetrics).
    /// Of several series of a metric the sum is taken, of rates and times the greatest.
    init(exposition body: [UInt8], metrics: [LoadMetric]) throws(Fault) {
        self.init()
        for line in body.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            let text = line.drop(while: isBlank)
            guard let first = text.first, first != UInt8(ascii: "#") else { continue }
            let name = text.prefix { !isBlank($0) && $0 != UInt8(ascii: "{") }
            for metric in metrics where metric.name.utf8.elementsEqual(name) {
                var rest = text[name.endIndex...]
                guard LoadReport.skipLabels(&rest) else {
                    throw Fault(message: "labels of \(metric.name) have no end")
                }
                let number = rest.drop(while: isBlank).prefix { !isBlank($0) }
                guard let value = Double(String(decoding: number, as: UTF8.self)), !value.isNaN
                else {
                    throw Fault(
                        message: "\(metric.name) is not a number but \(quoted(number))")
                }
                let before = self[metric.figure]
                self[metric.figure] =
                    metric.figure.isSummed ? (before ?? 0) + value : max(before ?? value, value)
            }
        }
        for metric in metrics where self[metric.figure] == nil {
            throw Fault(message: "report has no metric \(metric.name)")
        }
    }

    /// `{…}`, in which quotes may hold anything; false without an end.
    private static func skipLabels(_ text: inout ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: "{") else { return true }
        var isQuoted = false
        while let byte = text.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted: _ = text.popFirst()
            case UInt8(ascii: "}") where !isQuoted: return true
            default: break
            }
        }
        return false
    }
}

/// A blank within a line, or at its end.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }
