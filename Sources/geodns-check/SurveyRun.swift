import Addressing
import Configuration
import DNSWire
import Diagnostics
import Loader
import Survey
import SystemCalls

/// Runs one look at all clients; prints as it goes.
struct SurveyRun {
    let settings: CheckSettings
    private let supposed: SupposedWorld
    private var before: SurveyedWorld { supposed.surveyed }
    let database: GeoData
    private let after: SupposedWorld?
    private let demands: [Demand]

    init(
        _ survey: CheckSettings.Survey, _ settings: CheckSettings, _ world: World,
        _ database: GeoData, _ standing: Standing, _ kept: KeptState?
    ) {
        self.settings = settings
        self.database = database
        var other = settings
        switch survey {
        case .matrix, .map, .roundTrips, .each:
            supposed = SupposedWorld(world, settings.changes, standing)
            after = nil
        case .whatIf:
            supposed = SupposedWorld(world, settings.changes.capacitiesOnly, standing)
            after = SupposedWorld(world, settings.changes, standing)
        case .zones, .geoData:
            if case .zones(let zones) = survey { other.zones = zones }
            if case .geoData(let path) = survey { other.geoData = path }
            supposed = SupposedWorld(world, settings.changes, standing)
            // The zones there may have other probes.
            let (there, source) = load(other)
            after = SupposedWorld(
                there, settings.changes, Standing(there, nil, kept, source ?? database))
        }
        demands = SurveyRun.demands(settings.demand, database)
    }

    /// Whether nothing was found that the exit status has to tell.
    func run(_ survey: CheckSettings.Survey) -> Bool {
        if case .roundTrips(let path) = survey {
            let roundTrips = roundTrips(path)
            for name in names {
                printWhole(
                    roundTrips.report(
                        name, in: before, database: database, asJSON: settings.writesJSON))
            }
            return true
        }
        var isFine = true
        for name in names {
            for demand in demands {
                switch survey {
                case .matrix:
                    let matrix = Matrix(
                        name, demand,
                        in: supposed.carrying(demand, for: name, in: database).surveyed,
                        database: database)
                    printWhole(settings.writesJSON ? matrix.json : matrix.text)
                case .roundTrips: break
                case .map(let path):
                    draw(name, demand, path)
                    // One picture shows one kind of clients.
                    return true
                case .each:
                    isFine = each(name, demand) && isFine
                case .whatIf:
                    isFine = whatIf(name, demand) && isFine
                case .zones, .geoData:
                    let movement = Movement(
                        name, demand,
                        from: supposed.carrying(demand, for: name, in: database).surveyed,
                        to: (after ?? supposed).carrying(demand, for: name, in: database)
                            .surveyed, source: database)
                    printWhole(
                        settings.writesJSON ? movement.json(down: nil) : movement.comparison)
                    isFine = isWithinLimit(movement) && isFine
                }
            }
        }
        return isFine
    }

    /// Those asked for, or all GEO names of both worlds.
    private var names: [DomainName] {
        let after = after?.surveyed ?? before
        for name in settings.names
        where before.geoName(name) == nil && after.geoName(name) == nil {
            let known = (before.plan.names + after.plan.names).map(\.name.description)
            CheckSettings.program.fail(
                "\(name) is no GEO name; "
                    + Suggestion.words(for: name.description, among: known), status: 2)
        }
        guard settings.names.isEmpty else { return settings.names }
        let own = before.plan.names.map(\.name)
        return own + after.plan.names.map(\.name).filter { before.geoName($0) == nil }
    }

    /// One that holds both families, or one for each that the database knows.
    static func demands(
        _ setting: CheckSettings.DemandSetting?, _ database: GeoData
    ) -> [Demand] {
        var total: Double?
        switch setting {
        case .file(let path):
            do throws(FileError) {
                let (demand, problems) = Demand.read(try FileSystem.read(path), file: path)
                for problem in problems { printError("\(problem)") }
                if let demand { return [demand] }
                CheckSettings.program.fail(
                    "--demand \(path): expected lines like 203.0.113.0/24,1500", status: 1)
            } catch {
                CheckSettings.program.fail("--demand: \(error)", status: 2)
            }
        case .total(let count): total = count
        case nil: break
        }
        return Demand.families(of: database, total: total)
    }

    /// Ends the program when the file cannot be read.
    private func roundTrips(_ path: String) -> RoundTrips {
        do throws(FileError) {
            let (roundTrips, problems) = RoundTrips.read(
                try FileSystem.read(path), file: path, plan: before.plan)
            for problem in problems { printError("\(problem)") }
            if let roundTrips { return roundTrips }
            CheckSettings.program.fail(
                "--rtt \(path): expected lines like 203.0.113.0/24,fra,12.5", status: 1)
        } catch {
            CheckSettings.program.fail("--rtt: \(error)", status: 2)
        }
    }

    private func draw(_ name: DomainName, _ demand: Demand, _ path: String) {
        let before = supposed.carrying(demand, for: name, in: database).surveyed
        let matrix = Matrix(name, demand, in: before, database: database)
        let map = CatchmentMap(matrix, in: before, database: database, changes: settings.changes)
        do throws(Errno) {
            var output = try path == "-" ? OutputStream() : OutputStream(path: path)
            output.bytes += map.svg.utf8
            try output.flush()
        } catch {
            CheckSettings.program.fail("--map: cannot write \(path): \(error)", status: 1)
        }
    }

    /// False when somebody gets nothing, or more than it can carry.
    private func whatIf(_ name: DomainName, _ demand: Demand) -> Bool {
        let movement = Movement(
            name, demand, from: supposed.carrying(demand, for: name, in: database).surveyed,
            to: (after ?? supposed).carrying(demand, for: name, in: database).surveyed,
            source: database)
        printWhole(
            settings.writesJSON
                ? movement.json(down: nil) : movement.consequences(of: settings.changes))
        return movement.stranded == 0 && movement.overloaded.isEmpty
    }

    /// Takes the targets of one name as down, one after the other; false when the failure of one
    /// is more than the others can take over.
    private func each(_ name: DomainName, _ demand: Demand) -> Bool {
        let carried = supposed.carrying(demand, for: name, in: database).surveyed
        let matrix = Matrix(name, demand, in: carried, database: database)
        var fatal: [String] = []
        if !settings.writesJSON {
            print(matrix.title + ": one target after the other fails")
        }
        for (target, portion) in matrix.all.targets {
            let down = Set(before.plan.endpoints(labelled: target))
            // Names outside our zones do not fail.
            guard !down.isEmpty else { continue }
            let movement = Movement(
                name, demand, from: carried,
                to: supposed.failing(down).carrying(demand, for: name, in: database).surveyed,
                source: database)
            printWhole(
                settings.writesJSON
                    ? movement.json(down: target) : movement.failure(of: target, with: portion))
            if movement.stranded > 0 || !movement.overloaded.isEmpty { fatal.append(target) }
        }
        if !settings.writesJSON, !fatal.isEmpty {
            print("  not survived: the failure of \(fatal.joined(separator: ", of "))")
        }
        return fatal.isEmpty
    }

    private func isWithinLimit(_ movement: Movement) -> Bool {
        // Of a new name nobody loses anything.
        guard let most = settings.movedPortionMax, movement.portion > most, !movement.isNew
        else { return true }
        printError(
            "\(movement.title): \(movement.portion.percent) get another answer, "
                + "more than --max-moved \(most.percent)")
        return false
    }

    private func printWhole(_ text: String) { print(text, terminator: "") }
}
