import Configuration
import DNSWire
import Diagnostics
import GeoSources
import Geography
import Glibc
import Loader

// A thin main: understand the command line, load, ask, print, end with the status.

func load(_ settings: CheckSettings) -> (World, MaxMindDatabase?) {
    var database: MaxMindDatabase?
    if let path = settings.geoData {
        do throws(GeoSourceError) {
            database = try MaxMindDatabase.load(path: path)
        } catch {
            // Zones can be checked without a database; places cannot be told.
            if !settings.names.isEmpty || settings.survey != nil || settings.expectations != nil {
                CheckSettings.program.fail("\(error)", status: 1)
            }
        }
    }
    let (world, diagnostics) =
        database.map { ZoneLoader.load(settings.zones, source: $0) }
        ?? ZoneLoader.load(settings.zones, source: MemoryLocationSource([]))
    for diagnostic in diagnostics { printError("\(diagnostic)") }
    guard let world else {
        let count = diagnostics.count { $0.severity == .error }
        CheckSettings.program.fail(
            "\(count) \(count == 1 ? "error" : "errors"): nothing can be served", status: 1)
    }
    return (world, database)
}

func failForUnknown(_ labels: [String], in world: World) -> Never {
    let known = world.plan.endpoints.map(\.label).joined(separator: " ")
    CheckSettings.program.fail(
        "--down \(labels.joined(separator: " ")): no such region or target; there are \(known)",
        status: 2)
}

func run(_ settings: CheckSettings) {
    let (world, database) = load(settings)
    if let survey = settings.survey, let database {
        let before = SurveyedWorld(world, labelledDown: settings.down)
        let run = SurveyRun(settings: settings, before: before, database: database)
        exit(run.run(survey) ? 0 : 1)
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
    guard !settings.names.isEmpty else {
        for zone in world.summaries {
            print(
                "\(zone.file): \(zone.origin) serial \(zone.serial) is fine: \(zone.recordCount) "
                    + "records, \(zone.geoCount) GEO names")
        }
        return
    }
    let (made, unknown) = Simulation.make(world, database, down: settings.down)
    guard let simulation = made else {
        failForUnknown(unknown, in: world)
    }
    for name in settings.names {
        for type in settings.types {
            for client in settings.clients {
                guard let result = simulation.ask(name, type, from: client) else {
                    CheckSettings.program.fail(
                        "\(name) \(type): no response; this should not happen", status: 1)
                }
                print(settings.writesJSON ? result.json + "\n" : result.text, terminator: "")
                if !settings.writesJSON { print() }
            }
        }
    }
}

do throws(UsageError) {
    switch try CheckSettings.program.parse(CommandLine.arguments.dropFirst()) {
    case .print(let text): print(text, terminator: "")
    case .run(let arguments): run(try CheckSettings(arguments))
    }
} catch {
    CheckSettings.program.fail("\(error)", status: 2)
}
