import TestSupport
import Testing

@testable import Health

@Suite struct LoadReportTests {
    private func read(_ text: String, _ metrics: [LoadMetric] = []) throws -> LoadReport {
        try LoadReport(Array(text.utf8), metrics: metrics)
    }

    private func fault(_ text: String, _ metrics: [LoadMetric] = []) -> String? {
        do throws(LoadReport.Fault) {
            _ = try LoadReport(Array(text.utf8), metrics: metrics)
            return nil
        } catch {
            return error.message
        }
    }

    // MARK: - Agent words

    @Test(arguments: [
        ("up\n", LoadReport.Statement.up), ("UP 75%\r\n", .percent(75)), ("ready up", .up),
        ("100%", .percent(100)), ("150%", .percent(100)), ("0%", .drain), ("drain", .drain),
        ("maint", .drain), ("down #disk full\n", .down(reason: "disk full")),
        ("stopped", .down(reason: "")), ("fail#\u{1b}[31mred", .down(reason: "[31mred")),
        ("up,50%,maxconn:30", .percent(50)), ("down up", .down(reason: "")), ("maxconn:7", .up),
        ("up\tdrain 10%\nwhatever stands here", .drain),
    ])
    func agentWordsAreHAProxys(text: String, statement: LoadReport.Statement) throws {
        #expect(try read(text).statement == statement)
    }

    @Test(arguments: ["", "\n", "#why", "ups", "75", "%", "-5%", "99999999%", "<html>"])
    func otherWordsAreNoReport(text: String) {
        #expect(fault(text) != nil)
    }

    // MARK: - JSON

    @Test func figuresOfJSON() throws {
        let report = try read(
            """
            {"connections":812,"requestsPerSecond":530.5,"p99Milliseconds":41,
             "errorRate":0.002,"queue":0,"capacity":4e2}
            """)
        #expect(report[.connections] == 812)
        #expect(report[.requestsPerSecond] == 530.5)
        #expect(report[.p99Milliseconds] == 41)
        #expect(report[.errorRate] == 0.002)
        #expect(report[.queue] == 0)
        #expect(report[.capacity] == 400)
    }

    @Test func otherMembersArePassedOver() throws {
        let report = try read(
            #" { "name" : "a\"\u00e9}" , "list":[1,{"queue":9},[],null,true], "queue" : 3 } "#)
        #expect(report.figures == [.queue: 3])
    }

    @Test(arguments: [
        "{", "{}", "{\"queue\":}", "{\"queue\":01}", "{\"queue\":1,}", "{\"queue\":1} x",
        "{\"queue\":\"1\"}", "{\"queue\":-1}", "{\"queue\":1e999}", "{'queue':1}",
        "{\"queue\":1.}", "{\"queue\":+1}", "{\"a\":\"\\x\"}", "{\"a\":\"\n\"}", "{\"other\":1}",
        "{\"a\":" + String(repeating: "[", count: 100_000),
    ])
    func otherTextIsNoReport(text: String) {
        #expect(fault(text) != nil)
    }

    // MARK: - Prometheus

    private let exposition = """
        # HELP haproxy_frontend_current_sessions Number of current sessions.
        # TYPE haproxy_frontend_current_sessions gauge
        haproxy_frontend_current_sessions{proxy="http } in",x="\\""} 40
        haproxy_frontend_current_sessions{proxy="tls"}\t2 1700000000000
        haproxy_frontend_current_sessions_max 99
        p99{quantile="0.99"} 1.5e1
        p99 7
        errors 0.25
        empty NaN
        """

    @Test func seriesAreSummedAndTimesAreTheGreatest() throws {
        let report = try read(
            exposition,
            [
                LoadMetric(.connections, "haproxy_frontend_current_sessions"),
                LoadMetric(.p99Milliseconds, "p99"), LoadMetric(.errorRate, "errors"),
            ])
        #expect(report[.connections] == 42)
        #expect(report[.p99Milliseconds] == 15)
        #expect(report[.errorRate] == 0.25)
    }

    @Test func whatIsNotThereIsAFault() {
        #expect(
            fault(exposition, [LoadMetric(.queue, "queue")]) == "report has no metric queue")
        #expect(
            fault(exposition, [LoadMetric(.queue, "empty")])
                == "empty is not a number but 'NaN'")
        #expect(fault("queue{a=\"", [LoadMetric(.queue, "queue")]) != nil)
    }

    // MARK: - Verdicts

    private func judged(_ text: String, _ limits: LoadLimits = LoadLimits()) -> ProbeResult {
        var check = CheckSpecification(.load(path: "/load"), port: 80)
        check.loadLimits = limits
        return check.judge(
            HTTPResponse(statusCode: 200, body: Array(text.utf8)), after: .milliseconds(1))
    }

    @Test(arguments: [
        ("up", ProbeResult.Verdict.passed, "says up"), ("60%", .degraded, "says 60%"),
        ("drain", .drained, "says drain"), ("down #upgrade", .failed, "says down: upgrade"),
        (#"{"queue":3,"errorRate":0.02}"#, .passed, "errorRate 0.02, queue 3"),
        ("nonsense", .failed, "load report is not understood: 'nonsense'"),
    ])
    func aReportIsAVerdict(text: String, verdict: ProbeResult.Verdict, reason: String) {
        let result = judged(text)
        #expect(result.verdict == verdict)
        #expect(result.reason == reason)
    }

    @Test func aboveALimitIsStrain() {
        let limits = LoadLimits(errorRate: 0.02, p99: .milliseconds(250), queue: 10)
        func reason(_ rate: Double, _ p99: Double, _ queue: Int) -> String? {
            let result = judged(
                "{\"errorRate\":\(rate),\"p99Milliseconds\":\(p99),\"queue\":\(queue)}", limits)
            #expect((result.verdict == .strained) == (result.reason.contains("above")))
            return result.verdict == .strained ? result.reason : nil
        }
        #expect(reason(0.02, 250, 10) == nil, "at the limit is not above it")
        #expect(reason(0.021, 0, 0) == "errorRate 0.021, above max-error-rate=0.02")
        #expect(reason(0, 250.5, 0) == "p99Milliseconds 250.5, above max-p99=250")
        #expect(reason(0, 0, 11) == "queue 11, above max-queue=10")
        let missing = judged(#"{"queue":1}"#, limits)
        #expect(missing.verdict == .failed)
        #expect(missing.reason == "report has no errorRate, which max-error-rate= wants")
    }

    // MARK: - From anybody

    /// Reports with bytes changed, left out, doubled: each is read or refused, and what was read
    /// keeps its bounds.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func damagedReportsAreReadOrRefused(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let metrics = [LoadMetric(.connections, "haproxy_frontend_current_sessions")]
        let samples: [(String, [LoadMetric])] = [
            (exposition, metrics), ("up 75% maxconn:10 #well\n", []), ("down #disk full", []),
            (#"{"queue":3,"a":[{"b":"\u00e9\n"}],"errorRate":1.5e-3,"c":null}"#, []),
        ]
        for _ in 0..<500 {
            let (text, metrics) = generator.pick(samples)
            let bytes = damaged(Array(text.utf8), &generator)
            guard let report = try? LoadReport(bytes, metrics: metrics) else { continue }
            if metrics.isEmpty {
                for (_, value) in report.figures { #expect(value >= 0 && value.isFinite) }
            }
            if case .percent(let part) = report.statement { #expect((1...100).contains(part)) }
            if case .down(let reason) = report.statement {
                #expect(reason.utf8.allSatisfy { (0x20...0x7e).contains($0) })
            }
            var check = CheckSpecification(.load(path: "/"), port: 80)
            check.metrics = metrics
            let result = check.judge(HTTPResponse(statusCode: 200, body: bytes), after: .zero)
            #expect(result.reason.utf8.count < 300)
        }
    }
}

/// The bytes with a few random wounds.
func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<generator.number(1...4) {
        guard !bytes.isEmpty else { return bytes }
        let place = generator.number(0...bytes.count - 1)
        switch generator.number(0...4) {
        case 0: bytes[place] = UInt8(generator.number(0...255))
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(UInt8(generator.number(0...255)), at: place)
        case 3: bytes.removeLast(generator.number(0...bytes.count - place - 1))
        default: bytes.insert(contentsOf: bytes.suffix(from: place).prefix(40), at: place)
        }
    }
    return bytes
}
