import Administration
import Diagnostics
import Health
import HealthMonitor
import Loader
import Steering
import Survey

// Everything is read again, and compared with what is being served before it takes its place.
extension Server {
    /// On an error what is being served stays, and the log says so. So it does when more clients
    /// would get other answers than `--max-moved` allows, unless the reload is forced.
    @discardableResult
    func reload(isForced: Bool) -> ControlReply {
        ServiceManager.reloading()
        defer { ServiceManager.ready() }
        let (loaded, diagnostics) = loadAll()
        for diagnostic in diagnostics {
            log.write(diagnostic.severity == .error ? .error : .warning, "zone", "\(diagnostic)")
        }
        guard let loaded else {
            lastReload = "failed at \(WallClock.now()): \(diagnostics.count) problems"
            log.write(.error, "reload", "failed; what was being served stays")
            return unchanged(diagnostics.map(\.description))
        }
        guard let probes = firstResults(of: loaded.world) else { return isStoppingReply }
        var review: ReloadReview?
        if let most = settings.movedPortionMax {
            let made = ReloadReview(self, loaded, probes, portionMax: most)
            if isStopping { return isStoppingReply }
            review = made
            if !isForced, !made.isWithinLimit {
                // Back to the probes of what is being served.
                monitor.retain(only: Set(serving.current?.probes ?? []))
                wantFigures(of: serving.current?.world.plan ?? .empty)
                return refuse(made, diagnostics)
            }
        }
        serve(loaded.world, loaded.geoData, probes: probes)
        use(loaded.secrets)
        geoData = loaded.geoData
        lastReload = "done at \(WallClock.now())" + (review.map { "; \($0.summary)" } ?? "")
        log.write(
            .info, "reload", "",
            [("zones", "\(loaded.world.summaries.count)")] + (review?.fields ?? []))
        return .ok((diagnostics.map { "\($0)" } + [lastReload]).map { "\($0)\n" }.joined())
    }

    private func refuse(_ review: ReloadReview, _ diagnostics: [Diagnostic]) -> ControlReply {
        lastReload = "refused at \(WallClock.now()); \(review.summary)"
        log.write(
            .error, "reload",
            "refused, as more answers would change than max-moved allows; what was being served "
                + "stays", review.fields)
        for (message, fields) in review.excesses { log.write(.error, "moved", message, fields) }
        return unchanged(diagnostics.map(\.description) + [review.report])
    }

    private func unchanged(_ problems: [String]) -> ControlReply {
        .failed(
            "nothing was changed, the zones being served stay\n"
                + problems.map { "\($0)\n" }.joined())
    }

    private var isStoppingReply: ControlReply { unchanged(["error: the server is stopping"]) }
}

/// What a reload would do to clients.
struct ReloadReview {
    private let comparison: Comparison
    private let portionMax: Double
    private let duration: Duration

    /// The control socket's other end waits a minute for all of a reload.
    private static let durationMax = Duration.seconds(20)
    /// Names that are told of.
    private static let shownCountMax = 10

    /// Holds what is answered now against what would be answered: by the same health, and by the
    /// first results of probes that are new. Workers answer meanwhile.
    init(
        _ server: Server, _ loaded: Server.Loaded, _ probes: [ProbeIdentifier], portionMax: Double
    ) {
        let start = ContinuousClock.now
        let current = server.serving.current
        let before = SurveyedWorld(
            zones: current?.world.zones ?? .empty, answers: current?.answers ?? .empty)
        let after = SurveyedWorld(
            zones: loaded.world.zones,
            answers: server.serving.answers(
                of: loaded.world, probes: probes, health: server.monitor.table,
                partition: loaded.geoData.partition(current?.overrides.limits ?? [])))
        func shouldGoOn() -> Bool {
            server.takeSignals()
            return !server.isStopping && .now - start < ReloadReview.durationMax
        }
        // Whose clients are counted: of the places known up to now.
        comparison = Comparison(
            from: before, to: after, source: server.geoData, portionMax: portionMax,
            shouldGoOn: shouldGoOn)
        self.portionMax = portionMax
        duration = .now - start
    }

    var isWithinLimit: Bool { comparison.excesses.isEmpty && comparison.isComplete }

    /// `at most 3.2 % got another answer, under app.example.com. over IPv4; compared in 0.21 s`
    var summary: String {
        var words = "nothing was compared"
        if let largest = comparison.largest {
            words =
                largest.portion == 0
                ? "no client gets another answer"
                : "at most \(largest.portion.percent) get another answer, under \(largest.title)"
        }
        return words + "; compared in \(time)" + (comparison.isComplete ? "" : ", not to the end")
    }

    private var time: String {
        let milliseconds = duration / .milliseconds(1)
        return milliseconds < 1000
            ? "\(Int(milliseconds.rounded(.up))) ms"
            : "\((milliseconds / 100).rounded() / 10) s"
    }

    var fields: [(name: String, value: String)] {
        [
            ("moved", comparison.largest?.portion.percent ?? "0 %"),
            ("max-moved", portionMax.percent), ("compared-in", time),
        ]
    }

    /// For the log, an event for each.
    var excesses: [(message: String, fields: [(name: String, value: String)])] {
        comparison.excesses.prefix(ReloadReview.shownCountMax).map { excess in
            let movement = excess.movement
            var fields = [
                ("name", movement.name.description), ("clients", movement.demand.title),
                ("names-alike", "\(excess.alike.count)"),
            ]
            if let first = movement.moves.first {
                fields.append(
                    (
                        "first",
                        "\(first.country) \(first.portion.percent) \(first.move.from) → "
                            + first.move.to
                    ))
            }
            return (movement.consequence, fields)
        }
    }

    /// What `geodnsctl reload` shows: as `geodns-check --compare` does.
    var report: String {
        var lines: [String] = []
        for excess in comparison.excesses.prefix(ReloadReview.shownCountMax) {
            lines.append(
                "error: \(excess.movement.summary), more than max-moved \(portionMax.percent)")
            lines += excess.movement.moveLines
            if !excess.alike.isEmpty {
                let names = excess.alike.prefix(3).map(\.description).joined(separator: " ")
                let more = excess.alike.count > 3 ? " and \(excess.alike.count - 3) more" : ""
                lines.append("  and the same under \(names)\(more)")
            }
        }
        let rest = comparison.excesses.count - ReloadReview.shownCountMax
        if rest > 0 { lines.append("and \(rest) more names or families beyond max-moved") }
        if !comparison.isComplete {
            lines.append(
                "error: not everything could be compared within "
                    + "\(ReloadReview.durationMax.components.seconds) s")
        }
        return
            (lines + [
                "compared in \(time); `geodnsctl reload --force` serves it all the same"
            ]).joined(separator: "\n")
    }
}
