import Configuration
import DNSWire
import Diagnostics
import Geography
import Glibc
import Loader
import Survey

// A thin main: understand the command line, load, ask, print, end with the status.

func load(_ settings: CheckSettings) -> (World, GeoData?) {
    var (geoData, problems) = GeoData.load(settings.geoData, geofeeds: settings.geofeeds)
    // Zones can be checked without a database; places cannot be told.
    let needsPlaces =
        !settings.names.isEmpty || settings.survey != nil || settings.expectations != nil
    if geoData == nil, !needsPlaces, settings.geofeeds.isEmpty {
        (geoData, problems) = (GeoData.none, [])
    }
    for problem in problems { printError("\(problem)") }
    guard let geoData else { exit(1) }
    let (world, diagnostics) = ZoneLoader.load(
        settings.zones, source: geoData, keepsLines: settings.showsLines)
    for diagnostic in diagnostics { printError("\(diagnostic)") }
    guard let world else {
        let count = diagnostics.count { $0.severity == .error }
        // Nobody has said where they are, and they are not where they would be installed.
        let isElsewhere =
            settings.zones == ServerSettings.defaultZones
            && diagnostics.allSatisfy { $0.location == nil }
        CheckSettings.program.fail(
            "\(count) \(count == 1 ? "error" : "errors"): nothing can be served"
                + (isElsewhere ? "; `--zones DIR` reads zones from elsewhere" : ""), status: 1)
    }
    return (world, geoData.isNone ? nil : geoData)
}

/// Of the zones named, or all.
func walkDelegation(
    _ settings: CheckSettings, _ world: World, _ database: GeoData?
) -> Bool {
    for name in settings.names where !world.summaries.contains(where: { $0.origin == name }) {
        let known = world.summaries.map(\.origin.description)
        CheckSettings.program.fail(
            "\(name) is no zone here; " + Suggestion.words(for: name.description, among: known),
            status: 2)
    }
    let zones = world.summaries.filter {
        settings.names.isEmpty || settings.names.contains($0.origin)
    }
    var source = DelegationRun.Source.resolvers(settings.resolvers)
    if let path = settings.rootHints {
        source = .roots(RootWalk(roots: RootHints.read(path)))
    } else if settings.resolvers.isEmpty {
        source = .resolvers(DelegationRun.systemResolvers)
        guard !DelegationRun.systemResolvers.isEmpty else {
            CheckSettings.program.fail(
                "--delegation: no resolver in /etc/resolv.conf; give --resolver ADDR, or "
                    + "--root-hints iana", status: 1)
        }
    }
    var walk = DelegationRun(
        Simulation(world, database, settings.changes, Standing(world, nil, nil, nil)), source,
        writesJSON: settings.writesJSON)
    return walk.run(zones)
}

/// Whether all is fine. The program ends behind it, when all that it holds has been let go: a leak
/// checker sees no pointer in what carries flags beside it.
func run(_ settings: CheckSettings) -> Bool {
    let (world, database) = load(settings)
    let probes =
        settings.sendsProbes
        ? ProbeRun(world, certificateAuthorities: settings.certificateAuthorities) : nil
    if let probes, !settings.writesCSV {
        print(settings.writesJSON ? probes.json : probes.text, terminator: "")
    }
    let isHealthy = probes?.isFine ?? true
    let kept = settings.state.map { KeptState(folder: $0) }
    let standing = Standing(world, probes, kept, database)
    standing.reportUnknown()
    if let survey = settings.survey, let database {
        let isFine = SurveyRun(survey, settings, world, database, standing, kept).run(survey)
        return isFine && isHealthy
    }
    if let file = settings.expectations {
        let unmet = ZoneLoader.unmetExpectations(of: world, in: file)
        for diagnostic in unmet { printError("\(diagnostic)") }
        if !unmet.isEmpty {
            CheckSettings.program.fail(
                unmet.count == 1
                    ? "1 line of \(file) is not as expected"
                    : "\(unmet.count) lines of \(file) are not as expected", status: 1)
        }
    }
    if settings.walksDelegation {
        return walkDelegation(settings, world, database) && isHealthy
    }
    guard !settings.names.isEmpty else {
        if probes != nil { return isHealthy }
        for zone in world.summaries {
            print(
                "\(zone.file): \(zone.origin) serial \(zone.serial) is fine: \(zone.recordCount) "
                    + "records, \(zone.geoCount) GEO names")
        }
        return true
    }
    var demands: [(name: DomainName, demand: Demand)] = []
    // Of both families alike: a total is not there twice.
    if settings.demand != nil, let database,
        let demand = SurveyRun.demands(settings.demand, database).first
    {
        demands = settings.names.map { ($0, demand) }
    }
    let simulation = Simulation(world, database, settings.changes, standing, demands: demands)
    if !settings.servers.isEmpty {
        var comparison = LiveComparison(simulation, settings)
        return comparison.run() && isHealthy
    }
    if settings.isBatch { return Batch.run(simulation, settings) && isHealthy }
    for name in settings.names {
        for type in settings.types {
            for client in settings.clients {
                guard let result = simulation.ask(name, type, from: client) else {
                    CheckSettings.program.fail(
                        "\(name) \(type): no response; this should not happen", status: 1)
                }
                print(
                    settings.writesJSON ? result.json + "\n" : result.text(.output, simulation),
                    terminator: "")
                if !settings.writesJSON { print() }
            }
        }
    }
    return isHealthy
}

do throws(UsageError) {
    switch try CheckSettings.program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text): print(text, terminator: "")
    case .run(let arguments): exit(run(try CheckSettings(arguments)) ? 0 : 1)
    }
} catch {
    CheckSettings.program.fail("\(error)", status: 2)
}
