import Addressing
import Administration
import Diagnostics
import Glibc
import Health
import Loader
import Responder
import Steering
import Transport

// What `geodnsctl` shows.
extension Server {
    func status() -> String {
        var rows: [(String, String)] = [
            ("process", "\(getpid()), started \(startTime)"),
            (
                "listening",
                (workers?.boundAddresses ?? []).map { "\($0)" }.joined(separator: " ")
            ),
            ("last reload", lastReload),
        ]
        rows.append(("geo data", geoData.summary))
        rows.append(("watching", watchSummary))
        for (family, since) in monitor.cutOff.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let start = WallClock(of: since, now: .now())
            rows.append(
                ("CUT OFF", "\(family.name) since \(start): silent front doors keep their state"))
        }
        if !settings.anchors.isEmpty {
            let answering = monitor.anchorReports.count { $0.state.isOpen }
            rows.append(("anchors", "\(answering) of \(settings.anchors.count) answer"))
        }
        if let current = serving.current {
            let plan = current.world.plan
            let down = plan.endpoints.indices.filter { !current.answers.endpointIsUp[$0] }
            rows.append(
                (
                    "targets",
                    "\(plan.endpoints.count - down.count) of \(plan.endpoints.count) up"
                        + (down.isEmpty
                            ? ""
                            : "; down: "
                                + down.map { plan.endpoints[$0].label }.joined(separator: " "))
                ))
            for (hold, until) in current.held.sorted(by: { $0.value < $1.value }) {
                let end = WallClock(of: until, now: .now())
                rows.append(("held", "\(plan.endpoints[hold.endpoint].label) until \(end)"))
            }
            for (ramp, part) in current.ramping.sorted(by: { $0.key.endpoint < $1.key.endpoint }) {
                let label = plan.endpoints[ramp.endpoint].label
                rows.append(
                    ("ramping", "\(label) \(part)% of its clients, ramp=\(ramp.length.inWords)"))
            }
            rows += current.spillRows
            for override in current.overrides.all {
                let reason = override.reason.isEmpty ? "" : ": \(override.reason)"
                let loss = current.loss(of: override).map { " (\($0))" } ?? ""
                let words = override.sentence(now: .now())
                rows.append(("override", "\(words), by \(override.author)\(reason)\(loss)"))
            }
            rows.append(("epoch", serving.snapshots.latest.epoch.words.joined(separator: " ")))
            for zone in current.world.summaries {
                rows.append(
                    (
                        "zone",
                        "\(zone.origin) serial \(zone.serial), \(zone.recordCount) records, "
                            + "\(zone.geoCount) GEO names, from \(zone.file)"
                    ))
            }
        }
        for row in serving.snapshots.totals.rows { rows.append((row.name, "\(row.value)")) }
        if let statistics = transportStatistics {
            rows += [
                ("datagrams received", "\(statistics.datagramsReceived)"),
                ("datagrams answered", "\(statistics.datagramsAnswered)"),
                ("TCP connections", "\(statistics.connectionsOpened)"),
                (
                    "TCP connections open",
                    "\(statistics.connectionsOpened - statistics.connectionsClosed)"
                ),
                ("TCP connections closed for others", "\(statistics.connectionsLimited)"),
                ("TCP connections too slow", "\(statistics.connectionsSlow)"),
                ("TCP queries", "\(statistics.streamQueries)"),
                ("PROXY headers missing or wrong", "\(statistics.proxyHeadersRejected)"),
            ]
        }
        rows += frameRows()
        return Table.text(rows.map { [$0.0, $0.1] })
    }

    /// One line for each address of each target.
    func regions() -> String {
        guard let current = serving.current else { return "" }
        let plan = current.world.plan
        var rows = [["TARGET", "STATE", "ADDRESS", "CHECK", "CHECK STATE", "SINCE", "LAST RESULT"]]
        let now = WallClock.now()
        for (index, endpoint) in plan.endpoints.enumerated() {
            let isHeld = current.held.keys.contains { $0.endpoint == index }
            let health = current.answers.endpointStates[index]
            let isOrdered = current.answers.overrides.states[.endpoint(index)] != nil
            let state =
                isOrdered
                ? "\(health.name)!" : isHeld && health.isOpen ? "held" : health.name
            for address in endpoint.addresses {
                let head = [endpoint.label, state, "\(address.address)"]
                if address.probes.isEmpty {
                    rows.append(head + ["none", "-", "-", "never checked, always up"])
                }
                let reports = monitor.report(of: address.probes.map { current.probes[$0] })
                for report in reports {
                    rows.append(
                        head + [
                            report.probe.check.summary, report.state.name,
                            since(report, now: now), report.words,
                        ])
                }
            }
        }
        let loads = current.loadRows
        return Table.text(rows) + (loads.count > 1 ? "\n" + Table.text(loads) : "")
    }

    /// `json`: as objects. `after N`: those with a greater number.
    func events(_ words: ArraySlice<String>) -> ControlReply {
        var words = words
        var isJSON = false
        var number: UInt64 = 0
        while let word = words.popFirst() {
            if word == "json" {
                isJSON = true
            } else if word == "after", let after = words.popFirst().flatMap(UInt64.init) {
                number = after
            } else {
                return .failed("events: expected json, or after and a number, found \(word)")
            }
        }
        let lines = journal.events(after: number).map { event in
            isJSON ? event.json : "\(event.number ?? 0) \(event.text)"
        }
        return .ok(lines.map { $0 + "\n" }.joined())
    }

    private func since(_ report: ProbeReport, now: WallClock) -> String {
        guard let since = report.since else { return "-" }
        let ago = MonotonicTime.now() - since
        return WallClock(seconds: now.seconds - Int(ago.components.seconds)).description
    }
}

/// Columns for people to read.
enum Table {
    static func text(_ rows: [[String]]) -> String {
        let columnCount = rows.map(\.count).max() ?? 0
        let widths = (0..<columnCount).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }.joined() + "\n"
        }.joined()
    }
}

extension GeoData {
    fileprivate var summary: String {
        var parts: [String] = []
        if let metadata {
            let time = WallClock(seconds: Int(metadata.buildEpoch))
            parts.append("\(metadata.path): \(metadata.databaseType), built \(time)")
        }
        if correctionCount > 0 {
            let noun = correctionCount == 1 ? "line" : "lines"
            parts.append("\(correctionCount) \(noun) of geofeeds")
        }
        return parts.isEmpty
            ? "none: every client's place is unknown" : parts.joined(separator: "; ")
    }
}
