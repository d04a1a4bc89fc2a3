import Configuration
import Diagnostics
import Health
import HealthMonitor
import Loader
import Steering

/// Every check of every address, made once and now.
struct ProbeRun {
    private let world: World
    /// One for each of the plan's probes.
    let reports: [ProbeReport]
    /// What answers rest on; `identifiers[i]` names the plan's probe i there.
    let health: HealthTable
    let identifiers: [ProbeIdentifier]

    /// Waits for the results: the longest timeout and a second at most.
    init(_ world: World, certificateAuthorities: String?) {
        self.world = world
        for obstacle in HealthMonitor.obstacles(to: world.plan.probes) {
            printError("\(CheckSettings.program.name): --probe: \(obstacle)")
        }
        let monitor = HealthMonitor(
            certificateAuthorities: certificateAuthorities, onChange: { _ in nil },
            onTransition: { _ in })
        identifiers = monitor.watch(world.plan.probes)
        let longest = world.plan.probes.map(\.check.timeout).max() ?? .zero
        _ = monitor.waitForFirstResults(of: identifiers, atMost: longest + .seconds(1))
        monitor.stop()
        health = monitor.table
        reports = monitor.report(of: identifiers)
    }

    /// Whether every probe has passed, even if with a warning.
    var isFine: Bool { reports.allSatisfy { $0.evidence.first?.result.verdict.isSuccess == true } }

    /// A line for each probe: what was probed, how it went, and how long each phase took.
    var text: String {
        var lines: [String] = []
        for (endpoint, reports) in byEndpoint {
            lines.append(endpoint)
            for report in reports {
                let result = report.evidence.first?.result
                let verdict = result.map { "\($0.verdict)" } ?? "no result"
                let words = report.obstacle ?? result?.reason ?? "no answer yet"
                lines.append(
                    "  \(report.probe.address) \(report.probe.check.summary)  \(verdict): \(words)")
                if let result { lines.append("      " + result.phaseWords) }
            }
        }
        guard !lines.isEmpty else { return "no checks: nothing to probe\n" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// An object for each probe.
    var json: String {
        byEndpoint.flatMap { endpoint, reports in
            reports.map { json(endpoint, $0) + "\n" }
        }.joined()
    }

    private func json(_ endpoint: String, _ report: ProbeReport) -> String {
        let result = report.evidence.first?.result
        func milliseconds(_ moment: Duration?) -> String {
            moment.map { "\($0.tenthsOfMilliseconds)" } ?? "null"
        }
        return JSONText.object([
            ("target", JSONText.string(endpoint)),
            ("address", JSONText.string("\(report.probe.address)")),
            ("check", JSONText.string(report.probe.check.summary)),
            ("verdict", JSONText.optional(result.map { "\($0.verdict)" })),
            ("phase", JSONText.optional(result.map { "\($0.phase)" })),
            ("reason", JSONText.string(report.obstacle ?? result?.reason ?? "no answer yet")),
            ("status", result?.statusCode.map { "\($0)" } ?? "null"),
            (
                "milliseconds",
                JSONText.object([
                    ("connected", milliseconds(result?.moments.connected)),
                    ("secured", milliseconds(result?.moments.secured)),
                    ("firstByte", milliseconds(result?.moments.answered)),
                    ("end", milliseconds(result?.duration)),
                ])
            ),
        ])
    }

    /// Endpoints that are checked, in the order of the plan.
    private var byEndpoint: [(label: String, reports: [ProbeReport])] {
        world.plan.endpoints.compactMap { endpoint in
            let probes = endpoint.addresses.flatMap(\.probes)
            return probes.isEmpty ? nil : (endpoint.label, probes.map { reports[$0] })
        }
    }
}

extension ProbeResult {
    /// `connected 1.2 ms, TLS 14.0 ms, first byte 15.1 ms, end 15.3 ms`: all since the start.
    fileprivate var phaseWords: String {
        let parts = [
            ("connected", moments.connected), ("TLS", moments.secured),
            ("first byte", moments.answered), ("end", duration),
        ]
        return parts.compactMap { title, moment in
            moment.map { "\(title) \($0.tenthsOfMilliseconds) ms" }
        }.joined(separator: ", ")
    }
}

extension Duration {
    fileprivate var tenthsOfMilliseconds: Double {
        ((self / .milliseconds(1)) * 10).rounded() / 10
    }
}
